"""Simulation on history: told again by hand, never towards early by less, and nothing written."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from asyncpg.exceptions import ReadOnlySQLTransactionError
from book import (
    BOOK,
    CALENDAR,
    CORRECTED,
    DAYS,
    HANOI,
    HOURLY,
    LICENCE,
    MONDAY,
    PERMIT,
    TAKEN,
    TERMLESS,
    Extension,
    Procedure,
    Stage,
    Supplement,
    act,
    at,
    brings,
    lines,
    lodging,
    move,
    process,
    receive,
    visits,
)
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

from api.cli import simulating
from api.cli.output import as_json
from states import catalogue, clock, ledger, lifecycle, pilot
from states.catalogue import Name
from states.catalogue.organisation import Place
from states.catalogue.procedures import OtherTerm
from states.clock import Calendar, Facts, Kind, Policy, Term, Verdict
from states.errors import BadInput
from states.ledger import driving
from states.ledger.statements import d
from states.lifecycle import HELD, Now
from states.simulation import (
    CLASSES,
    Disallowed,
    LeftOut,
    Reread,
    Simulation,
    StageCount,
    running,
    shortened,
    simulate,
)
from states.simulation.history import read_only
from states.tables import Dossier
from states.words import Channel, Event, Role, State, Tally

SINCE, UNTIL = at(-30), at(400)
GRANTED = {"payload": {"outcome": "approved"}}
CATALOGUE = catalogue.load()
YEAR = datetime(2023, 1, 1, tzinfo=HANOI), datetime(2024, 1, 1, tzinfo=HANOI)
SAMPLE = CATALOGUE.procedure("1.003659")  # thirty calendar days, three stages
SIDES = ("before", "after")
GRADES = {Tally.early: 0, Tally.on_time: 1, Tally.late: 2}


async def over(db: AsyncConnection, draft: Any, book: Any = BOOK, **more: Any) -> Simulation:
    return await simulate(db, book, draft, SINCE, UNTIL, **more)


def counts(made: Simulation) -> dict[tuple[str, str], int]:
    """The matrix without its noughts."""
    return {way: n for way, n in made.matrix.items() if n}


def term(text: str, procedure: Procedure = PERMIT) -> Procedure:
    return replace(procedure, version=procedure.version + 1, term=Term.parse(text))


# Dossiers with a past -----------------------------------------------------------------------

DETOURS = (
    Event.request_supplement,
    Event.supplement,
    Event.request_payment,
    Event.pay,
    Event.extend,
    Event.advance,
    Event.send_back,
)
ONWARD = (Event.supplement, Event.pay, Event.advance, Event.return_result)
STEPS = [timedelta(minutes=n) for n in (0, 20, 300, 1_000, 1_500, 3_000, 6_000)]


async def lived(db: AsyncConnection, chance: Random, procedure: Procedure) -> Dossier:
    """A dossier with a result, after some detours by lot; one in six has two results."""
    when = at(chance.randrange(60), f"{chance.randrange(24):02}:{chance.randrange(60):02}")
    paper = await process(db, procedure, when)
    for _ in range(chance.randrange(8)):
        paper = await step(db, chance, procedure, paper, DETOURS)
    paper = await finish(db, chance, procedure, paper)
    if chance.random() < 1 / 6:
        paper = await step(db, chance, procedure, paper, {Event.reopen})
        paper = await finish(db, chance, procedure, paper)
    return paper


async def finish(
    db: AsyncConnection, chance: Random, procedure: Procedure, paper: Dossier
) -> Dossier:
    while paper.state is not State.result_returned:
        paper = await step(db, chance, procedure, paper, ONWARD)
    return paper


async def step(
    db: AsyncConnection, chance: Random, procedure: Procedure, paper: Dossier, of: Iterable[Event]
) -> Dossier:
    """One move by lot among those that are open, some time later."""
    when = paper.moved_at + chance.choice(STEPS)
    may = {event: role for role in Role for event in lifecycle.open_to(paper, Now(when, role))}
    if not (wanted := [event for event in of if event in may]):
        return paper
    event = chance.choice(wanted)
    payload = brings(chance, event, procedure, paper)
    return await move(db, paper.code, event, when, may[event], payload=payload)


# By hand ------------------------------------------------------------------------------------


@dataclass
class Told:
    """What the lines of a dossier say happened to its clock, whatever its projection says."""

    received: datetime
    finished: datetime
    holds: list[tuple[datetime, datetime | None]]
    restarts: list[datetime]
    extend: list[Term]

    def begun(self, since: datetime, until: datetime) -> datetime | None:
        """The last time it began again between the two."""
        return max((each for each in self.restarts if since <= each <= until), default=None)


async def told(db: AsyncConnection, paper: Dossier, mode: str) -> Told:
    """Read off the states between the lines; the supplement begins again if `mode` says so."""
    found = await lines(db, paper)
    received = next(line.at for line in found if line.event is Event.receive)
    finished = [line.at for line in found if line.event is Event.return_result][-1]
    made = Told(received, finished, [], [], [])
    for line, after in pairwise(found):
        if line.dest in HELD:
            made.holds.append((line.at, after.at))
    for line in found:
        if line.event is Event.supplement and line.dest is State.processing and mode == "restart":
            made.restarts.append(line.at)
        if line.event is Event.extend:
            made.extend.append(Term.parse(json.loads(line.payload)["act"]["term"]))
    return made


async def by_hand(
    db: AsyncConnection, papers: list[Dossier], draft: Procedure, calendar: Calendar
) -> tuple[list[Reread], dict[str, tuple[int, int, int]]]:
    """Every dossier read by the clock as its lines have it, one by one, and every visit."""
    read: list[Reread] = []
    stages: dict[str, Counter[str]] = {stage.code: Counter() for stage in draft.stages}
    for paper in papers:
        was = await told(db, paper, draft.supplement.mode)
        holds, extend = tuple(was.holds), tuple(was.extend)
        begun = was.begun(was.received, was.finished)
        facts = Facts(was.received, holds, begun, extend, was.finished)
        reading = clock.read(draft.term, calendar, facts, draft.policy, was.finished)
        assert paper.verdict is not None
        due = reading.due
        past = calendar.position(was.finished) - calendar.position(due) if due else 0
        read.append(
            Reread(paper.code, was.received, was.finished, paper.verdict, Tally(reading.verdict),
                   paper.due_at, due, max(0, past))
        )  # fmt: skip
        for visit in await visits(db, paper):
            stage = next(each for each in draft.stages if each.code == visit.code)
            begun = was.begun(visit.opened_at, visit.closed_at)
            held = tuple(span for span in holds if span[1] and span[1] > visit.opened_at)
            facts = Facts(visit.opened_at, held, begun, (), visit.closed_at)
            now = clock.read(stage.term, calendar, facts, draft.policy, visit.closed_at).verdict
            late = {"visits": 1, "was": visit.verdict is Tally.late, "is": now is Verdict.late}
            stages[visit.code].update(late)
    return read, {code: (n["visits"], n["was"], n["is"]) for code, n in stages.items()}


DRAFTS: dict[Procedure, list[dict[str, Any]]] = {
    PERMIT: [
        {},
        {"term": Term.parse("3wd")},
        {"term": Term.parse("12wh"), "policy": Policy.instant},
        {"supplement": Supplement(1, "restart"), "term": Term.parse("4wd")},
        {"stages": tuple(replace(each, term=Term.parse("2wh")) for each in PERMIT.stages)},
    ],
    LICENCE: [{"supplement": Supplement(2, "hold")}, {"term": Term.parse("4wd")}],
    HOURLY: [{"policy": Policy.day}, {"term": Term.parse("sameday")}],
    TERMLESS: [{"term": Term.parse("5wd")}],
}
CASES = [
    pytest.param(procedure, changed, id=f"{procedure.code}-{n}")
    for procedure, drafts in DRAFTS.items()
    for n, changed in enumerate(drafts)
]


@pytest.mark.parametrize("calendar", [CALENDAR, CORRECTED], ids=["now", "corrected"])
@pytest.mark.parametrize(("procedure", "changed"), CASES)
async def test_it_is_what_one_finds_by_hand(
    db: AsyncConnection, procedure: Procedure, changed: dict[str, Any], calendar: Calendar
) -> None:
    chance = Random(procedure.code)
    papers = [await lived(db, chance, procedure) for _ in range(12)]
    await lived(db, chance, LICENCE if procedure is PERMIT else PERMIT)  # nobody's concern
    draft = replace(procedure, version=2, **changed)
    made = await over(db, draft, calendar=calendar)

    read, stages = await by_hand(db, papers, draft, calendar)
    assert made.read == len(papers)
    assert counts(made) == Counter((each.before, each.after) for each in read)
    assert list(made.changed) == [each for each in read if each.before is not each.after]
    late = [each for each in read if each.after is Tally.late]
    worst = sorted(late, key=lambda each: (each.past, each.finished - (each.due_after or UNTIL)))
    assert [each.past for each in made.worst] == [each.past for each in worst[::-1]][:10]
    assert {each.code for each in made.worst} <= {each.code for each in late}
    assert {
        each.code: (each.visits, each.late_before, each.late_after) for each in made.stages
    } == stages
    assert made.recalendared == (len(papers) if calendar is CORRECTED else 0)


@pytest.mark.parametrize("procedure", BOOK.procedures, ids=lambda each: each.code)
async def test_under_the_very_same_version_nobody_changes(
    db: AsyncConnection, procedure: Procedure
) -> None:
    chance = Random(procedure.code)
    for _ in range(15):
        await lived(db, chance, procedure)
    made = await over(db, procedure)
    assert made.read == 15
    assert made.changed == ()
    assert made.before == made.after
    assert all(each.due_before == each.due_after for each in made.worst)
    assert all(each.late_before == each.late_after for each in made.stages)
    assert made.disallowed.asked == made.disallowed.extended == 0


@pytest.mark.parametrize("procedure", [PERMIT, HOURLY], ids=lambda each: each.code)
async def test_a_shorter_term_moves_only_towards_late(
    db: AsyncConnection, procedure: Procedure
) -> None:
    chance = Random(procedure.code)
    for _ in range(20):
        await lived(db, chance, procedure)
    classes = dict(
        (await db.execute(sa.select(d.verdict, sa.func.count()).group_by(d.verdict))).all()
    )
    unit = procedure.term.unit
    before: dict[Tally, int] = {}
    for amount in range(int(procedure.term.amount), 0, -1):
        made = await over(db, term(f"{amount}{unit}", procedure))
        assert all(GRADES[each.after] > GRADES[each.before] for each in made.changed)
        assert made.before == {of: classes.get(of, 0) for of in CLASSES}
        assert sum(made.matrix.values()) == sum(made.after.values()) == made.read == 20
        assert len(made.changed) == made.read - sum(made.matrix[of, of] for of in CLASSES)
        if before:
            assert made.after[Tally.late] >= before[Tally.late]
            assert made.after[Tally.early] <= before[Tally.early]
        before = made.after
    assert before[Tally.late] > classes.get(Tally.late, 0)


# Holds, restarts and extensions -------------------------------------------------------------

BEGINS = replace(LICENCE, code="1.000009", term=Term.parse("5wd"))  # one stage; begins again
HOLDS = replace(BEGINS, code="1.000008", supplement=Supplement(1, "hold"))
WIDER = replace(BOOK, procedures=(*BOOK.procedures, BEGINS, HOLDS))


async def told_so(
    db: AsyncConnection, procedure: Procedure, *moves: tuple[Event, datetime, dict[str, Any]]
) -> Dossier:
    """A dossier received on Monday at eight, taken in at once, and then moved so."""
    opened = act(Event.receive, at(0), payload={})
    paper = await ledger.open_(db, WIDER, lodging(procedure), opened)
    at_once = [(event, at(0), {}) for event in (Event.digitise, Event.route, Event.accept)]
    for event, when, payload in (*at_once, *moves):
        paper = await move(db, paper.code, event, when, book=WIDER, payload=payload)
    return paper


@pytest.mark.parametrize(
    ("procedure", "due", "turned", "other", "change"),
    [
        (BEGINS, 11, "hold", 10, (Tally.early, Tally.on_time)),
        (HOLDS, 10, "restart", 11, (Tally.on_time, Tally.early)),
    ],
    ids=["holds after all", "begins again after all"],
)
async def test_what_a_supplement_does_is_the_drafts_to_say(
    db: AsyncConnection,
    procedure: Procedure,
    due: int,
    turned: str,
    other: int,
    change: tuple[Tally, Tally],
) -> None:
    """Five working days from Monday, two held and one more for the payment: until Thursday.

    Begun again on the first Thursday: until the next, and the payment makes it Friday. It does not
    begin again with a payment.
    """
    paper = await told_so(
        db,
        procedure,
        (Event.request_supplement, at(1), {}),
        (Event.supplement, at(3), {}),
        (Event.request_payment, at(4), {"amount": 1}),
        (Event.pay, at(7), {"amount": 1}),
        (Event.return_result, at(10), {"outcome": "approved"}),
    )
    assert paper.due_at == at(due, "17:00")
    made = await over(db, replace(procedure, supplement=Supplement(1, turned)), WIDER)
    [changed] = made.changed
    assert (changed.due_before, changed.due_after) == (at(due, "17:00"), at(other, "17:00"))
    assert (changed.before, changed.after) == change


async def test_what_was_asked_before_the_receipt_is_nothing_to_the_clock(
    db: AsyncConnection,
) -> None:
    online = lodging(LICENCE, channel=Channel.online)
    paper = await ledger.open_(db, BOOK, online, act(Event.register, at(0)))
    await move(db, paper.code, Event.request_supplement, at(0), Role.reception)
    await move(db, paper.code, Event.supplement, at(1))
    for event in (Event.receive, Event.digitise, Event.route, Event.accept):
        await move(db, paper.code, event, at(2))
    await move(db, paper.code, Event.return_result, at(4), **GRANTED)
    for supplement in (Supplement(0, "hold"), Supplement(0, "restart")):
        made = await over(db, replace(term("1cd", LICENCE), supplement=supplement))
        assert [each.due_after for each in made.changed] == [at(3, "17:00")]
        assert made.disallowed.asked == 0


async def test_a_stage_left_before_the_term_began_again_is_read_as_it_was(
    db: AsyncConnection,
) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.advance, at(1), payload={"produced": ["appraisal"]})
    await move(db, paper.code, Event.request_supplement, at(2))
    await move(db, paper.code, Event.supplement, at(3))
    await move(db, paper.code, Event.advance, at(3), Role.leader)
    brings = {"produced": ["permit"], "outcome": "approved"}
    await move(db, paper.code, Event.return_result, at(3), Role.leader, payload=brings)
    made = await over(db, replace(PERMIT, supplement=Supplement(1, "restart")))
    assert (made.read, made.left_out.unread) == (1, 0)
    assert [(each.code, each.visits, each.late_after) for each in made.stages] == [
        ("appraise", 1, 0), ("review", 1, 0), ("sign", 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "change", "due", "overdue"),
    [
        ("5wd", None, at(9, "17:00"), 0),
        ("4wd", (Tally.on_time, Tally.late), at(8, "17:00"), 0),
        ("2wd", (Tally.on_time, Tally.late), at(4, "17:00"), 1),
    ],
)
async def test_an_extension_stays_and_one_that_came_too_late_is_told(
    db: AsyncConnection,
    text: str,
    change: tuple[Tally, Tally] | None,
    due: datetime,
    overdue: int,
) -> None:
    """On Friday two days more were given; by a term of two working days it was Wednesday's."""
    await told_so(
        db,
        HOLDS,
        (Event.extend, at(4), {"term": "2wd"}),
        (Event.return_result, at(9), {"outcome": "approved"}),
    )
    made = await over(db, replace(HOLDS, term=Term.parse(text)), WIDER)
    assert [(each.before, each.after) for each in made.changed] == ([change] if change else [])
    assert [each.due_after for each in made.worst] == ([due] if change else [])
    assert made.disallowed.overdue == overdue


async def test_an_earlier_extension_and_a_restart_count_when_a_later_one_is_judged(
    db: AsyncConnection,
) -> None:
    """Two working days from Monday, begun again on Thursday: until Monday; three more: Thursday."""
    await told_so(
        db,
        BEGINS,
        (Event.request_supplement, at(1), {}),
        (Event.supplement, at(3), {}),
        (Event.extend, at(7), {"term": "3wd"}),
        (Event.extend, at(10), {"term": "1wd"}),
        (Event.return_result, at(11), {"outcome": "approved"}),
    )
    assert (await over(db, replace(BEGINS, term=Term.parse("2wd")), WIDER)).disallowed.overdue == 0
    assert (await over(db, replace(BEGINS, term=Term.parse("1wd")), WIDER)).disallowed.overdue == 1
    holding = replace(BEGINS, term=Term.parse("2wd"), supplement=Supplement(1, "hold"))
    assert (await over(db, holding, WIDER)).disallowed.overdue == 1


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ({}, (0, 0)),
        ({"supplement": Supplement(0)}, (1, 0)),
        ({"extension": Extension(1)}, (0, 1)),
        ({"extension": Extension(2, Term.parse("2wd"))}, (0, 0)),
        ({"extension": Extension(2, Term.parse("1wd"))}, (0, 1)),
        ({"extension": Extension(2, Term.parse("9cd"))}, (0, 1)),
    ],
)
async def test_what_the_draft_would_not_have_allowed_is_told(
    db: AsyncConnection, draft: dict[str, Any], expected: tuple[int, int]
) -> None:
    await told_so(
        db,
        HOLDS,
        (Event.request_supplement, at(1), {}),
        (Event.supplement, at(1), {}),
        (Event.extend, at(1), {"term": "1wd"}),
        (Event.extend, at(2), {"term": "2wd"}),
        (Event.return_result, at(2), {"outcome": "approved"}),
    )
    made = await over(db, replace(HOLDS, **draft), WIDER)
    assert (made.disallowed.asked, made.disallowed.extended) == expected
    assert made.read == 1


# What is read and what is left out ----------------------------------------------------------


async def ended(
    db: AsyncConnection, when: datetime, event: Event = Event.return_result, day: int = 0
) -> Dossier:
    """A licence received on that day and ended then."""
    facts = GRANTED if event is Event.return_result else {}
    paper = await process(db, LICENCE, at(day))
    return await move(db, paper.code, event, when, **facts)


async def test_what_has_no_class_of_ours_is_left_out_and_counted(db: AsyncConnection) -> None:
    await ended(db, at(2))
    await ended(db, at(2), Event.withdraw)
    await ended(db, at(2), Event.stop)
    online = lodging(LICENCE, channel=Channel.online)
    declined = await ledger.open_(db, BOOK, online, act(Event.register, at(1)))
    await move(db, declined.code, Event.decline, at(2))
    await process(db, LICENCE)  # running
    for n, code in enumerate((LICENCE.code, f"{LICENCE.code}.000.00.00.H42", "1.0000021")):
        foreign = replace(TAKEN, code=f"case-{n}", procedure=code)
        await ledger.adopt(db, BOOK, foreign, act(Event.adopt, at(0)))
        unstated = {"payload": {"outcome": "unstated"}}
        await move(db, f"case-{n}", Event.return_result, at(2), Role.officer, **unstated)
    made = await over(db, LICENCE)
    assert counts(made) == {(Tally.early, Tally.early): 1}
    left = made.left_out
    assert (left.unclassed, left.imported, left.unread, left.examples) == (3, 2, 0, ())


async def test_the_period_is_of_the_finish_and_open_at_its_end(db: AsyncConnection) -> None:
    first, last = await ended(db, at(2)), await ended(db, at(3))
    for since, until, codes in (
        (at(2), at(3), [first.code]),
        (at(3), at(4), [last.code]),
        (at(2), at(4), [first.code, last.code]),
        (at(2, "08:01"), at(3), []),
    ):
        made = await simulate(db, BOOK, term("none", LICENCE), since, until)
        assert [each.code for each in made.changed] == codes
        assert made.read == len(codes)


async def test_what_the_calendar_does_not_reach_is_left_out_whole_with_the_reason(
    db: AsyncConnection,
) -> None:
    await ended(db, at(2))
    early = [await ended(db, at(12), day=8) for _ in range(12)]
    days = {day: hours for day, hours in DAYS.items() if day < MONDAY + timedelta(days=12)}
    last = MONDAY + timedelta(days=11)
    short = Calendar("short", "1", HANOI.key, days, min(DAYS), last, standard_day=480)
    made = await over(db, term("2cd", LICENCE), calendar=short)
    assert made.read == 1
    assert made.left_out.unread == len(early)
    assert [code for code, _ in made.left_out.examples] == [each.code for each in early[:10]]
    assert all("lies outside calendar short" in why for _, why in made.left_out.examples)
    assert sum(each.visits for each in made.stages) == 1


async def test_a_draft_that_the_calendar_cannot_give_is_refused(db: AsyncConnection) -> None:
    await ended(db, at(2))
    odd = Calendar("odd", "1", HANOI.key, DAYS, min(DAYS), max(DAYS), standard_day=475)
    stage = replace(LICENCE.stages[0], term=Term.parse("0.5wd"))
    for draft in (term("0.5wd", LICENCE), replace(LICENCE, stages=(stage,))):
        with pytest.raises(BadInput, match="not a whole number of minutes"):
            await over(db, draft, calendar=odd)


@pytest.mark.parametrize("until", [SINCE, SINCE - timedelta(days=1)])
async def test_a_period_that_ends_before_it_begins_is_refused(
    db: AsyncConnection, until: datetime
) -> None:
    with pytest.raises(BadInput, match="ends before it begins"):
        await simulate(db, BOOK, PERMIT, SINCE, until)


async def test_the_term_is_that_of_the_channel_and_the_region(db: AsyncConnection) -> None:
    """A real version: 30 calendar days, but ten online and twenty from a mountain."""
    procedure, mountain = SAMPLE, "tren-nui"
    place = Place(code=mountain, name=Name(vi="Trên núi", en="Up there"), region="mountain")
    staff = CATALOGUE.organisation.model_copy(update={"places": (place,)})
    book = replace(CATALOGUE, organisation=staff)
    others = (
        OtherTerm(term=Term.parse("10cd"), channel="online"),
        OtherTerm(term=Term.parse("20cd"), region="mountain"),
    )
    for n, (channel, place) in enumerate(
        (("counter", None), ("online", mountain), ("post", mountain))
    ):
        papers = lodging(procedure, channel=Channel(channel), place=place)
        files = {"components": {each.code: "0" * 64 for each in procedure.components}}
        paper = await ledger.open_(db, book, papers, act(Event.receive, at(n), payload=files))
        for event, role in FINISHING:
            brings = BRINGS.get((event, role), {})
            await move(db, paper.code, event, at(n + 24), role, book, payload=brings)
    made = await over(db, procedure.model_copy(update={"terms": others}), book)
    assert [each.due_after for each in made.changed] == [at(11, "17:00"), at(22, "17:00")]
    assert counts(made) == {(Tally.early, Tally.early): 1, (Tally.early, Tally.late): 2}


FINISHING = (
    (Event.digitise, Role.reception),
    (Event.route, Role.reception),
    (Event.accept, Role.officer),
    (Event.advance, Role.officer),
    (Event.advance, Role.leader),
    (Event.return_result, Role.leader),
)
BRINGS = {
    (Event.advance, Role.officer): {"produced": ["Phiếu trình giải quyết"]},
    (Event.return_result, Role.leader): {
        "produced": ["Kết quả giải quyết"],
        "outcome": "approved",
    },
}


async def test_stages_without_a_like_and_stages_nobody_was_in(db: AsyncConnection) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.advance, at(1), payload={"produced": ["appraisal"]})
    await move(db, paper.code, Event.advance, at(4), Role.leader)
    brings = {"produced": ["permit"], "outcome": "approved"}
    await move(db, paper.code, Event.return_result, at(4), Role.leader, payload=brings)
    new = Stage("consult", Role.officer, Term.parse("1wd"))
    short = replace(PERMIT.stages[1], term=Term.parse("4wd"))
    draft = replace(PERMIT, stages=(new, replace(PERMIT.stages[0], term=Term.parse("4wh")), short))
    made = await over(db, draft)
    assert [
        (each.code, each.visits, each.late_before, each.late_after) for each in made.stages
    ] == [
        ("consult", 0, 0, 0),
        ("appraise", 1, 0, 1),
        ("review", 1, 1, 0),
        ("sign", 1, 0, None),
    ]


# How it is read -----------------------------------------------------------------------------


async def test_batches_make_no_difference(
    db: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, heard = Random(4), list[int]()
    for _ in range(7):
        await lived(db, chance, PERMIT)
    whole = await over(db, term("2wd"))
    monkeypatch.setattr(running, "BATCH", 3)
    assert await over(db, whole.draft, told=heard.append) == whole
    assert heard == [3, 6, 7]


async def test_of_many_late_only_the_worst_are_kept_the_worst_first(db: AsyncConnection) -> None:
    papers = [await ended(db, at(2 + n % 6), day=0) for n in range(15)]
    made = await over(db, term("1cd", LICENCE))
    assert len(made.changed) == 15
    late = sorted(papers, key=lambda each: (each.moved_at, -papers.index(each)), reverse=True)
    assert [each.code for each in made.worst] == [each.code for each in late[:10]]
    assert made.worst[0].past == 3 * 480 + 30  # Wednesday, Thursday, Friday, and Monday till eight


async def sums(db: AsyncConnection) -> dict[str, Any]:
    """A checksum of every table."""
    each = "SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {} AS t"
    tables = SQLModel.metadata.tables
    return {name: await db.scalar(sa.text(each.format(name))) for name in tables}


async def test_nothing_is_written_and_nothing_could_be(db: AsyncConnection) -> None:
    chance = Random(5)
    for _ in range(3):
        await lived(db, chance, PERMIT)
    before = await sums(db)
    assert len((await over(db, term("1wd"))).changed) > 0
    assert await sums(db) == before
    assert await db.scalar(sa.text("SHOW transaction_read_only")) == "off"
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with read_only(db):
            await receive(db)
    assert await sums(db) == before
    assert await db.scalar(sa.text("SHOW transaction_read_only")) == "off"
    await receive(db)  # who opened the transaction writes on
    assert await sums(db) != before


async def test_it_reads_under_that_guard(
    db: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the statement would do, the transaction forbids it."""
    await ended(db, at(2))
    writing = sa.text("UPDATE dossier SET applicant = 'x' RETURNING *")
    monkeypatch.setattr(running, "closed", lambda *_: writing)
    with pytest.raises(ReadOnlySQLTransactionError):
        await over(db, LICENCE)
    await ended(db, at(2))


# Drafts from versions -----------------------------------------------------------------------


def with_terms(text: str, *others: str) -> catalogue.Procedure:
    made = tuple(OtherTerm(term=Term.parse(each), channel="online") for each in others)
    return SAMPLE.model_copy(update={"term": Term.parse(text), "terms": made})


@pytest.mark.parametrize(
    ("text", "by", "less"),
    [("15wd", "2wd", "13wd"), ("30cd", "1cd", "29cd"), ("8wh", "0.5wh", "7.5wh"),
     ("2.75wd", "1.5wd", "1.25wd"), ("20wd", "10wd", "10wd")],
)  # fmt: skip
def test_a_term_less_something(text: str, by: str, less: str) -> None:
    before = with_terms(text, text)
    draft = shortened(before, Term.parse(by))
    assert (str(draft.term), [str(each.term) for each in draft.terms]) == (less, [less])
    assert draft.model_copy(update={"term": before.term, "terms": before.terms}) == before
    assert str(before.term) == text


@pytest.mark.parametrize(
    ("text", "others", "by", "why"),
    [
        ("2wd", (), "2wd", "2wd less 2wd leaves nothing"),
        ("2wd", (), "3wd", "2wd less 3wd leaves nothing"),
        ("30cd", (), "2wd", "30cd is not counted as 2wd is"),
        ("8wh", (), "0.5wd", "8wh is not counted as 0.5wd is"),
        ("3wd", (), "0.5wd", "3wd is not counted as 0.5wd is"),
        ("2.5wd", (), "0.5wd", "2.5wd less 0.5wd is 2wd, which is not counted as 2.5wd is"),
        ("none", (), "2wd", "none is not counted as 2wd is"),
        ("sameday", (), "1wd", "sameday is not counted as 1wd is"),
        ("sameday", (), "sameday", "leaves nothing"),
        ("15wd", ("2wd",), "2wd", "2wd less 2wd leaves nothing"),
        ("15wd", ("10cd",), "2wd", "10cd is not counted as 2wd is"),
    ],
)
def test_a_term_that_cannot_be_shortened_so(
    text: str, others: tuple[str, ...], by: str, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        shortened(with_terms(text, *others), Term.parse(by))


AMOUNTS = st.decimals(Decimal("0.25"), 60, places=2)


@given(st.sampled_from(["wd", "cd", "wh"]), AMOUNTS, AMOUNTS)
def test_what_was_taken_away_is_what_is_missing(unit: str, whole: Decimal, part: Decimal) -> None:
    if unit == "cd":
        whole, part = max(whole // 1, Decimal(1)), max(part // 1, Decimal(1))
    before, by = Term.parse(f"{whole}{unit}"), Term.parse(f"{part}{unit}")
    try:
        less = shortened(with_terms(str(before)), by).term
    except BadInput:
        mixed = {before.kind, by.kind, Term.parse("1wd").kind} == {Kind.minutes, Kind.days}
        assert whole <= part or mixed
        return
    assert (less.kind, less.unit) == (before.kind, before.unit)
    assert less.amount + by.amount == before.amount


# The pilot, and as it is shown ---------------------------------------------------------------


async def lived_through(fresh: AsyncEngine) -> None:
    """Two months of the pilot, in the ledger."""
    from test_pilot import small

    from flows.pilot import Moment, live

    async def evening(at: datetime, moment: Moment) -> None:
        async with moment:
            await driving.drive(fresh, CATALOGUE, at)

    async def weekend(at: datetime, moment: Moment) -> None:
        async with moment:
            pass

    days = [day for day in pilot.story(CATALOGUE, small()) if day.chains]
    await live(fresh, CATALOGUE, "small", days, lambda *_: None, evening=evening, weekend=weekend)


async def test_the_pilot_under_two_days_less(fresh: AsyncEngine) -> None:
    await lived_through(fresh)
    made: list[Simulation] = []
    refused: dict[str, str] = {}
    async with fresh.connect() as db:
        closed = (await db.execute(sa.select(d).where(d.finished_at.is_not(None)))).all()
        for code in sorted({each.procedure for each in closed}):
            try:
                draft = shortened(CATALOGUE.procedure(code), Term.parse("2wd"))
            except BadInput as why:
                refused[code] = str(why)
                continue
            made.append(await simulate(db, CATALOGUE, draft, *YEAR))
            papers = [each for each in closed if each.procedure == code]
            read, stages = await by_hand(db, papers, draft, made[-1].calendar)
            assert set(made[-1].changed) == {each for each in read if each.before != each.after}
            assert counts(made[-1]) == Counter((each.before, each.after) for each in read)
            assert {
                each.code: (each.visits, each.late_before, each.late_after)
                for each in made[-1].stages
            } == stages
    assert made
    assert refused
    before, after = ([getattr(each, side)[Tally.late] for each in made] for side in SIDES)
    assert sum(before) < sum(after)

    page = shown(simulating.show_all, made, refused)
    changed = sum(len(each.changed) for each in made)
    assert f"{changed:,} of {sum(each.read for each in made):,} dossiers" in page
    for each in made:
        shown(simulating.show, each)
        assert f"{each.draft.code} " in page
    assert all(code in page.partition("Not simulated")[2] for code in refused)
    said = json_of(simulating.all_as_dict(made, refused))
    assert [each["procedure"] for each in said["refused"]] == list(refused)
    assert said["total"]["changed"] == sum(len(each["changed"]) for each in said["procedures"])
    assert said["total"]["after"]["late"] == sum(each.after[Tally.late] for each in made)


def shown(show: Any, *what: Any) -> str:
    """What stands on a screen of a hundred columns."""
    page = StringIO()
    show(Console(file=page, width=100), *what)
    text = page.getvalue()
    assert max(len(line) for line in text.splitlines()) <= 100
    return text


def json_of(told: Any) -> Any:
    page = StringIO()
    as_json(told, page)
    return json.loads(page.getvalue())


def read_again(n: int, after: Tally = Tally.late, days: int = 9) -> Reread:
    came, due = at(0), at(days, "17:00")
    return Reread(
        f"H42.14-240304-{n:04}", came, due, Tally.early, after, at(30, "17:00"), at(2, "17:00"), n
    )


def invented(**changed: Any) -> Simulation:
    """A large one, with everything that may be said."""
    worst = tuple(read_again(n) for n in range(9_999, 9_989, -1))
    matrix = {(was, now): 0 for was in CLASSES for now in CLASSES}
    matrix |= {(Tally.early, Tally.early): 1_400_000, (Tally.early, Tally.late): 123_456}
    matrix |= {(Tally.late, Tally.on_time): 7, (Tally.no_term, Tally.no_term): 3}
    known = dict(
        draft=SAMPLE,
        calendar=CALENDAR,
        since=at(-60, "00:00"),
        until=at(305, "00:00"),
        matrix=matrix,
        changed=(*worst, read_again(1, Tally.on_time)),
        worst=worst,
        stages=(StageCount("tham-dinh", 1_523_466, 12, 123_456), StageCount("old", 7, 1, None)),
        left_out=LeftOut(31, 5, 2, (("H42.14-240304-0001", "x lies outside calendar week"),)),
        disallowed=Disallowed(4, 6, 8),
        recalendared=9,
    )
    return Simulation(**{**known, **changed})


def test_what_stands_on_the_screen() -> None:
    page = shown(simulating.show, invented())
    squeezed = " ".join(page.split())
    for said in (
        "1.003659 v1 Cấp giấy phép bưu chính",
        "closed 04/01/2024 – 03/01/2025; dự thảo / draft: 30cd, day, week@1",
        "123,463 of 1,523,466 dossiers (123,456 towards late, 7 towards early)",
        "early or on time: 100.00% before, 91.90% under the draft",
        "as it was 1,523,456 0 7 3 1,523,466",
        "under the draft 1,400,000 7 123,456 3 1,523,466",
        "difference -123,456 +7 +123,449 0 0",
        "Trước hạn / early 1,400,000 0 123,456 0",
        "tham-dinh Thẩm định hồ sơ 18cd 1,523,466 12 123,456",
        "old 7 1 không còn / gone",
        "H42.14-240304-9999 Trước hạn 04/03/24 03/04/24 06/03/24 17:00 13/03/24 17:00 9,999",
        "withdrawn, stopped or declined: 31",
        "taken over from another system: 5",
        "the calendar does not reach them: 2",
        "H42.14-240304-0001: x lies outside calendar week",
        "classed by another calendar version than this one: 9",
        "asked more often than the draft allows: 4",
        "extended further than the draft allows: 6",
        "extended when the draft's date had passed: 8",
    ):
        assert said in squeezed
    assert page.count("H42.14-240304-99") == 10


def test_nothing_to_read_is_said() -> None:
    nothing = dict.fromkeys(invented().matrix, 0)
    page = shown(simulating.show, invented(matrix=nothing, worst=(), changed=(), stages=()))
    assert "No dossier was closed with a result" in page
    assert "withdrawn, stopped or declined: 31" in page
    assert "No dossier" in shown(simulating.show_all, [])
    assert json_of(simulating.all_as_dict([]))["total"]["read"] == 0


def test_a_strangers_code_is_no_markup() -> None:
    odd = read_again(5)._replace(code="[red]x[/red]")
    page = shown(simulating.show, invented(worst=(odd,)))
    assert "[red]x[/red]" in page


def test_programs_get_all_of_it() -> None:
    told = json_of(simulating.as_dict(invented()))
    assert len(told["changed"]) == 11
    assert told["changed"][0] == {
        "code": "H42.14-240304-9999",
        "received": "2024-03-04T08:00:00+07:00",
        "finished": "2024-03-13T17:00:00+07:00",
        "before": "early",
        "after": "late",
        "due_before": "2024-04-03T17:00:00+07:00",
        "due_after": "2024-03-06T17:00:00+07:00",
        "past": 9_999,
    }
    assert told["before"] == {"early": 1_523_456, "on_time": 0, "late": 7, "no_term": 3}
    assert sum(way["dossiers"] for way in told["matrix"]) == told["read"] == 1_523_466
    assert told["stages"][1] == {"code": "old", "visits": 7, "late_before": 1, "late_after": None}
    assert told["left_out"]["examples"] == [
        {"code": "H42.14-240304-0001", "why": "x lies outside calendar week"}
    ]
    assert (told["from"], told["calendar"]) == ("2024-01-04T00:00:00+07:00", "week@1")
    assert told["disallowed"] == {"asked": 4, "extended": 6, "overdue": 8}
