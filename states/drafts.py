"""What somebody has typed and not sent yet: found again after a crash or an ended session.

A draft is its writer's alone, one for each form, and goes in the transaction that does what was
typed, or after `KEPT`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from states.columns import MOMENT
from states.errors import BadInput

KEPT = timedelta(days=30)
MOST = 200  # of one person


class Draft(SQLModel, table=True):
    """The fields of a form by name, each with all it says, as they were typed."""

    __table_args__ = (sa.Index("draft_at_idx", "at"),)

    person: str = Field(primary_key=True)
    form: str = Field(primary_key=True)  # such as `receive`, or `dossier/H42.14-…/return`
    typed: dict[str, Any] = Field(sa_type=JSONB)
    at: datetime = Field(sa_type=MOMENT)


draft = SQLModel.metadata.tables["draft"]
t = draft.c


@dataclass(frozen=True, slots=True)
class Found:
    """A draft as it is found again."""

    form: str
    typed: dict[str, list[str]]
    at: datetime


async def save(
    db: AsyncConnection, person: str, form: str, typed: dict[str, list[str]], at: datetime
) -> None:
    """Keep what is typed by now, instead of what was. Raises `BadInput` for one draft too many."""
    mine = sa.select(sa.func.count()).select_from(draft).where(t.person == person, t.form != form)
    if (await db.scalar(mine) or 0) >= MOST:
        raise BadInput(
            "you have {most} drafts: send or drop some of them before you begin another", most=MOST
        )
    row = {"person": person, "form": form, "typed": typed, "at": at}
    new = insert(draft).values(row)
    again = new.on_conflict_do_update(
        index_elements=[t.person, t.form], set_={"typed": new.excluded.typed, "at": at}
    )
    await db.execute(again)


async def find(db: AsyncConnection, person: str, form: str) -> Found | None:
    row = (await db.execute(sa.select(draft).where(t.person == person, t.form == form))).first()
    return None if row is None else Found(row.form, row.typed, row.at)


async def of(db: AsyncConnection, person: str) -> list[Found]:
    """All drafts of a person, the last first."""
    asked = sa.select(draft).where(t.person == person).order_by(t.at.desc())
    return [Found(row.form, row.typed, row.at) for row in await db.execute(asked)]


async def under(db: AsyncConnection, person: str, prefix: str) -> dict[str, Found]:
    """A person's drafts of the forms that begin so, by what follows."""
    asked = sa.select(draft).where(t.person == person, t.form.startswith(prefix, autoescape=True))
    found = (Found(row.form, row.typed, row.at) for row in await db.execute(asked))
    return {each.form.removeprefix(prefix): each for each in found}


async def drop(db: AsyncConnection, person: str, form: str) -> None:
    await db.execute(sa.delete(draft).where(t.person == person, t.form == form))


async def forget(db: AsyncConnection, at: datetime) -> int:
    """Drop drafts nobody has touched for `KEPT`; how many."""
    gone = await db.execute(sa.delete(draft).where(t.at < at - KEPT))
    return int(gone.rowcount)
