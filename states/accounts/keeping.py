"""Accounts as administrators keep them, and one's own password. Nothing here commits by itself.

Who may is asked at the door: `Identity.admin`, or having the database.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.accounts import passwords, signing
from states.accounts.arriving import Identity
from states.accounts.history import By, note
from states.accounts.refusals import AccountExists, WeakPassword, WrongPassword
from states.accounts.rows import Became, account, service_key
from states.catalogue import Catalogue
from states.db import transaction
from states.errors import BadInput, Unknown
from states.pages import Page, page

log = structlog.get_logger()
a, k = account.c, service_key.c
SHOWN = (
    *(a.id, a.person, a.admin, a.must_change, a.issuer, a.subject, a.failed, a.locked_until),
    *(a.password_at, a.closed_at, a.created_at, a.created_by),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A password for a new or a reset account. `one_time`: made here, and to be told."""

    hashed: str | None
    one_time: str | None = field(repr=False, default=None)

    def values(self, at: datetime) -> dict[str, Any]:
        """As it is kept; nobody rests on account of the one before."""
        return {
            "password": self.hashed,
            "password_at": at if self.hashed else None,
            "must_change": self.one_time is not None,
            "failed": 0,
            "locked_until": None,
        }


NONE = Secret(None)  # comes in by a provider of identities, or has keys only


async def chosen(password: str, person: str) -> Secret:
    """A password that its owner chose. Raises `WeakPassword`."""
    passwords.check(password, person)
    return Secret(await passwords.hashed(password))


async def one_time() -> Secret:
    """One that is told once, and is good for a week, for choosing another."""
    made = passwords.one_time()
    return Secret(await passwords.hashed(made), made)


# Kept by administrators -------------------------------------------------------------------


async def add(
    db: AsyncConnection,
    book: Catalogue,
    person: str,
    secret: Secret,
    by: By,
    at: datetime,
    *,
    admin: bool = False,
) -> int:
    """Open an account, or again one that was closed. Raises `AccountExists` and `Unknown`.

    What it had before it was closed, it has no more.
    """
    book.person(person)
    said = {"admin": admin, "issuer": None, "subject": None, "closed_at": None}
    said |= secret.values(at)
    new = insert(account).values(person=person, created_at=at, created_by=by.person, **said)
    again = new.on_conflict_do_update(
        index_elements=[a.person], set_=said, where=a.closed_at.is_not(None)
    )
    number: int | None = await db.scalar(again.returning(a.id))
    if number is None:
        raise AccountExists(
            "{person} has an account already: reset it, or close it first", person=person
        )
    await note(db, number, Became.opened, by, at, admin=admin)
    log.info("account.added", person=person, admin=admin, by=by.person)
    return number


async def reset(db: AsyncConnection, person: str, secret: Secret, by: By, at: datetime) -> None:
    """Another password for who lost theirs: sessions end, and no rest is left. Raises `Unknown`."""
    row = await one(db, person, locked=True)
    await db.execute(sa.update(account).where(a.id == row.id).values(secret.values(at)))
    await signing.end_all(db, row.id, at)
    await note(db, row.id, Became.reset, by, at)
    log.info("account.reset", person=person, by=by.person)


async def close(db: AsyncConnection, person: str, by: By, at: datetime) -> None:
    """Nobody comes in by it from here on, nor by its keys. Raises `Unknown`."""
    row = await one(db, person, locked=True)
    said = {"closed_at": at, "issuer": None, "subject": None}
    await db.execute(sa.update(account).where(a.id == row.id).values(said))
    await signing.end_all(db, row.id, at)
    good = sa.update(service_key).where(k.account_id == row.id, k.revoked_at.is_(None))
    ended = (await db.execute(good.values(revoked_at=at).returning(k.id))).scalars()
    await note(db, row.id, Became.closed, by, at, keys=sorted(ended))
    log.info("account.closed", person=person, by=by.person)


async def link(
    db: AsyncConnection, person: str, issuer: str, subject: str, by: By, at: datetime
) -> None:
    """Say who somebody is to a provider of identities. Raises `AccountExists` and `Unknown`."""
    row, issuer = await one(db, person, locked=True), issuer.rstrip("/")
    taken = sa.select(a.person).where(a.issuer == issuer, a.subject == subject, a.id != row.id)
    if (other := await db.scalar(taken)) is not None:
        raise AccountExists(
            "{other} is {subject} at {issuer} already",
            other=other,
            subject=subject[:80],
            issuer=issuer[:200],
        )
    said = {"issuer": issuer, "subject": subject}
    await db.execute(sa.update(account).where(a.id == row.id).values(said))
    await note(db, row.id, Became.linked, by, at, **said)
    log.info("account.linked", person=person, by=by.person)


# Seen -------------------------------------------------------------------------------------


async def one(db: AsyncConnection, person: str, *, locked: bool = False) -> Any:
    """An open account, without its password. Raises `Unknown`."""
    asked = sa.select(*SHOWN).where(a.person == person, a.closed_at.is_(None))
    row = (await db.execute(asked.with_for_update() if locked else asked)).one_or_none()
    if row is None:
        who = person[:80]
        raise Unknown("{who} has no account that is open; open one: `hoso user add {who}`", who=who)
    return row


async def listed(db: AsyncConnection) -> list[dict[str, Any]]:
    """All accounts by person, closed ones among them, without their passwords."""
    asked = sa.select(*SHOWN).order_by(a.person)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


async def part(db: AsyncConnection, cursor: str | None, limit: int) -> Page:
    """Of the same, a page. Raises `BadInput`."""
    return await page(db, sa.select(*SHOWN), [a.person], cursor, limit)


# One's own --------------------------------------------------------------------------------


async def change_password(
    engine: AsyncEngine, who: Identity, old: str, new: str, at: datetime, by: By
) -> None:
    """Choose another password; all other sessions end. Commits, even what it refuses.

    A wrong old one counts as a failure to sign in. Raises `WeakPassword` and `WrongPassword`.
    """
    if who.session is None:
        raise BadInput("a password is changed by who signed in, and not by a key")
    passwords.check(new, who.person)
    async with transaction(engine) as db:
        found = await signing.attempt(db, who.person, at)
    right, _ = await passwords.fits(old, found.kept)
    if not right:
        async with transaction(engine) as db:
            await signing.refuse(db, found, by, at)
        raise WrongPassword(
            "the old password is wrong, or the account rests for a while: none was changed"
        )
    if passwords.same(old, new):
        async with transaction(engine) as db:
            await signing.succeed(db, found)
        raise WeakPassword("the new password is the old one: choose another")
    hashed = await passwords.hashed(new)
    async with transaction(engine) as db:
        await signing.succeed(db, found)
        said = Secret(hashed).values(at)
        await db.execute(sa.update(account).where(a.id == found.account).values(said))
        await signing.end_all(db, who.account, at, but=who.session)
        await note(db, who.account, Became.password_changed, by, at)
    log.info("account.password_changed", by=who.person)
