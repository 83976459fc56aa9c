"""Working time as one line of minutes: what is drawn on it lies within working hours."""

from dataclasses import dataclass
from datetime import datetime

from states import clock
from states.clock import Calendar, Facts, Policy, Term


@dataclass(frozen=True, slots=True)
class Hours:
    """A calendar's working minutes as positions, and its working days as numbers."""

    calendar: Calendar

    @property
    def day(self) -> int:
        """Minutes of a working day."""
        return self.calendar.standard_day

    def moment(self, position: int) -> datetime:
        return self.calendar.moment(position)

    def number(self, position: int) -> int:
        """Which working day a position lies on."""
        return self.calendar.ordinal(self.calendar.moment(position).date())

    def ends(self, number: int) -> int:
        """The last position of a working day."""
        return self.calendar.along(self.calendar.nth(number))

    def begins(self, number: int) -> int:
        """The first position of a working day."""
        return self.ends(number - 1) + 1

    def due(self, term: Term, facts: Facts) -> int:
        """What the clock promises by these facts."""
        reading = clock.read(term, self.calendar, facts, Policy.day, facts.received)
        assert reading.due is not None
        return self.calendar.position(reading.due)
