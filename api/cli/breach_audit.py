"""`hoso breaches groups`, `compare`, `apologies`: the audit's view of them all."""

from typing import Annotated

import typer

from api.cli.breach_filters import (
    Agency,
    FieldOf,
    In,
    OfCause,
    OfRule,
    Procedure,
    Stands,
    Unit,
    chosen,
)
from api.cli.bundles import Data, Json, catalogued
from api.cli.output import as_json, console, listed

GROUPS = "agency, unit, person, procedure, field, rule, cause, month or holder"
Told = Annotated[str, typer.Option("--by", help=f"{GROUPS}.")]
GROUPED = {
    "group": "", "breaches": "breaches", "share": "%", "minutes": "minutes late",
    "share_of_minutes": "% of them", "running": "late still", "unexplained": "not explained",
    "without_apology": "no apology", "corrected": "set aside",
}  # fmt: skip
COMPARED = {
    "group": "", "before": "before", "after": "after", "change": "change", "share_before": "% then",
    "share_after": "% now", "minutes_before": "minutes before", "minutes_after": "minutes after",
}  # fmt: skip
FOLLOWED = {
    "code": "code", "at": "given", "promised": "new date", "finished_at": "result",
    "came": "came", "moved": "moved",
}  # fmt: skip
SHOWN = 100
Earlier = Annotated[str, typer.Argument(help="A period: 2023, 2023-H1, 2023-Q1, 2023-01.")]


def add_to(group: typer.Typer) -> None:
    """Register the commands."""
    for command in (groups, compare, apologies):
        group.command()(command)


def groups(
    by: Told = "unit",
    months: Annotated[bool, typer.Option("--months", help="Of each month.")] = False,
    agency: Agency = None,
    unit: Unit = None,
    procedure: Procedure = None,
    field: FieldOf = None,
    rule: OfRule = None,
    cause: OfCause = None,
    standing: Stands = None,
    period: In = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """How many of each unit, cause, holder …, how late, and which share of all."""
    from states.breaches import grouping

    apart = grouping.by_word(by)
    only = chosen(
        agency=agency, unit=unit, procedure=procedure, field=field, rule=rule, cause=cause,
        standing=standing, period=period,
    )  # fmt: skip
    rows = catalogued(
        data,
        lambda db, book, at: grouping.grouped(db, book, only(at), apart, monthly=months),
    )
    words = ({"month": "month"} if months else {}) | GROUPED | {"group": by}
    listed("Vi phạm thời hạn / Breaches", words, [_row(row) for row in rows], json=json)


def compare(
    before: Earlier,
    after: Earlier,
    by: Told = "cause",
    agency: Agency = None,
    unit: Unit = None,
    procedure: Procedure = None,
    field: FieldOf = None,
    rule: OfRule = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Two periods side by side; what changed most comes first. Shares are of each period's own."""
    from states.breaches import grouping
    from states.figures.periods import Period

    apart, ends = grouping.by_word(by), (Period.parse(before), Period.parse(after))
    spans = tuple(grouping.Span(each.since, each.until) for each in ends if each.since)
    only = chosen(agency=agency, unit=unit, procedure=procedure, field=field, rule=rule)
    rows = catalogued(
        data,
        lambda db, book, at: grouping.compared(db, book, only(at), apart, (spans[0], spans[1])),
    )
    title = f"Vi phạm / Breaches {before} → {after}"
    listed(title, COMPARED | {"group": by}, [_row(row) for row in rows], json=json)


def _row(row: dict[str, object]) -> dict[str, object]:
    """Whole percents; what has no name has a dash."""
    told = {name: f"{cell:.0f}" if isinstance(cell, float) else cell for name, cell in row.items()}
    return told | {"group": row["group"] if row["group"] is not None else "–"}


def apologies(
    came: Annotated[str | None, typer.Option(help="kept, missed, running or ended.")] = None,
    agency: Agency = None,
    period: Annotated[str | None, typer.Option(help="Given in 2023, 2023-Q1 …")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Apologies followed to the new date they gave: was it kept?"""
    from states.breaches import following
    from states.figures.periods import Period

    within = None if period is None else Period.parse(period)
    which = None if came is None else following.came_word(came)
    rows = catalogued(
        data,
        lambda db, book, at: following.every(
            db, book, at, None if json else SHOWN + 1, agency=agency, came=which,
            since=None if within is None else within.since,
            until=None if within is None else within.until,
        ),
    )  # fmt: skip
    if json:
        as_json(rows)
        return
    listed("Xin lỗi và hẹn lại / Apologies and new dates", FOLLOWED, rows[:SHOWN], json=False)
    if len(rows) > SHOWN:
        console.print("… and more: narrow it, or --json for all.", highlight=False)
