"""A frozen report beside today's figures, cell by cell, with the dossiers that made them differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from states.figures import freezing
from states.figures.bieu06 import Row, bieu06
from states.figures.knowing import Moved, Shift, shifts
from states.ledger.pins import Book

Line = Mapping[str, Any]


class Cell(NamedTuple):
    """One number of the form, then and now."""

    agency: str
    column: str
    was: int
    now: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and why. `unread`: dossiers whose lines of then cannot be read any more."""

    cells: tuple[Cell, ...]
    shifts: tuple[Shift, ...]
    unread: int


async def compare(
    db: AsyncConnection, book: Book, kept: Any, agencies: Sequence[str] | None = None
) -> Comparison:
    """A frozen report, as `freezing.latest` or `find` give it, beside what it would say now.

    `agencies`: of these alone; None: of all.
    """
    rows = [row for row in freezing.form_of(kept) if agencies is None or row["agency"] in agencies]
    made = await bieu06(db, book, kept.since, kept.until, agencies)
    cells = tuple(differences(rows, map(asdict, made.rows)))
    moved, span = Moved(), (kept.since, kept.until, kept.known_at)
    told = [each async for each in shifts(db, book, *span, moved, agencies)]
    return Comparison(cells, tuple(told), moved.unread)


async def corrected(db: AsyncConnection, kept: Any) -> tuple[Cell, ...]:
    """What a restatement of Biểu 06 says otherwise than what it restates; nothing, of a first."""
    if kept.restates is None or kept.report != freezing.FORM:
        return ()
    before = await freezing.find(db, kept.restates)
    return tuple(differences(before.data["rows"], kept.data["rows"]))


def differences(was: Iterable[Line], now: Iterable[Line]) -> Iterable[Cell]:
    """The cells in which the rows of two forms differ, by agency in order of code."""
    then, today = ({row["agency"]: row for row in rows} for rows in (was, now))
    for agency in sorted({*then, *today}):
        pair = [of.get(agency) or asdict(Row(agency)) for of in (then, today)]
        for column in pair[0]:
            if pair[0][column] != pair[1][column]:
                yield Cell(agency, column, pair[0][column], pair[1][column])
