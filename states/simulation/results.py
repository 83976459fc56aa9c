"""What a simulation says: totals before and after, who changes class, the worst, the stages."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from states.catalogue.procedures import Procedure
from states.clock import Calendar
from states.words import Tally

TIMED = (Tally.early, Tally.on_time, Tally.late)
CLASSES = (*TIMED, Tally.no_term)
"""The classes of what has a result."""


class Reread(NamedTuple):
    """A closed dossier, as it was classed and as the draft would have classed it.

    `past`: working minutes from the draft's due moment to the finish.
    """

    code: str
    received: datetime
    finished: datetime
    before: Tally
    after: Tally
    due_before: datetime | None
    due_after: datetime | None
    past: int


@dataclass(frozen=True, slots=True)
class StageCount:
    """The visits of one stage, and how many of them were and would have been late.

    `late_after` None: the draft has no stage of that code.
    """

    code: str
    visits: int
    late_before: int
    late_after: int | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was closed in the period and not read again.

    `examples`: the first of the unread by code, each with the reason.
    """

    unclassed: int  # withdrawn, stopped or declined: there is no result to class
    imported: int  # they ran elsewhere, under rules that are not ours
    unread: int  # beyond the calendar's reach
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Disallowed:
    """Dossiers to which something happened that the draft would not have allowed.

    It counts all the same, as history does: these are the classes to doubt.
    """

    asked: int  # to supplement, more often
    extended: int  # more often, by more, or by a term of another kind
    overdue: int  # extended when the date of the draft had passed


Matrix = Mapping[tuple[Tally, Tally], int]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The dossiers of a procedure closed in [since, until), read again under a draft of it.

    `matrix` counts them by class before and after; `changed` are those whose class changes, in the
    order of their ids; `worst` those most late under the draft. `recalendared`: how many of those
    read were classed by another version of the calendar, or by another, so that not every change is
    the draft's own.
    """

    draft: Procedure
    calendar: Calendar
    since: datetime
    until: datetime
    matrix: Matrix
    changed: tuple[Reread, ...]
    worst: tuple[Reread, ...]
    stages: tuple[StageCount, ...]
    left_out: LeftOut
    disallowed: Disallowed
    recalendared: int

    @property
    def read(self) -> int:
        """How many dossiers were read again."""
        return sum(self.matrix.values())

    @property
    def before(self) -> dict[Tally, int]:
        """How many had each class: the verdicts as they were frozen."""
        return totals(self.matrix, BEFORE)

    @property
    def after(self) -> dict[Tally, int]:
        """How many the draft would have put into each."""
        return totals(self.matrix, AFTER)


# Figures of a matrix, be it of one simulation or of several ---------------------------------

BEFORE, AFTER = 0, 1


def together(made: Iterable[Simulation]) -> Matrix:
    """The matrices of several procedures added up."""
    sums: Counter[tuple[Tally, Tally]] = Counter()
    for each in made:
        sums.update(each.matrix)
    return sums


def totals(matrix: Matrix, side: int) -> dict[Tally, int]:
    """How many are in each class, before or after."""
    return {of: sum(n for way, n in matrix.items() if way[side] is of) for of in CLASSES}


def in_time(matrix: Matrix, side: int) -> float | None:
    """Early or on time, of those that have a term, in percent; None when none has."""
    count = totals(matrix, side)
    whole = sum(count[of] for of in TIMED)
    return 100 * (whole - count[Tally.late]) / whole if whole else None


def shifts(matrix: Matrix) -> tuple[int, int, int]:
    """How many change class, how many of them towards late, and how many towards early."""
    place = {of: n for n, of in enumerate(TIMED)}
    changed = {way: n for way, n in matrix.items() if way[BEFORE] is not way[AFTER]}
    timed = {way: n for way, n in changed.items() if set(way) <= place.keys()}
    later = sum(n for (was, now), n in timed.items() if place[was] < place[now])
    return sum(changed.values()), later, sum(timed.values()) - later
