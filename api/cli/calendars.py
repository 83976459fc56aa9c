"""`hoso calendars`: years at a glance, and corrections as change sets."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import bundles as kept
from api.cli.bundles import By, Data, Decision, Json, Out, catalogued
from api.cli.changes import Reason, announce
from api.cli.output import as_json, console, listed
from states import yaml_files
from states.clock.words import Lang
from states.errors import BadInput

Name = Annotated[str, typer.Argument(metavar="CALENDAR", help="As in vn.")]
Dates = Annotated[
    str,
    typer.Option(
        "--dates",
        help="Dates already promised: keep them, move them, or move them later only.",
        metavar="keep|move|later",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Working calendars and their corrections.", no_args_is_help=True)
    for command in (list_, show, versions, export, propose):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="calendars")


# Seen -------------------------------------------------------------------------------------


def list_(data: Data = None, json: Json = False) -> None:
    """The calendars there are, and from which each inherits."""
    from states import calendars
    from states.changes.proposing import texts_of

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        texts, rows = await texts_of(db), []
        for name in sorted(book.calendars):
            said, made = calendars.parse(texts[name].encode()), book.calendar(name)
            rows.append(
                {
                    "name": name,
                    "title": said.vi,
                    "inherits": said.inherits,
                    "version": made.version,
                    "versions": len(book.calendars[name]),
                    "from": made.first,
                    "to": made.last,
                }
            )
        return rows

    rows = catalogued(data, work)
    columns = ("name", "inherits", "version", "versions", "from", "to", "title")
    listed("Lịch làm việc / Calendars", columns, rows, json=json)


def show(
    calendar: Name,
    year: Annotated[int | None, typer.Option(help="The year.  [default: this one]")] = None,
    lang: Annotated[Lang, typer.Option(help="The language.")] = Lang.vi,
    data: Data = None,
    json: Json = False,
) -> None:
    """A year at a glance, with what decided each day that differs from the ordinary week."""
    from api import calendar_year
    from states import calendars
    from states.changes.proposing import texts_of

    async def work(db: Any, book: Any, at: datetime) -> tuple[Any, Any]:
        texts, made = await texts_of(db), book.calendar(calendar)
        files = {name: calendars.parse(text.encode()) for name, text in texts.items()}
        return made, calendars.resolve(calendar, files.__getitem__).overrides

    made, exceptions = catalogued(data, work)
    year = year or datetime.now(made.zone).year
    if not made.first.year <= year <= made.last.year:
        raise BadInput(
            f"calendar {calendar} reaches from {made.first.year} to {made.last.year}: name one of"
            " those years"
        )
    if json:
        as_json(calendar_year.year_json(made, year, exceptions))
    else:
        console.print(calendar_year.render(made, year, exceptions, lang))


def versions(calendar: Name, data: Data = None, json: Json = False) -> None:
    """Every version: its digest as traces name it, who decided it and by which document."""
    from states.catalogue import bundles
    from states.catalogue.rows import Kind

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        return [
            {
                "version": row.version,
                "digest": row.digest,
                "status": row.status,
                "dates": row.dates,
                "document": row.document,
                "drafted_by": row.drafted_by,
                "published_by": row.published_by,
                "published_at": row.published_at,
            }
            for row in await bundles.versions(db, Kind.calendar, calendar)
        ]

    rows = catalogued(data, work)
    columns = ("version", "digest", "status", "dates", "drafted_by", "published_by", "document")
    listed(calendar, columns, rows, json=json)


def export(calendar: Name, to: Out = None, data: Data = None, json: Json = False) -> None:
    """The text of a calendar, byte for byte."""
    from states.catalogue.rows import Kind

    kept.hand_out(*kept.text_of(Kind.calendar, calendar, data), to, json=json)


# Corrected --------------------------------------------------------------------------------


def propose(
    calendar: Name,
    by: By,
    reason: Reason,
    document: Decision,
    off: Annotated[list[str] | None, typer.Option(metavar="DAY", help="Becomes off.")] = None,
    work: Annotated[list[str] | None, typer.Option(metavar="DAY", help="Is worked.")] = None,
    withdraw: Annotated[
        list[str] | None, typer.Option(metavar="DAY", help="Is as if nothing had been decided.")
    ] = None,
    replaces: Annotated[
        str | None, typer.Option(metavar="DAY", help="Whose hours a worked day has.")
    ] = None,
    issued: Annotated[str | None, typer.Option(metavar="DAY", help="Of the document.")] = None,
    reason_en: Annotated[str | None, typer.Option(help="The reason in English.")] = None,
    overrule: Annotated[bool, typer.Option(help="Decide anew what was decided.")] = False,
    file: Annotated[Path | None, typer.Option(help="Or the whole text, new or changed.")] = None,
    dates: Dates = "later",
    restate: Annotated[
        bool, typer.Option("--restate", help="Read closed dossiers again, on the record.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Propose days of a calendar decided otherwise: seen, approved, then applied."""
    from states.calendars import Override
    from states.catalogue.rows import Dates as Policy
    from states.changes import proposing

    if dates not in set(Policy):
        raise typer.BadParameter("must be keep, move or later", param_hint="--dates")
    days = {"--off": off, "--work": work, "--withdraw": withdraw}
    about = {"--issued": issued, "--reason-en": reason_en, "--overrule": overrule}
    _check_used(file, days, {"--replaces": replaces, **about})

    decided = partial(
        Override,
        vi=reason,
        en=reason_en or reason,
        source=document,
        issued=day(issued) if issued else None,
        verified=False,
    )
    like = day(replaces) if replaces else None
    edits = [(day(each), decided(works=False)) for each in off or ()]
    edits += [(day(each), decided(works=True, replaces=like)) for each in work or ()]
    gone = [day(each) for each in withdraw or ()]

    proposing.check_said(reason, document)

    async def run(db: Any, book: Any, at: datetime) -> int:
        texts = await proposing.texts_of(db)
        today = [(on, replace(said, recorded=book.day(at))) for on, said in edits]
        text = kept.content(file) if file else _edited(texts, calendar, today, gone, overrule)
        return await proposing.propose_calendar(
            db,
            book,
            calendar,
            text,
            dates=Policy(dates),
            restates=restate,
            reason=reason,
            ground=document,
            by=by,
            at=at,
        )

    announce(catalogued(data, run), json=json)


def _check_used(file: Path | None, days: Mapping[str, object], about: Mapping[str, object]) -> None:
    """Raises `BadParameter` where there is nothing to do, or something that nobody would read."""
    if file is None and not any(days.values()):
        raise typer.BadParameter("say which days, or give a --file", param_hint=" / ".join(days))
    if file is not None:
        for name in (name for name, given in {**days, **about}.items() if given):
            raise typer.BadParameter("leave it out: --file is the whole text", param_hint=name)
    if about["--replaces"] and not days["--work"]:
        raise typer.BadParameter("is for a day that is worked: name it", param_hint="--replaces")


def _edited(
    texts: Any, name: str, edits: list[tuple[date, Any]], gone: list[date], overrule: bool
) -> bytes:
    from states.calendars.editing import with_exception, without_exception

    if name not in texts:
        raise BadInput(f"there is no calendar {name[:40]}: known are {', '.join(sorted(texts))}")
    text: bytes = texts[name].encode()
    for each in gone:
        text = without_exception(text, each)
    for each, exception in edits:
        text = with_exception(text, each, exception, overrule=overrule)
    return text


def day(text: str) -> date:
    """Raises `BadInput`."""
    try:
        return yaml_files.day(text)
    except ValueError:
        raise BadInput(f"'{text[:40]}' is no day: write it as in 2023-11-24") from None
