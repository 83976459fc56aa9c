"""A corrected calendar applied to running dossiers, beside plain SQL writing the same rows."""

import asyncio
import time
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from crowd import MORNING, gather
from measures import ROUNDS, Figure, Figures
from sqlalchemy.ext.asyncio import AsyncEngine

from states.calendars import Override
from states.calendars.editing import with_exception
from states.catalogue import bundles
from states.catalogue.rows import Dates
from states.changes import applying, deciding
from states.changes.proposing import propose_calendar, texts_of
from states.db import engine, transaction
from states.embedded import Embedded
from states.ledger.statements import d
from states.words import Event

pytestmark = pytest.mark.bench

PROCEDURE = "2.000205"
DOSSIERS = 300_000
INTO = (Event.digitise, Event.route, Event.accept)
OFF = [MORNING.date() + timedelta(days=n) for n in (1, 2, 3, 4, 7)]  # within the five days
PLAIN = """
WITH moved AS (
  UPDATE dossier SET seq = seq + 1, head = '\\x00', moved_at = '{at}', due_at = '{at}',
    late_at = '{at}', deadline = seq + 1, facts = facts
  WHERE finished_at IS NULL RETURNING id, seq, visit
), stepped AS (
  UPDATE visit SET due_at = '{at}' FROM moved
  WHERE visit.dossier_id = moved.id AND visit.visit = moved.visit
)
INSERT INTO entry (dossier_id, seq, event, source, dest, role, actor, at, recorded_at, payload,
  prev, hash)
SELECT id, seq, 'recompute', 'processing', 'processing', 'control', 'p', '{at}', now(),
  '{{"act": {{}}, "clock": {{}}}}', '\\x00', '\\x00' FROM moved
"""


def test_a_correction_and_plain_sql(durable: Embedded, figures: Figures) -> None:
    gather(durable.owner, DOSSIERS, PROCEDURE, INTO)
    rounds = [asyncio.run(measured(durable, day)) for day in OFF[:ROUNDS]]
    figures.add(
        Figure(
            row=7,
            what=f"A calendar corrected, {DOSSIERS:,} open",
            unit="s",
            beside="plain SQL",
            rounds=rounds,
            target="< 60 s",
            reached=lambda figure: figure.measured < 60,
        )
    )


async def measured(durable: Embedded, day: date) -> tuple[float, float]:
    """Seconds to move them all, and to write the rows alone; the latter is rolled back."""
    connections = engine(durable.application, 4)
    number = await approved(connections, day)
    async with transaction(connections) as db:
        book = await bundles.read(db)
        was = await db.scalar(sa.select(sa.func.max(d.due_at)))
    begin = time.perf_counter()
    row = await applying.apply(connections, book, number, MORNING + timedelta(hours=1))
    took = time.perf_counter() - begin
    async with transaction(connections) as db:
        assert await db.scalar(sa.select(sa.func.min(d.due_at))) > was
    assert (row.moved, row.refused) == (DOSSIERS, 0)
    await connections.dispose()
    plain = await written_plainly(durable.owner)
    return took, plain


async def approved(connections: AsyncEngine, day: date) -> int:
    """A day of the national calendar off, proposed and approved."""
    said = Override(
        works=False, vi="Nghỉ", en="Off", source="QĐ", issued=None, verified=False,
        replaces=None, sessions=(),
    )  # fmt: skip
    async with transaction(connections) as db:
        book, texts = await bundles.read(db), await texts_of(db)
        number = await propose_calendar(
            db,
            book,
            "vn",
            with_exception(texts["vn"].encode(), day, said),
            dates=Dates.move,
            restates=False,
            reason="thử",
            ground="QĐ",
            by="p-control-01",
            at=MORNING,
        )
        await deciding.approve(db, book, number, "p-centre-lead", MORNING)
    return number


async def written_plainly(owner: str) -> float:
    """As the owner, whose rows are forgotten again."""
    connections = engine(owner, 1)
    async with connections.connect() as db:
        await db.begin()
        begin = time.perf_counter()
        done = await db.execute(sa.text(PLAIN.format(at=MORNING).replace(":", "\\:")))
        took = time.perf_counter() - begin
        assert done.rowcount == DOSSIERS
        await db.rollback()
    async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE dossier, visit, entry"))
    await connections.dispose()
    return took
