"""Which period and which agency, chosen alike on every page of figures.

A period has a name (`period`, or `year` with `part`), or two days of which both are in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import QueryParams

from api.desk.seat import Seat
from api.desk.typed import Typed
from api.doors.hearing import Wrong, text
from api.logs import hidden
from states.errors import BadInput
from states.figures import asking, standing
from states.figures.asking import Question
from states.figures.periods import ZONE, Period
from states.figures.reporting import Asked, Report
from states.figures.sheets import Both

Pairs = list[tuple[str, str]]
PARTS: tuple[tuple[str, Both], ...] = (
    ("", Both("cả năm", "whole year")),
    ("H1", Both("6 tháng đầu năm", "first half")),
    ("H2", Both("6 tháng cuối năm", "second half")),
    *((f"Q{n}", Both(f"quý {n}", f"quarter {n}")) for n in range(1, 5)),
    *((f"{n:02}", Both(f"tháng {n}", f"month {n}")) for n in range(1, 13)),
)
FIRST, LAST = 1901, 2199  # years that can be told in every zone
LONGEST = 200  # characters of what is chosen


@dataclass(frozen=True, slots=True)
class Choice:
    """A period by its name, or by its first and its last day; an agency, or all that are seen."""

    period: str = ""
    first: date | None = None
    last: date | None = None
    agency: str = ""

    @property
    def pairs(self) -> Pairs:
        """As an address says it."""
        told = [
            ("period", self.period),
            ("from", self.first.isoformat() if self.first else ""),
            ("to", self.last.isoformat() if self.last else ""),
            ("agency", self.agency),
        ]
        return [(name, value) for name, value in told if value]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def year(self) -> str:
        return self.period[:4] or str((self.last or self.first or date.min).year)

    @property
    def part(self) -> str:
        return self.period[5:]

    def without(self, *names: str) -> str:
        """The address's query without some of it."""
        return urlencode([pair for pair in self.pairs if pair[0] not in names])

    @property
    def span(self) -> Period:
        """The period itself. Raises `BadInput`."""
        if self.period:
            return Period.parse(self.period)
        since = None if self.first is None else midnight(self.first)
        until = midnight((self.last or date.today()) + timedelta(days=1))  # noqa: DTZ011  always said
        return Period("", since, until)

    def question(self, **more: Any) -> Question:
        """As a report is asked."""
        agencies = [self.agency] if self.agency else None
        if self.period:
            return Question(period=self.period, agencies=agencies, **more)
        since = None if self.first is None else midnight(self.first)
        until = None if self.last is None else midnight(self.last + timedelta(days=1))
        return Question(since, until, agencies=agencies, **more)

    def asked_of(self) -> Pairs:
        """As the API is asked the same."""
        if self.period:
            told = [("period", self.period)]
        else:
            of = self.question()
            ends = (("from", of.since), ("to", of.until))
            told = [(name, at.isoformat()) for name, at in ends if at is not None]
        return [*told, *([("agency", self.agency)] if self.agency else [])]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZONE)


def read(query: QueryParams | Mapping[str, str], among: "Choices") -> Choice:
    """What was chosen; what is by itself, where no period was. Raises `BadInput`."""
    said = {name: word(query, name) for name in ("period", "year", "part", "from", "to", "agency")}
    chosen = Choice(among.period, agency=said["agency"])
    if said["from"] or said["to"]:
        first, last = (_day(said[name]) for name in ("from", "to"))
        if first and last and first > last:
            raise BadInput("the period ends before it begins: mend its first or its last day")
        return replace(chosen, period="", first=first, last=last or among.today)
    name = said["period"]
    if not name and said["year"]:
        name = said["year"] + (f"-{said['part']}" if said["part"] else "")
    if not name:
        return chosen
    of = Period.parse(name)
    if not FIRST <= int(of.name[:4]) <= LAST:
        raise BadInput("periods are told from {first} to {last}", first=FIRST, last=LAST)
    return replace(chosen, period=name)


def word(query: QueryParams | Mapping[str, str], name: str) -> str:
    """One value of an address, as it can be kept. Raises `BadInput`."""
    said = query.get(name, "").strip()
    try:
        text(said)
    except Wrong as wrong:
        raise BadInput("{name}: {what}", name=name, what=wrong.what) from None
    if len(said) > LONGEST or any(ord(each) < 32 for each in said):
        raise BadInput("{name} has at most {most} characters, all in one line",
                       name=name, most=LONGEST)  # fmt: skip
    return said


def _day(said: str) -> date | None:
    """Raises `BadInput`."""
    if not said:
        return None
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise BadInput("'{said}' is no day: write 2024-01-31", said=said[:40]) from None
    if not FIRST <= day.year <= LAST:
        raise BadInput("periods are told from {first} to {last}", first=FIRST, last=LAST)
    return day


def typed(query: QueryParams) -> Typed:
    """The address as a form is shown again."""
    found = Typed()
    for name, value in query.multi_items():
        found.values.setdefault(name, []).append(value)
    return found


# Asked ------------------------------------------------------------------------------------


def seen(desk: Seat) -> list[str] | None:
    """The agencies whose figures somebody is told; None: of all. Raises `NotHeld`."""
    found = asking.whole(desk.who, desk.sees)
    return None if found is None else sorted(found)


async def asked(request: Request, desk: Seat, report: Report, question: Question) -> Asked:
    """Raises `BadInput`, and `NotYours` and `NotHeld` for whom it is not told."""
    found = await asking.asked(desk.db, desk.book, report, question, desk.at, seen(desk), desk.who)
    return replace(found, through=desk.through, hidden=hidden(request, desk.who))


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen; `period`: what is by itself."""

    years: Sequence[int]
    agencies: Sequence[tuple[str, Both]]
    period: str
    today: date


async def choices(desk: Seat) -> Choices:
    """By itself the year that runs; where nothing came in in it, the last in which some did."""
    told, book = seen(desk), desk.book
    codes = list(book.agencies) if told is None else told
    ends = await standing.span(desk.db, codes)
    years = {desk.today.year, *(each.astimezone(ZONE).year for each in ends if each is not None)}
    newest = max((each.astimezone(ZONE).year for each in ends if each), default=desk.today.year)
    named = [
        (each, Both(book.agencies[each].name.vi, book.agencies[each].name.en))
        for each in codes
        if each in book.agencies
    ]
    period = str(min(newest, desk.today.year))
    return Choices(range(max(years), min(years) - 1, -1), named, period, desk.today)
