"""A year of a working calendar, on the terminal and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from itertools import groupby
from typing import TYPE_CHECKING, Any

from states.calendars import Override, Sessions
from states.clock import Calendar
from states.clock.words import NOTE, Lang
from states.errors import BadInput

if TYPE_CHECKING:  # `hoso clock` must not wait for it
    from rich.columns import Columns
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

Exceptions = Mapping[date, Override]
Words = tuple[str, str]  # by language, as `Lang` has them


class Kind(StrEnum):
    """What a day is in the view. Only `works` and `off` are what their weekday ordinarily is."""

    works = auto()
    off = auto()
    holiday = auto()  # off by law or decision
    made_up = auto()  # works by decision
    short = auto()  # works less than its weekday ordinarily does


SIGNS = {Kind.works: " ", Kind.off: "·", Kind.holiday: "*", Kind.made_up: "+", Kind.short: "<"}
STYLES = {
    Kind.works: "",
    Kind.off: "dim",
    Kind.holiday: "bold red",
    Kind.made_up: "bold green",
    Kind.short: "bold yellow",
}
LEGEND: dict[Kind, Words] = {
    Kind.holiday: ("nghỉ lễ, nghỉ hoán đổi", "holiday or swapped day off"),
    Kind.made_up: ("làm bù, làm theo quyết định", "works by decision"),
    Kind.short: ("làm việc ngắn hơn", "shorter hours"),
    Kind.off: ("nghỉ hằng tuần", "weekly day off"),
}
WEEKDAYS: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
    ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"),
)
COLUMNS: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("", "Ngày", "Giờ làm việc", "Lý do", "Văn bản"),
    ("", "Day", "Working hours", "Reason", "Document"),
)
WIDTH = 28  # of a month: seven days of a blank, two digits and a sign


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the year as the calendar has it; `note` only where it is not as usual."""

    date: date
    kind: Kind
    sessions: Sessions
    note: str


def days_of(calendar: Calendar, year: int) -> list[Day]:
    """Every day of a year. Raises `BadInput` for one that the calendar does not reach."""
    if not calendar.first.year <= year <= calendar.last.year:
        raise BadInput(
            "{year} lies outside calendar {name}, which reaches from {calendar_first_year} to"
            " {calendar_last_year}",
            year=year,
            name=calendar.name,
            calendar_first_year=calendar.first.year,
            calendar_last_year=calendar.last.year,
        )
    noted = dict(calendar.special(calendar.first.toordinal(), calendar.last.toordinal()))
    numbers = range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    return [
        Day(
            date.fromordinal(day),
            _kind(calendar, day, noted),
            calendar.sessions(day),
            noted.get(day, ""),
        )
        for day in numbers
    ]


def _kind(calendar: Calendar, day: int, noted: Mapping[int, str]) -> Kind:
    sessions = calendar.sessions(day)
    if day not in noted:
        return Kind.works if sessions else Kind.off
    if not sessions:
        return Kind.holiday
    return Kind.short if _minutes(sessions) < _usual(calendar, day, noted) else Kind.made_up


def _usual(calendar: Calendar, day: int, noted: Mapping[int, str]) -> int:
    """The working minutes of the nearest ordinary day of the same weekday: seasons differ."""
    near = (day + 7 * weeks for n in range(1, 53) for weeks in (-n, n))
    usual = next((each for each in near if each not in noted and _within(calendar, each)), day)
    return _minutes(calendar.sessions(usual))


def _within(calendar: Calendar, day: int) -> bool:
    return calendar.first.toordinal() <= day <= calendar.last.toordinal()


def _minutes(sessions: Sessions) -> int:
    return sum((b.hour - a.hour) * 60 + b.minute - a.minute for a, b in sessions)


def _months(days: Iterable[Day]) -> list[list[Day]]:
    return [list(month) for _, month in groupby(days, lambda each: each.date.month)]


def _worked(days: Iterable[Day]) -> int:
    return sum(bool(each.sessions) for each in days)


# To programs --------------------------------------------------------------------------------


def year_json(
    calendar: Calendar, year: int, exceptions: Exceptions | None = None
) -> dict[str, Any]:
    """The year as JSON has it; with the exceptions, also what decided each of them."""
    days = days_of(calendar, year)
    return {
        "calendar": calendar.name,
        "version": calendar.version,
        "zone": calendar.zone.key,
        "year": year,
        "working_days": _worked(days),
        "working_minutes": sum(_minutes(each.sessions) for each in days),
        "months": [_month_json(month) for month in _months(days)],
        "special": [_special_json(each, exceptions or {}) for each in days if each.note],
    }


def _month_json(days: list[Day]) -> dict[str, Any]:
    return {
        "month": f"{days[0].date:%Y-%m}",
        "working_days": _worked(days),
        "working_minutes": sum(_minutes(each.sessions) for each in days),
        "days_off": [each.date.isoformat() for each in days if not each.sessions],
    }


def _special_json(day: Day, exceptions: Exceptions) -> dict[str, Any]:
    said: dict[str, Any] = {
        "date": day.date.isoformat(),
        "kind": day.kind,
        "sessions": [f"{a:%H:%M}-{b:%H:%M}" for a, b in day.sessions],
        "note": day.note,
    }
    if exception := exceptions.get(day.date):
        said |= {
            "source": exception.source,
            "issued": exception.issued and exception.issued.isoformat(),
            "recorded": exception.recorded and exception.recorded.isoformat(),
            "verified": exception.verified,
        }
    return said


# To people ----------------------------------------------------------------------------------


def render(
    calendar: Calendar,
    year: int,
    exceptions: Exceptions | None = None,
    lang: Lang = Lang.vi,
) -> "RenderableType":
    """Twelve months as wide as the terminal allows, three in 100 columns, and the special days.

    With the exceptions the list also tells when a day was recorded and which is not verified.
    """
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    days = days_of(calendar, year)
    months = [_month(month, lang) for month in _months(days)]
    count = _in((f"{_worked(days)} ngày làm việc", f"{_worked(days)} working days"), lang)
    version = _in(("phiên bản", "version"), lang)
    return Group(
        Text.assemble(
            (f"{calendar.name} · {year} · {count}", "bold"),
            (f"  {version} {calendar.version}", "dim"),
        ),
        Text(),
        Columns(months, padding=(0, 4)),
        _legend(lang),
        _list([each for each in days if each.note], exceptions or {}, lang),
    )


def _month(days: list[Day], lang: Lang) -> "Text":
    """A heading, the weekdays, the weeks from Monday on, and a blank line."""
    from rich.text import Text

    first = days[0].date
    name = _in((f"Tháng {first.month}", f"{first:%B}"), lang)
    count = _in(("{} ngày làm việc", "{} working days"), lang).format(_worked(days))
    said = Text.assemble(" ", (name, "bold"), (count.rjust(WIDTH - 2 - len(name)), "dim"), " \n")
    said.append("".join(f" {each} " for each in WEEKDAYS[lang is Lang.en]) + "\n", "dim")
    said.append(" " * 4 * first.weekday())
    for each in days:
        said.append(f" {each.date.day:2}{SIGNS[each.kind]}", STYLES[each.kind])
        if each.date.weekday() == 6:
            said.append("\n")
    said.rstrip()
    return said.append("\n")


def _legend(lang: Lang) -> "Columns":
    from rich.columns import Columns
    from rich.text import Text

    return Columns(
        [Text(f"{SIGNS[kind]} {_in(LEGEND[kind], lang)}", STYLES[kind]) for kind in LEGEND],
        padding=(0, 3),
    )


def _list(days: list[Day], exceptions: Exceptions, lang: Lang) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS[lang is Lang.en], box=SIMPLE_HEAD, pad_edge=False)
    for each in days:
        style = STYLES[each.kind]
        weekday = WEEKDAYS[lang is Lang.en][each.date.weekday()]
        hours = ", ".join(f"{a:%H:%M}–{b:%H:%M}" for a, b in each.sessions)
        reason, document = _grounds(each, exceptions.get(each.date), lang)
        table.add_row(
            Text(SIGNS[each.kind], style=style),
            Text(f"{weekday} {each.date:%d/%m}", style=style),
            Text(hours or _in(("nghỉ", "off"), lang)),
            Text(reason),
            Text(document),
        )
    return table


def _grounds(day: Day, exception: Override | None, lang: Lang) -> Words:
    """The reason of a special day, and the document that ordered it; the law's days have none."""
    if exception:
        document = exception.source
        if exception.issued:
            document += f", {exception.issued:%d/%m/%Y}"
        if exception.recorded:
            document += _in(("; ghi nhận {}", "; recorded {}"), lang).format(
                f"{exception.recorded:%d/%m/%Y}"
            )
        if not exception.verified:
            document += _in((" (chưa kiểm chứng)", " (not verified)"), lang)
        return _in((exception.vi, exception.en), lang), document
    if not (found := NOTE.fullmatch(day.note)):
        return day.note, ""
    source = (found["source"] or "").strip()
    if found["vi"].endswith(")") and not found["en"].endswith(")"):  # the reason's own brackets
        return _in((found["vi"], f"{found['en']} {source}"), lang), ""
    return _in((found["vi"], found["en"]), lang), source.removeprefix("(").removesuffix(")")


def _in(words: Words, lang: Lang) -> str:
    return words[lang is Lang.en]
