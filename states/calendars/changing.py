"""What a new version of a calendar changes, and how little of it may be left."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from states.calendars.files import Sessions
from states.clock import Calendar
from states.errors import BadInput
from states.sentences import Sentence

YEAR = timedelta(days=365)
FEWEST = 190  # working days in a year


@dataclass(frozen=True, slots=True)
class Difference:
    """A day with other sessions, and what the new calendar notes on it; "" if nothing.

    Without a day: something that holds for all days, told by the note.
    """

    day: date | None
    was: Sessions
    now: Sessions
    note: str


def differences(old: Calendar, new: Calendar) -> list[Difference]:
    """What differs: first what holds for all days, then day by day as far as both reach.

    A note alone is no difference: no date depends on it.
    """
    first = max(old.first, new.first).toordinal()
    last = min(old.last, new.last).toordinal()
    days = {day for day, _ in set(old.worked()) ^ set(new.worked()) if first <= day <= last}
    notes = dict(new.special(first, last))
    return [Difference(None, (), (), each) for each in _general(old, new)] + [
        Difference(date.fromordinal(day), old.sessions(day), new.sessions(day), notes.get(day, ""))
        for day in sorted(days)
    ]


TOLD: tuple[tuple[str, str, Callable[[Calendar], object]], ...] = (
    ("Phạm vi", "Reach", lambda each: f"{each.first:%d/%m/%Y}–{each.last:%d/%m/%Y}"),
    ("Múi giờ", "Time zone", lambda each: each.zone.key),
    ("Ngày chuẩn (phút)", "Standard day (minutes)", lambda each: each.standard_day),
)


def _general(old: Calendar, new: Calendar) -> list[str]:
    changed = [(vi, en, of(old), of(new)) for vi, en, of in TOLD if of(old) != of(new)]
    return [
        f"{vi}: trước là {was}, nay là {now} / {en}: was {was}, is {now}"
        for vi, en, was, now in changed
    ]


def check_reach(calendar: Calendar, on: date) -> None:
    """Raises `BadInput` unless a year of working days is left from that date on.

    A change is refused that would let the calendar end within a year, because terms and holds of
    what is received today could then not be reckoned to their end; or that leaves fewer than
    `FEWEST` working days in any twelve months to come. Viet Nam's five-day week gives 249 to 251,
    a four-day week 208 less the holidays that fall on it; less is a slip, such as a week without
    its hours or a closed year, since a calendar counts working time and not when a counter opens.
    """
    rule = Sentence("a change must leave a year of working days")
    if calendar.last < on + YEAR:
        raise BadInput(
            "calendar {name} would end on {last}, less than a year after {on}: {rule}; let it"
            " reach further first",
            name=calendar.name,
            last=calendar.last,
            on=on,
            rule=rule,
        )
    for n in range((calendar.last - on - YEAR).days + 1):
        begins = on + timedelta(days=n)
        ends = begins + YEAR - timedelta(days=1)
        count = calendar.ordinal(ends) - calendar.ordinal(begins - timedelta(days=1))
        if count < FEWEST:
            raise BadInput(
                "calendar {name} would have {count} working days from {begins} to {ends}:"
                " {rule}, at least {fewest} in any twelve months; see which days it lost",
                name=calendar.name,
                count=count,
                begins=begins,
                ends=ends,
                rule=rule,
                fewest=FEWEST,
            )
