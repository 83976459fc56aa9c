"""The reckoning: from the facts to the due moment, in stamps (local minutes, see `worktime.py`).

A term and its extensions form a chain of segments, each counted on from the due moment of the one
before; a hold moves the segment in whose time it began.
"""

from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from states.clock.facts import Facts
from states.clock.term import Kind, Term
from states.clock.worktime import DAY, Calendar
from states.errors import BadInput

Span = tuple[int, int | None]


class Segment(NamedTuple):
    """A stretch of the term counted one way: days or minutes, per `kind`."""

    kind: Kind
    size: int
    cut_off: int


class Leg(NamedTuple):
    """A segment as it ran: begun at `start`, moved by its holds, over at `due`."""

    segment: Segment
    start: int
    moved: int
    due: int


class Hold(NamedTuple):
    """A hold and what it did: it moved a segment of that `kind` by so much. No kind: it began after
    the due moment and moved nothing, as lateness is not undone. No `to`: it is open.
    """

    begin: int
    to: int | None
    kind: Kind | None
    by: int = 0


class Reckoning(NamedTuple):
    """All that was found. The term began at `start`: at the receipt or at the last restart.

    `before` are the holds since the receipt, for the telling; `holds` those since the start. `due`
    is where the last leg ends, be it held or not; `waiting`: a hold that counts is still open.
    """

    calendar: Calendar
    term: Term
    extend: tuple[Term, ...]
    base: Segment | None
    received: int
    start: int
    end: int
    finished: bool
    before: list[Span]
    holds: list[Hold]
    legs: list[Leg]

    due: int | None
    waiting: bool

    @property
    def original(self) -> int | None:
        """The first promise, which knows neither holds nor restart nor extensions."""
        if self.base is None:
            return None
        segment, start, moved, due = self.legs[0]
        if (segment, start, moved) == (self.base, self.received, 0):
            return due
        return _due(self.calendar, self.base, self.received, 0)

    @property
    def in_force(self) -> int | None:
        """The due stamp that binds: none while held."""
        return None if self.waiting else self.due

    @property
    def effective(self) -> list[Hold]:
        """The holds whose time does not count."""
        return [hold for hold in self.holds if hold.kind is not None]


def reckon(term: Term, calendar: Calendar, facts: Facts, at: datetime) -> Reckoning:
    """Count the term from the facts; `at` is the end unless it finished. Raises `BadInput`."""
    received = calendar.stamp(facts.received)
    start = received if facts.restart is None else calendar.stamp(facts.restart)
    finished = None if facts.finished is None else calendar.stamp(facts.finished)
    if start < received:
        raise BadInput("the restart lies before the receipt: a term begins again after it began")
    if finished is not None and finished < start:
        raise BadInput("the finish lies before the receipt or the restart: check the two moments")
    spans = _stamped(calendar, facts.holds, finished) if facts.holds else []
    since = merged(spans, start) if spans else []
    base = _base(term, calendar, facts.promised)
    segments = _extended(base, calendar, facts.extend)
    legs, holds = _walk(calendar, segments, start, since)
    return Reckoning(
        calendar=calendar,
        term=term,
        extend=facts.extend,
        base=base,
        received=received,
        start=start,
        end=calendar.stamp(at) if finished is None else finished,
        finished=finished is not None,
        before=since if start == received else merged(spans, received),
        holds=holds,
        legs=legs,
        due=legs[-1].due if legs else None,
        waiting=bool(holds) and holds[-1].to is None and holds[-1].kind is not None,
    )


# The term ---------------------------------------------------------------------------------


def _base(term: Term, calendar: Calendar, promised: datetime | None) -> Segment | None:
    """The first promise's segment; None where the procedure sets no term."""
    if promised is not None:
        return Segment(Kind.promise, calendar.stamp(promised), 0)
    if term.kind is Kind.none:
        return None
    return Segment(term.kind, term.size(calendar.standard_day), term.cut_off)


def _extended(base: Segment | None, calendar: Calendar, extend: tuple[Term, ...]) -> list[Segment]:
    """The term and its extensions. Those of the term's own kind add up with it, whenever given;
    the others are counted on, in order, neighbours of one kind added up. Empty: no due date.
    """
    chain = [] if base is None else [base]
    if not extend:
        return chain
    if any(more.kind is Kind.none for more in extend):
        raise BadInput("an extension must have a length: 'none' extends nothing")
    if base is None:
        return chain
    own = base.kind if base.kind is not Kind.sameday else None
    for more in sorted(extend, key=lambda more: more.kind is not own):
        size = more.size(calendar.standard_day)
        if more.kind is chain[-1].kind and more.kind is not Kind.sameday:
            chain[-1] = chain[-1]._replace(size=chain[-1].size + size)
        else:
            chain.append(Segment(more.kind, size, more.cut_off))
    return chain


def _due(calendar: Calendar, segment: Segment, start: int, moved: int) -> int:
    """The due stamp of one segment begun at `start`, moved by its holds in its own unit."""
    kind, size, cut_off = segment
    day, minute = divmod(start, DAY)
    if kind is Kind.days:
        return calendar.nth(calendar.count(day) + size + moved)
    if kind is Kind.minutes:
        return calendar.reach(calendar.along(start) + size + moved)
    if kind is Kind.calendar:
        return calendar.roll(day + size + moved)
    if kind is Kind.promise:
        return calendar.nth(calendar.count(size // DAY) + moved) if moved else size
    # Past the last session nothing can be given the same day, whatever the cut-off says.
    same = calendar.works(day) and minute < cut_off and start < calendar.roll(day)
    return calendar.nth(calendar.count(day) + (0 if same else 1) + moved)


# The holds --------------------------------------------------------------------------------


def _stamped(
    calendar: Calendar, holds: tuple[tuple[datetime, datetime | None], ...], finished: int | None
) -> list[Span]:
    """Holds as stamps in order of time, cut at the finish; finishing closes an open one."""
    spans: list[Span] = []
    for begin_at, to_at in holds:
        begin = calendar.stamp(begin_at)
        to = None if to_at is None else calendar.stamp(to_at)
        if to is not None and to < begin:
            raise BadInput("a hold ends before it begins: check the two moments")
        if finished is not None:
            to = finished if to is None else min(to, finished)
        if to is None or begin < to:
            spans.append((begin, to))
    return sorted(spans, key=itemgetter(0))


def merged(spans: list[Span], start: int) -> list[Span]:
    """What counts of the holds from `start` on; overlapping and touching ones become one."""
    joined: list[Span] = []
    for begin, to in spans:
        if to is not None and to <= start:
            continue
        begin = max(begin, start)
        if joined and ((last := joined[-1])[1] is None or begin <= last[1]):
            if last[1] is not None and (to is None or to > last[1]):
                joined[-1] = (last[0], to)
        else:
            joined.append((begin, to))
    return joined


def _walk(
    calendar: Calendar, segments: list[Segment], start: int, spans: list[Span]
) -> tuple[list[Leg], list[Hold]]:
    """The segments in turn, and the holds as they are met on the way, in order of time."""
    if not segments:
        return [], [Hold(begin, to, Kind.none) for begin, to in spans]
    ahead = iter(segments)
    legs = [_leg(calendar, next(ahead), start)]
    holds: list[Hold] = []
    for begin, to in spans:
        while begin > legs[-1].due and (segment := next(ahead, None)):
            legs.append(_leg(calendar, segment, legs[-1].due))
        (kind, _, _), start, moved, due = legs[-1]
        if begin > due:
            holds.append(Hold(begin, to, None))
        elif to is None:
            holds.append(Hold(begin, to, kind))
        else:
            by = _shift(calendar, kind, begin, to)
            legs[-1] = _leg(calendar, legs[-1].segment, start, moved + by)
            holds.append(Hold(begin, to, kind, by))
    for segment in ahead:
        legs.append(_leg(calendar, segment, legs[-1].due))
    return legs, holds


def _leg(calendar: Calendar, segment: Segment, start: int, moved: int = 0) -> Leg:
    return Leg(segment, start, moved, _due(calendar, segment, start, moved))


def _shift(calendar: Calendar, kind: Kind, begin: int, to: int) -> int:
    """How far a hold moves a segment: working days, calendar days or working minutes."""
    if kind is Kind.minutes:
        return calendar.along(to) - calendar.along(begin)
    if kind is Kind.calendar:
        return to // DAY - begin // DAY
    return calendar.count(to // DAY) - calendar.count(begin // DAY)
