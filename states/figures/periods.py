"""Periods of reports: months, quarters, halves and years as Viet Nam's clocks have them. Pure.

Half-open, and told by name: 2023, 2023-H1, 2023-Q1, 2023-01.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from states.errors import BadInput

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NAME = re.compile(r"(?P<year>[12]\d{3})(-(?P<kind>[QH]?)(?P<n>\d{1,2}))?", re.ASCII)
LENGTHS = {"": 1, "Q": 3, "H": 6}  # in months
# Figures are reported by the 10th (Circular 17/2017/TT-BTTTT Art. 13), to the province's centre by
# 15 January: frozen on the 5th, they leave four days to enter what was done on paper, and five to
# read and sign them.
DELAY = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Period:
    """[since, until). `since` None: from the beginning. One that nobody named has no name."""

    name: str
    since: datetime | None
    until: datetime

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Raises `BadInput`."""
        found = NAME.fullmatch(text)
        if found is None:
            raise BadInput(
                "'{text}' is no period: write 2023, 2023-H1, 2023-Q1 or 2023-01", text=text
            )
        year = int(found["year"])
        if found["n"] is None:
            return cls(text, _first(year, 0), _first(year, 12))
        months, n = LENGTHS[found["kind"]], int(found["n"])
        made = _nth(year, months, n)
        if not 1 <= n <= 12 // months or made.name != text:
            raise BadInput(
                "'{text}' is no period: there are 01 to 12, Q1 to Q4, H1 and H2", text=text
            )
        return made


def _first(year: int, months: int) -> datetime:
    """The first moment of the month that many months after January."""
    return datetime(year + months // 12, months % 12 + 1, 1, tzinfo=ZONE)


def _nth(year: int, months: int, n: int) -> Period:
    """The n-th period of that many months in a year."""
    kind = next(kind for kind, length in LENGTHS.items() if length == months)
    name = f"{year}-{kind}{n}" if kind else f"{year}-{n:02}"
    return Period(name, _first(year, months * (n - 1)), _first(year, months * n))


def _ending(year: int, month: int) -> Iterator[Period]:
    """The periods that end with a month, the shortest first."""
    for months in LENGTHS.values():
        if month % months == 0:
            yield _nth(year, months, month // months)
    if month == 12:
        yield Period.parse(str(year))


def due_periods(
    at: datetime, frozen: Collection[str], since: datetime, delay: timedelta = DELAY
) -> tuple[Period, ...]:
    """The periods that ended `delay` ago or earlier and are not frozen, in the order of their ends.

    `since`: the first there was anything to count.
    """
    first, last = since.astimezone(ZONE), at.astimezone(ZONE)
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ended = (each for n in months for each in _ending(n // 12, n % 12 + 1))
    return tuple(each for each in ended if each.until + delay <= at and each.name not in frozen)


EACH = {"month": 1, "quarter": 3, "half": 6, "year": 12}
MOST = 600  # months that one report is divided into


def divided(period: Period, each: str, at: datetime) -> tuple[Period, ...]:
    """The months, quarters, halves or years that overlap a period, up to the present moment.

    The first and the last are cut to it. Raises `BadInput`, also for one without a beginning.
    """
    if each not in EACH:
        known = ", ".join(EACH)
        raise BadInput("'{each}' divides no period: choose {known}", each=each, known=known)
    if period.since is None:
        raise BadInput("to divide a period say where it begins: give --from")
    months, begin = EACH[each], period.since.astimezone(ZONE)
    end = min(period.until, max(at, period.since + timedelta(microseconds=1)))
    parts: list[Period] = []
    n = (begin.month - 1) // months
    while len(parts) * months <= MOST:
        one = _one(begin.year + n * months // 12, months, n % (12 // months) + 1)
        if one.since is None or one.since >= end:
            return tuple(parts)
        parts.append(Period(one.name, max(one.since, begin), min(one.until, period.until)))
        n += 1
    raise BadInput("the period has more than {most} months: ask for fewer", most=MOST)


def _one(year: int, months: int, n: int) -> Period:
    return Period.parse(str(year)) if months == 12 else _nth(year, months, n)
