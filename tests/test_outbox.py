"""Readers of the ledger lose no line, however slowly it was written."""

import asyncio
from contextlib import suppress

import sqlalchemy as sa
from book import BOOK, COMPLETE, NINE, act, lodging, move, receive
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.tables import Entry, Reader
from states.words import Event


async def read_on(engine: AsyncEngine, name: str, limit: int = 1000) -> list[tuple[str, int]]:
    """One reading, as a flow does it: what is new, and a note of how far."""
    async with engine.begin() as db:
        new = await ledger.unread(db, name, limit)
        if new:
            await ledger.read(db, name, new[-1])
    return [(line.code, line.seq) for line in new]


async def read_until(engine: AsyncEngine, name: str, count: int) -> list[tuple[str, int]]:
    """Readings until so many lines were told. Transactions are numbered for the whole cluster, so
    readers wait for slow writers in other databases too: here, for other tests.
    """
    lines: list[tuple[str, int]] = []
    async with asyncio.timeout(60):
        while len(lines) < count:
            lines += await read_on(engine, name)
            await asyncio.sleep(0.005)
    return lines


async def naive_read_on(engine: AsyncEngine, last: int) -> tuple[list[int], int]:
    """What everybody writes first: all lines past the last number seen."""
    async with engine.begin() as db:
        new = (
            (await db.execute(sa.select(Entry.id).where(Entry.id > last).order_by(Entry.id)))
            .scalars()
            .all()
        )
    return list(new), max([last, *new])


async def test_a_slow_writers_line_is_not_lost(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        first, second = [(await receive(db)).code for _ in range(2)]
    seen, last = await naive_read_on(fresh, 0)
    naive = set(seen)
    assert await read_until(fresh, "post", 2) == [(first, 1), (second, 1)]

    async with fresh.connect() as slow:
        await move(slow, first, Event.digitise, NINE)  # has its number, has not committed
        async with fresh.begin() as quick:
            await move(quick, second, Event.digitise, NINE)
        seen, last = await naive_read_on(fresh, last)
        naive |= set(seen)
        assert await read_on(fresh, "post") == []  # waits, though a later line is there
        await slow.commit()

    seen, _ = await naive_read_on(fresh, last)
    naive |= set(seen)
    assert sorted(await read_until(fresh, "post", 2)) == [(first, 2), (second, 2)]
    async with fresh.begin() as db:
        every = set((await db.execute(sa.select(Entry.id))).scalars())
    assert len(every) == 4
    assert len(every - naive) == 1  # the naive reader never saw the slow one's


async def test_numbers_do_not_follow_transactions(fresh: AsyncEngine) -> None:
    """Who began first may write last: its second line has a number past an open one's."""
    async with fresh.begin() as db:
        papers = [await receive(db) for _ in range(2)]
    assert len(await read_until(fresh, "post", 2)) == 2
    async with fresh.connect() as early, fresh.connect() as late:
        await move(early, papers[0].code, Event.digitise, NINE)
        await move(late, papers[1].code, Event.digitise, NINE)
        await move(early, papers[0].code, Event.route, NINE)
        await early.commit()
        lines = await read_until(fresh, "post", 2)
        await late.commit()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            lines += await read_until(fresh, "post", 1)
    assert sorted(lines) == [(papers[0].code, 2), (papers[0].code, 3), (papers[1].code, 2)]


async def test_many_writers_and_a_reader_in_a_hurry(fresh: AsyncEngine) -> None:
    """Every line once, each dossier's in order, whoever was slow."""
    done = asyncio.Event()

    async def write(unit: str, pause: float) -> None:
        for _ in range(10):
            async with fresh.begin() as db:
                receipt = act(Event.receive, NINE, payload=COMPLETE)
                paper = await ledger.open_(db, BOOK, lodging(unit=unit), receipt)
                await asyncio.sleep(pause)
                await move(db, paper.code, Event.digitise, NINE)

    async def read() -> list[tuple[str, int]]:
        lines = []
        while not done.is_set():
            lines += await read_on(fresh, "portal", limit=7)
        return lines

    reading = asyncio.create_task(read())
    # A unit gives its numbers one after the other: only writers of several units overlap.
    await asyncio.gather(write("H1", 0), write("H2", 0.001), write("H3", 0.004))
    done.set()
    lines = await reading
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while len(lines) < 60:
                lines += await read_on(fresh, "portal", limit=7)
    assert len(lines) == len(set(lines)) == 60
    for code, seq in lines:
        assert seq == 1 or lines.index((code, 1)) < lines.index((code, 2))


async def test_what_is_dropped_is_never_told(fresh: AsyncEngine) -> None:
    async with fresh.connect() as db:
        await receive(db)
        await db.rollback()
    assert await read_on(fresh, "post") == []


async def test_a_reader_never_goes_back_and_readers_do_not_disturb_each_other(
    fresh: AsyncEngine,
) -> None:
    async with fresh.begin() as db:
        codes = [(await receive(db)).code for _ in range(3)]
    assert await read_until(fresh, "b", 3) == [(code, 1) for code in codes]  # all is settled now
    async with fresh.begin() as db:
        lines = await ledger.unread(db, "a")
        assert [line.code for line in lines] == codes
        await ledger.read(db, "a", lines[1])
        await ledger.read(db, "a", lines[0])  # a slow twin reports late
    assert await read_on(fresh, "a") == [(codes[2], 1)]
    assert await read_on(fresh, "a") == []
    async with fresh.begin() as db:
        assert (await db.execute(sa.select(sa.func.count()).select_from(Reader))).scalar_one() == 2


async def test_a_line_tells_all_a_reader_needs_and_again_unless_noted(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await ledger.open_(db, BOOK, lodging(), act(Event.receive, NINE))
    await read_until(fresh, "somebody else", 1)
    for _ in range(2):
        async with fresh.begin() as db:
            [line] = await ledger.unread(db, "post")
        assert (line.code, line.seq, line.event) == (paper.code, 1, "receive")
        assert (line.dest, line.at) == ("received", NINE)


async def test_who_never_read_has_read_nothing(db: AsyncConnection) -> None:
    assert list(await ledger.unread(db, "nobody")) == []
