"""What a flow needs to begin: the database, the catalogue and the time."""

import asyncio
import os
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine

from config.settings import settings
from states import catalogue
from states.catalogue import Catalogue
from states.db import engine
from states.errors import HosoError

_ENGINES: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()


class NoDatabase(HosoError):
    """No database is named: start `hoso up`, or set HOSO_DATABASE."""


def opened() -> tuple[AsyncEngine, Catalogue]:
    """The loop's engine, kept: runs in one long-lived process share their connections."""
    address = settings().database
    if address is None:
        raise NoDatabase
    loop = asyncio.get_running_loop()
    if loop not in _ENGINES:
        _ENGINES[loop] = engine(str(address))
    return _ENGINES[loop], catalogue.load()


async def close() -> None:
    """Give the loop's connections back."""
    if (kept := _ENGINES.pop(asyncio.get_running_loop(), None)) is not None:
        await kept.dispose()


def shown() -> bool:
    """Whether runs have a Prefect server to show in. Without an address, Prefect would start one of
    its own for each process, unasked.
    """
    return "PREFECT_API_URL" in os.environ


def moment(at: datetime | None) -> datetime:
    """The moment a run stands for: what it was told, else now. The one clock flows look at."""
    return at or datetime.now(UTC)
