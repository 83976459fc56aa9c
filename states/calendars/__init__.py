"""Working calendars: what a text says, what it inherits, and the `states.clock.Calendar` it makes.

A day works if an override says so; else if its weekday has hours and the country has no holiday;
else if the country swapped it for a weekday. Calendars inherit, national → province → agency →
unit: an heir's text says only what is its own. Parsed by hand and without Pydantic, because
`hoso clock` promises to answer within half a second. `editing` changes a text.
"""

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from states.calendars.building import build
from states.calendars.changing import Difference, check_reach, differences
from states.calendars.files import NAME, CalendarFile, Override, Season, Sessions, Week, parse
from states.calendars.inheriting import built, heirs, inherit, resolve
from states.clock import Calendar
from states.errors import Unknown
from states.sentences import any_of
from states.yaml_files import read

__all__ = [
    "CalendarFile",
    "Difference",
    "Override",
    "Season",
    "Sessions",
    "Week",
    "build",
    "built",
    "check_reach",
    "describe",
    "differences",
    "heirs",
    "inherit",
    "load",
    "names",
    "parse",
    "resolve",
]


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
    """What the file of that calendar says, and what it inherits. Raises as `load`."""
    known = names(folder)

    def of(each: str) -> CalendarFile:
        if not NAME.fullmatch(each) or each not in known:
            raise Unknown(
                "there is no calendar '{each}': known are {listed}",
                each=each[:40],
                listed=any_of(known),
            )
        return parse(read(_folder(folder) / f"{each}.yaml"), each)

    return resolve(name, of)


def _folder(folder: Path | None) -> Traversable:
    return (folder or resources.files("config") / "sample") / "calendars"
