"""Who somebody is that a provider of identities (OpenID Connect) vouches for. Nothing commits."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from states.accounts import tokens
from states.accounts.history import By, note
from states.accounts.refusals import NoAccount, SessionEnded
from states.accounts.rows import Became, How, account, used_state
from states.accounts.signing import Holder, Tokens, begin
from states.catalogue import Catalogue

log = structlog.get_logger()
a, u = account.c, used_state.c


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider says, after it was proved. `email`: only one that it has verified.

    `issuer` has no slash at its end.
    """

    issuer: str
    subject: str
    email: str | None = None


async def enter(
    db: AsyncConnection,
    book: Catalogue,
    who: Vouched,
    state: str,
    until: datetime,
    at: datetime,
    by: By,
    *,
    browser: bool = False,
) -> Tokens:
    """Begin a session for whom a provider vouches, once for each sign-in that was begun here.

    Raises `NoAccount`, and `SessionEnded` for a sign-in that was completed before.
    """
    await _once(db, state, until, at)
    holder = await known(db, book, who, at, by)
    return await begin(db, holder, How.oidc, at, by, browser=browser)


async def _once(db: AsyncConnection, state: str, until: datetime, at: datetime) -> None:
    await db.execute(sa.delete(used_state).where(u.until < at))
    new = insert(used_state).values(state=tokens.digest(state), until=until)
    if not (await db.execute(new.on_conflict_do_nothing())).rowcount:
        raise SessionEnded("this sign-in was completed before: begin it again")


async def known(db: AsyncConnection, book: Catalogue, who: Vouched, at: datetime, by: By) -> Holder:
    """The account that is linked to the identity; else, linked now, the one of its e-mail address.

    Administrators' are linked by hand only: who publishes the organisation writes addresses.
    Raises `NoAccount`.
    """
    mine = sa.select(a.id, a.person).where(a.issuer == who.issuer, a.subject == who.subject)
    row = (await db.execute(mine.where(a.closed_at.is_(None)))).one_or_none()
    if row is not None:
        return Holder(row.id, row.person)
    person = _by_email(book, who.email)
    free = sa.select(a.id).where(a.person == person, a.closed_at.is_(None), a.issuer.is_(None))
    free = free.where(a.admin.is_(False))
    number = await db.scalar(free.with_for_update()) if person is not None else None
    if person is None or number is None:
        raise NoAccount(
            "the sign-in is good, but no account here belongs to it: ask an administrator to add"
            " one, and to link it or to have your e-mail address in the organisation"
        )
    said = {"issuer": who.issuer, "subject": who.subject}
    await db.execute(sa.update(account).where(a.id == number).values(said))
    await note(db, number, Became.linked, by.proved(person), at, **said)
    log.info("account.linked", person=person, by="oidc")
    return Holder(number, person)


def _by_email(book: Catalogue, email: str | None) -> str | None:
    """Whose address it is, and nobody else's besides."""
    if email is None:
        return None
    people = book.organisation.people
    same = [e.id for e in people if e.email and e.email.casefold() == email.casefold()]
    return same[0] if len(same) == 1 else None
