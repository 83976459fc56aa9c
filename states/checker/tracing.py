"""The lines that the clerk would write beneath the sheet, to be held against those of the clock."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from states.checker.pencil import NEVER, Hold, Wall
from states.checker.sheet import Sheet


class Line(NamedTuple):
    """One line of a trace, in local time."""

    rule: str
    start: datetime
    end: datetime
    minutes: int = 0
    counts: bool = False
    note: str = ""


class Asked(NamedTuple):
    """What the lines name beside the facts; `notes` are of the calendar's exceptions."""

    term: str
    calendar: str
    policy: str
    received: datetime
    finished: bool
    given: bool
    extend: Sequence[str]
    notes: Mapping[date, str]


def lines_of(wall: Wall, sheet: Sheet, asked: Asked) -> list[Line]:
    """What was applied, the days that differ, the time, and where that leaves the dossier."""
    rule, end = "finished" if asked.finished else "standing", sheet.end
    standing = Line(rule, end, end, note=f"{sheet.verdict} {asked.policy}")
    return [
        *_applied(sheet, asked),
        *_days(wall, sheet, asked),
        *_time(wall, sheet, asked),
        standing,
    ]


def _applied(sheet: Sheet, asked: Asked) -> Iterator[Line]:
    received, last = asked.received, sheet.due or sheet.end
    note = f"{asked.term} {asked.calendar}"
    yield Line(
        "promised" if asked.given else "term", received, sheet.original or received, note=note
    )
    if sheet.start != received:
        yield Line("restart", sheet.start, sheet.start)
    for begins, ends in sheet.holds:
        shown = begins if ends == NEVER else ends
        if (begins, ends) in sheet.late:
            yield Line("hold_too_late", begins, shown)
        elif ends == NEVER:
            yield Line("hold_open", begins, shown)
        else:
            yield Line("hold", begins, ends, note=sheet.margin.moved.get((begins, ends), ""))
    for text in asked.extend:
        yield Line("extended", last, last, note=text)
    if sheet.due and not sheet.waiting:
        for day, ends in sheet.margin.rolled:
            yield Line("rolled", datetime.combine(day, time.min), ends)
        yield Line("due", sheet.due, sheet.due)


def _days(wall: Wall, sheet: Sheet, asked: Asked) -> Iterator[Line]:
    last = (sheet.due or sheet.end).date()
    for day, note in sorted(asked.notes.items()):
        if asked.received.date() <= day <= last:
            midnight = datetime.combine(day, time.min)
            yield Line("works" if wall.works(day) else "off", midnight, midnight, note=note)


def _time(wall: Wall, sheet: Sheet, asked: Asked) -> Iterator[Line]:
    """Before a restart nothing counts, then all but holds do."""
    received, start, end = asked.received, sheet.start, sheet.end
    if start != received:
        yield from _cut(wall, received, min(start, end), sheet.before, "restarted")
    yield from _cut(wall, start, end, sheet.effective, "counted")


def _cut(
    wall: Wall, start: datetime, end: datetime, holds: list[Hold], rule: str
) -> Iterator[Line]:
    def piece(begins: datetime, ends: datetime, rule: str) -> Line:
        minutes = len(wall.between(begins, ends))
        return Line(rule, begins, ends, minutes, rule == "counted")

    for begins, ends in holds:
        begins, ends = max(begins, start), min(ends, end)
        if begins >= ends:
            continue
        if start < begins:
            yield piece(start, begins, rule)
        yield piece(begins, ends, "held")
        start = ends
    if start < end:
        yield piece(start, end, rule)
