"""The telling of a reckoning: the lines of the trace."""

from collections.abc import Iterator

from states.clock.facts import Line, Policy, Verdict
from states.clock.reckoning import Hold, Reckoning, Span
from states.clock.term import Kind
from states.clock.worktime import DAY, Calendar

UNITS = {Kind.minutes: "m", Kind.calendar: "cd"}  # the others are moved by working days


def trace(found: Reckoning, verdict: Verdict, policy: Policy) -> tuple[Line, ...]:
    """What was applied, then the days that differ, then the time, cut where its reckoning changes,
    and where that leaves the dossier.

    Only the lines of time have minutes; they sum to the working time from receipt to the end.
    """
    rule, end = "finished" if found.finished else "standing", found.calendar.when(found.end)
    standing = Line(rule, end, end, note=f"{verdict} {policy}")
    return (*_applied(found), *_days(found), *_time(found), standing)


def _applied(found: Reckoning) -> list[Line]:
    """The term, its restart, holds and extensions, and the due moment they make."""
    calendar, original = found.calendar, found.original
    when = calendar.when
    received = when(found.received)
    promised = received if original is None else when(original)
    rule = "promised" if found.base and found.base.kind is Kind.promise else "term"
    note = f"{found.term.text} {calendar.name}@{calendar.version}"
    lines = [Line(rule, received, promised, note=note)]
    if found.start != found.received:
        start = when(found.start)
        lines.append(Line("restart", start, start))
    lines += [_hold(calendar, hold) for hold in found.holds]
    last = when(found.end if found.due is None else found.due)
    lines += [Line("extended", last, last, note=more.text) for more in found.extend]
    if found.in_force is not None:
        for (kind, size, _), begun, moved, due in found.legs:
            day = begun // DAY + size + moved
            if kind is Kind.calendar and day != due // DAY:
                lines.append(Line("rolled", when(day * DAY), when(due)))
        lines.append(Line("due", last, last))
    return lines


def _hold(calendar: Calendar, hold: Hold) -> Line:
    """A hold; its note is how far it moved the term, as in 2wd, 3cd, or 95m of working time."""
    begin = calendar.when(hold.begin)
    to = begin if hold.to is None else calendar.when(hold.to)
    if hold.kind is None:
        return Line("hold_too_late", begin, to)
    if hold.to is None:
        return Line("hold_open", begin, to)
    moved = "" if hold.kind is Kind.none else f"{hold.by}{UNITS.get(hold.kind, 'wd')}"
    return Line("hold", begin, to, note=moved)


def _days(found: Reckoning) -> list[Line]:
    """The days between receipt and due moment that differ from the ordinary week."""
    calendar = found.calendar
    last = found.end if found.due is None else found.due
    lines = []
    for day, note in calendar.special(found.received // DAY, last // DAY):
        midnight = calendar.when(day * DAY)
        lines.append(Line("works" if calendar.works(day) else "off", midnight, midnight, note=note))
    return lines


def _time(found: Reckoning) -> list[Line]:
    """The time from receipt to the end: before a restart nothing counts, then all but holds do."""
    received, start, end = found.received, found.start, found.end
    lines: list[Line] = []
    if start != received:
        lines += _cut(found.calendar, received, min(start, end), found.before, "restarted")
    holds = [(hold.begin, hold.to) for hold in found.effective]
    lines += _cut(found.calendar, start, end, holds, "counted")
    return lines


def _cut(calendar: Calendar, start: int, end: int, holds: list[Span], rule: str) -> Iterator[Line]:
    """[start, end) cut at the holds, in order; outside them the time is under `rule`."""
    along, when = calendar.along, calendar.when

    def piece(begin: int, to: int, rule: str) -> Line:
        return Line(rule, when(begin), when(to), along(to) - along(begin), rule == "counted")

    for begin, to in holds:
        begin, to = max(begin, start), end if to is None else min(to, end)
        if begin >= to:
            continue
        if start < begin:
            yield piece(start, begin, rule)
        yield piece(begin, to, "held")
        start = to
    if start < end:
        yield piece(start, end, rule)
