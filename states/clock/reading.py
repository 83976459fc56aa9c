"""`read`: the one function that computes a deadline and tells how."""

from dataclasses import dataclass
from datetime import datetime

from states.clock.facts import Facts, Line, Policy, Verdict
from states.clock.reckoning import Reckoning, reckon
from states.clock.telling import trace
from states.clock.term import Term
from states.clock.worktime import DAY, Calendar


def read(term: Term, calendar: Calendar, facts: Facts, policy: Policy, at: datetime) -> "Reading":
    """Read one clock at a moment.

    Raises `BadInput` for facts that contradict each other, and for anything past the calendar's
    reach: never a wrong date.
    """
    return Reading(reckon(term, calendar, facts, at), policy)


@dataclass(frozen=True, slots=True)
class Reading:
    """The clock's answer. What can go wrong went wrong in `read`; the rest is told when asked, as
    most readings are asked for their due moment only.
    """

    _found: Reckoning
    _policy: Policy

    @property
    def due(self) -> datetime | None:
        """The due moment in force; none while held, and none without a term."""
        return self._when(self._found.in_force)

    @property
    def due_original(self) -> datetime | None:
        """The first promise."""
        return self._when(self._found.original)

    @property
    def late_at(self) -> datetime | None:
        """The first minute at which finishing would be late."""
        found, due = self._found, self._found.in_force
        return None if due is None else self._when(_late_from(found.calendar, self._policy, due))

    @property
    def verdict(self) -> Verdict:
        """Where the dossier stands at its finish, or now."""
        found = self._found
        if found.due is None:
            return Verdict.no_term
        if found.waiting:
            return Verdict.held
        verdict = _verdict(found.calendar, self._policy, found.due, found.end)
        if found.finished:
            return verdict
        return Verdict.overdue if verdict is Verdict.late else Verdict.open

    @property
    def used(self) -> int:
        """Working minutes from the receipt or the last restart to the end, less those held."""
        start, end = self._found.start, self._found.end
        if end <= start:
            return 0
        used = self._worked(start, end)
        for hold in self._found.effective:
            if hold.begin < end:
                used -= self._worked(hold.begin, end if hold.to is None else min(hold.to, end))
        return used

    @property
    def remaining(self) -> int | None:
        """Working minutes to the due moment, negative past it; it stands still while held."""
        found = self._found
        if found.due is None:
            return None
        return self._worked(found.holds[-1].begin if found.waiting else found.end, found.due)

    @property
    def trace(self) -> tuple[Line, ...]:
        """The steps of this very reckoning."""
        return trace(self._found, self.verdict, self._policy)

    @property
    def days(self) -> tuple[int, int]:
        """The numbers of the first and the last day that were looked at."""
        found = self._found
        ends = [to for _, to in found.before if to is not None]
        ends += [begin for begin, _ in found.before]
        moments = [found.received, found.end, found.due or 0, found.original or 0, *ends]
        return min(found.received, found.end) // DAY, max(moments) // DAY

    def _when(self, stamp: int | None) -> datetime | None:
        return None if stamp is None else self._found.calendar.when(stamp)

    def _worked(self, begin: int, to: int) -> int:
        along = self._found.calendar.along
        return along(to) - along(begin)


def verdict_of(calendar: Calendar, policy: Policy, due: datetime, finished: datetime) -> Verdict:
    """early, on_time or late: the class of a finish against a due moment."""
    return _verdict(calendar, policy, calendar.stamp(due), calendar.stamp(finished))


def late_from(calendar: Calendar, policy: Policy, due: datetime) -> datetime:
    """The first minute at which finishing would be late."""
    return calendar.when(_late_from(calendar, policy, calendar.stamp(due)))


def _verdict(calendar: Calendar, policy: Policy, due: int, finished: int) -> Verdict:
    if policy is Policy.day:
        first = last = due // DAY
        finished //= DAY
    elif policy is Policy.session:
        first, last = calendar.session(due)
    else:
        first = last = due
    if finished < first:
        return Verdict.early
    return Verdict.on_time if finished <= last else Verdict.late


def _late_from(calendar: Calendar, policy: Policy, due: int) -> int:
    """The first stamp for which `_verdict` says late."""
    if policy is Policy.day:
        return (due // DAY + 1) * DAY
    return (calendar.session(due)[1] if policy is Policy.session else due) + 1
