"""Breaches whose lateness a corrected calendar undid: set aside, told, and nobody is asked.

The licence of these stories is received on Monday 4 March 2024 and due on Wednesday 3 April.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest
from book import HANOI
from cli import hoso
from corrections import apply, propose, text
from office import address
from sqlalchemy.ext.asyncio import AsyncEngine
from test_breaches import COLLEAGUE, CONTROL, LEAD, NONE, Case, april, late, licence, rows
from town import as_owner, town

from states.breaches import explaining, grouping, listing
from states.breaches.explaining import NotNow
from states.breaches.grouping import GroupedBy, Span
from states.breaches.listing import Only
from states.breaches.recording import record
from states.breaches.rows import Cause
from states.catalogue import Catalogue, bundles
from states.catalogue.rows import Dates
from states.changes import deciding
from states.embedded import Embedded
from states.figures.periods import Period
from states.suspicions import counting
from states.suspicions.counting import Found
from states.suspicions.scope import Scope

APRIL = Period.parse("2024-04")
STORM = date(2024, 4, 3), date(2024, 4, 4)


@pytest.fixture
async def own(server: Embedded) -> AsyncIterator[AsyncEngine]:
    """A database of its own: calendars stay as they are corrected."""
    async with town(server) as engine:
        yield engine


@pytest.fixture
async def book(own: AsyncEngine) -> Catalogue:
    async with own.begin() as db:
        return await bundles.read(db)


async def corrected(engine: AsyncEngine, *off: date) -> None:
    """The calendar says that nobody worked on these days; whatever it promised is read again."""
    when = april(8)
    async with engine.begin() as db:
        raw = await text(db, off=off)
        number = await propose(db, raw, dates=Dates.move, restates=True, by=CONTROL, when=when)
        book = await bundles.read(db)
        await deciding.approve(db, book, number, "p-centre-lead", when)
    await apply(engine, number, when)


async def two(engine: AsyncEngine, book: Catalogue) -> tuple[Case, Case]:
    """Returned two days late; and one returned in a week of its own, later still."""
    first = await late(engine, book)
    second = await licence(engine, book)
    await second.missed()
    await second.finish(april(6, 11))
    await record(engine, book, april(7))
    return first, second


async def test_what_a_restatement_undid_is_set_aside(own: AsyncEngine, book: Catalogue) -> None:
    first, second = await two(own, book)
    was = await rows(own)
    await corrected(own, *STORM)
    assert await rows(own) == was  # what was recorded stays
    async with own.begin() as db:
        found = {row["code"]: row for row in await listing.every(db, book)}
        only = [row["code"] for row in await listing.every(db, book, Only(corrected=True))]
        stand = [row["code"] for row in await listing.every(db, book, Only(corrected=False))]
        shown = await listing.of_dossier(db, first.paper.code)
        [unit] = await grouping.grouped(db, book, Only(), GroupedBy.unit)
        holders = await grouping.grouped(db, book, Only(), GroupedBy.holder)
        [cause] = await listing.by_cause(db, book)
        assert APRIL.since is not None
        spans = Span(APRIL.since - timedelta(days=31), APRIL.since), Span(APRIL.since, APRIL.until)
        [beside] = await grouping.compared(db, book, Only(), GroupedBy.unit, spans)
    line = found[first.paper.code]["corrected_seq"]
    assert line == first.paper.seq + 1 == shown[0]["corrected_seq"]
    assert found[second.paper.code]["corrected_seq"] is None
    assert (only, stand) == ([first.paper.code], [second.paper.code])
    minutes = found[second.paper.code]["minutes"]
    for counted in (unit, cause):
        assert (counted["breaches"], counted["corrected"]) == (1, 1)
        assert (counted["minutes"], counted["unexplained"]) == (minutes, 1)
        assert counted["without_apology"] == 1
    assert (unit["share"], unit["share_of_minutes"]) == (100, 100)
    assert {row["corrected"] for row in holders} == {1}
    assert (beside["after"], beside["minutes_after"]) == (1, minutes)


async def test_nobody_is_asked_to_explain_it(own: AsyncEngine, book: Catalogue) -> None:
    case = await late(own, book)
    async with own.begin() as db:
        until = april(9)
        await explaining.assign(db, book, case.named, COLLEAGUE, LEAD, april(7), until)
    await corrected(own, *STORM)
    assert await record(own, book, april(10)) == NONE  # no reminder of it
    async with own.begin() as db:
        owed = await listing.every(db, book, Only(owed_at=april(10)))
        with pytest.raises(NotNow, match="set aside by correction"):
            await explaining.assign(db, book, case.named, COLLEAGUE, LEAD, april(10))
        with pytest.raises(NotNow, match="set aside by correction"):
            await explaining.explain(
                db, book, case.named, Cause.workload, "Bận", COLLEAGUE, april(10)
            )
    assert owed == []


async def test_what_is_late_all_the_same_stands(own: AsyncEngine, book: Catalogue) -> None:
    await late(own, book)
    await corrected(own, STORM[0])  # due a day later, and still a day late
    async with own.begin() as db:
        [row] = await listing.every(db, book)
        [unit] = await grouping.grouped(db, book, Only(), GroupedBy.unit)
    assert (row["corrected_seq"], row["verdict"]) == (None, "late")
    assert (unit["breaches"], unit["corrected"]) == (1, 0)


async def test_an_open_one_that_is_promised_anew_is_set_aside(
    own: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(own, book)
    await case.missed()
    await record(own, book, april(7))
    await corrected(own, *STORM, date(2024, 4, 5), date(2024, 4, 8))
    await record(own, book, april(9))
    async with own.begin() as db:
        [row] = await listing.every(db, book)
    assert (row["corrected_seq"], row["due_at"].day) == (case.paper.seq + 1, 3)


async def test_the_command_says_by_which_line(
    own: AsyncEngine, book: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await late(own, book)
    await corrected(own, *STORM)
    monkeypatch.setenv("HOSO_DATABASE", address(own))
    listed = await hoso("breaches", "list")
    shown = await hoso("breaches", "show", case.paper.code)
    assert f"corrected, line {case.paper.seq + 1}" in listed.out
    assert f"set aside by correction, line {case.paper.seq + 1}" in " ".join(shown.out.split())


async def test_who_worked_on_a_day_that_was_off_only_afterwards_is_not_suspect(
    server: Embedded, own: AsyncEngine, book: Catalogue
) -> None:
    await (await licence(own, book)).finish(april(4, 11))

    async def outside() -> Found:
        async with own.begin() as db:
            since, until = (datetime(2024, month, 1, tzinfo=HANOI) for month in (4, 5))
            scope = Scope(await bundles.read(db), since, until, until)
            [(_, told)] = await counting.counted(db, scope, [counting.RULES["outside-hours"]])
            return told

    before = await outside()
    assert before == Found(0, 3)
    await corrected(own, *STORM)  # decided on the 8th
    assert await outside() == Found(3, 3)  # the test records today, when that was known
    await as_owner(server, own, "UPDATE entry SET recorded_at = at")
    assert await outside() == Found(0, 3)
