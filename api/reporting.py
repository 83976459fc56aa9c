"""Every report over HTTP, by one way in: what there are, one of them in any form, and the dossiers
behind each of its numbers.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import IO, Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.background import BackgroundTask

from api import papers
from api.doors import At, Db, Page, Sees, Shelf, Still, Who, house, identified, needs
from api.listed import PLAIN, Moment
from api.logs import hidden
from api.papers import document
from api.papers.saved import FULL, said
from api.papers.shapes import (
    DossierBehind,
    DossiersBehind,
    FigureTold,
    InBoth,
    ReportMade,
    ReportsTold,
    ReportTold,
)
from api.problems import DOCUMENTED, Away
from states.accounts.scopes import Scope
from states.clock import Policy
from states.figures import asking, every, opening
from states.figures.asking import Question
from states.figures.reporting import Asked, Report
from states.seeing import Through

READS = [needs(Scope.reports_read)]
router = APIRouter(
    prefix="/v1/reports", tags=["reports"], route_class=Still, responses=DOCUMENTED,
    dependencies=READS,
)  # fmt: skip
PIECE = 1 << 16
WAIT = 3  # PDF at most for their turn: each holds a connection to the database
Word = Annotated[str, Field(max_length=200, pattern=PLAIN)]
Name = Annotated[str, Path(max_length=40, pattern=PLAIN, examples=["bieu06"])]


# What goes in -----------------------------------------------------------------------------


async def question(
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Now unless said.")] = None,
    period: Annotated[
        str | None,
        Query(max_length=7, description="Instead of both: 2023, 2023-H1, 2023-Q1 or 2023-01."),
    ] = None,
    each: Annotated[
        str | None, Query(max_length=10, description="Also by month, quarter, half or year.")
    ] = None,
    by: Annotated[
        str | None,
        Query(max_length=200, description="By what figures are told apart: agency,procedure."),
    ] = None,
    agency: Annotated[
        list[Word] | None, Query(max_length=200, description="Only these agencies.")
    ] = None,
    policy: Annotated[
        Policy | None, Query(description="Class anew by this policy instead of as frozen.")
    ] = None,
    option: Annotated[
        list[Word], Query(max_length=20, description="What only this report takes: name=value.")
    ] = [],  # noqa: B006  copied by the framework
) -> Question:
    dims = None if by is None else tuple(filter(None, by.split(",")))
    return Question(since, until, period, agency, dims, each, policy, opening.pairs(option))


Wanted = Annotated[Question, Depends(question)]


async def known(
    request: Request, name: Name, wanted: Wanted, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> tuple[Report, Asked]:
    """The report, and what it is asked: of the agencies that the caller sees whole.

    Raises `NotYours` and `OutOfScope` for what looks at people.
    """
    report = every.find(name)
    seen = asking.whole(who, sees)
    asked = await asking.asked(db, book, report, wanted, at, seen, who)
    audit = report.audit
    if audit is not None and audit.scope is not None and audit.concerns(asked.options):
        identified(request).may(audit.scope)
    through = Through(f"{request.method} /v1/reports/{report.name}", request.state.request_id)
    return report, replace(asked, through=through, hidden=hidden(request, who))


Known = Annotated[tuple[Report, Asked], Depends(known)]


# Routes -----------------------------------------------------------------------------------


@router.get("")
async def list_reports(who: Who) -> ReportsTold:
    """Every report there is: its title, the act that asks for it, and what it may be asked."""
    return ReportsTold(reports=[_report(each) for each in every.REPORTS.values()])


FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, as `format` wants it.",
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string"} | _binary}
            for form, media in papers.MEDIA.items()
            if form is not papers.Form.json
            for _binary in [{"format": "binary"} if form in papers.BINARY else {}]
        },
    }
}


@router.get("/{name}", responses=FILES, response_model=ReportMade)  # noqa: FAST003  in `Known`
async def read_report(
    request: Request,
    asked: Known,
    form: Annotated[
        papers.Form, Query(alias="format", description="A table is the same as JSON.")
    ] = papers.Form.json,
) -> ReportMade | Response:
    """A report of the agencies that the caller sees whole, as figures or as a file.

    Personal data are in none. A period that has not ended is told as provisional.
    """
    report, known = asked
    paper = await report.make(known)
    if form in {papers.Form.json, papers.Form.table}:
        whole = await papers.held(paper, papers.MOST)
        told = await asyncio.to_thread(document.told, whole, known.agencies)
        return ReportMade.model_validate(told)
    with TemporaryDirectory(prefix="hoso-report-") as folder:
        file = File(folder) / f"report.{form}"
        try:
            async with _in_turn(request, form):
                await papers.written(paper, form, file, known.agencies)
        except Exception as error:
            if (full := said(error)) is None or full.errno not in FULL:
                raise
            raise Away(
                "there is no room on the server's disk for this report: ask for less, or later"
            ) from error
        return _sent(file.open("rb"), file.stat().st_size, f"{report.name}.{form}", form)


@router.get("/{name}/dossiers")  # noqa: FAST003
async def list_report_dossiers(
    asked: Known,
    figure: Annotated[Word, Query(examples=["late"])],
    book: Shelf,
    sees: Sees,
    page: Page,
    where: Annotated[
        list[Annotated[str, Field(max_length=300, pattern=PLAIN)]],
        Query(max_length=10, description="The row of the figure: agency=H42.14, period=2023-Q1."),
    ] = [],  # noqa: B006
) -> DossiersBehind:
    """The dossiers behind a figure, each with the address of its clock.

    By the figure's own condition: so many as the figure says.
    """
    report, known = asked
    found = await opening.behind(
        known, report, figure, opening.pairs(where), sees, cursor=page.cursor, limit=page.limit
    )
    rows = [_behind(book, each) for each in found.rows]
    return DossiersBehind(items=rows, next=found.next)


@asynccontextmanager
async def _in_turn(request: Request, form: papers.Form) -> AsyncIterator[None]:
    """One PDF at a time: each takes some hundred megabytes. Raises `Away`."""
    if form is not papers.Form.pdf:
        yield
        return
    turn: anyio.CapacityLimiter = house(request).held.setdefault("pdf", anyio.CapacityLimiter(1))
    if turn.statistics().tasks_waiting >= WAIT:
        raise Away("too many reports are being drawn as PDF: ask again soon, or for xlsx")
    async with turn:
        yield


# Telling ----------------------------------------------------------------------------------


def _report(each: Report) -> ReportTold:
    figures = each.form.figures if each.form is not None else ()
    return ReportTold(
        name=each.name,
        title=_both(each.title),
        meaning=_both(each.meaning),
        source=_both(each.source),
        by=list(each.by),
        options={name: _both(told) for name, told in each.options.items()},
        figures=[
            FigureTold(
                key=figure.column.key,
                title=_both(figure.column.head),
                meaning=_both(figure.meaning),
                number=figure.column.number,
            )
            for figure in figures
        ],
    )


def _both(told: tuple[str, str]) -> InBoth:
    return InBoth(vi=told[0], en=told[1])


def _behind(book: Shelf, row: dict[str, Any]) -> DossierBehind:
    zone = book.calendar(row["calendar"]).zone
    moments = {
        name: row[f"{name}_at"] and row[f"{name}_at"].astimezone(zone)
        for name in ("received", "due", "finished")
    }
    return DossierBehind.model_validate(
        row | moments | {"clock": f"/v1/dossiers/{row['code']}/clock"}
    )


def _sent(file: IO[bytes], size: int, name: str, form: papers.Form) -> Response:
    """A file that is gone from the disk when it was sent, or nobody takes it."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
    }
    closed = BackgroundTask(file.close)  # whoever wants the head alone reads no piece
    return StreamingResponse(_pieces(file), 200, headers, papers.MEDIA[form], closed)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
