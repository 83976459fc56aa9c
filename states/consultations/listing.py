"""Consultations looked up: those of a dossier, and those that some bodies are to answer."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.consultations.opened import (
    LEFT,
    LIVE,
    UNENDED,
    WITH_DOSSIER,
    c,
    consultation,
    consultation_end,
)
from states.consultations.opened import n as e
from states.consultations.rows import End, Standing
from states.errors import Unknown
from states.ledger.statements import d, dossier
from states.pages import Page, page

STANDING = sa.case(
    (~UNENDED, c.standing),
    (LIVE, sa.literal(Standing.open, c.standing.type)),
    else_=sa.literal(Standing.overtaken, c.standing.type),
).label("standing")
ENDED = sa.case((UNENDED & LIVE, None), else_=sa.func.coalesce(e.at, LEFT)).label("ended_at")
ASKED = (c.n, c.visit, c.unit, c.agency, c.by_unit, c.asked_by, c.asked_at, c.about, c.term)
TIMES = (c.calendar, c.calendar_version, c.due_at, c.late_at)
BY = sa.case((e.ending != End.overtaken, e.actor)).label("ended_by")
ANSWERED = (BY, e.opinion, e.text, e.file)
FROM = WITH_DOSSIER.outerjoin(
    consultation_end, (e.dossier_id == c.dossier_id) & (e.n == c.n)
)  # fmt: skip
MOST = 1 << 31


def _told(at: datetime) -> sa.Select[Any]:
    """`late`: not answered in time, be it that it was answered later, or that none came so far."""
    late = (sa.func.coalesce(ENDED, at) >= c.late_at).label("late")
    return sa.select(
        d.code, c.dossier_id, *ASKED, *TIMES, STANDING, ENDED, late, *ANSWERED
    ).select_from(FROM)  # fmt: skip


async def of_dossier(db: AsyncConnection, dossier_id: int, at: datetime) -> list[dict[str, Any]]:
    """All of a dossier, in the order in which they were asked."""
    asked = _told(at).where(c.dossier_id == dossier_id).order_by(c.n)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


def waits(ids: Collection[int], at: datetime) -> sa.Select[Any]:
    """What attribution asks of some dossiers: who was waited for, from when and until when."""
    asked = sa.select(c.dossier_id, c.n, c.unit, c.asked_at, c.due_at, ENDED).select_from(FROM)
    asked = asked.where(c.dossier_id.in_(ids), c.asked_at <= at)
    return asked.order_by(c.dossier_id, c.n)


async def one(db: AsyncConnection, dossier_id: int, n: int, at: datetime) -> dict[str, Any]:
    """By its number in the dossier. Raises `Unknown`."""
    asked = _told(at).where(c.dossier_id == dossier_id, c.n == n)
    found = (await db.execute(asked)).mappings().one_or_none() if 0 < n < MOST else None
    if found is None:
        raise Unknown("the dossier has no consultation {n}: look at those it has", n=n)
    return dict(found)


async def was_asked(db: AsyncConnection, code: str, n: int, bodies: Collection[str]) -> bool:
    """Whether it was put to one of these bodies, be it that it has ended since."""
    of = consultation.join(dossier, d.id == c.dossier_id)
    asked = sa.exists().select_from(of).where(d.code == code, c.n == n, c.unit.in_(sorted(bodies)))
    return bool(await db.scalar(sa.select(asked)))


async def queue(
    db: AsyncConnection, bodies: Collection[str], at: datetime, cursor: str | None, limit: int
) -> Page:
    """What these bodies are asked and have not answered, what is due first before the rest."""
    asked = _told(at).where(UNENDED, LIVE, c.unit.in_(sorted(bodies)))
    return await page(db, asked, (c.due_at, c.dossier_id, c.n), cursor, limit)
