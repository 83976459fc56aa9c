"""Foreign dossiers into the ledger: each whole or not at all, none twice, whatever stopped it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, NINE, at, move, receive
from foreign_files import mapped, put
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_intake_files import RECEIPT, trace

from states import catalogue, ledger
from states.clock import Policy
from states.figures import bieu06
from states.intake import Record, load, read, taking
from states.intake.records import Refused
from states.intake.taking import Tally, take
from states.tables import Activity, Dossier, Entry, Visit
from states.words import Channel, Event, Outcome, Role, State

MAP: dict[str, Any] = {
    "due": "Hẹn",
    "finished": "Xong",
    "delivered": "Trả",
    "channel": {"from": "Hình thức", "words": {"Trực tuyến": "online"}, "default": "counter"},
    "agency": {"from": "Cơ quan", "default": "H42.05"},
    "outcome": {"from": "Kết quả", "words": {"Đồng ý": "approved"}},
}
HEAD = "Mã,Nhận,Hẹn,Xong,Trả,Hình thức,Cơ quan,Kết quả\n"
ROWS = [  # early, on time (all that day), late, in process, and one to which nothing was promised
    "A-1,2024-03-04T08:00,2024-03-08,2024-03-07T10:00,2024-03-09T08:00,Trực tuyến,,Đồng ý\n",
    "A-2,2024-03-04T08:00,2024-03-08,2024-03-08T23:00,,,H42.02,\n",
    "A-3,2024-03-04T08:00,2024-03-08,2024-03-11T08:00,,,H42.02,\n",
    "A-4,2024-03-04T08:00,2024-03-08,,,Trực tuyến,,\n",
    "A-5,2024-03-04T08:00,,2024-03-05T08:00,,,,\n",
]


def table(folder: Path, rows: list[str], **parts: Any) -> Iterator[Record | Refused]:
    file = put(folder, "a.csv", HEAD + "".join(rows))
    return read(file, mapped(**MAP, **parts))


async def taken(engine: AsyncEngine, items: Iterator[Record | Refused] | list[Any]) -> Tally:
    return await take(engine, BOOK, items, "a.csv", "week")


async def papers(db: AsyncConnection) -> dict[str, Any]:
    found = (await db.execute(sa.select(Dossier.__table__).order_by(Dossier.code))).all()
    return {each.code: each for each in found}


UNLIKE = {"id", "dossier_id", "head", "hash", "prev", "recorded_at", "xact"}


async def everything(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """All that is known of all, but for numbers and hours of the database's own."""
    told = []
    async with engine.connect() as db:
        for model in (Entry, Activity, Visit, Dossier):
            own = model.__table__.c
            columns = [column for column in own if column.name not in UNLIKE]
            code, owner = Dossier.__table__.c.code, Dossier.__table__.c.id
            of = own.id if model is Dossier else own.dossier_id
            query = sa.select(code.label("whose"), *columns).where(of == owner)
            told += [str(tuple(row)) for row in await db.execute(query)]
        assert (await ledger.verify(db, BOOK)).faults == []
    return sorted(told)


async def test_a_table_becomes_dossiers_with_their_ends(fresh: AsyncEngine, tmp_path: Path) -> None:
    tally = await taken(fresh, table(tmp_path, ROWS))
    assert (tally.taken, tally.known, tally.refused, tally.activities) == (5, 0, [], 0)
    async with fresh.connect() as db:
        found = await papers(db)
        report = await ledger.verify(db, BOOK)
        total = (await bieu06(db, BOOK, None, at(20))).total
    assert [each.verdict for each in found.values()] == [
        "early", "on_time", "late", None, "no_term",
    ]  # fmt: skip
    first, second, _, fourth, _ = found.values()
    assert (first.state, first.channel, first.agency) == (
        State.delivered,
        Channel.online,
        "H42.05",
    )
    assert (first.outcome, first.due_at, first.source) == (
        Outcome.approved,
        at(4, "23:59"),
        "a.csv",
    )
    assert first.delivered_at == at(5, "08:00")
    assert (second.state, second.outcome) == (State.result_returned, Outcome.unstated)
    assert second.agency == second.unit == "H42.02"
    assert (fourth.state, fourth.finished_at) == (State.processing, None)
    assert (report.faults, report.dossiers, report.entries) == ([], 5, 5 + 4 + 1)
    assert (total.early, total.on_time, total.late, total.overdue, total.unclassed) == (
        1, 1, 1, 1, 1,
    )  # fmt: skip


async def test_a_log_becomes_dossiers_with_their_history(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    start = {"start": "2024-03-04T08:00:00+07:00"}
    log = trace("c1", "2024-03-04T09:00:00", "2024-03-05T09:00:00", **start) + trace("c2", **start)
    event = {"name": "concept:name", "at": "time:timestamp"}
    names = mapped(
        kind="log", code="concept:name", received="start", event=event, agency={"default": "X"}
    )
    tally = await taken(fresh, read(put(tmp_path, "a.xes", f"<log>{log}</log>"), names))
    assert (tally.taken, tally.activities) == (2, 2)
    async with fresh.connect() as db:
        told = (await db.execute(sa.select(Activity.n, Activity.name, Activity.at))).all()
    assert [tuple(each) for each in told] == [(1, "e", NINE), (2, "e", at(1, "09:00"))]


async def test_the_second_time_does_nothing(fresh: AsyncEngine, tmp_path: Path) -> None:
    await taken(fresh, table(tmp_path, ROWS))
    before = await everything(fresh)
    tally = await taken(fresh, table(tmp_path, ROWS))
    assert (tally.taken, tally.known, tally.refused) == (0, 5, [])
    assert await everything(fresh) == before


async def test_what_went_on_here_is_not_undone_by_the_file(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    await taken(fresh, table(tmp_path, ROWS))
    async with fresh.begin() as db:
        result = {"payload": {"outcome": "refused"}}
        await move(db, "A-4", Event.return_result, at(5), Role.officer, **result)
    before = await everything(fresh)
    assert (await taken(fresh, table(tmp_path, ROWS))).known == 5
    assert await everything(fresh) == before


def many(chance: Random, count: int) -> list[str]:
    rows = []
    for n in range(count):
        end = chance.choice(["", f"2024-03-{chance.randrange(5, 28):02}T10:00"])
        rows.append(f"B-{n:04},2024-03-04T08:00,2024-03-{chance.randrange(5, 28):02},{end},,,,\n")
    return rows


class Cut(Exception):
    """The lights go out."""


def until(items: Iterator[Record | Refused], number: int) -> Iterator[Record | Refused]:
    for n, item in enumerate(items):
        if n == number:
            raise Cut
        yield item


async def test_stopped_half_way_and_run_again_it_is_as_if_never_stopped(
    fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "BATCH", 20)
    rows = many(Random(2), 45)
    seen: list[int] = []

    def told(tally: Tally) -> None:
        seen.append(tally.taken)

    with pytest.raises(Cut):
        await take(fresh, BOOK, until(table(tmp_path, rows), 43), "a.csv", "week", told)
    assert seen == [20, 40]  # batches that were whole stay
    async with fresh.connect() as db:
        assert len(await papers(db)) == 40
    tally = await taken(fresh, table(tmp_path, rows))
    assert (tally.taken, tally.known) == (5, 40)
    resumed = await everything(fresh)
    assert sum("adopt" in line for line in resumed) == 45

    twin = [row.replace("B-", "C-") for row in rows]  # undisturbed, under other codes
    await taken(fresh, table(tmp_path, twin))
    of_twin = [line.replace("C-", "B-") for line in await everything(fresh) if "C-" in line]
    assert sorted(of_twin) == resumed


# Refused, and the rest taken -----------------------------------------------------------------


async def test_one_that_cannot_be_is_refused_and_the_rest_is_taken(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    bad = [
        "X-1,2024-03-04T08:00,2099-03-08,,,,,\n",  # promised beyond the calendar
        "X-2,1999-03-04T08:00,,,,,,\n",  # received before it
        "X-3,2024-03-04T08:00,,2031-01-01,,,,\n",  # finished after it
        f"X-4,2024-03-04T08:00,,,,,{'q' * 201},\n",
        "X-5,yesterday,,,,,,\n",
    ]
    mixed = [each for pair in zip(ROWS, bad, strict=True) for each in pair]
    tally = await taken(fresh, table(tmp_path, mixed))
    assert tally.taken == 5
    told = {each.code: (each.row, each.why) for each in tally.refused}
    assert [told[f"X-{n}"][0] for n in range(1, 6)] == [3, 5, 7, 9, 11]
    for code in ("X-1", "X-2", "X-3"):
        assert "lies outside calendar week, which reaches from 2024-01-01" in told[code][1]
    assert "200 characters" in told["X-4"][1]
    assert "'yesterday' is not a date" in told["X-5"][1]
    async with fresh.connect() as db:
        assert list(await papers(db)) == ["A-1", "A-2", "A-3", "A-4", "A-5"]
        assert set((await db.execute(sa.select(Entry.event))).scalars()) == {
            Event.adopt, Event.return_result, Event.deliver,
        }  # fmt: skip
        assert (await ledger.verify(db, BOOK)).faults == []


LONG = "".join(Random(1).choices("bcdfghklmnpqrstvxz", k=9_000))  # nothing an index could shorten


@pytest.mark.parametrize("part", ["agency", "procedure", "unit", "person"])
async def test_a_name_that_is_no_name_is_refused(
    fresh: AsyncEngine, tmp_path: Path, part: str
) -> None:
    names = mapped(**MAP | {"agency": {"default": "X"}} | {part: "Tên"})
    rows = f"Mã,Nhận,Hẹn,Xong,Trả,Hình thức,Cơ quan,Kết quả,Tên\n{ROWS[0].strip()},{LONG}\n"
    rows += f"{ROWS[1].strip()},Sở Tư pháp\n"
    tally = await taken(fresh, read(put(tmp_path, "a.csv", rows), names))
    assert (tally.taken, [each.code for each in tally.refused]) == (1, ["A-1"])
    assert "characters at most" in tally.refused[0].why


async def test_without_an_agency_it_is_nobodys(fresh: AsyncEngine, tmp_path: Path) -> None:
    tally = await taken(fresh, read(put(tmp_path, "a.csv", "Mã,Nhận\nA-1,2024-03-04\n"), mapped()))
    assert [each.why for each in tally.refused] == [
        "it names no agency: map a column to `agency`, or give it a default"
    ]
    assert tally.taken == 0


async def test_the_code_of_a_dossier_opened_here_is_taken_by_nobody(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    async with fresh.begin() as db:
        ours = await receive(db)
    before = await everything(fresh)
    for _ in range(2):
        tally = await taken(fresh, table(tmp_path, [ROWS[0].replace("A-1", ours.code)]))
        assert (tally.taken, tally.known) == (0, 0)
        assert [each.why for each in tally.refused] == [
            f"code {ours.code} is that of a dossier opened here: it was left alone"
        ]
    assert await everything(fresh) == before


async def test_a_file_that_breaks_leaves_what_was_whole(fresh: AsyncEngine, tmp_path: Path) -> None:
    start = {"start": "2024-03-04T08:00:00+07:00"}
    whole = "".join(trace(f"c{n}", **start) for n in range(3))
    event = {"name": "concept:name", "at": "time:timestamp"}
    names = mapped(
        kind="log", code="concept:name", received="start", event=event, agency={"default": "X"}
    )
    broken = read(put(tmp_path, "a.xes", f"<log>{whole}<trace><str"), names)
    tally = await taken(fresh, broken)
    assert (tally.taken, [each.ends for each in tally.refused]) == (3, [True])


async def test_what_was_mended_is_told_once(fresh: AsyncEngine, tmp_path: Path) -> None:
    """A date without an hour ends before the hour it came in: the same day, read at the receipt."""
    row = "A-9,2024-03-04T08:00,2024-03-04,2024-03-04,,,,\n"
    tally = await taken(fresh, table(tmp_path, [row]))
    assert [(note.code, note.what) for note in tally.notes] == [("A-9", "finished_before_receipt")]
    async with fresh.connect() as db:
        paper = (await papers(db))["A-9"]
    assert (paper.finished_at, paper.verdict) == (paper.received_at, "on_time")
    assert (await taken(fresh, table(tmp_path, [row]))).notes == []


async def test_two_imports_at_once_take_each_dossier_once(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    rows = many(Random(4), 60)
    one, two = await asyncio.gather(*(taken(fresh, list(table(tmp_path, rows))) for _ in range(2)))
    assert one.taken + two.taken == 60
    assert one.known + two.known + len(one.refused) + len(two.refused) == 60
    again = await taken(fresh, table(tmp_path, rows))
    assert (again.taken, again.known, again.refused) == (0, 60, [])
    assert sum("adopt" in line for line in await everything(fresh)) == 60


# What else a file says -----------------------------------------------------------------------


CONTACTS = {"phone": "ĐT", "email": "Thư", "citizen_id": "CCCD", "keep": ["Ghi chú"]}


async def test_contacts_and_what_a_map_keeps_are_stored(fresh: AsyncEngine, tmp_path: Path) -> None:
    rows = (
        "Mã,Nhận,ĐT,Thư,CCCD,Ghi chú\n"
        "A-1,2024-03-04,0912.345.678,anh@example.vn,001 234 567 890,Hồ sơ giấy\n"
        "A-2,2024-03-04,gọi sau,anh(at)example.vn,?,\n"
        "A-3,2024-03-04,,,,\n"
    )
    names = mapped(agency={"default": "X"}, **CONTACTS)
    seen: list[str] = []

    def card(number: str) -> str:
        seen.append(number)
        return "f" * 64

    items = read(put(tmp_path, "a.csv", rows), names)
    tally = await take(fresh, BOOK, items, "a.csv", "week", card=card)
    assert (tally.taken, seen) == (3, ["001234567890"])
    assert [(note.code, note.what, note.detail) for note in tally.notes] == [
        ("A-2", "unread_contact", "not written as one is, and so not kept: ĐT, Thư, CCCD"),
    ]
    async with fresh.connect() as db:
        found = await papers(db)
        lines = (await db.execute(sa.select(Entry.payload).order_by(Entry.dossier_id))).scalars()
        first, *others = lines
        terms = sa.text("SELECT kind, term FROM sought ORDER BY dossier_id, kind, term")
        sought = [tuple(each) for each in await db.execute(terms)]
        assert (await ledger.verify(db, BOOK)).faults == []
    told = [(each.phone, each.email, each.citizen) for each in found.values()]
    assert told == [("0912345678", "anh@example.vn", "f" * 64), (None,) * 3, (None,) * 3]
    assert json.loads(first)["taken"]["kept"] == {"Ghi chú": "Hồ sơ giấy"}
    assert not [each for each in others if "kept" in each]
    assert {("phone", "0912345678"), ("citizen", "f" * 64)} <= set(sought)


async def test_without_the_key_no_number_of_a_card_is_kept(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    names = mapped(agency={"default": "X"}, citizen_id="CCCD")
    rows = "Mã,Nhận,CCCD\nA-1,2024-03-04,001234567890\n"
    assert (await taken(fresh, read(put(tmp_path, "a.csv", rows), names))).taken == 1
    async with fresh.connect() as db:
        assert (await papers(db))["A-1"].citizen is None


# A real log ----------------------------------------------------------------------------------


@pytest.mark.skipif(not RECEIPT.exists(), reason="../shared/data/receipt.xes.gz is not here")
async def test_a_real_counters_log(fresh: AsyncEngine) -> None:
    book = catalogue.load()
    names = load(Path(catalogue.__file__).parents[2] / "config/sample/receipt-map.yaml")
    told: list[int] = []
    tally = await take(
        fresh,
        book,
        read(RECEIPT, names),
        RECEIPT.name,
        names.calendar or "",
        lambda tally: told.append(tally.taken),
    )
    assert (tally.taken, tally.activities, tally.refused) == (1_434, 8_577, [])
    assert told[-1] == 1_434
    assert len(told) > 5
    async with fresh.connect() as db:
        end = NINE + timedelta(days=1)
        for policy in (None, Policy.day):
            total = (await bieu06(db, book, None, end, policy=policy)).total
            assert (total.received, total.balances) == (1_434, True)
            assert (total.early, total.on_time, total.late, total.in_process) == (
                937, 70, 322, 105,
            )  # fmt: skip
        assert (await ledger.verify(db, book)).faults == []
    again = await take(fresh, book, read(RECEIPT, names), RECEIPT.name, names.calendar or "")
    assert (again.taken, again.known, again.refused) == (0, 1_434, [])
