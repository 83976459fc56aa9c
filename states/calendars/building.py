"""The clock's calendar of what a calendar says, with the holidays of its country."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from states.calendars.files import MONDAY, CalendarFile, Sessions, countries
from states.clock import Calendar


def build(file: CalendarFile) -> Calendar:
    """The clock's calendar, with a note on every day that differs from the ordinary week.

    A day made up for one on which this office has no hours is an ordinary day.
    """
    if file.inherits is not None:
        raise file.wrong("inherits", "must be resolved before the calendar is built")
    off, swapped = _country_days(file)
    sessions: dict[date, Sessions] = {}
    notes: dict[date, str] = {}
    for day in _days(file.first, file.last):
        hours, override = file.hours(day), file.overrides.get(day)
        if override and not override.works:
            hours, notes[day] = (), str(override)
        elif override:
            if made_up := file.made_up(day, override):
                hours, notes[day] = made_up, str(override)
        elif day in swapped:
            if made_up := file.hours(day, MONDAY):
                hours, notes[day] = made_up, "Làm bù / Make-up day"
        elif hours and day in off:
            hours, notes[day] = (), off[day]
        if hours:
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

    name = countries()[code]
    file = Path(holidays.__file__).parent / "countries" / f"{name}.py"
    spec = spec_from_file_location(f"holidays.countries.{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, code)
