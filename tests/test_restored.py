"""A dump loaded into a new server, which counts its transactions from the beginning."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from book import receive
from databases import alone, run_as_owner
from sqlalchemy.ext.asyncio import AsyncEngine
from test_crash import connected
from test_ledger_chain import settled

from api.cli.place import placed
from config.settings import settings
from states import db, ledger
from states.embedded import Embedded, running
from states.embedded.programs import Programs, programs_for
from states.ledger import anchor, outbox
from states.ledger.statements import e

pytestmark = pytest.mark.weather

TODAY = date(2024, 3, 4)
KEY = b"a key that nobody else has"
# More than the new server needs to take the dump in.
BURN = "DO $$ BEGIN FOR n IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


@pytest.fixture
def old(server: Embedded) -> Iterator[str]:
    """The name of a database that has seen many transactions."""
    name = f"old_{uuid4().hex}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    run_as_owner(server, BURN)
    yield name
    run_as_owner(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new() -> Iterator[Embedded]:
    """A server without a schema."""
    with (
        tempfile.TemporaryDirectory(prefix="hoso-", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
    ):
        run_as_owner(server, "CREATE ROLE hoso_app LOGIN")
        yield server


def moved(old: Embedded, name: str, new: Embedded) -> None:
    """As docs/operate.md says it."""
    dump = new.data / "hoso.dump"
    dump.touch()
    ours: Programs = programs_for(new.data)
    ours.give(dump)
    address = f"postgresql://postgres@/{name}?host={old.socket}"
    programs_for(old.data).run("pg_dump", "-Fc", "-f", dump, address)
    there = f"postgresql://postgres@/hoso?host={new.socket}"
    ours.run("pg_restore", "--no-owner", "--no-comments", "-d", there, dump)


async def lived(engine: AsyncEngine, folder: Path) -> list[str]:
    """Three dossiers, of which a reader has read one; their codes. Signed."""
    async with engine.begin() as connection:
        codes = [(await receive(connection)).code for _ in range(3)]
    await settled(engine)
    async with engine.begin() as connection:
        first = (await ledger.unread(connection, "post"))[0]
        await ledger.read(connection, "post", first)
        assert await anchor.sign(connection, KEY, folder, TODAY) == 1
    return codes


async def read_on(engine: AsyncEngine) -> list[str]:
    async with engine.begin() as connection:
        lines = await ledger.unread(connection, "post")
        await ledger.read(connection, "post", lines[-1])
    return [line.code for line in lines]


async def test_no_line_is_stepped_over_on_a_new_server(
    server: Embedded, old: str, new: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with connected(server, old) as engine:
        codes = await lived(engine, tmp_path)
    await asyncio.to_thread(moved, server, old, new)
    async with connected(new, "hoso") as engine:
        async with engine.connect() as connection:
            with pytest.raises(outbox.OtherServer, match="run `hoso migrate`"):
                await outbox.counted_on(connection)
        monkeypatch.setenv("HOSO_DATABASE", new.application.replace("+asyncpg", ""))
        monkeypatch.setenv("HOSO_DATA", str(tmp_path))
        settings.cache_clear()
        with pytest.raises(outbox.OtherServer):
            await asyncio.to_thread(begun)
        for _ in range(2):  # the second time there is nothing to do
            await asyncio.to_thread(db.migrate, new.owner)
            async with engine.connect() as connection:
                base = await connection.scalar(sa.text("SELECT ledger_base()"))
                assert base == await connection.scalar(sa.select(sa.func.max(e.xact)))
        await asyncio.to_thread(begun)
        async with engine.begin() as connection:
            codes.append((await receive(connection)).code)
        assert await read_on(engine) == codes[1:]
        async with engine.connect() as connection:
            assert await anchor.check(connection, KEY, tmp_path) == []
    settings.cache_clear()


def begun() -> None:
    """As a command begins."""
    with placed(None):
        pass
