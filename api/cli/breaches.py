"""`hoso breaches`: what was missed, who had it, and what was said of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.bundles import By, Data, Json, Work, catalogued
from api.cli.output import as_json, console, listed, local, table

if TYPE_CHECKING:
    from states.breaches.listing import Only

Code = Annotated[str, typer.Argument(help="The dossier's code.")]
Rule = Annotated[str, typer.Argument(help="The rule that was missed, as the list has it.")]
Visit = Annotated[int | None, typer.Option(help="The visit, where several missed the rule.")]
Deadline = Annotated[int | None, typer.Option(help="The version, where several were missed.")]
Agency = Annotated[str | None, typer.Option(help="Only of this agency's dossiers.")]
Unit = Annotated[str | None, typer.Option(help="Only what lay in this unit.")]
OfRule = Annotated[str | None, typer.Option("--rule", help="Only of this rule.")]
Stands = Annotated[str | None, typer.Option(help="open, assigned, explained or closed.")]
Unapologised = Annotated[
    bool, typer.Option("--without-apology", help="Only late dossiers without an apology.")
]
# Written out, for a quick start.
CAUSES = "workload, absence, waiting_for_other, incomplete_dossier, complex_case, system or other"
SHOWN = 100  # in a table; --json has them all
COLUMNS = ("code", "rule", "unit", "due_at", "minutes", "standing")
COUNTED = ("agency", "unit", "cause", "breaches", "running", "minutes", "unexplained")
SHARES = ("kind", "unit", "person", "agency", "minutes", "late_minutes")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Breaches: what was missed, and why.", no_args_is_help=True)
    for command in (list_, summary, show, assign, explain, close):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="breaches")


def list_(
    agency: Agency = None,
    unit: Unit = None,
    rule: OfRule = None,
    standing: Stands = None,
    without_apology: Unapologised = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Breaches, what was due first before the rest; working minutes late, once that has ended."""
    from states.breaches import listing

    only = _only(agency, unit, rule, standing, without_apology=without_apology)
    most = None if json else SHOWN + 1
    rows = catalogued(data, lambda db, book, at: listing.every(db, book, only, most))
    if json:
        as_json(rows)
        return
    listed("Vi phạm thời hạn / Breaches", COLUMNS, rows[:SHOWN], json=False)
    if len(rows) > SHOWN:
        console.print("… and more: narrow it, or --json for all.", highlight=False)


def summary(
    agency: Agency = None,
    unit: Unit = None,
    rule: OfRule = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """How many of each unit and cause."""
    from states.breaches import listing

    only = _only(agency, unit, rule, None)
    rows = catalogued(data, lambda db, book, at: listing.by_cause(db, book, only))
    listed("Theo nguyên nhân / By cause", (*COUNTED, "without_apology"), rows, json=json)


def _only(
    agency: str | None,
    unit: str | None,
    rule: str | None,
    standing: str | None,
    *,
    without_apology: bool = False,
) -> "Only":
    from states.breaches import listing

    stands = listing.standing(standing) if standing is not None else None
    return listing.Only(agency, unit, rule, stands, without_apology)


def show(code: Code, data: Data = None, json: Json = False) -> None:
    """All breaches of a dossier: whose time it was, what was said, who did what."""
    from states.breaches import listing

    rows = catalogued(data, lambda db, book, at: listing.of_dossier(db, code))
    if json:
        as_json(rows)
        return
    if not rows:
        console.print(f"{code} has no breach.", highlight=False, markup=False)
    for row in rows:
        _show(row)


def _show(row: dict[str, Any]) -> None:
    _say(
        f"{row['rule']} (visit {row['visit']}, deadline {row['deadline']}): due"
        f" {local(row['due_at'])}, held by {row['unit']} {row['person'] or ''}".rstrip()
    )
    late = f"late until {local(row['ended_at'])}, {row['minutes']} working minutes"
    apology = f"apology: line {row['apology_seq']}" if row["apology_seq"] else "no apology"
    _say(f"  {late if row['ended_at'] else 'late still'}; {apology}; {row['standing']}")
    if row["attribution"]:
        shares = [[each[name] for name in SHARES] for each in row["attribution"]]
        console.print(table("Ai giữ hồ sơ / Who had it", SHARES, shares))
    for each in row["lines"]:
        what = each.get("assigned_to") or f"{each.get('cause', '')} {each.get('explanation', '')}"
        _say(f"  {local(each['at'])} {each['actor']} {each['step']} {what}".rstrip())


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False)


# Done about one -----------------------------------------------------------------------------


def assign(
    code: Code,
    rule: Rule,
    to: Annotated[str, typer.Option(help="Id of the person who is to explain it.")],
    by: By,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say who is to explain it: a leader, or the control unit."""
    from states.breaches import explaining, listing

    named = listing.Named(code, rule, visit, deadline)
    _do(data, lambda db, book, at: explaining.assign(db, book, named, to, by, at))
    _told(code, rule, "assigned", json=json)


def explain(
    code: Code,
    rule: Rule,
    cause: Annotated[str, typer.Option(help=f"{CAUSES}.")],
    text: Annotated[str, typer.Option(help="What happened, and what was done.")],
    by: By,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say why, for the unit that had it; again until it is closed."""
    from states.breaches import explaining, listing

    named, why = listing.Named(code, rule, visit, deadline), listing.cause(cause)
    _do(data, lambda db, book, at: explaining.explain(db, book, named, why, text, by, at))
    _told(code, rule, "explained", json=json)


def close(
    code: Code,
    rule: Rule,
    by: By,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Be content with the explanation: the control unit."""
    from states.breaches import explaining, listing

    named = listing.Named(code, rule, visit, deadline)
    _do(data, lambda db, book, at: explaining.close(db, book, named, by, at))
    _told(code, rule, "closed", json=json)


def _do(data: Path | None, work: Work[None]) -> None:
    catalogued(data, work)


def _told(code: str, rule: str, what: str, *, json: bool) -> None:
    if json:
        as_json({"code": code, "rule": rule, "is": what})
    else:
        console.print(f"{rule} of {code} is {what}.", highlight=False, markup=False)
