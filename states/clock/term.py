"""Terms as the law and agencies write them: `15wd`, `10cd`, `8wh`, `0.5wd`, `sameday`, `none`."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum, auto
from functools import lru_cache

from states.errors import BadInput

CUT_OFF = 15 * 60  # same-day results: Law on Civil Status 60/2014; 15:00 unless the procedure says
LONGEST = 36_500  # days or hours: past a century it is a slip of the keyboard
SHAPE = re.compile(r"(?P<amount>\d{1,9}(?:\.\d{1,4})?)(?P<unit>wd|cd|wh)", re.ASCII)
SAME_DAY = re.compile(r"sameday(?:@(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d))?", re.ASCII)


class Kind(StrEnum):
    """How a term is counted; terms of one kind add up."""

    days = auto()  # whole working days, day of receipt not counted (Civil Code 2015, Art. 147)
    calendar = auto()  # calendar days, rolled forward to a working day (Civil Code 2015, Art. 148)
    minutes = auto()  # working hours, and fractions of a working day, on the line
    sameday = auto()  # the end of the day, or of the next when received past the cut-off
    promise = auto()  # a date promised elsewhere and taken over as a fact
    none = auto()  # no due date


@dataclass(frozen=True, slots=True)
class Term:
    """A term. `amount` is in days or hours as written; `cut_off` in minutes of the day."""

    kind: Kind
    amount: Decimal = Decimal(0)
    unit: str = ""
    cut_off: int = CUT_OFF
    text: str = field(default="", compare=False)

    @staticmethod
    def parse(text: str) -> "Term":
        """Read a term; `BadInput` says what a term looks like."""
        return _parse(str(text))

    def size(self, standard_day: int) -> int:
        """Days, or minutes for a term counted on the line of a calendar with that standard day."""
        if self.kind is not Kind.minutes:
            return int(self.amount)
        minutes = self.amount * (60 if self.unit == "wh" else standard_day)
        if minutes != int(minutes):
            raise BadInput("{text} is not a whole number of minutes: round it", text=self.text)
        return int(minutes)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=1024)
def _parse(text: str) -> Term:
    if text == "none":
        return Term(Kind.none, text=text)
    if found := SAME_DAY.fullmatch(text):
        if found["hour"] is None:
            return Term(Kind.sameday, text=text)
        return Term(Kind.sameday, cut_off=int(found["hour"]) * 60 + int(found["minute"]), text=text)
    if not (found := SHAPE.fullmatch(text)):
        raise BadInput(
            "'{text}' is not a term: write 15wd (working days), 10cd (calendar days), 8wh"
            " (working hours), 0.5wd, sameday, sameday@14:30 or none",
            text=text[:40],
        )
    amount, unit = Decimal(found["amount"]), found["unit"]
    if not 0 < amount <= LONGEST:
        raise BadInput(
            "a term of {text} is not possible: it must be above 0 and at most {longest}",
            text=text,
            longest=LONGEST,
        )
    whole = amount == int(amount)
    if unit == "cd" and not whole:
        raise BadInput("{text}: calendar days are counted whole", text=text)
    text = f"{amount.normalize():f}{unit}"
    if unit == "wh" or not whole:
        return Term(Kind.minutes, amount, unit, text=text)
    return Term(Kind.days if unit == "wd" else Kind.calendar, amount, unit, text=text)
