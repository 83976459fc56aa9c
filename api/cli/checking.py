"""Commands that check and draw: verify, draw, migrate."""

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from api.cli.output import as_json, check_writable, console
from api.cli.place import Data, Json, Place, key_for, placed, transacted
from states.errors import BadInput, HosoError

LARGEST = 64 << 20  # bytes of a proof


class DoesNotHold(HosoError):
    """Something in the ledger does not hold."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(verify)
    app.command()(draw)
    app.command()(migrate)


def verify(
    data: Data = None,
    json: Json = False,
    anchor: Annotated[
        bool, typer.Option(help="Sign today's heads of every agency's chains, if all holds.")
    ] = True,
    proof: Annotated[
        Path | None,
        typer.Option(help="Or check this proof alone: no database, no catalogue, no network."),
    ] = None,
) -> None:
    """Re-derive every line, state, date and class, and name the first that does not hold."""
    if proof is not None:
        _check_proof(proof, json=json)
        return
    with placed(data) as place:
        report, faults, signed = asyncio.run(_verify(place, sign=anchor, quiet=json))
    if json:
        counts = {"dossiers": report.dossiers, "entries": report.entries}
        as_json({**counts, "dates_not_read": report.unread, "faults": faults})
    elif not faults:
        console.print(
            f"[green]All holds[/]: {report.dossiers:,} dossiers, {report.entries:,} entries:"
            " every hash, every date and every class follows from the lines before it."
        )
        if signed:
            console.print(f"Signed today's heads of {signed} agencies' chains.", style="dim")
        if report.unread:
            console.print(
                f"{report.unread:,} of them are pinned to another version of their calendar:"
                " their lines hold, their dates were not read again.",
                style="yellow",
            )
    else:
        for fault in faults[:50]:
            console.print(fault, style="red", markup=False, highlight=False)
    if faults:
        raise DoesNotHold(
            f"{len(faults)} of {report.dossiers:,} dossiers or anchors do not hold; the first:"
            f" {faults[0]}"
        )


def _proof(file: Path) -> bytes:
    """Of a pipe or a device nobody knows the end: a file alone is read, and not past the limit."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise BadInput("{file} is no regular file: name a proof's file", file=str(file))
        with file.open("rb") as there:
            text = there.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise BadInput(
            "{file} cannot be read: {why}; name a proof's file",
            file=str(file),
            why=getattr(error, "strerror", None) or error,
        ) from None
    if len(text) > LARGEST:
        raise BadInput("{file} has over {most:,} bytes: no proof has", file=str(file), most=LARGEST)
    return text


def _check_proof(file: Path, *, json: bool) -> None:
    from states import checker

    text = _proof(file)
    fault = checker.fault_of(text)
    if json:
        as_json({"proof": str(file), "fault": fault and fault._asdict()})
    if fault is not None:
        raise DoesNotHold("{file} does not hold: {fault}", file=str(file), fault=str(fault))
    if not json:
        console.print(f"[green]It holds[/]: {escape(checker.told(text))}", highlight=False)


async def _verify(place: Place, *, sign: bool, quiet: bool):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import sqlalchemy as sa
    from rich.progress import Progress

    from states import ledger
    from states.catalogue import bundles
    from states.figures import freezing
    from states.ledger import anchor

    signed = 0
    with Progress(console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("Checking", total=None)
        async with transacted(place.database) as db:
            await db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            book = await bundles.read(db)
            report = await ledger.verify(db, book, lambda n: progress.update(task, completed=n))
            faults = [*map(str, report.faults), *map(str, await freezing.check(db))]
            ours = anchor.key_in(place.data, key_for("anchor"))
            faults += await anchor.check(db, ours, place.data)
            if sign and not faults:
                signed = await anchor.sign(db, ours, place.data, datetime.now(UTC).date())
    return report, faults, signed


def draw(
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/lifecycle.md"),
    readme: Annotated[Path, typer.Option(help="A page with marks to draw between.")] = Path(
        "README.md"
    ),
    figures: Annotated[Path, typer.Option(help="The page of figures, where it is there.")] = Path(
        "docs/figures.md"
    ),
    json: Json = False,
) -> None:
    """Write the lifecycle's table and diagram, and what every figure is, from where they are."""
    from states import drawing
    from states.figures import page

    if not to.parent.is_dir():
        raise HosoError(f"there is no folder {to.parent}: name a file with --to")
    check_writable(to)
    to.write_text(drawing.page(), encoding="utf-8")
    written = [to]
    if readme.is_file() and drawing.BEGIN in (text := readme.read_text(encoding="utf-8")):
        readme.write_text(drawing.within(text), encoding="utf-8")
        written.append(readme)
    if figures.is_file():
        figures.write_text(page.page(), encoding="utf-8")
        written.append(figures)
    if json:
        as_json({"written": [str(each) for each in written]})
    else:
        console.print(f"Wrote {' and '.join(map(str, written))}.", highlight=False)


def migrate(data: Data = None, json: Json = False) -> None:
    """Bring the database's schema up to date. As the owner: HOSO_DATABASE_OWNER."""
    from states.db import revision

    with placed(data, make=True) as place:
        found = asyncio.run(revision(place.owner))
    if json:
        as_json({"schema": found})
    else:
        console.print(f"The schema is at revision {found}.", highlight=False)
