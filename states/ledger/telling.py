"""What a line tells of the clock."""

from datetime import datetime
from typing import Any

from states.clock import Calendar, Line, Policy, Reading


def told(reading: Reading, policy: Policy, calendar: Calendar) -> dict[str, Any]:
    """A reading as an entry keeps it."""
    return {
        "due": text(reading.due),
        "verdict": reading.verdict,
        "used": reading.used,
        "policy": policy,
        "calendar": f"{calendar.name}@{calendar.version}",
        "trace": [_line(line) for line in reading.trace],
    }


def _line(line: Line) -> list[Any]:
    return [line.rule, text(line.start), text(line.end), line.minutes, line.counts, line.note]


def text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
