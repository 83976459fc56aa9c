"""A paper on A4, by Typst: its fonts come with it, nothing is fetched, and what a paper says is
given to it as data, so that no name is taken for markup.
"""

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import typst

from api.papers.words import (
    DOTS,
    PROVISIONAL,
    RECEIVING,
    REPORTING,
    RIGHT,
    SERIAL,
    SIGNED,
    beneath,
    classed,
    counting,
    headings,
    last,
    made,
    official,
    serial,
    shown,
    span,
)
from states.errors import BadInput
from states.figures.sheets import Both, Column, Kind, Paper, Sheet

# Of memory each cell takes some 10 kB and each character 100 bytes: 0.3 GB at the most.
MOST = 5_000  # lines: some two hundred pages
CELLS = 20_000
SIGNS = 400_000
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
    cells = sum(len(each.columns) * len(each.rows) for each in paper.sheets)
    if cells > CELLS or len(told) > SIGNS:
        raise BadInput(
            "that is too much to print, more than {cells} cells or {signs} characters: ask for xlsx"
            " or csv, or for less",
            cells=CELLS,
            signs=SIGNS,
        )
    made: bytes = typst.compile(
        template.read_bytes(), format="pdf", sys_inputs={"paper": told}, ignore_system_fonts=True
    )
    return made


def _told(paper: Paper) -> dict[str, Any]:
    warnings = [*paper.faults, *([PROVISIONAL] if paper.provisional else [])]
    return {
        "title": _both(paper.title),
        "made": _both(made(paper)),
        "span": span(paper),
        "classed": None if (by := classed(paper)) is None else _both(by),
        "ends": [
            {"who": _both(REPORTING), "name": paper.whose or DOTS},
            {"who": _both(RECEIVING), "name": DOTS},
        ],
        "warnings": [_both(each) for each in warnings],
        "sheets": [_sheet(each) for each in paper.sheets],
        "beneath": [_both(each) for each in beneath(paper)],
        "signed": any(official(each) for each in paper.sheets),
        "signatures": [_both(each) for each in SIGNED],
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    columns, counted = list(sheet.columns), official(sheet)
    numbers = [counting(sheet.dims, n, each) for n, each in enumerate(columns)]
    if numbered := serial(sheet):
        columns, numbers = [Column("serial", SERIAL, Kind.code), *columns], ["(1)", *numbers]
    lines = list(sheet.lines(sheet.rows))
    total = last(sheet)
    size = next((size for most, size in SIZES if len(columns) <= most), SMALLEST)
    return {
        "title": _both(sheet.title),
        "size": size,
        "heads": 1 + counted + any(each.group for each in columns),
        "columns": _heads(columns),
        "numbers": numbers if counted else [],
        "widths": [WIDE.get(each.kind, 0 if each.kind in {Kind.code, Kind.moment} else 1)
                   for each in columns],
        "right": [each.kind in RIGHT for each in columns],
        "rows": [
            _cells(sheet, row, str(n) if numbered else None) for n, (row, _) in enumerate(lines, 1)
        ],
        "bold": [n for n, (_, makes) in enumerate(lines) if makes],
        "total": None if total is None else _cells(sheet, total, "" if numbered else None),
        "notes": [_both(each) for each in sheet.notes],
    }  # fmt: skip


def _heads(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The cells of the headings, row by row: those that are shared, and those beneath them."""
    if not any(each.group for each in columns):
        return [_head(each.head) for each in columns]
    upper, at = [], 0
    for group, many in headings(columns):
        one = columns[at].head if group is None else group
        upper.append(_head(one, wide=many, high=2 if group is None else 1))
        at += many
    return [*upper, *(_head(each.within or each.head) for each in columns if each.group)]


def _head(said: Both, wide: int = 1, high: int = 1) -> dict[str, Any]:
    return _both(said) | {"wide": wide, "high": high}


def _cells(sheet: Sheet, row: Any, first: str | None) -> list[str]:
    told = [shown(each.kind, cell) for each, cell in zip(sheet.columns, row, strict=True)]
    return told if first is None else [first, *told]


def _both(said: Both) -> dict[str, str]:
    return {"vi": said.vi, "en": said.en}
