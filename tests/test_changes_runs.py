"""Runs of change sets: broken off, killed, ten at once, and amid clerks who go on working."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from corrections import (
    CORRECTIONS,
    apply,
    approve,
    as_recomputed,
    everything,
    foreseen,
    holds,
    lines_of,
    papers,
    propose,
    settled,
    text,
)
from office import address
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.testing import capture_logs
from town import (
    BOOM,
    FIVE,
    NEVER,
    NOW,
    SECOND,
    SELDOM,
    TRIGGER,
    UNTRIGGER,
    act,
    as_owner,
    brings,
    read,
    received,
    town,
)

from config.settings import settings
from flows.opening import close
from flows.recompute import recompute
from flows.telling import MOST
from states import ledger, lifecycle
from states.catalogue import Catalogue, bundles
from states.catalogue.rights import NotAllowed
from states.catalogue.rows import Dates
from states.changes import applying, deciding
from states.changes.preview import Effect
from states.changes.rows import Status
from states.embedded import Embedded
from states.errors import NotOpen, Stale
from states.ledger.statements import d, e
from states.lifecycle import Now
from states.words import Event, Role


@pytest.fixture
async def ours(server: Embedded) -> AsyncIterator[AsyncEngine]:
    async with town(server) as engine:
        yield engine


# Killed and crowded ---------------------------------------------------------------------------


async def chosen(engine: AsyncEngine, number: int) -> list[int]:
    """The ids of the dossiers a change set will move, in order."""
    async with engine.connect() as db:
        seen, there = await foreseen(db, number), await papers(db)
    moving = (code for code, item in seen.items() if item.effect is not Effect.kept)
    return sorted(there[code].id for code in moving)


async def lines_of_one(engine: AsyncEngine, code: str) -> list[Any]:
    async with engine.connect() as db:
        return await lines_of(db, code)


async def status(engine: AsyncEngine, number: int) -> Any:
    async with engine.connect() as db:
        return await deciding.find(db, number)


async def told_lines(engine: AsyncEngine) -> int:
    async with engine.connect() as db:
        asked = sa.select(sa.func.count()).where(e.event.in_([Event.recompute, Event.restate]))
        return int(await db.scalar(asked) or 0)


async def ends_alike(engine: AsyncEngine, number: int, twin: AsyncEngine) -> None:
    """What was broken off goes on, and ends as what nobody disturbed."""
    row, other = await apply(engine, number, batch=7), await apply(twin, number)
    assert deciding.told(row) == deciding.told(other)
    assert (row.status, await told_lines(engine)) == (Status.applied, row.moved)
    assert await everything(engine) == await everything(twin)
    await holds(engine)


MANY = {"dates": Dates.later, "restates": True}


async def test_what_fails_in_a_batch_is_undone_with_it_and_goes_on_later(
    server: Embedded, ours: AsyncEngine
) -> None:
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        assert await settled(twin, raw, **MANY) == number
        ids = await chosen(ours, number)
        await as_owner(server, ours, BOOM.format(id=ids[len(ids) // 2]), TRIGGER)
        for _ in range(2):
            with pytest.raises(DBAPIError, match="boom"):
                await apply(ours, number, batch=7)
            await until_still(ours)
            row = await status(ours, number)
            assert row.status is Status.approved
            assert 0 < row.moved == await told_lines(ours) < len(ids)
            await holds(ours)
        await as_owner(server, ours, UNTRIGGER)
        await ends_alike(ours, number, twin)


async def until_still(engine: AsyncEngine) -> None:
    """A lane goes on to its end when another fails."""
    before = -1
    while (now := await told_lines(engine)) != before:
        before = now
        await asyncio.sleep(0.5)


async def correction_of_town(engine: AsyncEngine) -> bytes:
    async with engine.connect() as db:
        return await text(db, **CORRECTIONS[-1])


APPLYING = """
import asyncio, sys
sys.path.insert(0, "tests")
from datetime import datetime
from config import log
from states import db
from states.catalogue import bundles
from states.changes import applying
log.configure("json")

async def run():
    engine = db.engine(sys.argv[1], 8)
    async with db.transaction(engine) as connection:
        book = await bundles.read(connection)
    moment = datetime.fromisoformat(sys.argv[3])
    await applying.apply(engine, book, int(sys.argv[2]), moment, batch=7)

asyncio.run(run())
"""


async def test_a_run_killed_amid_its_batches_goes_on_and_ends_as_its_twin(
    server: Embedded, ours: AsyncEngine
) -> None:
    """A clerk has a dossier open in each batch it comes to last: there it is when it is killed."""
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        await settled(twin, raw, **MANY)
        ids = await chosen(ours, number)
        async with ours.connect() as clerk:
            later = d.id.in_(ids[len(ids) // 2 :: 7])
            await clerk.execute(sa.select(d.id).where(later).with_for_update())
            address = server.address(ours.url.database or "", "hoso_app")
            words = (address, str(number), NOW.isoformat())
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", APPLYING, *words, cwd=Path(__file__).parents[1]
            )
            await until_it_waits(ours, process)
            process.kill()
            assert await process.wait() == -signal.SIGKILL
            await clerk.rollback()
        row = await status(ours, number)
        assert row.status is Status.approved
        assert 0 < row.moved < len(ids)
        await until_free(ours)
        assert row.moved == await told_lines(ours)
        await holds(ours)
        await ends_alike(ours, number, twin)


OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def until_it_waits(engine: AsyncEngine, process: asyncio.subprocess.Process) -> None:
    """Until all lanes of a run stand before a locked dossier."""
    asked = sa.text(f"SELECT count(*) {OTHERS} AND wait_event_type = 'Lock'")
    async with asyncio.timeout(60), engine.connect() as db:
        while await db.scalar(asked) != applying.LANES:
            assert process.returncode is None
            await db.commit()
            await asyncio.sleep(0.01)


async def until_free(engine: AsyncEngine) -> None:
    """Until the database has noticed that a process is gone."""
    asked = sa.text(f"SELECT count(*) {OTHERS} AND state <> 'idle'")
    async with asyncio.timeout(60), engine.connect() as db:
        while await db.scalar(asked):
            await db.commit()
            await asyncio.sleep(0.01)


async def test_of_ten_runs_at_once_one_does_it(server: Embedded, ours: AsyncEngine) -> None:
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        await settled(twin, raw, **MANY)
        with capture_logs() as told:
            rows = await asyncio.gather(*(apply(ours, number, batch=7) for _ in range(10)))
        assert [each["event"] for each in told].count("change.done") == 1
        assert sum(row.status is Status.applied for row in rows) >= 1
        assert {row.status for row in rows} <= {Status.applied, Status.approved}
        await ends_alike(ours, number, twin)


async def test_clerks_go_on_working_and_nobody_loses_a_move(ours: AsyncEngine) -> None:
    """Each clerk moves a dossier as often as the lifecycle lets them, while its date is moved."""
    number = await settled(ours, dates=Dates.move)
    book = await read(ours)
    async with ours.connect() as db:
        before = await papers(db)
    open_ = [code for code, row in before.items() if row.finished_at is None and not row.source]
    made: Counter[str] = Counter()
    begin = asyncio.Event()

    async def clerk(code: str, chance: Random) -> None:
        await begin.wait()
        for _ in range(3):
            async with asyncio.timeout(30), ours.begin() as db:
                made[code] += await one_move(db, book, chance, code)

    async def counter() -> list[str]:
        await begin.wait()
        new = []
        for _ in range(20):
            async with ours.begin() as db:
                new.append((await received(db, book, FIVE, NOW)).code)
        return new

    clerks = [clerk(code, Random(code)) for code in open_]
    working = asyncio.gather(*(asyncio.create_task(each) for each in [*clerks, counter()]))
    begin.set()
    row = await apply(ours, number, batch=3)
    *_, new = await working
    assert (row.status, row.refused) == (Status.applied, 0)
    assert sum(made.values()) > len(open_)
    async with ours.connect() as db:
        after, version = await papers(db), (await bundles.read(db)).calendar("vn").version
        for code in open_:
            lines = await lines_of(db, code)
            ours_ = [line for line in lines if line["event"] == Event.recompute]
            assert len(lines) == before[code].seq + made[code] + len(ours_)
            assert len(ours_) <= 1
            if after[code].finished_at is None and after[code].received_at is not None:
                assert after[code].calendar_version == version, code
        assert {after[code].calendar_version for code in new} == {version}
        await as_recomputed(db)
    await holds(ours)


async def one_move(db: AsyncConnection, book: Catalogue, chance: Random, code: str) -> int:
    """What a clerk does who is told that somebody else was first: look again, and do it."""
    for _ in range(5):
        paper, _ = await ledger.find(db, code)
        open_now = [
            (event, role)
            for role in Role
            for event in lifecycle.open_to(paper, Now(NOW, role))
            if event not in NEVER | SELDOM
        ]
        if not open_now:
            return 0
        event, role = chance.choice(open_now)
        procedure = book.procedure(paper.procedure, paper.version)
        payload = brings(chance, event, procedure, paper)
        try:
            await ledger.move(db, book, code, act(event, NOW, role, payload=payload))
        except Stale:
            continue
        except NotOpen as waits:
            if "was not asked" not in str(waits):  # for the opinions that its version asks for
                raise
            return 0
        return 1
    raise AssertionError(code)


# Woken ----------------------------------------------------------------------------------------


async def test_an_approval_wakes_whoever_listens_and_binds_once(
    server: Embedded, ours: AsyncEngine
) -> None:
    """Two approve at once: one does, and the other is told so."""
    async with ours.begin() as db:
        number = await propose(db)
    listening = await asyncpg.connect(server.address(ours.url.database or "", "hoso_app").replace(
        "+asyncpg", ""))  # fmt: skip
    woken = asyncio.Event()
    await listening.add_listener(ledger.WAKE, lambda *_: woken.set())

    async def one(by: str) -> Any:
        async with ours.begin() as db:
            return await approve(db, number, by)

    told = await asyncio.gather(one(SECOND), one("p-sci-director"), return_exceptions=True)
    assert sorted(isinstance(each, NotAllowed) for each in told) == [False, True]
    [no] = [each for each in told if isinstance(each, NotAllowed)]
    assert str(no) == f"change {number} is approved already"
    async with asyncio.timeout(10):
        await woken.wait()
    await listening.close()
    assert await applying.waiting(ours) == [number]


async def test_the_flow_applies_what_waits_and_then_nothing(
    ours: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    async def hear(flow: str, counts: Any, events: Any, *, kinds: Any) -> None:
        heard.append((events, kinds))

    monkeypatch.setattr("flows.recompute.tell", hear)
    monkeypatch.setenv("HOSO_DATABASE", address(ours))
    settings.cache_clear()
    number = await settled(ours)
    try:
        told = await recompute.fn(NOW)
        row = await status(ours, number)
        assert told == {f"change {number}": row.moved}
        [(events, kinds)] = heard
        assert kinds == {"hoso.change-applied": row.moved}
        assert len(events) == min(MOST, row.moved) > 1
        assert {each.kind for each in events} == kinds.keys()
        for each in events:
            last = (await lines_of_one(ours, each.dossier))[-1]
            assert (last["event"], each.facts) == (Event.recompute, {"change": number})
            assert last["payload"]["act"]["change"] == number
        assert (row.status, row.applied_at) == (Status.applied, NOW)
        assert await recompute.fn(NOW) == {}
    finally:
        await close()
        settings.cache_clear()
    await holds(ours)
