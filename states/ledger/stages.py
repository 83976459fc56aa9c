"""What a move does to the visits of stages: left, held, entered, and by whom. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from states import clock
from states.clock import Calendar, Term
from states.errors import BadInput
from states.ledger.acts import Accepted, Act, Brings, Onward, SendBack, Staged
from states.ledger.effects import visit_facts
from states.ledger.pins import Book
from states.ledger.routing import Case, Routed
from states.lifecycle import Move
from states.sentences import Sentence, any_of
from states.tables import Dossier, Visit
from states.words import Clock, Event, Role, State, Tally
from states.words import Visit as Visits

ENTERING = {Visits.enters, Visits.changes}


def check_left(procedure: Any, d: Dossier, act: Act, brought: Brings) -> None:
    """A stage may be left forwards only with what it must produce."""
    if act.event not in {Event.advance, Event.return_result} or not isinstance(brought, Staged):
        return
    if not 0 <= d.stage < len(procedure.stages):
        return
    stage = procedure.stages[d.stage]
    if lacking := [name for name in stage.produces if name not in brought.produced]:
        raise BadInput(
            "stage {code} must produce {lacking}: name it in 'produced'",
            code=stage.code,
            lacking=lacking,
        )
    if brought.produced and any(each.needs for each in procedure.stages):
        made = {*d.facts.get("produced", ()), *brought.produced}
        d.facts = {**d.facts, "produced": sorted(made)}


def _check_entered(procedure: Any, d: Dossier, stage: Any) -> None:
    """A stage begins only with what it needs."""
    there = {*d.facts.get("components", ()), *d.facts.get("produced", ())}
    if stage.needs and (lacking := [name for name in stage.needs if name not in there]):
        raise BadInput(
            "stage {code} needs {lacking}: bring it before, or name it in 'produced'",
            code=stage.code,
            lacking=lacking,
        )


def route(
    book: Book,
    procedure: Any,
    d: Dossier,
    row: Move,
    act: Act,
    brought: Brings,
    loads: dict[str, int],
    told: Mapping[str, Any] | None,
) -> tuple[int, Routed] | None:
    """The stage that the move leads into, and who gets it; None where it leads into none.

    What a line tells is not decided again: loads and people were others then.
    """
    if not procedure.stages or (row.visit not in ENTERING and act.event is not Event.route):
        return None
    to = _next_stage(procedure, d, act, brought)
    if told is not None and "routed" in told:
        return to, Routed(**told["routed"])
    stage = procedure.stages[to]
    if act.event is Event.accept:
        return to, _taken_in(d, act, brought)
    if not stage.routes and stage.unit:
        routed = Routed(stage.unit)
    else:
        field = d.field or procedure.field  # of one taken over no field is told
        case = Case(d.counter, d.place, field, d.channel, d.agency, book.day(act.at))
        routed = book.routed(procedure, stage, case, loads)
    if isinstance(brought, Staged) and brought.person is not None:
        if told is None:
            book.may_take(brought.person, routed.unit, stage.role, book.day(act.at))
        return to, Routed(routed.unit, brought.person, routed.why and "named by who moved it")
    return to, routed


def _taken_in(d: Dossier, act: Act, brought: Brings) -> Routed:
    """By the unit it was sent to; from the agency's queue, by the unit that says so."""
    person = act.actor if act.role is not Role.system else d.facts.get("assigned")
    named = brought.unit if isinstance(brought, Accepted) else None
    if d.unit == d.agency:
        if named is None:
            raise BadInput(
                "the dossier lies in the queue of {agency}: say which unit takes it in ('unit')",
                agency=d.agency,
            )
        return Routed(named, person, "taken from the agency's queue")
    if named not in {None, d.unit}:
        raise BadInput(
            "the dossier was sent to {unit}, and {named} cannot take it in",
            unit=d.unit,
            named=named,
        )
    return Routed(d.unit, person)


def step(
    d: Dossier,
    visit: Visit | None,
    row: Move,
    act: Act,
    procedure: Any,
    calendar: Calendar,
    into: tuple[int, Routed] | None,
) -> Visit | None:
    """Close, hold or resume the visit in memory, and return the one that opens, if any."""
    if visit is not None:
        if row.visit in {Visits.changes, Visits.leaves}:
            _close(d, visit, act, calendar)
        elif row.clock in {Clock.holds, Clock.runs, Clock.restarts, Clock.reckons}:
            visit.due_at = due(d, visit, calendar, act.at)
    if row.visit is Visits.leaves:
        d.stage_role = None
    if into is None:
        return None
    to, routed = into
    if act.event is Event.route:
        _send(d, procedure.stages[to], routed)
        return None
    return _enter(d, procedure, to, routed, act, calendar)


def _send(d: Dossier, stage: Any, routed: Routed) -> None:
    """To the unit of the first stage, which takes it in by a hand or by itself."""
    d.unit, d.takes_in = routed.unit, stage.accept == "auto" and not routed.queued
    if routed.person is not None:
        d.facts = {**d.facts, "assigned": routed.person}


def _enter(
    d: Dossier, procedure: Any, to: int, routed: Routed, act: Act, calendar: Calendar
) -> Visit:
    stage = procedure.stages[to]
    if act.event is not Event.reopen or d.source is None:  # its papers lie where it came from
        _check_entered(procedure, d, stage)
    place(d, procedure, to)
    d.unit, d.visit = routed.unit, d.visit + 1
    # Not a `Visit`: making one costs as much as all else here, and nothing asks for its methods.
    opened = SimpleNamespace(
        dossier_id=d.id,
        visit=d.visit,
        stage=d.stage,
        code=stage.code,
        unit=routed.unit,
        role=stage.role,
        person=routed.person,
        term=str(stage.term),
        opened_at=act.at,
        opened_seq=d.seq,
        closed_at=None,
        closed_seq=None,
        used=None,
        verdict=None,
    )
    visit = cast("Visit", opened)
    visit.due_at = due(d, visit, calendar, act.at)
    return visit


def place(d: Dossier, procedure: Any, at: int) -> None:
    """Put the dossier into a stage, and say what may follow it."""
    onward, d.ends = procedure.onward(at)
    d.stage, d.leads, d.stage_role = at, bool(onward), procedure.stages[at].role


def _next_stage(procedure: Any, d: Dossier, act: Act, brought: Brings) -> int:
    if act.event is Event.advance:
        onward, _ = procedure.onward(d.stage)
        return _chosen(procedure, brought, onward, onward if len(onward) == 1 else ())
    if act.event is Event.send_back:
        back = procedure.back(d.stage)
        return _chosen(procedure, brought, back, back[-1:])
    return max(d.stage, 0)  # accepted: the first; reopened: where it was


def _chosen(procedure: Any, brought: Brings, open_: tuple[int, ...], usual: tuple[int, ...]) -> int:
    """The stage that was asked for, or the usual one."""
    assert isinstance(brought, Onward | SendBack)
    if (to := brought.stage) is None and usual:
        return usual[0]
    if to is None or to not in open_:
        ways = any_of(f"{each} ({procedure.stages[each].code})" for each in open_)
        asked = Sentence("several stages are open")
        if to is not None:
            asked = Sentence("stage {to} is not open from here", to=to)
        raise BadInput("{asked}: name one of them in 'stage': {ways}", asked=asked, ways=ways)
    return to


def due(d: Dossier, visit: Visit, calendar: Calendar, at: datetime) -> datetime | None:
    """When a visit's own term runs out."""
    facts = visit_facts(d, visit)
    return clock.read(Term.parse(visit.term), calendar, facts, d.policy, at).due


def _close(d: Dossier, visit: Visit, act: Act, calendar: Calendar) -> None:
    visit.closed_at, visit.closed_seq = act.at, d.seq
    if d.state in {State.withdrawn, State.stopped}:
        visit.verdict = Tally.not_counted
        return
    visit.person = act.actor
    facts = visit_facts(d, visit, act.at)
    reading = clock.read(Term.parse(visit.term), calendar, facts, d.policy, act.at)
    visit.verdict, visit.used, visit.due_at = Tally(reading.verdict), reading.used, reading.due
