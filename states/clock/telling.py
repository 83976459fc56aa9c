"""The telling of a reckoning: holds as spans on the line, and the lines of the trace."""

from collections.abc import Iterator
from typing import NamedTuple

from states.clock.facts import Facts, Line
from states.clock.worktime import DAY, Calendar

Span = tuple[int, int | None]


class Reckoning(NamedTuple):
    """All that `read` found, as stamps: the term begun at `start`, first promised for `original`,
    now `due`; `every` hold, those `effective`, and those `ignored` because they came too late.
    """

    calendar: Calendar
    term: str
    facts: Facts
    received: int
    start: int
    end: int
    original: int | None
    due: int | None
    every: list[Span]
    effective: list[Span]
    ignored: list[Span]


class Piece(NamedTuple):
    """A stretch of time reckoned one way."""

    begin: int
    to: int
    minutes: int
    counts: bool


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


def cut(calendar: Calendar, start: int, end: int, holds: list[Span]) -> Iterator[Piece]:
    """[start, end) cut at the holds, in order; outside them the time counts."""

    def piece(begin: int, to: int, counts: bool) -> Piece:
        return Piece(begin, to, calendar.along(to) - calendar.along(begin), counts)

    for begin, to in holds:
        begin, to = max(begin, start), end if to is None else min(to, end)
        if begin >= to:
            continue
        if start < begin:
            yield piece(start, begin, counts=True)
        yield piece(begin, to, counts=False)
        start = to
    if start < end:
        yield piece(start, end, counts=True)


def trace(found: Reckoning) -> tuple[Line, ...]:
    """What was applied, then the days that differ, then the time, cut where its reckoning changes.

    Only the last kind of line has minutes; they sum to the working time from receipt to the end.
    """
    calendar, facts = found.calendar, found.facts

    def line(rule: str, begin: int, to: int | None = None, note: str = "") -> Line:
        to = begin if to is None else to
        return Line(rule, calendar.when(begin), calendar.when(to), note=note)

    def spent(piece: Piece, rule: str, counts: bool) -> Line:
        begin, to = calendar.when(piece.begin), calendar.when(piece.to)
        return Line(rule, begin, to, piece.minutes, counts)

    received, start, end = found.received, found.start, found.end
    last = end if found.due is None else found.due
    began = "term" if facts.promised is None else "promised"
    lines = [line(began, received, found.original, found.term)]
    if start != received:
        lines.append(line("restart", start))
    lines += [line("hold", begin, to) for begin, to in found.effective]
    lines += [line("hold_too_late", begin, to) for begin, to in found.ignored]
    lines += [line("extended", last, note=str(more)) for more in facts.extend]
    lines += [
        line("works" if calendar.works(day) else "off", day * DAY, note=note)
        for day, note in calendar.special(received // DAY, last // DAY)
    ]
    before = cut(calendar, received, min(start, end), merged(found.every, received))
    lines += [spent(p, "restarted" if p.counts else "held", counts=False) for p in before]
    after = cut(calendar, start, end, found.effective)
    lines += [spent(p, "counted" if p.counts else "held", p.counts) for p in after]
    return tuple(lines)
