"""Figures over HTTP: Biểu 06 as it stands, reports as they were frozen, and why the two differ.

Figures are of whole agencies: of those that the caller sees whole.
"""

import csv
import io
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from api.doors import At, Db, Door, Sees, Shelf, Who, needs
from api.listed import PLAIN, Moment, local
from api.problems import DOCUMENTED
from states import figures
from states.accounts.scopes import Scope
from states.clock import Policy
from states.errors import BadInput
from states.figures import Bieu06, Row, comparing, freezing
from states.people import Caller, NotHeld
from states.sight import Sight

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.reports_read)]
COLUMNS = (
    *("received", "online", "direct", "carried", "resolved", "early", "on_time", "late"),
    *("in_process", "in_time", "overdue", "unclassed"),
)
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # Excel wants the mark
Codes = Annotated[
    list[Annotated[str, Field(max_length=200, pattern=PLAIN)]] | None,
    Query(max_length=200, description="Only these agencies."),
]
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


class Form(BaseModel):
    """Biểu 06/VPCP/KSTT of [since, until)."""

    report: Literal["bieu06"] = "bieu06"
    since: datetime | None
    until: datetime
    policy: Policy | None = Field(description="None: each class as it was frozen.")
    rows: list[Line]
    total: Line = Field(description="Of the agencies that are told.")


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


class FrozenForm(FrozenReport):
    """A report as it was frozen."""

    rows: list[Line]
    total: Line


class Cell(BaseModel):
    """One number of the form, then and now."""

    agency: str
    column: str
    was: int
    now: int


class Shift(BaseModel):
    """A dossier that is counted elsewhere now. `line`: the last recorded since."""

    code: str
    was: list[str] = Field(description="The agency and the columns; empty: none.")
    now: list[str]
    line: int
    event: str


class Compared(BaseModel):
    """A frozen report beside today's figures."""

    id: int
    period: str
    cells: list[Cell]
    shifts: list[Shift]
    unread: int = Field(description="Dossiers of any agency whose lines cannot be read any more.")


CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("/bieu06", dependencies=READS, responses=CSV, response_model=Form)
async def read_bieu06(
    book: Shelf,
    who: Who,
    sees: Sees,
    at: At,
    db: Db,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Now unless said.")] = None,
    agency: Codes = None,
    policy: Annotated[
        Policy | None, Query(description="Class anew by this policy instead of as frozen.")
    ] = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Form | Response:
    """Biểu 06: received, resolved early, on time and late, and in process, by agency."""
    whose = await _agencies(db, book, who, sees, agency)
    made = await figures.bieu06(db, book, since, until or at, whose, policy)
    told = _form(book, made)
    return _csv(told) if form == "csv" else told


@router.get("/frozen", dependencies=READS)
async def list_frozen_reports(book: Shelf, who: Who, sees: Sees, db: Db) -> FrozenReports:
    """All that was frozen or restated, without the figures."""
    _whole(who, sees)
    rows = await freezing.every(db)
    return FrozenReports(frozen=[FrozenReport.model_validate(_kept(book, row)) for row in rows])


@router.get("/frozen/{number}", dependencies=READS)
async def read_frozen_report(
    number: Number, book: Shelf, who: Who, sees: Sees, db: Db
) -> FrozenForm:
    """A report as it was frozen, of the agencies that the caller sees."""
    seen = _whole(who, sees)
    row = await freezing.find(db, number)
    lines = [Row(**each) for each in row.data["rows"]]
    lines = [each for each in lines if seen is None or each.agency in seen]
    made = _form(book, Bieu06(row.since, row.until, None, tuple(lines)))
    return FrozenForm(**_kept(book, row._mapping), rows=made.rows, total=made.total)  # noqa: SLF001


@router.get("/frozen/{number}/compare", dependencies=READS)
async def compare_frozen_report(
    number: Number, book: Shelf, who: Who, sees: Sees, db: Db
) -> Compared:
    """What differs today, cell by cell, and the dossiers that made it so."""
    seen = _whole(who, sees)
    row = await freezing.find(db, number)
    found = await comparing.compare(db, book, row)
    shifts = [each for each in found.shifts if seen is None or (each.was or each.now)[0] in seen]
    return Compared(
        id=number,
        period=row.period,
        cells=[Cell(**c._asdict()) for c in found.cells if seen is None or c.agency in seen],
        shifts=[Shift.model_validate(each, from_attributes=True) for each in shifts],
        unread=found.unread,
    )


def _whole(who: Caller, sees: Sight) -> frozenset[str] | None:
    """The agencies somebody sees with all their dossiers; None: every one. Raises `NotHeld`."""
    if not (sees.all or sees.agencies):
        raise NotHeld(
            f"figures are of whole agencies, and {who.person.id} sees none whole as {who.role}:"
            " ask a leader or the control unit"
        )
    return None if sees.all else sees.agencies


async def _agencies(
    db: Db, book: Shelf, who: Caller, sees: Sight, asked: list[str] | None
) -> list[str] | None:
    """Those a report is of; None: all. Raises `BadInput` for one that is not there to be seen."""
    seen = _whole(who, sees)
    if asked is None:
        return None if seen is None else sorted(seen)
    known = await figures.agencies_known(db, book) if seen is None else seen
    if strange := sorted(set(asked) - known):
        there = ", ".join(sorted(known))
        raise BadInput(f"there is no agency {', '.join(strange)}: you may ask for {there}")
    return sorted(set(asked))


def _form(book: Shelf, made: Bieu06) -> Form:
    return Form(
        since=made.since and made.since.astimezone(book.zone),
        until=made.until.astimezone(book.zone),
        policy=made.policy,
        rows=[_line(row, _name(book, row.agency)) for row in made.rows],
        total=_line(made.total, "Tổng / Total"),
    )


def _name(book: Shelf, code: str) -> str:
    """Of an agency; one that was imported has none."""
    return book.agencies[code].name.vi if code in book.agencies else code


def _line(row: Row, name: str) -> Line:
    reckoned = ("received", "resolved", "in_process", "balances", "of_resolved", "of_received")
    return Line(**asdict(row), name=name, **{each: getattr(row, each) for each in reckoned})


def _kept(book: Shelf, row: Any) -> dict[str, Any]:
    return local(row, book.zone) | {"hash": row["hash"].hex()}


def _csv(form: Form) -> Response:
    text = io.StringIO()
    to = csv.writer(text)
    to.writerow(["agency", "name", *COLUMNS])
    for line in (*form.rows, form.total):
        numbers = (getattr(line, each) for each in COLUMNS)
        to.writerow([_plain(line.agency), _plain(line.name), *numbers])
    headers = {"Content-Disposition": 'attachment; filename="bieu06.csv"'}
    return Response(BOM + text.getvalue(), 200, headers, "text/csv; charset=utf-8")


def _plain(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula stays text."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell
