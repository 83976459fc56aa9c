"""A sweep of what is due among many that are open, beside SQL writing the same rows.

HOSO_TEST_LARGE=1: among ten million.
"""

import asyncio
import os
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from crowd import COPIES, MORNING
from measures import ROUNDS, Figure, Figures, Pair
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

from states.catalogue import Catalogue, bundles
from states.db import engine, transaction
from states.deadlines import sweep
from states.embedded import Embedded
from states.ledger import Act, Lodging, move, open_
from states.words import Channel, Event, Role

pytestmark = pytest.mark.bench

PROCEDURE = "2.000205"  # five days in three stages: seven moments, if nothing is done
OPEN = 10_000_000 if os.environ.get("HOSO_TEST_LARGE") else 1_000_000
DUE = 1_000
LATER = timedelta(days=364)  # when all the others were received

WATCHES = sa.text(
    "INSERT INTO watch (dossier_id, at, seq) SELECT dossier.id, watch.at, watch.seq"
    " FROM dossier JOIN dossier AS first USING (received_at) JOIN watch ON dossier_id = first.id"
    " WHERE dossier.id <> first.id"
)
ALL_READ = sa.text(
    "UPDATE reader SET xact = pg_current_xact_id()::text::bigint,"
    " last = (SELECT max(id) FROM entry)"
)
ALERTS = (
    "INSERT INTO alert (dossier_id, rule, visit, deadline, watched, what, due_at, at, unit, person,"
    " concerns) SELECT d.id, 'plain', 0, d.deadline, 'term', 'alert', d.due_at, w.at, d.unit, 'p',"
    " json_build_array(json_build_object('person', 'p', 'unit', d.unit, 'role', 'officer'))"
    " FROM watch AS w JOIN dossier AS d ON d.id = w.dossier_id WHERE w.at <= :at"
    " ON CONFLICT DO NOTHING"
)
PLAIN = (ALERTS, "UPDATE watch SET at = at + interval '1 day' WHERE at <= :at")
BACK = (
    "UPDATE watch SET at = :at FROM alert"
    " WHERE alert.dossier_id = watch.dossier_id AND rule = 'plain'"
)
GONE = "DELETE FROM alert WHERE rule = 'plain'"


def test_what_is_due_among_many(durable: Embedded, figures: Figures) -> None:
    asyncio.run(gathered(durable))
    rounds, idle = asyncio.run(measured(durable))
    figures.add(
        Figure(
            row=5,
            what=f"Sweep, {DUE:,} due among {OPEN:,} open",
            unit="ms",
            beside="SQL writing the same rows",
            rounds=[(1000 * ours, 1000 * plain) for ours, plain in rounds],
            target="< 1,000 ms",
            reached=lambda figure: figure.measured < 1000,
        )
    )
    figures.add(
        Figure(
            row=5,
            what=f"Sweep, nothing due among {OPEN:,} open",
            unit="ms",
            beside="the same, 1,000 due",
            rounds=[
                (1000 * rest, 1000 * ours) for rest, (ours, _) in zip(idle, rounds, strict=True)
            ],
        )
    )


async def measured(durable: Embedded) -> tuple[list[Pair], list[float]]:
    """Seconds of a sweep at each of the next moments, and of one a minute before it."""
    connections, owner = engine(durable.application, 2), engine(durable.owner, 1)
    async with transaction(connections) as db:
        book = await bundles.read(db)
    await swept(connections, book, MORNING)  # the statements are prepared
    rounds, idle = [], []
    for _ in range(ROUNDS):
        async with transaction(connections) as db:
            at: datetime = await db.scalar(sa.text("SELECT min(at) FROM watch"))
        at_rest, told = await swept(connections, book, at - timedelta(minutes=1))
        assert told == 0
        plain = await written_plainly(owner, at)
        took, told = await swept(connections, book, at)
        assert told in {DUE, 2 * DUE}
        rounds.append((took, plain))
        idle.append(at_rest)
    for each in (connections, owner):
        await each.dispose()
    return rounds, idle


async def swept(connections: AsyncEngine, book: Catalogue, at: datetime) -> tuple[float, int]:
    """The seconds it takes, and how many were told."""
    begin = time.perf_counter()
    told = await sweep(connections, book, at)
    return time.perf_counter() - begin, sum(told.values())


async def written_plainly(owner: AsyncEngine, at: datetime) -> float:
    """The seconds in which what is due is found and as many rows are written; they are undone."""
    begin = time.perf_counter()
    async with transaction(owner) as db:
        for statement in PLAIN:
            done = await db.execute(sa.text(statement), {"at": at})
            assert done.rowcount == DUE
    took = time.perf_counter() - begin
    async with transaction(owner) as db:
        await db.execute(sa.text(BACK), {"at": at})
        await db.execute(sa.text(GONE))
    return took


async def gathered(durable: Embedded) -> None:
    """Two dossiers live, a sweep looks at them, and the rest are their copies, watches and all."""
    owner, connections = engine(durable.owner, 1), engine(durable.application, 2)
    async with transaction(owner) as db:
        book = await bundles.read(db)
        tables = ", ".join(SQLModel.metadata.tables.keys() - {"bundle", "edition"})
        await db.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        first = [await lived(db, book, MORNING), await lived(db, book, MORNING + LATER)]
    await sweep(connections, book, MORNING)
    async with transaction(owner) as db:
        for paper, many in zip(first, (DUE, OPEN - DUE), strict=True):
            await db.execute(COPIES, {"id": paper, "many": many})
        await db.execute(WATCHES)
        await db.execute(ALL_READ)
        assert await db.scalar(sa.text("SELECT count(*) FROM watch")) == OPEN
    async with owner.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE"))
        await db.execute(sa.text("CHECKPOINT"))
    for each in (connections, owner):
        await each.dispose()


async def lived(db: AsyncConnection, book: Catalogue, at: datetime) -> int:
    """A dossier in its first stage."""
    procedure = book.procedure(PROCEDURE)
    lodging = Lodging(
        unit="H42.14", procedure=PROCEDURE, channel=Channel.counter, applicant="Nguyễn Văn A"
    )
    files = {"components": {component.code: "0" * 64 for component in procedure.components}}
    who = dict(actor="p-reception-01", role=Role.reception, at=at)
    paper = await open_(db, book, lodging, Act(event=Event.receive, payload=files, **who))
    for event in (Event.digitise, Event.route):
        paper = await move(db, book, paper.code, Act(event=event, **who))
    staff = book.organisation.holders(paper.unit, Role.officer, at.date())
    taken = Act(event=Event.accept, actor=staff[0].id, role=Role.officer, at=at)
    paper = await move(db, book, paper.code, taken)
    assert paper.id is not None
    return paper.id
