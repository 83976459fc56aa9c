"""A long-lived process that runs flows when the ledger calls or the time has come.

A run in a process of its own would cost seconds of imports; here each is a call in this one, under
its deployment in Prefect. The ledger's NOTIFY wakes what is in `_woken_flows`; a slow tick is the
net for a message that was lost. The other flows come by their schedules: Prefect's while it keeps
them, our own clock while it does not. Dossiers do not wait for the watcher.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import structlog
from prefect import Flow
from prefect.context import AsyncClientContext
from sqlalchemy.engine import make_url

from config.secret import key, secret
from config.settings import settings
from flows.cron import came_round, is_frequent
from flows.deploying import listed
from flows.drive import drive
from flows.intake import imports
from flows.notify import notify
from flows.opening import close, connections, give_up, moment, set_clock, shown
from flows.pool import Pool
from flows.recompute import recompute
from states import notices
from states.changes import applying
from states.db import LOST, transaction, watch
from states.errors import HosoError
from states.intake import running
from states.ledger import WAKE, anchor
from states.ledger.driving import anything_open

log = structlog.get_logger()

Work = Callable[[], Coroutine[Any, Any, None]]
Look = Callable[[], Coroutine[Any, Any, object]]

DEBOUNCE = 0.2  # seconds: what arrives together is driven together
TICK = 60.0  # seconds between two looks without a call
CLOCK = 15.0  # seconds between two looks at the clock
LAG = timedelta(minutes=1)  # what Prefect has to keep a schedule, before we do
RARELY = 60.0  # seconds between two woken runs that show; what comes between is told with the next
ANCHOR = 300.0  # seconds between two looks whether the day is signed
PROMPTLY = 5.0  # seconds between two looks for news to tell (Decree 224/2026 Art. 15(1)(g))
AGAIN = 2.0  # seconds before the database is tried again
PATIENCE = 10.0  # seconds for the database to say that it is there
GRACE = 10.0  # seconds for what is under way to end when we are told to stop


@dataclass(slots=True)
class Woken:
    """A flow that runs when the ledger calls and there is something for it to do."""

    flow: Flow[..., Any]
    open: Look  # whether there is: an idle night leaves no runs behind
    tick: float | None = None  # seconds between two looks without a call; TICK unless said
    called: asyncio.Event = field(default_factory=asyncio.Event)
    shown_at: float = -RARELY


def _woken_flows() -> list[Woken]:
    return [
        Woken(drive, _anything_open),
        Woken(recompute, _anything_approved),
        Woken(imports, _anything_to_take_in),
        Woken(notify, _anything_to_tell, tick=PROMPTLY),
    ]


async def work(stop: asyncio.Event) -> None:
    """Run flows until told to stop."""
    async with _pool() as pool:
        woken = _woken_flows()
        loops: list[Coroutine[Any, Any, object]] = [stop.wait(), _listening(woken), _anchoring()]
        loops += [_waking(each, pool) for each in woken]
        loops.append(_by_the_clock(pool, {each.flow.name for each in woken}))
        if pool is not None:
            loops.append(pool.attend())
        tasks = [asyncio.create_task(each) for each in loops]
        log.info("worker.started")
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await _broken_off(others)
    await close()
    for task in done:
        task.result()


async def _broken_off(tasks: Collection[asyncio.Task[object]]) -> None:
    """Broken off amid a statement, a task waits for the database to say that it heard; not for one
    that says nothing.
    """
    for task in tasks:
        task.cancel()
    ended, stuck = await asyncio.wait(tasks, timeout=GRACE)
    if stuck:
        log.error("database.silent")
        give_up()
    await asyncio.gather(*ended, return_exceptions=True)


@asynccontextmanager
async def _pool() -> AsyncIterator[Pool | None]:
    """Our place in Prefect's pool, if there is a server; one client for all runs."""
    if not shown():
        yield None
        return
    async with AsyncClientContext.get_or_create() as known:
        pool = Pool(known.client)
        try:
            yield pool
        finally:
            await pool.leave()


# Called by the ledger -------------------------------------------------------------------------


async def _listening(woken: Collection[Woken]) -> None:
    """Keep a connection that hears the ledger; a lost one is replaced and what it missed done."""
    address = make_url(str(settings().database)).set(drivername="postgresql")
    while True:
        try:
            await _hear(address.render_as_string(hide_password=False), woken)
        except TimeoutError:  # it fell silent: what waits for an answer would wait for ever
            log.error("database.silent")  # noqa: TRY400  no news in where
            give_up()
        except LOST:
            pass
        await asyncio.sleep(AGAIN)


async def _hear(address: str, woken: Collection[Woken]) -> None:
    """Raises what ended the connection."""

    def call(*_: object) -> None:
        for each in woken:
            each.called.set()

    hearing = await asyncpg.connect(address, timeout=PATIENCE)
    try:
        watch(hearing)
        async with asyncio.timeout(PATIENCE):
            await hearing.add_listener(WAKE, call)
        call()  # what was enabled while nobody listened
        while True:
            await asyncio.sleep(AGAIN)
            await hearing.execute("SELECT 1", timeout=PATIENCE)  # one that died in silence is found
    finally:
        hearing.terminate()


async def _waking(woken: Woken, pool: Pool | None) -> None:
    """Run it whenever it is called for, and now and then all the same, if there is need."""

    async def run_if_open() -> None:
        if await woken.open():
            await _run_woken(woken, pool)
            if await woken.open():  # held by somebody else, who may die over it
                asyncio.get_running_loop().call_later(AGAIN, woken.called.set)

    woken.called.set()
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.called.wait(), woken.tick or TICK)
            await asyncio.sleep(DEBOUNCE)
        woken.called.clear()
        await _weathered(run_if_open)


async def _run_woken(woken: Woken, pool: Pool | None) -> None:
    """As a run that shows, but at most one a minute: each costs Prefect's database 40 kB."""
    now = time.monotonic()
    if pool is not None and now - woken.shown_at >= RARELY:
        woken.shown_at = now
        if await pool.shown(woken.flow, "woken by the ledger"):
            return
    await woken.flow.fn()


async def _anything_open() -> bool:
    async with transaction(connections()) as db:
        await set_clock(db)
        return await anything_open(db, moment(None))


async def _anything_to_tell() -> bool:
    """Whether a way out is set up, and there is news or a message to send."""
    told = settings()
    if not (told.smtp or told.sms_gateway or told.chat_gateway or told.webhooks):
        return False
    async with transaction(connections()) as db:
        return await notices.waiting(db, moment(None))


async def _anything_approved() -> object:
    return await applying.waiting(connections())


async def _anything_to_take_in() -> object:
    return await running.waiting(connections())


# Called by the clock --------------------------------------------------------------------------


async def _by_the_clock(pool: Pool | None, woken: Collection[str]) -> None:
    """At the start, what may have been missed; then what came round, and Prefect let pass."""
    others = [each for each in listed() if each.flow.name not in woken]
    if pool is not None:
        await pool.looked.wait()
    for each in others:
        if any(is_frequent(when.cron) for when in each.schedules):
            await _weathered(partial(_run, each.flow, pool, "the worker began"))
    since = moment(None)
    while True:
        await asyncio.sleep(CLOCK)
        at = moment(None) - LAG
        for each in others:
            due = any(came_round(when.cron, when.timezone, since, at) for when in each.schedules)
            if due and (pool is None or not pool.here or await pool.let_pass(each.flow, since)):
                await _weathered(partial(_run, each.flow, pool, "nobody kept its schedule"))
        since = max(since, at)


async def _run(flow: Flow[..., Any], pool: Pool | None, why: str) -> None:
    if pool is None or not await pool.shown(flow, why):
        await flow.fn()


async def _anchoring() -> None:
    while True:
        await _weathered(_anchored)
        await asyncio.sleep(ANCHOR)


async def _anchored() -> None:
    """Sign the heads of all chains once a day: nobody can tell that history otherwise later."""
    async with transaction(connections()) as db:
        await set_clock(db)
        day = moment(None).date()
        if not await anchor.signed_on(db, day):
            told = settings()
            ours = anchor.key_in(told.data, key(secret(told), "anchor"))
            await anchor.sign(db, ours, told.data, day)


async def _weathered(work: Work) -> None:
    """Do it, or say why not and go on: a database that restarts is back in a moment."""
    try:
        await work()
    except (*LOST, HosoError) as error:
        log.error("flow.failed", error=str(error).partition("\n")[0])  # noqa: TRY400  no news in where
        await asyncio.sleep(AGAIN)
    except Exception:
        log.exception("flow.failed")
        await asyncio.sleep(AGAIN)
