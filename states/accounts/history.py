"""What became of accounts, by whom and from where: kept in the transaction that did it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.accounts.rows import Became, account, account_event
from states.errors import Unknown
from states.pages import Page, page

a, e = account.c, account_event.c
SHOWN = e.id, e.what, e.facts, e.at, e.done_by, e.door, e.address


@dataclass(frozen=True, slots=True)
class By:
    """Who did something to an account, by which door, and from where.

    `person`: None, as long as nobody has proved who they are. `address`: a keyed hash of it.
    """

    person: str | None
    door: str
    address: str | None = None

    def proved(self, person: str) -> "By":
        return replace(self, person=person)


COMMAND = By("command", "hoso user")  # whoever has the database


async def note(
    db: AsyncConnection, number: int, what: Became, by: By, at: datetime, **facts: Any
) -> None:
    """Keep that something became of an account. Of one that is not there, nothing is kept."""
    said = {e.what: what, e.facts: facts, e.at: at, e.done_by: by.person, e.door: by.door}
    said[e.address] = by.address
    values = [sa.bindparam(None, value, column.type) for column, value in said.items()]
    of_it = sa.select(a.id, *values).where(a.id == number)
    await db.execute(sa.insert(account_event).from_select([e.account_id, *said], of_it))


async def part(db: AsyncConnection, person: str, cursor: str | None, limit: int) -> Page:
    """A page of what became of somebody's account, the last first; also of one that is closed.

    Raises `BadInput` and `Unknown`.
    """
    found = await page(db, _of(person), [e.id], cursor, limit, newest=True)
    if not found.rows:
        await _check_there(db, person)
    return found


async def listed(db: AsyncConnection, person: str, most: int | None) -> list[dict[str, Any]]:
    """Of the same, as many as wanted. Raises `Unknown`."""
    await _check_there(db, person)
    asked = _of(person).order_by(e.id.desc()).limit(most)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


def _of(person: str) -> sa.Select[Any]:
    number = sa.select(a.id).where(a.person == person).scalar_subquery()
    return sa.select(*SHOWN).where(e.account_id == number)


async def _check_there(db: AsyncConnection, person: str) -> None:
    if await db.scalar(sa.select(a.id).where(a.person == person)) is None:
        raise Unknown("{person} has never had an account", person=person[:80])
