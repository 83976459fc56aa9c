"""A paper on A4, by Typst: its fonts come with it, nothing is fetched, and what a paper says is
given to it as data, so that no name is taken for markup.
"""

import json
from importlib import resources
from typing import Any

import typst

from api.papers.words import (
    PROVISIONAL,
    RIGHT,
    SIGNED,
    about,
    beneath,
    counting,
    official,
    shown,
    span,
)
from states.errors import BadInput
from states.figures.periods import ZONE
from states.figures.sheets import Both, Kind, Paper, Sheet

MOST = 5_000  # lines: some two hundred pages
SIZES = ((8, 10.0), (11, 9.0), (15, 8.0), (20, 7.0))  # of the letters, by the number of columns
SMALLEST = 6.0
WIDE = {Kind.text: 3, Kind.called: 3}


def rendered(paper: Paper) -> bytes:
    """Raises `BadInput` for what nobody would print."""
    lines = sum(len(sheet.rows) for sheet in paper.sheets)
    if lines > MOST:
        raise BadInput(
            "{lines} lines are too many to print, more than {most} are: ask for xlsx or csv",
            lines=lines,
            most=MOST,
        )
    template = resources.files("api.papers") / "paper.typ"
    told = json.dumps(_told(paper), ensure_ascii=False)
    made: bytes = typst.compile(
        template.read_bytes(), format="pdf", sys_inputs={"paper": told}, ignore_system_fonts=True
    )
    return made


def _told(paper: Paper) -> dict[str, Any]:
    warnings = [*paper.faults, *([PROVISIONAL] if paper.provisional else [])]
    return {
        "title": _both(paper.title),
        "source": paper.source,
        "span": span(paper),
        "about": about(paper),
        "made": f"{paper.made_at.astimezone(ZONE):%d/%m/%Y %H:%M}",
        "warnings": [_both(each) for each in warnings],
        "sheets": [_sheet(each) for each in paper.sheets],
        "beneath": list(beneath(paper)),
        "signed": any(official(each) for each in paper.sheets),
        "signatures": [_both(each) for each in SIGNED],
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    columns, counted = sheet.columns, official(sheet)
    size = next((size for most, size in SIZES if len(columns) <= most), SMALLEST)
    return {
        "title": _both(sheet.title),
        "size": size,
        "heads": 1 + counted,
        "columns": [_both(each.head) for each in columns],
        "numbers": [counting(sheet.dims, n, each) for n, each in enumerate(columns)],
        "widths": [WIDE.get(each.kind, 0 if each.kind in {Kind.code, Kind.moment} else 1)
                   for each in columns],
        "right": [each.kind in RIGHT for each in columns],
        "rows": [_cells(sheet, row) for row in sheet.rows],
        "total": None if sheet.total is None else _cells(sheet, sheet.total),
        "notes": [_both(each) for each in sheet.notes],
    }  # fmt: skip


def _cells(sheet: Sheet, row: Any) -> list[str]:
    return [shown(each.kind, cell) for each, cell in zip(sheet.columns, row, strict=True)]


def _both(said: Both) -> dict[str, str]:
    return {"vi": said.vi, "en": said.en}
