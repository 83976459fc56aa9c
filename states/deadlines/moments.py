"""A time that is watched, and when a rule speaks of it. Pure; every length is counted by the clock.

Whole working days are counted as terms are, to the end of a day's last session; hours on the line
of working minutes; calendar days by the clock on the wall.
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from states.catalogue.rules import On, When
from states.clock import Calendar, Kind, Term
from states.errors import BadInput

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Deadline(NamedTuple):
    """One version of one time that is watched.

    `visit` 0: the dossier itself. `version`: the line that set it. `late`: the first minute of
    lateness, by the policy it is judged by. `until`, `ended`: when it was over and by which line;
    None while it is in force.
    """

    on: On
    visit: int
    version: int
    start: datetime
    due: datetime
    late: datetime
    since: datetime
    until: datetime | None = None
    ended: int | None = None


def moment(when: When, deadline: Deadline, calendar: Calendar) -> datetime | None:
    """When a rule speaks. None where that lies before the time began or beyond the calendar: of a
    term of a day nobody is told that two are left.
    """
    if when.share is not None:
        begin, end = calendar.position(deadline.start), calendar.position(deadline.due)
        passed = max(1, begin + (end - begin) * when.share // 100)
        return max(deadline.start, calendar.moment(passed))
    if when.term is None:
        return deadline.late
    there = shifted(calendar, deadline.due, when.term, when.side)
    if there is None:
        return None
    if when.side > 0:
        return max(there, deadline.late)  # told further up of what is late, never of what is not
    return there if there >= deadline.start else None


def shifted(calendar: Calendar, due: datetime, term: Term, side: int) -> datetime | None:
    """So long before a moment (`side` -1) or after it (1); None beyond the calendar's reach."""
    try:
        return _shifted(calendar, due, term.kind, side * term.size(calendar.standard_day))
    except BadInput:
        return None


def _shifted(calendar: Calendar, due: datetime, kind: Kind, by: int) -> datetime:
    if kind is Kind.minutes:
        return calendar.moment(calendar.position(due) + by)
    local = due.astimezone(calendar.zone)
    if kind is Kind.calendar:
        return local + by * DAY
    if by > 0:
        return calendar.when(calendar.nth(calendar.ordinal(local.date()) + by))
    return calendar.when(calendar.nth(calendar.ordinal(local.date() - DAY) + by + 1))


def transfer_due(calendar: Calendar, received: datetime, by: time) -> datetime:
    """Until when a dossier is to be sent on (Decree 61/2018/NĐ-CP Art. 18).

    The same working day; received past the cut-off or outside working days, at the start of the
    next one. That start is taken to last as long as the first session: a morning's courier is in
    time, and the afternoon is not the morning any more. Raises `BadInput` beyond the calendar.
    """
    local = received.astimezone(calendar.zone)
    day = local.toordinal()
    if calendar.works(day) and local.time() < by:
        closes = calendar.when(calendar.roll(day))
        if received < closes:
            return closes
    following = calendar.when(calendar.nth(calendar.count(day) + 1)).date()
    _, closing = calendar.sessions(following.toordinal())[0]
    return datetime.combine(following, closing, calendar.zone)
