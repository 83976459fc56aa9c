"""A deadline counted as a clerk counts it: on a wall calendar, with a pencil, one day or one
working minute at a time.

Written from the rules alone, to be compared with `states.clock`; it shares no line with it and
knows no arithmetic: no positions, no ordinals, only steps. Slow on purpose. Moments are naive
local time, truncated to the minute. A question is a plain dict: `term`, `received`, `at`,
`policy`, `holds` (pairs, None for the end of one still open), `extend` (texts), and `restart`,
`finished` and `promised`, or None.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NEVER = datetime.max  # noqa: DTZ901  as on the wall
Hold = tuple[datetime, datetime]


class OffTheWall(Exception):
    """The wall calendar ends before the count does."""


class Wall:
    """The calendar on the wall: for each working date, when the office opens and closes."""

    def __init__(
        self,
        days: dict[date, list[tuple[time, time]]],
        first: date,
        last: date,
        standard_day: int = 480,
        zone: str = "Asia/Ho_Chi_Minh",
    ) -> None:
        self.days, self.first, self.last = days, first, last
        self.standard_day, self.zone = standard_day, zone

    @cached_property
    def minutes(self) -> dict[date, list[datetime]]:
        """The working minutes of each working date, each named by its first instant."""
        pencilled: dict[date, list[datetime]] = {}
        for day, sessions in self.days.items():
            pencilled[day] = []
            for opens, closes in sessions:
                minute = datetime.combine(day, opens)
                while minute < datetime.combine(day, closes):
                    pencilled[day].append(minute)
                    minute += MINUTE
        return pencilled

    def works(self, day: date) -> bool:
        return day in self.days

    def closing(self, day: date) -> datetime:
        return datetime.combine(day, self.days[day][-1][1])

    def next(self, day: date) -> date:
        if day >= self.last:
            raise OffTheWall
        return day + DAY

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """The working minutes that begin in [start, end)."""
        found: list[datetime] = []
        day, last = start.date(), min(end.date(), self.last)
        edges = (day, last)
        while day <= last:
            minutes = self.minutes.get(day, [])
            if day in edges:
                minutes = [minute for minute in minutes if start <= minute < end]
            found += minutes
            day += DAY
        return found


@dataclass
class Margin:
    """What the clerk notes beside the count: how far each hold moved the term, as in `2wd`, and
    the last days that were days off, with the moment the term then ended.
    """

    moved: dict[Hold, str] = field(default_factory=dict)
    rolled: list[tuple[date, datetime]] = field(default_factory=list)


def count_dates(
    wall: Wall,
    start: datetime,
    owed: int,
    holds: list[Hold],
    counts: Callable[[date], bool],
    margin: Margin,
) -> datetime:
    """The closing of the first working day on which `owed` dates have passed that `counts`.

    A hold met on the way, or begun on the last day before closing, makes the clerk owe one more
    for each date after the one it begins on, up to the one it ends on. Holds met are taken out of
    `holds`; those left began after the due moment.
    """
    unit, last = ("wd", None) if counts == wall.works else ("cd", start.date() + owed * DAY)
    day, passed = start.date(), 0
    while True:
        done = passed >= owed and wall.works(day)
        if holds and holds[0][0].date() <= day and not (done and holds[0][0] > wall.closing(day)):
            more = dates_held(holds[0], counts)
            owed, last = owed + more, last and last + more * DAY
            margin.moved[holds.pop(0)] = f"{more}{unit}"
        elif done:
            if last and last != day:
                margin.rolled.append((last, wall.closing(day)))
            return wall.closing(day)
        else:
            day = wall.next(day)
            passed += counts(day)


def dates_held(hold: Hold, counts: Callable[[date], bool]) -> int:
    """The dates after the one it begins on, up to the one it ends on."""
    held, more = hold[0].date(), 0
    while held < hold[1].date():
        held += DAY
        more += counts(held)
    return more


def count_minutes(
    wall: Wall, start: datetime, left: int, holds: list[Hold], margin: Margin
) -> datetime:
    """The end of the working minute with which `left` is spent; minutes in a hold are crossed out.

    A hold that begins as the last minute is spent still counts: the clerk goes on crossing out to
    its last working minute. Holds met are taken out of `holds`.
    """
    day, held_until = start.date(), start

    def meet(by: datetime) -> None:
        nonlocal held_until
        while holds and holds[0][0] <= by:
            begins, held_until = holds.pop(0)
            margin.moved[begins, held_until] = f"{len(wall.between(begins, held_until))}m"

    while True:
        for minute in wall.minutes.get(day, []):
            if minute < start:
                continue
            meet(minute)
            if minute >= held_until:
                left -= 1
            spent = minute + MINUTE
            meet(spent)
            if left == 0 and not wall.between(spent, held_until):
                return spent
        day = wall.next(day)


def promised(wall: Wall, due: datetime, holds: list[Hold], margin: Margin) -> datetime:
    """A date given elsewhere; each working day held makes it a working day later."""
    while holds and holds[0][0] <= due:
        more, day = dates_held(holds[0], wall.works), due.date()
        margin.moved[holds.pop(0)] = f"{more}wd"
        for _ in range(more):
            day = wall.next(day)
            while not wall.works(day):
                day = wall.next(day)
            due = wall.closing(day)
    return due


# Terms ------------------------------------------------------------------------------------


def one_term(
    wall: Wall,
    kind: str,
    amount: Any,
    start: datetime,
    holds: list[Hold],
    margin: Margin | None = None,
) -> datetime:
    """The due moment of a term begun at `start`; `amount` is the cut-off if it is the same day, and
    the moment if it was promised elsewhere.
    """
    margin = margin or Margin()
    if kind == "promise":
        return promised(wall, amount, holds, margin)
    if kind == "minutes":
        return count_minutes(wall, start, amount, holds, margin)
    if kind == "cd":
        return count_dates(wall, start, amount, holds, lambda day: True, margin)
    if kind == "wd":
        return count_dates(wall, start, amount, holds, wall.works, margin)
    today = start.date()
    cut_off = datetime.combine(today, time.fromisoformat(amount))
    in_time = wall.works(today) and start < min(cut_off, wall.closing(today))
    return count_dates(wall, start, 0 if in_time else 1, holds, wall.works, margin)
