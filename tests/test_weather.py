"""Bad weather: what was acknowledged stays, what was missed is made good, the end is the usual one.

Elsewhere: a process and Postgres killed amid a driven batch (`test_crash`), killed connections, a
lost message and Prefect away (`test_worker`), Prefect down and back and a worker killed among
others (`test_machines`).
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import weather
from book import FILE, UNIT
from databases import alone, run_as_owner
from seeding import seeded
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel
from test_crash import connected

from config.settings import settings
from flows import opening, worker
from flows.drive import drive
from flows.report import report
from flows.sweep import sweep
from states import catalogue, db, ledger
from states.db import LOST
from states.deadlines.rows import Alert
from states.embedded import Embedded, running
from states.ledger import Act, Lodging
from states.ledger.write import SKEW
from states.tables import Dossier, Entry
from states.words import Channel, Event, Role, State

pytestmark = pytest.mark.weather

BOOK = catalogue.load()
BY_ITSELF = "2.000033"  # routed and taken in without a hand; due the same day
NINE = datetime(2024, 3, 4, 2, tzinfo=UTC)  # on a Monday, in Hà Nội
HOUR = timedelta(hours=1)
CLERKS, EACH = 4, 30
MANY = 60  # dossiers, where nothing is stopped
SLOW = 30.0  # seconds: what takes longer never comes


@pytest.fixture(scope="module")
def cluster() -> Iterator[Embedded]:
    """Its own, to be stopped; durable as by default. Two like databases: `hoso`, and its `twin`."""
    with (
        tempfile.TemporaryDirectory(prefix="hoso-", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
    ):
        db.migrate(server.owner)
        seeded(server.owner)
        run_as_owner(server, "CREATE DATABASE twin TEMPLATE hoso")
        yield server


@pytest.fixture
async def turned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Callable[[str], None]]:
    """Turns the flows of this process to a database; they see no Prefect, and look often."""

    def turn(address: str) -> None:
        monkeypatch.setenv("HOSO_DATABASE", address.replace("+asyncpg", ""))
        settings.cache_clear()

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    monkeypatch.setattr(worker, "TICK", 1.0)
    yield turn
    await opening.close()
    settings.cache_clear()


@asynccontextmanager
async def at_work() -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.work(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(SLOW):
            await task


async def receive(db: AsyncConnection, who: str = "Ánh", at: datetime = NINE, **facts: Any) -> str:
    """A dossier received with all its papers."""
    papers = Lodging(unit=UNIT, procedure=BY_ITSELF, channel=Channel.counter, applicant=who)
    known = dict(payload={"components": {"don": FILE}}, at=at) | facts
    act = Act(event=Event.receive, actor="a clerk", role=Role.reception, **known)
    return (await ledger.open_(db, BOOK, papers, act)).code


async def until(engine: AsyncEngine, holds: Any, most: float = SLOW) -> None:
    """Until a statement finds something true, whatever the weather."""
    async with asyncio.timeout(most):
        while True:
            try:
                async with engine.connect() as connection:
                    if await connection.scalar(holds):
                        return
            except LOST:
                pass
            await asyncio.sleep(0.05)


def all_of(count: int, *states: State) -> Any:
    """That there are so many dossiers, all in these states."""
    here = sa.func.count().filter(Dossier.state.in_(states))
    return sa.select((sa.func.count() == count) & (here == count)).select_from(Dossier)


async def holds(engine: AsyncEngine, dossiers: int) -> None:
    """Promises 4 and 6: hashes, folds, dates and classes of all of them, by recomputation."""
    async with engine.connect() as connection:
        report = await ledger.verify(connection, BOOK)
    assert report.faults == []
    assert (report.dossiers, report.unread) == (dossiers, 0)


async def alerts(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """What was told, of whom and by which deadline: every row, so a doubled one shows."""
    told = sa.select(Dossier.applicant, Alert.rule, Alert.visit, Alert.due_at, Alert.at)
    told = told.join(Dossier, Dossier.id == Alert.dossier_id)
    async with engine.connect() as connection:
        return sorted(tuple(row) for row in (await connection.execute(told)).all())


@asynccontextmanager
async def copied(server: Embedded, template: str = "hoso") -> AsyncIterator[str]:
    """The name of a database of its own, gone afterwards."""
    name = f"weather_{uuid4().hex}"
    with alone(server.data):  # nobody may be connected to what is copied
        await asyncio.to_thread(run_as_owner, server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield name
    await opening.close()
    await asyncio.to_thread(run_as_owner, server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def begun(server: Embedded) -> AsyncIterator[str]:
    """A database to copy, with dossiers of which nothing was driven or told yet."""
    async with copied(server) as name:
        async with connected(server, name) as engine:
            for n in range(MANY):
                async with engine.begin() as connection:
                    await receive(connection, f"{n:02}")
        yield name


# Postgres stopped under load ----------------------------------------------------------------------


async def office(engine: AsyncEngine, acknowledged: list[str]) -> None:
    """Clerks who receive, then add a paper; who hears no answer asks again, by the same key."""

    async def clerk(number: int) -> None:
        for n in range(EACH):
            who = f"{number}-{n}"
            code = await insisted(
                lambda db: receive(db, who, payload={}, key=f"open-{who}")  # noqa: B023
            )
            acknowledged.append(code)
            act = Act(
                event=Event.digitise,
                actor="a clerk",
                role=Role.reception,
                at=NINE,
                payload={"components": {"don": FILE}},
                key=f"file-{who}",
            )
            await insisted(lambda db: ledger.move(db, BOOK, code, act))  # noqa: B023
            acknowledged.append(who)

    async def insisted(make: Callable[[AsyncConnection], Any]) -> Any:
        while True:
            try:
                async with asyncio.timeout(10), db.transaction(engine) as connection:
                    return await make(connection)
            except LOST:
                await asyncio.sleep(0.05)

    async with asyncio.timeout(2 * SLOW):
        await asyncio.gather(*map(clerk, range(CLERKS)))


async def story(engine: AsyncEngine) -> list[tuple[Any, ...]]:
    """Each dossier by its applicant: where it ended, and what it went through."""
    went = sa.func.array_agg(sa.dialects.postgresql.aggregate_order_by(Entry.event, Entry.seq))
    told = sa.select(Dossier.applicant, Dossier.state, Dossier.stage, Dossier.due_at, went)
    told = told.join(Entry, Entry.dossier_id == Dossier.id).group_by(Dossier.id)
    async with engine.connect() as connection:
        return sorted((*row[:4], tuple(row[4])) for row in (await connection.execute(told)).all())


async def test_postgres_stopped_twice_under_load_and_the_end_is_the_undisturbed_one(
    cluster: Embedded, turned: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promises 1, 2, 4 and 5. The worker finds its way back by itself."""
    monkeypatch.setattr(worker, "AGAIN", 0.2)
    many = CLERKS * EACH
    ends = {}
    for database in ("twin", "hoso"):
        turned(cluster.address(database, "hoso_app"))
        acknowledged: list[str] = []
        async with connected(cluster, database) as engine, at_work() as task:
            load = asyncio.create_task(office(engine, acknowledged))
            for after in (many // 2, many) if database == "hoso" else ():
                while len(acknowledged) < after:
                    assert not load.done(), "the clerks went home"
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(weather.stop_postgres, cluster)
                there = list(acknowledged)
                await asyncio.to_thread(weather.start_postgres, cluster)
                found = sa.select(sa.func.count()).where(Dossier.code.in_(there))
                codes = sum(each.startswith("H42") for each in there)
                await until(engine, sa.select(found.scalar_subquery() == codes))
            await load
            await until(engine, all_of(many, State.processing))
            assert not task.done()
            await sweep.fn()
            await holds(engine, many)
            ends[database] = (await story(engine), await alerts(engine))
    assert ends["hoso"] == ends["twin"]
    assert len(ends["hoso"][1]) >= 2 * many  # near and late, of each, once


# Ten at once --------------------------------------------------------------------------------------


WHEN = {"at", "made_at", "next_at", "sent_at", "found_at", "frozen_at", "known_at", "recorded_at"}
UNLIKE = {"id", "xact", "prev", "head", "hash", "tries", "error"}  # of when it was written
ELSEWHERE = {"bundle", "edition", "reader", "watch"}


async def everything(engine: AsyncEngine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for when it was written, so that a doubled one shows."""
    told = {}
    async with engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if table.name not in ELSEWHERE:
                alike = [each for each in table.c if each.name not in UNLIKE | WHEN]
                query = sa.select(*(sa.cast(each, sa.Text) for each in alike))
                rows = (await connection.execute(query)).all()
                told[table.name] = sorted(map(tuple, rows), key=repr)
    return told


SOON, NEXT_QUARTER = NINE + timedelta(3), NINE + timedelta(90)


@pytest.mark.parametrize(
    ("flow", "at"),
    [(drive, SOON), (sweep, SOON), (report, NEXT_QUARTER)],
    ids=["drive", "sweep", "report"],
)
async def test_ten_at_once_do_what_one_does(
    flow: Any, at: datetime, server: Embedded, begun: str, turned: Callable[[str], None]
) -> None:
    """Doubled, overlapping, ten times over: every line and alert is there once."""
    ends = {}
    for times in (10, 1, 0):
        async with copied(server, begun) as copy, connected(server, copy) as engine:
            turned(server.address(copy, "hoso_app"))
            await asyncio.gather(*(flow.fn(at) for _ in range(times)))
            await holds(engine, MANY)
            ends[times] = await everything(engine)
    assert ends[10] == ends[1] != ends[0]


async def test_a_sweep_under_way_keeps_no_dossier_from_being_driven(
    server: Embedded, begun: str, turned: Callable[[str], None]
) -> None:
    """What is skipped because it is held waits for the next tick, a minute later."""
    async with copied(server, begun) as copy, connected(server, copy) as engine:
        turned(server.address(copy, "hoso_app"))
        async with engine.begin() as sweeping:
            telling = dict(rule="r", visit=0, deadline=1, watched="term", what="alert", concerns=[])
            due = sa.select(Dossier.id, Dossier.due_at, Dossier.due_at, Dossier.unit)
            known = [
                sa.literal(each, Alert.__table__.c[name].type) for name, each in telling.items()
            ]
            columns = ["dossier_id", "due_at", "at", "unit", *telling]
            await sweeping.execute(sa.insert(Alert).from_select(columns, due.add_columns(*known)))
            moved = await drive.fn(SOON)
        assert sum(moved.values()) == 3 * MANY


# A wire that goes dead ----------------------------------------------------------------------------


async def test_a_connection_that_dies_in_silence_is_found_out(
    server: Embedded,
    begun: str,
    turned: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody says that it is gone: what is asked on it is never answered."""
    monkeypatch.setattr(worker, "AGAIN", 0.2)
    monkeypatch.setattr(worker, "PATIENCE", 0.5)
    async with (
        copied(server, begun) as name,
        weather.wire(server) as wire,
        connected(server, name) as engine,
    ):
        turned(wire.address(name))
        async with at_work() as task:
            await until(engine, all_of(MANY, State.processing))
            wire.hush()
            async with engine.begin() as connection:
                await receive(connection, "after")
            await until(engine, all_of(MANY + 1, State.processing), most=5)
            assert not task.done()
        await holds(engine, MANY + 1)


async def test_a_worker_stops_while_the_database_says_nothing(
    server: Embedded,
    begun: str,
    turned: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Amid a statement that is never answered, and cancelled in vain."""
    monkeypatch.setattr(worker, "GRACE", 0.5)
    monkeypatch.setattr(opening, "PATIENCE", 0.5)
    async with (
        copied(server, begun) as name,
        weather.wire(server) as wire,
        connected(server, name) as engine,
    ):
        turned(wire.address(name))
        monkeypatch.setattr(worker, "PATIENCE", SLOW)  # it has not found out yet
        async with at_work():
            await until(engine, all_of(MANY, State.processing))
            wire.hush()
            async with engine.begin() as connection:
                await receive(connection, "after")
            await asyncio.sleep(1.5)  # it looks at least once a second
            since = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - since < SLOW / 3


# A wrong clock ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_worker_whose_clock_is_wrong_by_an_hour_harms_nobody(
    wrong: timedelta,
    server: Embedded,
    turned: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    async with copied(server) as name, connected(server, name) as engine:
        turned(server.address(name, "hoso_app"))
        async with engine.begin() as connection:
            code = await receive(connection, at=now)
        with monkeypatch.context() as here:
            weather.set_clock(here, wrong, opening)
            await drive.fn()
        async with engine.begin() as connection:  # then a clerk, whose clock is right
            paper, _ = await ledger.find(connection, code)
            assert paper.state is State.processing
            assert abs(paper.moved_at - now) < SKEW
            act = Act(
                event=Event.stop,
                actor="a leader",
                role=Role.leader,
                at=datetime.now(UTC),
                reason="…",
                ground="61/2018/NĐ-CP Điều 19",
            )
            stopped = await ledger.move(connection, BOOK, code, act)
        assert stopped.state is State.stopped
        await holds(engine, 1)
