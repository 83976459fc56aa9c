"""Frozen reports: listed, read as they were, held against today; frozen, and restated."""

from types import SimpleNamespace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import choosing
from api.desk.reports.showing import Showing, lead
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from api.desk.voice import Voice
from api.logs import hidden
from states.errors import HosoError, Unknown
from states.figures import comparing, every, freezing, kept
from states.figures.bieu06 import known
from states.figures.bieu06.form import FORM
from states.figures.reporting import Asked
from states.ledger.acts import LONG

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf
)  # fmt: skip
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Freezing(BaseModel):
    """Which report of which period is kept; a reason where it is kept anew."""

    report: str = Field(max_length=40)
    period: str = Field(max_length=10)
    reason: str = Field(default="", max_length=LONG)


@router.get("/reports/frozen")
async def frozen(request: Request, desk: Desk) -> Response:
    """All that was frozen or restated, the newest first."""
    return await _list(request, desk)


async def _list(request: Request, desk: Seat, **more: Any) -> HTMLResponse:
    seen = choosing.seen(desk)
    rows = [row for row in await freezing.every(desk.db) if seen is None or _of_all(row["report"])]
    among = await choosing.choices(desk)
    may = freezing.may_freeze(desk.book, desk.person, desk.at, seen)
    return page(
        request, "desk/reports_frozen.html", rows=rows, reports=every.REPORTS, among=among,
        parts=choosing.PARTS[1:], may=may, **more,
    )  # fmt: skip


def _of_all(report: str) -> bool:
    """Whether a frozen report can be read agency by agency."""
    return report == freezing.FORM


@router.post("/reports/frozen")
async def freeze(request: Request, desk: Desk) -> Response:
    """Keep what a report says of a period that is over; with a reason, beside what it said."""
    form = typed.of(request)
    try:
        said = _read(form)
        freezing.check_freezing(desk.book, desk.person, desk.at, choosing.seen(desk))
        async with desk.db.begin_nested():
            whom = (said.report, said.period, desk.person, desk.at)
            if said.reason:
                row = await freezing.restate(desk.db, desk.book, *whom, said.reason)
            else:
                row = await freezing.freeze(desk.db, desk.book, *whom)
    except HosoError as error:
        return await _list(request, desk, refusal=error, form=form)
    return RedirectResponse(f"/reports/frozen/{row.id}", 303)


def _read(form: Typed) -> Freezing:
    """A period by its name, or by a year and a part of it. Raises `Mistyped`."""
    if not form.get("period") and (year := form.get("year")):
        form.values["period"] = [f"{year}-{form.get('part')}" if form.get("part") else year]
    return typed.read(Freezing, form)


@router.get("/reports/frozen/{number}")
async def one(request: Request, desk: Desk, number: Number) -> Response:
    """A report as it was frozen, of the agencies that are seen; of a restatement, both figures."""
    row, seen = await _find(desk, number)
    paper = kept.paper(Asked(desk.db, desk.book, kept.of(row), row.frozen_at), _only(row, seen))
    voice = Voice(desk.lang, desk.book.zone)
    corrects = [
        cell
        for cell in await comparing.corrected(desk.db, row)
        if seen is None or cell.agency in seen
    ]
    may = freezing.may_freeze(desk.book, desk.person, desk.at, seen)
    return page(
        request, "desk/reports_frozen_one.html", row=row, of=every.find(row.report), paper=paper,
        tables=Showing(desk.book, voice, (), opens=False).tables(paper), about=lead(paper, voice),
        corrects=corrects, heads=FORM.find, book=desk.book, compared=None, may=may,
        comparable=_of_all(row.report),
    )  # fmt: skip


@router.get("/reports/frozen/{number}/compare")
async def compare(request: Request, desk: Desk, number: Number) -> Response:
    """What differs today, cell by cell, and the dossiers that made it so.

    Who recorded what and why is told to a leader or the control unit; that they looked is kept.
    """
    row, seen = await _find(desk, number)
    found = await comparing.compare(desk.db, desk.book, row, seen)
    if (names := hidden(request, desk.who)) is None:
        await desk.looked(each.id for each in found.shifts)
    shifts = [known.hidden(each, names) for each in found.shifts]
    return page(
        request, "desk/reports_frozen_compare.html", row=row, of=every.find(row.report),
        cells=found.cells, shifts=shifts, unread=found.unread, heads=FORM.find, book=desk.book,
    )  # fmt: skip


async def _find(desk: Seat, number: int) -> tuple[Any, list[str] | None]:
    """Raises `Unknown` also for what is not to be seen agency by agency."""
    seen = choosing.seen(desk)
    row = await freezing.find(desk.db, number)
    if seen is not None and not _of_all(row.report):
        raise Unknown("there is no frozen report {number}", number=number)
    return row, seen


def _only(row: Any, seen: list[str] | None) -> Any:
    """What is kept, of some agencies alone."""
    if seen is None:
        return row
    lines = [each for each in row.data["rows"] if each["agency"] in seen]
    return SimpleNamespace(**{**row._mapping, "data": {"rows": lines}})  # noqa: SLF001
