"""`hoso log`: the event log, for process mining and for whoever checks us by other means."""

import asyncio
import getpass
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from api.cli.data import moment
from api.cli.output import as_json, check_writable, console, quiet
from api.cli.place import Data, Json, key_for, placed, transacted
from states.errors import BadInput

if TYPE_CHECKING:  # half a second to import: the command does it when it works
    from states.catalogue import Catalogue
    from states.logs import Export, Seen
    from states.people import Caller
    from states.sight import Sight

Format = Annotated[
    Literal["xes", "ocel", "csv"] | None,
    typer.Option(
        "--format",
        help="XES 2.0 (IEEE 1849), OCEL 2.0 in JSON, or CSV; by default as the file is named.",
    ),
]
ENDINGS = {".xes": "xes", ".xml": "xes", ".json": "ocel", ".jsonocel": "ocel", ".csv": "csv"}
Output = Annotated[Path, typer.Option(help="The file; one named .gz is packed.")]
Since = Annotated[str | None, typer.Option("--from", help="Not finished before this day.")]
Until = Annotated[str | None, typer.Option("--to", help="Registered before this day.")]
Agencies = Annotated[list[str] | None, typer.Option("--agency", help="Only of these agencies.")]
Procedures = Annotated[list[str] | None, typer.Option("--procedure", help="Only these.")]
People = Annotated[
    bool, typer.Option("--with-people", help="Name who worked and whose dossier it is.")
]
Reason = Annotated[str | None, typer.Option(help="Why people are named: kept with each dossier.")]
By = Annotated[str | None, typer.Option("--by", help="Id of the person who wants them named.")]
As = Annotated[str | None, typer.Option("--role", help="In what role, of whoever holds several.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="The event log, for other tools.", no_args_is_help=True)
    group.command("export")(export)
    app.add_typer(group, name="log")


def export(
    output: Output,
    form: Format = None,
    since: Since = None,
    until: Until = None,
    agency: Agencies = None,
    procedure: Procedures = None,
    with_people: People = False,
    reason: Reason = None,
    by: By = None,
    role: As = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write down what happened to the dossiers in hand between two days, each from its beginning.

    People are told by pseudonyms, unless somebody who may see them says why.
    """
    if with_people and not (reason and by):
        raise typer.BadParameter("say who wants to know and why: --by and --reason")
    if not with_people and (reason or by or role):
        raise typer.BadParameter("--by, --role and --reason belong to --with-people")
    written = _form(output, form)
    check_writable(output)
    asked: dict[str, Any] = {"since": moment(since), "until": moment(until)}
    asked |= {"agencies": agency or None, "procedures": procedure or None}
    begin = time.monotonic()
    with quiet("states"), placed(data) as place:
        named = (by, role, reason) if by and reason else None
        made, size = asyncio.run(
            _export(place.database, output, written, asked, named, silent=json)
        )
    _say(output, made, size, time.monotonic() - begin, json=json)


def _form(output: Path, form: str | None) -> str:
    """The form that is meant: what is said, else what the file's ending says, else XES.

    Raises `BadInput` where the two contradict each other.
    """
    name = output.with_suffix("") if output.suffix == ".gz" else output
    ending = ENDINGS.get(name.suffix.lower())
    if form and ending and form != ending:
        raise BadInput(
            "{file} ends as {ending} does, and --format says {form}: name the file otherwise, or"
            " leave --format out",
            file=output.name,
            ending=ending,
            form=form,
        )
    return form or ending or "xes"


async def _export(
    address: str,
    output: Path,
    form: str,
    asked: dict[str, Any],
    named: tuple[str, str | None, str] | None,
    *,
    silent: bool,
) -> "tuple[Export, int]":
    from states import logs
    from states.catalogue import bundles
    from states.db import engine
    from states.figures import agencies_known

    async with transacted(address) as db:
        book = await bundles.read(db)
        known = await agencies_known(db, book) if asked["agencies"] else set()
    if strange := sorted(set(asked["agencies"] or ()) - known):
        raise BadInput(
            "there is no agency {strange}: there are {known}", strange=strange, known=sorted(known)
        )
    connections = engine(address, 2)
    try:
        if named is None:
            source = logs.Source(connections, logs.Only(**asked))
            names = logs.pseudonyms(key_for("pseudonyms"))
        else:
            sight, seen = _who(book, *named)
            source = logs.Source(connections, logs.Only(**asked, sight=sight), True, seen)
            names = logs.as_they_are
        made = logs.Export(source, logs.Form(form), names, book.zone)
        pieces = logs.pieces(made)
        return made, await logs.keep(output, pieces if silent else _shown(pieces, made))
    finally:
        await connections.dispose()


def _who(book: "Catalogue", by: str, role: str | None, reason: str) -> "tuple[Sight, Seen]":
    """What they see, and the record that they looked. Raises `NotHeld`."""
    from states import people, seeing
    from states.sight import sight
    from states.words import Role

    if role is not None and role not in set(Role):
        raise BadInput("there is no role {role}: choose {known}", role=role, known=[*Role])
    claimed = Role(role) if role else None
    who: Caller = people.caller(book, by, claimed, None, book.day(datetime.now(UTC)))
    account = "?"
    with suppress(OSError, KeyError):  # a machine may not know whose account this is
        account = getpass.getuser()
    through = seeing.Through("hoso log export", f"by {account}", reason)

    async def seen(db: Any, dossiers: Sequence[int]) -> None:
        await seeing.looked(db, who, through, dossiers)

    return sight(book, who), seen


async def _shown(
    pieces: AsyncGenerator[bytes], made: "Export"
) -> AsyncGenerator[bytes]:  # fmt: skip
    """The same, while a line on the terminal counts them."""
    with console.status("Exporting") as line:
        async for piece in pieces:
            line.update(f"Exporting: {made.dossiers:,} dossiers, {made.events:,} events")
            yield piece


def _say(output: Path, made: "Export", size: int, seconds: float, *, json: bool) -> None:
    if json:
        told = {"file": str(output), "format": made.form, "dossiers": made.dossiers}
        as_json(told | {"events": made.events, "bytes": size, "people": made.source.people})
        return
    console.print(
        f"Wrote {output}: {made.dossiers:,} dossiers, {made.events:,} events,"
        f" {size / 1e6:,.1f} MB, in {seconds:.1f} s.",
        highlight=False,
        markup=False,
    )
    if not made.dossiers:
        console.print("No dossier was in hand then, or none of those asked for.", highlight=False)
    elif not made.source.people:
        console.print("People are told by pseudonyms, the same in each log.", style="dim")
