"""`hoso user history`: what became of an account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli.bundles import Data, Json, catalogued
from api.cli.output import console, listed

SHOWN = 200  # events: who wants more asks for JSON
COLUMNS = {"at": "at", "what": "what", "done_by": "by", "door": "door", "from": "from", "of": "of"}
Person = Annotated[str, typer.Argument(metavar="NAME", help="Id of a person with an account.")]


def history(person: Person, data: Data = None, json: Json = False) -> None:
    """What became of an account, the last first: by whom, by which door, from where."""

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        from states.accounts import history

        return await history.listed(db, person, None if json else SHOWN + 1)

    rows = catalogued(data, work)
    told = rows if json else list(map(_shown, rows[:SHOWN]))
    listed(f"Nhật ký tài khoản / History of {person}", COLUMNS, told, json=json)
    if not json and len(rows) > SHOWN:
        console.print("… and more: --json for all.", highlight=False)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """As a line of the table. `from`: enough of the address's hash to tell two apart."""
    facts = (f"{name} {_fact(value)}" for name, value in row["facts"].items())
    return {
        **row,
        "what": row["what"].replace("_", " "),
        "done_by": row["done_by"] or "–",
        "from": (row["address"] or "–")[:6],
        "of": ", ".join(facts),
    }


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
