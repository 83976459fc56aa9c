"""What citizens say of how their dossier was dealt with; never changed, never removed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word
from states.errors import BadInput
from states.ledger.statements import d
from states.words import State

LONGEST = 2000  # characters
MOST = 20  # of one dossier


class Feedback(SQLModel, table=True):
    """Stars from 1 to 5, words, or both; and in what state the dossier was then."""

    __table_args__ = (
        only("state", State),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        sa.CheckConstraint("num_nonnulls(stars, words) > 0", name="said"),
        sa.Index("feedback_dossier_idx", "dossier_id"),
        sa.Index("feedback_at_idx", "at"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    dossier_id: int = Field(sa_type=sa.BigInteger, foreign_key="dossier.id")
    stars: int | None = Field(default=None, sa_type=sa.SmallInteger)
    words: str | None = None
    state: State = Field(sa_type=word(State))
    at: datetime = Field(sa_type=MOMENT)


feedback = SQLModel.metadata.tables["feedback"]
f = feedback.c


async def say(
    db: AsyncConnection,
    dossier_id: int,
    stars: int | None,
    words: str | None,
    at: datetime,
) -> None:
    """Keep what was said, once. Raises `BadInput` where nothing is, or too much was already."""
    words = (words or "").strip() or None
    alone = sa.select(d.state).where(d.id == dossier_id).with_for_update(key_share=True)
    state = await db.scalar(alone)  # of two at once, one waits and sees what the other said
    if stars is None and words is None:
        raise BadInput("choose from one to five stars, or write some words")
    if stars is not None and not 1 <= stars <= 5:
        raise BadInput("choose from one to five stars")
    if words is not None and len(words) > LONGEST:
        raise BadInput("write at most {longest:,} characters", longest=LONGEST)
    before = await said_of(db, dossier_id)
    if any((each.stars, each.words, each.state) == (stars, words, state) for each in before):
        return  # the same, sent again
    if len(before) >= MOST:
        raise BadInput("enough was said of this dossier: ask at the counter")
    row = {"dossier_id": dossier_id, "stars": stars, "words": words, "state": state, "at": at}
    await db.execute(sa.insert(feedback).values(row))


async def said_of(db: AsyncConnection, dossier_id: int) -> list[Feedback]:
    """What was said of a dossier, the last first."""
    asked = sa.select(feedback).where(f.dossier_id == dossier_id).order_by(f.id.desc())
    return [Feedback(**row) for row in (await db.execute(asked)).mappings()]
