"""What a flow needs to begin: the database, the catalogue and the time."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.settings import settings
from states.catalogue import Catalogue
from states.catalogue.bundles import Latest
from states.db import abandon, engine, transaction
from states.errors import HosoError

PATIENCE = 10.0  # seconds for the database to say goodbye
Kept = tuple[AsyncEngine, Latest]
_KEPT: WeakKeyDictionary[asyncio.AbstractEventLoop, Kept] = WeakKeyDictionary()


class NoDatabase(HosoError):
    """No database is named: start `hoso up`, or set HOSO_DATABASE."""


def connections() -> AsyncEngine:
    """The loop's engine, kept: runs in one long-lived process share their connections."""
    return _kept()[0]


async def opened() -> tuple[AsyncEngine, Catalogue]:
    """The loop's engine, and the catalogue as it is published now."""
    connections, latest = _kept()
    async with transaction(connections) as db:
        await set_clock(db)
        return connections, await latest(db)


def _kept() -> Kept:
    address = settings().database
    if address is None:
        raise NoDatabase
    loop = asyncio.get_running_loop()
    if loop not in _KEPT:
        _KEPT[loop] = engine(str(address)), Latest()
    return _KEPT[loop]


async def close() -> None:
    """Give the loop's connections back; give them up where the database does not say goodbye."""
    if (kept := _KEPT.pop(asyncio.get_running_loop(), None)) is None:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await kept[0].dispose()
    except TimeoutError:
        abandon(kept[0])


def give_up() -> None:
    """Await nothing more of a database that fell silent: the loop's connections are lost."""
    if (kept := _KEPT.get(asyncio.get_running_loop())) is not None:
        abandon(kept[0])


def shown() -> bool:
    """Whether runs have a Prefect server to show in. Without an address, Prefect would start one of
    its own for each process, unasked.
    """
    return "PREFECT_API_URL" in os.environ


class Clock:
    """This machine's, as far as the database's is ahead of it."""

    ahead = timedelta()


async def set_clock(db: AsyncConnection) -> None:
    """By the database's: it is one, and machines are many.

    By a clock that is ahead dossiers would lapse before their time, and nobody could move them
    until what it wrote has come true; by one that is behind they would wait.
    """
    there: datetime = (await db.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    Clock.ahead = there - datetime.now(UTC)


def moment(at: datetime | None) -> datetime:
    """The moment a run stands for: what it was told, else now. The one clock flows look at."""
    return at or datetime.now(UTC) + Clock.ahead
