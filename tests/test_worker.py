"""The worker: woken by the ledger, not by the clock, and put off by nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from book import FILE, UNIT
from office import address
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    temporary_settings,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.cli.place import Place, prefect_here
from config.settings import settings
from flows import worker
from flows.deploying import listed
from flows.drive import drive
from flows.pool import Pool
from flows.sweep import sweep
from flows.telling import _UNTOLD
from states import catalogue, ledger
from states.deadlines.rows import Alert
from states.ledger import Act, Lodging
from states.tables import Dossier, Entry
from states.words import Channel, Event, Role, State

BOOK = catalogue.load()
BY_ITSELF = "2.000033"  # its first stage is taken in without a hand
PROMPT = 2.0  # seconds
SLOW = 10.0  # seconds: what takes longer never comes


@pytest.fixture(autouse=True)
def place(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[None]:
    """This process works on the test's database, and on no Prefect."""
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    monkeypatch.setenv("HOSO_DATABASE", address(fresh).replace("+asyncpg", ""))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


@asynccontextmanager
async def working() -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.work(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(SLOW):
            await task


async def receive(db: AsyncConnection, **facts: Any) -> str:
    """A complete dossier, received at this moment."""
    papers = Lodging(unit=UNIT, procedure=BY_ITSELF, channel=Channel.counter, applicant="Ánh")
    brings = {"components": {"don": FILE}}
    act = dict(event=Event.receive, actor="a", role=Role.reception, at=datetime.now(UTC))
    paper = await ledger.open_(db, BOOK, papers, Act(**{**act, "payload": brings, **facts}))
    return paper.code


async def states(engine: AsyncEngine) -> list[State]:
    async with engine.connect() as db:
        return list((await db.execute(sa.select(Dossier.state))).scalars())


async def until(holds: Callable[[], Any], most: float = SLOW) -> float:
    """Seconds until it holds."""
    since = time.monotonic()
    async with asyncio.timeout(most):
        while not await holds():  # noqa: ASYNC110  the database sets no Event
            await asyncio.sleep(0.05)
    return time.monotonic() - since


async def processing(engine: AsyncEngine) -> bool:
    return set(await states(engine)) == {State.processing}


async def listening(engine: AsyncEngine) -> bool:
    return bool(await listeners(engine))


async def listeners(engine: AsyncEngine) -> list[int]:
    """The process numbers of the connections that hear the ledger, in this database."""
    asked = sa.text(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
    )
    async with engine.connect() as db:
        return list((await db.execute(asked)).scalars())


async def test_a_complete_dossier_is_soon_in_process(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    async with working():
        await until(lambda: listening(owner))
        async with fresh.begin() as db:
            await receive(db)
        assert await until(lambda: processing(fresh)) < PROMPT
    async with fresh.connect() as db:
        assert (await ledger.verify(db, BOOK)).faults == []
        lines = (await db.execute(sa.select(Entry.event, Entry.actor).order_by(Entry.seq))).all()
    assert [tuple(line) for line in lines] == [
        (Event.receive, "a"),
        (Event.digitise, "system"),
        (Event.route, "system"),
        (Event.accept, "system"),
    ]


async def test_what_was_enabled_while_nobody_listened_is_done_at_the_start(
    fresh: AsyncEngine,
) -> None:
    async with fresh.begin() as db:
        await receive(db)
    async with working():
        await until(lambda: processing(fresh))


async def test_what_comes_together_is_driven_together(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = counted(monkeypatch, drive)
    async with working():
        await until(lambda: listening(owner))
        for _ in range(5):
            async with fresh.begin() as db:
                await receive(db)
        await until(lambda: processing(fresh))
    assert 1 <= len(runs) <= 3


def counted(monkeypatch: pytest.MonkeyPatch, flow: Any) -> list[None]:
    """A line for each run of that flow; the run itself is the true one."""
    runs: list[None] = []
    real = flow.fn

    async def counting() -> Any:
        runs.append(None)
        return await real()

    monkeypatch.setattr(flow, "fn", counting)
    return runs


async def test_with_nothing_open_there_is_no_run(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "TICK", 0.1)  # it looks often, and sees nothing to do
    monkeypatch.setattr(worker, "DEBOUNCE", 0.0)
    looks: list[None] = []
    look = worker.anything_open

    async def seen(*known: Any) -> bool:
        looks.append(None)
        return await look(*known)

    monkeypatch.setattr(worker, "anything_open", seen)
    runs, sweeps = counted(monkeypatch, drive), counted(monkeypatch, sweep)
    async with fresh.begin() as db:
        await receive(db, payload={})  # its form is missing
    async with working():

        async def looked() -> bool:
            return len(looks) >= 5 and bool(sweeps)  # which signs the day's heads before

        await until(looked)
    assert (runs, len(sweeps)) == ([], 1)
    assert await states(fresh) == [State.received]


async def test_a_lost_message_is_made_good_by_the_tick(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "TICK", 0.3)
    monkeypatch.setattr(worker, "WAKE", "nobody_calls_here")
    async with working():
        await until(lambda: listening(owner))
        async with fresh.begin() as db:
            await receive(db)
        await until(lambda: processing(fresh))


async def test_a_killed_connection_is_replaced_and_hears_again(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AGAIN", 0.2)
    async with working() as task:
        await until(lambda: listening(owner))
        killed = await listeners(owner)
        async with owner.begin() as db:
            for pid in killed:
                await db.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await receive(db)  # at the worst moment: nobody hears of it

        async def replaced() -> bool:
            now = await listeners(owner)
            return bool(now) and not set(now) & set(killed)

        await until(replaced)
        await until(lambda: processing(fresh))
        async with fresh.begin() as db:
            await receive(db)
        assert await until(lambda: processing(fresh)) < PROMPT
        assert not task.done()


async def test_all_connections_killed_and_still_at_work(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AGAIN", 0.2)

    async def taken_in() -> bool:
        try:
            return await processing(fresh)
        except sa.exc.DBAPIError:  # one of ours that was killed, too
            return False

    everybody = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with working() as task:
        await until(lambda: listening(owner))
        async with fresh.begin() as db:
            await receive(db)
        await until(lambda: processing(fresh))  # its pool has connections now
        async with owner.connect() as db:
            await db.execute(everybody)
            await receive(db)
            await db.commit()
        await until(taken_in)
        assert not task.done()


async def test_a_database_that_is_away_is_waited_for(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AGAIN", 0.1)
    there = address(fresh).replace("+asyncpg", "")
    monkeypatch.setenv("HOSO_DATABASE", there.replace("port=5432", "port=1"))
    settings.cache_clear()
    stop = asyncio.Event()
    task = asyncio.create_task(worker.work(stop))
    await asyncio.sleep(0.5)
    assert not task.done()
    stop.set()
    async with asyncio.timeout(SLOW):
        await task


async def test_deadlines_are_swept(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await receive(db, at=datetime(2024, 3, 4, 2, tzinfo=UTC))
    async with working():

        async def told() -> bool:
            async with fresh.connect() as db:
                told = (await db.execute(sa.select(Alert.rule))).scalars()
            return {"term-near", "term-late"} <= set(told)

        await until(told)


NOWHERE = "http://127.0.0.1:9/api"


async def test_prefect_away_stops_no_dossier(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that cannot be shown is done all the same."""
    monkeypatch.setenv("PREFECT_API_URL", NOWHERE)
    with turned_to(NOWHERE):
        async with working():
            await until(lambda: listening(owner))
            async with fresh.begin() as db:
                await receive(db)
            assert await until(lambda: processing(fresh)) < PROMPT
    _UNTOLD.clear()


@pytest.mark.parametrize("waiting", [False, True])
def test_a_server_that_is_away_is_turned_to_by_who_waits_for_it(
    waiting: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOSO_PREFECT_API", NOWHERE)
    settings.cache_clear()
    with patch.dict(os.environ):
        here = Place(tmp_path, "", "", None)
        assert not prefect_here(here, waiting=waiting)
        assert os.environ.get("PREFECT_API_URL") == (NOWHERE if waiting else None)


def turned_to(api: str) -> AbstractContextManager[Any]:
    """Prefect is imported already: as `environment` would have it before."""
    told = {PREFECT_API_URL: api, PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}
    return temporary_settings(updates=told)


async def test_what_is_woken_shows_at_most_once_a_minute(
    fresh: AsyncEngine, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run costs Prefect's database 40 kB, and a busy counter calls every second."""
    shown: list[str] = []

    async def show(pool: Any, flow: Any, why: str) -> bool:
        shown.append(flow.name)
        await flow.fn()
        return True

    async def attend(pool: Any) -> None:
        pool.looked.set()
        await asyncio.Event().wait()

    monkeypatch.setenv("PREFECT_API_URL", NOWHERE)
    monkeypatch.setattr(Pool, "shown", show)
    monkeypatch.setattr(Pool, "attend", attend)
    with turned_to(NOWHERE):
        async with working():
            await until(lambda: listening(owner))
            for _ in range(4):
                async with fresh.begin() as db:
                    await receive(db)
                await until(lambda: processing(fresh))
    assert shown.count("drive") == 1
    assert _UNTOLD["drive"].counts["accept"] == 4  # kept for the next run that shows
    _UNTOLD.clear()


@pytest.mark.parametrize(("here", "let_pass", "runs"), [(1, 0, 1), (1, 1, 3), (0, 0, 3)])
async def test_a_schedule_that_prefect_does_not_keep_is_kept_by_the_worker(
    here: bool, let_pass: bool, runs: int, fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run at the start, and those that came round while Prefect was away or let them pass."""
    done: list[str] = []

    class Watcher:
        def __init__(self) -> None:
            self.here, self.looked = bool(here), asyncio.Event()
            self.looked.set()

        async def shown(self, flow: Any, why: str) -> bool:
            done.append(flow.name)
            return True

        async def let_pass(self, flow: Any, since: datetime) -> bool:
            return bool(let_pass)

    rounds = iter([True, False, True])
    monkeypatch.setattr(worker, "CLOCK", 0.0)
    monkeypatch.setattr(worker, "came_round", lambda *_: next(rounds))
    monkeypatch.setattr(worker, "listed", lambda: [each for each in listed() if each.flow is sweep])
    with pytest.raises(RuntimeError, match="StopIteration"):
        await worker._by_the_clock(Watcher(), {"drive"})
    assert done == ["sweep"] * runs


async def test_as_a_command_it_works_alone_and_stops_when_told(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    """Without a Prefect server; and none is started on the quiet."""
    ours = {"PREFECT_HOME": str(tmp_path / "prefect"), "HOSO_DATA": str(tmp_path / "data")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api.cli", "worker", "--json"),
        env=os.environ | ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            told = json.loads(await process.stdout.readuntil(b"}"))
            assert told == {"database": True, "prefect": False}
        await until(lambda: listening(owner), most=60)
        async with fresh.begin() as db:
            await receive(db)
        await until(lambda: processing(fresh))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SLOW):
            _, said = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    assert not (tmp_path / "prefect" / "prefect.db").exists()


async def test_it_leaves_nothing_open_behind(fresh: AsyncEngine, owner: AsyncEngine) -> None:
    async with working():
        await until(lambda: listening(owner))

    async def gone() -> bool:
        return not await listeners(owner)

    with suppress(TimeoutError):
        await until(gone, most=3)
    assert await listeners(owner) == []
