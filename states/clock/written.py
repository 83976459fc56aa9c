"""A calendar as text and back: the days themselves, since what they were made from changes.

Nine years take some 40 kB: hours that recur are written once.
"""

import json
from datetime import date, time

from states.clock.worktime import Calendar, Sessions


def dump(calendar: Calendar) -> str:
    """All that a calendar answers from, as JSON."""
    patterns: dict[tuple[tuple[int, int], ...], int] = {}
    days = [
        (date.fromordinal(day).isoformat(), patterns.setdefault(parts, len(patterns)))
        for day, parts in calendar.worked()
    ]
    notes = calendar.special(calendar.first.toordinal(), calendar.last.toordinal())
    said = {
        "name": calendar.name,
        "version": calendar.version,
        "zone": calendar.zone.key,
        "first": calendar.first.isoformat(),
        "last": calendar.last.isoformat(),
        "standard_day": calendar.standard_day,
        "patterns": list(patterns),
        "days": days,
        "notes": [(date.fromordinal(day).isoformat(), note) for day, note in notes],
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def restore(text: str) -> Calendar:
    """The calendar that was dumped: the same answers, the same version."""
    said = json.loads(text)
    patterns = [_sessions(parts) for parts in said["patterns"]]
    return Calendar(
        said["name"],
        said["version"],
        said["zone"],
        {date.fromisoformat(day): patterns[n] for day, n in said["days"]},
        date.fromisoformat(said["first"]),
        date.fromisoformat(said["last"]),
        said["standard_day"],
        {date.fromisoformat(day): note for day, note in said["notes"]},
    )


def _sessions(parts: list[list[int]]) -> Sessions:
    return tuple((time(*divmod(a, 60)), time(*divmod(b, 60))) for a, b in parts)
