"""What is new in the ledger and among the alerts, with what says who may see it.

Lines come in the outbox's order. Alerts keep no number of their transaction; Postgres does, in the
lower half of each row's `xmin`, and the upper half follows from where transactions stand now. So
they are read as lines are: by transaction, and none that could still get company. No index is on
that; the one on `recorded_at` narrows it, which is when the transaction began.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.consultations import opened
from states.consultations.opened import c
from states.ledger.outbox import HORIZON
from states.ledger.statements import d, dossier, e, entry, v
from states.live.cursor import LAST, Cursor
from states.sight import Sight

MANY = 5_000  # lines or alerts: who missed more reads anew what is shown
BATCH = 1_000  # lines in one reading
LONGEST = timedelta(minutes=10)  # a sweep's transaction takes a second
BIG = sa.BigInteger()
ALL = Sight("", all=True)

alert = SQLModel.metadata.tables["alert"]
a = alert.c
Rows = Sequence[SimpleNamespace]

HALF, WHOLE = 2**31, 2**32  # of the numbers that fit in `xmin`
_XMIN: sa.ColumnElement[int] = sa.literal_column(
    "(ledger_base() + alert.xmin::text::bigint)", sa.BigInteger
)
_VISITS = (
    sa.select(
        sa.func.coalesce(sa.func.array_agg(v.person.distinct()), []).label("persons"),
        sa.func.coalesce(sa.func.array_agg(v.unit.distinct()), []).label("units"),
    )
    .where(v.dossier_id == d.id)
    .lateral("visits")
)
_ASKED = (
    sa.select(sa.func.coalesce(sa.func.array_agg(c.unit.distinct()), []).label("asked"))
    .where(c.dossier_id == d.id, opened.UNENDED, opened.LIVE)
    .lateral("consulted")
)
_SHOWN = (d.code, d.agency, d.field, d.unit, *_VISITS.c, *_ASKED.c)


def _shown(of: sa.Join) -> sa.Join:
    return of.join(_VISITS, sa.true()).join(_ASKED, sa.true())


async def horizon(db: AsyncConnection) -> tuple[int, datetime]:
    """All transactions before this one have ended; and the database's moment."""
    row = (await db.execute(sa.select(HORIZON, sa.func.statement_timestamp()))).one()
    return row[0], row[1]


def end(horizon: int) -> Cursor:
    """Where everything was heard that is told up to there."""
    return Cursor(horizon - 1, LAST, horizon)


async def lines(
    db: AsyncConnection,
    since: Cursor,
    *,
    until: Cursor | None = None,
    sight: Sight = ALL,
    limit: int = BATCH,
) -> Rows:
    """What is seen of the next lines after a place, and up to another if one is said.

    So many lines are looked at, whoever sees them; only then are their dossiers looked up.
    """
    next_ = sa.select(e.dossier_id, e.xact, e.id, e.seq, e.event, e.dest, e.at)
    next_ = next_.where(*_between(since, until)).order_by(e.xact, e.id).limit(limit)
    line = next_.cte("line").prefix_with("MATERIALIZED", dialect="postgresql")
    told = (each for name, each in line.c.items() if name != "dossier_id")
    asked = (
        sa.select(*told, d.due_at, *_SHOWN)
        .select_from(
            line.join(dossier, d.id == line.c.dossier_id)
            .join(_VISITS, sa.true())
            .join(_ASKED, sa.true())
        )
        .where(sight.where())
        .order_by(line.c.xact, line.c.id)
    )
    return await _rows(db, asked)


async def too_many(db: AsyncConnection, since: Cursor, until: Cursor | None = None) -> bool:
    """Whether there are more than `MANY` lines after a place, whoever may see them."""
    asked = sa.select(sa.literal(1)).select_from(entry).where(*_between(since, until))
    asked = asked.order_by(e.xact, e.id).offset(MANY).limit(1)
    return await db.scalar(asked) is not None


async def alerts(
    db: AsyncConnection, since: int, until: int, moment: datetime, sight: Sight = ALL
) -> Rows:
    """The alerts of transactions from one up to another, as far as they are seen; at the most one
    more than `MANY`. `moment`: when the first of them was no longer running elsewhere.
    """
    xact = whole(_XMIN, until)
    key = (a.dossier_id, a.rule, a.visit, a.deadline)
    told = (*key, a.what, a.at, a.unit.label("had_by"), a.due_at.label("missed"))
    asked = (
        sa.select(xact.label("xact"), *told, *_SHOWN)
        .select_from(
            alert.join(dossier, d.id == a.dossier_id)
            .join(_VISITS, sa.true())
            .join(_ASKED, sa.true())
        )
        .where(a.recorded_at >= moment - LONGEST, xact >= since, xact < until, sight.where())
        .order_by(xact, *key)
        .limit(MANY + 1)
    )
    return await _rows(db, asked)


async def moment_of(db: AsyncConnection, place: Cursor) -> datetime | None:
    """When the line there was written, or the last one before; the first, if none was before."""
    last = sa.select(e.recorded_at).where(_place() <= _literal(place))
    last = last.order_by(e.xact.desc(), e.id.desc()).limit(1)
    first = sa.select(e.recorded_at).order_by(e.xact, e.id).limit(1)
    either = sa.func.coalesce(last.scalar_subquery(), first.scalar_subquery())
    found: datetime | None = await db.scalar(sa.select(either))
    return found


def whole(xmin: sa.ColumnElement[int], near: int) -> sa.ColumnElement[int]:
    """The number near another whose lower half is kept, as no two that are alive are further apart.

    The remainder is the divisor's sign only if the dividend's is.
    """
    return near + ((xmin - near + HALF) % WHOLE + WHOLE) % WHOLE - HALF


async def _rows(db: AsyncConnection, asked: sa.Select[Any]) -> Rows:
    """Every sight asks each of them the same few things: plain objects answer much sooner."""
    return [SimpleNamespace(**row) for row in (await db.execute(asked)).mappings()]


def _between(since: Cursor, until: Cursor | None) -> tuple[sa.ColumnElement[bool], ...]:
    after = _place() > _literal(since), e.xact < HORIZON
    return after if until is None else (*after, _place() <= _literal(until))


def _place() -> Any:
    return sa.tuple_(e.xact, e.id)


def _literal(place: Cursor) -> Any:
    return sa.tuple_(sa.literal(place.xact, BIG), sa.literal(place.id, BIG))
