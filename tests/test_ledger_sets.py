"""What SQL does to a thousand dossiers is what Python does to each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    BOOK,
    COMPLETE,
    NINE,
    PERMIT,
    TERMLESS,
    act,
    at,
    lodging,
    move,
    process,
    receive,
    wander,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_lifecycle import NOON, papers

from states import ledger, lifecycle
from states.errors import BadInput, NotOpen, Stale
from states.ledger import Act
from states.lifecycle import ROWS, Now
from states.tables import Dossier, Entry, Visit
from states.words import Event, Role, State

# Of a line: its number in the outbox, when the database heard of it, and what is hashed from that.
OWN = {"head", "hash", "prev", "recorded_at", "xact"}
CODES = sa.select(Dossier.code).order_by(Dossier.id)


async def test_guards_answer_the_same_in_python_and_in_sql(db: AsyncConnection) -> None:
    facts = papers(Random(3), 300, State.processing)
    kinds = Dossier.__table__.c
    names = sorted(vars(facts[0]))
    columns = [sa.column(name, kinds[name].type) for name in names]
    rows = sa.values(*columns, sa.column("n", sa.Integer), name="papers").data(
        [(*(vars(paper)[name] for name in names), n) for n, paper in enumerate(facts)]
    )
    # Nothing else tells the type of a column of parameters.
    typed = sa.select(rows.c.n, *(sa.cast(rows.c[n], kinds[n].type).label(n) for n in names)).cte()
    guarded = [(row, Now(NOON, role)) for row in ROWS if row.guard is not None for role in Role]
    answers = [
        sa.func.coalesce(row.holds(typed.c, now), False).label(f"answer_{n}")
        for n, (row, now) in enumerate(guarded)
    ]
    in_sql = (await db.execute(sa.select(*answers).order_by(typed.c.n))).all()
    in_python = [tuple(bool(row.holds(paper, now)) for row, now in guarded) for paper in facts]
    assert [tuple(each) for each in in_sql] == in_python
    held = {
        row.guard for each in in_python for (row, _), it in zip(guarded, each, strict=True) if it
    }
    assert held == {row.guard for row, _ in guarded}


# Sets against one by one --------------------------------------------------------------------


@asynccontextmanager
async def undone(db: AsyncConnection) -> AsyncIterator[None]:
    savepoint = await db.begin_nested()
    yield
    await savepoint.rollback()


async def all_rows(db: AsyncConnection) -> dict[str, list[dict[str, Any]]]:
    """Everything a move can change, but what depends on the hour of the machine."""
    told = {}
    for table, leave in ((Dossier, OWN), (Entry, OWN | {"id"}), (Visit, set())):
        found = await db.execute(sa.select(table).order_by(*table.__table__.primary_key))
        told[table.__name__] = [
            {name: row[name] for name in row if name not in leave} for row in found.mappings()
        ]
    return told


async def one_by_one(db: AsyncConnection, event: Event, when: datetime) -> int:
    moved = 0
    for code in (await db.execute(CODES)).scalars().all():
        paper, _ = await ledger.find(db, code)
        by_flow = Act(event=event, actor="system", role=Role.system, at=when)
        if paper.moved_at <= when and not lifecycle.why_not(paper, event, Now(when, Role.system)):
            await ledger.move(db, BOOK, code, by_flow)
            moved += 1
    return moved


async def test_a_set_moves_as_one_by_one(db: AsyncConnection) -> None:
    chance = Random(20)
    for n in range(80):
        await wander(db, chance, steps=n % 11)
    states = Counter((await db.execute(sa.select(Dossier.state))).scalars())
    assert set(states) == set(State)
    moved: Counter[Event] = Counter()
    for event in lifecycle.AUTOMATIC:
        for when in (at(2, "09:17"), at(20, "12:00"), at(200, "03:00")):
            async with undone(db):
                by_hand = await one_by_one(db, event, when)
                expected = await all_rows(db)
            async with undone(db):
                assert await ledger.move_all(db, BOOK, event, when) == by_hand
                assert await all_rows(db) == expected
            moved[event] += by_hand
    assert all(moved[event] >= 3 for event in lifecycle.AUTOMATIC), moved


async def test_nothing_open_moves_nothing(db: AsyncConnection) -> None:
    for event in lifecycle.AUTOMATIC:
        assert await ledger.move_all(db, BOOK, event, at(1)) == 0


@pytest.mark.parametrize("event", sorted(set(Event) - set(lifecycle.AUTOMATIC)))
async def test_what_people_do_is_refused(db: AsyncConnection, event: Event) -> None:
    with pytest.raises(BadInput, match=f"{event} is made by people"):
        await ledger.move_all(db, BOOK, event, at(1))


async def test_a_dossier_waits_for_the_moment_it_was_last_moved(db: AsyncConnection) -> None:
    for day in (1, 2, 3):
        await receive(db, when=at(day))
    assert await ledger.move_all(db, BOOK, Event.digitise, at(2)) == 2
    assert await ledger.move_all(db, BOOK, Event.digitise, at(3, "07:59")) == 0
    assert await ledger.move_all(db, BOOK, Event.digitise, at(3)) == 1


async def test_the_limit_is_kept_and_the_rest_follows(db: AsyncConnection) -> None:
    for _ in range(7):
        await receive(db)
    done = [await ledger.move_all(db, BOOK, Event.digitise, NINE, limit=3) for _ in range(4)]
    assert done == [3, 3, 1, 0]


async def test_incomplete_dossiers_stay(db: AsyncConnection) -> None:
    bare = await receive(db, payload={})
    await receive(db)
    assert await ledger.move_all(db, BOOK, Event.digitise, NINE) == 1
    paper, _ = await ledger.find(db, bare.code)
    assert (paper.state, paper.seq, paper.missing) == (State.received, 1, 2)


async def test_a_stage_without_a_term_has_no_due_moment(db: AsyncConnection) -> None:
    paper = await receive(db, TERMLESS)
    for event in (Event.digitise, Event.route, Event.accept):
        assert await ledger.move_all(db, BOOK, event, NINE) == 1
    paper, visit = await ledger.find(db, paper.code)
    assert paper.state is State.processing
    assert visit is not None
    assert (visit.code, visit.due_at, visit.person) == ("decide", None, None)


async def test_each_version_has_its_own_first_stage(db: AsyncConnection) -> None:
    first = PERMIT.stages[0]
    book = BOOK.with_next(PERMIT, stages=(PERMIT.stages[1], first))
    old = await receive(db)
    new = await ledger.open_(db, book, lodging(), act(Event.receive, NINE, payload=COMPLETE))
    assert (old.version, new.version) == (1, 2)
    for event in (Event.digitise, Event.route, Event.accept):
        assert await ledger.move_all(db, book, event, NINE) == 2
    visits = [(await ledger.find(db, paper.code))[1] for paper in (old, new)]
    assert [visit.code for visit in visits if visit] == ["appraise", "review"]
    assert [visit.due_at for visit in visits if visit] == [at(2, "17:00"), at(1, "17:00")]


async def test_the_set_says_what_lapsed(db: AsyncConnection) -> None:
    """Before receipt it is declined, after it stopped; the visit closes with it."""
    online = await ledger.open_(db, BOOK, lodging(), act(Event.register, NINE))
    asked = {"role": Role.reception}
    online = await move(db, online.code, Event.request_supplement, NINE, **asked)
    inside = await process(db)
    inside = await move(db, inside.code, Event.request_supplement, NINE)
    assert online.lapse_at == inside.lapse_at == at(30, "17:00")
    assert await ledger.move_all(db, BOOK, Event.lapse, at(30, "17:00")) == 0
    assert await ledger.move_all(db, BOOK, Event.lapse, at(30, "17:01")) == 2
    assert (await ledger.find(db, online.code))[0].state is State.declined
    paper, visit = await ledger.find(db, inside.code)
    assert (paper.state, paper.verdict, visit) == (State.stopped, "not_counted", None)


# Many workers -------------------------------------------------------------------------------


async def received(engine: AsyncEngine, count: int) -> None:
    async with engine.begin() as db:
        for _ in range(count):
            await receive(db)


async def test_workers_share_without_doubling(fresh: AsyncEngine) -> None:
    await received(fresh, 60)

    async def work() -> int:
        moved = 0
        while True:
            async with fresh.begin() as db:
                done = await ledger.move_all(db, BOOK, Event.digitise, NINE, limit=4)
            if not done:
                return moved
            moved += done

    shares = await asyncio.gather(*(work() for _ in range(4)))
    assert sum(shares) == 60
    assert sum(share > 0 for share in shares) >= 2
    async with fresh.begin() as db:
        assert Counter((await db.execute(sa.select(Entry.seq))).scalars()) == {1: 60, 2: 60}
        assert (await ledger.verify(db, BOOK)).faults == []


async def test_a_worker_passes_by_what_another_holds(fresh: AsyncEngine) -> None:
    await received(fresh, 5)
    async with fresh.connect() as slow, fresh.connect() as quick:
        assert await ledger.move_all(slow, BOOK, Event.digitise, NINE, limit=2) == 2
        async with asyncio.timeout(5):
            assert await ledger.move_all(quick, BOOK, Event.digitise, NINE) == 3
        await quick.commit()
        await slow.rollback()
    async with fresh.begin() as db:  # what was dropped is taken by the next
        assert await ledger.move_all(db, BOOK, Event.digitise, NINE) == 2


async def test_a_clerk_and_a_set_do_not_both_move(fresh: AsyncEngine) -> None:
    await received(fresh, 20)
    codes = [f"H42.14-240304-{n:04}" for n in range(1, 21)]

    async def clerk(code: str) -> bool:
        try:
            async with fresh.begin() as db:
                await move(db, code, Event.digitise, NINE, seq=1)
        except (Stale, NotOpen):
            return False
        return True

    async def flow() -> int:
        async with fresh.begin() as db:
            return await ledger.move_all(db, BOOK, Event.digitise, NINE)

    by_flow, *by_clerks = await asyncio.gather(flow(), *(clerk(code) for code in codes))
    assert by_flow + sum(by_clerks) <= 20
    async with fresh.begin() as db:
        rest = await ledger.move_all(db, BOOK, Event.digitise, NINE)
        assert by_flow + sum(by_clerks) + rest == 20
        assert set((await db.execute(sa.select(Dossier.seq))).scalars()) == {2}
        assert (await ledger.verify(db, BOOK)).faults == []


async def test_a_set_is_one_moment_in_the_books(db: AsyncConnection) -> None:
    """Its lines say what a line of the same act by one would say."""
    paper = await receive(db)
    await ledger.move_all(db, BOOK, Event.digitise, NINE + timedelta(microseconds=1))
    line = (await db.execute(sa.select(Entry).where(Entry.seq == 2))).mappings().one()
    assert (line["actor"], line["role"], line["key"]) == ("system", Role.system, None)
    assert line["at"] == NINE + timedelta(microseconds=1)
    assert line["prev"] == paper.head
    assert line["payload"] == '{"act":{},"clock":{}}'
