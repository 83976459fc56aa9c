"""Following the ledger for as long as anybody listens.

NOTIFY tells of what opened something automatic and of nothing else, as it queues all commits of the
cluster; so it wakes, and a tick finds the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from states.db import watch
from states.ledger import WAKE
from states.live.hub import Counting, Hub

log = structlog.get_logger()

TICK = 0.5  # seconds between two looks without a call
TOGETHER = 0.1  # seconds: what comes together is told together
ALERTS = 5.0  # seconds between two looks at alerts: a sweep is made every few minutes
COUNTS = 5.0  # seconds between two counts of queues
ANYHOW = 12  # counts: every so many, of everybody, for what comes due without a move
AGAIN = 2.0  # seconds before the database is tried again
PATIENCE = 10.0  # seconds for the database to say that it is there

AWAY = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def following(engine: AsyncEngine, counting: Counting | None = None) -> AsyncIterator[Hub]:
    """Those who listen in this process hear of the ledger, until this ends."""
    hub, called = Hub(engine, counting), asyncio.Event()
    loops = [_lines(hub, called), _hearing(hub, called), _counts(hub)]
    loops.append(_every(ALERTS, hub, hub.look_at_alerts))
    tasks = [asyncio.create_task(each) for each in loops]
    try:
        yield hub
    finally:
        hub.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _lines(hub: Hub, called: asyncio.Event) -> None:
    while True:
        await hub.somebody.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(called.wait(), TICK)
            await asyncio.sleep(TOGETHER)
        called.clear()
        while await _weathered(hub.look):
            pass


async def _hearing(hub: Hub, called: asyncio.Event) -> None:
    """Keep a connection that hears the ledger while somebody listens; a lost one is replaced."""
    address = hub.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def hear() -> None:
        lost = asyncio.Event()
        hearing = await asyncpg.connect(address, timeout=PATIENCE)
        try:
            watch(hearing)
            hearing.add_termination_listener(lambda *_: lost.set())
            await hearing.add_listener(WAKE, lambda *_: called.set())
            while hub.somebody.is_set() and not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), PATIENCE)
        finally:
            hearing.terminate()

    while True:
        await hub.somebody.wait()
        await _weathered(hear)


async def _counts(hub: Hub) -> None:
    n = 0

    async def some_or_all() -> None:
        nonlocal n
        n += 1
        await hub.count(everybody=n % ANYHOW == 0)

    await _every(COUNTS, hub, some_or_all)


async def _every(seconds: float, hub: Hub, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await hub.somebody.wait()
        await asyncio.sleep(seconds)
        await _weathered(work)


async def _weathered(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, or say why not and wait: a database that restarts is back in a moment."""
    try:
        return await work()
    except AWAY as error:
        log.warning("live.interrupted", why=type(error).__name__)
    except Exception:
        log.exception("live.failed")
    await asyncio.sleep(AGAIN)
    return None
