"""From a change set to the dossiers it concerns, and the act by which the rules move each. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from states import clock, lifecycle
from states.catalogue import Catalogue
from states.catalogue.rows import Dates
from states.changes.rows import Kind
from states.clock import Term
from states.errors import BadInput
from states.ledger.acts import Act
from states.ledger.effects import facts_of, gone_on
from states.ledger.many import For
from states.ledger.statements import d, e
from states.tables import Dossier, Visit
from states.words import Event, Role, State, Tally

CLASSED = (Tally.early, Tally.on_time, Tally.late)


@dataclass(frozen=True, slots=True)
class Plan:
    """`where` it looks, and the act for a dossier it finds; None leaves that one as it is."""

    where: Any
    act_for: For


def plan(change: Any, book: Catalogue, role: Role, at: datetime) -> Plan:
    """What a change set does at a moment, in the name and role of who proposed it.

    `book` knows the calendars and the versions it speaks of, published or not.
    """
    says = _calendar if change.kind is Kind.calendar else _version
    return says(change, book, at, partial(_act, change, change.proposed_by, role, at))


Acting = Callable[[Dossier, Event, dict[str, Any]], Act]


def _act(
    change: Any, by: str, role: Role, at: datetime, d: Dossier, event: Event, says: dict[str, Any]
) -> Act:
    """Dated when the run was, or when a clerk moved the dossier since."""
    return Act(
        event=event,
        actor=by,
        role=role,
        at=max(at, d.moved_at),
        payload={**says, "change": change.id},
        reason=change.reason,
        ground=change.ground,
    )


def sources(event: Event) -> tuple[State, ...]:
    """The states from which an event is open."""
    return tuple(State(row.source) for row in lifecycle.moves(event))


# A corrected calendar ---------------------------------------------------------------------


def _calendar(change: Any, book: Catalogue, at: datetime, act: Acting) -> Plan:
    """Open dossiers that any of the calendars was promised to; closed ones if they are restated."""
    says = change.says
    to = {name: book.calendar(name, digest) for name, digest in says["calendars"].items()}
    looks = []
    if Dates(says["dates"]) is not Dates.keep:
        looks.append(d.state.in_(sources(Event.recompute)) & d.received_at.is_not(None))
    if says["restates"]:
        looks.append(_spans(book, says) & d.state.in_(sources(Event.restate)))
    older = [(d.calendar == name) & (d.calendar_version != to[name].version) for name in to]
    later = Dates(says["dates"]) is Dates.later

    def act_for(paper: Dossier, _: Visit | None) -> Act | None:
        calendar = to[paper.calendar]
        closed = paper.finished_at is not None
        if closed and not _reads_anew(paper, calendar):
            return None
        if not closed and later and _nearer(book, paper, calendar, at):
            return None
        payload = {"calendar": f"{calendar.name}@{calendar.version}"}
        return act(paper, Event.restate if closed else Event.recompute, payload)

    return Plan(sa.or_(sa.false(), *older) & sa.or_(sa.false(), *looks), act_for)


def _spans(book: Catalogue, says: Mapping[str, Any]) -> Any:
    """Closed dossiers with a class, from whose receipt to whose last date a changed day lies."""
    first, last = (date.fromisoformat(says[name]) for name in ("first", "last"))
    begins = datetime.combine(first, time(), book.zone)
    ends = datetime.combine(last + timedelta(days=1), time(), book.zone)
    return (
        d.verdict.in_(CLASSED)
        & (d.received_at < ends)
        & (sa.func.greatest(d.due_at, d.finished_at) >= begins)
    )


def _reads_anew(d: Dossier, calendar: clock.Calendar) -> bool:
    """Whether the corrected calendar gives a closed dossier another due moment or class.

    What it cannot read it is asked to, so that the refusal says why.
    """
    facts, term = facts_of(d, d.finished_at), Term.parse(d.term)
    assert facts.finished is not None
    try:
        reading = clock.read(term, calendar, facts, d.policy, facts.finished)
    except BadInput:
        return True
    return (reading.due, Tally(reading.verdict)) != (d.due_at, d.verdict)


def _nearer(book: Catalogue, d: Dossier, calendar: clock.Calendar, at: datetime) -> bool:
    """Whether its date would come nearer. Not where a calendar cannot read it: see above."""
    at = max(at, d.moved_at)
    facts, term = gone_on(d, at), Term.parse(d.term)
    calendars = (book.calendar(d.calendar, d.calendar_version), calendar)
    try:
        old, new = (clock.read(term, each, facts, d.policy, at).due for each in calendars)
    except BadInput:
        return False
    return old is not None and new is not None and new < old


# Another version --------------------------------------------------------------------------


def _version(change: Any, book: Catalogue, at: datetime, act: Acting) -> Plan:
    """Running dossiers of the procedure under an older version."""
    says = change.says
    new = book.procedure(change.subject, says["to"])
    where = (
        (d.procedure == change.subject)
        & (d.version < says["to"])
        & d.source.is_(None)
        & d.received_at.is_not(None)
        & d.state.in_(sources(Event.migrate))
    )
    payload: dict[str, Any] = {"version": says["to"]}
    if says["overrides"]:
        payload["second"] = change.decided_by or "?"

    def act_for(paper: Dossier, _: Visit | None) -> Act | None:
        more = {}
        if paper.stage >= 0:
            code = book.procedure(paper.procedure, paper.version).stages[paper.stage].code
            if (to := says["stages"].get(code)) is not None:
                more = {"stage": new.position(to)}
        return act(paper, Event.migrate, payload | more)

    return Plan(where, act_for)


def back(change: Any, role: Role, at: datetime) -> Plan:
    """The way back: what the change set migrated and nobody has moved since."""
    of_change = sa.func.cast(e.payload, sa.JSON)["act"]["change"].as_integer() == change.id
    last = sa.exists().where(
        (e.dossier_id == d.id) & (e.seq == d.seq) & (e.event == Event.migrate) & of_change
    )
    here = (d.procedure == change.subject) & (d.version == change.says["to"])

    act = partial(_act, change, change.undone_by, role, at)

    def act_for(paper: Dossier, _: Visit | None) -> Act:
        kept = paper.facts["migrated"]
        undone = {"version": kept["dossier"]["version"], "undoes": paper.seq}
        return act(paper, Event.migrate, undone)

    return Plan(here & d.finished_at.is_(None) & last, act_for)
