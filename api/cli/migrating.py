"""`hoso procedures migrate`: running dossiers to another version, proposed as a change set."""

from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli.bundles import By, Data, Decision, Json, catalogued, named
from api.cli.changes import Reason, announce
from states.errors import BadInput


def migrate(
    version: Annotated[str, typer.Argument(metavar="CODE@VERSION", help="Where they go.")],
    by: By,
    reason: Reason,
    document: Decision,
    stage: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="The stage that stands for one of another name."),
    ] = None,
    override: Annotated[
        bool, typer.Option("--override", help="Citizens may lose a date they were promised.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Propose that running dossiers go on under a version: seen, approved, then applied."""
    from states.changes import proposing

    code, to = named(version)
    if to is None:
        raise BadInput(f"say to which version: write it as in {code}@2")

    async def work(db: Any, book: Any, at: datetime) -> int:
        return await proposing.propose_migration(
            db,
            book,
            code,
            to,
            stages=_mapped(stage or []),
            overrides=override,
            reason=reason,
            ground=document,
            by=by,
            at=at,
        )

    announce(catalogued(data, work), json=json)


def _mapped(stages: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in stages]
    if strange := next((a + b + c for a, b, c in pairs if not (a and b and c)), None):
        raise BadInput(f"'{strange[:40]}' maps no stage: write it as in --stage old=new")
    return {old: new for old, _, new in pairs}
