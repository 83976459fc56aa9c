"""Engine, transactions, and the schema's version."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, WeakSet

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from states.errors import HosoError
from states.sentences import NONE

if TYPE_CHECKING:
    from alembic.config import Config  # imported when it is needed: half of start-up is imports


class WrongSchema(HosoError):
    """The database's schema is not the one this version knows."""


#: What is raised by a database that is away or goes away. While connecting, SQLAlchemy lets the
#: driver's own errors through.
LOST = (
    *(OSError, sa.exc.DBAPIError, sa.exc.TimeoutError),
    *(asyncpg.PostgresError, asyncpg.InterfaceError),
)

#: A wire that is dead is found out in 30 s: by what was sent and not taken, or by asking when idle.
WATCHED = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 15),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 3),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 30_000),
}
_OPEN: WeakKeyDictionary[sa.Engine, WeakSet[Any]] = WeakKeyDictionary()


def engine(url: str, size: int = 16) -> AsyncEngine:
    """A pool of connections. Texts of prepared statements are kept per connection."""
    made = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # names of citizens do not belong in messages and logs
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
    )
    _OPEN[made.sync_engine] = known = WeakSet[Any]()

    def begun(connection: AdaptedConnection, *_: object) -> None:
        known.add(connection.driver_connection)
        watch(connection.driver_connection)

    sa.event.listen(made.sync_engine, "connect", begun)
    sa.event.listen(made.sync_engine, "checkout", _alive)
    return made


def watch(driver: Any) -> None:
    """Let the system tell when the other end of a TCP connection is gone without a word."""
    wire = driver._transport.get_extra_info("socket")  # noqa: SLF001  asyncpg sets no option itself
    if wire is None or wire.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    for name, (level, value) in WATCHED.items():
        if (option := getattr(socket, name, None)) is not None:
            wire.setsockopt(level, option, value)


def abandon(engine: AsyncEngine) -> None:
    """Give up all connections, those in use too: who waits for an answer hears that it is lost.

    For a database that fell silent: it is not even told goodbye, for that would be waited for.
    """
    for driver in list(_OPEN[engine.sync_engine]):
        driver.terminate()


def _alive(connection: AdaptedConnection, *_: object) -> None:
    """Replace connections that a restart of the database closed, before anybody is handed one.

    The driver knows without asking: a ping before each transaction costs three round trips, as
    many as the transaction itself.
    """
    driver: Any = connection.driver_connection
    if driver.is_closed():
        raise sa.exc.InvalidatePoolError("the database closed the connection")
    if driver.is_in_transaction():  # of a task that was cancelled: nobody may go on in it
        raise sa.exc.DisconnectionError("the connection is still in another's transaction")


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: it commits when the block ends, and not at all when it raises."""
    async with engine.begin() as db:
        yield db


@asynccontextmanager
async def alone(engine: AsyncEngine, kind: int, number: int) -> AsyncIterator[bool]:
    """Whether nobody else has that number of its kind, held until the end.

    By a lock of the session: it ends with whoever holds it, however that ends.
    """
    async with engine.connect() as holding:
        lock = {"kind": kind, "number": number}
        ours = await holding.scalar(sa.text("SELECT pg_try_advisory_lock(:kind, :number)"), lock)
        await holding.commit()
        try:
            yield bool(ours)
        finally:
            if ours:
                await holding.execute(sa.text("SELECT pg_advisory_unlock(:kind, :number)"), lock)
                await holding.commit()


async def fetch(db: AsyncConnection, sql: str, *values: Any) -> Any:
    """The first row by the driver itself, in the same transaction; None when there is none.

    For the few statements of every move: through SQLAlchemy each takes as long as all rules do.
    Words come as plain text. Errors are SQLAlchemy's own.
    """
    return await _driven(db, sql, "fetchrow", values)


async def fetch_all(db: AsyncConnection, sql: str, *values: Any) -> list[Any]:
    """All rows, as `fetch`."""
    return cast("list[Any]", await _driven(db, sql, "fetch", values))


async def _driven(db: AsyncConnection, sql: str, how: str, values: tuple[Any, ...]) -> Any:
    connection = cast("sa.Connection", db.sync_connection)
    adapter: Any = connection.connection.dbapi_connection
    driver: Any = adapter.driver_connection
    try:
        if not connection.in_transaction():
            connection.begin()
        if not driver.is_in_transaction():
            await adapter._start_transaction()  # noqa: SLF001  as before a first statement
        return await getattr(driver, how)(sql, *values)
    except Exception as error:
        raise _told(adapter, sql, error) from error
    except BaseException:  # cancelled midway: nobody knows where the connection stands
        connection.invalidate()
        raise


def _told(adapter: Any, sql: str, error: Exception) -> Exception:
    """What the driver raised, as SQLAlchemy would have raised it."""
    try:
        adapter._handle_exception(error)  # noqa: SLF001  translates, or raises what is not the driver's
    except adapter.dbapi.Error as told:
        lost, kind = adapter.driver_connection.is_closed(), adapter.dbapi.Error
        said: Exception = sa.exc.DBAPIError.instance(
            sql, None, told, kind, hide_parameters=True, connection_invalidated=lost
        )
        return said
    raise AssertionError  # it always raises


def migrate(url: str) -> None:
    """Bring the schema up to date, as its owner. Raises `WrongSchema` when it is ahead of us."""
    from alembic import command

    _fits(url, _known(url))
    command.upgrade(_config(url), "head")


def revision_fits(url: str) -> None:
    """Refuse to work on a schema that is not ours. Raises `WrongSchema`."""
    known = _known(url)
    found = _fits(url, known)
    if found != known[0]:
        raise WrongSchema(
            "the database has schema {found}, and this hoso needs {known}: run `hoso migrate`",
            found=found or NONE,
            known=known[0],
        )


def _known(url: str) -> list[str]:
    """The revisions this version knows, newest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config(url))
    return [revision.revision for revision in script.walk_revisions()]


def _fits(url: str, known: list[str]) -> str | None:
    """The schema's revision, if it is none that only a newer version knows."""
    import asyncio

    found = asyncio.run(revision(url))
    if found is not None and found not in known:
        raise WrongSchema(
            "the database has schema {found}, which a newer hoso wrote and this one does not"
            " know: nothing was changed; run the newer hoso",
            found=found,
        )
    return found


async def revision(url: str) -> str | None:
    """The schema's present revision; None in a database that has none."""
    connecting = create_async_engine(url, poolclass=sa.NullPool)
    try:
        async with connecting.connect() as db:
            if await db.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None:
                return None
            found: str | None = await db.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return found
    finally:
        await connecting.dispose()


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config
