"""Proofs and what is kept for long: classify, proof, archive; the frozen reports of `report`."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli.bundles import By, Data, Json, catalogued
from api.cli.output import ZONE, as_json, console, local, table
from api.cli.place import placed, prefect_here
from states.errors import HosoError

At = Annotated[str | None, typer.Option(help="As of this moment instead of now.")]
Named = Annotated[str, typer.Argument(metavar="PERIOD", help="2023, 2023-H1, 2023-Q1, 2023-01.")]
Report = Annotated[str, typer.Option("--report", help="Which report.")]
SHOWN = 20  # rows of a table; --json has them all


class Disproved(HosoError):
    """Something does not hold."""


def add_to(app: typer.Typer) -> None:
    """Register the commands, but for those of `report`."""
    app.command()(classify)
    app.command()(archive)
    proof = typer.Typer(help="What the nightly proof found.", no_args_is_help=True)
    proof.command("list")(list_)
    proof.command("seen")(seen)
    app.add_typer(proof, name="proof")


def add_to_report(group: typer.Typer) -> None:
    """Register the commands on frozen reports, in the group `report`."""
    for command in (freeze, frozen, compare):
        group.command(command.__name__)(command)


# Proof ------------------------------------------------------------------------------------


def classify(
    at: At = None,
    share: Annotated[
        int | None, typer.Option(help="Prove all that is closed within so many runs.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Prove every open dossier, a share of the closed ones and every balance: one run."""
    from api.cli.data import moment, run
    from states.proof import SHARE

    when = moment(at)
    with placed(data) as place:
        prefect_here(place)
        from flows.classify import classify as flow

        told = asyncio.run(run(flow, when, SHARE if share is None else share))
    if json:
        as_json(told)
    else:
        _show_proof(told)
    if told["found"]:
        first = told["found"][0]
        raise Disproved(
            f"{len(told['found'])} do not hold; the first: {first['code']}: {first['what']}. See"
            " `hoso proof list`: nothing was mended"
        )


def _show_proof(told: dict[str, Any]) -> None:
    console.print(
        "Proved {dossiers:,} dossiers ({running:,} of them running) by {entries:,} entries, and"
        " {balances:,} balances, in {seconds} s.".format(**told),
        highlight=False,
    )
    if told["unread"]:
        console.print(
            f"{told['unread']:,} of them are pinned to another version of their calendar: their"
            " lines hold, their dates were not read again.",
            style="yellow",
        )
    for each in told["found"][:SHOWN]:
        text = f"{each['code']}: {each['what']}"
        console.print(text, style="red", markup=False, highlight=False)


def list_(
    seen: Annotated[bool, typer.Option("--seen", help="Those that somebody saw, too.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """What was found not to hold, the oldest first."""
    from states import proof

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        return await proof.every(db, seen=seen)

    rows = catalogued(data, work)
    if json:
        as_json(rows)
        return
    lines = [
        (each["id"], f"{each['day']:%d/%m/%Y}", each["code"], each["what"], each["seen_by"] or "–")
        for each in rows
    ]
    console.print(table("Sai lệch / Discrepancies", ("", "day", "code", "what", "seen by"), lines))


def seen(
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…")],
    by: By,
    data: Data = None,
    json: Json = False,
) -> None:
    """Note that somebody saw them. It mends nothing: the next proof finds them again."""
    from states import proof

    async def work(db: Any, book: Any, at: datetime) -> int:
        return await proof.see(db, numbers, book.person(by).id, at)

    new = catalogued(data, work)
    if json:
        as_json({"seen": new})
    else:
        console.print(f"{by} has seen {new} more.", highlight=False, markup=False)


# Archive ----------------------------------------------------------------------------------


def archive(
    years: Annotated[int, typer.Option(help="After a dossier's end.")] = 10,
    at: At = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Put away the lines of long-closed dossiers: kept, read and verified as before."""
    from api.cli.data import moment
    from states.db import engine
    from states.ledger import archive as put_away

    async def work(address: str) -> Any:
        connections = engine(address, 1)
        try:
            when = moment(at) or datetime.now(ZONE)
            return await put_away.archive(connections, when, years)
        finally:
            await connections.dispose()

    with placed(data) as place:
        moved = asyncio.run(work(place.database))
    if json:
        counts = {"dossiers": moved.dossiers, "entries": moved.entries}
        as_json({"closed_before": moved.before, **counts})
    else:
        console.print(
            f"Put away {moved.entries:,} entries of {moved.dossiers:,} dossiers that were closed"
            f" before {local(moved.before)}.",
            highlight=False,
        )


# Frozen reports ---------------------------------------------------------------------------


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
    data: Data = None,
    json: Json = False,
) -> None:
    """The frozen reports, the newest first; or one of them with its figures.

    Of a restatement also what it says otherwise than the one it restates.
    """
    from states.figures import comparing, freezing

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        if number is None:
            return await freezing.every(db)
        kept = await freezing.find(db, number)
        cells = await comparing.corrected(db, kept)
        return [{**kept._mapping, "corrects": cells}]  # noqa: SLF001  its public name

    rows = catalogued(data, work)
    if json:
        as_json([_told(row) for row in rows] if number is None else _told(rows[0]))
        return
    columns = ("id", "report", "period", "restates", "reason", "frozen_by")
    lines = [[row[name] for name in columns] + [local(row["frozen_at"])] for row in rows]
    console.print(table("Báo cáo đã chốt / Frozen reports", (*columns, "frozen at"), lines))
    if number is not None and (figures := rows[0]["data"]["rows"]):
        cells = [list(each.values()) for each in figures]
        console.print(table(rows[0]["hash"].hex(), figures[0], cells))
        if corrects := rows[0]["corrects"]:
            heads = ("agency", "column", f"number {rows[0]['restates']}", f"number {number}")
            console.print(table("Đính chính / Restated", heads, corrects))


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
    """A frozen report beside today's figures, with the dossiers that made them differ."""
    from states.figures import comparing, freezing

    async def work(db: Any, book: Any, at: datetime) -> tuple[Any, Any]:
        kept = await freezing.latest(db, report, period)
        kept = kept if number is None else await freezing.find(db, number)
        return kept, await comparing.compare(db, book, kept)

    kept, told = catalogued(data, work)
    if json:
        cells, shifts = [each._asdict() for each in told.cells], [*map(_shift, told.shifts)]
        as_json({"frozen": kept.id, "cells": cells, "dossiers": shifts, "unread": told.unread})
        return
    _show_comparison(kept, told)


def _shift(each: Any) -> dict[str, Any]:
    between = [line._asdict() for line in each.between]
    return {**each._asdict(), "line": each.line, "event": each.event, "between": between}


def _show_comparison(kept: Any, told: Any) -> None:
    if not told.cells:
        text = f"Number {kept.id} ({kept.report} {kept.period}) is what the figures say today."
        console.print(text, highlight=False)
    else:
        cells = ("agency", "column", f"number {kept.id}", "today")
        console.print(table(f"{kept.report} {kept.period}", cells, told.cells))
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
