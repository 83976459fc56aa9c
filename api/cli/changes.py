"""`hoso changes`: what moves running dossiers, seen before it binds, approved, applied."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.bundles import By, Data, Json, catalogued
from api.cli.output import as_json, console, listed, local, table
from api.cli.place import placed, prefect_here

if TYPE_CHECKING:
    from states.changes.preview import Foreseen

Number = Annotated[int, typer.Argument(help="The change set, as `hoso changes list` has it.")]
Reason = Annotated[str, typer.Option(help="Why: the citizens are told.")]
SHOWN, WHYS = 20, 3  # dossiers in a table, and sentences below it; --json has them all


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
    for line in (
        f"Proposed as change {number}.",
        f"What it does: hoso changes show {number}",
        f"A second person lets it bind: hoso changes approve {number} --by …",
    ):
        console.print(line, highlight=False)


def list_(data: Data = None, json: Json = False) -> None:
    """All change sets, the newest first."""
    rows = _all(data)
    columns = ("id", "kind", "subject", "status", "proposed_by", "decided_by", "moved", "reason")
    listed("Thay đổi / Changes", columns, rows, json=json)


def _all(data: Path | None) -> list[dict[str, Any]]:
    from states.changes import deciding

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        return await deciding.every(db)

    return catalogued(data, work)


# Seen -------------------------------------------------------------------------------------


def show(number: Number, data: Data = None, json: Json = False) -> None:
    """What a change set will do to every dossier it is about: dates before and after."""
    row, seen, days = catalogued(data, lambda db, book, at: _seen(db, book, number, at, json=json))
    if json:
        as_json({**row, **_foreseen_json(seen), "days": list(map(_day_json, days))})
        return
    for line in (
        "Change {id}: {kind} {subject}, {status}. {reason} ({ground}).".format(**row),
        "Proposed by {proposed_by}; decided by {decider}.".format(
            **row, decider=row["decided_by"] or "nobody yet"
        ),
        _terms(row["kind"], row["says"]),
    ):
        console.print(line, highlight=False, markup=False)
    if days:
        _show_days(days)
    if row["moved"] or seen is None:
        done = "Moved {moved:,}, left {stayed:,}, refused {refused:,}.".format(**row)
        console.print(done, highlight=False)
    if seen is not None:
        _show(number, seen)


async def _seen(
    db: Any, book: Any, number: int, at: datetime, *, json: bool
) -> tuple[Any, "Foreseen | None", list[Any]]:
    """None is foreseen of what was done or dropped."""
    from states.changes import applying, deciding, preview
    from states.changes.rows import RUNNING

    row = await deciding.find(db, number)
    days = await deciding.days(db, row)
    if row.status not in RUNNING:
        return deciding.told(row), None, days
    book = await deciding.as_proposed(db, book, row)
    plan = applying.planned(row, book, at)
    seen = await preview.foreseen(db, book, plan, None if json else SHOWN)
    return deciding.told(row), seen, days


DATES = {
    "keep": "Dates already promised stay.",
    "move": "Dates already promised move, nearer ones too.",
    "later": "Dates already promised move later, and none nearer.",
}


def _terms(kind: str, says: dict[str, Any]) -> str:
    """By which policy dossiers move."""
    if kind == "calendar":
        again = " Closed dossiers are read again, on the record." if says["restates"] else ""
        return f"{DATES[says['dates']]}{again}"
    mapped = "".join(f" Stage {old} becomes {new}." for old, new in says["stages"].items())
    may = "Who approves agrees that citizens lose a promised date."
    may_not = "No citizen loses a promised date: that dossier stays."
    return f"To version {says['to']}.{mapped} {may if says['overrides'] else may_not}"


def _show_days(days: list[Any]) -> None:
    rows = [
        (f"{each.day:%a %d/%m/%Y}" if each.day else "", *map(_hours, _span(each)), each.note)
        for each in days[:SHOWN]
    ]
    title = f"The first {SHOWN} of {len(days):,} days" if len(days) > SHOWN else "Ngày / Days"
    console.print(table(title, ("day", "was", "is", "by"), rows))


def _span(day: Any) -> tuple[Any, Any]:
    return (day.was, day.now) if day.day else (None, None)


def _hours(sessions: Any) -> str:
    if sessions is None:
        return ""
    return " ".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in sessions) or "off"


def _show(number: int, seen: "Foreseen") -> None:
    from states.changes.preview import Effect

    told = {
        Effect.breaks: "lose a promised date",
        Effect.nearer: "get an earlier date",
        Effect.restated: "closed, and read anew",
        Effect.refused: "are refused",
        Effect.held: "wait: read by the new rules when they go on",
        Effect.kept: "are left as they are, by the policy",
        Effect.same: "keep their date, under the new rules",
    }
    counts = [(text, seen.counts[effect]) for effect, text in told.items() if seen.counts[effect]]
    if not counts:
        console.print("It moves no dossier.", highlight=False)
        return
    console.print(table("Hồ sơ / Dossiers", ("", "dossiers"), counts))
    if seen.items:
        _show_items(number, seen)


def _show_items(number: int, seen: "Foreseen") -> None:
    columns = ["code", "effect", "due", "due after", "class, stage"]
    rows = [
        [
            each.code,
            each.effect,
            local(each.due),
            local(each.due_after),
            _change(each.verdict, each.verdict_after) or _change(each.stage, each.stage_after),
        ]
        for each in seen.items
    ]
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    of = f"{len(rows)} of {seen.moving:,}" if seen.moving > len(rows) else f"{len(rows)}"
    console.print(
        table(f"The {'first ' * (' ' in of)}{of} that move or are refused", columns, rows)
    )
    whys = [(each.code, each.why) for each in seen.items if each.why]
    for code, why in whys[:WHYS]:
        told = why if why.startswith(code) else f"{code}: {why}"
        console.print(told, highlight=False, markup=False)
    if len(whys) > WHYS:
        console.print(f"… and so on: hoso changes show {number} --json has all.", highlight=False)


def _change(was: Any, now: Any) -> str:
    return "" if was == now else f"{was or '–'} → {now or '–'}"


def _day_json(day: Any) -> dict[str, Any]:
    hours = [[f"{a:%H:%M}-{b:%H:%M}" for a, b in each] for each in (day.was, day.now)]
    return {"day": day.day, "was": hours[0], "now": hours[1], "note": day.note}


def _foreseen_json(seen: "Foreseen | None") -> dict[str, Any]:
    from dataclasses import asdict

    if seen is None:
        return {"counts": {}, "dossiers": []}
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

    with placed(data) as place:
        prefect_here(place)
        from flows.recompute import recompute  # Prefect reads its settings when it is imported

        run_for = asyncio.run(run(recompute, None))
    rows = [row for row in reversed(_all(data)) if f"change {row['id']}" in run_for]
    columns = ("id", "status", "moved", "stayed", "refused")
    if json:
        as_json([{name: row[name] for name in columns} for row in rows])
    elif not rows:
        console.print("No change set waits to be applied.", highlight=False)
    else:
        lines = [[row[name] for name in columns] for row in rows]
        console.print(table("Thay đổi / Changes", columns, lines))
