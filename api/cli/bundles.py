"""What commands on the catalogue share: where it is, who acts, and how findings are shown."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.cli.output import as_json, console, quiet
from api.cli.place import Data, Json, NothingHere, placed, transacted
from config.settings import settings
from states.errors import BadFile, BadInput, HosoError, spot

if TYPE_CHECKING:  # a second to import: the commands do it when they work
    from sqlalchemy.ext.asyncio import AsyncConnection

    from states.catalogue import Catalogue, Procedure
    from states.catalogue.checking import Linted
    from states.catalogue.rows import Kind

T = TypeVar("T")
SHOWN = 100  # findings of a file: who has more to mend begins with these
ONE = "-"  # names what there is one of, as in the database, and no file
Work = Callable[["AsyncConnection", "Catalogue", datetime], Awaitable[T]]

By = Annotated[str, typer.Option("--by", help="Id of the person who does it.")]
Checker = Annotated[
    str | None, typer.Option("--by", help="Id of the person who checked: kept with a draft.")
]
Decision = Annotated[str, typer.Option("--document", help="The document that decides it.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="YAML, one bundle a file.")]
Out = Annotated[Path | None, typer.Option("--to", help="Write there instead of the screen.")]


class NotClean(HosoError):
    """The checker found errors."""


def catalogued(data: Path | None, work: Work[T], *, make: bool = False) -> T:
    """Do some work on the catalogue as it is published now, in one transaction.

    What was done is told in the end, and not as the log of a service.
    """
    from states.catalogue import bundles

    async def run(address: str) -> T:
        async with transacted(address) as db:
            return await work(db, await bundles.read(db), datetime.now(UTC))

    with quiet("states"), placed(data, make=make) as place:
        return asyncio.run(run(place.database))


def surroundings(data: Path | None) -> "Catalogue":
    """The published catalogue; where there is none yet, the one a new database begins with."""
    from states import catalogue

    async def read(_: Any, book: "Catalogue", __: datetime) -> "Catalogue":
        return book

    try:
        return catalogued(data, read)
    except NothingHere:
        return catalogue.load(settings().catalogue)


def content(file: Path) -> bytes:
    """Raises `BadFile`."""
    from states import yaml_files

    return yaml_files.content(file)


def named(text: str) -> tuple[str, int | None]:
    """`2.000205@2` as code and version; the last version where none is named."""
    code, at, version = text.partition("@")
    if not code.isprintable():  # nor could it be looked for
        raise BadInput(f"{code[:40]!a} is no code: write it as in 2.000205@2")
    if at and not (version.isascii() and version.isdecimal() and len(version) < 9):
        raise BadInput(f"'{text[:40]}' names no version: write it as in {code[:20] or 'CODE'}@2")
    return code, int(version) if at else None


def is_file(text: str) -> bool:
    """Whether an argument names a file, and not a version."""
    if text.endswith((".yaml", ".yml")) or "/" in text:
        return True
    with suppress(OSError):  # too long for a name of a file
        return text != ONE and Path(text).is_file()
    return False


def procedure(target: str, data: Path | None) -> "tuple[str, Procedure]":
    """What a file or a version says, and which that is: of a code alone the version in force.

    Raises `BadFile` and `Unknown`.
    """
    from states import catalogue, yaml_files
    from states.catalogue import bundles
    from states.catalogue.rows import Kind

    if is_file(target):
        document = yaml_files.parse(target, content(Path(target)))
        return target, yaml_files.validate(catalogue.Procedure, document)
    code, number = named(target)

    async def work(db: Any, book: Any, at: datetime) -> "tuple[str, Procedure]":
        which = number if number is not None else await bundles.in_force(db, code, book.day(at))
        row = await bundles.find(db, Kind.procedure, code, which)
        return f"{row.code}@{row.version}", bundles.says(row)

    return catalogued(data, work)


# A bundle's way, alike for every kind -----------------------------------------------------


def take(kind: "Kind", files: Sequence[Path], by: str, data: Path | None) -> dict[str, str]:
    """Keep files as drafts, all or none; their codes and versions, and where these stand now.

    Raises `BadInput` for two files of one version.
    """
    from states.catalogue import bundles, publishing

    raws = [(str(file), content(file)) for file in files]

    async def work(db: "AsyncConnection", book: "Catalogue", at: datetime) -> dict[str, str]:
        kept: dict[str, str] = {}
        for name, raw in raws:
            code, version = await publishing.draft(db, book, kind, name, raw, by, at)
            if (told := f"{code}@{version}") in kept:
                raise BadInput(f"{name} is {told}, and so is a file before it: name one of them")
            kept[told] = (await bundles.find(db, kind, code, version)).status
        return kept

    return catalogued(data, work, make=True)


def told(kept: dict[str, str]) -> str:
    """What was kept, as a sentence."""
    new = [each for each, status in kept.items() if status not in {"published", "retired"}]
    same = ", ".join(each for each in kept if each not in new)
    return " ".join(
        [f"Kept as drafts: {', '.join(new)}. Next: lint."] * bool(new)
        + [f"Published as it is, and unchanged: {same}."] * bool(same)
    )


def check(kind: "Kind", target: str, by: str | None, data: Path | None) -> "Linted":
    """Everything wrong with a file, or with a version that is kept."""
    from states.catalogue import bundles, publishing

    if is_file(target) or (kind in bundles.ONCE and target != ONE):
        raw = content(Path(target))
        return publishing.lint(kind, target, raw, surroundings(data))
    code, version = named(target)

    async def work(db: "AsyncConnection", book: "Catalogue", at: datetime) -> "Linted":
        row = await bundles.find(db, kind, code, version)
        return await publishing.check(db, book, row, by, at)

    return catalogued(data, work)


def let_bind(kind: "Kind", target: str, by: str, document: str, data: Path | None) -> str:
    """Publish a version; its code and version."""
    from states.catalogue import bundles, publishing

    code, version = named(target)

    async def work(db: "AsyncConnection", book: "Catalogue", at: datetime) -> str:
        row = await bundles.find(db, kind, code, version)
        await publishing.publish(db, book, row, by, document, at)
        return f"{row.code}@{row.version}"

    return catalogued(data, work)


def text_of(kind: "Kind", target: str, data: Path | None) -> tuple[str, bytes]:
    """The code of a version and its text, byte for byte."""
    from states.catalogue import bundles

    code, version = named(target)

    async def work(db: "AsyncConnection", book: "Catalogue", at: datetime) -> tuple[str, bytes]:
        row = await bundles.find(db, kind, code, version)
        return row.code, row.text.encode()

    return catalogued(data, work)


# What the checker found -------------------------------------------------------------------


def tell(linted: "Sequence[Linted]", *, json: bool) -> None:
    """Each finding with its place, why it is one and how to mend it. Raises `NotClean`."""
    errors = sum(each.severity == "error" for one in linted for each in one.findings)
    warnings = sum(len(one.findings) for one in linted) - errors
    if json:
        as_json([_json(one) for one in linted])
    else:
        for one in linted:
            _show(one)
        console.print(
            f"{len(linted)} checked: {errors} errors, {warnings} warnings.", highlight=False
        )
    if errors:
        raise NotClean(f"the checker found {errors} errors: mend them, and check again")


def _show(one: "Linted") -> None:
    """By line; of more than can be read, the errors first."""
    more = len(one.findings) - SHOWN
    first = sorted(one.findings, key=lambda each: each.severity)[:SHOWN]
    for each in first if more > 0 else one.findings:
        colour = "red" if each.severity == "error" else "yellow"
        console.print(f"[{colour}]{each.severity}[/]", end=" ")
        place = spot(one.file, each.line, each.column, each.field)
        sentence = f"{place}: {each.why}: {each.mend}"
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if more > 0:
        console.print(f"… and {more:,} more in {one.file}.", markup=False, highlight=False)


def _json(one: "Linted") -> dict[str, Any]:
    findings = [
        {"severity": e.severity, "line": e.line, "column": e.column, "field": e.field}
        | {"why": e.why, "mend": e.mend}
        for e in one.findings
    ]
    return {"file": one.file, "findings": findings}


def hand_out(code: str, raw: bytes, to: Path | None, *, json: bool) -> None:
    """The text of a version, byte for byte; or in JSON, as text."""
    if to is not None:
        put(raw, to)
    if json:
        as_json([str(to)] if to is not None else {"code": code, "text": raw.decode()})
    elif to is None:
        put(raw, None)


def put(raw: bytes, to: Path | None) -> None:
    """Bytes to a file or to standard output, as they are. Raises `BadFile`."""
    if to is None:
        typer.echo(raw, nl=False)
        return
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(raw)
    except OSError as wrong:
        raise BadFile(str(to), None, None, f"cannot be written: {wrong.strerror}") from wrong


__all__ = [
    "ONE",
    "By",
    "Checker",
    "Data",
    "Decision",
    "Files",
    "Json",
    "Out",
    "catalogued",
    "check",
    "content",
    "hand_out",
    "is_file",
    "let_bind",
    "named",
    "procedure",
    "put",
    "surroundings",
    "take",
    "tell",
    "text_of",
    "told",
]
