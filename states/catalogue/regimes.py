"""Legal regimes and the numbering of dossiers: data with validity, chosen by the day of receipt."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, TypeVar

from pydantic import AfterValidator, StringConstraints

from states.catalogue.organisation import Day, Fault, Name, Row, Text
from states.errors import Unknown

PART = re.compile(r"\{(unit|yymmdd|yyyymmdd|n(?::0(\d))?)\}")
# Circular 01/2018/TT-VPCP Art. 19, and the shorter unit codes of Decision 20/2020/QĐ-TTg.
CODE = re.compile(r"(\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(\.\d{1,3}){1,3})-\d{6}-\d{4,}")


def _pattern(text: str) -> str:
    parts = [found[1].partition(":")[0] for found in PART.finditer(text)]
    if sorted(parts) not in (["n", "unit", "yymmdd"], ["n", "unit", "yyyymmdd"]):
        raise ValueError("must hold {unit}, {yymmdd} or {yyyymmdd}, and {n:04}, each once")
    if not re.fullmatch(r"[-.]*", PART.sub("", text)):
        raise ValueError("may hold nothing between its parts but '-' and '.'")
    if not CODE.fullmatch(_filled(text, "H42.14", date(2023, 1, 3), 1)):
        raise ValueError("must give codes such as H42.14-230103-0001")
    return text


def _filled(pattern: str, unit: str, day: date, n: int) -> str:
    def part(found: re.Match[str]) -> str:
        name, width = found[1].partition(":")[0], int(found[2] or 1)
        known = {"unit": unit, "yymmdd": f"{day:%y%m%d}", "yyyymmdd": f"{day:%Y%m%d}"}
        return known.get(name) or f"{n:0{width}d}"

    return PART.sub(part, pattern)


Pattern = Annotated[str, AfterValidator(_pattern)]
RegimeCode = Annotated[str, StringConstraints(pattern=r"^R[0-9]{4}$")]


class Form(Row):
    """A paper of the regime. `on`: the event, or what else it is given at."""

    number: Text
    name: Name
    on: Text


class Regime(Row):
    """The rules that bind what is received from one day to another, both included.

    `circular`: the document that its forms are annexed to.
    """

    code: RegimeCode
    since: Day
    until: Day | None = None
    lifecycle: Text
    post: Text | None = None
    circular: Text | None = None
    forms: tuple[Form, ...]
    verified: bool


class Numbering(Row):
    """How codes are made from one day to another. A number past the width takes one place more."""

    since: Day
    until: Day | None = None
    pattern: Pattern
    document: Text
    verified: bool


T = TypeVar("T", Regime, Numbering)


class Regimes(Row):
    """`regimes.yaml`."""

    regimes: tuple[Regime, ...]
    numbering: tuple[Numbering, ...]

    def regime_on(self, day: date) -> Regime:
        """Raises `Unknown` before the first."""
        return _on(self.regimes, day, "regime")

    def code_for(self, unit: str, day: date, n: int) -> str:
        """The code of the n-th dossier of a unit and day. Raises `Unknown` before the first."""
        return _filled(_on(self.numbering, day, "numbering").pattern, unit, day, n)

    def faults(self) -> Iterator[Fault]:
        """What overlaps, leaves a gap, or is out of order."""
        yield from _in_order("regimes", self.regimes)
        yield from _in_order("numbering", self.numbering)


def _in_order(where: str, rows: Sequence[Regime | Numbering]) -> Iterator[Fault]:
    if not rows:
        yield (where,), "must name at least one"
    for at, (one, after) in enumerate(pairwise(rows), 1):
        if one.until is None or one.until + timedelta(days=1) != after.since:
            yield (where, at, "since"), "must be the day after the one before ends"
    if rows and rows[-1].until is not None:
        yield (where, len(rows) - 1, "until"), "must be left out: the last goes on"


def _on(rows: Sequence[T], day: date, what: str) -> T:
    for each in rows:
        if each.since <= day and (each.until is None or day <= each.until):
            return each
    raise Unknown(
        "there is no {what} for {day:%d/%m/%Y}: the first begins {since}",
        what=what,
        day=day,
        since=rows[0].since,
    )
