"""Many moves asked for at once are the same moves asked for one after another."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    APPRAISED,
    BOOK,
    LICENCE,
    NINE,
    PERMIT,
    TERMLESS,
    Shelf,
    act,
    at,
    brings,
    process,
    receive,
    wander,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger, lifecycle
from states.errors import HosoError, KeyReused, NotOpen, NotYours, Outdated, Stale, Unknown
from states.ledger import Act
from states.ledger.bulk import NEVER, Told, Wanted, derived, move_each, move_together
from states.ledger.statements import d
from states.lifecycle import Now
from states.tables import Dossier, Entry, Visit
from states.words import Event, Role, State

# Of a line: its number in the outbox, when the database heard of it, and what is hashed from that.
OWN = {"head", "hash", "prev", "recorded_at", "xact"}
SEEN = d.procedure != TERMLESS.code  # the caller's sight
FREE = SimpleNamespace(
    received_at=(), place=(), field=(), channel=(), unit=None, person=None, least_loaded=True
)
STAGES = tuple(replace(each, routes=(FREE,)) for each in PERMIT.stages)
BALANCED = Shelf(
    procedures=(replace(PERMIT, stages=STAGES), *BOOK.procedures[1:]),
    staff=("an officer", "two", "three"),
)


def why_not(paper: Dossier, event: Event) -> str | None:
    """As `people.may`: a matter of where the dossier lies, which moves change."""
    return f"it lies in {paper.unit}" if paper.unit == "H42.05.09" else None


# The same as one by one ---------------------------------------------------------------------


async def alone(db: AsyncConnection, book: ledger.Book, wanted: Sequence[Wanted]) -> list[Told]:
    """As the door for one move does it."""
    told = []
    for each in wanted:
        try:
            async with db.begin_nested():
                told.append(Told(each.code, await _alone(db, book, each)))
        except HosoError as error:
            try:
                paper, _ = await _find(db, each.code)
            except Unknown:
                paper = None
            told.append(Told(each.code, paper, error))
    return told


async def _alone(db: AsyncConnection, book: ledger.Book, each: Wanted) -> Dossier:
    paper, _ = await _find(db, each.code)
    why = why_not(paper, each.act.event)
    known = paper.seq if each.act.seq is None else each.act.seq
    try:
        asked = replace(each.act, seq=known if why is None else NEVER)
        return await ledger.move(db, book, each.code, asked)
    except (NotOpen, Stale):
        if why is None:
            raise
        raise NotYours(f"{each.act.event} is not open to you: {why}") from None


async def _find(db: AsyncConnection, code: str) -> tuple[Dossier, Any]:
    paper, present = await ledger.find(db, code)
    if paper.procedure == TERMLESS.code:
        raise Unknown(f"there is no dossier {code[:60]}: check the code on the slip")
    return paper, present


def plain(told: Sequence[Told]) -> list[Any]:
    return [
        (
            each.code,
            each.paper and (each.paper.state, each.paper.seq, each.paper.due_at),
            each.refused and (type(each.refused), str(each.refused)),
        )
        for each in told
    ]


async def rows(db: AsyncConnection) -> list[Any]:
    """All there is of dossiers, visits and lines, but what is a line's own."""
    found: list[Any] = []
    for table, order in ((Dossier, "id"), (Visit, "dossier_id, visit"), (Entry, "dossier_id, seq")):
        own = OWN | ({"id"} if table is Entry else set())
        asked = sa.select(table).order_by(sa.text(order))
        kept = (await db.execute(asked)).mappings()
        found += [{name: row[name] for name in row if name not in own} for row in kept]
    return found


def random_act(chance: Random, paper: Dossier, when: datetime) -> Act:
    open_now = [
        (event, role) for role in Role for event in lifecycle.open_to(paper, Now(when, role))
    ]
    event, role = chance.choice(list(Event)), chance.choice(list(Role))
    if open_now and chance.random() < 0.8:
        event, role = chance.choice(open_now)
    if event in {Event.migrate, Event.adopt}:
        event = Event.withdraw
    procedure = BALANCED.procedure(paper.procedure)
    in_stage = paper.stage >= 0 or event not in {
        Event.advance, Event.send_back, Event.return_result,
    }  # fmt: skip
    payload = brings(chance, event, procedure, paper) if in_stage else {}
    payload.pop("person", None)
    return Act(
        event=event,
        actor=chance.choice(["an officer", "two"]),
        role=role,
        at=when + timedelta(minutes=chance.choice([0, 0, 5, -2, -600])),
        payload=payload if chance.random() < 0.95 else {"strange": 1},
        reason="vì thế" if chance.random() < 0.9 else None,
        ground="61/2018/NĐ-CP Điều 19",
        key=chance.choice([None, None, None, *"abcdefgh", "k" * 201]),
        seq=chance.choice([None, None, None, None, paper.seq, paper.seq + 1, 1]),
    )


@pytest.mark.parametrize("seed", range(12))
async def test_in_bulk_is_one_after_another(db: AsyncConnection, seed: int) -> None:
    """The same rows, the same answers and the same refusals."""
    chance = Random(seed)
    papers = [await wander(db, chance, chance.randrange(1, 8)) for _ in range(14)]
    papers += [await process(db, PERMIT, at(0)) for _ in range(3)]
    papers += [await process(db, LICENCE, at(0)) for _ in range(2)]
    when = max(paper.moved_at for paper in papers) + timedelta(minutes=3)
    wanted = []
    for _ in range(100):
        paper = chance.choice(papers)
        code = paper.code if chance.random() < 0.95 else chance.choice(["H42.14-1", "a\0b"])
        wanted.append(Wanted(code, random_act(chance, paper, when)))
        if chance.random() < 0.1:
            wanted.append(wanted[-1])

    savepoint = await db.begin_nested()
    one_by_one = plain(await alone(db, BALANCED, wanted))
    left = await rows(db), faults(await ledger.verify(db, BALANCED))
    await savepoint.rollback()
    assert 6 < sum(refused is None for *_, refused in one_by_one) < len(wanted) - 10

    assert plain(await move_each(db, BALANCED, wanted, why_not, SEEN)) == one_by_one
    assert (await rows(db), faults(await ledger.verify(db, BALANCED))) == left


def faults(report: ledger.Report) -> list[str]:
    """Those of the projection: the small past was made by other rules of routing."""
    assert all(each.seq == 0 for each in report.faults), report.faults
    return [str(each) for each in report.faults]


async def test_the_same_dossier_twice_is_moved_in_order(db: AsyncConnection) -> None:
    paper = await receive(db)
    steps = (Event.digitise, Event.route, Event.accept, Event.accept)
    wanted = [Wanted(paper.code, act(event, NINE)) for event in steps]
    told = await move_each(db, BOOK, wanted, lambda *_: None)
    assert [each.paper.seq for each in told if each.paper] == [2, 3, 4, 4]
    assert [type(each.refused) for each in told[:3]] == [type(None)] * 3
    assert isinstance(told[3].refused, NotOpen)
    assert (await ledger.verify(db, BOOK)).faults == []


async def test_work_is_balanced_within_one_request(db: AsyncConnection) -> None:
    """Each that goes on counts for the next, and what was handed on counts no more."""
    papers = [await process(db, PERMIT, at(0)) for _ in range(9)]
    wanted = [Wanted(paper.code, act(Event.advance, at(1), **APPRAISED)) for paper in papers]
    assert all(t.refused is None for t in await move_each(db, BALANCED, wanted, lambda *_: None))
    held = sa.select(Visit.person, sa.func.count()).where(Visit.closed_at.is_(None))
    counts = (await db.execute(held.group_by(Visit.person))).all()
    assert dict(map(tuple, counts)) == {"an officer": 3, "two": 3, "three": 3}


# What it costs ------------------------------------------------------------------------------


@contextmanager
def statements(db: AsyncConnection) -> Iterator[list[str]]:
    """All that goes to the database: by SQLAlchemy, by the driver itself, and savepoints."""
    told: list[str] = []
    connection = db.sync_connection
    assert connection is not None
    driver: Any = connection.connection.driver_connection

    def hear(query: Any) -> None:
        told.append(query.query)

    def heard(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    driver.add_query_logger(hear)
    sa.event.listen(connection, "before_cursor_execute", heard)
    try:
        yield told
    finally:
        driver.remove_query_logger(hear)
        sa.event.remove(connection, "before_cursor_execute", heard)


@pytest.mark.parametrize("many", [10, 100])
async def test_a_hundred_take_as_many_statements_as_ten(db: AsyncConnection, many: int) -> None:
    papers = [await receive(db) for _ in range(many + 1)]
    wanted = [
        Wanted(paper.code, act(Event.digitise, NINE, key=derived("k", n)))
        for n, paper in enumerate(papers)
    ]
    # The driver asks for the types of arrays once in a connection's life.
    await move_each(db, BOOK, [wanted.pop()], lambda *_: None)
    with statements(db) as told:
        made = await move_each(db, BOOK, wanted, lambda *_: None)
    assert all(each.refused is None for each in made)
    # Savepoint, lock, read, keys, write, notify, release.
    assert len(told) == 7, told


# All or none --------------------------------------------------------------------------------


async def test_together_is_all_or_none_and_every_refusal_is_told(db: AsyncConnection) -> None:
    papers = [await receive(db) for _ in range(4)]
    wanted = [Wanted(each.code, act(Event.digitise, NINE, key=each.code)) for each in papers]
    wanted += [
        Wanted("H42.14-1", act(Event.digitise, NINE)),
        Wanted(papers[0].code, act(Event.digitise, NINE)),
        Wanted(papers[1].code, act(Event.route, NINE)),
    ]
    before = await rows(db)
    told, whole = await move_together(db, BOOK, wanted, lambda *_: None)
    assert not whole
    assert await rows(db) == before
    assert [type(each.refused) for each in told[4:]] == [Unknown, NotOpen, type(None)]
    told, whole = await move_together(db, BOOK, [*wanted[:4], wanted[6]], lambda *_: None)
    assert whole
    assert [each.paper.state for each in told if each.paper] == [State.digitised] * 4 + [
        State.routed
    ]
    assert [row["seq"] for row in await rows(db) if "head" in row] == []


async def test_nothing_asked_for_is_nothing_done(db: AsyncConnection) -> None:
    assert await move_each(db, BOOK, [], lambda *_: None) == []
    assert await move_together(db, BOOK, [], lambda *_: None) == ([], True)


async def test_what_is_received_under_an_old_catalogue_is_refused(db: AsyncConnection) -> None:
    registered = act(Event.register, NINE, Role.citizen)
    lodged = await ledger.open_(db, BOOK, ledger.Lodging(
        unit="H42.14", procedure=LICENCE.code, channel="online", applicant="Nguyễn Thị Ánh",
    ), registered)  # fmt: skip
    other = await receive(db)
    wanted = [
        Wanted(lodged.code, act(Event.receive, at(1))),
        Wanted(other.code, act(Event.digitise, at(1))),
    ]
    told = await move_each(db, replace(BOOK, edition=-1), wanted, lambda *_: None)
    assert isinstance(told[0].refused, Outdated)
    assert told[1].refused is None


# At once ------------------------------------------------------------------------------------


async def test_a_bulk_that_waited_behind_a_move_judges_what_that_left(fresh: AsyncEngine) -> None:
    """It waits for the lock, and then reads the dossier with the visit it is in by then."""
    async with fresh.begin() as db:
        papers = [await process(db, PERMIT, at(0)) for _ in range(3)]
    wanted = [Wanted(p.code, act(Event.advance, at(2), **APPRAISED)) for p in papers]
    forward = {"role": Role.officer, **APPRAISED}
    async with fresh.connect() as first:
        await ledger.move(first, BOOK, papers[1].code, act(Event.advance, at(1), **forward))

        async def bulk() -> list[Told]:
            async with fresh.begin() as db:
                return await move_each(db, BOOK, wanted, lambda *_: None)

        waiting = asyncio.create_task(bulk())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.3)
        await first.commit()
        told = await waiting
    assert [type(each.refused) for each in told] == [type(None), NotOpen, type(None)]
    assert [each.paper.seq for each in told if each.paper] == [5, 5, 5]
    async with fresh.begin() as db:
        assert (await ledger.verify(db, BOOK)).faults == []


async def test_two_bulks_in_opposite_order_do_not_wait_for_each_other(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        papers = [await receive(db) for _ in range(40)]

    async def bulk(codes: list[str]) -> list[Told]:
        async with fresh.begin() as db:
            wanted = [Wanted(code, act(Event.digitise, NINE)) for code in codes]
            return await move_each(db, BOOK, wanted, lambda *_: None)

    codes = [paper.code for paper in papers]
    for told in zip(*await asyncio.gather(bulk(codes), bulk(codes)), strict=True):
        assert sum(each.refused is None for each in told) == 1
    first, second = await asyncio.gather(bulk(codes), bulk(codes[::-1]))
    assert all(isinstance(each.refused, NotOpen) for each in (*first, *second))


async def test_a_key_that_somebody_uses_meanwhile_is_found(fresh: AsyncEngine) -> None:
    """On another dossier, so that no lock is waited for: the key's index decides."""
    async with fresh.begin() as db:
        one, other, third = [await receive(db) for _ in range(3)]
    async with fresh.connect() as first:
        digitise = act(Event.digitise, NINE, key="k")
        await ledger.move(first, BOOK, one.code, digitise)

        async def bulk() -> list[Told]:
            async with fresh.begin() as db:
                wanted = [Wanted(third.code, replace(digitise, key=None))]
                wanted.append(Wanted(other.code, digitise))
                return await move_each(db, BOOK, wanted, lambda *_: None)

        waiting = asyncio.create_task(bulk())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.3)
        await first.commit()
        told = await waiting
    assert [type(each.refused) for each in told] == [type(None), KeyReused]
    async with fresh.begin() as db:
        assert (await ledger.find(db, other.code))[0].seq == 1
        assert (await ledger.find(db, third.code))[0].seq == 2


async def test_sent_again_it_answers_the_same_and_writes_nothing(db: AsyncConnection) -> None:
    papers = [await receive(db) for _ in range(3)]
    wanted = [
        Wanted(paper.code, act(Event.digitise, NINE, key=derived("k", n)))
        for n, paper in enumerate(papers)
    ]
    first = plain(await move_each(db, BOOK, wanted, lambda *_: None))
    kept = await rows(db)
    later = [replace(each, act=replace(each.act, at=at(1))) for each in wanted]
    assert plain(await move_each(db, BOOK, later, lambda *_: "not any more")) == first
    assert await rows(db) == kept


def test_keys_of_one_request_are_all_different_and_short() -> None:
    keys = {derived(key, n) for key in ("k", "k1", "x" * 200) for n in range(1_000)}
    assert len(keys) == 3_000
    assert {len(key) for key in keys} == {64}
