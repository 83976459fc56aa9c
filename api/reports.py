"""Frozen reports over HTTP: as they were, and why today's figures differ.

Figures are of whole agencies: of those that the caller sees whole.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from api.doors import Db, Looked, Sees, Shelf, Still, Who, needs
from api.listed import local
from api.logs import hidden
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.figures import Bieu06, Row, asking, comparing, freezing
from states.figures.bieu06 import known

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=Still, responses=DOCUMENTED)
READS = [needs(Scope.reports_read)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Line(BaseModel):
    """One line of the form; numbers in brackets are its columns."""

    agency: str
    name: str
    received: int = Field(description="(3) = 4 + 5 + 6")
    online: int = Field(description="(4)")
    direct: int = Field(description="(5) at the counter or by post")
    carried: int = Field(description="(6) carried over from before")
    resolved: int = Field(description="(7) = 8 + 9 + 10")
    early: int = Field(description="(8)")
    on_time: int = Field(description="(9)")
    late: int = Field(description="(10)")
    in_process: int = Field(description="(11) = 12 + 13")
    in_time: int = Field(description="(12)")
    overdue: int = Field(description="(13)")
    unclassed: int = Field(description="Beneath the form: finished without a class.")
    balances: bool = Field(description="3 = 7 + 11")
    of_resolved: float | None = Field(description="Early or on time, percent of (7).")
    of_received: float | None = Field(description="Early or on time, percent of (3).")


class FrozenReport(BaseModel):
    """A report as it was frozen, without its figures; `restates` is what it corrects."""

    id: int
    report: str
    period: str
    since: datetime | None
    until: datetime
    known_at: datetime = Field(description="What the ledger had recorded by then.")
    restates: int | None
    reason: str | None
    frozen_by: str
    frozen_at: datetime
    hash: str = Field(description="SHA-256 of all it says, of all agencies.")


class FrozenReports(BaseModel):
    """What was frozen, the newest first."""

    frozen: list[FrozenReport]


class Cell(BaseModel):
    """One number of the form, then and now."""

    agency: str
    column: str
    was: int
    now: int


class FrozenForm(FrozenReport):
    """A report as it was frozen."""

    rows: list[Line]
    total: Line
    corrects: list[Cell] = Field(
        description="Of a restatement: what it says otherwise than the report it restates."
    )


class Between(BaseModel):
    """A line that was recorded since."""

    seq: int
    event: str
    at: datetime
    recorded_at: datetime
    by: str = Field(description="By a pseudonym, but for a leader or the control unit.")
    reason: str | None = Field(description="None where `by` is a pseudonym.")


class Shift(BaseModel):
    """A dossier that is counted elsewhere now. `line`: the last recorded since while it was of an
    agency that the caller sees.
    """

    code: str
    was: list[str] = Field(description="The agency and the columns; empty: none.")
    now: list[str]
    line: int | None
    event: str | None
    between: list[Between] = Field(description="Every line recorded since, the oldest first.")


class Compared(BaseModel):
    """A frozen report beside today's figures."""

    id: int
    period: str
    cells: list[Cell]
    shifts: list[Shift]
    unread: int = Field(description="Dossiers whose lines cannot be read any more.")


@router.get("/frozen", dependencies=READS)
async def list_frozen_reports(book: Shelf, who: Who, sees: Sees, db: Db) -> FrozenReports:
    """All that was frozen or restated, without the figures."""
    asking.whole(who, sees)
    rows = await freezing.every(db)
    return FrozenReports(frozen=[FrozenReport.model_validate(_kept(book, row)) for row in rows])


@router.get("/frozen/{number}", dependencies=READS)
async def read_frozen_report(
    number: Number, book: Shelf, who: Who, sees: Sees, db: Db
) -> FrozenForm:
    """A report as it was frozen, of the agencies that the caller sees."""
    seen = asking.whole(who, sees)
    row = await freezing.find(db, number)
    lines = [Row(**each) for each in freezing.form_of(row)]
    lines = [each for each in lines if seen is None or each.agency in seen]
    made = Bieu06(row.since, row.until, None, tuple(lines))
    return FrozenForm(
        **_kept(book, row._mapping),  # noqa: SLF001  its public name
        rows=[_line(each, _name(book, each.agency)) for each in made.rows],
        total=_line(made.total, "Tổng / Total"),
        corrects=_cells(await comparing.corrected(db, row), seen),
    )


@router.get("/frozen/{number}/compare", dependencies=READS)
async def compare_frozen_report(
    request: Request, number: Number, book: Shelf, who: Who, sees: Sees, db: Db, looked: Looked
) -> Compared:
    """What differs today, cell by cell, and the dossiers that made it so.

    Who recorded what, and why, is told to a leader or the control unit, whose key, if it is one,
    may read dossiers; that they looked is kept.
    """
    seen = asking.whole(who, sees)
    row = await freezing.find(db, number)
    found = await comparing.compare(db, book, row, None if seen is None else sorted(seen))
    if (names := hidden(request, who)) is None:
        await looked(each.id for each in found.shifts)
    shifts = [known.hidden(each, names) for each in found.shifts]
    return Compared(
        id=number,
        period=row.period,
        cells=_cells(found.cells, None),
        shifts=[Shift.model_validate(each, from_attributes=True) for each in shifts],
        unread=found.unread,
    )


def _cells(cells: Iterable[comparing.Cell], seen: frozenset[str] | None) -> list[Cell]:
    """Those of the agencies that the caller sees; None: all."""
    return [Cell(**c._asdict()) for c in cells if seen is None or c.agency in seen]


def _name(book: Shelf, code: str) -> str:
    """Of an agency; one that was imported has none."""
    return book.agencies[code].name.vi if code in book.agencies else code


def _line(row: Row, name: str) -> Line:
    reckoned = ("received", "resolved", "in_process", "balances", "of_resolved", "of_received")
    return Line(**asdict(row), name=name, **{each: getattr(row, each) for each in reckoned})


def _kept(book: Shelf, row: Any) -> dict[str, Any]:
    return local(row, book.zone) | {"hash": row["hash"].hex()}
