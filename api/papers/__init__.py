"""Reports as people and programs want them: on a screen, in a file, on paper. Of any `Paper`."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from enum import StrEnum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from states.errors import BadInput
from states.figures.sheets import Both, Paper, Sheet

MOST = 20_000  # lines that are held at once, for JSON


class Form(StrEnum):
    """What a report may be had as."""

    table = auto()
    csv = auto()
    xlsx = auto()
    pdf = auto()
    svg = auto()
    json = auto()


MEDIA = {
    Form.csv: "text/csv; charset=utf-8",
    Form.xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.pdf: "application/pdf",
    Form.svg: "image/svg+xml",
    Form.json: "application/json",
}
BINARY = {Form.xlsx, Form.pdf}


class Writing(Protocol):
    """A paper on its way into a file, sheet by sheet and some rows at a time."""

    def begin(self, sheet: Sheet) -> None: ...
    def add(self, rows: Sequence[Sequence[Any]]) -> None: ...
    def end(self) -> None: ...


async def written(
    paper: Paper, form: Form, file: Path, agencies: Sequence[str] | None = None
) -> None:
    """A paper as a file. What takes long is done beside the loop."""
    if form is Form.csv:
        from api.papers import comma

        with file.open("w", newline="", encoding="utf-8-sig") as to:  # Excel wants the mark
            await streamed(paper, comma.Writing(paper, to))
    elif form is Form.xlsx:
        from api.papers import workbook

        with TemporaryDirectory(dir=file.parent, prefix=f".{file.name[:100]}-") as beside:
            book = workbook.Writing(paper, file, Path(beside))
            await streamed(paper, book)
            await asyncio.to_thread(book.close)
    else:
        whole = await held(paper, MOST)
        content = await asyncio.to_thread(rendered, whole, form, agencies)
        await asyncio.to_thread(file.write_bytes, content)


def rendered(paper: Paper, form: Form, agencies: Sequence[str] | None = None) -> bytes:
    """What is made in one piece: PDF, SVG, JSON."""
    if form is Form.pdf:
        from api.papers import pdf

        return pdf.rendered(paper)
    if form is Form.svg:
        from api.papers import drawing

        return drawing.rendered(paper)
    from api.papers import document

    told = document.complete(paper, agencies)
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


async def streamed(paper: Paper, to: Writing) -> None:
    """All rows, some at a time, none held longer than it takes to write it."""
    for sheet in paper.sheets:
        await asyncio.to_thread(to.begin, sheet)
        async for rows in _batches(sheet):
            await asyncio.to_thread(to.add, rows)
        await asyncio.to_thread(to.end)


async def held(paper: Paper, most: int, *, cut: bool = False) -> Paper:
    """With all its rows in hand. Raises `BadInput` where they are more than `most`; `cut`: these
    few, and it says so.
    """
    return replace(paper, sheets=tuple([await _held(each, most, cut) for each in paper.sheets]))


async def _held(sheet: Sheet, most: int, cut: bool) -> Sheet:
    if sheet.more is None:  # nothing is saved by cutting what is there before so many
        most = max(most, MOST)
    rows: list[Sequence[Any]] = []
    async for some in _batches(sheet):
        rows += some
        if len(rows) > most:
            break
    if len(rows) <= most:
        return replace(sheet, rows=tuple(rows), more=None)
    if not cut:
        raise BadInput(
            "the report has more than {most} lines: ask for csv or xlsx, a shorter period or fewer"
            " dimensions",
            most=most,
        )
    first = Both(
        f"Chỉ hiện {most} dòng đầu: dùng --format csv hoặc xlsx để có tất cả.",
        f"These are the first {most} lines: --format csv or xlsx has all of them.",
    )
    return replace(sheet, rows=tuple(rows[:most]), more=None, notes=(first, *sheet.notes))


async def _batches(sheet: Sheet) -> AsyncIterator[Sequence[Sequence[Any]]]:
    if sheet.rows:
        yield sheet.rows
    if sheet.more is not None:
        async for rows in sheet.more:
            yield rows
