"""What a move does to a dossier beside its state: files, clock, stages, counts. Pure.

Each function changes the row in memory, as `lifecycle.fire` does; `write.py` then stores it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from states import clock
from states.clock import Calendar, Facts, Policy, Term
from states.errors import BadInput
from states.ledger.acts import Act, Brings, Extension, Payment, SendBack, Staged, WithFiles
from states.ledger.telling import text, told
from states.lifecycle import Move
from states.tables import Dossier, Visit
from states.words import Clock, Event, Outcome, Role, State, Tally
from states.words import Visit as Visits

WARN_SHARE = 0.75  # of the term, when the holder is warned


class ProcedureLike(Protocol):
    """A procedure version, as the ledger needs it."""

    stages: Any
    components: Any
    extension: Any


# Facts of the clock -----------------------------------------------------------------------


def facts_of(d: Dossier, finished: datetime | None = None) -> Facts:
    """The clock's facts of a dossier, from its projection."""
    assert d.received_at is not None
    return Facts(
        received=d.received_at,
        holds=tuple(_holds(d)),
        restart=_moment(d.facts.get("restart")),
        extend=tuple(Term.parse(text) for text in d.facts.get("extend", ())),
        finished=finished,
        promised=_moment(d.facts.get("promised")),
    )


def visit_facts(d: Dossier, visit: Visit, finished: datetime | None = None) -> Facts:
    """The clock's facts of a visit: the dossier's holds and restart, from its opening on."""
    restart = _moment(d.facts.get("restart"))
    later = restart is not None and restart >= visit.opened_at
    return Facts(
        received=visit.opened_at,
        holds=tuple((a, b) for a, b in _holds(d) if b is None or b > visit.opened_at),
        restart=restart if later else None,
        finished=finished,
    )


def _holds(d: Dossier) -> Iterable[tuple[datetime, datetime | None]]:
    for begin, to in d.facts.get("holds", ()):
        yield datetime.fromisoformat(begin), _moment(to)


def _without(facts: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: fact for each, fact in facts.items() if each != name}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# Before the move --------------------------------------------------------------------------


def bring(d: Dossier, procedure: ProcedureLike, brought: Brings) -> None:
    """Put the files that come with an act to the dossier, so that guards see them."""
    if not isinstance(brought, WithFiles) or not brought.components:
        return
    known = {component.code for component in procedure.components}
    if strange := sorted(set(brought.components) - known):
        raise BadInput(
            f"the procedure has no component {', '.join(strange)}:"
            f" it has {', '.join(sorted(known))}"
        )
    files = {**d.facts.get("components", {}), **brought.components}
    d.facts = {**d.facts, "components": files}
    missing(d, procedure)


def missing(d: Dossier, procedure: ProcedureLike) -> None:
    """Count the required components without a file."""
    files = d.facts.get("components", {})
    required = (component.code for component in procedure.components if component.required)
    d.missing = sum(1 for code in required if code not in files)


def check_stage(procedure: ProcedureLike, d: Dossier, act: Act, brought: Brings) -> None:
    """A stage may be left forwards only with what it must produce."""
    if act.event not in {Event.advance, Event.return_result} or not isinstance(brought, Staged):
        return
    if not 0 <= d.stage < len(procedure.stages):
        return
    stage = procedure.stages[d.stage]
    if lacking := [name for name in stage.produces if name not in brought.produced]:
        raise BadInput(
            f"stage {stage.code} must produce {', '.join(lacking)}: name it in 'produced'"
        )


def check_extension(procedure: ProcedureLike, brought: Brings) -> None:
    """An extension may not pass what the procedure allows (Decree 61/2018 Art. 19(9))."""
    if not isinstance(brought, Extension) or (most := procedure.extension.max) is None:
        return
    more = Term.parse(brought.term)
    if more.kind is not most.kind or more.amount > most.amount:
        raise BadInput(f"an extension of {more} is not allowed: the procedure gives at most {most}")


# The clock --------------------------------------------------------------------------------


def tick(d: Dossier, row: Move, act: Act, calendar: Calendar, lapse: Term) -> dict[str, Any]:
    """Apply what the row does to the clock; returns what the entry tells of it."""
    if row.clock is Clock.nothing:
        return {}
    if row.clock is Clock.stops:
        return _stop(d, act, calendar)
    _change(d, row, act)
    d.lapse_at = None
    if row.clock is Clock.holds:
        reading = clock.read(lapse, calendar, Facts(act.at), Policy.day, act.at)
        d.lapse_at = reading.due
        if d.due_at is not None:
            d.facts = {**d.facts, "was_due": d.due_at.astimezone(UTC).isoformat()}
        d.due_at = d.late_at = d.warn_at = None
        return {"lapse": text(d.lapse_at)}
    return _reckon(d, calendar, act.at) if d.received_at is not None else {}


def _change(d: Dossier, row: Move, act: Act) -> None:
    """Write the facts the row adds: a receipt, a hold, its end, a restart, an extension."""
    at = act.at.astimezone(UTC).isoformat()
    holds = [list(span) for span in d.facts.get("holds", ())]
    if row.clock is Clock.starts:
        d.received_at = act.at
    if row.clock is Clock.holds:
        d.facts = {**d.facts, "holds": [*holds, [at, None]]}
    elif holds and holds[-1][1] is None:
        holds[-1][1] = at
        d.facts = {**d.facts, "holds": holds}
    if row.clock is Clock.restarts:
        d.facts = {**d.facts, "restart": at}
    if row.clock is Clock.extends:
        d.facts = {**d.facts, "extend": [*d.facts.get("extend", ()), act.payload["term"]]}
        d.extensions_left -= 1
    if row.clock is Clock.runs and d.finished_at is not None:  # reopened
        d.finished_at = d.verdict = d.outcome = d.used = None


def _reckon(d: Dossier, calendar: Calendar, at: datetime) -> dict[str, Any]:
    """Read the deadline anew; a changed one is a new version of it."""
    before = d.due_at or _moment(d.facts.get("was_due"))  # none is in force while held
    d.facts = _without(d.facts, "was_due")
    reading = clock.read(Term.parse(d.term), calendar, facts_of(d), d.policy, at)
    d.due_original = d.due_original or reading.due_original
    d.due_at, d.late_at = reading.due, reading.late_at
    d.warn_at = None
    if reading.due is not None and d.received_at is not None:
        start = _moment(d.facts.get("restart")) or d.received_at
        d.warn_at = clock.share_at(calendar, start, reading.due, WARN_SHARE)
    if d.due_at != before:
        d.deadline = d.seq
    return {"due": text(reading.due), "calendar": f"{calendar.name}@{calendar.version}"}


def _stop(d: Dossier, act: Act, calendar: Calendar) -> dict[str, Any]:
    """Freeze: the verdict when there is a result, else the fact that there is none."""
    d.finished_at, d.lapse_at, d.warn_at = act.at, None, None
    if act.event is not Event.return_result:
        d.verdict = Tally.not_counted
        return {}
    reading = clock.read(Term.parse(d.term), calendar, facts_of(d, act.at), d.policy, act.at)
    d.verdict, d.used = Tally(reading.verdict), reading.used
    d.due_at, d.late_at = reading.due, reading.late_at
    d.outcome = Outcome(act.payload["outcome"])
    return told(reading, d.policy, calendar)


# Stages -----------------------------------------------------------------------------------


def step(
    d: Dossier,
    visit: Visit | None,
    row: Move,
    act: Act,
    brought: Brings,
    procedure: ProcedureLike,
    calendar: Calendar,
) -> Visit | None:
    """Close, hold or resume the visit in memory, and return the one that opens, if any."""
    if visit is not None:
        if row.visit in {Visits.changes, Visits.leaves}:
            _close(d, visit, act, calendar)
        elif row.clock in {Clock.holds, Clock.runs, Clock.restarts}:
            visit.due_at = _visit_due(d, visit, calendar, act.at)
    if row.visit is Visits.leaves:
        d.stage_role = None
    if row.visit not in {Visits.enters, Visits.changes} or not procedure.stages:
        return None
    d.stage = _next_stage(d, act, brought)
    stage = procedure.stages[d.stage]
    d.visit += 1
    d.unit, d.stage_role = stage.unit, stage.role
    assert d.id is not None
    opened = Visit(
        dossier_id=d.id,
        visit=d.visit,
        stage=d.stage,
        code=stage.code,
        unit=stage.unit,
        role=stage.role,
        person=_person(act, brought),
        term=str(stage.term),
        opened_at=act.at,
        opened_seq=d.seq,
    )
    opened.due_at = _visit_due(d, opened, calendar, act.at)
    return opened


def _next_stage(d: Dossier, act: Act, brought: Brings) -> int:
    if act.event is Event.advance:
        return d.stage + 1
    if act.event is Event.send_back:
        assert isinstance(brought, SendBack)
        to = d.stage - 1 if brought.stage is None else brought.stage
        if not 0 <= to < d.stage:
            raise BadInput(f"stage {to} is not earlier than the present one, which is {d.stage}")
        return to
    return max(d.stage, 0)  # accepted: the first; reopened: where it was


def _person(act: Act, brought: Brings) -> str | None:
    if isinstance(brought, Staged) and brought.person is not None:
        return brought.person
    return act.actor if act.event is Event.accept and act.role is not Role.system else None


def _visit_due(d: Dossier, visit: Visit, calendar: Calendar, at: datetime) -> datetime | None:
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


# Counts -----------------------------------------------------------------------------------


def count(d: Dossier, act: Act, brought: Brings, procedure: ProcedureLike) -> None:
    """What is left of the procedure's allowances, what is owed and paid, where it lies."""
    if act.event is Event.route and procedure.stages:
        d.unit = procedure.stages[0].unit
    if act.event is Event.request_supplement:
        d.supplements_left -= 1
    if isinstance(brought, Payment):
        if act.event is Event.pay:
            if brought.amount < (owed := d.facts.get("owed", 0)):
                raise BadInput(
                    f"{owed:,} VND were asked, and this is {brought.amount:,}: pay it all"
                )
            d.fee_paid += brought.amount
        else:
            d.fee_asked += brought.amount
            d.facts = {**d.facts, "owed": brought.amount}
    if act.event is Event.deliver:
        d.delivered_at = act.at
