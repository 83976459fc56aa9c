"""`hoso changes`: what moves running dossiers, seen before it binds, approved, applied."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.bundles import By, Data, Json, catalogued
from api.cli.output import as_json, console, local, table
from api.cli.place import placed, prefect_here

if TYPE_CHECKING:
    from states.changes.preview import Foreseen

Number = Annotated[int, typer.Argument(help="The change set, as `hoso changes list` has it.")]
Reason = Annotated[str, typer.Option(help="Why: the citizens are told.")]
SHOWN = 20  # dossiers in a table; --json has them all


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Change sets: what moves running dossiers.", no_args_is_help=True)
    for command in (list_, show, approve, reject, apply, undo):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="changes")


def announce(number: int, *, json: bool) -> None:
    """What to do with a change set that was proposed."""
    if json:
        as_json({"change": number})
        return
    console.print(
        f"Proposed as change {number}. See what it does: hoso changes show {number}. A second"
        f" person approves it: hoso changes approve {number} --by …",
        highlight=False,
    )


def list_(data: Data = None, json: Json = False) -> None:
    """All change sets, the newest first."""
    from states.changes import deciding

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        return await deciding.every(db)

    rows = catalogued(data, work)
    if json:
        as_json(rows)
        return
    columns = ("id", "kind", "subject", "status", "proposed_by", "decided_by", "moved", "reason")
    lines = [[str(row[name] or "") for name in columns] for row in rows]
    console.print(table("Thay đổi / Changes", columns, lines))


def show(number: Number, data: Data = None, json: Json = False) -> None:
    """What a change set does to every dossier it is about: dates before and after."""
    row, seen, days = catalogued(data, lambda db, book, at: _seen(db, book, number, at, json=json))
    if json:
        as_json({**row, **_foreseen_json(seen), "days": list(map(_day_json, days))})
        return
    console.print(
        "Change {id}: {kind} {subject}, {status}. {reason} ({ground}).".format(**row),
        highlight=False,
        markup=False,
    )
    console.print(
        "Proposed by {proposed_by}; decided by {decider}. Moved {moved:,}, left {stayed:,},"
        " refused {refused:,}.".format(**row, decider=row["decided_by"] or "nobody yet"),
        highlight=False,
    )
    for day in days[:SHOWN]:
        console.print(f"  {_day(day)}", highlight=False, markup=False)
    _show(seen)


async def _seen(
    db: Any, book: Any, number: int, at: datetime, *, json: bool
) -> tuple[Any, "Foreseen", list[Any]]:
    from states.changes import applying, deciding, preview

    row = await deciding.find(db, number)
    days = await deciding.days(db, row)
    book = await deciding.as_proposed(db, book, row)
    plan = applying.planned(row, book, at)
    seen = await preview.foreseen(db, book, plan, None if json else SHOWN)
    return deciding.told(row), seen, days


def _show(seen: "Foreseen") -> None:
    from states.changes.preview import Effect

    told = {
        Effect.breaks: "lose a promised date",
        Effect.nearer: "get an earlier date",
        Effect.restated: "closed, and read anew",
        Effect.refused: "are refused",
        Effect.held: "wait: no date is in force",
        Effect.kept: "are left as they are",
        Effect.same: "keep their date",
    }
    counts = [(text, seen.counts[effect]) for effect, text in told.items() if seen.counts[effect]]
    console.print(table("Hồ sơ / Dossiers", ("", "dossiers"), counts or [("none is moved", 0)]))
    if not seen.items:
        return
    rows = [
        (
            each.code,
            each.effect,
            local(each.due),
            local(each.due_after),
            _change(each.verdict, each.verdict_after) or _change(each.stage, each.stage_after),
            each.why or "",
        )
        for each in seen.items
    ]
    columns = ("code", "effect", "due", "due after", "class, stage", "why")
    console.print(table(f"The first {len(rows)} that move", columns, rows))


def _change(was: Any, now: Any) -> str:
    return "" if was == now else f"{was or '–'} → {now or '–'}"


def _day(day: Any) -> str:
    hours = [
        " ".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in each) or "off" for each in (day.was, day.now)
    ]
    return f"{day.day:%a %d/%m/%Y}: {hours[0]} → {hours[1]}  {day.note}" if day.day else day.note


def _day_json(day: Any) -> dict[str, Any]:
    hours = [[f"{a:%H:%M}-{b:%H:%M}" for a, b in each] for each in (day.was, day.now)]
    return {"day": day.day, "was": hours[0], "now": hours[1], "note": day.note}


def _foreseen_json(seen: "Foreseen") -> dict[str, Any]:
    from dataclasses import asdict

    return {"counts": seen.counts, "dossiers": [asdict(each) for each in seen.items]}


# Decided ----------------------------------------------------------------------------------


def approve(number: Number, by: By, data: Data = None, json: Json = False) -> None:
    """Let it bind; never one's own. Running workers apply it, or `hoso changes apply`."""
    from states.changes import deciding

    catalogued(data, lambda db, book, at: deciding.approve(db, book, number, by, at))
    _told(number, "approved: a worker applies it, or `hoso changes apply`", json=json)


def reject(number: Number, by: By, data: Data = None, json: Json = False) -> None:
    """Drop a proposal."""
    from states.changes import deciding

    catalogued(data, lambda db, book, at: deciding.reject(db, book, number, by, at))
    _told(number, "rejected", json=json)


def undo(number: Number, by: By, data: Data = None, json: Json = False) -> None:
    """Have a migration taken back, for every dossier that nobody has moved since."""
    from states.changes import deciding

    catalogued(data, lambda db, book, at: deciding.undo(db, book, number, by, at))
    _told(number, "to be taken back: a worker does it, or `hoso changes apply`", json=json)


def _told(number: int, what: str, *, json: bool) -> None:
    if json:
        as_json({"change": number, "is": what.partition(":")[0]})
    else:
        console.print(f"Change {number} is {what}.", highlight=False, markup=False)


def apply(data: Data = None, json: Json = False) -> None:
    """Apply every approved change set now: one run, an entry a dossier."""
    from api.cli.data import run
    from flows.recompute import recompute

    with placed(data) as place:
        prefect_here(place)
        moved = asyncio.run(run(recompute, None))
    if json:
        as_json(moved)
    else:
        console.print(table("changes", ("what", "dossiers"), moved.items()))
