"""Working days in order, each with its sessions, in one time zone.

Inside the clock a moment is a *stamp*: local minutes since the proleptic day 0 (`toordinal() * 1440
+ minute of the day`). Seconds are cut off: the clock is true to the minute.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from states.errors import BadInput
from states.sentences import Sentence

DAY = 1440
CACHED = 1 << 14
CLOCK = tuple(time(*divmod(minute, 60)) for minute in range(DAY))
Sessions = tuple[tuple[time, time], ...]


class Calendar:
    """The office's working time from `first` to `last`, both included.

    `sessions` maps every working day to its sessions in order; `standard_day` is the length in
    minutes by which fractions of a day are counted; `notes` names the days that differ from the
    ordinary week, with their source document. Any question beyond the reach is `BadInput`.
    """

    def __init__(
        self,
        name: str,
        version: str,
        zone: str,
        sessions: Mapping[date, Sessions],
        first: date,
        last: date,
        standard_day: int = 480,
        notes: Mapping[date, str] | None = None,
    ) -> None:
        self.name, self.version, self.zone = name, version, ZoneInfo(zone)
        self.first, self.last, self.standard_day = first, last, standard_day
        self._notes = sorted((day.toordinal(), note) for day, note in (notes or {}).items())
        self._first, self._last = first.toordinal(), last.toordinal()
        days = sorted(day for day in sessions if first <= day <= last)
        self._days = [day.toordinal() for day in days]
        self._sessions = [
            tuple((a.hour * 60 + a.minute, b.hour * 60 + b.minute) for a, b in sessions[day])
            for day in days
        ]
        self._starts = [0]  # working minutes before each day; one more for the end of the line
        for day, parts in zip(days, self._sessions, strict=True):
            worked = _minutes(day, parts)
            self._starts.append(self._starts[-1] + worked)
        # Pure, and asked again and again of a reading's few moments and of the ends of days.
        self.when = lru_cache(maxsize=CACHED)(self._when)
        self.along = lru_cache(maxsize=CACHED)(self._along)

    # Moments in and out ---------------------------------------------------------------

    def stamp(self, at: datetime) -> int:
        """The local minute of an aware moment."""
        if at.tzinfo is None:
            raise BadInput("{at} has no offset: write it as in 2025-04-21T10:00+07:00", at=at)
        try:
            local = at.astimezone(self.zone)
        except OverflowError:
            raise self._beyond(at.year) from None
        day = local.toordinal()
        if not self._first <= day <= self._last:
            raise self._beyond(local.date())
        return day * DAY + local.hour * 60 + local.minute

    def _when(self, stamp: int) -> datetime:
        """`when`: the moment of a local minute, aware."""
        day, minute = divmod(stamp, DAY)
        return datetime.combine(date.fromordinal(day), CLOCK[minute], self.zone)

    # Days -----------------------------------------------------------------------------

    def ordinal(self, day: date) -> int:
        """How many working days lie at or before this date."""
        return self.count(day.toordinal())

    def count(self, day: int) -> int:
        """`ordinal` of a day number."""
        return bisect_right(self._days, day)

    def works(self, day: int) -> bool:
        at = bisect_left(self._days, day)
        return at < len(self._days) and self._days[at] == day

    def nth(self, number: int) -> int:
        """The stamp at the end of the last session of the working day of that ordinal."""
        if not 1 <= number <= len(self._days):
            raise self._beyond(Sentence("that term"))
        return self._days[number - 1] * DAY + self._sessions[number - 1][-1][1]

    def roll(self, day: int) -> int:
        """The end of the last session of the first working day at or after this day number."""
        if day > self._last:
            raise self._beyond(Sentence("that term"))
        return self.nth(bisect_left(self._days, day) + 1)

    def session(self, stamp: int) -> tuple[int, int]:
        """The session that holds a stamp, its end included; else the stamp itself, twice."""
        day, minute = divmod(stamp, DAY)
        if self.works(day):
            for opens, closes in self._sessions[bisect_left(self._days, day)]:
                if opens <= minute <= closes:
                    return day * DAY + opens, day * DAY + closes
        return stamp, stamp

    def sessions(self, day: int) -> Sessions:
        """The sessions of a day number, in order; none on a day off and beyond the reach."""
        if not self.works(day):
            return ()
        parts = self._sessions[bisect_left(self._days, day)]
        return tuple((CLOCK[opens], CLOCK[closes]) for opens, closes in parts)

    def worked(self) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
        """Every working day's number, with its sessions in minutes of the day."""
        return zip(self._days, self._sessions, strict=True)

    def special(self, first: int, last: int) -> list[tuple[int, str]]:
        """The day numbers between two, both included, that have a note, with it."""
        begin = bisect_left(self._notes, (first, ""))
        return self._notes[begin : bisect_left(self._notes, (last + 1, ""))]

    # The line -------------------------------------------------------------------------

    def position(self, at: datetime) -> int:
        """Working minutes before this moment."""
        return self.along(self.stamp(at))

    def moment(self, position: int) -> datetime:
        """The first moment by which that many working minutes have passed."""
        return self.when(self.reach(position))

    def _along(self, stamp: int) -> int:
        """`along`: `position` of a stamp."""
        day, minute = divmod(stamp, DAY)
        at = bisect_left(self._days, day)
        spent = self._starts[at]
        if at < len(self._days) and self._days[at] == day:
            for opens, closes in self._sessions[at]:
                if minute <= opens:
                    break
                spent += min(minute, closes) - opens
        return spent

    def reach(self, position: int) -> int:
        """`moment` as a stamp."""
        if not 1 <= position <= self._starts[-1]:
            raise self._beyond(Sentence("that term"))
        at = bisect_left(self._starts, position) - 1
        left = position - self._starts[at]
        for opens, closes in self._sessions[at]:
            if left <= closes - opens:
                return self._days[at] * DAY + opens + left
            left -= closes - opens
        raise AssertionError  # the day's sessions sum to its share of the line

    def _beyond(self, what: object) -> BadInput:
        return BadInput(
            "{what} lies outside calendar {name}, which reaches from {first} to {last}: use a"
            " calendar that reaches further",
            what=what,
            name=self.name,
            first=self.first,
            last=self.last,
        )


def _minutes(day: date, parts: tuple[tuple[int, int], ...]) -> int:
    """The length of a day's sessions, which must be in order and hold something."""
    edges = [edge for part in parts for edge in part]
    if not parts or any(a >= b for a, b in parts) or edges != sorted(edges):
        raise BadInput(
            "the sessions of {day} must follow one another and none may be empty", day=day
        )
    return sum(b - a for a, b in parts)
