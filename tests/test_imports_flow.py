"""Imports by the worker: woken by the question, told to nobody twice, gone on with when killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from office import address, running
from sqlalchemy.ext.asyncio import AsyncEngine
from test_api_taking import ask, everything, many
from test_worker import SLOW, listening, until, working

from config.secret import key, secret
from config.settings import settings
from flows.intake import imports, intake
from flows.opening import close
from states.finding.searching import citizen
from states.intake import running as running_imports
from states.intake.rows import ImportState, intake_row
from states.intake.rows import intake as rows
from states.ledger.statements import d

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def place(fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """This process works on the test's database, and on no Prefect."""
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    monkeypatch.setenv("HOSO_DATABASE", address(fresh).replace("+asyncpg", ""))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


async def states(engine: AsyncEngine) -> list[ImportState]:
    async with engine.connect() as db:
        return list(await db.scalars(sa.select(rows.c.state).order_by(rows.c.id)))


async def test_a_question_wakes_the_worker(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    async def done() -> bool:
        return await states(fresh) == [ImportState.done]

    async with running(address(fresh), tmp_path) as office, working():
        await until(lambda: listening(owner))
        await ask(office)
        assert await until(done) < SLOW / 2


async def test_the_flow_takes_in_what_waits_in_its_order(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    async with running(address(fresh), tmp_path) as office:
        await ask(office)
        await ask(office, b"no table", name="b.csv")
        assert await imports.fn() == {"import 1": 3, "import 2": 0}
        assert await imports.fn() == {}
    assert await states(fresh) == [ImportState.done, ImportState.failed]
    await close()


async def test_by_the_command_a_card_is_hashed_as_over_http(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    by, file = tmp_path / "map.yaml", tmp_path / "a.csv"
    by.write_text(
        "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\ncitizen_id: CCCD\n"
        "agency: {default: H42.03}\n"
    )
    file.write_text("Mã,Nhận,CCCD\nh1,2023-01-03,001234567890\n")
    assert (await intake.fn(file, by)).taken == 1
    await close()
    hashed = citizen(key(secret(settings()), "citizen"), "001234567890")
    async with fresh.connect() as db:
        assert await db.scalar(sa.select(d.citizen)) == hashed


# A worker's process, which takes one batch after another until it is killed.
TAKING = """
import asyncio, sys
sys.path.insert(0, "tests")
from config import log
from flows.intake import imports
from states.intake import taking
log.configure("json")
taking.BATCH = 10
asyncio.run(imports.fn())
"""


def begun(folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"HOSO_DATA": str(folder)}
    return subprocess.Popen([sys.executable, "-c", TAKING], cwd=ROOT, env=environment)


async def test_a_worker_killed_in_the_middle_is_followed_by_another(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    async with running(address(fresh), tmp_path) as office:
        await ask(office, "".join(many(1_500)).encode())
    with begun(tmp_path) as worker:

        async def some() -> bool:
            async with fresh.connect() as db:
                return bool(await db.scalar(sa.select(sa.func.count(intake_row.c.n) > 100)))

        await until(some, 60)
        worker.send_signal(signal.SIGKILL)
        await asyncio.to_thread(worker.wait)
    async with fresh.connect() as db:
        left = (await db.execute(sa.select(rows))).one()
        taken = await db.scalar(sa.select(sa.func.count()).select_from(d.id.table))
    assert left.state is ImportState.running
    assert 100 < left.items < 1_500
    assert taken == left.taken
    assert await running_imports.waiting(fresh) == [1]
    await until(lambda: unheld(fresh))
    assert await imports.fn() == {"import 1": 1_350}
    await close()
    async with fresh.connect() as db:
        whole = (await db.execute(sa.select(rows))).one()
        told = sa.select(sa.func.count(), sa.func.count(intake_row.c.n.distinct()))
        assert tuple((await db.execute(told.select_from(intake_row))).one()) == (1_500, 1_500)
    assert (whole.state, whole.items, whole.known, whole.refused) == (
        ImportState.done, 1_500, 0, 150,
    )  # fmt: skip
    assert len({line.partition(",")[0] for line in await everything(fresh)}) == 1_350


async def unheld(engine: AsyncEngine) -> bool:
    """The lock of a process that was killed ends when its connection does."""
    asked = sa.text(
        "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database b ON b.oid = l.database"
        " WHERE l.locktype = 'advisory' AND b.datname = current_database())"
    )
    async with engine.connect() as db:
        return bool(await db.scalar(asked))
