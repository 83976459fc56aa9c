"""A simulation on history, beside the same rows only read."""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa
from crowd import COPIES, MORNING
from measures import ROUNDS, Figure, Figures
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states import catalogue
from states.catalogue import Procedure
from states.clock import Term
from states.db import engine, transaction
from states.embedded import Embedded
from states.ledger import Act, Lodging, move, open_
from states.simulation import shortened, simulate
from states.simulation.history import closed
from states.simulation.running import BATCH
from states.words import Channel, Event, Outcome, Role

pytestmark = pytest.mark.bench

PROCEDURE = "2.000205"  # three stages
LIVES, EACH = 250, 400  # lived through the ledger, and copies of each
DOSSIERS = LIVES * EACH
YEAR = timedelta(days=365)
SINCE, UNTIL = MORNING, MORNING + 2 * YEAR

# Copies are not all alike: each took some minutes longer than the last, at either end.
APART = """
UPDATE dossier SET received_at = received_at - by, finished_at = finished_at + by
FROM (SELECT id AS of, (id % 397) * interval '1 minute' AS by FROM dossier) AS shift WHERE id = of
"""


def test_a_simulation_and_its_rows(durable: Embedded, figures: Figures) -> None:
    asyncio.run(gathered(durable.owner))
    rounds = [asyncio.run(measured(durable.application)) for _ in range(ROUNDS)]
    figures.add(
        Figure(
            row=10,
            what=f"Simulation, {DOSSIERS:,} closed",
            unit="s",
            beside="the same rows, only read",
            rounds=rounds,
            target="< 30 s",
            reached=lambda figure: figure.measured < 30,
        )
    )


async def measured(address: str) -> tuple[float, float]:
    """Seconds."""
    connections, book = engine(address, 1), catalogue.load()
    draft = shortened(book.procedure(PROCEDURE), Term.parse("2wd"))
    async with transaction(connections) as db:
        begin = time.perf_counter()
        made = await simulate(db, book, draft, SINCE, UNTIL)
        took = time.perf_counter() - begin
        assert made.read == DOSSIERS
        assert len(made.changed) > DOSSIERS / 100
        assert sum(stage.visits for stage in made.stages) == 3 * DOSSIERS
        begin, rows = time.perf_counter(), 0
        query = closed(PROCEDURE, SINCE, UNTIL).execution_options(yield_per=BATCH)
        async with db.stream(query) as found:
            async for batch in found.partitions():
                rows += len(batch)
        assert rows == DOSSIERS
        bare = time.perf_counter() - begin
    await connections.dispose()
    return took, bare


async def gathered(owner: str) -> None:
    """A year of closed dossiers: one in five asked to supplement, one in twenty extended."""
    connections, chance = engine(owner, 1), Random(1)
    async with transaction(connections) as db:
        tables = ", ".join(SQLModel.metadata.tables.keys() - {"bundle", "edition"})
        await db.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        for _ in range(LIVES):
            paper = await lived(db, chance)
            await db.execute(COPIES, {"id": paper, "many": EACH})
        await db.execute(sa.text(APART))
    async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE"))
        await db.execute(sa.text("CHECKPOINT"))
    await connections.dispose()


async def lived(db: AsyncConnection, chance: Random) -> int:
    """The id of a dossier that lived through the ledger."""
    book = catalogue.load()
    procedure = book.procedure(PROCEDURE)
    lodging = Lodging(
        unit="H42.14", procedure=PROCEDURE, channel=Channel.counter, applicant="Nguyễn Văn A"
    )
    at = MORNING + timedelta(minutes=chance.randrange(525_600))
    files = {component.code: "0" * 64 for component in procedure.components}
    opened = Act(
        event=Event.receive,
        actor="one",
        role=Role.reception,
        at=at,
        payload={"components": files},
    )
    paper = await open_(db, book, lodging, opened)
    for act in acts(procedure, chance, at):
        paper = await move(db, book, paper.code, act)
    assert paper.finished_at is not None
    assert paper.id is not None
    return paper.id


def acts(procedure: Procedure, chance: Random, at: datetime) -> Iterator[Act]:
    """From the reception to the result."""
    for event in (Event.digitise, Event.route):
        yield Act(event=event, actor="one", role=Role.reception, at=at)
    officer = dict(actor="two", role=Role.officer)
    yield Act(event=Event.accept, at=at, **officer)
    why = dict(reason="why", ground="61/2018/NĐ-CP Điều 19")
    if chance.random() < 0.2:
        yield Act(event=Event.request_supplement, at=at, **officer, **why)
        at += timedelta(minutes=chance.randrange(5_000))
        yield Act(event=Event.supplement, actor="three", role=Role.citizen, at=at)
    if chance.random() < 0.05:
        more = {"term": "1wd"}
        leader = dict(actor="four", role=Role.leader)
        yield Act(event=Event.extend, at=at, payload=more, **leader, **why)
    last = procedure.stages[-1]
    for stage in procedure.stages:
        at += timedelta(minutes=chance.randrange(3_600))
        done = {"produced": list(stage.produces)}
        event = Event.return_result if stage is last else Event.advance
        brings = done | ({"outcome": Outcome.approved} if stage is last else {})
        yield Act(event=event, actor="five", role=stage.role, at=at, payload=brings)
