"""Service keys: made, listed, rotated and revoked. Nothing here commits."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states.accounts import keeping, tokens
from states.accounts.history import By, note
from states.accounts.rows import Became, account, service_key
from states.accounts.scopes import Scope
from states.errors import BadInput, NotOpen, Unknown

log = structlog.get_logger()
a, k = account.c, service_key.c
USUAL, LONGEST = timedelta(days=365), timedelta(days=731)
GRACE = timedelta(days=7)  # both keys are good while a system is given the new one
MOST_GRACE = timedelta(days=31)
SHOWN = (
    *(k.id, k.name, a.person, k.scopes, k.expires_at, k.revoked_at),
    *(k.created_at, k.created_by, k.used_on, k.replaces),
)


async def make(
    db: AsyncConnection,
    name: str,
    person: str,
    scopes: Iterable[Scope],
    by: By,
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
        raise BadInput("a key is good for 1 to {days} days", days=LONGEST.days)
    holder = await keeping.one(db, person, locked=True)
    like = {"account_id": holder.id, "name": name, "scopes": words, "lasts": lasts}
    return await _insert(db, like, Became.key_made, by, at)


async def listed(db: AsyncConnection, *, revoked: bool = False) -> list[Any]:
    """Keys by number; those that were revoked too, if asked."""
    asked = sa.select(*SHOWN).join(account, a.id == k.account_id).order_by(k.id)
    if not revoked:
        asked = asked.where(k.revoked_at.is_(None))
    return list((await db.execute(asked)).all())


async def find(db: AsyncConnection, number: int, *, locked: bool = False) -> Any:
    """A key that was not revoked. Raises `Unknown`."""
    asked = sa.select(*SHOWN, k.account_id, k.lasts).join(account, a.id == k.account_id)
    asked = asked.where(k.id == number, k.revoked_at.is_(None))
    if locked:
        asked = asked.with_for_update(of=service_key)
    if (row := (await db.execute(asked)).one_or_none()) is None:
        raise Unknown("there is no service key {number} that is not revoked", number=number)
    return row


async def rotate(
    db: AsyncConnection, number: int, by: By, at: datetime, grace: timedelta = GRACE
) -> tuple[Any, str]:
    """Another key for the same, that lasts as long as this was made for; this ends by its grace.

    So of one key there are two at most, whoever rotates them. Raises `BadInput`, `NotOpen` and
    `Unknown`.
    """
    if not timedelta() <= grace <= MOST_GRACE:
        raise BadInput("an old key lives on for 0 to {days} days", days=MOST_GRACE.days)
    old = await find(db, number, locked=True)
    if old.expires_at <= at:
        raise BadInput("service key {number} has expired: make a new one", number=number)
    await _check_alone(db, old, at)
    until = min(old.expires_at, at + grace)
    await db.execute(sa.update(service_key).where(k.id == number).values(expires_at=until))
    same = ("account_id", "name", "scopes", "lasts")
    like = {name: getattr(old, name) for name in same} | {"replaces": number}
    return await _insert(db, like, Became.key_rotated, by, at)


async def _check_alone(db: AsyncConnection, old: Any, at: datetime) -> None:
    """Raises `NotOpen` beside the key that replaces this, and beside the one it replaces."""
    good = sa.select(k.id, k.expires_at).where(k.revoked_at.is_(None))
    after = (await db.execute(good.where(k.replaces == old.id))).one_or_none()
    if after is not None:
        raise NotOpen(
            "service key {old} was rotated already, into {new}: rotate that one; if nobody has it,"
            " an administrator revokes it first",
            old=old.id,
            new=after.id,
        )
    before = (await db.execute(good.where(k.id == old.replaces, k.expires_at > at))).one_or_none()
    if before is not None:
        raise NotOpen(
            "service key {old}, which this one replaces, is good until {until:%d/%m/%Y %H:%M %Z}:"
            " rotate when it has ended, or have an administrator revoke it first",
            old=before.id,
            until=before.expires_at,
        )


async def revoke(db: AsyncConnection, number: int, by: By, at: datetime) -> None:
    """It is of no use from here on. Raises `Unknown`."""
    row = await find(db, number, locked=True)
    await db.execute(sa.update(service_key).where(k.id == number).values(revoked_at=at))
    await note(db, row.account_id, Became.key_revoked, by, at, key=number)
    log.info("key.revoked", key=number, by=by.person)


async def _insert(
    db: AsyncConnection, like: dict[str, Any], what: Became, by: By, at: datetime
) -> tuple[Any, str]:
    key = tokens.made(tokens.KEY)
    row = like | {"hash": tokens.digest(key), "expires_at": at + like["lasts"]}
    row |= {"created_at": at, "created_by": by.person}
    number = await db.scalar(sa.insert(service_key).values(row).returning(k.id))
    assert number is not None
    facts = {"key": number, "scopes": like["scopes"]}
    facts |= {"replaces": like["replaces"]} if "replaces" in like else {}
    await note(db, like["account_id"], what, by, at, **facts)
    log.info("key.made", key=number, by=by.person)
    return await find(db, number), key
