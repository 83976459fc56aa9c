"""What was planned and what must be told when: targets by year, and periodic reports. Data.

Seed 001's plan grows its targets "by 5 each year", which can be read in two ways: so they stand in
a table by year and KPI, as whoever answers for them reads it, and in no formula.
"""

import re
from collections.abc import Iterator
from enum import StrEnum, auto
from typing import Annotated, Any

from pydantic import Field

from states.catalogue.organisation import Day, Fault, Name, Row, Text, Word
from states.catalogue.procedures import Ground
from states.sentences import Sentence

Percent = Annotated[float, Field(gt=0, le=100)]
Year = Annotated[int, Field(ge=2000, le=2999)]
DayOfMonth = Annotated[int, Field(ge=1, le=28)]


class Kpi(StrEnum):
    """The targets of Vĩnh Phúc's plan 125/KH-UBND (2019), and of those made after it."""

    k1 = auto()  # procedures that the public post served
    k2 = auto()  # dossiers received by post
    k3 = auto()  # results returned by post
    k4 = auto()  # post points that are eligible
    k5 = auto()  # agencies with an agreement in force
    k6 = auto()  # communes where it was broadcast: nothing in the data says so
    k7 = auto()  # the year's report, made in time


class Every(StrEnum):
    """Of which periods a report is."""

    month = auto()
    quarter = auto()
    half = auto()
    year = auto()


NAMES = {
    Every.month: re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])", re.ASCII),
    Every.quarter: re.compile(r"[12]\d{3}-Q[1-4]", re.ASCII),
    Every.half: re.compile(r"[12]\d{3}-H[12]", re.ASCII),
    Every.year: re.compile(r"[12]\d{3}", re.ASCII),
}


class Done(Row):
    """Something that no figure shows was done, by a document."""

    on: Day
    document: Text


class Target(Row):
    """What is to be reached in a year, in percent. `by`: a day of its own, included."""

    kpi: Kpi
    year: Year
    percent: Percent
    by: Day | None = None
    done: Done | None = None


class Plan(Row):
    """A plan with its targets."""

    code: Word
    name: Name
    ground: Ground
    targets: tuple[Target, ...]


class Content(Row):
    """What a periodic report must hold. `report`: ours that tells it; None: no data does."""

    name: Name
    report: Text | None = None


class Made(Done):
    """A periodic report that was made elsewhere."""

    period: Text


class Duty(Row):
    """A report that is due again and again.

    `day`: of the month after the period, included; its last, where none is said. `only`: of no
    other part of the year, such as H1. It is made when
    `report`, where one is named, and what its contents name were frozen of the period.
    """

    code: Word
    name: Name
    who: Name
    to: Name
    every: Every
    day: DayOfMonth | None = None
    only: Text | None = None
    report: Text | None = None
    ground: Ground
    contents: tuple[Content, ...] = ()
    made: tuple[Made, ...] = ()


class Plans(Row):
    """`plans.yaml`."""

    plans: tuple[Plan, ...]
    duties: tuple[Duty, ...]

    def of_year(self, year: int) -> Iterator[tuple[Plan, Target]]:
        """Every target of that year, with the plan that set it."""
        return ((plan, each) for plan in self.plans for each in plan.targets if each.year == year)

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        for key in ("plans", "duties"):
            codes = [each.code for each in getattr(self, key)]
            for at, code in enumerate(codes):
                if code in codes[:at]:
                    yield (key, at, "code"), Sentence("{code} is there twice", code=code)
        for at, plan in enumerate(self.plans):
            yield from _of_targets(("plans", at, "targets"), plan.targets)
        for at, duty in enumerate(self.duties):
            yield from _of_duty(("duties", at), duty)


def _of_targets(place: Any, targets: tuple[Target, ...]) -> Iterator[Fault]:
    seen: set[tuple[Kpi, int]] = set()
    for at, each in enumerate(targets):
        if (each.kpi, each.year) in seen:
            told = Sentence("{code} is there twice", code=f"{each.kpi} {each.year}")
            yield (*place, at, "kpi"), told
        seen.add((each.kpi, each.year))
        if each.done is not None and each.kpi is not Kpi.k6:
            yield (*place, at, "done"), "must be left out: only k6 is not in the data"


def _of_duty(place: Any, duty: Duty) -> Iterator[Fault]:
    if duty.only is not None and not NAMES[duty.every].fullmatch(f"2000-{duty.only}"):
        yield (*place, "only"), "must be a part of the year of that length, such as H1 or Q3"
    seen: set[str] = set()
    for at, each in enumerate(duty.made):
        where = (*place, "made", at, "period")
        if not NAMES[duty.every].fullmatch(each.period):
            yield where, "must be a period of the report's length: 2023, 2023-H1, 2023-Q1, 2023-01"
        elif each.period in seen:
            yield where, Sentence("{code} is there twice", code=each.period)
        seen.add(each.period)
