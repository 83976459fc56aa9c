"""`read`: the one function that computes a deadline and tells how.

The reckoning runs on stamps (local minutes, see `worktime.py`). A term and its extensions form a
chain of segments, each counted on from the due moment of the one before; a hold moves the segment
in whose time it began.
"""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from states.clock.facts import Facts, Policy, Reading, Verdict
from states.clock.telling import Reckoning, Span, cut, merged, trace
from states.clock.term import Kind, Term
from states.clock.worktime import DAY, Calendar
from states.errors import BadInput


class Segment(NamedTuple):
    """A stretch of the term counted one way: days or minutes, per `kind`."""

    kind: Kind
    size: int
    cut_off: int


def read(term: Term, calendar: Calendar, facts: Facts, policy: Policy, at: datetime) -> Reading:
    """Read one clock at a moment.

    Raises `BadInput` for facts that contradict each other, and for anything past the calendar's
    reach: never a wrong date.
    """
    received = calendar.stamp(facts.received)
    start = received if facts.restart is None else calendar.stamp(facts.restart)
    finished = None if facts.finished is None else calendar.stamp(facts.finished)
    _in_order(received, start, finished)
    end = calendar.stamp(at) if finished is None else finished
    every = _stamped(calendar, facts.holds, finished)
    holds = merged(every, start)

    base = _base(term, calendar, facts)
    segments = _extended(base, calendar, facts.extend)
    moved, ignored, waiting = _apply(calendar, segments, start, holds)
    dues = _chain(calendar, segments, start, moved)
    due = dues[-1] if dues else None
    effective = [span for span in holds if span not in ignored]

    original = None if base is None else _due(calendar, base, received, 0)
    in_force = None if waiting else due
    mark = holds[-1][0] if waiting else end
    return Reading(
        due=None if in_force is None else calendar.when(in_force),
        due_original=None if original is None else calendar.when(original),
        late_at=None if in_force is None else calendar.when(_late_from(calendar, policy, in_force)),
        verdict=_standing(calendar, policy, segments, in_force, finished, end),
        used=sum(piece.minutes for piece in cut(calendar, start, end, effective) if piece.counts),
        remaining=None if due is None else calendar.along(due) - calendar.along(mark),
        _tell=partial(
            trace,
            Reckoning(
                calendar=calendar,
                term=f"{term} {calendar.name}@{calendar.version}",
                facts=facts,
                received=received,
                start=start,
                end=end,
                original=original,
                due=due,
                every=every,
                effective=effective,
                ignored=ignored,
            ),
        ),
    )


def verdict_of(calendar: Calendar, policy: Policy, due: datetime, finished: datetime) -> Verdict:
    """early, on_time or late: the class of a finish against a due moment."""
    return _verdict(calendar, policy, calendar.stamp(due), calendar.stamp(finished))


def late_from(calendar: Calendar, policy: Policy, due: datetime) -> datetime:
    """The first minute at which finishing would be late."""
    return calendar.when(_late_from(calendar, policy, calendar.stamp(due)))


# The due moment ---------------------------------------------------------------------------


def _base(term: Term, calendar: Calendar, facts: Facts) -> Segment | None:
    """The first promise's segment; None where the procedure sets no term."""
    if facts.promised is not None:
        return Segment(Kind.promise, calendar.stamp(facts.promised), 0)
    if term.kind is Kind.none:
        return None
    return Segment(term.kind, term.size(calendar.standard_day), term.cut_off)


def _extended(base: Segment | None, calendar: Calendar, extend: tuple[Term, ...]) -> list[Segment]:
    """The term and its extensions. Those of the term's own kind add up with it, whenever given;
    the others are counted on, in order, neighbours of one kind added up. Empty: no due date.
    """
    if any(more.kind is Kind.none for more in extend):
        raise BadInput("an extension must have a length: 'none' extends nothing")
    if base is None:
        return []
    chain = [base]
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


def _chain(calendar: Calendar, segments: list[Segment], start: int, moved: list[int]) -> list[int]:
    """The due stamp after each segment."""
    dues = []
    for segment, by in zip(segments, moved, strict=True):
        start = _due(calendar, segment, start, by)
        dues.append(start)
    return dues


def _apply(
    calendar: Calendar, segments: list[Segment], start: int, holds: list[Span]
) -> tuple[list[int], list[Span], bool]:
    """Holds in order of time: how far each segment moves, which holds came too late to move
    anything (lateness is not undone), and whether one that counts is still open.
    """
    moved = [0] * len(segments)
    if not segments:
        return moved, [], bool(holds) and holds[-1][1] is None
    ignored: list[Span] = []
    for begin, to in holds:
        dues = _chain(calendar, segments, start, moved)
        into = next((n for n, due in enumerate(dues) if begin <= due), None)
        if into is None:
            ignored.append((begin, to))
        elif to is None:
            return moved, ignored, True
        else:
            moved[into] += _shift(calendar, segments[into].kind, begin, to)
    return moved, ignored, False


def _shift(calendar: Calendar, kind: Kind, begin: int, to: int) -> int:
    """How far a hold moves a segment: working days, calendar days or working minutes."""
    if kind is Kind.minutes:
        return calendar.along(to) - calendar.along(begin)
    if kind is Kind.calendar:
        return to // DAY - begin // DAY
    return calendar.count(to // DAY) - calendar.count(begin // DAY)


# Holds ------------------------------------------------------------------------------------


def _in_order(received: int, start: int, finished: int | None) -> None:
    if start < received:
        raise BadInput("the restart lies before the receipt: a term begins again after it began")
    if finished is not None and finished < start:
        raise BadInput("the finish lies before the receipt or the restart: check the two moments")


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
    return sorted(spans, key=lambda span: span[0])


# The verdict ------------------------------------------------------------------------------


def _verdict(calendar: Calendar, policy: Policy, due: int, finished: int) -> Verdict:
    if policy is Policy.day:
        first = last = due // DAY
        finished //= DAY
    elif policy is Policy.session:
        first, last = calendar.session(due)
    else:
        first = last = due
    if finished < first:
        return Verdict.early
    return Verdict.on_time if finished <= last else Verdict.late


def _late_from(calendar: Calendar, policy: Policy, due: int) -> int:
    """The first stamp for which `_verdict` says late."""
    if policy is Policy.day:
        return (due // DAY + 1) * DAY
    return (calendar.session(due)[1] if policy is Policy.session else due) + 1


def _standing(
    calendar: Calendar,
    policy: Policy,
    segments: list[Segment],
    due: int | None,
    finished: int | None,
    end: int,
) -> Verdict:
    if not segments:
        return Verdict.no_term
    if due is None:
        return Verdict.held
    verdict = _verdict(calendar, policy, due, end)
    if finished is not None:
        return verdict
    return Verdict.overdue if verdict is Verdict.late else Verdict.open


def share_at(calendar: Calendar, start: datetime, due: datetime, share: float) -> datetime:
    """The moment by which that share of the working time from start to due has passed."""
    begin, end = calendar.position(start), calendar.position(due)
    return calendar.moment(max(1, begin + int((end - begin) * share)))
