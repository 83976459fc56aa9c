"""Figures frozen at the ends of periods, restated with a reason, and compared with today's."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, HANOI, HOURLY, LICENCE, act, at, lodging, move, process, wander
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_figures import GRANTED, received

from states import ledger
from states.catalogue import bundles
from states.errors import BadInput, Unknown
from states.figures import bieu06, every, freezing, kept
from states.figures.comparing import compare, corrected
from states.figures.knowing import as_known, counted
from states.figures.periods import DELAY, Period, due_periods
from states.figures.reporting import Asked
from states.ledger.statements import dossier
from states.tables import Dossier
from states.words import Event, Role

MAY = at(60)  # 3 May 2024, after March and April
MARCH = Period.parse("2024-03")


def moment(year: int, month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=HANOI)


# Periods ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("2023", (2023, 1), (2024, 1)),
        ("2023-H1", (2023, 1), (2023, 7)),
        ("2023-H2", (2023, 7), (2024, 1)),
        ("2023-Q1", (2023, 1), (2023, 4)),
        ("2023-Q4", (2023, 10), (2024, 1)),
        ("2024-02", (2024, 2), (2024, 3)),
        ("2023-12", (2023, 12), (2024, 1)),
    ],
)
def test_a_period_by_its_name(name: str, since: Any, until: Any) -> None:
    made = Period.parse(name)
    assert (made.name, made.since, made.until) == (name, moment(*since), moment(*until))


@pytest.mark.parametrize(
    "name",
    ["", "23", "2023-0", "2023-00", "2023-1", "2023-13", "2023-Q0", "2023-Q5", "2023-Q01",
     "2023-H3", "2023-H", "2023-", "2023-01-01", "2023-q1", "0999", "2023-01 ", "2０２３"],
)  # fmt: skip
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is no period"):
        Period.parse(name)


def test_a_year_is_its_parts() -> None:
    """Halves, quarters and months each cover it without a gap."""
    for kind, count in (("H{}", 2), ("Q{}", 4), ("{:02}", 12)):
        parts = [Period.parse(f"2024-{kind.format(n + 1)}") for n in range(count)]
        whole = Period.parse("2024")
        ends = [whole.since, *(each.until for each in parts)]
        assert [each.since for each in parts] == ends[:-1]
        assert ends[-1] == whole.until


def names(at: datetime, frozen: Any = ()) -> list[str]:
    return [each.name for each in due_periods(at, frozen, moment(2023, 11, 20))]


def test_a_period_is_due_on_the_fifth_day_after_it() -> None:
    assert names(moment(2023, 12, 5) - timedelta(microseconds=1)) == []
    assert names(moment(2023, 12, 5)) == ["2023-11"]
    year = ["2023-11", "2023-12", "2023-Q4", "2023-H2", "2023"]
    assert names(moment(2024, 1, 4, 23)) == ["2023-11"]
    assert names(moment(2024, 1, 5)) == year
    assert names(moment(2024, 1, 4, 17).astimezone(UTC).replace(hour=17)) == year  # midnight there
    assert names(moment(2024, 1, 5), {"2023-12", "2023"}) == ["2023-11", "2023-Q4", "2023-H2"]
    assert names(moment(2023, 11, 20)) == names(moment(2020, 1, 1)) == []


@given(
    since=st.datetimes(datetime(2015, 1, 1), datetime(2025, 1, 1), timezones=st.just(HANOI)),
    days=st.integers(0, 4000),
    more=st.integers(0, 400),
)
def test_what_is_due_has_ended_and_is_due_once(since: datetime, days: int, more: int) -> None:
    """Whenever one looks, and however long nobody did: the same periods, each once."""
    first, then = since + timedelta(days=days), since + timedelta(days=days + more)
    early = due_periods(first, set(), since)
    late = due_periods(then, {each.name for each in early}, since)
    assert (*early, *late) == due_periods(then, set(), since)
    every = [each.name for each in (*early, *late)]
    assert len(every) == len(set(every))
    for each in (*early, *late):
        assert each == Period.parse(each.name)
        assert each.until + DELAY <= then
        assert each.until > since
    months = {each for each in every if each[4:5] == "-" and each[5].isdigit()}
    assert months == set(months_between(since, then))


def months_between(since: datetime, then: datetime) -> Iterator[str]:
    """Walked day by day: the month of each that ended four days ago."""
    day, last = since.date().replace(day=1), (then - DELAY).date()
    while day < last.replace(day=1):
        yield f"{day:%Y-%m}"
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)


# Freeze -----------------------------------------------------------------------------------


async def frozen(db: AsyncConnection, period: str = "2024-03", when: datetime = MAY) -> Any:
    return await freezing.freeze(db, BOOK, "bieu06", period, "p-control-01", when)


async def restated(db: AsyncConnection, reason: str = "nhập muộn") -> Any:
    return await freezing.restate(db, BOOK, "bieu06", "2024-03", "p-control-01", MAY, reason)


async def test_what_is_frozen_is_the_form(db: AsyncConnection) -> None:
    for day in (1, 2):
        code = await received(db, at(day))
    await move(db, code, Event.return_result, at(9), **GRANTED)
    row = await frozen(db)
    assert (row.report, row.period, row.since, row.until) == (
        "bieu06", "2024-03", MARCH.since, MARCH.until,
    )  # fmt: skip
    assert (row.frozen_by, row.frozen_at, row.restates) == ("p-control-01", MAY, None)
    [line] = row.data["rows"]
    assert {name: n for name, n in line.items() if n} == {
        "agency": "H42.05", "direct": 2, "early": 1, "overdue": 1,
    }  # fmt: skip
    assert await freezing.check(db) == []
    assert (await freezing.every(db))[0]["id"] == row.id
    assert (await freezing.find(db, row.id)).hash == row.hash


async def test_once_and_then_only_as_a_restatement(db: AsyncConnection) -> None:
    code = await received(db, at(1))
    first = await frozen(db)
    with pytest.raises(freezing.AlreadyFrozen, match="restate it with a reason"):
        await frozen(db)
    with pytest.raises(freezing.NothingDiffers, match="nothing to restate"):
        await restated(db)
    await move(db, code, Event.return_result, at(10), **GRANTED)  # told a month late
    with pytest.raises(BadInput, match="say why"):
        await restated(db, "  ")
    second = await restated(db)
    assert (second.restates, second.reason) == (first.id, "nhập muộn")
    with pytest.raises(freezing.NothingDiffers):
        await restated(db)
    await move(db, code, Event.reopen, at(11))
    third = await restated(db, "mở lại")
    assert (third.restates, third.data) == (second.id, first.data)
    assert await freezing.find(db, first.id) == first  # and stays
    assert await freezing.latest(db, "bieu06", "2024-03") == third
    assert await freezing.check(db) == []


async def test_what_cannot_be_frozen_is_refused(db: AsyncConnection) -> None:
    with pytest.raises(BadInput, match=r"ends on 01/04/2024"):
        await frozen(db, when=MARCH.until - timedelta(microseconds=1))
    with pytest.raises(BadInput, match="no period"):
        await frozen(db, "March")
    with pytest.raises(BadInput, match="there is no report bieu07"):
        await freezing.freeze(db, BOOK, "bieu07", "2024-03", "x", MAY)
    with pytest.raises(Unknown, match="is not frozen"):
        await restated(db)
    with pytest.raises(Unknown, match="no frozen report 7"):
        await freezing.find(db, 7)
    assert (await frozen(db, when=MARCH.until)).data == {"rows": []}


async def test_two_at_once_freeze_one(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await received(db, at(1))

    async def one() -> str:
        async with fresh.begin() as db:
            return str((await frozen(db)).period)

    done = await asyncio.gather(*(one() for _ in range(5)), return_exceptions=True)
    assert [each for each in done if each == "2024-03"] == ["2024-03"]
    assert sum(isinstance(each, freezing.AlreadyFrozen) for each in done) == 4


async def test_two_at_once_restate_one(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        code = await received(db, at(1))
        await frozen(db)
    async with fresh.begin() as db:
        await move(db, code, Event.return_result, at(10), **GRANTED)

    async def one() -> int:
        async with fresh.begin() as db:
            return int((await restated(db)).restates)

    done = await asyncio.gather(*(one() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, freezing.NothingDiffers) for each in done) == 3


async def test_what_is_due_is_frozen_by_itself_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await received(db, at(-30))  # 3 February
    expected = ["bieu06 2024-02", "bieu06 2024-03", "bieu06 2024-Q1"]
    assert await freezing.freeze_due(fresh, BOOK, at(31)) == expected[:1]
    both = await asyncio.gather(*(freezing.freeze_due(fresh, BOOK, at(32)) for _ in range(2)))
    assert sorted(both[0] + both[1]) == expected[1:]
    assert await freezing.freeze_due(fresh, BOOK, at(32)) == []
    async with fresh.connect() as db:
        assert {row["frozen_by"] for row in await freezing.every(db)} == {"system"}
        assert await freezing.check(db) == []


async def test_where_nothing_was_received_nothing_is_due(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        online = lodging(LICENCE)
        await ledger.open_(db, BOOK, online, act(Event.register, at(1)))
    assert await freezing.freeze_due(fresh, BOOK, at(400)) == []


# Held to ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        "report = 'bieu6'", "period = '2024-05'", "since = NULL", "until = until + interval '1s'",
        "known_at = known_at + interval '1 us'", "data = '{\"rows\": []}'", "restates = id",
        "reason = 'x'", "frozen_by = 'x'", "frozen_at = now()", "hash = sha256('x')",
    ],
)  # fmt: skip
async def test_what_was_altered_is_found(owner_db: AsyncConnection, changed: str) -> None:
    await received(owner_db, at(1))
    row = await frozen(owner_db)
    await frozen(owner_db, "2024-04")
    await owner_db.execute(sa.text(f"UPDATE frozen SET {changed} WHERE id = {row.id}"))
    [broken] = await freezing.check(owner_db)
    assert str(broken).startswith(f"frozen report {row.id} (")
    assert str(broken).endswith("it was altered")


async def test_a_restatement_of_another_report_is_found(owner_db: AsyncConnection) -> None:
    row, other = await frozen(owner_db), await frozen(owner_db, "2024-Q1")
    values = dict(other._mapping) | {"restates": row.id}
    values["hash"] = freezing.digest(values)
    await owner_db.execute(
        sa.update(freezing.frozen).where(freezing.f.id == other.id).values(values)
    )
    [broken] = await freezing.check(owner_db)
    assert broken.what == f"it restates number {row.id}, which is of another"


@pytest.mark.parametrize("statement", ["UPDATE frozen SET reason = ''", "DELETE FROM frozen"])
async def test_the_application_changes_none(db: AsyncConnection, statement: str) -> None:
    await frozen(db)
    with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
        async with db.begin_nested():
            await db.execute(sa.text(statement))


# Compared ---------------------------------------------------------------------------------


async def test_what_differs_and_which_dossiers_did_it(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        slow, quick, same = [await received(db, at(day)) for day in (0, 1, 2)]
        await move(db, same, Event.return_result, at(5), **GRANTED)
        await move(db, quick, Event.return_result, at(6), **GRANTED)
        kept = await frozen(db)
        assert await compare(db, BOOK, kept) == await compare(db, BOOK, kept)
    async with fresh.begin() as db:
        await move(db, quick, Event.reopen, at(61))
        await move(db, slow, Event.extend, at(61), payload={"term": "90cd"})
        await move(db, same, Event.deliver, at(61))  # changes no figure
        late = await received(db, at(3))  # entered in May
        told = await compare(db, BOOK, kept)
    assert [(each.agency, each.column, each.was, each.now) for each in told.cells] == [
        ("H42.05", "direct", 3, 4),
        ("H42.05", "early", 2, 1),
        ("H42.05", "in_time", 0, 1),
        ("H42.05", "overdue", 1, 2),
    ]
    here = "H42.05", "direct"
    assert [(each.code, each.was, each.now, each.event) for each in told.shifts] == [
        (slow, (*here, "overdue"), (*here, "in_time"), "extend"),
        (quick, (*here, "early"), (*here, "overdue"), "reopen"),
        (late, (), (*here, "overdue"), "accept"),
    ]
    assert told.unread == 0


async def test_nothing_differs_where_nothing_happened(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        code = await received(db, at(1))
        kept = await frozen(db)
    async with fresh.begin() as db:
        told = await compare(db, BOOK, kept)
        assert (told.cells, told.shifts) == ((), ())
        await move(db, code, Event.withdraw, at(70))
        told = await compare(db, BOOK, kept)
        assert (told.cells, told.shifts) == ((), ())  # it ended after March


@pytest.mark.parametrize("seed", range(3))
async def test_one_by_one_they_are_the_form(db: AsyncConnection, seed: int) -> None:
    """`counted` of every dossier, added up, is what the report counts in one statement."""
    chance = Random(f"counted {seed}")
    for n in range(40):
        await wander(db, chance, steps=n % 20)
    last = await db.scalar(sa.select(sa.func.max(Dossier.moved_at)))
    papers = [SimpleNamespace(**row) for row in (await db.execute(sa.select(dossier))).mappings()]
    for until in (at(3), at(5, "12:34"), at(20), last, last + timedelta(days=60)):
        for since in (None, at(0), at(4, "23:00"), until - timedelta(days=1)):
            if since is not None and since >= until:
                continue
            sums: dict[str, int] = {}
            for paper in papers:
                for column in counted(paper, since, until)[1:]:
                    sums[column] = sums.get(column, 0) + 1
            row = (await bieu06(db, BOOK, since, until)).total
            assert {name: n for name, n in vars_of(row).items() if n} == sums


def vars_of(row: Any) -> dict[str, int]:
    return {name: getattr(row, name) for name in row.__slots__ if name != "agency"}


@pytest.mark.parametrize("seed", range(3))
async def test_the_dossiers_told_explain_every_cell(fresh: AsyncEngine, seed: int) -> None:
    """Whatever happens after the freezing: each difference is the sum of the shifts."""
    chance = Random(f"shift {seed}")
    async with fresh.begin() as db:
        papers = [await wander(db, chance, steps=n % 9, procedure=LICENCE) for n in range(25)]
        kept = await frozen(db)
    async with fresh.begin() as db:
        for paper in papers[::2]:
            if paper.finished_at is None:
                await move(db, paper.code, Event.withdraw, max(paper.moved_at, at(2)))
        for n in range(5):
            await wander(db, chance, steps=n, procedure=LICENCE)
        told = await compare(db, BOOK, kept)
    moved: dict[tuple[str, str], int] = {}
    for shift in told.shifts:
        for columns, sign in ((shift.was, -1), (shift.now, 1)):
            for column in columns[1:]:
                cell = columns[0], column
                moved[cell] = moved.get(cell, 0) + sign
    differ = {(each.agency, each.column): each.now - each.was for each in told.cells}
    assert differ == {cell: n for cell, n in moved.items() if n}
    assert differ


# Corrected --------------------------------------------------------------------------------


async def test_a_correction_after_freezing_tells_both_and_all_holds(fresh: AsyncEngine) -> None:
    """The walk of docs/proof.md: frozen, corrected three ways, compared, restated, verified."""
    async with fresh.begin() as db:
        storm = (await process(db, HOURLY, at(1))).code  # eight hours: due on Wednesday at 08:00
        await move(db, storm, Event.return_result, at(2, "08:30"), **GRANTED)
        wrong = await received(db, at(0))
        await move(db, wrong, Event.return_result, at(5), **GRANTED)
        first = await frozen(db)
    async with fresh.begin() as db:  # Wednesday was a day off: as a change set has it
        facts = {"payload": {"calendar": "week@2"}, "reason": "bão số 5"}
        await move(db, storm, Event.restate, at(61), Role.control, **facts)
        await move(db, wrong, Event.reopen, at(62), reason="kết quả ghi sai tên")
        late = await received(db, at(3))  # on paper until May
    async with fresh.begin() as db:
        told = await compare(db, BOOK, first)
        assert [(each.code, each.was[2:], each.now[1:]) for each in told.shifts] == [
            (storm, ("late",), ("direct", "early")),
            (wrong, ("early",), ("direct", "overdue")),
            (late, (), ("direct", "overdue")),
        ]
        why = [(line.event, line.reason) for each in told.shifts for line in each.between[:1]]
        assert why[:2] == [("restate", "bão số 5"), ("reopen", "kết quả ghi sai tên")]
        second = await restated(db, "lịch nghỉ bão, kết quả sai, nhập muộn")
        assert await corrected(db, first) == ()
        cells = await corrected(db, second)
        assert cells == told.cells
        assert [(each.column, each.was, each.now) for each in cells] == [
            ("direct", 2, 3), ("late", 1, 0), ("overdue", 0, 2),
        ]  # fmt: skip
        assert (second.restates, second.hash != first.hash) == (first.id, True)
        assert await freezing.find(db, first.id) == first
        assert (await compare(db, BOOK, second)).cells == ()
        # What the first was known by is known still: the figures of then are had again.
        then = await as_known(db, BOOK, MARCH.since, MARCH.until, first.known_at)
        assert [asdict(row) for row in then.then.rows] == first.data["rows"]
        assert await freezing.check(db) == []
        assert (await ledger.verify(db, BOOK)).faults == []


async def test_numbers_have_no_gaps_whatever_was_refused(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        code = await received(db, at(1))
        assert (await frozen(db)).id == 1
    for _ in range(3):
        with pytest.raises(freezing.AlreadyFrozen):
            async with fresh.begin() as db:
                await frozen(db)
    async with fresh.begin() as db:
        await move(db, code, Event.return_result, at(10), **GRANTED)
        assert (await restated(db)).id == 2


async def test_any_report_of_figures_is_kept_and_read_again(db: AsyncConnection) -> None:
    await received(db, at(1))
    book = await bundles.read(db)
    for name in ("channels", "duties", "bieu06"):
        made = await every.find(name).make(Asked(db, book, MARCH, MAY))
        row = await freezing.freeze(db, book, name, "2024-03", "p-centre-lead", MAY)
        again = kept.paper(Asked(db, book, kept.of(row), row.frozen_at), row)
        assert (again.report, again.until) == (name, row.until)
        for was, now in zip(made.sheets, again.sheets, strict=True):
            assert (now.key, now.columns) == (was.key, was.columns)
            assert [list(each) for each in now.rows] == [list(each) for each in was.rows]
            assert list(now.total or ()) == list(was.total or ())
    assert await freezing.check(db) == []
    with pytest.raises(BadInput, match="list of dossiers"):
        await freezing.freeze(db, book, "register", "2024-03", "p-centre-lead", MAY)
    found = await freezing.latest(db, "channels", "2024-03")
    with pytest.raises(BadInput, match="not Biểu 06"):
        await compare(db, book, found)
