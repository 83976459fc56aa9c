"""`hoso organisation`, `regimes`, `rules`, `templates`, `plans`: what there is one of."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import bundles as kept
from api.cli.bundles import By, Checker, Data, Decision, Json, Out, catalogued
from api.cli.output import as_json, console, listed, table

File = Annotated[
    str, typer.Argument(metavar="[FILE]", help="The draft that is kept, unless named.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    from states.catalogue.rows import Kind

    organisation = typer.Typer(help="Agencies, units, people, delegations.", no_args_is_help=True)
    organisation.command("show")(show)
    organisation.command("queue")(queue)
    regimes = typer.Typer(help="Legal regimes and the numbering of codes.", no_args_is_help=True)
    regimes.command("show")(regimes_show)
    rules = typer.Typer(help="What is watched, and who is told.", no_args_is_help=True)
    rules.command("show")(rules_show)
    templates = typer.Typer(
        help="In which words citizens and staff are told.", no_args_is_help=True
    )
    plans = typer.Typer(help="Targets by year, and which reports are due.", no_args_is_help=True)
    plans.command("show")(plans_show)
    groups = {
        Kind.organisation: organisation,
        Kind.regimes: regimes,
        Kind.rules: rules,
        Kind.templates: templates,
        Kind.plans: plans,
    }
    for kind, group in groups.items():
        _bundle(group, kind)
        app.add_typer(group, name=kind.value)


def _bundle(group: typer.Typer, kind: Any) -> None:
    """The way of a bundle of which there is one, from a file to the counter."""

    @group.command("import")
    def import_(
        file: Annotated[Path, typer.Argument()], by: By, data: Data = None, json: Json = False
    ) -> None:
        """Keep a file as the draft of the next version."""
        [(told, status)] = kept.take(kind, [file], by, data).items()
        version = told.partition("@")[2]
        if json:
            as_json({"version": int(version), "status": status})
        elif status == "published":
            console.print(f"Version {version} is published as it is: no change.", highlight=False)
        else:
            console.print(f"Kept as the draft of version {version}. Next: lint.", highlight=False)

    @group.command("export")
    def export(to: Out = None, data: Data = None, json: Json = False) -> None:
        """The text of the last version, byte for byte."""
        kept.hand_out(*kept.text_of(kind, kept.ONE, data), to, json=json)

    @group.command("lint")
    def lint(
        file: File = kept.ONE, by: Checker = None, data: Data = None, json: Json = False
    ) -> None:
        """Everything that is wrong: where, why, and how to mend it."""
        kept.tell([kept.check(kind, file, by, data)], json=json)

    @group.command("publish")
    def publish(by: By, document: Decision, data: Data = None, json: Json = False) -> None:
        """Let the checked draft take effect."""
        version = kept.let_bind(kind, kept.ONE, by, document, data).partition("@")[2]
        if json:
            as_json({"published": int(version)})
        else:
            console.print(f"Published version {version}.", highlight=False)


# Seen -------------------------------------------------------------------------------------


def show(data: Data = None, json: Json = False) -> None:
    """Agencies, who holds what role where today, and who acts for whom."""

    async def work(db: Any, book: Any, at: datetime) -> dict[str, list[dict[str, Any]]]:
        staff, on = book.organisation, book.day(at)
        return {
            "agencies": [
                {"code": a.code, "name": a.name.vi, "calendar": staff.calendar_of(a.code)}
                for a in (staff.centre, *staff.agencies)
                if a.stands(on)
            ],
            "positions": [
                {"person": p.id, "name": p.name, "unit": held.unit, "role": held.role}
                | {"away": None if staff.present(p.id, on) else staff.in_place_of(p.id, on) or "–"}
                for p in staff.people
                for held in p.positions
                if held.stands(on)
            ],
            "delegations": [
                {"person": e.person, "role": e.role, "for": " ".join(e.agencies)}
                | {"fields": " ".join(e.fields) or "all", "since": e.since, "until": e.until}
                | {"revoked": e.revoked, "document": e.document}
                for e in staff.delegations
            ],
        }

    told = catalogued(data, work)
    if json:
        as_json(told)
        return
    for title, rows in told.items():
        if rows:
            lines = [[str(cell or "") for cell in row.values()] for row in rows]
            console.print(table(title, rows[0], lines))


def queue(
    agency: Annotated[str | None, typer.Option(help="Only this agency's.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """What no rule of routing caught: it waits until a unit of the agency takes it in."""
    from states import work as waiting

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        return await waiting.caught_by_no_rule(db, agency)

    rows = catalogued(data, work)
    columns = ("agency", "code", "procedure", "since", "due")
    listed("Chờ phân công / Caught by no rule", columns, rows, json=json)


def regimes_show(data: Data = None, json: Json = False) -> None:
    """The regimes with their forms, and how codes are made, by days of receipt."""

    async def work(db: Any, book: Any, at: datetime) -> Any:
        return book.regimes

    told = catalogued(data, work)
    if json:
        as_json(told.model_dump(mode="json"))
        return
    rows = [(e.code, e.since, e.until or "", len(e.forms), e.lifecycle) for e in told.regimes]
    console.print(table("Chế độ / Regimes", ("code", "since", "until", "forms", "lifecycle"), rows))
    codes = [(e.since, e.until or "", e.pattern, e.document) for e in told.numbering]
    console.print(table("Mã hồ sơ / Codes", ("since", "until", "pattern", "document"), codes))


def rules_show(data: Data = None, json: Json = False) -> None:
    """What is watched of a dossier, when somebody is told, and who."""

    async def work(db: Any, book: Any, at: datetime) -> Any:
        return book.rules

    told = catalogued(data, work)
    if json:
        as_json(told.model_dump(mode="json"))
        return
    rows = [(e.code, e.on, str(e.when), e.what, " ".join(e.tell), e.name.vi) for e in told.rules]
    columns = ("code", "watched", "when", "what", "told", "name")
    console.print(table("Quy tắc theo dõi / Rules", columns, rows))


def plans_show(data: Data = None, json: Json = False) -> None:
    """The targets of each plan, and which reports are due when."""

    async def work(db: Any, book: Any, at: datetime) -> Any:
        return book.plans

    told = catalogued(data, work)
    if json:
        as_json(told.model_dump(mode="json"))
        return
    for plan in told.plans:
        rows = [
            (str(e.year), e.kpi, f"{e.percent:g} %", e.by or "", e.done.on if e.done else "")
            for e in plan.targets
        ]
        console.print(table(plan.name.vi, ("year", "kpi", "target", "by", "done"), rows))
    duties = [(e.code, e.only or e.every, e.day or "", e.name.vi, e.who.vi) for e in told.duties]
    columns = ("code", "every", "by day", "name", "who")
    console.print(table("Báo cáo định kỳ / Reports due", columns, duties))
