"""A process that runs the flow `drive`, as a worker does."""

import asyncio
import os
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection

from apart import asked


def driver(line: Connection, environment: Mapping[str, str]) -> None:
    """Asked for a moment, answers how many moves the run made and the seconds it took."""
    os.environ.update(environment)  # before Prefect is imported
    asyncio.run(_driver(line))


async def _driver(line: Connection) -> None:
    from prefect.context import AsyncClientContext

    from flows.drive import drive
    from flows.opening import close

    async with AsyncClientContext.get_or_create():
        for at in asked(line):
            begin = time.perf_counter()
            moved = await drive(at)
            line.send((sum(moved.values()), time.perf_counter() - begin))
    await close()
