"""`hoso breaches`: what was missed, who had it, and what was said of it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import breach_audit
from api.cli.breach_filters import (
    Agency,
    FieldOf,
    Had,
    In,
    LateBelow,
    LateFrom,
    OfCause,
    OfRule,
    Owed,
    Procedure,
    Stands,
    To,
    Unapologised,
    Unit,
    WithApology,
    chosen,
)
from api.cli.bundles import By, Data, Json, Work, catalogued
from api.cli.data import moment
from api.cli.output import as_json, console, listed, local, table

Code = Annotated[str, typer.Argument(help="The dossier's code.")]
Rule = Annotated[str, typer.Argument(help="The rule that was missed, as the list has it.")]
Visit = Annotated[int | None, typer.Option(help="The visit, where several missed the rule.")]
Deadline = Annotated[int | None, typer.Option(help="The version, where several were missed.")]
# Written out, for a quick start.
CAUSES = "workload, absence, waiting_for_other, incomplete_dossier, complex_case, system or other"
SHOWN = 100  # in a table; --json has them all
COLUMNS = ("code", "rule", "unit", "due_at", "minutes", "standing")
COUNTED = ("agency", "unit", "cause", "breaches", "running", "minutes", "unexplained",
           "without_apology", "corrected")  # fmt: skip
SHARES = ("kind", "unit", "person", "agency", "minutes", "late_minutes")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Breaches: what was missed, and why.", no_args_is_help=True)
    for command in (list_, summary, show, assign, explain, close, reopen):
        group.command(command.__name__.rstrip("_"))(command)
    breach_audit.add_to(group)
    app.add_typer(group, name="breaches")


def list_(
    agency: Agency = None,
    unit: Unit = None,
    person: Had = None,
    procedure: Procedure = None,
    field: FieldOf = None,
    rule: OfRule = None,
    cause: OfCause = None,
    standing: Stands = None,
    period: In = None,
    late_from: LateFrom = None,
    late_below: LateBelow = None,
    assigned_to: To = None,
    owed: Owed = False,
    with_apology: WithApology = False,
    without_apology: Unapologised = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Breaches, what was due first before the rest; working minutes late, once that has ended."""
    from states.breaches import listing

    only = chosen(
        agency=agency, unit=unit, person=person, procedure=procedure, field=field, rule=rule,
        cause=cause, standing=standing, period=period, late_from=late_from, late_below=late_below,
        assigned_to=assigned_to, owed=owed, with_apology=with_apology,
        without_apology=without_apology,
    )  # fmt: skip
    most = None if json else SHOWN + 1
    rows = catalogued(data, lambda db, book, at: listing.every(db, book, only(at), most))
    if json:
        as_json(rows)
        return
    told = [row | {"standing": _standing(row)} for row in rows[:SHOWN]]
    listed("Vi phạm thời hạn / Breaches", COLUMNS, told, json=False)
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

    only = listing.Only(agency, unit, rule)
    rows = catalogued(data, lambda db, book, at: listing.by_cause(db, book, only))
    listed("Theo nguyên nhân / By cause", COUNTED, rows, json=json)


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
    if row["corrected_seq"]:
        _say(
            f"  set aside by correction, line {row['corrected_seq']}: by the corrected calendar it"
            " was not late, and nobody is to explain it; before that it was"
        )
    late = f"late until {local(row['ended_at'])}, {row['minutes']} working minutes"
    apology = f"apology: line {row['apology_seq']}" if row["apology_seq"] else "no apology"
    _say(f"  {late if row['ended_at'] else 'late still'}; {apology}; {row['standing']}")
    if row["attribution"]:
        shares = [[each[name] for name in SHARES] for each in row["attribution"]]
        console.print(table("Ai giữ hồ sơ / Who had it", SHARES, shares))
    for each in row["lines"]:
        _say(f"  {local(each['at'])} {each['actor']} {each['step']} {_what(each)}".rstrip())


def _standing(row: dict[str, Any]) -> str:
    seq = row["corrected_seq"]
    return str(row["standing"]) if seq is None else f"corrected, line {seq}"


def _what(line: dict[str, Any]) -> str:
    """What a line says beside who did what when."""
    until = f"until {local(line['until'])}" if "until" in line else None
    said = ("assigned_to", "cause", "explanation", "finding", "reason")
    return " ".join(str(each) for each in (*(line.get(name) for name in said), until) if each)


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False)


# Done about one -----------------------------------------------------------------------------


def assign(
    code: Code,
    rule: Rule,
    to: Annotated[str, typer.Option(help="Id of the person who is to explain it.")],
    by: By,
    until: Annotated[str | None, typer.Option(help="By when; a reminder follows.")] = None,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say who is to explain it, and until when: a leader, or the control unit."""
    from states.breaches import explaining, listing

    named, end = listing.Named(code, rule, visit, deadline), moment(until)
    _do(data, lambda db, book, at: explaining.assign(db, book, named, to, by, at, end))
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
    finding: Annotated[str, typer.Option(help="What the control unit found.")],
    by: By,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say what was found: the control unit. Nothing changes after, unless it is reopened."""
    from states.breaches import explaining, listing

    named = listing.Named(code, rule, visit, deadline)
    _do(data, lambda db, book, at: explaining.close(db, book, named, finding, by, at))
    _told(code, rule, "closed", json=json)


def reopen(
    code: Code,
    rule: Rule,
    reason: Annotated[str, typer.Option(help="What has come to light.")],
    by: By,
    visit: Visit = None,
    deadline: Deadline = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take a closing back: the control unit. It is explained as it was, to be judged again."""
    from states.breaches import explaining, listing

    named = listing.Named(code, rule, visit, deadline)
    _do(data, lambda db, book, at: explaining.reopen(db, book, named, reason, by, at))
    _told(code, rule, "reopened", json=json)


def _do(data: Path | None, work: Work[None]) -> None:
    catalogued(data, work)


def _told(code: str, rule: str, what: str, *, json: bool) -> None:
    if json:
        as_json({"code": code, "rule": rule, "is": what})
    else:
        console.print(f"{rule} of {code} is {what}.", highlight=False, markup=False)
