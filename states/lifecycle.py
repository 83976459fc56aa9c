"""The lifecycle of a dossier.

Rule 1: whatever decides if a dossier may move, and where to, is in this file.
Rule 2: this file does no I/O and never asks what time it is.
Rule 3: it is written once. Buttons, SQL, CHECK constraints, diagram and docs are read from it.

Stages are the agency's: `processing` points into the list of the dossier's procedure version. Four
things are no states: money, the whereabouts of papers, what the national portal knows, lateness.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, cast

from transitions import EventData, Machine, MachineError
from transitions.core import Condition, Transition

from states.errors import NotOpen, NotYours
from states.sentences import NOTHING, Sentence
from states.words import Clock, Event, Role, State, Visit


class Movable(Protocol):
    """The columns of a dossier that guards read. None of them is null where a guard reads it."""

    state: State
    seq: int
    stage: int  # index into the procedure's stages; -1 before the first
    leads: bool  # other stages may follow the present one
    ends: bool  # the result may follow it
    stage_role: Role | None  # who holds the present stage
    takes_in: bool  # the first stage's unit takes dossiers in without a hand
    missing: int  # required components without a file
    received_at: datetime | None
    lapse_at: datetime | None
    supplements_left: int
    extensions_left: int
    supplement_restarts: bool


@dataclass(frozen=True, slots=True)
class Now:
    """The circumstances of a move: when, and in what capacity."""

    at: datetime
    role: Role


# A guard is written with operators only (< & | ==), so it reads the same on a row and on the
# table: a bool for one dossier, a WHERE clause for a million. Its docstring ends a refusal:
# "… is not open: <docstring>".
Guard = Callable[[Any, Now], Any]


def complete(d: Any, now: Now) -> Any:
    """a required component still has no file"""
    return d.missing == 0


def taken_in(d: Any, now: Now) -> Any:
    """a person of the unit must take this dossier in"""
    return (d.takes_in == True) | (now.role != Role.system)  # noqa: E712  SQL needs the comparison


def has_next_stage(d: Any, now: Now) -> Any:
    """no stage follows this one, or the stage is another role's"""
    return (d.leads == True) & (d.stage_role == now.role)  # noqa: E712  SQL needs the comparison


def in_last_stage(d: Any, now: Now) -> Any:
    """the result does not follow this stage, or the stage is another role's"""
    return (d.ends == True) & (d.stage_role == now.role)  # noqa: E712  SQL needs the comparison


def has_earlier_stage(d: Any, now: Now) -> Any:
    """this is the first stage, or the stage is another role's"""
    return (d.stage > 0) & (d.stage_role == now.role)


def may_ask_again(d: Any, now: Now) -> Any:
    """the procedure allows no further supplement (Decree 61/2018 Art. 11(2)(c): once)"""
    return d.supplements_left > 0


def in_procedure(d: Any, now: Now) -> Any:
    """the dossier has not been received: it has no clock yet"""
    return d.received_at != None  # noqa: E711  SQL needs the comparison


def unreceived(d: Any, now: Now) -> Any:
    """the dossier has been received"""
    return d.received_at == None  # noqa: E711  SQL needs the comparison


def begins_again(d: Any, now: Now) -> Any:
    """the dossier is not in procedure, or its term does not begin again"""
    return (d.received_at != None) & (d.supplement_restarts == True)  # noqa: E711, E712


def goes_on(d: Any, now: Now) -> Any:
    """the dossier is not in procedure, or its term begins again"""
    return (d.received_at != None) & (d.supplement_restarts == False)  # noqa: E711, E712


def expired(d: Any, now: Now) -> Any:
    """the time to answer has not run out"""
    return d.lapse_at < now.at


def expired_unreceived(d: Any, now: Now) -> Any:
    """the time to answer has not run out"""
    return (d.lapse_at < now.at) & (d.received_at == None)  # noqa: E711


def extensible(d: Any, now: Now) -> Any:
    """the procedure allows no further extension (Decree 61/2018 Art. 19(9): once)"""
    return d.extensions_left > 0


class Move(Transition):
    """One row of the table: a transition, who may make it, when, and what the clock does."""

    dest: str

    def __init__(
        self,
        source: str,
        dest: str,
        *args: Any,
        by: set[Role],
        guard: Guard | None = None,
        clock: Clock = Clock.nothing,
        visit: Visit = Visit.nothing,
        automatic: bool = False,
        **kw: Any,
    ) -> None:
        super().__init__(source, dest, *args, **kw)
        self.by = frozenset(by | {Role.system} if automatic else by)
        self.guard = guard
        self.clock = clock
        self.visit = visit
        self.automatic = automatic
        self.conditions.append(Condition(self._holds))

    def holds(self, dossier: Any, now: Now) -> Any:
        """A bool for a row, a WHERE for the table; the role is the caller's to check."""
        return True if self.guard is None else self.guard(dossier, now)

    def _holds(self, event: EventData) -> bool:
        now = cast("Now", event.kwargs["now"])
        if now.role in self.by and self.holds(event.model, now):
            event.kwargs["fired"].append(self)
            return True
        return False


class Lifecycle(Machine):
    """One machine for every dossier: it holds the table, never the dossiers."""

    transition_cls = Move

    def rows(self, event: str = "", source: str = "*") -> tuple[Move, ...]:
        """The rows of an event, in the order in which they are tried."""
        return cast("tuple[Move, ...]", tuple(self.get_transitions(event, source)))


NEW = "new"  # where a dossier is before its first entry; not a state anybody sees
S, R, C, V = State, Role, Clock, Visit
COUNTER = {R.reception, R.postal}
UNIT = {R.officer, R.leader}
RUNNING = [S.received, S.digitised, S.routed, S.processing]
WAITING = [S.awaiting_supplement, S.awaiting_payment]


# fmt: off
TABLE: list[dict[str, Any]] = [
    dict(trigger="register", source=NEW, dest=S.registered, by={R.citizen, *COUNTER}),
    dict(trigger="receive", source=NEW, dest=S.received, by=COUNTER, clock=C.starts),
    dict(trigger="adopt", source=NEW, dest=S.processing, by={R.system}, clock=C.starts, visit=V.enters),

    dict(trigger="receive", source=S.registered, dest=S.received, by=COUNTER, clock=C.starts),
    dict(trigger="decline", source=S.registered, dest=S.declined, by={R.reception, R.leader}, clock=C.stops),
    dict(trigger="request_supplement", source=S.registered, dest=S.awaiting_supplement, by=COUNTER, guard=may_ask_again, clock=C.holds),
    dict(trigger="supplement", source=S.awaiting_supplement, dest=S.registered, by={R.citizen, *COUNTER}, guard=unreceived, clock=C.runs),

    dict(trigger="digitise", source=S.received, dest=S.digitised, by=COUNTER, guard=complete, automatic=True),
    dict(trigger="route", source=S.digitised, dest=S.routed, by=COUNTER, automatic=True),
    dict(trigger="accept", source=S.routed, dest=S.processing, by=UNIT, guard=taken_in, visit=V.enters, automatic=True),

    dict(trigger="advance", source=S.processing, dest=S.processing, by=UNIT, guard=has_next_stage, visit=V.changes),
    dict(trigger="send_back", source=S.processing, dest=S.processing, by=UNIT, guard=has_earlier_stage, visit=V.changes),
    dict(trigger="extend", source=RUNNING, dest="=", by={R.leader}, guard=extensible, clock=C.extends),

    dict(trigger="request_supplement", source=S.processing, dest=S.awaiting_supplement, by=UNIT, guard=may_ask_again, clock=C.holds),
    dict(trigger="supplement", source=S.awaiting_supplement, dest=S.processing, by={R.citizen, *COUNTER}, guard=begins_again, clock=C.restarts),
    dict(trigger="supplement", source=S.awaiting_supplement, dest=S.processing, by={R.citizen, *COUNTER}, guard=goes_on, clock=C.runs),
    dict(trigger="request_payment", source=S.processing, dest=S.awaiting_payment, by=UNIT, clock=C.holds),
    dict(trigger="pay", source=S.awaiting_payment, dest=S.processing, by={R.citizen, *COUNTER, R.system}, clock=C.runs),
    dict(trigger="lapse", source=S.awaiting_supplement, dest=S.declined, by=set(), guard=expired_unreceived, clock=C.stops, visit=V.leaves, automatic=True),
    dict(trigger="lapse", source=WAITING, dest=S.stopped, by=set(), guard=expired, clock=C.stops, visit=V.leaves, automatic=True),

    dict(trigger="return_result", source=S.processing, dest=S.result_returned, by=UNIT, guard=in_last_stage, clock=C.stops, visit=V.leaves),
    dict(trigger="reopen", source=S.result_returned, dest=S.processing, by={R.leader}, clock=C.runs, visit=V.enters),
    dict(trigger="deliver", source=S.result_returned, dest=S.delivered, by=COUNTER),

    dict(trigger="withdraw", source=[S.registered, *RUNNING, *WAITING], dest=S.withdrawn, by={R.citizen, *COUNTER}, clock=C.stops, visit=V.leaves),
    dict(trigger="stop", source=[*RUNNING, *WAITING], dest=S.stopped, by={R.leader}, clock=C.stops, visit=V.leaves),

    dict(trigger="recompute", source=[*RUNNING, *WAITING], dest="=", by={R.control}, guard=in_procedure, clock=C.reckons),
    dict(trigger="migrate", source=[*RUNNING, *WAITING], dest="=", by={R.control, R.leader}, guard=in_procedure, clock=C.reckons),
    dict(trigger="restate", source=[S.result_returned, S.delivered], dest="=", by={R.control}, clock=C.reckons),
]
# fmt: on

LIFECYCLE = Lifecycle(
    model=None,
    states=[NEW, *State],
    initial=NEW,
    auto_transitions=False,
    send_event=True,
    transitions=TABLE,
)
ROWS = tuple(row for event in Event for row in LIFECYCLE.rows(event))


@cache
def moves(event: Event, source: str | None = None) -> tuple[Move, ...]:
    """The rows of an event, from one state or from all, in the order in which they are tried."""
    return LIFECYCLE.rows(event, source or "*")


def fire(dossier: Movable, event: Event, now: Now) -> Move:
    """Move one dossier in memory and return the row that was taken.

    Raises `NotYours` or `NotOpen`, with what is open now; then nothing has changed.
    """
    fired: list[Move] = []
    with suppress(MachineError):  # no row from this state: refused like a guard that fails
        LIFECYCLE.events[event].trigger(dossier, now=now, fired=fired)
    if not fired:
        raise refusal(dossier, event, now)
    return fired[0]


def open_to(dossier: Movable, now: Now) -> list[Event]:
    """The buttons to draw: what this role may do to this dossier now."""
    return [event for event in Event if why_not(dossier, event, now) is None]


def why_not(dossier: Movable, event: Event, now: Now) -> Sentence | None:
    """Why an event is closed, as a clause; None when it is open."""
    if (why := shut(event, dossier.state, now.role)) is not None:
        return why
    mine = [row for row in moves(event, dossier.state) if now.role in row.by]
    if any(row.holds(dossier, now) for row in mine):
        return None
    return Sentence((mine[0].guard and mine[0].guard.__doc__) or "")


@cache
def shut(event: Event, state: State, role: Role) -> Sentence | None:
    """Why an event is closed to a role in a state, whatever the dossier; None when it may be open."""
    if not (rows := moves(event, state)):
        return Sentence("a dossier that is {state} has no such move", state=state)
    if any(role in row.by for row in rows):
        return None
    return Sentence("it is for {roles}", roles=sorted({role for row in rows for role in row.by}))


def refusal(dossier: Movable, event: Event, now: Now) -> NotOpen:
    """The sentence for a move that is closed: why, and what is open instead."""
    rows = moves(event, dossier.state)
    kind = NotYours if rows and all(now.role not in row.by for row in rows) else NotOpen
    here = {"event": event, "state": dossier.state, "seq": dossier.seq, "role": now.role}
    told = {"why": why_not(dossier, event, now), "open": open_to(dossier, now) or NOTHING}
    return kind(Sentence("{event} is not open: {why}. The dossier is {state} (seq {seq}); open to {role} now: {open}.", **here | told))  # fmt: skip


def automatic(state: State) -> tuple[Move, ...]:
    """The rows that flows fire by themselves from a state."""
    return tuple(row for row in ROWS if row.automatic and row.source == state)


# Derived once, for CHECK constraints and queries ------------------------------------------

HELD = frozenset(State(row.dest) for row in ROWS if row.clock is Clock.holds)
STOPPED = frozenset(State(row.dest) for row in ROWS if row.clock is Clock.stops)
FINAL = frozenset(
    state for state in State if all(row.dest == state for row in ROWS if row.source == state)
)
FINISHED = FINAL | STOPPED
WITH_RESULT = frozenset({State.result_returned, State.delivered})
# What always has a receipt: not the states that an unreceived dossier may be in.
IN_PROCEDURE = frozenset(S) - {S.registered, S.declined, S.awaiting_supplement, S.withdrawn, S.stopped}  # fmt: skip
AUTOMATIC: tuple[Event, ...] = (Event.lapse, Event.digitise, Event.route, Event.accept)
