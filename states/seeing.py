"""Dossiers as a caller may see them, and the record of who looked at which.

A dossier outside of somebody's sight is not told from one that does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from states import ledger
from states.columns import MOMENT, only, word
from states.errors import Unknown
from states.ledger.statements import d, dossier
from states.people import Caller
from states.sight import Sight
from states.tables import Dossier, Visit
from states.words import Role


class Look(SQLModel, table=True):
    """Somebody read personal data of these dossiers by this door; never changed, never removed."""

    __table_args__ = (
        only("role", Role),
        sa.Index("look_dossiers_idx", "dossiers", postgresql_using="gin"),
        sa.Index("look_person_idx", "person", "at"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.clock_timestamp()}
    )
    person: str
    role: Role = Field(sa_type=word(Role))
    acts_for: str | None = None
    door: str  # method and address, without what was asked
    request: str
    dossiers: list[int] = Field(sa_type=ARRAY(sa.BigInteger))
    reason: str | None = None  # why, of whoever took many at once


look = SQLModel.metadata.tables["look"]
LOOKED = 60  # of the last looks, those among which the last dossiers are found


@dataclass(frozen=True, slots=True)
class Through:
    """By which door, in which request; for what reason, where one must be given."""

    door: str
    request: str
    reason: str | None = None


async def find(
    db: AsyncConnection, code: str, sight: Sight
) -> tuple[Dossier, Visit | None]:  # fmt: skip
    """A dossier and the visit it is in. Raises `Unknown`, also for one that is not to be seen."""
    paper, present = await ledger.find(db, code)
    if not (sight.plainly(paper) or await db.scalar(sight.by_visit(int(paper.id or 0)))):
        raise Unknown("there is no dossier {code}: check the code on the slip", code=code[:60])
    return paper, present


async def looked(
    db: AsyncConnection, who: Caller, through: Through, dossiers: Iterable[int]
) -> None:
    """Keep that somebody looked, in the transaction that reads: no record, no answer."""
    if not (seen := sorted(set(dossiers))):
        return
    row: dict[str, Any] = {
        "person": who.person.id,
        "role": who.role,
        "acts_for": who.acts_for,
        "door": through.door,
        "request": through.request,
        "dossiers": seen,
        "reason": through.reason,
    }
    await db.execute(sa.insert(look).values(row))


async def looks(db: AsyncConnection, dossier_id: int, limit: int = 200) -> list[dict[str, Any]]:
    """Who looked at a dossier, the last first."""
    asked = (
        sa.select(look)
        .where(look.c.dossiers.contains([dossier_id]))
        .order_by(look.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in (await db.execute(asked)).mappings()]


async def recently(
    db: AsyncConnection, person: str, sight: Sight, limit: int = 8
) -> list[dict[str, Any]]:
    """The dossiers that somebody opened last, each by itself, of those they may still see."""
    k = look.c
    last = sa.select(k.dossiers[1].label("id"), k.id.label("n"))
    last = last.where(k.person == person, sa.func.cardinality(k.dossiers) == 1)
    each = last.order_by(k.at.desc()).limit(LOOKED).subquery()
    newest = sa.select(each.c.id, sa.func.max(each.c.n).label("n")).group_by(each.c.id)
    opened = newest.subquery()
    asked = sa.select(d.code, d.state, d.procedure, d.version)
    asked = asked.select_from(opened.join(dossier, d.id == opened.c.id)).where(sight.where())
    found = await db.execute(asked.order_by(opened.c.n.desc()).limit(limit))
    return [dict(row) for row in found.mappings()]
