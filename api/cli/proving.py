"""Proofs and what is kept for long: classify, proof, archive."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli.bundles import By, Data, Json, catalogued
from api.cli.output import ZONE, as_json, console, local, table
from api.cli.place import placed, prefect_here
from states.errors import HosoError

At = Annotated[str | None, typer.Option(help="As of this moment instead of now.")]
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
