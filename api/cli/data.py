"""Commands on the data: import, drive, sweep."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import taken
from api.cli.output import ZONE, as_json, check_writable, console, quiet, table
from api.cli.place import Data, Json, placed, prefect_here
from states.errors import BadInput, HosoError


class PartlyRefused(HosoError):
    """Some of the file was refused."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("import")(import_)
    app.command()(drive)
    app.command()(sweep)


def moment(text: str | None) -> datetime | None:
    """A date (its midnight in Viet Nam) or a moment with offset. Raises `BadInput`."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=ZONE)
        at.astimezone(UTC)  # the first and the last hours of the calendar are nowhere else's
    except (ValueError, OverflowError):
        raise BadInput(f"'{text}' is no date: write 2023-01-01 or 2023-01-01T08:00+07:00") from None
    return at


def import_(
    file: Annotated[Path, typer.Argument(help="XES (.xes, .xes.gz), CSV or XLSX.")],
    by: Annotated[Path | None, typer.Option("--map", help="Names columns or attributes.")] = None,
    suggest: Annotated[
        bool, typer.Option("--suggest-map", help="Print a map for this file, and import nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what was mended or refused, row by row, as CSV.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Bring in dossiers or an event log of another system; run again, it goes on where it was."""
    from states import intake
    from states.intake.source import kind

    if suggest:
        proposed = intake.suggest(file)
        as_json({"map": proposed}) if json else typer.echo(proposed, nl=False)
        return
    if by is None:
        raise typer.BadParameter("name a map, or let --suggest-map propose one", param_hint="--map")
    intake.load(by)  # what is wrong with the map and the files is told before anything starts
    kind(file)
    check_writable(report)
    with placed(data, make=True) as place:
        prefect_here(place)
        tally = asyncio.run(_import(file, by, quiet=json))
    if report is not None:
        taken.write_rows(report, tally)
    if json:
        as_json(taken.tally_json(file, tally))
    else:
        taken.show_tally(console, file, tally)
    if any(each.ends for each in tally.refused):
        raise PartlyRefused(f"{file} is broken: {tally.refused[-1].why}")


async def _import(file: Path, by: Path, *, quiet: bool) -> Any:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.intake import intake

    logging.getLogger("states").setLevel(logging.WARNING)  # what came in is told in the end
    size = file.stat().st_size  # noqa: ASYNC240  once, before anything waits
    columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=size)
        return await run(intake, file, by, lambda n: bar.update(task, completed=n))


def drive(
    at: Annotated[str | None, typer.Option(help="As of this moment instead of now.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Fire every automatic event that is open now: one run."""
    _one_run("flows.drive", "drive", at, data, json=json)


def sweep(
    at: Annotated[str | None, typer.Option(help="As of this moment instead of now.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Record the deadlines that came near or were missed and were not told before: one run."""
    _one_run("flows.sweep", "sweep", at, data, json=json)


def _one_run(module: str, name: str, at: str | None, data: Path | None, *, json: bool) -> None:
    from importlib import import_module

    when = moment(at)
    with placed(data) as place:
        prefect_here(place)
        counts = asyncio.run(run(getattr(import_module(module), name), when))
    if json:
        as_json(counts)
    else:
        console.print(table(name, ("what", "dossiers"), counts.items()))


async def run(flow: Any, *args: Any) -> Any:
    """A flow in this process: as a run of the Prefect server beside us, else its work alone."""
    from flows.opening import close, shown

    work: Callable[..., Coroutine[Any, Any, Any]] = flow if shown() else flow.fn
    try:
        with quiet("prefect", "prefect.flow_runs", level=logging.CRITICAL):  # we tell it, once
            return await work(*args)
    finally:
        await close()
