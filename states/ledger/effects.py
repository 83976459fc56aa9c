"""What a move does to a dossier beside its state: files, clock, counts. Pure.

Each function changes the row in memory, as `lifecycle.fire` does; `write.py` then stores it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from states import clock
from states.clock import Calendar, Facts, Policy, Reading, Term
from states.errors import BadInput
from states.ledger.acts import Act, Brings, Delivered, Extension, Payment, WithFiles
from states.ledger.telling import text, told
from states.lifecycle import HELD, Move
from states.tables import Dossier, Visit
from states.words import Clock, Event, Outcome, State, Tally


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


def gone_on(d: Dossier, at: datetime) -> Facts:
    """Its facts; of one that waits, those it would have if it went on at that moment."""
    facts = facts_of(d)
    if d.state not in HELD:
        return facts
    again = d.state is State.awaiting_supplement and d.supplement_restarts
    holds = tuple((begin, at if to is None else to) for begin, to in facts.holds)
    return replace(facts, holds=holds, restart=at if again else facts.restart)


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


def reading(d: Dossier, calendar: Calendar, at: datetime) -> Reading | None:
    """The clock of a dossier as it stands, read at a moment; None before its receipt."""
    if d.received_at is None:
        return None
    return clock.read(Term.parse(d.term), calendar, facts_of(d, d.finished_at), d.policy, at)


# Before the move --------------------------------------------------------------------------


def bring(d: Dossier, procedure: ProcedureLike, brought: Brings) -> None:
    """Put the files that come with an act to the dossier, so that guards see them."""
    if not isinstance(brought, WithFiles) or not brought.components:
        return
    known = {component.code for component in procedure.components}
    if strange := sorted(set(brought.components) - known):
        raise BadInput(
            "the procedure has no component {strange}: it has {known}",
            strange=[*strange],
            known=sorted(known),
        )
    files = {**d.facts.get("components", {}), **brought.components}
    d.facts = {**d.facts, "components": files}
    missing(d, procedure)


def missing(d: Dossier, procedure: ProcedureLike) -> None:
    """Count the required components without a file."""
    files = d.facts.get("components", {})
    required = (component.code for component in procedure.components if component.required)
    d.missing = sum(1 for code in required if code not in files)


def check_extension(procedure: ProcedureLike, brought: Brings) -> None:
    """An extension may not pass what the procedure allows (Decree 61/2018 Art. 19(9))."""
    if not isinstance(brought, Extension) or (most := procedure.extension.max) is None:
        return
    more = Term.parse(brought.term)
    if more.kind is not most.kind or more.amount > most.amount:
        raise BadInput(
            "an extension of {more} is not allowed: the procedure gives at most {most}",
            more=more,
            most=most,
        )


# The clock --------------------------------------------------------------------------------


def tick(d: Dossier, row: Move, act: Act, calendar: Calendar, lapse: Term) -> dict[str, Any]:
    """Apply what the row does to the clock; returns what the entry tells of it."""
    if row.clock is Clock.nothing:
        return {}
    if row.clock is Clock.stops:
        return _stop(d, act, calendar)
    if row.clock is Clock.reckons:
        return _again(d, act, calendar, lapse)
    _change(d, row, act)
    d.lapse_at = None
    if row.clock is Clock.holds:
        d.lapse_at = _lapse(lapse, calendar, act.at)
        if d.due_at is not None:
            d.facts = {**d.facts, "was_due": d.due_at.astimezone(UTC).isoformat()}
        d.due_at = d.late_at = None
        return {"lapse": text(d.lapse_at)}
    return _reckon(d, calendar, act.at) if d.received_at is not None else {}


def _lapse(lapse: Term, calendar: Calendar, since: datetime) -> datetime | None:
    return clock.read(lapse, calendar, Facts(since), Policy.day, since).due


def _again(d: Dossier, act: Act, calendar: Calendar, lapse: Term) -> dict[str, Any]:
    """The same facts read under rules that changed. A date to answer by never comes nearer."""
    if d.finished_at is not None:
        was = {"due": text(d.due_at), "verdict": d.verdict}
        return {**_verdict(d, d.finished_at, calendar), "was": was}
    if d.lapse_at is None:
        before = d.due_at
        told = _reckon(d, calendar, act.at)
        return told if d.due_at == before else {**told, "was": {"due": text(before)}}
    since = datetime.fromisoformat(d.facts["holds"][-1][0])
    later = _lapse(lapse, calendar, since)
    d.lapse_at = max(d.lapse_at, later) if later is not None else d.lapse_at
    return {"lapse": text(d.lapse_at), "calendar": f"{calendar.name}@{calendar.version}"}


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
    if d.due_at != before:
        d.deadline = d.seq
    return {"due": text(reading.due), "calendar": f"{calendar.name}@{calendar.version}"}


def _stop(d: Dossier, act: Act, calendar: Calendar) -> dict[str, Any]:
    """Freeze: the verdict when there is a result, else the fact that there is none."""
    d.finished_at, d.lapse_at = act.at, None
    if act.event is not Event.return_result:
        d.verdict = Tally.not_counted
        return {}
    d.outcome = Outcome(act.payload["outcome"])
    return _verdict(d, act.at, calendar)


def _verdict(d: Dossier, finished: datetime, calendar: Calendar) -> dict[str, Any]:
    reading = clock.read(Term.parse(d.term), calendar, facts_of(d, finished), d.policy, finished)
    d.verdict, d.used = Tally(reading.verdict), reading.used
    d.due_at, d.late_at = reading.due, reading.late_at
    return told(reading, d.policy, calendar)


# Counts -----------------------------------------------------------------------------------


def count(d: Dossier, act: Act, brought: Brings) -> None:
    """What is left of the procedure's allowances, what is owed and paid."""
    if act.event is Event.request_supplement:
        d.supplements_left -= 1
    if isinstance(brought, Payment):
        if act.event is Event.pay:
            if brought.amount < (owed := d.facts.get("owed", 0)):
                raise BadInput(
                    "{owed:,} VND were asked, and this is {amount:,}: pay it all",
                    owed=owed,
                    amount=brought.amount,
                )
            d.fee_paid += brought.amount
        else:
            d.fee_asked += brought.amount
            d.facts = {**d.facts, "owed": brought.amount}
    if act.event is Event.deliver:
        d.delivered_at = act.at
        d.delivered_by = brought.channel if isinstance(brought, Delivered) else None
