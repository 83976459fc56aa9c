"""Reports as they are kept when they are frozen, and papers made of them again."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from states.errors import BadInput
from states.figures import every
from states.figures.bieu06.form import FORM
from states.figures.bieu06.report import REPORT as BIEU06
from states.figures.periods import Period
from states.figures.reporting import Asked, laid_out
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet

OWN: dict[str, Callable[..., Any]] = {
    "called": Called,
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
}
"""Cells that JSON does not know are told with what they are."""


async def figures(asked: Asked, name: str) -> dict[str, Any]:
    """What a report says, as JSON keeps it. Raises `BadInput` for a list, which is not kept."""
    paper = await every.find(name).make(asked)
    if any(sheet.more is not None for sheet in paper.sheets):
        raise BadInput(
            "{report} is a list of dossiers, not figures: it is not frozen; write it to a file",
            report=name,
        )
    told = {"sheets": [_sheet(each) for each in paper.sheets], "faults": paper.faults}
    kept: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return kept


def _sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "key": sheet.key, "title": sheet.title, "columns": sheet.columns,
        "rows": [_cells(row) for row in sheet.rows],
        "total": None if sheet.total is None else _cells(sheet.total),
        "notes": sheet.notes, "dims": sheet.dims,
    }  # fmt: skip


def _cells(row: Sequence[Any]) -> list[Any]:
    return [_cell(cell) for cell in row]


def _cell(cell: Any) -> Any:
    if isinstance(cell, Called):
        return ["called", str(cell), cell.code]
    if isinstance(cell, datetime):
        return ["moment", cell.isoformat()]
    return ["day", cell.isoformat()] if isinstance(cell, date) else cell


def paper(asked: Asked, kept: Any) -> Paper:
    """A frozen report, as `freezing.find` gives it, as the report that it was.

    `asked` names what is called by its code alone; nothing is read of the database.
    """
    report, data = every.find(kept.report), kept.data
    if "sheets" in data:
        sheets = tuple(_read(each) for each in data["sheets"])
    else:
        rows = [FORM.reckoned({"period": kept.period, **row}) for row in data["rows"]]
        sheets = (laid_out(asked, FORM, "bieu06", BIEU06.title, ("agency",), rows),)
    faults = tuple(Both(*each) for each in data.get("faults", ()))
    return Paper(
        report.name, report.title, report.source, kept.since, kept.until, kept.frozen_at, sheets,
        faults=faults,
    )  # fmt: skip


def _read(told: dict[str, Any]) -> Sheet:
    total = told["total"]
    return Sheet(
        told["key"], Both(*told["title"]), tuple(_column(each) for each in told["columns"]),
        tuple(_back(row) for row in told["rows"]), None if total is None else _back(total),
        tuple(Both(*each) for each in told["notes"]), dims=told["dims"],
    )  # fmt: skip


def _column(told: Sequence[Any]) -> Column:
    key, head, kind, number, *groups = told
    return Column(key, Both(*head), Kind(kind), number, *(each and Both(*each) for each in groups))


def _back(row: Sequence[Any]) -> list[Any]:
    return [OWN[cell[0]](*cell[1:]) if isinstance(cell, list) else cell for cell in row]


def of(kept: Any) -> Period:
    """The period it is of."""
    return Period(kept.period, kept.since, kept.until)
