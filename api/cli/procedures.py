"""`hoso procedures`: the versions of each procedure, from a file to the counter."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from api.cli import bundles as kept
from api.cli.bundles import By, Checker, Data, Decision, Files, Json, Out, catalogued
from api.cli.output import as_json, console, listed, local, table
from states.clock.words import Lang
from states.errors import BadInput

if TYPE_CHECKING:
    pass

Version = Annotated[str, typer.Argument(metavar="CODE[@VERSION]", help="As in 2.000205@2.")]
Either = Annotated[str, typer.Argument(metavar="CODE[@VERSION] or FILE")]
Language = Annotated[Lang, typer.Option(help="The language of the sentences.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    from api.cli.migrating import migrate
    from api.cli.trying import simulate

    group = typer.Typer(help="Procedures and their versions.", no_args_is_help=True)
    for command in (list_, show, schema, import_, export, lint, diff, publish, retire):
        group.command(command.__name__.rstrip("_"))(command)
    group.command()(simulate)
    group.command()(migrate)
    app.add_typer(group, name="procedures")


# Seen -------------------------------------------------------------------------------------


def list_(
    every: Annotated[bool, typer.Option("--all", help="Also versions that bind no more.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Every procedure: the version in force, and what waits to be."""
    from states.catalogue import bundles

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        on = book.day(at)
        return [_line(row, on) for row in await bundles.versions(db)]

    rows = [row for row in catalogued(data, work) if every or row["status"] != "past"]
    columns = ("code", "version", "status", "from", "until", "term", "name")
    listed("Thủ tục / Procedures", columns, rows, json=json)


def _line(row: Any, on: date) -> dict[str, Any]:
    from states.catalogue import bundles

    said = bundles.says(row)
    return {
        "code": row.code,
        "version": row.version,
        "status": bundles.standing(row, on),
        "from": row.valid_from,
        "until": row.valid_until,
        "agency": said.agency,
        "term": str(said.term),
        "name": said.name.vi,
    }


STEPS = ("drafted", "checked", "published", "retired")


def show(version: Version, data: Data = None, json: Json = False) -> None:
    """What a version says, and who drafted, checked, published and retired it."""
    from states.catalogue import bundles
    from states.catalogue.rows import Kind

    code, number = kept.named(version)

    async def work(db: Any, book: Any, at: datetime) -> tuple[Any, str]:
        on = book.day(at)
        which = number if number is not None else await bundles.in_force(db, code, on)
        row = await bundles.find(db, Kind.procedure, code, which)
        return row, bundles.standing(row, on)

    row, status = catalogued(data, work)
    said = bundles.says(row)
    steps = {s: (getattr(row, f"{s}_by"), getattr(row, f"{s}_at")) for s in STEPS}
    if json:
        record = {s: {"by": by, "at": at} for s, (by, at) in steps.items() if by}
        as_json(
            {"status": status, "document": row.document, **record}
            | {"says": said.model_dump(mode="json", exclude_none=True)}
        )
        return
    for text in (f"{said.name.vi} / {said.name.en}", f"{row.code}@{row.version}: {status}"):
        console.print(text, highlight=False, markup=False)
    told = [(s, by, local(at)) for s, (by, at) in steps.items() if by]
    title = escape(f"Văn bản / Document: {row.document or '–'}")
    console.print(table(title, ("", "by", "at"), told))
    stages = [
        (n, each.code, each.name.vi, each.unit or "–", each.role, str(each.term))
        for n, each in enumerate(said.stages, 1)
    ]
    columns = ("", "stage", "name", "unit", "role", "term")
    console.print(table(f"Thời hạn / Term: {said.term}", columns, stages))
    console.print(f"hoso procedures export {row.code}@{row.version}", style="dim")


def schema(to: Out = None, json: Json = False) -> None:
    """The JSON Schema of a bundle: an editor that knows it completes and checks the file."""
    from states.catalogue import schema

    kept.put(schema.text().encode(), to)
    if json and to is not None:
        as_json([str(to)])


# From a file to the counter ---------------------------------------------------------------


def import_(files: Files, by: By, data: Data = None, json: Json = False) -> None:
    """Keep files as drafts: all of them, or none where one cannot be read."""
    from states.catalogue.rows import Kind

    taken = kept.take(Kind.procedure, files, by, data)
    if json:
        as_json([*taken])
    else:
        console.print(kept.told(taken), highlight=False)


def export(
    versions: Annotated[
        list[str] | None, typer.Argument(metavar="CODE[@VERSION]…", help="All, unless named.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="A folder: procedures/CODE.yaml, and the schema.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """The text of a version, byte for byte as it came in."""
    from states.catalogue import schema
    from states.catalogue.rows import Kind

    if to is None:
        if not versions or len(versions) != 1:
            raise BadInput("one version goes to the screen: name a folder for more with --to")
        kept.hand_out(*kept.text_of(Kind.procedure, versions[0], data), None, json=json)
        return
    texts = _texts(versions, data)  # before anything is written
    written = [to / "procedure.schema.json"]
    kept.put(schema.text().encode(), written[0])
    for code, text in texts:
        written.append(to / "procedures" / f"{code}.yaml")
        kept.put(text, written[-1])
    if json:
        as_json([str(each) for each in written])
    else:
        console.print(f"Wrote {len(written) - 1} procedures and their schema.", highlight=False)


def _texts(versions: list[str] | None, data: Path | None) -> list[tuple[str, bytes]]:
    """Of the versions that are named, else of all that are in force."""
    from states.catalogue import bundles
    from states.catalogue.rows import Kind

    async def work(db: Any, book: Any, at: datetime) -> list[tuple[str, bytes]]:
        if versions:
            rows = [await bundles.find(db, Kind.procedure, *kept.named(v)) for v in versions]
            if len({row.code for row in rows}) < len(rows):
                raise BadInput("a folder takes one version of a procedure: name each code once")
        else:
            on = book.day(at)
            rows = [
                each
                for each in await bundles.versions(db)
                if bundles.standing(each, on) == bundles.IN_FORCE
            ]
        return [(row.code, row.text.encode()) for row in rows]

    return catalogued(data, work)


def lint(
    targets: Annotated[list[str], typer.Argument(metavar="FILE or CODE[@VERSION]…")],
    by: Checker = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Everything that is wrong: where, why, and how to mend it. Errors hinder publishing."""
    from states.catalogue.rows import Kind

    kept.tell([kept.check(Kind.procedure, each, by, data) for each in targets], json=json)


def publish(
    version: Version, by: By, document: Decision, data: Data = None, json: Json = False
) -> None:
    """Let a checked draft bind what is received from its first day on."""
    from states.catalogue.rows import Kind

    told = kept.let_bind(Kind.procedure, version, by, document, data)
    if json:
        as_json({"published": told})
    else:
        console.print(f"Published {told}: running dossiers stay under theirs.", highlight=False)


def retire(version: Version, by: By, data: Data = None, json: Json = False) -> None:
    """End a procedure that nothing follows; refused while dossiers run under it."""
    from states.catalogue import bundles, publishing
    from states.catalogue.rows import Kind

    async def work(db: Any, book: Any, at: datetime) -> tuple[str, date]:
        row = await bundles.find(db, Kind.procedure, *kept.named(version))
        until = await publishing.retire(db, book, row, by, at)
        return f"{row.code}@{row.version}", until

    told, until = catalogued(data, work)
    if json:
        as_json({"retired": told, "until": until})
    else:
        console.print(f"Retired {told}: its last day is {until:%d/%m/%Y}.", highlight=False)


# Compared ---------------------------------------------------------------------------------


def diff(
    old: Either,
    new: Either,
    lang: Language = Lang.vi,
    data: Data = None,
    json: Json = False,
) -> None:
    """What changed between two versions, in sentences; a code alone is its version in force."""
    from states.catalogue import difference

    (first, before), (second, after) = (kept.procedure(each, data) for each in (old, new))
    if json:
        as_json(difference.data(before, after))
        return
    console.print(f"{first} → {second}", highlight=False, markup=False)
    told = difference.sentences(before, after, lang)
    nothing = "Không có gì thay đổi." if lang is Lang.vi else "Nothing changed."
    for sentence in told or [nothing]:
        console.print(f"• {sentence}" if told else sentence, highlight=False, markup=False)
