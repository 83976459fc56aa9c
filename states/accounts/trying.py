"""Accounts of a trial on this machine: one person of each role, all by one password.

It is made at each start and told at the sign-in page and in the terminal. An account that somebody
else opened is left alone.
"""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.accounts import keeping, passwords
from states.accounts.history import By
from states.accounts.keeping import Secret
from states.accounts.rows import account
from states.catalogue import Catalogue
from states.words import Role

BY = By("demo", "hoso demo")
CAST = (Role.reception, Role.postal, Role.officer, Role.leader, Role.control)


@dataclass(frozen=True, slots=True)
class Trial:
    """Who may come in for a trial, as what, and by which password."""

    people: tuple[tuple[str, str, Role], ...]  # id, name, role
    password: str = field(repr=False)


async def open_trial(db: AsyncConnection, book: Catalogue, at: datetime) -> Trial:
    """The first person of each role, in the order of the organisation, with an account each."""
    password = passwords.one_time()
    secret = Secret(await passwords.hashed(password))
    people = []
    for role in CAST:
        found = _first(book, role, at)
        if found is not None and await _opened(db, book, found, secret, at):
            people.append((found, book.person(found).name, role))
    return Trial(tuple(people), password)


def _first(book: Catalogue, role: Role, at: datetime) -> str | None:
    on = book.day(at)
    held = (
        person.id
        for person in book.organisation.people
        for position in person.positions[:1]
        if position.role is role and position.stands(on)
    )
    return next(held, None)


async def _opened(
    db: AsyncConnection, book: Catalogue, person: str, secret: Secret, at: datetime
) -> bool:
    """False: somebody else opened that account, and knows its password."""
    a = account.c
    whose = await db.scalar(
        sa.select(a.created_by).where(a.person == person, a.closed_at.is_(None))
    )
    if whose is None:
        await keeping.add(db, book, person, secret, BY, at)
    elif whose == BY.person:
        await keeping.reset(db, person, secret, BY, at)
    return whose in {None, BY.person}
