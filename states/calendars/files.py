"""A calendar as its text says it, read from a file or from the database."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from states import yaml_files
from states.errors import BadFile
from states.sentences import Sentence
from states.yaml_files import Document, Part

Sessions = tuple[tuple[time, time], ...]
Week = Mapping[int, Sessions]  # by weekday, Monday is 0; a weekday without hours is not there

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONDAY = date(2001, 1, 1)  # any: a make-up day has a Monday's hours unless it says otherwise
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}", re.ASCII)
SESSION = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
INHERITABLE = "zone reach holidays standard_day weekly"  # keys that an heir need not say


@dataclass(frozen=True, slots=True)
class Season:
    """Other hours from one date to another, both included."""

    first: date
    last: date
    weekly: Week


@dataclass(frozen=True, slots=True)
class Override:
    """One day decided otherwise, with the document that decided it: an exception.

    A make-up day without sessions of its own has those of the weekday it `replaces`, or Monday's.
    `issued`: the date of the document; `recorded`: when the day was entered here. `verified`: two
    independent public texts quote the number of the source alike.
    """

    works: bool
    vi: str
    en: str
    source: str
    issued: date | None = None
    verified: bool = False
    replaces: date | None = None
    sessions: Sessions = ()
    recorded: date | None = None

    def __str__(self) -> str:
        issued = f", {self.issued:%d/%m/%Y}" if self.issued else ""
        return f"{self.vi} / {self.en} ({self.source}{issued})"


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """What a calendar says. `country` is the one whose holidays it keeps.

    While it still `inherits`, the keys in `unsaid` are its parent's to say and blank here.
    """

    name: str
    vi: str
    en: str
    zone: str
    first: date
    last: date
    country: str | None
    standard_day: int
    weekly: Week
    seasons: tuple[Season, ...]
    overrides: Mapping[date, Override]
    inherits: str | None = None
    unsaid: frozenset[str] = frozenset()
    document: Document = field(default=Document("", None), compare=False, repr=False)

    def hours(self, day: date, like: date | None = None) -> Sessions:
        """The sessions on this day of its weekday, or of that of the day it replaces."""
        holding = (each.weekly for each in self.seasons if each.first <= day <= each.last)
        return next(holding, self.weekly).get((like or day).weekday(), ())

    def made_up(self, day: date, override: Override) -> Sessions:
        """The sessions of a day that works by decision; none if the day it replaces has none."""
        return override.sessions or self.hours(day, override.replaces or MONDAY)

    def wrong(self, key: str, expected: str) -> BadFile:
        """What to raise when the thing under this key is wrong; `reach.to`."""
        return self.document.wrong(tuple(key.split(".")), expected)


def parse(source: bytes | Document, name: str | None = None) -> CalendarFile:
    """What a text says, its parent's share left out. Raises `BadFile`.

    The calendar must bear that name, or any if none is given.
    """
    if isinstance(source, bytes):
        source = yaml_files.parse(f"{name}.yaml" if name else "calendar", source)
    heir = isinstance(source.data, dict) and "inherits" in source.data
    top = Part(source, (), source.data).map(
        f"name title {'inherits' if heir else 'zone reach standard_day weekly'}",
        f"{INHERITABLE if heir else 'holidays'} seasons overrides",
    )
    title = top["title"].map("vi en")
    first, last = _reach(top["reach"]) if "reach" in top else (date.min, date.max)
    said = CalendarFile(
        name=_name(top["name"], name),
        vi=title["vi"].text(),
        en=title["en"].text(),
        zone=_zone(top["zone"]) if "zone" in top else "",
        first=first,
        last=last,
        country=_country(top["holidays"]) if "holidays" in top else None,
        standard_day=top["standard_day"].whole(1, 1440) if "standard_day" in top else 0,
        weekly=_week(top["weekly"]) if "weekly" in top else {},
        seasons=_seasons(top.get("seasons")),
        overrides=_overrides(top.get("overrides")),
        inherits=_parent(top["inherits"]) if heir else None,
        unsaid=frozenset(INHERITABLE.split()) - top.keys() if heir else frozenset(),
        document=source,
    )
    return checked(said, said.overrides)


def checked(file: CalendarFile, own: Iterable[date]) -> CalendarFile:
    """The same, each of its own exceptions within the reach and with hours if it works."""
    for day in own:
        if not file.first <= day <= file.last:
            expected = f"must lie between {file.first} and {file.last}, the calendar's reach"
            raise _wrong_day(file, day, "date", expected)
        override = file.overrides[day]
        if file.inherits is None and override.works and not file.made_up(day, override):
            weekday = WEEKDAYS[(override.replaces or MONDAY).weekday()]
            expected = f"needs 'sessions': this calendar has no hours on a {weekday.capitalize()}"
            raise _wrong_day(file, day, "replaces" if override.replaces else "day", expected)
    return file


def _wrong_day(file: CalendarFile, day: date, key: str, expected: str) -> BadFile:
    """At its line, or at `overrides` where a generation between has already been joined."""
    data: Any = file.document.data
    dates = [each["date"] for each in data.get("overrides", ())]
    places = [at for at, each in enumerate(dates) if each == day.isoformat()]
    return file.document.wrong(("overrides", *places, key), expected)


# Key by key ---------------------------------------------------------------------------------


def _name(part: Part, name: str | None) -> str:
    if part.text() != (name or part.value):
        raise part.wrong(Sentence("must be the file's name, {name}", name=name))
    if not NAME.fullmatch(part.text()):
        raise part.wrong("must be small letters, digits, - and _, such as ha-nam")
    return part.text()


def _parent(part: Part) -> str:
    if not NAME.fullmatch(part.text()):
        raise part.wrong("must be the name of a calendar such as vn")
    return part.text()


def _reach(part: Part) -> tuple[date, date]:
    reach = part.map("from to")
    first = reach["from"].whole(1950, 2200)
    last = reach["to"].whole(first, first + 100)
    return date(first, 1, 1), date(last, 12, 31)


def _zone(part: Part) -> str:
    zone = part.text()
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as wrong:  # the last: a folder of the zone database
        raise part.wrong("must be a time zone such as Asia/Ho_Chi_Minh") from wrong
    return zone


def _country(part: Part) -> str:
    if (country := part.text()) not in countries():
        raise part.wrong("must be a country of the holidays package such as VN")
    return country


def countries() -> dict[str, str]:
    """The module of the holidays package for each country code."""
    from holidays.registry import COUNTRIES

    return {words[1]: module for module, words in COUNTRIES.items()}


def _week(part: Part) -> Week:
    days = part.map("", " ".join(WEEKDAYS))
    if not days:
        raise part.wrong("must have hours on at least one weekday")
    return {WEEKDAYS.index(day): _sessions(hours) for day, hours in days.items()}


def _sessions(part: Part) -> Sessions:
    sessions: list[tuple[time, time]] = []
    for each in part.list():
        if not (found := SESSION.fullmatch(each.text())):
            raise each.wrong("must be a session such as 07:30-11:30")
        hour, minute, until, past = map(int, found.groups())
        begins, ends = time(hour, minute), time(until, past)
        if begins >= ends or (sessions and begins < sessions[-1][1]):
            raise each.wrong("must begin before it ends and after the session before it")
        sessions.append((begins, ends))
    if not sessions:
        raise part.wrong("must have a session; a day off is left out")
    return tuple(sessions)


def _seasons(part: Part | None) -> tuple[Season, ...]:
    seasons: list[Season] = []
    for each in part.list() if part else ():
        keys = each.map("from to weekly")
        season = Season(keys["from"].day(), keys["to"].day(), _week(keys["weekly"]))
        if season.first > season.last:
            raise keys["to"].wrong("must not lie before 'from'")
        if any(season.first <= old.last and old.first <= season.last for old in seasons):
            raise keys["from"].wrong("must not overlap another season")
        seasons.append(season)
    return tuple(seasons)


def _overrides(part: Part | None) -> dict[date, Override]:
    overrides: dict[date, Override] = {}
    for each in part.list() if part else ():
        keys = each.map("date day reason source verified", "issued recorded replaces sessions")
        day = keys["date"].day()
        if day in overrides:
            raise keys["date"].wrong("is decided twice: keep the decision in force")
        overrides[day] = _override(keys)
    return overrides


def _override(keys: dict[str, Part]) -> Override:
    works = keys["day"].word("work", "off") == "work"
    for key in ("replaces", "sessions"):
        if key in keys and not works:
            raise keys[key].wrong("is for a day that works")
    reason = keys["reason"].map("vi en")
    override = Override(
        works=works,
        vi=reason["vi"].text(),
        en=reason["en"].text(),
        source=keys["source"].text(),
        issued=keys["issued"].day() if "issued" in keys else None,
        verified=keys["verified"].truth(),
        replaces=keys["replaces"].day() if "replaces" in keys else None,
        sessions=_sessions(keys["sessions"]) if "sessions" in keys else (),
        recorded=keys["recorded"].day() if "recorded" in keys else None,
    )
    if override.issued and override.recorded and override.recorded < override.issued:
        raise keys["recorded"].wrong("must not lie before 'issued'")
    return override
