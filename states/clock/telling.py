"""The telling of a reckoning: the lines of the trace."""

from collections.abc import Iterable, Iterator

from states.clock.facts import Line, Policy, Verdict
from states.clock.reckoning import Hold, Reckoning, Span
from states.clock.term import Kind
from states.clock.worktime import DAY

UNITS = {Kind.minutes: "m", Kind.calendar: "cd"}  # the others are moved by working days


def trace(found: Reckoning, verdict: Verdict, policy: Policy) -> tuple[Line, ...]:
    """What was applied, then the days that differ, then the time, cut where its reckoning changes,
    and where that leaves the dossier.

    Only the lines of time have minutes; they sum to the working time from receipt to the end.
    """
    when, end = found.calendar.when, found.end
    standing = Line("finished" if found.finished else "standing", when(end), when(end))
    return (
        *_applied(found),
        *_days(found),
        *_time(found),
        standing._replace(note=f"{verdict} {policy}"),
    )


def _applied(found: Reckoning) -> Iterator[Line]:
    """The term, its restart, holds and extensions, and the due moment they make."""
    calendar, original = found.calendar, found.original
    when = calendar.when
    received = when(found.received)
    promised = received if original is None else when(original)
    rule = "promised" if found.base and found.base.kind is Kind.promise else "term"
    yield Line(rule, received, promised, note=f"{found.term} {calendar.name}@{calendar.version}")
    if found.start != found.received:
        yield Line("restart", when(found.start), when(found.start))
    for hold in found.holds:
        yield _hold(found, hold)
    last = when(found.end if found.due is None else found.due)
    for more in found.extend:
        yield Line("extended", last, last, note=str(more))
    if found.in_force is None:
        return
    for (kind, size, _), start, moved, due in found.legs:
        day = start // DAY + size + moved
        if kind is Kind.calendar and day != due // DAY:
            yield Line("rolled", when(day * DAY), when(due))
    yield Line("due", last, last)


def _hold(found: Reckoning, hold: Hold) -> Line:
    """A hold; its note is how far it moved the term, as in 2wd, 3cd, or 95m of working time."""
    begin = found.calendar.when(hold.begin)
    to = begin if hold.to is None else found.calendar.when(hold.to)
    if hold.kind is None:
        return Line("hold_too_late", begin, to)
    if hold.to is None:
        return Line("hold_open", begin, to)
    moved = "" if hold.kind is Kind.none else f"{hold.by}{UNITS.get(hold.kind, 'wd')}"
    return Line("hold", begin, to, note=moved)


def _days(found: Reckoning) -> Iterator[Line]:
    """The days between receipt and due moment that differ from the ordinary week."""
    calendar = found.calendar
    last = found.end if found.due is None else found.due
    for day, note in calendar.special(found.received // DAY, last // DAY):
        midnight = calendar.when(day * DAY)
        yield Line("works" if calendar.works(day) else "off", midnight, midnight, note=note)


def _time(found: Reckoning) -> Iterator[Line]:
    """The time from receipt to the end: before a restart nothing counts, then all but holds do."""
    along, when = found.calendar.along, found.calendar.when
    received, start, end = found.received, found.start, found.end
    pieces: list[tuple[str, int, int]] = []
    if start != received:
        pieces += _cut(received, min(start, end), found.before, "restarted")
    pieces += _cut(start, end, [hold[:2] for hold in found.effective], "counted")
    for rule, begin, to in pieces:
        minutes = along(to) - along(begin)
        yield Line(rule, when(begin), when(to), minutes, rule == "counted")


def _cut(start: int, end: int, holds: Iterable[Span], rule: str) -> Iterator[tuple[str, int, int]]:
    """[start, end) cut at the holds, in order; outside them the time is under `rule`."""
    for begin, to in holds:
        begin, to = max(begin, start), end if to is None else min(to, end)
        if begin >= to:
            continue
        if start < begin:
            yield rule, start, begin
        yield "held", begin, to
        start = to
    if start < end:
        yield rule, start, end
