"""A year as a page shows it: months of weeks from Monday on, and which calendar decided a day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby

from api.calendar_year import Day, Kind
from states import calendars
from states.calendars import Override
from states.calendars.files import CalendarFile
from states.clock.words import NOTE
from states.figures.sheets import Both

KINDS: dict[Kind, Both] = {
    Kind.works: Both("làm việc", "works"),
    Kind.off: Both("nghỉ hằng tuần", "weekly day off"),
    Kind.holiday: Both("nghỉ lễ, nghỉ hoán đổi", "off by law or decision"),
    Kind.made_up: Both("làm bù, làm theo quyết định", "works by decision"),
    Kind.short: Both("làm việc ngắn hơn", "shorter hours"),
}
SIGNS = {Kind.works: "", Kind.off: "·", Kind.holiday: "∗", Kind.made_up: "+", Kind.short: "<"}
Week = tuple[Day | None, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """`weeks`: seven each; None before the first and after the last."""

    first: date
    weeks: tuple[Week, ...]
    worked: int


@dataclass(frozen=True, slots=True)
class Source:
    """What decided a day: an exception of this calendar or of one it inherits from, or the law."""

    reason: Both
    document: str
    of: str | None  # the calendar whose exception it is
    exception: Override | None


def months(days: Sequence[Day]) -> Iterator[Month]:
    for _, group in groupby(days, lambda each: each.date.month):
        month = list(group)
        cells: list[Day | None] = [None] * month[0].date.weekday() + month
        cells += [None] * (-len(cells) % 7)
        weeks = tuple(tuple(cells[n : n + 7]) for n in range(0, len(cells), 7))
        yield Month(month[0].date, weeks, sum(bool(each.sessions) for each in month))


@lru_cache(maxsize=64)
def _parsed(name: str, text: str) -> CalendarFile:
    return calendars.parse(text.encode(), name)


def line(name: str, texts: Mapping[str, str]) -> list[CalendarFile]:
    """The calendar and those it inherits from, the nearest first."""
    found = [_parsed(name, texts[name])]
    while (parent := found[-1].inherits) is not None and parent in texts:
        found.append(_parsed(parent, texts[parent]))
    return found


def source(day: Day, descent: Sequence[CalendarFile]) -> Source:
    """Why a day is as it is; one with a note only."""
    for each in descent:
        if (exception := each.overrides.get(day.date)) is not None:
            issued = f", {exception.issued:%d/%m/%Y}" if exception.issued else ""
            reason = Both(exception.vi, exception.en)
            return Source(reason, exception.source + issued, each.name, exception)
    found = NOTE.fullmatch(day.note)
    reason = Both(found["vi"], found["en"]) if found else Both(day.note, day.note)
    return Source(reason, "", None, None)


def noted(note: str) -> Both:
    """What a calendar notes of a day, in one language at a time, with the document."""
    found = NOTE.fullmatch(note)
    if not found:
        return Both(note, note)
    source = found["source"] or ""
    return Both(found["vi"] + source, found["en"] + source)


def hours(day: Day) -> str:
    return ", ".join(f"{a:%H:%M}–{b:%H:%M}" for a, b in day.sessions)
