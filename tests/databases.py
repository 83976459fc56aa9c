"""Making databases: for conftest, and for tests that make their own."""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from states.embedded import Embedded

LARGE = 512 * 1024  # bytes; deleted rows are carried along up to here


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


async def empty(owner: "AsyncConnection", tables: list[str]) -> None:
    """Rows gone and sequences begun anew, as by TRUNCATE, once nobody is in these tables any more.

    TRUNCATE makes new files for each table and index, empty or not, and every connection forgets
    its plans: a tenth of a second, after each of a thousand tests that filled a few tables.
    """
    import sqlalchemy as sa

    async def run(statement: str) -> "sa.CursorResult[Any]":
        return await owner.execute(sa.text(statement))

    named = ", ".join(tables)
    await run(f"LOCK TABLE {named}")
    some = (f"(SELECT '{name}', pg_relation_size('{name}') FROM {name} LIMIT 1)" for name in tables)
    filled = dict((await run(" UNION ALL ".join(some))).all())
    if any(size > LARGE for size in filled.values()):
        await run(f"TRUNCATE {named} RESTART IDENTITY CASCADE")
        return
    await run("SET LOCAL session_replication_role = replica")  # history's triggers, foreign keys
    for name in filled:
        await run(f"DELETE FROM {name}")
    used = "FROM pg_sequences WHERE last_value IS NOT NULL"
    await run(
        f"SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) {used}"
    )
