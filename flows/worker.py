"""A long-lived process that runs flows when the ledger calls or the time has come.

A run in a process of its own would cost seconds of imports; here each is a call in this one, and
shows in Prefect all the same. The ledger's NOTIFY wakes `drive`; a slow tick is the net for a
message that was lost. When Prefect does not answer, the work is done without a run to show for it:
dossiers do not wait for the watcher.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from config.settings import settings
from flows.drive import drive
from flows.opening import close, connections, moment, shown
from flows.recompute import recompute
from flows.sweep import sweep
from states.changes import applying
from states.db import transaction
from states.ledger import WAKE, anchor
from states.ledger.driving import anything_open

log = structlog.get_logger()

Work = Callable[[], Coroutine[Any, Any, None]]

DEBOUNCE = 0.2  # seconds: what arrives together is driven together
TICK = 60.0  # seconds between two looks without a call
SWEEP = 300.0  # seconds between two sweeps
AGAIN = 2.0  # seconds before the database is tried again
PATIENCE = 10.0  # seconds for the database to say that it is there


async def work(stop: asyncio.Event) -> None:
    """Run flows until told to stop."""
    calls = {work: asyncio.Event() for work in (_drive_if_open, _recompute_if_approved)}
    woken = (_woken(called, work) for work, called in calls.items())
    tasks = [
        asyncio.create_task(each)
        for each in (*woken, _listening(calls.values()), _sweeping(), stop.wait())
    ]
    log.info("worker.started")
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await close()
    for task in done:
        task.result()


async def _listening(calls: Collection[asyncio.Event]) -> None:
    """Keep a connection that hears the ledger; a lost one is replaced and what it missed done."""
    address = make_url(str(settings().database)).set(drivername="postgresql")
    while True:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await _hear(address.render_as_string(hide_password=False), calls)
        await asyncio.sleep(AGAIN)


async def _hear(address: str, calls: Collection[asyncio.Event]) -> None:
    """Raises what ended the connection."""

    def call(*_: object) -> None:
        for each in calls:
            each.set()

    hearing = await asyncpg.connect(address)
    try:
        await hearing.add_listener(WAKE, call)
        call()  # what was enabled while nobody listened
        while True:
            await asyncio.sleep(AGAIN)
            await hearing.execute("SELECT 1", timeout=PATIENCE)  # one that died in silence is found
    finally:
        hearing.terminate()


async def _woken(called: asyncio.Event, work: Work) -> None:
    """Do it whenever it is called for, and now and then all the same."""
    called.set()
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(called.wait(), TICK)
            await asyncio.sleep(DEBOUNCE)
        called.clear()
        await _weathered(work)


async def _drive_if_open() -> None:
    """A run only when there is something for it to do: an idle night leaves no runs behind."""
    async with transaction(connections()) as db:
        if not await anything_open(db, moment(None)):
            return
    await _shown(drive)


async def _recompute_if_approved() -> None:
    if await applying.waiting(connections()):
        await _shown(recompute)


async def _anchored() -> None:
    """Sign the heads of all chains once a day: nobody can tell that history otherwise later."""
    day = moment(None).date()
    async with transaction(connections()) as db:
        if not await anchor.signed_on(db, day):
            await anchor.sign(db, settings().data, day)


async def _sweeping() -> None:
    while True:
        await _weathered(_anchored)
        await _weathered(lambda: _shown(sweep))
        await asyncio.sleep(SWEEP)


async def _shown(flow: Any) -> None:
    """A flow as a run of Prefect's, or its work alone when there is none, or it is away."""
    import httpx

    if not shown():
        await flow.fn()
        return
    try:
        await flow()
    except (httpx.HTTPError, RuntimeError) as error:
        log.warning("prefect.away", flow=flow.name, error=str(error)[:200])
        await flow.fn()


async def _weathered(work: Work) -> None:
    """Do it, or say why not and go on: a database that restarts is back in a moment."""
    try:
        await work()
    except (OSError, DBAPIError) as error:
        log.error("flow.failed", error=str(error).partition("\n")[0])  # noqa: TRY400  no news in where
        await asyncio.sleep(AGAIN)
    except Exception:
        log.exception("flow.failed")
        await asyncio.sleep(AGAIN)
