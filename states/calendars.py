"""Working calendars as files: what a file says, and the `states.clock.Calendar` it makes.

A day works if an override says so; else if its weekday has hours and the country has no holiday;
else if the country swapped it for a weekday. Parsed by hand and without Pydantic, because
`hoso clock` promises to answer within half a second.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from states.clock import Calendar
from states.errors import Unknown
from states.yaml_files import Document, Part, read

Sessions = tuple[tuple[time, time], ...]
Week = Mapping[int, Sessions]  # by weekday, Monday is 0; a weekday without hours is not there

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}", re.ASCII)
SESSION = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Season:
    """Other hours from one date to another, both included."""

    first: date
    last: date
    weekly: Week


@dataclass(frozen=True, slots=True)
class Override:
    """One day decided otherwise, with the document that decided it.

    A make-up day without sessions of its own has those of the weekday it `replaces`, or Monday's.
    `verified`: two independent public texts quote the number of the source alike.
    """

    works: bool
    vi: str
    en: str
    source: str
    issued: date | None
    verified: bool
    replaces: date | None
    sessions: Sessions

    def __str__(self) -> str:
        issued = f", {self.issued:%d/%m/%Y}" if self.issued else ""
        return f"{self.vi} / {self.en} ({self.source}{issued})"


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar as its file says it. `country` is the one whose holidays it keeps."""

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

    def hours(self, day: date, like: date | None = None) -> Sessions:
        """The sessions on this day of its weekday, or of that of the day it replaces."""
        holding = (each.weekly for each in self.seasons if each.first <= day <= each.last)
        return next(holding, self.weekly).get((like or day).weekday(), ())


def load(name: str, folder: Path | None = None) -> Calendar:
    """The calendar of that name in `folder`/calendars (default: the sample catalogue); cached.

    Raises `Unknown` when there is none and `BadFile` when its file is wrong.
    """
    return _load(name, folder)


@lru_cache(maxsize=64)
def _load(name: str, folder: Path | None) -> Calendar:
    return build(describe(name, folder))


def names(folder: Path | None = None) -> list[str]:
    """The calendars there are."""
    place = _folder(folder)
    files = place.iterdir() if place.is_dir() else ()
    return sorted(each.name.removesuffix(".yaml") for each in files if each.name.endswith(".yaml"))


def describe(name: str, folder: Path | None = None) -> CalendarFile:
    """What the file of that calendar says. Raises as `load`."""
    known = names(folder)
    if not NAME.fullmatch(name) or name not in known:
        raise Unknown(f"there is no calendar '{name[:40]}': known are {', '.join(known) or 'none'}")
    return _file(read(_folder(folder) / f"{name}.yaml"), name)


def _folder(folder: Path | None) -> Traversable:
    return (folder or resources.files("config") / "sample") / "calendars"


# From the file to what it says --------------------------------------------------------------


def _file(document: Document, name: str) -> CalendarFile:
    top = Part(document, (), document.data).map(
        "name title zone reach standard_day weekly", "holidays seasons overrides"
    )
    if top["name"].text() != name:
        raise top["name"].wrong(f"must be the file's name, {name}")
    title = top["title"].map("vi en")
    reach = top["reach"].map("from to")
    first = reach["from"].whole(1950, 2200)
    last = reach["to"].whole(first, first + 100)
    country = top.get("holidays")
    return CalendarFile(
        name=name,
        vi=title["vi"].text(),
        en=title["en"].text(),
        zone=_zone(top["zone"]),
        first=date(first, 1, 1),
        last=date(last, 12, 31),
        country=_country(country) if country else None,
        standard_day=top["standard_day"].whole(1, 1440),
        weekly=_week(top["weekly"]),
        seasons=_seasons(top.get("seasons")),
        overrides=_overrides(top.get("overrides"), date(first, 1, 1), date(last, 12, 31)),
    )


def _zone(part: Part) -> str:
    zone = part.text()
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as wrong:  # the last: a folder of the zone database
        raise part.wrong("must be a time zone such as Asia/Ho_Chi_Minh") from wrong
    return zone


def _country(part: Part) -> str:
    if (country := part.text()) not in _countries():
        raise part.wrong("must be a country of the holidays package such as VN")
    return country


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


def _overrides(part: Part | None, first: date, last: date) -> dict[date, Override]:
    overrides: dict[date, Override] = {}
    for each in part.list() if part else ():
        keys = each.map("date day reason source verified", "issued replaces sessions")
        day = keys["date"].day()
        if not first <= day <= last:
            raise keys["date"].wrong(f"must lie between {first} and {last}, the calendar's reach")
        if day in overrides:
            raise keys["date"].wrong("is decided twice: keep the decision in force")
        works = keys["day"].word("work", "off") == "work"
        for key in ("replaces", "sessions"):
            if key in keys and not works:
                raise keys[key].wrong("is for a day that works")
        reason = keys["reason"].map("vi en")
        overrides[day] = Override(
            works=works,
            vi=reason["vi"].text(),
            en=reason["en"].text(),
            source=keys["source"].text(),
            issued=keys["issued"].day() if "issued" in keys else None,
            verified=keys["verified"].truth(),
            replaces=keys["replaces"].day() if "replaces" in keys else None,
            sessions=_sessions(keys["sessions"]) if "sessions" in keys else (),
        )
    return overrides


# From what it says to the calendar ----------------------------------------------------------


def build(file: CalendarFile) -> Calendar:
    """The clock's calendar, with a note on every day that differs from the ordinary week."""
    off, swapped = _country_days(file)
    sessions: dict[date, Sessions] = {}
    notes: dict[date, str] = {}
    monday = date(2001, 1, 1)
    for day in _days(file.first, file.last):
        if override := file.overrides.get(day):
            notes[day] = str(override)
            if override.works:
                like = override.replaces or monday
                sessions[day] = override.sessions or file.hours(day, like)
        elif day in swapped:
            notes[day] = "Làm bù / Make-up day"
            sessions[day] = file.hours(day, monday)
        elif hours := file.hours(day):
            if day in off:
                notes[day] = off[day]
            else:
                sessions[day] = hours
    version = _version(file, sessions)
    return Calendar(
        file.name, version, file.zone, sessions, file.first, file.last, file.standard_day, notes
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _version(file: CalendarFile, sessions: Mapping[date, Sessions]) -> str:
    """A digest of everything a due date depends on; names and reasons are not among it."""
    digest = sha256(f"{file.zone} {file.first} {file.last} {file.standard_day}".encode())
    for day, hours in sorted(sessions.items()):
        spans = (f"{a.isoformat('minutes')}-{b.isoformat('minutes')}" for a, b in hours)
        digest.update(f"\n{day} {' '.join(spans)}".encode())
    return digest.hexdigest()[:8]


def _country_days(file: CalendarFile) -> tuple[dict[date, str], set[date]]:
    """The country's holidays by name, and the weekend days it works instead of a weekday."""
    if file.country is None:
        return {}, set()
    country = _country_class(file.country)
    years = range(file.first.year, file.last.year + 1)
    own = country(years=years, language=country.default_language)  # else that of the machine
    english = country(years=years, language="en_US")
    off = {day: f"{name} / {english[day]}" for day, name in own.items()}
    weekends = (day for day in _days(file.first, file.last) if own.is_weekend(day))
    return off, {day for day in weekends if own.is_working_day(day)}


def _country_class(code: str) -> Any:
    """The package's class for one country, loaded from its file.

    To import it by name imports 250 countries: 0.15 s of the half second a command has.
    """
    import holidays

    name = _countries()[code]
    file = Path(holidays.__file__).parent / "countries" / f"{name}.py"
    spec = spec_from_file_location(f"holidays.countries.{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, code)


def _countries() -> dict[str, str]:
    """The package's module for each country code."""
    from holidays.registry import COUNTRIES

    return {words[1]: module for module, words in COUNTRIES.items()}
