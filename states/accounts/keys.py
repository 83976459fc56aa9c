"""Service keys: made, listed, rotated and revoked. Nothing here commits."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states.accounts import keeping, tokens
from states.accounts.rows import account, service_key
from states.accounts.scopes import Scope
from states.errors import BadInput, Unknown

log = structlog.get_logger()
a, k = account.c, service_key.c
USUAL, LONGEST = timedelta(days=365), timedelta(days=731)
GRACE = timedelta(days=7)  # both keys are good while a system is given the new one
MOST_GRACE = timedelta(days=31)
SHOWN = (
    *(k.id, k.name, a.person, k.scopes, k.expires_at, k.revoked_at),
    *(k.created_at, k.created_by, k.used_on),
)


async def make(
    db: AsyncConnection,
    name: str,
    person: str,
    scopes: Iterable[Scope],
    by: str,
    at: datetime,
    lasts: timedelta = USUAL,
) -> tuple[Any, str]:
    """A key that acts as a person who has an account: its row, and the key, which is not kept.

    Raises `BadInput` and `Unknown`.
    """
    if not (words := sorted(set(scopes))):
        raise BadInput("a key is made for something: name a scope, such as dossiers:read")
    if not name.strip():
        raise BadInput("a key has a name: say what system it is for")
    if not timedelta() < lasts <= LONGEST:
        raise BadInput(f"a key is good for 1 to {LONGEST.days} days")
    holder = await keeping.one(db, person, locked=True)
    return await _insert(db, holder.id, name, words, at + lasts, by, at)


async def listed(db: AsyncConnection, *, revoked: bool = False) -> list[Any]:
    """Keys by number; those that were revoked too, if asked."""
    asked = sa.select(*SHOWN).join(account, a.id == k.account_id).order_by(k.id)
    if not revoked:
        asked = asked.where(k.revoked_at.is_(None))
    return list((await db.execute(asked)).all())


async def find(db: AsyncConnection, number: int, *, locked: bool = False) -> Any:
    """A key that was not revoked. Raises `Unknown`."""
    asked = sa.select(*SHOWN, k.account_id).join(account, a.id == k.account_id)
    asked = asked.where(k.id == number, k.revoked_at.is_(None))
    if locked:
        asked = asked.with_for_update(of=service_key)
    if (row := (await db.execute(asked)).one_or_none()) is None:
        raise Unknown(f"there is no service key {number} that is not revoked")
    return row


async def rotate(
    db: AsyncConnection, number: int, by: str, at: datetime, grace: timedelta = GRACE
) -> tuple[Any, str]:
    """Another key for the same, as long as the old one had; that is good for the grace only.

    Raises `BadInput` and `Unknown`.
    """
    if not timedelta() <= grace <= MOST_GRACE:
        raise BadInput(f"an old key lives on for 0 to {MOST_GRACE.days} days")
    old = await find(db, number, locked=True)
    if old.expires_at <= at:
        raise BadInput(f"service key {number} has expired: make a new one")
    until = min(old.expires_at, at + grace)
    await db.execute(sa.update(service_key).where(k.id == number).values(expires_at=until))
    lasts = old.expires_at - old.created_at
    return await _insert(db, old.account_id, old.name, old.scopes, at + lasts, by, at)


async def revoke(db: AsyncConnection, number: int, by: str, at: datetime) -> None:
    """It is of no use from here on. Raises `Unknown`."""
    await find(db, number, locked=True)
    await db.execute(sa.update(service_key).where(k.id == number).values(revoked_at=at))
    log.info("key.revoked", key=number, by=by)


async def _insert(
    db: AsyncConnection,
    holder: int,
    name: str,
    scopes: Iterable[str],
    until: datetime,
    by: str,
    at: datetime,
) -> tuple[Any, str]:
    key = tokens.made(tokens.KEY)
    row = {"account_id": holder, "name": name, "hash": tokens.digest(key), "scopes": list(scopes)}
    row |= {"expires_at": until, "created_at": at, "created_by": by}
    number = await db.scalar(sa.insert(service_key).values(row).returning(k.id))
    assert number is not None
    log.info("key.made", key=number, by=by)
    return await find(db, number), key
