"""What the data file of a lived year says, and what contradicts the catalogue in it."""

from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from states import yaml_files
from states.catalogue import Catalogue, Procedure, Stage
from states.catalogue.organisation import Day, Fault, Row, Text, Word
from states.catalogue.procedures import Code
from states.clock import Kind
from states.errors import Unknown
from states.words import Channel, Event, Role

Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Month = Annotated[int, Field(ge=1, le=12)]
Percent = NonNegativeInt


class Span(Row):
    """Some days, both included."""

    since: Day
    until: Day

    def holds(self, day: date) -> bool:
        return self.since <= day <= self.until


class Quiet(Span):
    """Days on which fewer dossiers come, in percent of the usual."""

    share: Percent


class Season(Row):
    """How busy the months and weekdays are, relative to each other; Monday first."""

    months: Annotated[tuple[Percent, ...], Field(min_length=12, max_length=12)]
    weekdays: Annotated[tuple[Percent, ...], Field(min_length=7, max_length=7)]
    quiet: tuple[Quiet, ...] = ()

    def weight(self, day: date) -> int:
        """How busy a day is: a number without a unit, 0 when nobody comes."""
        shares = (each.share for each in self.quiet if each.holds(day))
        return self.months[day.month - 1] * self.weekdays[day.weekday()] * min(shares, default=100)


class Counter(Row):
    """Who receives and returns: the postal clerk, and who stands in for absences."""

    clerk: Word
    stand_in: Word
    away: tuple[Span, ...] = ()

    def on(self, day: date) -> str:
        """The person at the counter."""
        return self.stand_in if any(each.holds(day) for each in self.away) else self.clerk


class Names(Row):
    """Parts of invented names; `bodies` begin those of applicants that are no persons."""

    family: Texts
    middle: Texts
    given: Texts
    bodies: Texts


class Reasons(Row):
    """What people write; `deliver` by the way a result goes out."""

    supplement: Texts
    payment: Texts
    send_back: Texts
    extend: Texts
    deliver: dict[Channel, Text]


class Course(Row):
    """What happens in a year to the dossiers of one procedure.

    `pace`: how many dossiers have their result so many working days after (before: negative) the
    date promised then; `unfinished` ones come so late in the year that theirs falls into the next.
    What goes wrong falls on the slowest, one thing to a dossier. `months`: when they come at all.
    """

    code: Code
    come: dict[Channel, NonNegativeInt]
    pace: dict[int, NonNegativeInt]
    unfinished: NonNegativeInt = 0
    held: NonNegativeInt = 0  # asked for a supplement
    asked_to_pay: NonNegativeInt = 0
    sent_back: NonNegativeInt = 0
    extended: NonNegativeInt = 0
    refused: NonNegativeInt = 0
    months: tuple[Month, ...] = ()

    @property
    def hitches(self) -> list[Event]:
        """What goes wrong, the gravest first."""
        return (
            [Event.extend] * self.extended
            + [Event.request_supplement] * self.held
            + [Event.request_payment] * self.asked_to_pay
            + [Event.send_back] * self.sent_back
        )

    def faults(self, procedure: Procedure) -> Iterator[Fault]:
        """What does not add up, or cannot happen under this procedure."""
        count = sum(self.come.values())
        if count != (told := sum(self.pace.values()) + self.unfinished):
            yield ("come",), f"must sum to {told}, as many as 'pace' and 'unfinished' tell of"
        if len(self.hitches) > count:
            yield ("code",), f"has more to go wrong than its {count} dossiers"
        for channel in self.come:
            if channel not in procedure.channels.come:
                yield ("come", channel), f"{self.code} does not take dossiers by {channel}"
        if procedure.term.kind is Kind.none:
            yield ("code",), f"{self.code} promises no date, so it has no pace"
        if self.held and not procedure.supplement.times:
            yield ("held",), "must be 0: the procedure asks for no supplement"
        if self.extended and not (procedure.extension.max and signatory(procedure)):
            yield ("extended",), "must be 0: the procedure allows none, or no leader signs"
        if self.sent_back and len(procedure.stages) < 2:
            yield ("sent_back",), "must be 0: there is no earlier stage"


class Plan(Row):
    """`pilot.yaml`. `extra_fee`: what those are asked for who are asked to pay, in VND.

    `go`: how results leave, relative to each other, where the procedure leaves the choice.
    """

    name: Word
    year: Annotated[int, Field(ge=2000, le=2100)]
    seed: int
    counter: Counter
    season: Season
    extra_fee: PositiveInt
    go: dict[Channel, Percent]
    names: Names
    reasons: Reasons
    procedures: tuple[Course, ...]

    def faults(self, catalogue: Catalogue) -> Iterator[Fault]:
        """What contradicts itself or the catalogue."""
        for key, who in (("clerk", self.counter.clerk), ("stand_in", self.counter.stand_in)):
            person = catalogue.people.get(who)
            if person is None or counter_role(catalogue, who) is None:
                yield ("counter", key), f"must be a person at the counter; {who} is none"
        for way in self.go:
            if way not in self.reasons.deliver:
                yield ("reasons", "deliver"), f"must have a text for {way}, a way that 'go' names"
        known: set[str] = set()
        for at, course in enumerate(self.procedures):
            if course.code in known:
                yield ("procedures", at, "code"), f"{course.code} is there twice"
            known.add(course.code)
            try:
                procedure = catalogue.procedure(course.code)
            except Unknown as wrong:
                yield ("procedures", at, "code"), str(wrong)
                continue
            for where, expected in course.faults(procedure):
                yield ("procedures", at, *where), expected


def counter_role(catalogue: Catalogue, who: str) -> Role | None:
    """In what capacity a person stands at the counter; None who does not."""
    person = catalogue.person(who)
    return next((role for role in (Role.postal, Role.reception) if person.holds(role)), None)


def signatory(procedure: Procedure) -> Stage | None:
    """The last stage that is a leader's: who signs also apologises."""
    leaders = (each for each in reversed(procedure.stages) if each.role is Role.leader)
    return next(leaders, None)


def load(catalogue: Catalogue, file: Path | None = None) -> Plan:
    """The plan in a file (default: the sample's). Raises `BadFile` with the line to correct."""
    document = yaml_files.read(file or resources.files("config") / "sample" / "pilot.yaml")
    plan = yaml_files.validate(Plan, document)
    faults = sorted(plan.faults(catalogue), key=lambda each: document.line_of(each[0]))
    if faults:
        raise document.wrong(*faults[0])
    return plan
