"""Lines moved to the cold table: the same history, the same answers, and forgery is found there."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import APPROVED, BOOK, LICENCE, act, at, lines, move, process, to_signature, wander
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_ledger_chain import TODAY, forged, settled

from states import ledger
from states.errors import BadInput, KeyReused
from states.ledger import anchor
from states.ledger.archive import ARCHIVE, archive, cold, years_before
from states.tables import Dossier, Entry
from states.words import Event, Role

LATER = at(365 * 12)  # twelve years on
SECRET = b"a key that nobody else has"
WHERE = sa.text("SELECT tableoid::regclass::text, count(*) FROM entry GROUP BY 1")


async def closed(db: AsyncConnection, **facts: Any) -> Dossier:
    paper = await to_signature(db)
    done = {**APPROVED, **facts}
    await move(db, paper.code, Event.return_result, at(2), Role.leader, **done)
    return await move(db, paper.code, Event.deliver, at(3))


async def places(engine: AsyncEngine) -> dict[str, int]:
    """How many lines each table has."""
    async with engine.connect() as db:
        return dict((await db.execute(WHERE)).all())  # type: ignore[arg-type]


async def faults(engine: AsyncEngine) -> list[ledger.Fault]:
    async with engine.connect() as db:
        return (await ledger.verify(db, BOOK)).faults


# Moved ------------------------------------------------------------------------------------


async def test_what_is_long_closed_is_moved_and_nothing_else(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        old, running = await closed(db), await process(db)
        late = await process(db, LICENCE)
        await move(db, late.code, Event.withdraw, at(3000))  # closed eight years later
        before = [await lines(db, each) for each in (old, running, late)]
    told = await archive(fresh, LATER)
    assert (told.dossiers, told.entries) == (1, old.seq)
    assert await places(fresh) == {"entry": running.seq + late.seq + 1, "entry_cold": old.seq}
    async with fresh.connect() as db:
        assert [await lines(db, each) for each in (old, running, late)] == before
        seen = await ledger.history(db, old.code)
        assert [each["seq"] for each in seen.entries] == list(range(1, old.seq + 1))
    assert await faults(fresh) == []
    again = await archive(fresh, LATER)
    assert (again.dossiers, again.entries) == (0, 0)


async def test_batches_of_whole_dossiers(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        count = sum([(await closed(db)).seq for _ in range(5)])
    async with fresh.begin() as db:
        one = (await db.execute(ARCHIVE, {"before": LATER, "since": 0, "most": 2})).one()
    assert one.dossiers == 2  # and here it was killed
    assert (await archive(fresh, LATER, batch=2)).dossiers == 3
    assert await places(fresh) == {"entry_cold": count}
    assert await faults(fresh) == []


async def test_two_at_once_move_each_line_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        count = sum([(await closed(db)).seq for _ in range(8)])
    both = await asyncio.gather(*(archive(fresh, LATER, batch=1) for _ in range(2)))
    await archive(fresh, LATER)  # what one skipped because the other had it
    assert sum(each.entries for each in both) <= count
    assert await places(fresh) == {"entry_cold": count}
    assert await faults(fresh) == []


async def test_whatever_happened_to_dossiers_they_hold_cold(fresh: AsyncEngine) -> None:
    chance = Random(11)
    async with fresh.begin() as db:
        for n in range(40):
            await wander(db, chance, steps=n % 20)
        ended = sa.select(sa.func.count()).where(Dossier.finished_at.is_not(None))
        count = await db.scalar(ended)
    assert (await archive(fresh, at(365 * 40), 5)).dossiers == count > 5
    assert await faults(fresh) == []


# Read as before ---------------------------------------------------------------------------


async def test_a_key_used_in_a_cold_line_is_still_used(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        old, other = await closed(db, key="k"), await to_signature(db)
    await archive(fresh, LATER)
    same = act(Event.return_result, at(2), Role.leader, **APPROVED, key="k")
    async with fresh.begin() as db:
        assert (await ledger.move(db, BOOK, old.code, same)).seq == old.seq - 1
        with pytest.raises(KeyReused):
            await ledger.move(db, BOOK, other.code, same)
    assert sum((await places(fresh)).values()) == old.seq + other.seq


async def test_a_dossier_goes_on_from_a_cold_line(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await to_signature(db)
        await move(db, paper.code, Event.return_result, at(2), Role.leader, **APPROVED)
    assert (await archive(fresh, LATER)).dossiers == 1
    async with fresh.begin() as db:
        await move(db, paper.code, Event.deliver, LATER)
    assert await places(fresh) == {"entry": 1, "entry_cold": paper.seq + 1}
    assert await faults(fresh) == []
    assert (await archive(fresh, at(365 * 30))).entries == 1
    assert await faults(fresh) == []


async def test_what_a_reader_has_not_read_stays(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        first, second = await closed(db), await closed(db)
    await settled(fresh)
    async with fresh.begin() as db:
        unread = await ledger.unread(db, "post")
        await ledger.read(db, "post", unread[first.seq])  # the first line of the second
    assert (await archive(fresh, LATER)).dossiers == 1
    async with fresh.begin() as db:
        rest = await ledger.unread(db, "post")
        assert {line.code for line in rest} == {second.code}
        await ledger.read(db, "post", rest[-1])
        # Who begins to read later begins at the beginning.
        assert len(await ledger.unread(db, "portal")) == first.seq + second.seq
    assert (await archive(fresh, LATER)).dossiers == 1


async def test_anchors_hold(fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path) -> None:
    async with fresh.begin() as db:
        await closed(db)
    await settled(fresh)
    async with fresh.begin() as db:
        assert await anchor.sign(db, SECRET, tmp_path, TODAY) == 1
    assert (await archive(fresh, LATER)).dossiers == 1
    async with owner.connect() as db:
        assert await anchor.check(db, SECRET, tmp_path) == []
        await db.execute(sa.text("UPDATE entry_cold SET hash = sha256('x') WHERE seq = 8"))
        assert await anchor.check(db, SECRET, tmp_path) != []


# Guarded ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["payload", "actor", "at", "prev", "hash", "reason", "key"])
async def test_a_cold_line_that_was_forged_is_found(
    fresh: AsyncEngine, owner: AsyncEngine, name: str
) -> None:
    async with fresh.begin() as db:
        paper = await closed(db, key="k")
    await archive(fresh, LATER)
    async with owner.connect() as db:
        line = (cold.c.dossier_id == paper.id) & (cold.c.seq == paper.seq - 1)
        old = await db.scalar(sa.select(cold.c[name]).where(line))
        new = "{}" if name == "payload" else forged(name, old)
        if name == "at":
            new = at(5)
        await db.execute(sa.update(cold).where(line).values({name: new}))
        [fault] = (await ledger.verify(db, BOOK)).faults
        assert (fault.code, fault.seq) == (paper.code, paper.seq - 1)


async def test_a_cold_line_that_is_gone_is_found(fresh: AsyncEngine, owner: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await closed(db)
    await archive(fresh, LATER)
    async with owner.connect() as db:
        await db.execute(sa.delete(cold).where(cold.c.seq == 3))
        [fault] = (await ledger.verify(db, BOOK)).faults
        assert (fault.code, fault.seq) == (paper.code, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entry",
        "UPDATE entry SET actor = 'x'",
        "TRUNCATE entry",
        "DELETE FROM entry_cold",
        "UPDATE entry_cold SET actor = 'x'",
        "TRUNCATE entry_cold",
        "INSERT INTO entry_cold SELECT * FROM entry",
        "ALTER TABLE entry_cold NO INHERIT entry",
        "DROP FUNCTION archive_entries",
        "ALTER FUNCTION archive_entries SECURITY INVOKER",
    ],
)
async def test_the_application_moves_no_line_by_itself(fresh: AsyncEngine, statement: str) -> None:
    async with fresh.begin() as db:
        await closed(db)
    async with fresh.connect() as db:
        with pytest.raises(sa.exc.DBAPIError, match=r"permission denied|must be owner"):
            await db.execute(sa.text(statement))


async def test_the_function_takes_nothing_that_is_open(fresh: AsyncEngine) -> None:
    """Whatever moment it is given."""
    async with fresh.begin() as db:
        await process(db)
    async with fresh.begin() as db:
        asked = {"before": datetime(9000, 1, 1, tzinfo=UTC), "since": 0, "most": 100}
        assert (await db.execute(ARCHIVE, asked)).one().dossiers == 0
        assert await db.scalar(sa.select(sa.func.count(Entry.id))) == 4


async def test_who_moves_a_dossier_now_keeps_it(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await to_signature(db)
        await move(db, paper.code, Event.return_result, at(2), Role.leader, **APPROVED)
    async with fresh.connect() as clerk:
        await move(clerk, paper.code, Event.deliver, LATER)
        assert (await archive(fresh, LATER)).dossiers == 0
        await clerk.commit()
    assert (await archive(fresh, LATER)).dossiers == 0  # its last line is of today
    assert await faults(fresh) == []


# The policy -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "years", "expected"),
    [
        (datetime(2034, 3, 4, 9, tzinfo=UTC), 10, datetime(2024, 3, 4, 9, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 5, datetime(2023, 2, 28, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 8, datetime(2020, 2, 28, tzinfo=UTC)),
    ],
)
def test_so_many_years_before(on: datetime, years: int, expected: datetime) -> None:
    assert years_before(on, years) == expected


@pytest.mark.parametrize("years", [4, 0, -1, 2024])
def test_fewer_years_than_the_law_has_are_refused(years: int) -> None:
    with pytest.raises(BadInput, match=r"too few|name fewer"):
        years_before(at(0), years)
