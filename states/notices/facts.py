"""A fact as it is told: what a line of the ledger, or an alert, says of a dossier. Pure.

What is told of a line is what held after that line, however late it is read: dates and places are
folded out of the lines and visits, and not taken from the dossier as it stands by now.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from states.lifecycle import FINISHED, HELD, WITH_RESULT, moves
from states.words import Clock, Event, Role, State

TICKING = frozenset(
    event for event in Event if any(row.clock is not Clock.nothing for row in moves(event))
)
"""Events whose lines may tell a promised date."""
HISTORY = timedelta(days=14)
"""An imported move that happened so long before it was recorded is history, and no news."""


@dataclass(frozen=True, slots=True)
class Past:
    """Of one dossier, by number of line: the dates promised, and where it went."""

    promised: Sequence[tuple[int, str]] = ()
    visits: Sequence[tuple[int, str, str | None]] = ()

    def promise(self, seq: int) -> str | None:
        """The last date told up to that line."""
        at = bisect_right(self.promised, seq, key=lambda each: each[0])
        return self.promised[at - 1][1] if at else None

    def visit(self, seq: int) -> tuple[str, str | None] | None:
        """Unit and person of the stage it was in after that line, or had been in last."""
        at = bisect_right(self.visits, seq, key=lambda each: each[0])
        return self.visits[at - 1][1:] if at else None


@dataclass(frozen=True, slots=True)
class Concern:
    """Somebody of the staff whom a fact concerns; `person` None: whoever has the role there."""

    person: str | None
    unit: str | None
    role: str | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is told, still in the words of the engine."""

    id: str
    of_line: bool
    dossier_id: int
    code: str
    agency: str
    unit: str
    counter: str
    person: str | None
    procedure: str
    version: int
    applicant: str
    email: str | None
    phone: str | None
    state: State
    at: datetime
    received: datetime | None
    due: datetime | None
    concerns: Sequence[Concern] = ()
    # of a line
    seq: int = 0
    event: Event | None = None
    source: State | None = None
    due_before: datetime | None = None
    due_first: datetime | None = None
    moved: frozenset[str] = frozenset()
    reason: str | None = None
    ground: str | None = None
    until: datetime | None = None
    amount: int | None = None
    outcome: str | None = None
    # of an alert
    rule: str | None = None
    what: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def of_line(line: Any, paper: Any, past: Past) -> Fact | None:
    """The fact of a line of the ledger; None for what was taken over as history."""
    if paper.source is not None and _is_history(line):
        return None
    payload = orjson.loads(line.payload)
    act, clock = payload.get("act", {}), payload.get("clock", {})
    event, dest, source = Event(line.event), State(line.dest), line.source
    before, due = _moment(past.promise(line.seq - 1)), _due(past, line.seq, dest)
    moved = {"state"} if source != dest else set()
    if dest not in FINISHED and None not in {before, due} and before != due:
        moved.add("promise")
    unit, person = _place(line, paper, past, payload)
    received = paper.received_at
    return Fact(
        id=f"entry/{line.dossier_id}/{line.seq}",
        of_line=True,
        **_of_dossier(paper),
        unit=unit,
        person=person,
        state=dest,
        at=line.at,
        received=received if received is not None and received <= line.at else None,
        due=due,
        concerns=(Concern(person, unit, None),) if person else (),
        seq=line.seq,
        event=event,
        source=source,
        due_before=before,
        due_first=paper.due_original,
        moved=frozenset(moved),
        reason=line.reason,
        ground=line.ground,
        until=_moment(clock.get("lapse")),
        amount=act.get("amount"),
        outcome=act.get("outcome"),
        told={"role": line.role, "act": act, "on_behalf_of": line.on_behalf_of},
    )


def of_alert(alert: Any, paper: Any) -> Fact:
    """The fact of an alert, with whom it concerns."""
    return Fact(
        id=alert.fact,
        of_line=False,
        **_of_dossier(paper),
        unit=alert.unit,
        person=alert.person,
        state=State(paper.state),
        at=alert.at,
        received=paper.received_at,
        due=alert.due_at,
        concerns=tuple(
            Concern(each.get("person"), each.get("unit"), each.get("role"), each.get("why") or "")
            for each in alert.concerns
        ),
        rule=alert.rule,
        what=str(alert.what),
        told={"watched": str(alert.watched), "visit": alert.visit, "deadline": alert.deadline},
    )


def _is_history(line: Any) -> bool:
    return line.event == Event.adopt or bool(line.at < line.recorded_at - HISTORY)


def _of_dossier(paper: Any) -> dict[str, Any]:
    names = ("code", "agency", "counter", "procedure", "version", "applicant", "email", "phone")
    return {"dossier_id": paper.id, **{name: getattr(paper, name) for name in names}}


def _due(past: Past, seq: int, dest: State) -> datetime | None:
    """None is in force while it waits, nor once it ended without a result."""
    if dest in HELD or (dest in FINISHED and dest not in WITH_RESULT):
        return None
    return _moment(past.promise(seq))


def _place(line: Any, paper: Any, past: Past, payload: Mapping[str, Any]) -> tuple[str, str | None]:
    """Where it lay after the line and who had it: in a stage its holder, else whoever acted."""
    acted = line.actor if line.role not in {Role.citizen, Role.system} else None
    if "routed" in payload:
        return payload["routed"]["unit"], payload["routed"].get("person") or acted
    if (visit := past.visit(line.seq)) is not None:
        unit, person = visit
        return unit, acted if line.dest in WITH_RESULT else person or acted
    if paper.seq == line.seq:
        return paper.unit, acted
    if line.dest == State.routed:  # it was taken in since
        return past.visits[0][1] if past.visits else paper.unit, acted
    return paper.counter, acted


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
