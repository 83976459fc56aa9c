"""What the application's lifespan opens for those who listen, and ends when it is told to stop."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api.doors import House, house
from states.finding.work import waiting
from states.live import Hub, following
from states.people import Caller
from states.sight import sight

HELD = "live"  # under what the house holds the hub
SIGNALS = signal.SIGINT, signal.SIGTERM


def hub(request: Request) -> Hub:
    return cast("Hub", house(request).held[HELD])


@asynccontextmanager
async def open_to_listeners(house: House) -> AsyncIterator[None]:
    """For the application's lifespan: inside, after the engine, before anything is answered."""
    async with following(house.engine, partial(_waiting, house)) as hub:
        house.held[HELD] = hub
        with ended_by_signals(hub):
            yield


async def _waiting(house: House, db: AsyncConnection, who: Caller) -> dict[str, int]:
    """How much waits in each of somebody's queues."""
    at: datetime = (await db.execute(sa.select(sa.func.now()))).scalar_one()
    book = await house.latest(db)
    found = await waiting(db, book, who, sight(book, who), at)
    return {each.queue.name: each.count for each in found}


@contextmanager
def ended_by_signals(hub: Hub) -> Iterator[None]:
    """Let listeners go at once when the process is told to stop.

    A server waits for its answers to end before it ends the application, and these never do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, mine = asyncio.get_running_loop(), dict[signal.Signals, Any]()
    before = {each: signal.getsignal(each) for each in SIGNALS}
    for each, then in before.items():
        if callable(then):

            def told(number: int, frame: Any, then: Any = then) -> None:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(hub.close)
                then(number, frame)

            mine[each] = told
            signal.signal(each, told)
    try:
        yield
    finally:
        for each, told in mine.items():
            if signal.getsignal(each) is told:
                signal.signal(each, before[each])
