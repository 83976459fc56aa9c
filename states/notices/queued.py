"""The queue in the database: claimed, released, recorded; seen and sent again by hand."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.notices.rows  # noqa: F401  so that the metadata is full
from states.errors import BadInput
from states.ledger.statements import d, dossier
from states.notices.rows import Audience, Sending, Way

LEASE = timedelta(minutes=10)  # until what was claimed by somebody who died is claimed again
REASON = 300  # characters of an error

message = SQLModel.metadata.tables["message"]
m = message.c
NUMBERS = ARRAY(sa.BigInteger)


async def anything_due(db: AsyncConnection, at: datetime) -> bool:
    """Whether a message waits to be sent."""
    # By each way, as the index has them: what waits for later is not gone through.
    due = sa.exists().where(m.sending == Sending.queued, m.way.in_(Way), m.next_at <= at)
    return bool(await db.scalar(sa.select(due)))


async def claim(
    db: AsyncConnection,
    way: Way,
    recipient: str | None,
    at: datetime,
    *,
    limit: int,
    busy: Collection[int] = (),
    quiet: bool = False,
) -> tuple[list[sa.Row[Any]], list[int]]:
    """Take due messages of a way and lock their numbers; also those that somebody has under way.

    `quiet`: what only the staff waits for is left. Commits: the claim is there for all to see.
    """
    due = sa.select(m.id).where(m.sending == Sending.queued, m.way == way, m.next_at <= at)
    if recipient is not None:
        due = due.where(m.recipient == recipient)
    if quiet:
        due = due.where(m.law | (m.audience != Audience.staff))
    if busy:
        due = due.where(m.id != sa.func.all(sa.literal(list(busy), NUMBERS)))
    due = due.order_by(m.next_at).limit(limit).with_for_update(skip_locked=True)
    picked = list((await db.execute(due)).scalars())
    ours = await _locked(db, picked) if picked else []
    taken = []
    if ours:
        ahead = sa.update(message).where(m.id.in_(ours)).returning(message)
        ahead = ahead.values(next_at=at + LEASE, tries=m.tries + 1)
        taken = list((await db.execute(ahead)).all())
    await db.commit()
    return taken, sorted(set(picked) - set(ours))


async def _locked(db: AsyncConnection, ids: Sequence[int]) -> list[int]:
    """Those of them that nobody has under way; they are ours until `unlock`."""
    each, number = _numbered(ids)
    free = sa.select(each).where(sa.func.pg_try_advisory_lock(number))
    return list((await db.execute(free)).scalars())


async def unlock(db: AsyncConnection, ids: Sequence[int]) -> None:
    """They are under way no more. Commits."""
    _, number = _numbered(ids)
    await db.execute(sa.select(sa.func.pg_advisory_unlock(number)))
    await db.commit()


def _numbered(ids: Sequence[int]) -> tuple[Any, Any]:
    """Each number, and the lock's number for it."""
    each = sa.select(sa.func.unnest(sa.literal(list(ids), NUMBERS)).label("id")).subquery().c.id
    return each, sa.func.hashtextextended(sa.func.concat("message/", each), 0)


async def record(
    db: AsyncConnection, number: int, sending: Sending, at: datetime, error: str | None = None
) -> None:
    """What became of a message: sent or dead at that moment, or queued until then. Commits."""
    told: dict[str, Any] = {"sending": sending, "error": error and error[:REASON]}
    told |= {Sending.sent: {"sent_at": at}, Sending.queued: {"next_at": at}}.get(sending, {})
    await db.execute(sa.update(message).where(m.id == number).values(told))
    await db.commit()


async def release(db: AsyncConnection, number: int, at: datetime) -> None:
    """Give back what was claimed and not tried. Commits."""
    back = sa.update(message).where(m.id == number).values(next_at=at, tries=m.tries - 1)
    await db.execute(back)
    await db.commit()


# By hand ----------------------------------------------------------------------------------


async def listed(
    db: AsyncConnection, sending: Sending | None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Messages, the last made first, with the code of their dossier and without their text."""
    names = (
        *("id", "sending", "way", "audience", "recipient", "template", "fact", "tries"),
        *("next_at", "made_at", "sent_at", "error", "law"),
    )
    asked = sa.select(*(m[name] for name in names), d.code).join_from(
        message, dossier, d.id == m.dossier_id, isouter=True
    )
    if sending is not None:
        asked = asked.where(m.sending == sending)
    rows = (await db.execute(asked.order_by(m.id.desc()).limit(limit))).mappings()
    return [dict(row) for row in rows]


async def counts(db: AsyncConnection) -> list[dict[str, Any]]:
    """How many messages of each way stand where."""
    asked = sa.select(m.way, m.sending, sa.func.count().label("messages"))
    rows = await db.execute(asked.group_by(m.way, m.sending).order_by(m.way, m.sending))
    return [dict(row) for row in rows.mappings()]


async def resend(db: AsyncConnection, ids: Sequence[int], at: datetime) -> int:
    """Queue dead letters again, as if never tried; how many. Raises `BadInput` for any other."""
    ours = m.id == sa.func.any(sa.literal(list(ids), NUMBERS))
    asked = sa.select(m.id, m.sending).where(ours).with_for_update()
    found = {row.id: row.sending for row in await db.execute(asked)}
    if strange := [each for each in ids if each not in found]:
        raise BadInput(
            "there is no message {strange}: see `hoso notices list --dead`", strange=strange[0]
        )
    if alive := [each for each in ids if found[each] is not Sending.dead]:
        state = found[alive[0]]
        raise BadInput(
            "message {alive} is {state}: only dead letters are sent again",
            alive=alive[0],
            state=state,
        )
    anew = dict(sending=Sending.queued, tries=0, next_at=at, error=None)
    await db.execute(sa.update(message).where(ours).values(anew))
    return len(found)


async def every_dead(db: AsyncConnection, way: Way | None = None) -> list[int]:
    """The numbers of all dead letters, of one way or all."""
    asked = sa.select(m.id).where(m.sending == Sending.dead)
    if way is not None:
        asked = asked.where(m.way == way)
    return list((await db.execute(asked.order_by(m.id))).scalars())
