"""Files of other systems taken in over HTTP: handed in, asked for, watched, accounted for."""

import asyncio
import csv
import gzip
import io
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from office import MORNING, Office, address, running, told
from sqlalchemy.ext.asyncio import AsyncEngine
from test_intake_files import RECEIPT

from api.imports import telling
from config.settings import Settings
from states import catalogue, ledger
from states.files import store
from states.files.sweeping import sweep_files
from states.finding.searching import citizen
from states.intake import load, taking
from states.intake import read as read_file
from states.intake import running as running_imports
from states.intake.rows import ImportState
from states.ledger.statements import d

BOOK = catalogue.load()
CONTROL, LEAD, OFFICER = "p-control-01", "p-sci-lead-02", "p-sci-officer-21"
HEAD = "Mã hồ sơ,Ngày tiếp nhận,Ngày hẹn trả,Ngày trả,Cơ quan,Điện thoại,Ghi chú\n"
ROWS = [
    "h1,2023-01-03 08:00,2023-01-09 17:00,2023-01-06 10:00,H42.03,0912 345 678,=1+1\n",
    "h2,2023-01-03 09:00,2023-01-01 17:00,,H42.03,,\n",
    "h3,ngày mai,,,H42.03,,\n",
    "h4,2023-01-04 08:00,,,H42.05,không có,\n",
    "h5,2023-01-04 08:00,,,Sở X,,\n",
]
TABLE = (HEAD + "".join(ROWS)).encode()
MAP = """\
kind: dossiers
zone: Asia/Ho_Chi_Minh
code: Mã hồ sơ
received: Ngày tiếp nhận
due: Ngày hẹn trả
finished: Ngày trả
agency: Cơ quan
phone: Điện thoại
keep: [Ghi chú]
"""


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def hand_in(office: Office, content: bytes, name: str = "a.csv", by: str = CONTROL) -> Any:
    headers = {"Hoso-Person": by, "Content-Type": "application/octet-stream"}
    return await office.client.put(f"/v1/imports/files/{name}", content=content, headers=headers)


async def ask(
    office: Office, content: bytes = TABLE, name: str = "a.csv", by: str = CONTROL, **more: Any
) -> Any:
    handed = await hand_in(office, content, name, by)
    assert handed.status_code == 200, handed.text
    body = {"name": name, "sha256": handed.json()["sha256"], "map": MAP} | more
    return await office.client.post("/v1/imports", json=body, headers={"Hoso-Person": by})


async def read(office: Office, path: str, by: str = CONTROL, **query: str) -> Any:
    return await office.client.get(
        f"/v1/imports{path}", params=query, headers={"Hoso-Person": by}
    )  # fmt: skip


def kept(office: Office) -> store.Store:
    return store.opened(None, office.folder)


async def take_in(office: Office, number: int, engine: AsyncEngine, card: Any = None) -> Any:
    """As a worker does it."""
    now = iter(range(1_000))
    return await running_imports.run(
        engine, BOOK, kept(office), number, lambda: office.at.replace(second=next(now)), card
    )


async def everything(engine: AsyncEngine) -> list[str]:
    """Lines, activities and dossiers, but for numbers and hours of the database's own."""
    asked = (
        "SELECT d.code, t.seq, t.event, t.at, t.payload FROM entry t",
        "SELECT d.code, t.n, t.name, t.at, t.person, t.unit, t.data::text FROM activity t",
    )
    whose = " JOIN dossier d ON d.id = t.dossier_id"
    async with engine.connect() as db:
        assert (await ledger.verify(db, BOOK)).faults == []
        found = [str(row) for each in asked for row in await db.execute(sa.text(each + whose))]
    return sorted(found)


# From a file to dossiers --------------------------------------------------------------------


async def test_a_file_is_handed_in_asked_for_taken_in_and_accounted_for(office, fresh):
    asked = await ask(office)
    assert asked.status_code == 201, asked.text
    queued = asked.json()
    assert asked.headers["Location"] == f"/v1/imports/{queued['id']}"
    assert (queued["state"], queued["again"], queued["dossiers"], queued["percent"]) == (
        "queued", False, 0, 0,
    )  # fmt: skip
    assert await running_imports.waiting(fresh) == [queued["id"]]
    await take_in(office, queued["id"], fresh)
    done = (await read(office, f"/{queued['id']}")).json()
    assert (done["state"], done["dossiers"], done["taken"], done["known"], done["refused"]) == (
        "done", 5, 3, 0, 2,
    )  # fmt: skip
    assert (done["percent"], done["read"], done["noted"], done["error"]) == (
        100, len(TABLE), 2, None,
    )  # fmt: skip
    assert done["asked_at"] <= done["begun_at"] < done["ended_at"]
    assert await running_imports.waiting(fresh) == []

    page = (await read(office, f"/{done['id']}/rows", limit="2")).json()
    first, second = page["items"]
    assert (first["n"], first["row"], first["code"], first["result"]) == (1, 2, "h1", "taken")
    assert [each["what"] for each in second["notes"]] == ["due_before_receipt"]
    rest = (await read(office, f"/{done['id']}/rows", cursor=page["next"])).json()
    assert [(each["code"], each["result"]) for each in rest["items"]] == [
        ("h3", "refused"), ("h4", "taken"), ("h5", "refused"),
    ]  # fmt: skip
    assert "'ngày mai' is not a date" in rest["items"][0]["why"]
    assert rest["items"][1]["notes"][0]["what"] == "unread_contact"
    assert "không có" not in str(rest["items"][1])
    assert rest["next"] is None
    only = (await read(office, f"/{done['id']}/rows", result="refused")).json()
    assert [each["code"] for each in only["items"]] == ["h3", "h5"]


async def test_the_account_is_a_csv_too_and_no_formula(office, fresh, monkeypatch):
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    number = (await ask(office, TABLE.replace(b"h5", b"=h5"))).json()["id"]
    await take_in(office, number, fresh)
    answer = await read(office, f"/{number}/rows", format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"import-{number}.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["n", "row", "code", "result", "why", "activities", "notes"]
    assert [each[2:4] for each in rows[1:]] == [
        ["h1", "taken"], ["h2", "taken"], ["h3", "refused"], ["h4", "taken"], ["'=h5", "refused"],
    ]  # fmt: skip


def test_no_cell_of_it_begins_a_formula_behind_a_line_end():
    row = dict.fromkeys(telling.COLUMNS, 1) | {"why": "\n=1+1", "code": "\t=2", "notes": []}
    assert [each for each in telling._cells(row) if each != 1] == ["'\t=2", "'\n=1+1", ""]


async def test_what_it_brings_is_found_again(office, fresh):
    """By telephone, and what a map keeps in the history."""
    number = (await ask(office)).json()["id"]
    await take_in(office, number, fresh)
    headers = {"Hoso-Person": CONTROL}
    answer = await office.client.get("/v1/dossiers/search?phone=0912345678", headers=headers)
    assert [each["code"] for each in answer.json()["items"]] == ["h1"]
    whole = (await office.client.get("/v1/dossiers/h1", headers=headers)).json()
    assert whole["phone"] == "0912345678"
    history = (await office.client.get("/v1/dossiers/h1/history", headers=headers)).json()
    assert [each["kept"] for each in history["entries"]] == [{"Ghi chú": "=1+1"}, {}]


async def test_of_an_identity_card_the_hash_alone_is_kept(office, fresh):
    table = b"M\xc3\xa3,Nh\xe1\xba\xadn,CCCD,Th\xc6\xb0\nh1,2023-01-03,001 234 567 890,a@b.vn\n"
    by = (
        "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\ncitizen_id: CCCD\n"
        "email: Thư\nagency: {default: H42.03}\n"
    )
    key = office.app.state.house.key("citizen")
    number = (await ask(office, table, map=by)).json()["id"]
    await take_in(office, number, fresh, lambda card: citizen(key, card))
    headers = {"Hoso-Person": CONTROL}
    query = {"citizen_id": "001234567890"}
    answer = await office.client.get("/v1/dossiers/search", params=query, headers=headers)
    assert [each["code"] for each in answer.json()["items"]] == ["h1"]
    async with fresh.connect() as db:
        assert await db.scalar(sa.select(d.email)) == "a@b.vn"
        for table in ("dossier", "entry", "sought", "activity", "intake_row"):
            held = (await db.execute(sa.text(f"SELECT t::text FROM {table} t"))).scalars()
            assert not [each for each in held if "234" in each and "567" in each], table


# Once -----------------------------------------------------------------------------------------


async def test_the_same_question_is_the_same_import_and_told_so(office, fresh):
    first = await ask(office)
    again = await ask(office, name="other.csv")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() | {"again": True} == again.json()
    await take_in(office, first.json()["id"], fresh)
    before = await everything(fresh)
    assert (await ask(office)).json()["state"] == "done"
    assert await running_imports.waiting(fresh) == []
    other = await ask(office, map=MAP + "channel: {default: post}\n")
    assert other.status_code == 201
    row = await take_in(office, other.json()["id"], fresh)
    assert (row.taken, row.known, row.refused) == (0, 3, 2)
    assert await everything(fresh) == before


async def test_two_at_once_are_one(office, fresh):
    answers = await asyncio.gather(*(ask(office) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 201]
    [number] = {each.json()["id"] for each in answers}
    rows = await asyncio.gather(*(take_in(office, number, fresh) for _ in range(3)))
    assert {row.id for row in rows} == {number}
    assert (await read(office, f"/{number}")).json()["taken"] == 3
    assert len((await read(office, f"/{number}/rows")).json()["items"]) == 5


async def test_a_key_sent_again_gets_the_same_answer(office):
    body = {"name": "a.csv", "content": b64encode(TABLE).decode(), "map": MAP}
    headers = {"Hoso-Person": CONTROL, "Idempotency-Key": "k-1"}
    first = await office.client.post("/v1/imports", json=body, headers=headers)
    again = await office.client.post("/v1/imports", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def many(count: int) -> Iterator[str]:
    yield HEAD
    for n in range(count):
        end = "2023-01-06 10:00" if n % 3 else ""
        when = "hôm qua" if n % 10 == 9 else "2023-01-03 08:00"
        yield f"m{n:03},{when},2023-01-09,{end},H42.03,,{n}\n"


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("line", ["begun", "between", "amid", "before the end"])
async def test_killed_anywhere_and_run_again_it_is_the_same(office, fresh, monkeypatch, line):
    monkeypatch.setattr(taking, "BATCH", 20)
    content = "".join(many(100)).encode()
    number = (await ask(office, content)).json()["id"]
    real, batches = running_imports._keep, []

    async def keep(*given: Any) -> None:
        batches.append(given)
        if line == "amid" and len(batches) == 3:
            raise Killed
        await real(*given)
        if line == "between" and len(batches) == 3:
            raise Killed  # and so this batch with its dossiers is undone as well

    note = running_imports._note

    async def noted(engine: AsyncEngine, of: int, told: dict[str, Any]) -> None:
        if line == "before the end" and "ended_at" in told:
            raise Killed
        await note(engine, of, told)
        if line == "begun":
            raise Killed

    monkeypatch.setattr(running_imports, "_keep", keep)
    monkeypatch.setattr(running_imports, "_note", noted)
    with pytest.raises(Killed):
        await take_in(office, number, fresh)
    monkeypatch.undo()
    monkeypatch.setattr(taking, "BATCH", 20)
    left = (await read(office, f"/{number}")).json()
    there = {"begun": 0, "between": 40, "amid": 40, "before the end": 100}[line]
    assert (left["state"], left["dossiers"]) == ("running", there)
    assert await running_imports.waiting(fresh) == [number]
    done = await take_in(office, number, fresh)
    assert (done.state, done.items, done.taken, done.known, done.refused) == (
        ImportState.done, 100, 90, 0, 10,
    )  # fmt: skip
    rows = (await read(office, f"/{number}/rows", limit="200")).json()["items"]
    assert [each["n"] for each in rows] == list(range(1, 101))
    assert {each["result"] for each in rows} == {"taken", "refused"}
    before = await everything(fresh)
    twin = content.replace(b"\nm", b"\nt")
    other = (await ask(office, twin)).json()["id"]
    await take_in(office, other, fresh)  # undisturbed
    of_twin = [each for each in await everything(fresh) if each.startswith("('t")]
    assert sorted(re.sub(r"\bt(\d{3})\b", r"m\1", each) for each in of_twin) == before


# What cannot be -------------------------------------------------------------------------------


async def test_a_leader_brings_in_and_sees_what_is_of_their_agency(office, fresh):
    number = (await ask(office, by=LEAD)).json()["id"]
    row = await take_in(office, number, fresh)
    assert (row.agencies, row.taken, row.refused) == (["H42.03"], 2, 3)
    rows = (await read(office, f"/{number}/rows", LEAD, result="refused")).json()["items"]
    assert rows[1]["code"] == "h4"
    assert "brings in dossiers of H42.03 only" in rows[1]["why"]
    assert (await read(office, f"/{number}")).status_code == 200
    theirs = (await ask(office)).json()["id"]
    assert theirs != number
    told(await read(office, f"/{theirs}", LEAD), 404, "unknown")
    told(await read(office, f"/{theirs}/rows", LEAD), 404, "unknown")
    listed = [each["id"] for each in (await read(office, "", LEAD)).json()["items"]]
    assert listed == [number]
    both = (await read(office, "")).json()["items"]
    assert [each["id"] for each in both] == [theirs, number]
    open_ = (await read(office, "", state="queued")).json()["items"]
    assert [each["id"] for each in open_] == [theirs]
    wide = await ask(office, by=LEAD, map=MAP + "other_agencies: true\n")
    told(wide, 403, "not-yours")


async def test_a_leader_puts_no_others_unit_and_nobody_of_theirs_into_the_ledger(office, fresh):
    table = (
        "Mã,Nhận,Phòng,Người,Xong\nz1,2023-01-03,H42.05.02,,\n"
        "z2,2023-01-03,H42.03.02,p-labour-director,2023-01-04\n"
        "z3,2023-01-03,H42.03.02,p-sci-officer-21,2023-01-04\n"
    )
    by = (
        "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\nunit: Phòng\n"
        "person: Người\nfinished: Xong\nagency: {default: H42.03}\n"
    )
    number = (await ask(office, table.encode(), by=LEAD, map=by)).json()["id"]
    row = await take_in(office, number, fresh)
    assert (row.taken, row.refused) == (1, 2)
    async with fresh.connect() as db:
        assert (await db.scalars(sa.select(d.code))).all() == ["z3"]
        actors = set(await db.scalars(sa.text("SELECT actor FROM entry")))
    assert actors == {"import", "p-sci-officer-21"}
    rows = (await read(office, f"/{number}/rows", LEAD, result="refused")).json()["items"]
    assert "is one of H42.05" in rows[0]["why"]
    assert "p-labour-director, who finished it, is of H42.05" in rows[1]["why"]


async def test_a_leader_learns_of_others_codes_only_that_they_are_not_free(office, fresh):
    """Not whether they are of a dossier opened here or brought in, and from which file."""
    theirs = TABLE.replace(b"H42.03", b"H42.05").replace(b"h1,", b"o1,")
    for name in ("a.csv", "secret.csv"):
        content = theirs if name == "a.csv" else theirs.replace(b"\no1,", b"\no9,")
        await take_in(office, (await ask(office, content, name)).json()["id"], fresh)
    opened = await office.processing()  # of H42.03
    table = (
        f"{HEAD}o1,2023-01-03 08:00,,,H42.03,,\no9,2023-01-03 08:00,,,H42.03,,\n"
        f"{opened},2023-01-03 08:00,,,H42.03,,\n"
    ).encode()
    number = (await ask(office, table, by=LEAD)).json()["id"]
    await take_in(office, number, fresh)
    rows = (await read(office, f"/{number}/rows", LEAD)).json()["items"]
    assert [(each["result"], each["why"]) for each in rows] == [
        ("refused", "code o1 is not free: nothing was taken in under it"),
        ("refused", "code o9 is not free: nothing was taken in under it"),
        ("refused", f"code {opened} is that of a dossier opened here: it was left alone"),
    ]
    number = (await ask(office, table)).json()["id"]  # the control unit sees them all
    await take_in(office, number, fresh)
    rows = (await read(office, f"/{number}/rows")).json()["items"]
    assert rows[0]["result"] == "known"
    assert "imported from secret.csv" in rows[1]["why"]


async def test_who_handed_a_file_in_has_it_whoever_does_so_after_them(office, fresh):
    sha256 = (await hand_in(office, TABLE, by=LEAD)).json()["sha256"]
    assert (await hand_in(office, TABLE, by=CONTROL)).json()["sha256"] == sha256
    body = {"name": "a.csv", "sha256": sha256, "map": MAP}
    for who in (LEAD, CONTROL):
        headers = {"Hoso-Person": who}
        answer = await office.client.post("/v1/imports", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
    headers = {"Hoso-Person": "p-sci-director"}
    told(await office.client.post("/v1/imports", json=body, headers=headers), 404, "unknown")
    await hand_in(office, TABLE + b"more\n", by=LEAD)
    swept = await sweep_files(fresh, kept(office), MORNING + timedelta(days=3))
    async with fresh.connect() as db:
        left = set(await db.execute(sa.text("SELECT encode(sha256, 'hex'), by FROM handed")))
    assert (swept.files, left) == (1, {(sha256, LEAD), (sha256, CONTROL)})


async def test_only_by_who_brings_dossiers_in(office):
    told(await hand_in(office, TABLE, by=OFFICER), 403, "not-yours")
    for path in ("", "/1", "/1/rows"):
        told(await read(office, path, OFFICER), 403, "not-yours")
    body = {"name": "a.csv", "sha256": "0" * 64, "map": MAP}
    headers = {"Hoso-Person": OFFICER}
    told(await office.client.post("/v1/imports", json=body, headers=headers), 403, "not-yours")


async def test_a_file_that_somebody_else_handed_in_is_not_known(office):
    sha256 = (await hand_in(office, TABLE)).json()["sha256"]
    body = {"name": "a.csv", "sha256": sha256, "map": MAP}
    answer = await office.client.post("/v1/imports", json=body, headers={"Hoso-Person": LEAD})
    assert "you handed in no file" in told(answer, 404, "unknown")["detail"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7\n%%EOF\n", "a document or an image, and no table"),
        (b"\x89PNG\r\n\x1a\n", "a document or an image, and no table"),
    ],
)
async def test_what_no_reader_could_begin_is_not_taken(office, content, why):
    assert why in told(await hand_in(office, content), 415, "not-taken")["detail"]
    assert not [each for each in (office.folder / "files").rglob("*") if each.is_file()]


async def test_what_is_too_large_is_refused_before_and_while_it_comes(office, monkeypatch):
    small = Settings(database=office.app.state.house.settings.database, largest_file=1_000_000)
    monkeypatch.setattr(office.app.state.house, "settings", small)
    sent = []

    async def endless() -> Any:
        while True:
            sent.append(1)
            yield b"a,b\n" * 50_000

    headers = {"Hoso-Person": CONTROL, "Content-Type": "text/csv"}
    path = "/v1/imports/files/a.csv"
    answer = await office.client.put(path, content=endless(), headers=headers)
    assert "1,000,000 bytes at most" in told(answer, 413, "file-too-large")["detail"]
    assert len(sent) < 10
    said = headers | {"Content-Length": str(1 << 30)}
    answer = await office.client.put(path, content=b"a,b\n", headers=said)
    told(answer, 413, "file-too-large")


@pytest.mark.parametrize(
    ("more", "status", "why"),
    [
        ({"map": "kind: dossiers"}, 422, "map, line 1"),
        ({"map": MAP + "calendar: moon\n"}, 404, "moon"),
        ({"map": MAP.replace("agency: Cơ quan", "agency: {default: X}")}, 422, "no agency 'X'"),
        ({"sha256": "f" * 64}, 404, "you handed in no file"),
        ({"content": "eA=="}, 422, "either sha256 or content"),
        ({"name": "../a.csv"}, 422, "leave the folders out"),
    ],
)
async def test_a_question_that_cannot_be_is_refused_at_once(office, fresh, more, status, why):
    sha256 = (await hand_in(office, TABLE)).json()["sha256"]
    body = {"name": "a.csv", "sha256": sha256, "map": MAP} | more
    headers = {"Hoso-Person": CONTROL}
    answer = await office.client.post("/v1/imports", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert why in answer.json()["detail"]
    assert await running_imports.waiting(fresh) == []


LIES = [
    (gzip.compress(TABLE), "a.xlsx", "unpack it first"),
    (TABLE, "a.xlsx", "named .xlsx but not a workbook"),
    (TABLE, "a.exe", "not a kind of file we read"),
    (TABLE.replace("Mã".encode(), b"Ma"), "a.csv", "no such column"),
    (b"<log>", "a.xes", "a.xes"),
    (b"PK\x03\x04 and no more", "a.xlsx", "a.xlsx"),
]


@pytest.mark.parametrize(("content", "name", "why"), LIES)
async def test_a_file_that_lies_fails_and_says_why(office, fresh, content, name, why):
    number = (await ask(office, content, name)).json()["id"]
    row = await take_in(office, number, fresh)
    failed = (await read(office, f"/{number}")).json()
    assert (failed["state"], failed["dossiers"]) == ("failed", 0)
    assert why in failed["error"]
    assert "/tmp" not in failed["error"]
    assert row.error == failed["error"]


async def test_a_file_that_breaks_leaves_what_was_whole_and_fails_again(office, fresh, monkeypatch):
    monkeypatch.setattr(taking, "BATCH", 20)
    whole = gzip.compress("".join(many(3_000)).encode())
    number = (await ask(office, whole[: len(whole) // 2], "a.csv.gz")).json()["id"]
    first = await take_in(office, number, fresh)
    assert first.state is ImportState.failed
    assert first.taken > 100
    assert "the gzip is cut short" in first.error
    again = await ask(office, whole[: len(whole) // 2], "a.csv.gz")
    assert (again.status_code, again.json()["state"]) == (200, "queued")
    second = await take_in(office, number, fresh)
    assert (second.state, second.items, second.error) == (
        first.state, first.items, first.error,
    )  # fmt: skip


async def test_a_file_that_the_store_lost_fails_and_is_handed_in_again(office, fresh):
    asked = (await ask(office)).json()
    place = kept(office).place(bytes.fromhex(asked["sha256"]))
    Path(place).write_bytes(b"x" * len(TABLE))  # noqa: ASYNC240  a few bytes
    failed = await take_in(office, asked["id"], fresh)
    assert (failed.state, failed.taken) == (ImportState.failed, 0)
    assert "does not hold the file" in failed.error
    assert (await ask(office)).json()["state"] == "queued"
    assert (await take_in(office, asked["id"], fresh)).taken == 3


async def test_what_an_import_reads_is_swept_from_the_store_never(office, fresh):
    await ask(office)
    await hand_in(office, TABLE + b"more\n")
    swept = await sweep_files(fresh, kept(office), MORNING + timedelta(days=3))
    assert swept.files == 1
    assert (await ask(office)).status_code == 200


# A real log -----------------------------------------------------------------------------------


@pytest.mark.skipif(not RECEIPT.exists(), reason="../shared/data/receipt.xes.gz is not here")
async def test_a_real_counters_log_is_taken_in_as_by_the_command(office, fresh, owner):
    path = Path(catalogue.__file__).parents[2] / "config/sample/receipt-map.yaml"
    by = path.read_text()
    asked = await ask(office, RECEIPT.read_bytes(), RECEIPT.name, map=by)
    row = await take_in(office, asked.json()["id"], fresh)
    assert (row.state, row.taken, row.activities, row.refused) == (
        ImportState.done, 1_434, 8_577, 0,
    )  # fmt: skip
    over_http = await everything(fresh)
    async with owner.begin() as db:
        await db.execute(sa.text("TRUNCATE dossier, entry, visit, activity, sought CASCADE"))
    items = read_file(RECEIPT, load(path))
    tally = await taking.take(fresh, BOOK, items, RECEIPT.name, "nl")
    assert (tally.taken, tally.activities) == (1_434, 8_577)
    assert await everything(fresh) == over_http
