"""Two times: the figures as they were known at a moment, and what explains the difference."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    BOOK,
    FILE,
    LICENCE,
    PERMIT,
    Shelf,
    act,
    at,
    lodging,
    move,
    process,
    wander,
    wander_on,
)
from cli import hoso
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_commands import here, receive  # noqa: F401  a fixture
from test_figures import GRANTED, received

from states import ledger
from states.errors import BadInput
from states.figures import bieu06
from states.figures.bieu06 import NUMBERS, Bieu06
from states.figures.bieu06 import known as of_known
from states.figures.knowing import Known, as_known
from states.words import Event

UNTIL = at(28)  # 1 April 2024
SINCE = at(-3)  # 1 March


async def now_of(db: AsyncConnection) -> datetime:
    moment: datetime = await db.scalar(sa.select(sa.func.clock_timestamp()))
    return moment


async def known(db: AsyncConnection, when: datetime, **asked: Any) -> Known:
    return await as_known(db, BOOK, SINCE, UNTIL, when, **asked)


def numbers(made: Bieu06) -> dict[tuple[str, str], int]:
    cells = {(row.agency, each): getattr(row, each) for row in made.rows for each in NUMBERS}
    return {cell: n for cell, n in cells.items() if n}


@pytest.mark.parametrize("seed", range(6))
async def test_as_known_then_is_what_was_said_then(db: AsyncConnection, seed: int) -> None:
    """A ledger grows by lot; whatever the figures said on the way is what they are told to have
    said, and the dossiers told are the whole difference.
    """
    chance, papers, said = Random(f"known {seed}"), [], []
    periods = [(None, at(4)), (at(0), at(9)), (SINCE, UNTIL), (at(2), at(400))]
    for _ in range(30):
        if papers and chance.random() < 0.6:
            n = chance.randrange(len(papers))
            papers[n] = await wander_on(db, chance, papers[n], 1 + chance.randrange(3))
        else:
            papers.append(await wander(db, chance, chance.randrange(6)))
        if chance.random() < 0.3:
            forms = [numbers(await bieu06(db, BOOK, *period)) for period in periods]
            said.append((await now_of(db), forms))
    assert len(said) > 3
    for when, forms in said:
        for period, form in zip(periods, forms, strict=True):
            found = await as_known(db, BOOK, *period, when)
            assert (numbers(found.then), found.unread) == (form, 0)
            assert found.now == await bieu06(db, BOOK, *period)
            differ = Counter(numbers(found.now))
            differ.subtract(numbers(found.then))
            moved: Counter[tuple[str, str]] = Counter()
            for shift in found.shifts:
                moved.update((shift.now[0], each) for each in shift.now[1:])
                moved.subtract((shift.was[0], each) for each in shift.was[1:])
            assert {c: n for c, n in differ.items() if n} == {c: n for c, n in moved.items() if n}


async def test_what_was_recorded_since_explains_it(db: AsyncConnection) -> None:
    slow, quick, same = [await received(db, at(day)) for day in (0, 1, 2)]
    await move(db, quick, Event.return_result, at(6), **GRANTED)
    when = await now_of(db)
    await move(db, quick, Event.reopen, at(41), reason="kết quả ghi sai tên")
    await move(db, slow, Event.extend, at(41), payload={"term": "90cd"})
    await move(db, same, Event.request_supplement, at(42))  # counted where it was
    late = await received(db, at(3))  # entered in May
    found = await known(db, when)
    place = "H42.05", "direct"
    assert [(each.code, each.was, each.now) for each in found.shifts] == [
        (slow, (*place, "overdue"), (*place, "in_time")),
        (quick, (*place, "early"), (*place, "overdue")),
        (same, (*place, "overdue"), (*place, "in_time")),
        (late, (), (*place, "overdue")),
    ]
    [again] = found.shifts[1].between
    assert (again.event, again.by, again.reason) == ("reopen", "a leader", "kết quả ghi sai tên")
    assert (again.at, again.recorded_at > when) == (at(41), True)
    assert found.shifts[3].between[0].event == "receive"
    assert found.replayed == 4
    assert (numbers(found.then), numbers(found.now)) == (
        {place: 3, ("H42.05", "early"): 1, ("H42.05", "overdue"): 2},
        {place: 4, ("H42.05", "in_time"): 2, ("H42.05", "overdue"): 2},
    )


async def test_nothing_recorded_since_nothing_differs(db: AsyncConnection) -> None:
    await received(db, at(1))
    found = await known(db, await now_of(db))
    assert (found.shifts, found.replayed, found.then) == ((), 0, found.now)


async def test_before_anything_was_recorded_there_was_nothing(db: AsyncConnection) -> None:
    before = await now_of(db)
    code = await received(db, at(1))
    found = await known(db, before)
    assert found.then.rows == ()
    assert [(each.code, each.was) for each in found.shifts] == [(code, ())]


async def test_of_some_agencies_only(db: AsyncConnection) -> None:
    before = await now_of(db)
    await received(db, at(1))
    assert (await known(db, before, agencies=["H42.03"])).shifts == ()
    assert len((await known(db, before, agencies=["H42.05"])).shifts) == 1


async def test_whose_it_was_then_has_it_then(db: AsyncConnection) -> None:
    """Whosever it is now: and who is told of one agency hears nothing of the other."""
    code = await received(db, at(1))
    when = await now_of(db)
    await move(db, code, Event.withdraw, at(2), reason="công dân xin rút")
    there = sa.text("UPDATE dossier SET agency = 'H42.02' WHERE code = :code")
    await db.execute(there, {"code": code})
    whole = await known(db, when)
    was, now = ("H42.05", "direct", "overdue"), ("H42.02", "unclassed")
    assert [(each.was, each.now) for each in whole.shifts] == [(was, now)]
    old = await known(db, when, agencies=["H42.05"])
    assert (numbers(old.then), numbers(old.now)) == ({was[:2]: 1, (was[0], was[2]): 1}, {})
    assert [(each.was, each.now) for each in old.shifts] == [(was, ())]
    new = await known(db, when, agencies=["H42.02"])
    assert (numbers(new.then), numbers(new.now)) == ({}, {now: 1})
    assert [(each.was, each.now, each.between) for each in new.shifts] == [((), now, ())]
    assert (old.replayed, new.replayed) == (1, 1)
    nobody = await known(db, when, agencies=["H42.03"])
    assert (nobody.shifts, nobody.replayed) == ((), 0)


async def test_what_was_recorded_with_another_is_theirs(db: AsyncConnection) -> None:
    """Registered with one agency, and received by another, whose procedure it had become."""
    book = BOOK.with_next(LICENCE, agency="H42.02")
    brings = dict.fromkeys((each.code for each in LICENCE.components), FILE)
    registers = act(Event.register, at(0), payload={"components": brings})
    before = await now_of(db)
    code = (await ledger.open_(db, BOOK, lodging(LICENCE), registers)).code
    when = await now_of(db)
    await move(db, code, Event.receive, at(1), book=book)
    await move(db, code, Event.withdraw, at(2), book=book)
    for known_at, agency, events in (
        (when, "H42.02", ["receive", "withdraw"]),
        (before, "H42.02", ["register", "receive", "withdraw"]),
        (before, "H42.05", []),
    ):
        found = await as_known(db, book, SINCE, UNTIL, known_at, [agency])
        assert [line.event for each in found.shifts for line in each.between] == events


async def test_what_cannot_be_read_any_more_is_told(db: AsyncConnection) -> None:
    """Its rules of then are gone from the book: it is counted where it is now."""
    paper = await process(db, PERMIT)
    when = await now_of(db)
    await move(db, paper.code, Event.withdraw, at(2))
    found = await as_known(db, Shelf(procedures=(LICENCE,)), SINCE, UNTIL, when)
    assert (found.unread, found.shifts, found.then) == (1, (), found.now)


async def test_a_period_that_ends_before_it_begins(db: AsyncConnection) -> None:
    with pytest.raises(BadInput, match="ends before it begins"):
        await as_known(db, BOOK, UNTIL, SINCE, at(1))


# By the doors -----------------------------------------------------------------------------


async def grown(engine: AsyncEngine) -> tuple[datetime, str, str]:
    """A moment, a dossier of then whose result was taken back since, and one entered since."""
    [old] = await receive(engine)
    for words in ("drive --at 2024-03-04T08:00+07:00",):
        assert (await hoso(*words.split())).code == 0
    async with engine.connect() as db:
        when = await now_of(db)
    [new] = await receive(engine)
    return when, old, new


async def test_the_report_as_it_was_known(here: Path, fresh: AsyncEngine) -> None:  # noqa: F811
    when, _, new = await grown(fresh)
    asked = ("report", "bieu06", "--period", "2024-03", "--as-known", when.isoformat())
    told = (await hoso(*asked, "--explain", "--json")).json
    assert datetime.fromisoformat(told["known_at"]) == when
    then, differ, explained = told["sheets"]
    assert (then["key"], then["total"]["received"]) == ("bieu06", 1)
    assert {(row["then"], row["now"]) for row in differ["rows"]} == {(1, 2)}
    assert [(row["code"], row["was"], row["event"]) for row in explained["rows"]] == [
        (new, "–", "receive")
    ]
    shown = await hoso(*asked, "--explain")
    assert (shown.code, max(map(len, shown.out.splitlines())) <= 100) == (0, True)
    assert new in shown.out
    assert len((await hoso(*asked, "--json")).json["sheets"]) == 2


async def test_where_nothing_was_recorded_by_then_the_report_says_so(
    here: Path,  # noqa: F811
    fresh: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    when, *_ = await grown(fresh)
    monkeypatch.setattr(of_known, "MANY", 1)  # a long list goes on as it is read
    asked = ("report", "bieu06", "--period", "2024-03", "--as-known")
    told = (await hoso(*asked, "2024-04-02", "--explain", "--json")).json
    assert told["sheets"][0]["rows"] == []
    assert [each["line"] for each in told["sheets"][2]["rows"]].count(1) == 2
    [fault] = told["faults"]
    assert "had recorded nothing by then: its first line was recorded on" in str(fault)
    shown = await hoso(*asked, "2024-04-02", "--explain")
    assert "In all" in shown.out
    assert (await hoso(*asked, when.isoformat(), "--json")).json["faults"] == []


async def test_the_period_ends_where_knowing_does(here: Path, fresh: AsyncEngine) -> None:  # noqa: F811
    when, *_ = await grown(fresh)
    told = (await hoso("report", "bieu06", "--as-known", when.isoformat(), "--json")).json
    assert datetime.fromisoformat(told["to"]) == when


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--as-known noon", "'noon' is no date"),
        ("--as-known 0001-01-01T00:00+14:00", "is no date"),
        ("--explain", "say as_known, too"),
        ("--as-known 2024-01-15 --by procedure", "leave out the rest"),
        ("--as-known 2024-01-15 --policy day", "leave out the rest"),
        ("--option explain=maybe --as-known 2024-01-15", "yes or no"),
    ],
)
async def test_what_cannot_be_meant_is_said(here: Path, words: str, why: str) -> None:  # noqa: F811
    answer = await hoso("report", "bieu06", *words.split())
    assert (answer.code, why in answer.sentence) == (1, True), answer.sentence
