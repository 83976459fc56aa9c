"""Who had a dossier, minute by working minute. Pure.

A dossier is in one state at a time, so each minute is one holder's, and the minutes of all holders
are those between the two moments: positions on the calendar's line, whose differences add up.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, auto
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from states.clock import Calendar
from states.lifecycle import FINISHED, HELD
from states.words import Channel, Event, Role, State

Line = Mapping[str, Any]


class Kind(StrEnum):
    """What sort of holder."""

    reception = auto()  # until it is sent to a unit; a postal clerk for the agency named
    post = auto()  # on its way from a post point, before the agency's receipt
    unit = auto()  # of the dossier's own agency
    other_agency = auto()  # a unit of another agency, the centre among them
    citizen = auto()  # asked for a supplement or a payment
    nobody = auto()  # it was finished


class Holder(NamedTuple):
    """Who had it. `agency`: whose time it was."""

    kind: Kind
    unit: str | None = None
    person: str | None = None
    agency: str | None = None


class Span(NamedTuple):
    """One holder's time, [start, end)."""

    start: datetime
    end: datetime
    holder: Holder


class Staff(Protocol):
    """What is asked of the organisation."""

    def seat(self, person: str, role: Role, at: datetime) -> str | None:
        """The unit where somebody held that role."""

    def agency_of(self, place: str, at: datetime) -> str | None:
        """The agency of a unit or service point, or who took over from it; None: not known."""


@dataclass(frozen=True, slots=True)
class Life:
    """A dossier's rows, each list oldest first."""

    paper: Any
    lines: Sequence[Line]
    visits: Sequence[Line]
    activities: Sequence[Line] = ()
    consultations: Sequence[Line] = ()


def attributed(
    life: Life, staff: Staff, calendar: Calendar, start: datetime, end: datetime, due: datetime
) -> list[dict[str, Any]]:
    """The working minutes from start to end by holder, in the order in which they first had it.

    `late_minutes` are those of `minutes` that lie past the due moment.
    """
    missed = calendar.position(due)
    shares: dict[Holder, list[int]] = {}
    for span in spans(life, staff, start, end):
        begin, to = calendar.position(span.start), calendar.position(span.end)
        if begin == to:
            continue
        share = shares.setdefault(span.holder, [0, 0])
        share[0] += to - begin
        share[1] += max(0, to - max(begin, missed))
    return [
        {**holder._asdict(), "minutes": minutes, "late_minutes": late}
        for holder, (minutes, late) in shares.items()
    ]


def spans(life: Life, staff: Staff, start: datetime, end: datetime) -> Iterator[Span]:
    """Who had it from one moment to another, in order and without a gap."""
    turns = [(line["at"], each) for line, each in zip(life.lines, _held(life, staff), strict=True)]
    for (begin, holder), (to, _) in pairwise([*turns, (end, None)]):
        begin, to = max(begin, start), min(to, end)
        if begin >= to or holder is None:
            continue
        told = holder.kind is Kind.unit and life.paper.source
        for span in _told(life, staff, begin, to) if told else (Span(begin, to, holder),):
            yield from _consulted(life, staff, span)


# From line to line --------------------------------------------------------------------------


def _held(life: Life, staff: Staff) -> Iterator[Holder]:
    """Who has it after each line."""
    clerk: Line | None = None
    for line in life.lines:
        if line["event"] in RECEIVING and line["role"] in COUNTER:
            clerk = line
        yield _holder(life, staff, line, clerk)


RECEIVING = {Event.register, Event.receive, Event.digitise, Event.supplement}
COUNTER = {Role.reception, Role.postal}
AT_RECEPTION = {State.registered, State.received, State.digitised}


def _holder(life: Life, staff: Staff, line: Line, clerk: Line | None) -> Holder:
    state, at = line["dest"], line["at"]
    if state in FINISHED:
        return Holder(Kind.nobody)
    if state in HELD:
        return Holder(Kind.citizen)
    if state == State.registered and life.paper.channel == Channel.post:
        return Holder(Kind.post)
    if state in AT_RECEPTION:
        return _reception(life.paper, staff, at, clerk)
    visit = None if state == State.routed else _visit(life.visits, line["seq"])
    if visit is not None:
        return _of_unit(life.paper, staff, at, visit["unit"], visit["person"])
    return _of_unit(life.paper, staff, at, _sent_to(life, line["seq"]))


def _reception(paper: Any, staff: Staff, at: datetime, clerk: Line | None) -> Holder:
    """At the counter where it came in, with the clerk who last had a hand in it."""
    if clerk is None:
        return Holder(Kind.reception, paper.counter, None, staff.agency_of(paper.counter, at))
    unit = staff.seat(clerk["actor"], clerk["role"], clerk["at"]) or paper.counter
    agency = clerk["on_behalf_of"] or staff.agency_of(unit, at)
    return Holder(Kind.reception, unit, clerk["actor"], agency)


def _of_unit(
    paper: Any, staff: Staff, at: datetime, unit: str, person: str | None = None
) -> Holder:
    """A unit that nobody knows of, as those of imported dossiers, counts as the agency's own."""
    agency = staff.agency_of(unit, at)
    if agency in {None, paper.agency, staff.agency_of(paper.agency, at)}:
        return Holder(Kind.unit, unit, person, paper.agency)
    return Holder(Kind.other_agency, unit, person, agency)


def _visit(visits: Sequence[Line], seq: int) -> Line | None:
    """The visit that was open after a line."""
    for visit in visits:
        closed = visit["closed_seq"]
        if visit["opened_seq"] <= seq and (closed is None or closed > seq):
            return visit
    return None


def _sent_to(life: Life, seq: int) -> str:
    """Where it waits to be taken in. A line tells it where rules decided; else it is the stage's
    unit, which its first visit keeps, or the dossier itself while there is none.
    """
    for line in life.lines:
        if line["event"] == Event.route and line["seq"] <= seq:
            routed = json.loads(line["payload"]).get("routed")
            if routed is not None:
                return str(routed["unit"])
    return str(life.visits[0]["unit"] if life.visits else life.paper.unit)


# As another system told it ------------------------------------------------------------------


def _told(life: Life, staff: Staff, start: datetime, end: datetime) -> Iterator[Span]:
    """Logs tell when a thing was done, not when it was taken up: the time up to it is theirs who
    did it. What follows the last is the unit's that the dossier lies in.
    """
    begin = start
    for each in sorted(life.activities, key=itemgetter("at")):
        to = min(each["at"], end)
        if to > begin:
            unit = each["unit"] or life.paper.unit
            yield Span(begin, to, _of_unit(life.paper, staff, begin, unit, each["person"]))
            begin = to
    if begin < end:
        yield Span(begin, end, _of_unit(life.paper, staff, begin, life.paper.unit))


# While another's opinion was awaited ---------------------------------------------------------


def _consulted(life: Life, staff: Staff, span: Span) -> Iterator[Span]:
    """What a unit waited for an opinion is the time of the body that was asked.

    Of several, it is that of the one asked first, until it answers; of those asked at once, of the
    one that was due first.
    """
    asked = life.consultations if span.holder.kind in OF_UNITS else ()
    asked = [each for each in asked if each["asked_at"] < span.end and _until(each) > span.start]
    cuts = {at for each in asked for at in (each["asked_at"], _until(each))}
    inner = sorted(at for at in cuts if span.start < at < span.end)
    for begin, to in pairwise([span.start, *inner, span.end]):
        open_ = [each for each in asked if each["asked_at"] <= begin < _until(each)]
        if first := min(open_, key=itemgetter("asked_at", "due_at", "n"), default=None):
            yield Span(begin, to, _of_unit(life.paper, staff, begin, first["unit"]))
        else:
            yield Span(begin, to, span.holder)


OF_UNITS = {Kind.unit, Kind.other_agency}
LAST = datetime.max.replace(tzinfo=UTC)


def _until(asked: Line) -> datetime:
    ended: datetime | None = asked["ended_at"]
    return LAST if ended is None else ended
