"""Deadlines: each told once per dossier, rule and version, however often one looks."""

import asyncio
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from book import (
    APPROVED,
    BOOK,
    HOURLY,
    LICENCE,
    NINE,
    PERMIT,
    TAKEN,
    TERMLESS,
    Procedure,
    act,
    at,
    move,
    process,
    receive,
    to_signature,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.deadlines import sweep, sweeping
from states.deadlines.rows import Alert
from states.words import Event, Role

MINUTE = timedelta(minutes=1)
NONE_TOLD = {"term-near": 0, "term-late": 0}
MORE = {"payload": {"term": "2wd"}}

# A permit received on Monday at nine has five working days: due on the next Monday at 17:00.
DUE = at(7, "17:00")
MIDNIGHT = at(8, "00:00")


async def told(db: AsyncConnection) -> list[tuple[str, int, datetime]]:
    """Rule, version of the deadline and due moment of each alert, in the order of the key."""
    columns = Alert.__table__.c
    query = sa.select(columns.rule, columns.deadline, columns.due_at)
    rows = await db.execute(query.order_by(columns.dossier_id, columns.deadline, columns.at))
    return [tuple(row) for row in rows]


async def test_each_rule_fires_at_its_moment_and_once(db: AsyncConnection) -> None:
    paper = await process(db)
    assert (paper.due_at, paper.late_at) == (DUE, MIDNIGHT)
    warned_at = paper.warn_at
    assert warned_at is not None
    assert NINE < warned_at < DUE
    assert await sweep(db, warned_at - MINUTE) == NONE_TOLD
    assert await sweep(db, warned_at) == {"term-near": 1, "term-late": 0}
    assert await sweep(db, warned_at) == NONE_TOLD
    assert await sweep(db, DUE) == NONE_TOLD
    assert await sweep(db, MIDNIGHT - MINUTE) == NONE_TOLD  # due today is not breached today
    assert await sweep(db, MIDNIGHT) == {"term-near": 0, "term-late": 1}
    assert await sweep(db, MIDNIGHT + timedelta(days=300)) == NONE_TOLD
    assert await told(db) == [("term-near", 1, DUE), ("term-late", 1, DUE)]
    alert = (await db.execute(sa.select(Alert).where(Alert.rule == "term-late"))).one()
    assert (alert.dossier_id, alert.at, alert.unit) == (paper.id, MIDNIGHT, "H42.05.01")


async def test_three_quarters_of_the_term_before_the_warning(db: AsyncConnection) -> None:
    """Of 6.5 hours on the day of receipt and five days of eight, 34 hours and 52 minutes."""
    paper = await process(db)
    assert paper.warn_at == at(4, "13:22")


async def test_two_days_late_tells_both_with_their_own_moments(db: AsyncConnection) -> None:
    paper = await process(db)
    assert await sweep(db, at(10)) == {"term-near": 1, "term-late": 1}
    moments = (await db.execute(sa.select(Alert.at).order_by(Alert.at))).scalars().all()
    assert moments == [paper.warn_at, paper.late_at]  # when it was, not when it was found
    assert await sweep(db, at(10)) == NONE_TOLD


async def test_a_new_version_of_the_deadline_is_told_anew(db: AsyncConnection) -> None:
    paper = await process(db)
    await sweep(db, MIDNIGHT)
    paper = await move(db, paper.code, Event.extend, at(8), **MORE)
    assert (paper.due_at, paper.deadline) == (at(9, "17:00"), 5)
    assert await sweep(db, at(8)) == {"term-near": 1, "term-late": 0}
    assert await sweep(db, at(9, "23:59")) == NONE_TOLD
    assert await sweep(db, at(10, "00:00")) == {"term-near": 0, "term-late": 1}
    assert await told(db) == [
        ("term-near", 1, DUE),
        ("term-late", 1, DUE),
        ("term-near", 5, at(9, "17:00")),
        ("term-late", 5, at(9, "17:00")),
    ]


async def test_an_extension_in_time_takes_the_breach_away(db: AsyncConnection) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.extend, at(7), **MORE)
    assert (await sweep(db, MIDNIGHT))["term-late"] == 0
    assert (await sweep(db, at(10, "00:00")))["term-late"] == 1


async def test_what_is_held_has_no_deadline_to_miss(db: AsyncConnection) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.request_supplement, at(1))
    assert await sweep(db, at(25)) == NONE_TOLD
    paper = await move(db, paper.code, Event.supplement, at(28))
    assert paper.due_at == at(32, "17:00")  # moved by the nineteen working days between
    assert await sweep(db, at(33, "00:00")) == {"term-near": 1, "term-late": 1}
    assert {version for _, version, _ in await told(db)} == {paper.deadline} == {6}


async def test_a_hold_that_moves_nothing_tells_nothing_twice(db: AsyncConnection) -> None:
    """Asked and answered after the breach: the deadline is the one that was missed."""
    paper = await process(db)
    await sweep(db, MIDNIGHT)
    await move(db, paper.code, Event.request_supplement, at(8, "09:00"))
    paper = await move(db, paper.code, Event.supplement, at(9, "10:00"))
    assert paper.due_at == DUE
    assert await sweep(db, at(10)) == NONE_TOLD


async def test_what_is_finished_is_not_late(db: AsyncConnection) -> None:
    result = await to_signature(db)
    await move(db, result.code, Event.return_result, at(2), Role.leader, **APPROVED)
    for event in (Event.withdraw, Event.stop):
        await move(db, (await process(db)).code, event, at(2))
    assert await sweep(db, at(100)) == NONE_TOLD


async def test_what_was_finished_late_before_anybody_looked_is_in_the_figures_only(
    db: AsyncConnection,
) -> None:
    paper = await to_signature(db)
    paper = await move(db, paper.code, Event.return_result, at(9), Role.leader, **APPROVED)
    assert paper.verdict == "late"
    assert await sweep(db, at(10)) == NONE_TOLD


async def test_what_is_taken_back_is_watched_again(db: AsyncConnection) -> None:
    paper = await to_signature(db)
    await move(db, paper.code, Event.return_result, at(2), Role.leader, **APPROVED)
    paper = await move(db, paper.code, Event.reopen, at(3))
    assert paper.due_at == DUE
    assert await sweep(db, MIDNIGHT) == {"term-near": 1, "term-late": 1}


async def test_without_a_term_there_is_nothing_to_miss(db: AsyncConnection) -> None:
    await process(db, TERMLESS)
    assert await sweep(db, at(900)) == NONE_TOLD


@pytest.mark.parametrize(
    ("procedure", "last", "first_late"),
    [
        (LICENCE, at(10, "23:59"), at(11, "00:00")),  # by the day
        (HOURLY, at(1, "09:00"), at(1, "09:01")),  # by the minute
    ],
)
async def test_a_breach_is_what_its_own_policy_calls_late(
    db: AsyncConnection, procedure: Procedure, last: datetime, first_late: datetime
) -> None:
    await process(db, procedure)
    assert (await sweep(db, last))["term-late"] == 0
    assert (await sweep(db, first_late))["term-late"] == 1


async def test_what_was_taken_over_is_watched_like_all_else(db: AsyncConnection) -> None:
    await ledger.adopt(db, BOOK, TAKEN, act(Event.adopt, NINE))
    assert await sweep(db, at(3, "23:59")) == {"term-near": 1, "term-late": 0}
    assert await sweep(db, at(4, "00:00")) == {"term-near": 0, "term-late": 1}


async def test_many_are_told_in_one_sweep_and_none_that_is_not_due(db: AsyncConnection) -> None:
    papers = [await receive(db, PERMIT, at(day)) for day in (0, 0, 1, 2)]
    assert (await sweep(db, MIDNIGHT))["term-late"] == 2
    assert (await sweep(db, at(9, "00:00")))["term-late"] == 1
    found = (
        await db.execute(sa.select(Alert.dossier_id).where(Alert.rule == "term-late"))
    ).scalars()
    assert sorted(found) == sorted(paper.id for paper in papers[:3])


async def test_two_sweeps_at_once_tell_it_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await process(db)
    async with fresh.connect() as slow, fresh.connect() as quick:
        assert await sweep(slow, MIDNIGHT) == {"term-near": 1, "term-late": 1}
        waiting = asyncio.create_task(sweep(quick, MIDNIGHT))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await slow.commit()
        assert await waiting == NONE_TOLD
        await quick.commit()
    async with fresh.begin() as db:
        assert len(await told(db)) == 2


async def test_what_a_killed_sweep_told_is_told_by_the_next(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await process(db)
    async with fresh.connect() as killed:
        await sweep(killed, MIDNIGHT)
        await killed.rollback()
    async with fresh.begin() as db:
        assert await sweep(db, MIDNIGHT) == {"term-near": 1, "term-late": 1}


def test_there_is_a_column_for_every_rule() -> None:
    assert {rule: column.name for (rule, _), column in sweeping.RULES.items()} == {
        "term-near": "warn_at", "term-late": "late_at",
    }  # fmt: skip
