"""The event log written into a file, beside COPY of the same rows by Postgres alone."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from crowd import COPIES, MORNING
from measures import ROUNDS, Figure, Figures, Pair
from sqlmodel import SQLModel

from states import bottlenecks, catalogue, logs
from states.bottlenecks import Scope
from states.db import engine, transaction
from states.embedded import Embedded
from states.ledger import Act, Lodging, move, open_
from states.logs import reading
from states.words import Channel, Event, Role

pytestmark = pytest.mark.bench

MANY = 50_000  # dossiers, each from its receipt to its delivery
EVENTS = 8
TARGET = 50_000  # events a second
PROCEDURE = "1.003659"
COPY = reading.happenings("true") + " ORDER BY dossier_id, at, kind, n"


async def lived(owner: str) -> None:
    """One that lived its life, and its copies."""
    book = catalogue.load()
    files = dict.fromkeys((each.code for each in book.procedure(PROCEDURE).components), "0" * 64)
    connections = engine(owner, 1)
    async with transaction(connections) as db:
        tables = ", ".join(SQLModel.metadata.tables.keys() - {"bundle", "edition"})
        await db.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        lodging = Lodging(
            unit="H42.14", procedure=PROCEDURE, channel=Channel.counter, applicant="Nguyễn Văn A"
        )
        paper = await open_(db, book, lodging, _act(Event.receive, 0, components=files))
        rest = (Event.digitise, Event.route, Event.accept, Event.advance, Event.advance)
        for n, event in enumerate((*rest, Event.return_result, Event.deliver), 1):
            facts: dict[str, Any] = {}
            role = Role.officer if event is Event.accept else Role.reception
            if event in {Event.advance, Event.return_result}:
                stage = book.procedure(PROCEDURE).stages[paper.stage]
                role, facts = stage.role, {"produced": [*stage.produces]}
            if event is Event.return_result:
                facts["outcome"] = "approved"
            paper = await move(db, book, paper.code, _act(event, n, role, **facts))
        await db.execute(COPIES, {"id": paper.id, "many": MANY})
    async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE"))
    await connections.dispose()


def _act(event: Event, hours: int, role: Role = Role.reception, **payload: Any) -> Act:
    at = MORNING + timedelta(hours=hours)
    return Act(event=event, actor=f"p-{role}", role=role, at=at, payload=payload)


async def copied(address: str, file: Path) -> float:
    """Events a second of Postgres alone."""
    connection = await asyncpg.connect(address.replace("+asyncpg", ""))
    begin = time.perf_counter()
    await connection.copy_from_query(COPY, output=str(file))
    took = time.perf_counter() - begin
    await connection.close()
    return MANY * EVENTS / took


async def exported(address: str, form: logs.Form, file: Path) -> float:
    """Events a second, on the disk."""
    connections = engine(address, 2)
    source = logs.Source(connections)
    export = logs.Export(source, form, logs.pseudonyms(b"k" * 32), catalogue.load().zone)
    begin = time.perf_counter()
    await logs.keep(file, logs.pieces(export))
    took = time.perf_counter() - begin
    assert (export.dossiers, export.events) == (MANY, MANY * EVENTS)
    await connections.dispose()
    return MANY * EVENTS / took


async def measured(address: str, form: logs.Form) -> Sequence[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        to, plain = (Path(folder) / name for name in ("log", "plain"))
        return [
            (await exported(address, form, to), await copied(address, plain)) for _ in range(ROUNDS)
        ]


async def looked_into(address: str) -> Pair:
    """Seconds in which the three analyses are made; in which all events are counted."""
    connections = engine(address, 1)
    scope = Scope(None, MORNING + timedelta(days=365))
    async with transaction(connections) as db:
        begin = time.perf_counter()
        found = await bottlenecks.variants(db, scope)
        await bottlenecks.rework(db, scope)
        times = await bottlenecks.times(db, catalogue.load(), scope)
        took = time.perf_counter() - begin
        begin = time.perf_counter()
        count = f"SELECT count(*) FROM ({reading.happenings('true')}) AS h WHERE h.at IS NOT NULL"
        assert await db.scalar(sa.text(count)) == MANY * EVENTS
        plain = time.perf_counter() - begin
    await connections.dispose()
    assert found.dossiers == MANY
    assert sum(each.visits for each in times.stages) == 3 * MANY
    return took, plain


def test_the_event_log(durable: Embedded, figures: Figures) -> None:
    asyncio.run(lived(durable.owner))
    for form in logs.Form:
        figures.add(
            Figure(
                row=16,
                what=f"Event log of {MANY * EVENTS:,} events as {form.upper()}",
                unit="events/s",
                beside="COPY of the same rows",
                rounds=asyncio.run(measured(durable.application, form)),
                target=f"> {TARGET:,}/s",
                reached=lambda figure: figure.measured > TARGET,
            )
        )
    figures.add(
        Figure(
            row=17,
            what=f"Variants, rework and waiting of {MANY:,} dossiers",
            unit="s",
            beside="the events counted",
            rounds=[asyncio.run(looked_into(durable.application)) for _ in range(ROUNDS)],
        )
    )
