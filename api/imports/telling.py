"""Imports and what became of each dossier, while they are taken in and afterwards."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.doors import Db, Door, Page, Sees, Shelf, Who, house, needs
from api.imports.shapes import (
    PREFIX,
    Import,
    ImportPage,
    ImportRow,
    ImportRows,
    Number,
    told,
)
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.db import transaction
from states.figures.sheets import plain
from states.intake import asking
from states.intake.asking import allowed
from states.intake.rows import ImportState, RowResult

router = APIRouter(prefix=PREFIX, tags=["imports"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.imports_read)]
COLUMNS = ("n", "row", "code", "result", "why", "activities", "notes")
AT_ONCE = 1_000  # rows of a CSV read together
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # Excel wants the mark
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("", dependencies=READS)
async def list_imports(
    book: Shelf, who: Who, sees: Sees, db: Db, part: Page, state: ImportState | None = None
) -> ImportPage:
    """Imports of the caller's agencies, the last asked for first: a leader or the control unit."""
    found = await asking.part(db, allowed(who, sees), part.cursor, part.limit, state)
    items = [Import.model_validate(told(row, book.zone)) for row in found.rows]
    return ImportPage(items=items, next=found.next)


@router.get("/{id}", dependencies=READS)
async def read_import(
    id: Number,  # noqa: A002  it is what the list calls it
    book: Shelf,
    who: Who,
    sees: Sees,
    db: Db,
) -> Import:
    """How far an import is, and what it has brought."""
    found = await asking.one(db, allowed(who, sees), id)
    return Import.model_validate(told(found, book.zone))


@router.get("/{id}/rows", dependencies=READS, responses=CSV, response_model=ImportRows)
async def read_import_rows(
    id: Number,  # noqa: A002  it is what the list calls it
    request: Request,
    who: Who,
    sees: Sees,
    db: Db,
    part: Page,
    result: RowResult | None = None,
    form: Annotated[
        Literal["json", "csv"], Query(alias="format", description="`csv` is all of it at once.")
    ] = "json",
) -> ImportRows | Response:
    """What became of each dossier of the file, in its order; more follow while it is taken in."""
    await asking.one(db, allowed(who, sees), id)
    if form == "csv":
        headers = {"Content-Disposition": f'attachment; filename="import-{id}.csv"'}
        lines = _csv(request, id, result)
        return StreamingResponse(lines, 200, headers, "text/csv; charset=utf-8")
    found = await asking.rows(db, id, part.cursor, part.limit, result)
    items = [ImportRow.model_validate(row) for row in found.rows]
    return ImportRows(items=items, next=found.next)


async def _csv(request: Request, number: int, result: RowResult | None) -> AsyncIterator[str]:
    """All rows, a thousand at a time: none of the transactions waits for a slow reader."""
    yield BOM + _lines([COLUMNS])
    cursor, more = None, True
    while more:
        async with transaction(house(request).engine) as db:
            found = await asking.rows(db, number, cursor, AT_ONCE, result)
        yield _lines([_cells(row) for row in found.rows])
        cursor, more = found.next, found.next is not None


def _cells(row: dict[str, Any]) -> list[Any]:
    notes = "; ".join(f"{each['what']}: {each['detail']}" for each in row["notes"])
    said = row | {"notes": notes}
    cells = (said[name] for name in COLUMNS)
    return [plain(each) if isinstance(each, str) else each for each in cells]


def _lines(rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
