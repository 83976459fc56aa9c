"""Killed anywhere: what was acknowledged is there, and run again it ends as if undisturbed."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, LICENCE, NINE, PERMIT, at, receive
from databases import run_as_owner
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import db, ledger
from states.embedded import Embedded, running
from states.ledger import chain, driving
from states.ledger.statements import d, dossier, e, entry, visit
from states.words import State

MANY = 1_000  # dossiers of each of two procedures
EVENING = at(0, "17:00")
MOVES = 3 * MANY + 2 * MANY  # digitised, routed, accepted; the others wait for a hand

# A flow's process: drives in small batches, so that it is killed between some and amid others.
DRIVING = """
import asyncio, sys
sys.path.insert(0, "tests")
from book import BOOK
from test_crash import EVENING
from config import log
from states import db
from states.ledger import driving
log.configure("json")
asyncio.run(driving.drive(db.engine(sys.argv[1]), BOOK, EVENING, batch=60))
"""
# A door's process: one move at a time; what it prints was committed.
MOVING = """
import asyncio, sys
sys.path.insert(0, "tests")
from book import NINE, move
from config import log
from states import db
from states.words import Event
log.configure("json")

async def clerk():
    engine = db.engine(sys.argv[1])
    for code in sys.argv[2:]:
        async with db.transaction(engine) as connection:
            await move(connection, code, Event.digitise, NINE)
        print(code, flush=True)

asyncio.run(clerk())
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Embedded]:
    """Its own, to be killed; durable as by default. Two like databases: `hoso`, and its `twin`."""
    with (
        tempfile.TemporaryDirectory(prefix="hoso-", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
    ):
        db.migrate(server.owner)
        asyncio.run(seed(server))
        run_as_owner(server, "CREATE DATABASE twin TEMPLATE hoso")
        yield server


async def seed(server: Embedded) -> None:
    """One of each procedure comes through the ledger, the others are its copies."""
    async with connected(server, "hoso", "postgres") as engine, engine.begin() as connection:
        for procedure in (PERMIT, LICENCE):
            await copy(connection, (await receive(connection, procedure)).id)


async def copy(connection: AsyncConnection, model: int | None) -> None:
    """Dossiers like this one, each with a chain of its own."""
    row = (await connection.execute(sa.select(dossier).where(d.id == model))).mappings().one()
    only = (
        (await connection.execute(sa.select(entry).where(e.dossier_id == model))).mappings().one()
    )
    line = {name: value for name, value in only.items() if name not in {"id", "xact"}}
    numbers = sa.text(
        "SELECT nextval(pg_get_serial_sequence('dossier', 'id')) FROM generate_series(2, :many)"
    )
    papers, lines = [], []
    for number in (await connection.execute(numbers, {"many": MANY})).scalars():
        code = f"{row['code']}-{number}"
        told = {"dossier_id": number, "payload": line["payload"].replace(row["code"], code)}
        lines.append(line | told | {"hash": (hashed := chain.derive(line | told))})
        papers.append({**row, "id": number, "code": code, "head": hashed})
    await connection.execute(sa.insert(dossier), papers)
    await connection.execute(sa.insert(entry), lines)


@asynccontextmanager
async def connected(
    server: Embedded, database: str = "hoso", role: str = "hoso_app"
) -> AsyncIterator[AsyncEngine]:
    engine = db.engine(server.address(database, role), 4)
    try:
        yield engine
    finally:
        await engine.dispose()


def begin(server: Embedded, script: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, server.application, *words],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the killed one's last words are no news
        text=True,
    )


def kill_postgres(server: Embedded) -> None:
    pid = (server.data / "postgres" / "postmaster.pid").read_text().split()[0]
    os.kill(int(pid), signal.SIGKILL)


async def moved(engine: AsyncEngine) -> int:
    """Lines after the first."""
    async with engine.connect() as connection:
        count = sa.select(sa.func.count()).where(e.seq > 1)
        return (await connection.execute(count)).scalar_one()


async def until_moved(engine: AsyncEngine, more: int) -> None:
    async with asyncio.timeout(30):
        while await moved(engine) < more:  # noqa: ASYNC110  the database sets no Event
            await asyncio.sleep(0.01)


UNLIKE = {"head", "hash", "prev", "recorded_at", "xact"}  # of the hour in which it was written
NUMBER = entry.c.id  # in the outbox: by the order in which workers came


async def everything(connection: AsyncConnection) -> list[Any]:
    told: list[Any] = []
    for table in (dossier, entry, visit):
        own = [each for each in table.c if each.name not in UNLIKE and each is not NUMBER]
        query = sa.select(*(sa.cast(each, sa.Text) for each in own)).order_by(*table.primary_key)
        told.append((await connection.execute(query)).all())
    return told


async def holds(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        report = await ledger.verify(connection, BOOK)
    assert report.faults == []
    assert report.dossiers == 2 * MANY
    assert report.unread == 0


@pytest.mark.weather
async def test_a_driven_batch_killed_twice_ends_as_its_undisturbed_twin(cluster: Embedded) -> None:
    async with connected(cluster, "twin") as engine:
        assert sum((await driving.drive(engine, BOOK, EVENING)).values()) == MOVES
        async with engine.connect() as connection:
            undisturbed = await everything(connection)

    async with connected(cluster) as engine:  # the worker is killed
        with begin(cluster, DRIVING) as worker:
            await until_moved(engine, 400)
            worker.kill()
        first = await moved(engine)
        assert 0 < first < MOVES
        await holds(engine)

    async with connected(cluster) as engine:  # Postgres is killed below a second worker
        with begin(cluster, DRIVING) as worker:
            await until_moved(engine, first + 400)
            kill_postgres(cluster)
            assert worker.wait(30) != 0
    with running(cluster.data) as again:
        async with connected(again) as engine:
            second = await moved(engine)
            assert first + 400 <= second < MOVES
            rest = await driving.drive(engine, BOOK, EVENING)
            assert sum(rest.values()) == MOVES - second
            assert sum((await driving.drive(engine, BOOK, EVENING)).values()) == 0
            async with engine.connect() as connection:
                assert await everything(connection) == undisturbed
                states = sa.select(d.state, sa.func.count()).group_by(d.state)
                assert dict((await connection.execute(states)).all()) == {
                    State.processing: MANY,
                    State.routed: MANY,
                }
            await holds(engine)


async def test_every_acknowledged_move_outlives_its_process_and_postgres(
    cluster: Embedded,
) -> None:
    """Moves one at a time; the process that made them is killed, then the database below it."""
    for killed in ("door", "postgres"):
        with running(cluster.data) as server:
            async with connected(server) as engine, engine.begin() as connection:
                codes = [(await receive(connection, LICENCE, NINE)).code for _ in range(200)]
            with begin(server, MOVING, *codes) as clerk:
                assert clerk.stdout is not None
                acknowledged = [clerk.stdout.readline().strip() for _ in range(40)]
                clerk.kill() if killed == "door" else kill_postgres(server)
                acknowledged += clerk.stdout.read().split()
        assert 40 <= len(acknowledged) < 200
        with running(cluster.data) as server:
            async with connected(server) as engine, engine.connect() as connection:
                found = sa.select(d.code).where(d.state == State.digitised, d.code.in_(codes))
                there = set((await connection.execute(found)).scalars())
                assert there >= set(acknowledged)
                assert len(there) - len(acknowledged) <= 1  # committed, and not yet told
                for code in there:
                    paper, _ = await ledger.find(connection, code)
                    assert paper.seq == 2
