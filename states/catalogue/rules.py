"""What is watched: when somebody is warned, what is a breach, who is told. Data of the office.

The duties are those of Decree 61/2018/NĐ-CP and Decree 45/2020/NĐ-CP; a rule says when they are
spoken of, never whether they exist.
"""

import re
from collections.abc import Iterator
from enum import StrEnum, auto
from functools import cached_property
from typing import Annotated, Any, NamedTuple

from pydantic import PlainSerializer, PlainValidator

from states.catalogue.organisation import Fault, Name, Row, Word
from states.catalogue.procedures import Ground
from states.clock import Kind, Term
from states.errors import BadInput
from states.sentences import Sentence

WHEN = re.compile(
    r"(?P<share>[1-9][0-9]?|100)%|(?P<late>late)|(?P<term>\S+) (?P<side>before|after)"
)


NOTHING_BEFORE = (
    "must be late for a supplement notice: before one is asked for nobody knows that it will be,"
    " and the asking itself shows if it came too late"
)


class On(StrEnum):
    """Which time is watched."""

    term = auto()  # the dossier's own
    stage = auto()  # that of each visit to a stage
    transfer = auto()  # the same day, or the next morning after the cut-off (61/2018 Art. 18)
    supplement_notice = auto()  # asked within the procedure's `notice` (Art. 19(4))
    apology = auto()  # the procedure's `before` (61/2018 Art. 19(9)): extended before it runs out
    online_answer = auto()  # 8 working hours from an online lodging (45/2020)


class What(StrEnum):
    """What it is when it comes."""

    alert = auto()  # it comes near
    breach = auto()  # it was missed: on the record, to be explained
    escalation = auto()  # it is missed for long: told further up
    reminder = auto()  # an explanation that was asked for is owed: told of by no rule of an office


class Whom(StrEnum):
    """Who is told."""

    holder = auto()  # the person who has it; while they are away, who stands in
    unit = auto()  # where it lies
    leader = auto()  # the leaders of that unit
    agency = auto()  # the leaders of its agency
    control = auto()  # the control unit


class When(NamedTuple):
    """A moment on the way to a due moment and past it. One of the three is there."""

    share: int | None = None  # percent of the working time from the start to the due moment
    term: Term | None = None  # so long before (negative `side`) or after it
    side: int = 0  # -1 before, 1 after, 0 with neither: the first minute of lateness
    text: str = "late"

    def __str__(self) -> str:
        return self.text


def when(value: object) -> When:
    """`75%`, `1wd before`, `late`, `2wd after`. Raises `ValueError`."""
    if isinstance(value, When):
        return value
    found = WHEN.fullmatch(str(value))
    if found is None:
        raise ValueError("must be as 75%, 1wd before, late or 2wd after")
    if found["share"]:
        return When(share=int(found["share"]), text=str(value))
    if found["late"]:
        return When()
    try:
        term = Term.parse(found["term"])
    except BadInput as wrong:
        raise ValueError(wrong.sentence) from wrong
    if term.kind not in {Kind.days, Kind.minutes, Kind.calendar}:
        raise ValueError(
            Sentence("must be a length such as 1wd, 4wh or 2cd, not {term}", term=term)
        )
    return When(term=term, side=-1 if found["side"] == "before" else 1, text=str(value))


Moment = Annotated[
    When,
    PlainValidator(when, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]


class Rule(Row):
    """One rule: of which time, when, as what, and who is told."""

    code: Word
    name: Name
    on: On
    when: Moment
    what: What
    tell: tuple[Whom, ...]
    ground: Ground | None = None


class Rules(Row):
    """`rules.yaml`."""

    rules: tuple[Rule, ...]

    @cached_property
    def _by_time(self) -> dict[On, tuple[Rule, ...]]:
        return {on: tuple(each for each in self.rules if each.on is on) for on in On}

    def of(self, on: On) -> tuple[Rule, ...]:
        """Those that watch that time."""
        return self._by_time[on]

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        seen: set[str] = set()
        for at, each in enumerate(self.rules):
            place: Any = ("rules", at)
            if each.code in seen:
                yield (*place, "code"), Sentence("{code} is there twice", code=each.code)
            seen.add(each.code)
            early = each.when.share is not None or each.when.side < 0
            if each.what is What.reminder:
                yield (
                    (*place, "what"),
                    "must be alert, breach or escalation: reminders need no rule",
                )
            elif early != (each.what is What.alert):
                yield (*place, "what"), "must be alert for what comes before it is late, else not"
            if each.on is On.supplement_notice and each.when != When():
                yield (*place, "when"), NOTHING_BEFORE
            if not each.tell:
                yield (*place, "tell"), "must name at least one who is told"
