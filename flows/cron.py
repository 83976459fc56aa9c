"""When a schedule comes round, for a worker that has no Prefect server to ask.

The five fields of cron with `*`, steps, ranges and lists, in numbers; Sunday is 0 or 7. A day
restricted both in the month and in the week is met by either, as cron has it.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(days=2)  # what is looked back over; who was away longer, was away
SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def came_round(cron: str, zone: str, since: datetime, at: datetime) -> bool:
    """Whether a moment of the schedule lies after `since` and not after `at`."""
    minute = max(since, at - LONGEST).astimezone(UTC).replace(second=0, microsecond=0)
    while (minute := minute + MINUTE) <= at:
        if _meets(cron, minute.astimezone(ZoneInfo(zone))):
            return True
    return False


def is_frequent(cron: str) -> bool:
    """Whether it comes round in several hours of a day: what was missed is made good at once."""
    return len(_values(cron.split()[1], *SPANS[1])) > 1


def _meets(cron: str, local: datetime) -> bool:
    fields = cron.split()
    minutes, hours, days, months, weekdays = map(_values, fields, *zip(*SPANS, strict=True))
    in_month = local.day in days
    in_week = not weekdays.isdisjoint({local.isoweekday(), local.isoweekday() % 7})
    both = fields[2].startswith("*") or fields[4].startswith("*")
    on_day = in_month and in_week if both else in_month or in_week
    return local.minute in minutes and local.hour in hours and local.month in months and on_day


def _values(field: str, low: int, high: int) -> set[int]:
    """The numbers a field allows. Raises ValueError for what is not of cron."""
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else int(first)
        end = high if first == "*" or (step and not last) else int(last or first)
        if not low <= begin <= end <= high:
            raise ValueError(f"{field} is no field of cron between {low} and {high}")
        values.update(range(begin, end + 1, int(step or 1)))
    return values
