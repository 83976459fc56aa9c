"""Versions and dossiers: pinned at receipt, moved by nobody but a migration or a correction."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    BOOK,
    LICENCE,
    NINE,
    PERMIT,
    Procedure,
    Shelf,
    Stage,
    act,
    at,
    lines,
    lodging,
    move,
    process,
    receive,
    visits,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger
from states.clock import Term
from states.errors import BadInput
from states.ledger import Act
from states.ledger.many import move_many
from states.ledger.migration import LosesPromise
from states.ledger.routing import QUEUE
from states.ledger.statements import d
from states.tables import Dossier, Entry
from states.words import Event, Role

SHORTER = BOOK.with_next(PERMIT, term=Term.parse("3wd"))
LONGER = BOOK.with_next(PERMIT, term=Term.parse("8wd"))
SAID = {"reason": "phiên bản mới", "ground": "QĐ 12/2024"}


async def migrate(
    db: AsyncConnection, code: str, book: Shelf, version: int = 2, **payload: Any
) -> Dossier:
    new = {"version": version, **payload}
    return await move(db, code, Event.migrate, at(1), Role.control, book=book, payload=new, **SAID)


async def holds(db: AsyncConnection, book: Shelf) -> None:
    assert (await ledger.verify(db, book)).faults == []


# Pinned at receipt --------------------------------------------------------------------------


async def test_a_new_version_binds_what_comes_after_it_only(db: AsyncConnection) -> None:
    before = await receive(db)
    book = SHORTER
    opened = act(Event.receive, at(0, "10:00"), payload={"components": {}})
    after = await ledger.open_(db, book, lodging(), opened)
    assert (before.version, before.term, after.version, after.term) == (1, "5wd", 2, "3wd")
    await move(db, before.code, Event.withdraw, at(1), book=book)
    await holds(db, book)
    assert '"pin":{"version":2,"calendar":"week@1"' in (await lines(db, after))[0].payload


async def test_a_corrected_calendar_moves_a_dossier_by_an_entry_only(db: AsyncConnection) -> None:
    paper = await process(db)
    promised, [visit] = paper.due_at, await visits(db, paper)
    book = replace(BOOK, calendars=tuple(reversed(BOOK.calendars)))  # the correction is in force
    assert (await move(db, paper.code, Event.extend, at(1), book=book,
                       payload={"term": "1wd"})).calendar_version == "1"  # fmt: skip
    paper = await move(
        db, paper.code, Event.recompute, at(1), Role.control, book, payload={"calendar": "week@2"}
    )
    assert promised is not None
    assert paper.due_at == promised + timedelta(days=2)  # a day more, and one less to work
    assert paper.due_original == promised
    assert (await visits(db, paper))[0].due_at == visit.due_at + timedelta(days=1)
    await holds(db, book)


async def test_a_closed_dossier_is_read_again_by_a_restatement(db: AsyncConnection) -> None:
    hourly = BOOK.procedures[2]
    paper = await process(db, hourly, at(1, "16:00"))
    done = {"payload": {"outcome": "approved"}}
    paper = await move(db, paper.code, Event.return_result, at(3), Role.officer, **done)
    assert paper.verdict == "late"
    told = {"calendar": "week@2"}
    paper = await move(db, paper.code, Event.restate, at(9), Role.control, payload=told)
    assert paper.verdict == "early"
    assert '"was":{"due":' in (await lines(db, paper))[-1].payload
    await holds(db, BOOK)


# Migrated -----------------------------------------------------------------------------------


async def test_a_migration_moves_the_term_and_keeps_the_stage(db: AsyncConnection) -> None:
    paper = await process(db)
    first = paper.due_at
    paper = await migrate(db, paper.code, SHORTER)
    assert (paper.version, paper.term, paper.stage) == (2, "3wd", 0)
    assert paper.due_at is not None
    assert first is not None
    assert (paper.due_at, paper.due_original) == (first - timedelta(days=4), first)
    assert len(await visits(db, paper)) == 1
    await holds(db, SHORTER)


async def test_a_citizen_loses_no_promise_without_a_second_person(db: AsyncConnection) -> None:
    paper = await process(db)
    for second in ({}, {"second": "a control"}):
        with pytest.raises(LosesPromise, match="consent of a second person"):
            await migrate(db, paper.code, LONGER, **second)
    assert (await migrate(db, paper.code, LONGER, second="somebody else")).term == "8wd"
    await holds(db, LONGER)


async def test_a_migration_is_taken_back_to_the_letter(db: AsyncConnection) -> None:
    fewer = replace(PERMIT.supplement, times=0)
    book = BOOK.with_next(
        PERMIT, term=Term.parse("3wd"), supplement=fewer, stages=PERMIT.stages[1:]
    )
    paper = await process(db)
    before = vars(paper).copy()
    paper = await migrate(db, paper.code, book, stage=0)
    assert (paper.stages, paper.supplements_left, paper.stage_role) == (2, 0, Role.leader)
    paper = await migrate(db, paper.code, book, version=1, undoes=paper.seq)
    changed = {name for name, value in before.items() if getattr(paper, name) != value}
    assert changed == {"seq", "head", "moved_at", "deadline"}
    with pytest.raises(BadInput, match="before the next move only"):
        await migrate(db, paper.code, book, version=2, undoes=paper.seq)
    await holds(db, book)


async def test_a_later_move_ends_the_way_back(db: AsyncConnection) -> None:
    paper = await migrate(db, (await process(db)).code, SHORTER)
    undoes = paper.seq
    await move(db, paper.code, Event.request_payment, at(1), book=SHORTER, payload={"amount": 1})
    with pytest.raises(BadInput, match="the dossier was moved since"):
        await migrate(db, paper.code, SHORTER, version=1, undoes=undoes)


async def test_a_stage_without_a_like_must_be_named(db: AsyncConnection) -> None:
    book = BOOK.with_next(PERMIT, stages=(Stage("decide", Role.officer, Term.parse("1wd")),))
    paper = await process(db)
    with pytest.raises(BadInput, match="stage appraise has no like in version 2"):
        await migrate(db, paper.code, book)
    assert (await migrate(db, paper.code, book, stage=0)).ends


# Branches -----------------------------------------------------------------------------------

DAY = Term.parse("1wd")
BRANCHED = Procedure(
    "1.000009",
    Term.parse("5wd"),
    (
        Stage("appraise", Role.officer, DAY, next=(1, 2, -1)),
        Stage("verify", Role.officer, DAY, produces=("minutes",)),
        Stage("sign", Role.officer, DAY, needs=("minutes",)),
    ),
)
BRANCHES = Shelf((*BOOK.procedures, BRANCHED))


async def branched(db: AsyncConnection) -> Dossier:
    opened = act(Event.receive, NINE)
    paper = await ledger.open_(db, BRANCHES, lodging(BRANCHED), opened)
    for event in (Event.digitise, Event.route, Event.accept):
        paper = await move(db, paper.code, event, NINE, book=BRANCHES)
    return paper


async def test_where_several_stages_follow_one_is_chosen(db: AsyncConnection) -> None:
    paper = await branched(db)
    assert paper.leads
    assert paper.ends
    with pytest.raises(BadInput, match=r"several stages are open: name one .* 1 \(verify\), 2"):
        await move(db, paper.code, Event.advance, at(1), book=BRANCHES)
    with pytest.raises(BadInput, match="stage sign needs minutes"):
        await move(db, paper.code, Event.advance, at(1), book=BRANCHES, payload={"stage": 2})
    await move(db, paper.code, Event.advance, at(1), book=BRANCHES, payload={"stage": 1})
    made = {"produced": ["minutes"]}
    paper = await move(db, paper.code, Event.advance, at(1), book=BRANCHES, payload=made)
    assert (paper.stage, paper.leads, paper.ends) == (2, False, True)
    await holds(db, BRANCHES)


# Routed -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    received_at: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    unit: str | None = None
    person: str | None = None
    least_loaded: bool = False


def ruled(*rules: Rule, unit: str | None = None) -> tuple[Procedure, Shelf]:
    stage = replace(BRANCHED.stages[0], next=None, routes=rules, unit=unit)  # type: ignore[arg-type]
    procedure = replace(BRANCHED, stages=(stage,))
    return procedure, Shelf((*BOOK.procedures, procedure))


async def taken_in(db: AsyncConnection, procedure: Procedure, book: Shelf, many: int) -> list[Any]:
    for n in range(many):
        place = {"place": "duy-tien"} if n % 2 else {}
        await ledger.open_(db, book, lodging(procedure, **place), act(Event.receive, NINE))
    for event in (Event.digitise, Event.route, Event.accept):
        assert await ledger.move_all(db, book, event, NINE) == many or event is Event.accept
    return list((await db.execute(sa.select(Dossier).order_by(Dossier.id))).all())


async def test_work_is_shared_out_by_load_and_the_entry_says_why(db: AsyncConnection) -> None:
    procedure, book = ruled(Rule(least_loaded=True), unit="H42.05.01")
    papers = await taken_in(db, procedure, book, 9)
    given = [[visit.person for visit in await visits(db, paper)] for paper in papers]
    assert sorted(each for [each] in given) == ["one"] * 3 + ["three"] * 3 + ["two"] * 3
    told = [(await lines(db, paper))[2].payload for paper in papers]
    assert all("in hand, least of 3" in each for each in told)
    await holds(db, book)


async def test_what_no_rule_catches_lies_in_the_agency_s_queue(db: AsyncConnection) -> None:
    procedure, book = ruled(Rule(place=("duy-tien",), unit="H42.05.02", person="two"))
    papers = await taken_in(db, procedure, book, 4)
    units = [paper.unit for paper in papers]
    assert units == ["H42.05", "H42.05.02", "H42.05", "H42.05.02"]
    assert [paper.state for paper in papers] == ["routed", "processing"] * 2
    queued = papers[0]
    assert QUEUE in (await lines(db, queued))[2].payload
    with pytest.raises(BadInput, match="say which unit takes it in"):
        await move(db, queued.code, Event.accept, at(1), book=book)
    unit = {"unit": "H42.05.01"}
    paper = await move(db, queued.code, Event.accept, at(1), book=book, payload=unit)
    assert (paper.unit, paper.state) == ("H42.05.01", "processing")
    await holds(db, book)


# Many at once -------------------------------------------------------------------------------


async def test_many_are_moved_as_one_is(db: AsyncConnection) -> None:
    codes = [(await process(db, each)).code for each in (PERMIT, LICENCE, PERMIT)]
    stop = Act(event=Event.stop, actor="lead", role=Role.leader, at=at(1), **SAID)
    one = await ledger.move(db, BOOK, codes[0], stop)
    others = await move_many(db, BOOK, d.code.in_(codes[1:]), lambda *_: stop)
    assert [each.refused for each in others] == [None, None]
    rows = (await db.execute(sa.select(Dossier).order_by(Dossier.id))).all()
    assert {(row.state, row.verdict, row.finished_at) for row in rows} == {
        (one.state, one.verdict, one.finished_at)
    }
    await holds(db, BOOK)


async def test_of_many_the_refused_stay_as_they_were(db: AsyncConnection) -> None:
    there = await process(db, LICENCE)
    early = await receive(db)
    back = {"payload": {"outcome": "approved"}, **SAID}
    result = Act(event=Event.return_result, actor="x", role=Role.officer, at=at(1), **back)
    told = await move_many(db, BOOK, d.code.in_([there.code, early.code]), lambda *_: result)
    assert {each.code: each.refused is None for each in told} == {
        there.code: True,
        early.code: False,
    }
    count = sa.select(sa.func.count()).where(Entry.dossier_id == early.id)
    assert (await db.execute(count)).scalar_one() == 1
    await holds(db, BOOK)
