"""Making databases: for conftest, and for tests that make their own."""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from states.embedded import Embedded


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time makes a database."""
    with (folder / "making").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_as_owner(server: "Embedded", *statements: str) -> None:
    """Statements about databases, which no transaction may hold."""
    import asyncpg

    async def run() -> None:
        address = server.address("postgres", "postgres").replace("+asyncpg", "")
        connection = await asyncpg.connect(address)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())
