"""What the clock is asked, and the words it answers with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import NamedTuple

from states.clock.term import Term


class Policy(StrEnum):
    """How a finish is compared with its due moment. The law fixes no granularity (Circular 01/2018/
    TT-VPCP Art. 13 says shorter, equal or longer), so the policy is named wherever a figure is.
    """

    day = auto()  # by local date
    session = auto()  # by the half-day that holds the due moment
    instant = auto()  # to the minute


class Verdict(StrEnum):
    """Where a dossier stands against its due moment. Computed, never a state."""

    early = auto()
    on_time = auto()
    late = auto()
    open = auto()  # not finished, and would not be late if it finished now
    overdue = auto()  # not finished, and would be late
    held = auto()  # waiting for the citizen: no due date, only time remaining
    no_term = auto()  # the procedure sets no term


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened to one clock, in aware moments.

    `holds` are [from, to), `to` None while open; `restart` is the last moment the term began again;
    `extend` the terms added, in order; `promised` a due moment taken over from elsewhere, which
    then stands for the term's own arithmetic.
    """

    received: datetime
    holds: tuple[tuple[datetime, datetime | None], ...] = ()
    restart: datetime | None = None
    extend: tuple[Term, ...] = ()
    finished: datetime | None = None
    promised: datetime | None = None


class Line(NamedTuple):
    """One step of the reckoning. Lines that `counts` sum to `used`; all lines sum to the working
    minutes between receipt and the end. `states.clock.words` says them in two languages.
    """

    rule: str
    start: datetime
    end: datetime
    minutes: int = 0
    counts: bool = False
    note: str = ""
