"""What is examined: a version of a procedure, and what the catalogue has around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from itertools import islice
from typing import Any, Protocol

from states.catalogue.checking.graph import Ways, ways
from states.catalogue.organisation import Organisation
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Regimes
from states.clock import Calendar, Facts, Kind, Term, read
from states.clock.worktime import DAY
from states.errors import BadInput, Unknown

Sessions = tuple[tuple[int, int], ...]  # in minutes of the day


class Published(Protocol):
    """A version that binds, or did."""

    @property
    def number(self) -> int: ...
    @property
    def since(self) -> date: ...
    @property
    def until(self) -> date | None: ...
    @property
    def says(self) -> Callable[[], Procedure]: ...


class Around(Protocol):
    """What the checker asks of the catalogue."""

    @property
    def organisation(self) -> Organisation: ...
    @property
    def regimes(self) -> Regimes: ...
    @property
    def versions(self) -> Mapping[str, Sequence[Published]]:
        """Of each procedure the published ones, by national code."""

    @property
    def calendars(self) -> Mapping[str, Any]:
        """By name."""

    def calendar(self, name: str) -> Calendar:
        """The newest version of one. Raises `Unknown`."""

    def calendar_of(self, agency: str) -> Calendar:
        """The one an agency works by. Raises `Unknown`."""


@dataclass(frozen=True)
class Draft:
    """A version and what is around it, with what several rules ask of the two."""

    procedure: Procedure
    book: Around

    @cached_property
    def calendar(self) -> Calendar | None:
        """The one its terms are counted on; None where the catalogue has none of that name."""
        named = self.procedure.calendar
        try:
            if named is not None:
                return self.book.calendar(named)
            return self.book.calendar_of(self.procedure.agency)
        except Unknown:
            return None

    @cached_property
    def ways(self) -> Ways:
        """How its stages may follow one another."""
        return ways(self.procedure)

    @cached_property
    def days(self) -> tuple[tuple[int, Sessions], ...]:
        """The working days on which something may be received under it, as far as the calendar
        reaches: their numbers and sessions.
        """
        if self.calendar is None:
            return ()
        first, until = self.procedure.valid_from.toordinal(), self.procedure.valid_until
        last = date.max.toordinal() if until is None else until.toordinal()
        return tuple(each for each in self.calendar.worked() if first <= each[0] <= last)

    def moment(self, day: int, minute: int) -> datetime:
        """A minute of one of these days."""
        assert self.calendar is not None
        return self.calendar.when(day * DAY + minute)

    @cached_property
    def due(self) -> Callable[[Term, datetime], datetime | None]:
        """When a term that begins at a moment is over; None where the calendar cannot give it."""
        calendar, policy = self.calendar, self.procedure.policy
        assert calendar is not None

        @cache
        def due(term: Term, start: datetime) -> datetime | None:
            try:
                return read(term, calendar, Facts(start), policy, start).due
            except BadInput:
                return None

        return due

    def longer(self, one: Term, other: Term) -> bool:
        """Whether one term is over after the other, on every day of the first week or two."""
        if {one.kind, other.kind} & {Kind.none} or not self.days:
            return False
        mornings = (self.moment(day, hours[0][0]) for day, hours in islice(self.days, 10))
        both = ((self.due(one, each), self.due(other, each)) for each in mornings)
        return all(a is not None and b is not None and a > b for a, b in both)
