"""Filters that somebody keeps by a name of theirs."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from states.columns import MOMENT
from states.errors import BadInput

MOST = 50  # of one person


class SavedFilter(SQLModel, table=True):
    """What a list is asked for, as its address says it."""

    __tablename__ = "saved_filter"

    person: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    query: str
    at: datetime = Field(sa_type=MOMENT)


saved_filter = SQLModel.metadata.tables["saved_filter"]
f = saved_filter.c


async def keep(db: AsyncConnection, person: str, name: str, query: str, at: datetime) -> None:
    """Keep a filter by this name, instead of the one that had it. Raises `BadInput`."""
    others = sa.select(sa.func.count()).select_from(saved_filter)
    others = others.where(f.person == person, f.name != name)
    if (await db.scalar(others) or 0) >= MOST:
        raise BadInput("you have {most} saved filters: drop one before you save another", most=MOST)
    row = {"person": person, "name": name, "query": query, "at": at}
    new = insert(saved_filter).values(row)
    said = {"query": new.excluded.query, "at": new.excluded.at}
    await db.execute(new.on_conflict_do_update(index_elements=[f.person, f.name], set_=said))


async def kept(db: AsyncConnection, person: str) -> list[tuple[str, str]]:
    """Name and query of each, by name."""
    asked = sa.select(f.name, f.query).where(f.person == person).order_by(f.name)
    return [(row.name, row.query) for row in await db.execute(asked)]


async def drop(db: AsyncConnection, person: str, name: str) -> None:
    await db.execute(sa.delete(saved_filter).where(f.person == person, f.name == name))
