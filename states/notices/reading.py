"""Facts out of the database: a batch of lines or alerts, with all that is told of each.

Four queries a batch however long it is: none for one fact alone.

Lines come by the ledger's outbox. Alerts have no such number: they are read from a moment on, and
that moment stays behind every transaction that still runs (`now()` is when one began), and a minute
more. What is read twice is told once: an alert that has its message is passed over.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.deadlines.rows
import states.notices.rows  # noqa: F401  so that the metadata is full
from states.ledger import outbox
from states.ledger.statements import d, e, v
from states.notices.facts import HISTORY, TICKING, Fact, Past, of_alert, of_line

LINES, ALERTS = "notify", "notify-alerts"  # readers
OVERLAP = timedelta(minutes=1)
LAST = 2**63 - 1

alert = SQLModel.metadata.tables["alert"].c
message = SQLModel.metadata.tables["message"].c
PAPER = (
    *("id", "code", "agency", "counter", "unit", "procedure", "version", "applicant", "email"),
    *("phone", "source", "seq", "state", "received_at", "due_original"),
)
FACT = sa.func.concat_ws(
    "/", "alert", alert.dossier_id, alert.rule, alert.visit, alert.deadline
).label("fact")
TOLD = sa.exists().where(message.fact == FACT.element).correlate(alert.rule.table)
Place = tuple[datetime, int, str, int, int]


# Lines ------------------------------------------------------------------------------------


async def lines(db: AsyncConnection, limit: int) -> tuple[list[Fact], sa.Row[Any] | None]:
    """The facts of the next lines, and the last line read; none when all are."""
    read = await outbox.unread(db, LINES, limit)
    if not read:
        return [], None
    ids = sorted({line.dossier_id for line in read})
    papers = await _papers(db, ids)
    past = await _past(db, ids)
    told = (of_line(line, papers[line.dossier_id], past[line.dossier_id]) for line in read)
    return [fact for fact in told if fact is not None], read[-1]


async def _papers(db: AsyncConnection, ids: Sequence[int]) -> dict[int, Any]:
    asked = sa.select(*(d[name] for name in PAPER)).where(_among(d.id, ids))
    return {row.id: row for row in await db.execute(asked)}


async def _past(db: AsyncConnection, ids: Sequence[int]) -> dict[int, Past]:
    """Every date promised to them so far and every stage they were in, in order."""
    due = sa.func.cast(e.payload, sa.JSON)[("clock", "due")]
    dated = sa.select(e.dossier_id, e.seq, due.as_string()).where(
        _among(e.dossier_id, ids), e.event.in_(TICKING), due.as_string().is_not(None)
    )
    staged = sa.select(v.dossier_id, v.opened_seq, v.unit, v.person).where(
        _among(v.dossier_id, ids)
    )
    promised, visits = defaultdict(list), defaultdict(list)
    for dossier_id, *told in await db.execute(dated.order_by(e.dossier_id, e.seq)):
        promised[dossier_id].append(tuple(told))
    for dossier_id, *told in await db.execute(staged.order_by(v.dossier_id, v.visit)):
        visits[dossier_id].append(tuple(told))
    return {each: Past(promised.get(each, ()), visits.get(each, ())) for each in ids}


def _among(column: Any, ids: Sequence[int]) -> Any:
    return column == sa.func.any(sa.literal(list(ids), ARRAY(sa.BigInteger)))


# Alerts -----------------------------------------------------------------------------------


async def alerts(
    db: AsyncConnection, since: datetime, after: Place | None, limit: int
) -> tuple[list[Fact], Place | None]:
    """The facts of alerts recorded from a moment on that were not told, and where it stopped."""
    key = (alert.recorded_at, alert.dossier_id, alert.rule, alert.visit, alert.deadline)
    asked = sa.select(*alert, FACT).where(alert.recorded_at >= since, ~TOLD)
    if after is not None:
        asked = asked.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, after)))
    read = (await db.execute(asked.order_by(*key).limit(limit))).all()
    papers = await _papers(db, sorted({row.dossier_id for row in read}))
    last = tuple(getattr(read[-1], each.name) for each in key) if read else None
    return [of_alert(row, papers[row.dossier_id]) for row in read], last


async def floor(db: AsyncConnection) -> datetime:
    """No alert can appear that was recorded before: whoever began earlier has ended."""
    running = sa.text(
        "SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    oldest: datetime = (await db.execute(running)).scalar_one()
    return oldest - OVERLAP


async def anything_new(db: AsyncConnection) -> bool:
    """Whether there is a line or an alert that was not looked at, or not long ago."""
    since = await told_since(db)
    if since is None or await outbox.unread(db, LINES, 1):
        return True
    untold = sa.exists().where(alert.recorded_at >= since, ~TOLD)
    return bool(await db.scalar(sa.select(untold)))


# How far ----------------------------------------------------------------------------------


async def told_since(db: AsyncConnection) -> datetime | None:
    """From which moment on alerts are to be looked at; None for who never looked."""
    known = sa.select(outbox.reader.c.last).where(outbox.reader.c.name == ALERTS)
    last = await db.scalar(known)
    return None if last is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=last)


async def remember(db: AsyncConnection, at: datetime) -> None:
    """Alerts recorded before that moment are done with."""
    since = at - datetime.fromtimestamp(0, UTC)
    here = SimpleNamespace(xact=0, id=max(0, since // timedelta(microseconds=1)))
    await outbox.read(db, ALERTS, here)  # type: ignore[arg-type]


async def begin(db: AsyncConnection, at: datetime) -> None:
    """A reader that is new begins two weeks ago: what is older was told otherwise, or never."""
    known = set((await db.execute(sa.select(outbox.reader.c.name))).scalars())
    since = at - HISTORY
    if LINES not in known:
        older = sa.select(e.xact, e.id).where(e.recorded_at < since)
        last = await db.execute(older.order_by(e.xact.desc(), e.id.desc()).limit(1))
        row = last.one_or_none() or SimpleNamespace(xact=0, id=0)
        await outbox.read(db, LINES, row)  # type: ignore[arg-type]
    if ALERTS not in known:
        await remember(db, since)


async def pass_over(db: AsyncConnection) -> None:
    """Nobody is to be told: go to the end, so that who is set up later hears of what comes then."""
    horizon = await db.scalar(sa.select(outbox.HORIZON))
    assert horizon is not None
    await outbox.read(db, LINES, SimpleNamespace(xact=horizon - 1, id=LAST))  # type: ignore[arg-type]
    await remember(db, await floor(db))
