"""What was received before: which procedures, for whom, and whether a form was sent already."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.db import fetch
from states.finding.rows import Kind
from states.finding.terms import found
from states.ledger.statements import BY_KEY, d
from states.sight import Sight

LATELY = 5_000  # dossiers of the house, whose order is that of their ids
OF_ONE = 50  # dossiers of one person that are looked at
MOST = 5  # of whom are told


class Applicant(NamedTuple):
    """Who handed in a dossier before, as they were written there."""

    dossier: int
    applicant: str
    phone: str | None
    email: str | None
    place: str | None


async def often(db: AsyncConnection, counter: str | None, most: int = 8) -> list[str]:
    """The procedures received most lately: those of this counter first, then those of all."""
    last = sa.select(d.procedure, d.counter).order_by(d.id.desc()).limit(LATELY).subquery()
    here = sa.func.count().filter(last.c.counter == counter)
    asked = sa.select(last.c.procedure).group_by(last.c.procedure)
    asked = asked.order_by(here.desc(), sa.func.count().desc(), last.c.procedure).limit(most)
    return list((await db.execute(asked)).scalars())


async def applicants(db: AsyncConnection, sight: Sight, citizen: str) -> list[Applicant]:
    """As whom the holder of a card was written in dossiers that may be seen, the last first.

    `citizen`: the hash of its number. Whoever shows them keeps that they were looked at.
    """
    asked = sa.select(d.id, d.applicant, d.phone, d.email, d.place)
    asked = asked.where(found(Kind.citizen, citizen), sight.where())
    rows = await db.execute(asked.order_by(d.id.desc()).limit(OF_ONE))
    known: dict[tuple[str | None, ...], Applicant] = {}
    for row in rows:
        known.setdefault(tuple(row[1:]), Applicant(*row))
    return list(known.values())[:MOST]


async def opened(db: AsyncConnection, person: str, key: str) -> str | None:
    """The code of the dossier that somebody opened with this key, if they did."""
    row = await fetch(db, BY_KEY, person, key)
    return None if row is None else str(row["code"])
