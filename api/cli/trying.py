"""`hoso procedures simulate`: what a draft would have made of the dossiers there were."""

from datetime import date, datetime, time
from typing import Annotated, Any

import typer

from api.cli.bundles import Data, Json, catalogued, procedure
from api.cli.output import as_json, console
from states.errors import BadInput, HosoError, Unknown


def simulate(
    drafts: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE or CODE[@VERSION]…", help="All in force, unless named."),
    ] = None,
    over: Annotated[
        int | None, typer.Option(help="The year in which the dossiers were closed.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="Or the first day.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="And the first day after.")] = None,
    less: Annotated[str | None, typer.Option(help="Shorten each term by that, as 2wd.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Another calendar than theirs.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Read every closed dossier again by the clock under a draft. Nothing is written."""
    from api.cli import simulating
    from states.simulation import Simulation, as_dict

    async def work(db: Any, book: Any, at: datetime) -> tuple[list[Simulation], dict[str, str]]:
        from states.simulation import simulate as run

        period = _period(over, since, until, book)
        other = book.calendar(calendar) if calendar else None
        made, refused = [], {}
        for code, draft in _drafts(drafts, less, book, texts).items():
            if isinstance(draft, HosoError):
                refused[code] = str(draft)
                continue
            try:
                made.append(await run(db, book, draft, *period, calendar=other))
            except BadInput as wrong:
                refused[code] = str(wrong)
        return made, refused

    texts = _named(drafts or [], data)
    made, refused = catalogued(data, work)
    one = len(drafts or []) == 1 and len(made) == 1
    if json:
        as_json(as_dict(made[0]) if one else simulating.all_as_dict(made, refused))
    elif one:
        simulating.show(console, made[0])
    else:
        simulating.show_all(console, made, refused)


def _named(drafts: list[str], data: Any) -> dict[str, Any]:
    """What is named on the command line, by code: files and versions."""
    found = [procedure(each, data)[1] for each in drafts]
    if len({each.code for each in found}) < len(found):
        raise BadInput("a procedure is named twice: one draft of each is tried")
    return {each.code: each for each in found}


def _drafts(drafts: Any, less: str | None, book: Any, texts: dict[str, Any]) -> dict[str, Any]:
    """The draft of each procedure, or why it cannot be shortened."""
    from states.clock import Term
    from states.simulation import shortened

    found: dict[str, Any] = texts if drafts else _in_force(book)
    if less is None:
        return found
    by = Term.parse(less)
    made: dict[str, Any] = {}
    for code, each in found.items():
        try:
            made[code] = shortened(each, by)
        except BadInput as wrong:
            made[code] = wrong
    return made


def _in_force(book: Any) -> dict[str, Any]:
    from datetime import UTC

    today, found = book.day(datetime.now(UTC)), {}
    for code in sorted(book.versions):
        try:
            found[code] = book.procedure(code, on=today)
        except Unknown:
            continue  # it is over, or has not begun
    return found


def _period(
    over: int | None, since: str | None, until: str | None, book: Any
) -> tuple[datetime, datetime]:
    """The days in the centre's zone, the last one excluded."""
    if (over is None) == (since is None and until is None):
        raise BadInput("say over which time: --over 2023, or --from and --to")
    if over is not None:
        if not date.min.year <= over < date.max.year:
            raise BadInput(f"{over} is no year of ours: write it as in --over 2023")
        return datetime(over, 1, 1, tzinfo=book.zone), datetime(over + 1, 1, 1, tzinfo=book.zone)
    if since is None or until is None:
        raise BadInput("a period has two ends: give both --from and --to")
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError:
        raise BadInput("a day is written as in 2023-01-31") from None
    return datetime.combine(first, time(), book.zone), datetime.combine(last, time(), book.zone)
