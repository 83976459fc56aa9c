"""Figures from what was rolled up are those of the dossiers, whatever was rolled up and when."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, LICENCE, TERMLESS, Shelf, act, at, lodging, move
from horizon import settled
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_figures import GRANTED, received

from states import ledger
from states.db import transaction
from states.figures.bieu06 import FORM
from states.figures.counting import counted
from states.figures.periods import ZONE, Period, divided
from states.figures.rolling import OF_MONTHS, roll
from states.words import Channel, Event

BY = [(), ("agency",), ("agency", "field", "procedure"), ("channel", "counter")]
ASKED = datetime(2024, 12, 1, tzinfo=ZONE)
PLAIN = replace(FORM, rolls=False)
ENDS = [Event.return_result, Event.return_result, Event.withdraw, Event.stop, None]


async def live(db: AsyncConnection, random: Random) -> tuple[str, Shelf]:
    """A dossier that came and perhaps went, on days that may be the first or the last of months."""
    came = random.choice([random.randint(-20, 60), 27, 28])
    agency = random.choice(["H42.05", "H42.02"])
    procedure = random.choice([LICENCE, LICENCE, TERMLESS])
    book = BOOK.with_next(procedure, agency=agency)
    if random.random() < 0.1:
        paper = lodging(procedure, channel=Channel.online)
        code = (await ledger.open_(db, book, paper, act(Event.register, at(came)))).code
        await move(db, code, Event.decline, at(came), book=book)
        return code, book
    channel = random.choice(list(Channel))
    code = await received(db, at(came, "00:00"), procedure, channel, book)
    if end := random.choice(ENDS):
        facts = GRANTED if end is Event.return_result else {}
        await move(db, code, end, at(came + random.randint(0, 25), "00:00"), book=book, **facts)
    return code, book


async def change(db: AsyncConnection, random: Random, papers: Sequence[tuple[str, Shelf]]) -> None:
    """Results are taken back, and what is open ends."""
    for code, book in random.sample(list(papers), min(3, len(papers))):
        state = await db.scalar(sa.text("SELECT state FROM dossier WHERE code = :c"), {"c": code})
        if state == "result_returned":
            await move(db, code, Event.reopen, at(86), book=book)
        elif state == "processing":
            await move(db, code, Event.return_result, at(86), book=book, **GRANTED)


def periods(random: Random) -> list[list[Period]]:
    """Months, days, moments and parts of years, with and without a beginning."""
    days = sorted(random.sample(range(-40, 120), 2))
    since, until = (at(day, random.choice(["00:00", "13:07"])) for day in days)
    month = Period.parse("2024-03")
    return [
        [month],
        [Period("", since, until)],
        [Period("", None, until)],
        [Period("", month.since, until)],
        list(divided(Period("", since, until + timedelta(days=1)), "month", ASKED)),
        list(divided(Period.parse("2024"), "quarter", ASKED)),
    ]


async def differing(db: AsyncConnection, random: Random) -> list[Any]:
    found = []
    for asked in periods(random):
        for by in BY:
            only = random.choice([{}, {"agency": ["H42.05"]}])
            pair = [await counted(db, form, by, asked, only) for form in (FORM, PLAIN)]
            if pair[0] != pair[1]:
                found.append((asked, by, only, pair))
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_rolled_up_or_not_the_figures_are_the_same(fresh: AsyncEngine, seed: int) -> None:
    random, papers = Random(seed), []
    for part in range(3):
        async with transaction(fresh) as db:
            papers += [await live(db, random) for _ in range(8)]
            assert await differing(db, random) == []  # its own lines are no reader's yet
        if part != 1:
            await settled(fresh)
            assert await roll(fresh, batch=random.choice([1, 7, 1000])) >= (part and 1)
        async with transaction(fresh) as db:
            assert await differing(db, random) == []
            await change(db, random, papers)
            assert await differing(db, random) == []
    async with transaction(fresh) as db:
        some = await counted(db, FORM, (), [Period("", None, at(200))])
    assert some[0]["received"] > 5


async def test_the_volumes_are_those_of_the_dossiers(fresh: AsyncEngine) -> None:
    random = Random(11)
    for _ in range(3):
        async with transaction(fresh) as db:
            papers = [await live(db, random) for _ in range(8)]
        await settled(fresh)
        await roll(fresh, batch=5)
        async with transaction(fresh) as db:
            await change(db, random, papers)
    await settled(fresh)
    assert await roll(fresh) > 0
    assert await roll(fresh) == 0
    keys = ", ".join(str(n) for n in range(1, 8))
    again = f"SELECT {OF_MONTHS}, count(*) FROM dossier AS counted GROUP BY {keys}"
    kept = "SELECT agency, field, channel, received_at, finished_at, late_at,"
    kept += " verdict, n FROM volume WHERE n <> 0"
    async with transaction(fresh) as db:
        wrong = await db.execute(
            sa.text(f"(({again}) EXCEPT ({kept})) UNION ALL (({kept}) EXCEPT ({again}))")
        )
        assert wrong.all() == []


async def test_two_that_roll_up_at_once_count_nothing_twice(fresh: AsyncEngine) -> None:
    async with transaction(fresh) as db:
        for _ in range(12):
            await live(db, Random(5))
    await settled(fresh)
    await asyncio.gather(*(roll(fresh, batch=3) for _ in range(4)))
    async with transaction(fresh) as db:
        asked = [Period("", None, at(200))]
        whole = await counted(db, FORM, ("agency",), asked)
        assert whole == await counted(db, PLAIN, ("agency",), asked)
        assert await db.scalar(sa.text("SELECT sum(n) FROM volume")) == 12


async def test_without_its_reader_what_was_rolled_up_stands_for_nothing(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    """And it is rolled up anew."""
    async with transaction(fresh) as db:
        for seed in range(8):
            await live(db, Random(seed))
    await settled(fresh)
    await roll(fresh)
    for _ in range(2):
        async with owner.begin() as db:
            await db.execute(sa.text("DELETE FROM reader WHERE name = 'figures'"))
        async with transaction(fresh) as db:
            assert await differing(db, Random(3)) == []
        await roll(fresh)
        async with transaction(fresh) as db:
            assert await differing(db, Random(4)) == []
            assert await db.scalar(sa.text("SELECT sum(n) FROM volume")) == 8


async def test_a_dossier_that_counts_on_one_side_only_is_told(owner_db: AsyncConnection) -> None:
    """One too many of one procedure is not made up for by one too few of another."""
    from states import catalogue
    from states.figures.asking import Question, asked
    from states.figures.every import find

    for procedure in (LICENCE, TERMLESS):
        code = await received(owner_db, at(0), procedure)
    await move(owner_db, code, Event.return_result, at(3), book=BOOK, **GRANTED)
    report, march = find("bieu06"), Question(period="2024-03")
    question = await asked(owner_db, catalogue.load(), report, march, ASKED)
    assert (await report.make(question)).faults == ()
    await owner_db.execute(sa.text("ALTER TABLE dossier DROP CONSTRAINT dossier_verdict_word"))
    forge = sa.text("UPDATE dossier SET verdict = 'fine' WHERE code = :code")
    await owner_db.execute(forge, {"code": code})
    (fault,) = (await report.make(question)).faults
    assert TERMLESS.code in fault.en
    assert "1 dossiers count otherwise" in fault.en
