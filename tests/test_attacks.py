"""What attacks on the API found, each as it was found, so that it stays mended."""

import asyncio
import io
import json
import threading
import time
import zipfile
from collections import Counter

import pytest
from handing_in import put
from office import DIRECTOR, LEADER, OFFICER, RECEPTION, address, running, told
from samples import FILES
from serving import serving
from test_rates import Behind

from api.doors import hearing
from api.rates import CALLS, UNPROVED
from states import seeing, yaml_files
from states.files import kinds
from states.files.kinds import Kind
from states.files.refusals import NotTaken

PAPERS = ("don", "dang-ky-kinh-doanh", "phuong-an")
MADE = {"produced": ["Phiếu trình giải quyết"]}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


# One key, twice at once ---------------------------------------------------------------------


@pytest.fixture
def overtaken(monkeypatch):
    """The first request that looks for a dossier waits there until another has been answered."""
    found, began, go = seeing.find, asyncio.Event(), asyncio.Event()

    async def find(*given):
        if not began.is_set():
            began.set()
            await go.wait()
        return await found(*given)

    async def both(ask):
        monkeypatch.setattr(seeing, "find", find)
        first = asyncio.create_task(ask())
        await began.wait()
        second = await ask()
        go.set()
        return await first, second

    return both


async def test_who_comes_second_with_a_key_is_not_refused_for_what_the_first_did(office, overtaken):
    """Found: 403, for after the first the dossier lay in another unit."""
    code = await office.processing()
    assert (await office.move(code, "advance", OFFICER, **MADE)).status_code == 200
    headers = LEADER | {"Idempotency-Key": "k"}
    first, second = await overtaken(lambda: office.move(code, "advance", headers))
    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert first.content == second.content
    assert len((await office.read(code, "/history"))["entries"]) == 6


async def test_files_that_came_along_make_no_other_request_of_it(office, overtaken):
    """Found: 422, for the first had bound what was attached: the second had nothing to bring."""
    code = await office.code(components={})
    for each in PAPERS:
        assert (await put(office, code, FILES[Kind.pdf], each)).status_code == 201
    headers = RECEPTION | {"Idempotency-Key": "k"}
    first, second = await overtaken(lambda: office.move(code, "digitise", headers))
    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert first.content == second.content


async def test_another_request_with_the_key_is_refused_still(office):
    code = await office.code()
    headers = RECEPTION | {"Idempotency-Key": "k"}
    assert (await office.move(code, "digitise", headers)).status_code == 200
    told(await office.move(code, "route", headers), 422, "key-reused")
    told(await office.move(code, "digitise", headers, {"reason": "x"}), 422, "key-reused")


# Many moves ---------------------------------------------------------------------------------


async def test_of_many_moves_each_brings_what_is_attached(office):
    """Found: refused as incomplete, or made without them."""
    codes = [await office.code(components={}) for _ in range(3)]
    for code in codes[:2]:
        for each in PAPERS:
            assert (await put(office, code, FILES[Kind.pdf], each)).status_code == 201
    moves = {"moves": [{"code": code, "event": "digitise", "key": f"k-{code}"} for code in codes]}
    answer = await office.client.post("/v1/moves", json=moves, headers=RECEPTION)
    assert [each["status"] for each in answer.json()["results"]] == ["done", "done", "refused"]
    for code in codes[:2]:
        parts = (await office.read(code, "/components"))["components"]
        assert all(each["bound"] == each["file"]["sha256"] for each in parts)
    again = await office.client.post("/v1/moves", json=moves, headers=RECEPTION)
    assert again.json() == answer.json()


# Rates --------------------------------------------------------------------------------------


async def test_a_token_is_one_however_it_is_spelt():
    """Found: each number of blanks and each mixture of capitals had a count of its own."""
    behind = Behind(calls=10)
    spelt = ["good x", "GOOD x", "gOOd  x", "good    x"] * 5
    got = Counter([await behind.ask(token=each) for each in spelt])
    assert got[429] == len(spelt) - 10


async def test_of_many_tokens_at_once_that_open_nothing_few_are_heard():
    """Found: they were counted when answered, so hundreds could send a megabyte each meanwhile."""
    behind, heard, go = Behind(), 0, asyncio.Event()

    async def slow(scope, receive, send):
        nonlocal heard
        heard += 1
        await go.wait()
        await behind.answer(scope, receive, send)

    behind.limited.app = slow
    asked = [asyncio.create_task(behind.ask(token=f"guess {n}")) for n in range(200)]
    await asyncio.sleep(0.1)
    assert heard == UNPROVED.limit.amount
    go.set()
    assert Counter(await asyncio.gather(*asked)) == {401: heard, 429: 200 - heard}


async def test_tokens_that_open_are_given_back_what_they_were_counted():
    behind = Behind(calls=0)
    got = Counter([await behind.ask(token=f"good {n}") for n in range(CALLS)])
    assert got == {200: CALLS}


# Bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["[]", "{}", "0", '""', '{"a":[]}'])
async def test_a_megabyte_of_nothing_is_refused_before_it_is_read(office, monkeypatch, part):
    """Found: a second of work for whoever sends it, signed in or not; nobody else was answered."""
    monkeypatch.setattr(hearing, "json", None)  # it is not even tried
    body = f"[{','.join([part] * (900_000 // (len(part) + 1)))}]".encode()
    headers = {"Content-Type": "application/json"}
    answer = await office.client.post("/v1/dossiers", content=body, headers=headers)
    told(answer, 401, "unidentified")
    headers["Authorization"] = "Bearer anything"
    answer = await office.client.post("/v1/dossiers", content=body, headers=headers)
    assert "values at most" in told(answer, 422, "invalid")["detail"]


@pytest.mark.parametrize("ends", ["", '"', "\\", '\\"', '"}'])
def test_a_text_may_hold_any_signs(ends):
    """And one that never ends is looked through once."""
    said = {"text": '[a, {b}, "c", \\ ' * 50_000}
    assert hearing.read(json.dumps(said).encode()) == said
    began = time.perf_counter()
    hearing.STRING.sub(b"", b'"' + b'\\",' * 250_000 + ends.encode())
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("door", "said"),
    [("/v1/procedures", {}), ("/v1/calendars/vn/changes", {"reason": "vì thế", "document": "QĐ"})],
)
async def test_a_long_text_is_read_while_others_are_answered(office, monkeypatch, door, said):
    """Found: 1 MB of YAML held up everybody for as long as it takes."""
    loop, reading, parse = threading.current_thread(), threading.Event(), yaml_files.parse
    others = threading.Event()

    def slow(*given):
        assert threading.current_thread() is not loop
        reading.set()
        assert others.wait(30)
        return parse(*given)

    monkeypatch.setattr(yaml_files, "parse", slow)
    control, form = {"Hoso-Person": "p-control-01"}, said | {"text": "- a\n" * 9}
    asked = asyncio.create_task(office.client.post(door, json=form, headers=control))
    assert await asyncio.to_thread(reading.wait, 30)
    assert (await office.client.get("/health")).status_code == 200
    others.set()
    told(await asked, 422, "bad-file")


# Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("broken", [False, True])
def test_an_archive_packed_as_no_document_is_is_none(how, broken):
    """Found: broken ones were 503, as if the store were away, and LZMA says how much memory."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), Kind.odt * 20, compress_type=how)
    text = bytearray(made.getvalue())
    if broken:
        at = text.index(b"mimetype") + 17
        text[at : at + 7] = bytes(each ^ 0x55 for each in text[at : at + 7])
    with pytest.raises(NotTaken, match="cannot be read"):
        kinds.kind_of(io.BytesIO(text), len(text))


# What is on record --------------------------------------------------------------------------


async def test_nobody_counts_somebodys_dossiers_off_the_record(office):
    """Found: with a cursor past the end, the total of an empty page told whether they have any."""
    code = await office.code(phone="0987654321")
    past = "Y2FtZTo6MQ"  # came::1
    asked = {"phone": "0987654321", "count": "capped"}
    search = "/v1/dossiers/search"
    answer = await office.client.get(search, params=asked | {"cursor": past}, headers=DIRECTOR)
    assert answer.json() == {"items": [], "next": None, "total": None}
    answer = await office.client.get(search, params=asked, headers=DIRECTOR)
    assert answer.json()["total"] == {"count": 1, "exact": True}
    looks = await office.client.get(f"/v1/dossiers/{code}/looks", headers=DIRECTOR)
    assert [each["person"] for each in looks.json()["looks"]] == [DIRECTOR["Hoso-Person"]]


# The log ------------------------------------------------------------------------------------


def test_what_several_processes_log_is_as_it_was_said(server, database, tmp_path):
    """Found: started by uvicorn, HOSO_LOG_FORMAT was not heeded."""
    import httpx

    with serving(server.address(database, "hoso_app"), tmp_path) as (where, _):
        httpx.get(f"{where}/health%0Aforged")
    lines = [json.loads(each) for each in (tmp_path / "api.log").read_text().splitlines() if each]
    assert "/health\nforged" in [each.get("path") for each in lines]
