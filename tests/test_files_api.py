"""Components over HTTP: handed in, listed, given out, replaced; and what is not taken."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from handing_in import BINARY, path, put, sha
from office import CLERK, DIRECTOR, OFFICER, RECEPTION, address, entries, running
from office import told as office_told
from samples import FILES, NOT_TAKEN, pdf

from states.files.kinds import Kind
from states.files.rows import attachment, file

LARGEST = 3_000_000


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        house = office.app.state.house
        house.settings = house.settings.model_copy(update={"largest_file": LARGEST})
        yield office


async def get(office, code, component="don", n=None, who=RECEPTION, **headers):
    return await office.client.get(path(code, component, n), headers=who | headers)


def told(answer, status, kind):
    answer.request.url = answer.request.url.copy_with(query=None)  # an instance is told without it
    return office_told(answer, status, kind)


async def listed(office, code):
    return {each["component"]: each for each in (await told_of(office, code))["components"]}


async def told_of(office, code):
    return await office.read(code, "/components")


async def empty(office) -> str:
    """A dossier that was received without a file."""
    return await office.code(components={})


async def nothing(office, fresh) -> None:
    """Nothing was written: no row, no file, not even one that came in."""
    async with fresh.connect() as db:
        for table in (attachment, file):
            assert await db.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert stored(office) == []


def stored(office) -> list[str]:
    return [each.name for each in (office.folder / "files").rglob("*") if each.is_file()]


# A working day ----------------------------------------------------------------------------


async def test_a_dossier_is_digitised_by_its_files(office):
    code = await empty(office)
    assert (await told_of(office, code))["missing"] == ["don", "dang-ky-kinh-doanh", "phuong-an"]
    papers = {each: pdf(each) for each in ("don", "dang-ky-kinh-doanh", "phuong-an")}
    for component, text in papers.items():
        answer = await put(office, code, text, component, provenance="scanned")
        assert answer.status_code == 201, answer.text
        assert answer.json()["sha256"] == sha(text)
    assert (await told_of(office, code))["missing"] == []
    hashes = {component: sha(text) for component, text in papers.items()}
    moved = await office.move(code, "digitise", RECEPTION, components=hashes)
    assert moved.status_code == 200, moved.text
    assert {
        each["bound"] for each in (await listed(office, code)).values() if each["bound"]
    } == set(hashes.values())


async def test_what_was_handed_in_is_told_and_given_out(office):
    code, text = await empty(office), pdf()
    answer = await put(office, code, text, name="Đơn đề nghị.pdf", provenance="portal")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/dossiers/{code}/components/don"
    assert answer.headers["ETag"] == f'"{sha(text)}"'
    assert answer.json() == {
        "n": 1,
        "name": "Đơn đề nghị.pdf",
        "sha256": sha(text),
        "size": len(text),
        "type": "application/pdf",
        "provenance": "portal",
        "by": "p-reception-01",
        "at": "2024-03-04T08:00:00+07:00",
        "replaced_at": None,
    }
    don = (await listed(office, code))["don"]
    assert don["name"] == {"vi": don["name"]["vi"], "en": don["name"]["en"]}
    assert don["required"]
    assert don["file"] == answer.json()
    assert don["earlier"] == []
    given = await get(office, code)
    assert given.status_code == 200
    assert given.content == text
    assert stored(office) == [sha(text)]


@pytest.mark.parametrize("kind", [Kind.pdf, Kind.docx])
async def test_it_is_given_out_to_be_kept_and_never_to_be_shown(office, kind):
    code, text = await empty(office), FILES[kind]
    assert (await put(office, code, text, name="evil.html")).status_code == 201
    given = await get(office, code)
    assert given.headers["Content-Type"] == kind
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert given.headers["Content-Disposition"].startswith("attachment; filename=")
    assert given.headers["Content-Disposition"].count(".html.") == 2
    assert "sandbox" in given.headers["Content-Security-Policy"]
    assert given.headers["Content-Length"] == str(len(text))
    assert given.headers["Cache-Control"] == "no-store"
    assert given.headers["ETag"] == f'"{sha(text)}"'


async def test_a_name_in_vietnamese_is_said_so_that_everybody_understands(office):
    code = await empty(office)
    await put(office, code, pdf(), name="Đơn đề nghị.pdf")
    said = (await get(office, code)).headers["Content-Disposition"]
    coded = quote("Đơn đề nghị.pdf", safe="")
    assert said == f"attachment; filename=\"Don de nghi.pdf\"; filename*=UTF-8''{coded}"


async def test_a_part_of_it_may_be_asked_for_and_what_is_known_is_not_sent(office):
    code, text = await empty(office), pdf()
    await put(office, code, text)
    etag = f'"{sha(text)}"'
    some = await get(office, code, Range="bytes=5-9")
    assert (some.status_code, some.content) == (206, text[5:10])
    assert some.headers["Content-Range"] == f"bytes 5-9/{len(text)}"
    assert some.headers["Content-Length"] == "5"
    other = await get(office, code, **{"Range": "bytes=5-9", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, text)
    outside = await get(office, code, Range=f"bytes={len(text)}-")
    assert (outside.status_code, outside.content) == (200, text)
    known = await get(office, code, **{"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")


# Replaced ---------------------------------------------------------------------------------


async def test_a_replaced_file_stays_and_is_told(office):
    code, first, second = await empty(office), pdf("1"), FILES[Kind.png]
    await put(office, code, first, name="một.pdf", provenance="scanned")
    office.later(minutes=5)
    answer = await put(office, code, second, name="hai.png", who=CLERK)
    if answer.status_code == 403:  # the dossier is another agency's
        answer = await put(office, code, second, name="hai.png")
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    don = (await listed(office, code))["don"]
    assert (don["file"]["n"], don["file"]["name"]) == (2, "hai.png")
    [before] = don["earlier"]
    assert (before["n"], before["name"], before["provenance"]) == (1, "một.pdf", "scanned")
    assert before["replaced_at"] == don["file"]["at"] == "2024-03-04T08:05:00+07:00"
    assert (await get(office, code)).content == second
    assert (await get(office, code, n=1)).content == first
    assert (await get(office, code, n=2)).content == second
    told(await get(office, code, n=3), 404, "unknown")


async def test_the_same_file_under_the_same_name_again_is_the_same(office):
    code = await empty(office)
    first = await put(office, code, pdf(), name="don.pdf")
    office.later(minutes=5)
    again = await put(office, code, pdf(), name="don.pdf")
    assert (again.status_code, again.json()) == (200, first.json())
    other = await put(office, code, pdf(), name="đơn.pdf")
    assert other.json()["n"] == 2
    assert stored(office) == [sha(pdf())]


async def test_what_was_digitised_stays_bound_when_its_file_is_replaced(office, fresh):
    code = await empty(office)
    await put(office, code, pdf("1"))
    papers = dict.fromkeys(("dang-ky-kinh-doanh", "phuong-an"), "0" * 64) | {"don": sha(pdf("1"))}
    await office.move(code, "digitise", RECEPTION, components=papers)
    lines = await entries(fresh)
    assert (await put(office, code, pdf("2"))).status_code == 200
    don = (await listed(office, code))["don"]
    assert don["bound"] == sha(pdf("1"))
    assert don["file"]["sha256"] == sha(pdf("2"))
    assert await entries(fresh) == lines


async def test_who_saw_another_file_replaces_none(office):
    code = await empty(office)
    etag = (await put(office, code, pdf("1"))).headers["ETag"]
    second = await put(office, code, pdf("2"), headers=BINARY | {"If-Match": etag})
    assert second.status_code == 200
    told(await put(office, code, pdf("3"), headers=BINARY | {"If-Match": etag}), 412, "stale")
    told(await put(office, code, pdf("3"), headers=BINARY | {"If-Match": "2"}), 422, "bad-input")
    assert (await get(office, code)).content == pdf("2")


async def test_of_two_at_once_one_replaces_the_other(office):
    code = await empty(office)
    answers = await asyncio.gather(*(put(office, code, pdf(str(n))) for n in range(6)))
    assert sorted(answer.json()["n"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    don = (await listed(office, code))["don"]
    assert [each["n"] for each in don["earlier"]] == [5, 4, 3, 2, 1]


async def test_the_same_key_gets_the_same_answer_and_another_file_is_refused(office):
    code = await empty(office)
    keyed = BINARY | {"Idempotency-Key": "k-1"}
    first = await put(office, code, pdf("1"), headers=keyed)
    await put(office, code, pdf("2"))
    again = await put(office, code, pdf("1"), headers=keyed)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await get(office, code)).content == pdf("2")
    told(await put(office, code, pdf("3"), headers=keyed), 422, "key-reused")


async def test_an_answer_may_come_without_its_body(office):
    code = await empty(office)
    answer = await put(office, code, pdf(), headers=BINARY | {"Prefer": "return=minimal"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["ETag"] == f'"{sha(pdf())}"'


# Who may ----------------------------------------------------------------------------------


async def test_who_does_not_see_a_dossier_does_not_see_its_files(office, fresh):
    code = await empty(office)
    await put(office, code, pdf())
    for answer in (
        await get(office, code, who=OFFICER),
        await office.client.get(f"/v1/dossiers/{code}/components", headers=OFFICER),
        await put(office, code, pdf("2"), who=OFFICER),
    ):
        told(answer, 404, "unknown")
    told(await get(office, code, who={}), 401, "unidentified")
    told(await put(office, code, pdf("2"), who={}), 401, "unidentified")
    assert stored(office) == [sha(pdf())]


async def test_who_sees_it_and_may_not_move_it_hands_nothing_in(office, fresh):
    code = await office.processing()
    assert (await get(office, code, who=DIRECTOR)).status_code == 404  # seen, and without a file
    answer = await put(office, code, pdf(), who=DIRECTOR)
    told(answer, 403, "not-yours")
    await nothing(office, fresh)


async def test_a_closed_dossier_takes_no_file_and_gives_those_it_has(office, fresh):
    code = await empty(office)
    await put(office, code, pdf("1"))
    body = {"reason": "Công dân xin rút"}
    assert (await office.move(code, "withdraw", RECEPTION, body=body)).status_code == 200
    told(await put(office, code, pdf("2")), 409, "not-open")
    assert (await get(office, code)).content == pdf("1")
    assert stored(office) == [sha(pdf("1"))]


async def test_a_dossier_closed_while_a_file_came_does_not_take_it(office, fresh):
    code = await empty(office)

    async def slow():
        yield pdf("1")[:40]
        body = {"reason": "Công dân xin rút"}
        assert (await office.move(code, "withdraw", RECEPTION, body=body)).status_code == 200
        yield pdf("1")[40:]

    told(await put(office, code, slow()), 409, "not-open")
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(attachment))).all() == []
        assert len((await db.execute(sa.select(file))).all()) == 1  # for the sweep


async def test_no_connection_is_held_while_a_file_comes(office, fresh):
    code, pool = await empty(office), office.app.state.house.engine.sync_engine.pool
    held = []

    async def watching():
        yield pdf("1")[:40]
        held.append(pool.checkedout())
        yield pdf("1")[40:]

    assert (await put(office, code, watching())).status_code == 201
    assert held == [0]


# What is not taken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what", ["nothing", "a page", "a program of Linux", "ZIP", "a picture that is a PDF further on"]
)
async def test_what_is_of_no_kind_is_refused_whatever_it_is_called(office, fresh, what):
    code = await empty(office)
    headers = {"Content-Type": "application/pdf"}
    answer = await put(office, code, NOT_TAKEN[what], headers=headers, name="don.pdf")
    assert "send a PDF, an image" in told(answer, 415, "not-taken")["detail"]
    await nothing(office, fresh)


async def test_a_file_that_is_called_another_kind_is_refused(office, fresh):
    code = await empty(office)
    problem = told(await put(office, code, FILES[Kind.png], name="don.pdf"), 415, "not-taken")
    assert problem["detail"] == "it is called PDF and is PNG: name it as it is"
    told(
        await put(office, code, pdf(), headers={"Content-Type": "image/png"}), 415, "not-taken"
    )  # fmt: skip
    await nothing(office, fresh)


async def test_a_form_is_told_how_to_send_a_file(office, fresh):
    code = await empty(office)
    answer = await office.client.put(
        path(code), files={"file": ("don.pdf", pdf())}, headers=RECEPTION
    )
    assert "not a form" in told(answer, 422, "bad-input")["detail"]
    await nothing(office, fresh)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "C:\\don.pdf", "a\0b.pdf", "a\r\nb.pdf", "fdp\u202e.exe", " ", "d" * 201],
)
async def test_a_name_is_no_path(office, fresh, name):
    code, unkept = await empty(office), {"\0", "\u202e"} & set(name)
    kind = "invalid" if unkept else "bad-input"  # refused at the door, whatever it is the name of
    assert "name" in told(await put(office, code, pdf(), name=name), 422, kind)["detail"]
    await nothing(office, fresh)


@pytest.mark.parametrize("component", ["khong-co", "passport"])
async def test_a_component_that_is_not_asked_for_is_refused(office, fresh, component):
    code = await empty(office)
    problem = told(await put(office, code, pdf(), component), 404, "unknown")
    assert "it has don, dang-ky-kinh-doanh" in problem["detail"]
    told(await get(office, code, component), 404, "unknown")
    await nothing(office, fresh)


@pytest.mark.parametrize("component", ["..%2f..%2fetc", "Don", "a.b", "%00", "d" * 80])
async def test_a_component_is_a_word(office, fresh, component):
    code = await empty(office)
    address = f"/v1/dossiers/{code}/components/{component}"
    for answer in (
        await office.client.put(address, content=pdf(), headers=RECEPTION),
        await office.client.get(address, headers=RECEPTION),
    ):
        assert answer.status_code in {404, 405, 422}
    await nothing(office, fresh)


async def test_a_gigabyte_that_is_announced_is_refused_before_it_comes(office, fresh):
    code = await empty(office)

    async def never():
        raise AssertionError("nobody asks for it")
        yield b""

    headers = BINARY | {"Content-Length": str(10**9)}
    problem = told(await put(office, code, never(), headers=headers), 413, "file-too-large")
    assert "3,000,000 bytes at most" in problem["detail"]
    await nothing(office, fresh)


async def test_a_gigabyte_in_chunks_is_refused_when_it_is_too_much(office, fresh):
    code, came = await empty(office), 0

    async def gigabyte():
        nonlocal came
        yield pdf()
        while came < 10**9:
            came += 100_000
            yield b"0" * 100_000

    told(await put(office, code, gigabyte()), 413, "file-too-large")
    assert came <= LARGEST + 100_000
    await nothing(office, fresh)


async def test_the_largest_there_may_be_is_taken(office):
    code = await empty(office)
    text = pdf("x" * (LARGEST - len(pdf(""))))
    assert len(text) == LARGEST
    assert (await put(office, code, text)).status_code == 201
    assert (await get(office, code)).content == text


async def test_who_goes_away_in_the_middle_leaves_nothing(office, fresh):
    code = await empty(office)
    token = await office.client.auth.token("p-reception-01")
    messages = [
        {"type": "http.request", "body": pdf("x" * 1_500_000)[:1_400_000], "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered = []

    async def receive():
        if len(messages) == 1:
            assert len(stored(office)) == 1  # it is on its way
        return messages.pop(0)

    async def send(message):
        answered.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": path(code),
        "raw_path": path(code).encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("office", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "asgi": {"version": "3.0"},
    }
    await office.app(scope, receive, send)
    assert answered[0]["status"] == 422
    await nothing(office, fresh)


async def test_a_sender_that_stalls_is_let_go(office, fresh, monkeypatch):
    monkeypatch.setattr("api.components.handing.IDLE", 0.01)
    code = await empty(office)

    async def stalls():
        yield pdf()[:20]
        await asyncio.Event().wait()

    told(await put(office, code, stalls()), 408, "too-slow")
    await nothing(office, fresh)


async def test_a_store_that_does_not_answer_is_said_and_nothing_is_attached(
    office, fresh, monkeypatch
):
    code = await empty(office)

    def away(*_):
        raise OSError("no route to host")

    monkeypatch.setattr(Path, "replace", away)
    told(await put(office, code, pdf()), 503, "store-away")
    assert stored(office) == []
    assert (await listed(office, code))["don"]["file"] is None


async def test_a_file_that_the_store_lost_is_said(office):
    code = await empty(office)
    await put(office, code, pdf())
    (place,) = (office.folder / "files").rglob(sha(pdf()))
    place.unlink()
    told(await get(office, code), 500, "spoilt")


# Who looked -------------------------------------------------------------------------------


async def test_who_looked_at_a_file_is_kept(office, fresh):
    code = await empty(office)
    await put(office, code, pdf())
    await get(office, code)
    await office.read(code, "/components")
    asked = sa.text("SELECT door FROM look ORDER BY id")
    async with fresh.connect() as db:
        doors = (await db.scalars(asked)).all()
    assert doors[-2:] == [
        "GET /v1/dossiers/{code}/components/{component}",
        "GET /v1/dossiers/{code}/components",
    ]
