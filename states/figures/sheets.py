"""What a report is made of: sheets of typed cells, in two languages, without a form yet. Pure.

Whoever writes a report says what its cells are; how they look on a screen, in a workbook or on
paper is the doors' business (`api/papers/`), once for all reports.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, NamedTuple, Self


class Both(NamedTuple):
    """What people read, in both languages."""

    vi: str
    en: str


class Called(str):
    """The name of what has a code, too: people read the one, programs and addresses the other.

    `code` None: the row is of what has no value there.
    """

    __slots__ = ("code",)
    code: str | None

    def __new__(cls, name: str, code: str | None) -> Self:
        """A name with its code."""
        made = super().__new__(cls, name)
        made.code = code
        return made


class Kind(StrEnum):
    """What a cell holds. None is an empty cell in all of them."""

    text = auto()
    code = auto()  # of an agency, a procedure, a dossier: never a number, never a formula
    integer = auto()
    decimal = auto()  # float, told to one place
    percent = auto()  # float, of 100, told to two decimals
    minutes = auto()  # int, working minutes
    money = auto()  # int, VND
    day = auto()  # date
    moment = auto()  # datetime with its offset
    yes = auto()  # bool
    called = auto()  # `Called`: a name with its code


class Column(NamedTuple):
    """One column. `number`: as an official form counts it, "(3)". `key`: for programs. `group`:
    the heading it shares with those beside it, and `within`: how it is headed beneath that.
    """

    key: str
    head: Both
    kind: Kind = Kind.integer
    number: str = ""
    group: Both | None = None
    within: Both | None = None


class Shape(StrEnum):
    """How a sheet is drawn."""

    bars = auto()  # a bar per row and series
    stacked = auto()  # one bar per row, made of its series
    line = auto()  # rows along the axis of time
    waterfall = auto()  # each row goes on where the one before ended; one series


class Chart(NamedTuple):
    """A drawing of a sheet: which column names the rows, and which are drawn."""

    shape: Shape
    names: str
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `rows` and `total` have a cell for each column, in their order.

    `dims`: how many columns, from the left, say what a row is of; a number to their right is opened
    to its dossiers by them. `notes`: definitions, denominators, doubts. `parts`: by the value of
    the first column, what its rows make together. `more`: the rows that follow, some at a time,
    while the transaction lasts: of a list too long to be held.
    """

    key: str
    title: Both
    columns: tuple[Column, ...]
    rows: tuple[Sequence[Any], ...]
    total: Sequence[Any] | None = None
    notes: tuple[Both, ...] = ()
    chart: Chart | None = None
    dims: int = 0
    parts: Mapping[Any, Sequence[Any]] = field(default_factory=dict)
    more: AsyncIterator[Sequence[Sequence[Any]]] | None = None

    def lines(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Sequence[Any], bool]]:
        """Its rows, behind those of a part what they make together, and whether it is that."""
        for n, row in enumerate(rows):
            yield row, False
            ends = n + 1 == len(rows) or rows[n + 1][0] != row[0]
            if ends and self.parts and row[0] in self.parts:
                yield self.parts[row[0]], True

    def column(self, key: str) -> int:
        """Where a column stands. Raises `KeyError`."""
        for n, each in enumerate(self.columns):
            if each.key == key:
                return n
        raise KeyError(key)


@dataclass(frozen=True, slots=True)
class Paper:
    """A report as it was made.

    `source`: the act that asks for it. `since` None: from the beginning. `provisional`: the period
    has not ended, or not long enough for late entries. `faults`: what does not balance, or was told
    otherwise than counted; shown on the report itself, above its figures. `whose`: the agency it is
    of, where it is of one.
    """

    report: str
    title: Both
    source: Both
    since: datetime | None
    until: datetime
    made_at: datetime
    sheets: tuple[Sheet, ...]
    policy: str | None = None
    known_at: datetime | None = None
    provisional: bool = False
    faults: tuple[Both, ...] = ()
    whose: str | None = None


FORMULA = frozenset("=+-@\t\r\n")


def plain(cell: str) -> str:
    """A text that a spreadsheet would take for a formula stays text."""
    return f"'{cell}" if cell[:1] in FORMULA else cell
