"""A real Postgres for the tests that want one: one cluster a run, one database a process.

Nothing of it is imported, and no server started, until a test asks for a connection.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databases import alone, empty, run_as_owner
from hypothesis import settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from states.embedded import Embedded

CLUSTER = "HOSO_TEST_CLUSTER"  # its folder: named by the first process, inherited by the workers
QUICK = (  # nobody's data: a crash may lose it
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "SELECT pg_reload_conf()",
)


settings.register_profile("shared", deadline=None)  # a machine that others use is late at times
settings.load_profile("shared")


def pytest_configure(config: pytest.Config) -> None:
    # Not below pytest's own folder: that is closed to the account which runs Postgres for root.
    if not hasattr(config, "workerinput"):
        os.environ[CLUSTER] = str(Path(tempfile.gettempdir()) / f"hoso-tests-{os.getpid()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing stays behind, not even the server of a worker that was killed."""
    folder = Path(os.environ[CLUSTER])
    if hasattr(config, "workerinput") or not folder.exists():
        return
    from states.embedded.cluster import Cluster
    from states.embedded.programs import programs_for

    if (folder / "postgres").exists():
        Cluster(folder / "postgres", programs_for(folder)).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator["Embedded"]:
    """The run's cluster. Its database `hoso` has the sample catalogue, and is only ever copied."""
    from seeding import seeded

    from states.db import migrate
    from states.embedded import running

    folder = Path(os.environ[CLUSTER])
    with running(folder) as server:
        with alone(folder):
            if not (folder / "migrated").exists():
                run_as_owner(server, *QUICK)
                migrate(server.owner)
                seeded(server.owner)
                (folder / "migrated").touch()
        yield server


@pytest.fixture(scope="session")
def database(server: "Embedded", worker_id: str) -> str:
    """The name of this process's own copy."""
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE test_{worker_id} TEMPLATE hoso")
    return f"test_{worker_id}"


@pytest.fixture(scope="session")
async def application(server: "Embedded", database: str) -> AsyncIterator["AsyncEngine"]:
    """As the application works: it may add to history and never change it."""
    from states import db

    engine = db.engine(server.address(database, "hoso_app"), size=20)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def owner(server: "Embedded", database: str) -> AsyncIterator["AsyncEngine"]:
    """As migrations run: it may do anything."""
    from states import db

    engine = db.engine(server.address(database, "postgres"), size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def db(application: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
    """A transaction that never leaves the test. What fails in SQL goes in `db.begin_nested()`."""
    async with application.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()


@pytest.fixture
async def owner_db(owner: "AsyncEngine") -> AsyncIterator["AsyncConnection"]:
    """As `db`, with the owner's rights."""
    async with owner.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()


@pytest.fixture
async def fresh(application: "AsyncEngine", owner: "AsyncEngine") -> AsyncIterator["AsyncEngine"]:
    """Real commits from many connections, for what two do at once; emptied afterwards.

    Not together with `db`: its open transaction would keep the tables from being emptied.
    """
    from sqlmodel import SQLModel

    import states.migrations.every  # noqa: F401  so that the metadata is full

    yield application
    async with owner.begin() as connection:
        await empty(connection, sorted(SQLModel.metadata.tables.keys() - {"edition", "bundle"}))


@pytest.fixture(scope="module")
def own_database(server: "Embedded", worker_id: str, request: pytest.FixtureRequest) -> str:
    """The name of a copy that a module of tests has to itself: what is published in it stays."""
    name = f"{request.module.__name__.removeprefix('test_')}_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    return name


@pytest.fixture
async def apart(server: "Embedded", own_database: str) -> AsyncIterator["AsyncEngine"]:
    """As `fresh`, for what publishes: others find the catalogue as the sample has it."""
    from sqlmodel import SQLModel

    import states.migrations.every  # noqa: F401  so that the metadata is full
    from states import db

    engine = db.engine(server.address(own_database, "hoso_app"))
    owner = db.engine(server.address(own_database, "postgres"), size=1)
    yield engine
    async with owner.begin() as connection:
        await empty(connection, sorted(SQLModel.metadata.tables.keys() - {"edition", "bundle"}))
    await engine.dispose()
    await owner.dispose()
