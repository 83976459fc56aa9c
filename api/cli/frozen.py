"""`hoso report freeze`, `frozen`, `compare`: frozen reports, on screen and in files."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api import papers
from api.cli.bundles import By, Data, Json, catalogued
from api.cli.output import as_json, check_writable, console, local, table
from states.errors import BadInput

Named = Annotated[str, typer.Argument(metavar="PERIOD", help="2023, 2023-H1, 2023-Q1, 2023-01.")]
Report = Annotated[str, typer.Option("--report", help="Which report.")]
SHOWN = 20  # rows of a table; --json has them all


def add_to_report(group: typer.Typer) -> None:
    """Register the commands, in the group `report`."""
    for command in (freeze, frozen, compare):
        group.command(command.__name__)(command)


def freeze(
    period: Named,
    by: By,
    restate: Annotated[
        str | None, typer.Option(metavar="REASON", help="It is frozen already, and was wrong.")
    ] = None,
    report: Report = "bieu06",
    data: Data = None,
    json: Json = False,
) -> None:
    """Keep what a report says of a period that is over. A leader's or the control unit's."""
    from states.catalogue.rights import may_decide
    from states.figures import freezing

    async def work(db: Any, book: Any, at: datetime) -> Any:
        may_decide(book, by, at)
        if restate is None:
            return await freezing.freeze(db, book, report, period, by, at)
        return await freezing.restate(db, book, report, period, by, at, restate)

    row = catalogued(data, work)
    if json:
        as_json(_told(row._mapping))  # noqa: SLF001  its public name
        return
    what = f", restating number {row.restates}" if row.restates else ""
    text = f"Frozen as number {row.id}{what}: {report} {period}, SHA-256 {row.hash.hex()}."
    console.print(text, highlight=False, soft_wrap=True)


def frozen(
    number: Annotated[int | None, typer.Argument(help="One of them, in full.")] = None,
    form: Annotated[papers.Form, typer.Option("--format")] = papers.Form.table,
    output: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Show every definition.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """The frozen reports, the newest first; or one of them with its figures.

    Of a restatement also what it says otherwise than the one it restates.
    """
    if number is None:
        _list(form, output, data, json=json)
        return
    _check(form, output)
    row, paper, names = catalogued(data, lambda db, book, at: _one(db, book, at, number))
    if json:
        as_json(_told(row))
    elif form is papers.Form.table:
        _show(row, paper, names, notes=notes)
    else:
        asyncio.run(_write(paper, form, output))


def _check(form: papers.Form, output: Path | None) -> None:
    """Raises `BadInput` for what cannot be written, before anything is asked."""
    if form is papers.Form.table and output is not None:
        raise BadInput("a table is for the screen: choose csv, xlsx, pdf, svg or json for a file")
    if form is not papers.Form.table and output is None:
        raise BadInput("name the file to write with --output; --json prints it")
    check_writable(output)


def _list(form: papers.Form, output: Path | None, data: Path | None, *, json: bool) -> None:
    if form is not papers.Form.table or output is not None:
        raise BadInput("say which frozen report is to be written: `hoso report frozen` lists them")
    from states.figures import freezing

    rows = catalogued(data, lambda db, book, at: freezing.every(db))
    if json:
        as_json([_told(row) for row in rows])
        return
    columns = ("id", "report", "period", "restates", "reason", "frozen_by")
    lines = [[row[name] for name in columns] + [local(row["frozen_at"])] for row in rows]
    console.print(table("Báo cáo đã chốt / Frozen reports", (*columns, "frozen at"), lines))


async def _one(db: Any, book: Any, at: Any, number: int) -> tuple[dict[str, Any], Any, Any]:
    """A frozen report: what was kept, as a paper, and how its agencies are called."""
    from states.figures import comparing, freezing, kept
    from states.figures.reporting import Asked

    found = await freezing.find(db, number)
    cells = await comparing.corrected(db, found)
    row = {**found._mapping, "corrects": cells}  # noqa: SLF001  its public name
    paper = kept.paper(Asked(db, book, kept.of(found), found.frozen_at), found)
    return row, paper, _names(book, cells)


def _names(book: Any, cells: Any) -> dict[str, str]:
    """What people call the agencies of some cells, with their codes."""
    from states.figures.reporting import called

    codes = {each.agency for each in cells}
    return {code: f"{called(book, 'agency', code)} ({code})" for code in codes}


def _show(row: dict[str, Any], paper: Any, names: dict[str, str], *, notes: bool) -> None:
    from api.papers import screen

    what = f"Number {row['id']}: {row['report']} {row['period']}"
    said = f"{what}, frozen {local(row['frozen_at'])} by {row['frozen_by']}"
    again = f", restating number {row['restates']}: {row['reason']}" if row["restates"] else ""
    console.print(f"{said}{again}", highlight=False, markup=False)
    console.print(f"SHA-256 {row['hash'].hex()}", highlight=False)
    screen.show(console, asyncio.run(papers.held(paper, papers.MOST)), notes=notes)
    if row["corrects"]:
        heads = (f"number {row['restates']}", f"number {row['id']}")
        _cells("Đính chính / Restated", row["corrects"], names, heads)


async def _write(paper: Any, form: papers.Form, output: Path | None) -> None:
    from api.papers.saved import whole_file

    assert output is not None
    with whole_file(output) as file:
        await papers.written(paper, form, file)
    typer.echo(f"Wrote {output}.", err=True)


def _cells(title: str, cells: Any, names: dict[str, str], heads: tuple[str, str]) -> None:
    """Cells of the form, by the words that stand above its columns."""
    from states.figures.bieu06.form import FORM

    words = {each.key: each.head.vi for each in FORM.columns}
    rows = [
        (names[each.agency], words.get(each.column, each.column), each.was, each.now)
        for each in cells
    ]
    console.print(table(title, ("agency", "column", *heads), rows))


def _told(row: Any) -> dict[str, Any]:
    told = {**row, "hash": row["hash"].hex()}
    if "corrects" in told:
        told["corrects"] = [each._asdict() for each in told["corrects"]]
    return told


def compare(
    period: Named,
    number: Annotated[
        int | None, typer.Option(help="This frozen report instead of the period's last.")
    ] = None,
    report: Report = "bieu06",
    data: Data = None,
    json: Json = False,
) -> None:
    """A frozen Biểu 06 beside today's figures, with the dossiers that made them differ."""
    from states.figures import comparing, freezing

    async def work(db: Any, book: Any, at: Any) -> tuple[Any, Any, dict[str, str]]:
        kept = await freezing.latest(db, report, period)
        kept = kept if number is None else await freezing.find(db, number)
        found = await comparing.compare(db, book, kept)
        return kept, found, _names(book, found.cells)

    kept, told, names = catalogued(data, work)
    if json:
        cells, shifts = [each._asdict() for each in told.cells], [*map(_shift, told.shifts)]
        as_json({"frozen": kept.id, "cells": cells, "dossiers": shifts, "unread": told.unread})
        return
    _show_comparison(kept, told, names)


def _shift(each: Any) -> dict[str, Any]:
    between = [line._asdict() for line in each.between]
    return {**each._asdict(), "line": each.line, "event": each.event, "between": between}


def _show_comparison(kept: Any, told: Any, names: dict[str, str]) -> None:
    if not told.cells:
        text = f"Number {kept.id} ({kept.report} {kept.period}) is what the figures say today."
        console.print(text, highlight=False)
    else:
        heads = (f"number {kept.id}", "today")
        _cells(f"{kept.report} {kept.period}", told.cells, names, heads)
    if told.shifts:
        rows = [
            (each.code, " ".join(each.was) or "–", " ".join(each.now) or "–", each.event, each.line)
            for each in told.shifts[:SHOWN]
        ]
        columns = ("code", "was", "is", "last event since", "line")
        title = f"{len(told.shifts):,} dossiers are counted elsewhere"
        console.print(table(title, columns, rows))
    if told.unread:
        console.print(f"{told.unread:,} dossiers of then cannot be read again.", style="yellow")
