"""Closed dossiers: read again on the record only, and the form shows nothing else of it."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime

import pytest
from corrections import (
    VN,
    apply,
    approve,
    as_foreseen,
    as_recomputed,
    corrected,
    foreseen,
    holds,
    lines_of,
    papers,
    propose,
    settled,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from town import FIVE, FRIDAY, HANOI, NO_TERM, at, move, processing, read, town

from states import pilot
from states.catalogue import Catalogue, bundles
from states.catalogue.rows import Dates
from states.changes.preview import Effect, Item
from states.embedded import Embedded
from states.figures import Bieu06, bieu06
from states.ledger import driving
from states.words import Channel, Event, Role, Tally


@pytest.fixture
async def ours(server: Embedded) -> AsyncIterator[AsyncEngine]:
    async with town(server) as engine:
        yield engine


# Closed ones ----------------------------------------------------------------------------------


async def closed(db: AsyncConnection, book: Catalogue, came: int, ended: datetime) -> str:
    code = (await processing(db, book, FIVE, at(came))).code
    for event in (Event.advance, Event.advance, Event.return_result):
        await move(db, book, code, event, ended)
    return code


NOVEMBER = datetime(2023, 11, 1, tzinfo=HANOI), datetime(2023, 12, 1, tzinfo=HANOI)
DECEMBER = datetime(2023, 12, 4, 10, tzinfo=HANOI)


async def ended(engine: AsyncEngine) -> dict[str, str]:
    """Closed, and due on Monday the 27th unless they are told for another reason."""
    async with engine.begin() as db:
        book = await bundles.read(db)
        codes = {
            "late": await closed(db, book, -3, at(5)),
            "on time": await closed(db, book, -3, at(4)),
            "early": await closed(db, book, -3, at(-1)),
            "late all the same": await closed(db, book, -3, at(6)),
            "due before": await closed(db, book, -7, at(0)),
            "received after": await closed(db, book, 4, at(5)),
            "delivered": await closed(db, book, -3, at(5)),
            "withdrawn": (await processing(db, book, FIVE, at(-3))).code,
            "without a term": (await processing(db, book, NO_TERM, at(-3))).code,
        }
        await move(db, book, codes["delivered"], Event.deliver, at(5))
        await move(db, book, codes["withdrawn"], Event.withdraw, at(4))
        for event in (Event.advance, Event.advance, Event.return_result):
            await move(db, book, codes["without a term"], event, at(5))
    return codes


RESTATED = {
    "late": (Tally.late, Tally.on_time),
    "on time": (Tally.on_time, Tally.early),
    "early": (Tally.early, Tally.early),
    "late all the same": (Tally.late, Tally.late),
    "delivered": (Tally.late, Tally.on_time),
}


async def figures(engine: AsyncEngine) -> Bieu06:
    async with engine.connect() as db:
        return await bieu06(db, await bundles.read(db), *NOVEMBER)


@pytest.mark.parametrize("dates", [Dates.keep, Dates.move])
async def test_closed_ones_are_read_again_on_the_record_only(
    ours: AsyncEngine, dates: Dates
) -> None:
    codes, before = await ended(ours), await figures(ours)
    async with ours.connect() as db:
        was = await papers(db)
        raw = await text(db, off=[FRIDAY])
    assert not any(was[codes[name]].due_at != at(4, "17:00") for name in RESTATED)
    await corrected(ours, raw, dates=dates, when=DECEMBER)
    async with ours.connect() as db:
        there = await papers(db)
        assert {c for c, row in there.items() if row.finished_at and row != was[c]} == set()
        back, again = VN, await text(db)
    await corrected(ours, back, dates=Dates.keep, when=DECEMBER)
    assert (await figures(ours)).total.resolved == before.total.resolved

    number = await settled(ours, again, dates=dates, restates=True, when=DECEMBER)
    async with ours.connect() as db:
        was, seen = await papers(db), await foreseen(db, number, DECEMBER)
    await apply(ours, number, DECEMBER)
    async with ours.connect() as db:
        there = await papers(db)
        for name, code in codes.items():
            assert (there[code] != was[code]) == (name in RESTATED), name
            assert (code in seen and seen[code].effect is Effect.restated) == (name in RESTATED)
        for name, (verdict, anew) in RESTATED.items():
            now, line = there[codes[name]], (await lines_of(db, codes[name]))[-1]
            assert (now.verdict, now.due_at) == (anew, at(5, "17:00")), name
            assert (line["event"], line["role"]) == (Event.restate, Role.control)
            told = line["payload"]["clock"]
            assert (told["verdict"], told["was"]["verdict"]) == (anew, verdict)
            assert datetime.fromisoformat(told["was"]["due"]) == at(4, "17:00")
            assert line["payload"]["act"]["change"] == number
            assert now.finished_at == was[codes[name]].finished_at
    await differs_by(seen, before, await figures(ours))
    await holds(ours)


async def differs_by(seen: dict[str, Item], before: Bieu06, after: Bieu06) -> None:
    """The form differs by what was restated, each agency by its own, and by nothing else."""
    change: Counter[tuple[str, str]] = Counter()
    for item in seen.values():
        if item.effect is Effect.restated and item.verdict is not item.verdict_after:
            change[item.agency, str(item.verdict)] -= 1
            change[item.agency, str(item.verdict_after)] += 1
    for was, now in zip(before.rows, after.rows, strict=True):
        assert now.balances
        assert now.in_process == was.in_process  # some of it is overdue no more
        told = asdict(was) | {"in_time": now.in_time, "overdue": now.overdue}
        for name in ("early", "on_time", "late"):
            told[name] += change[was.agency, name]
        assert asdict(now) == told


# The pilot year -------------------------------------------------------------------------------


async def test_the_pilot_with_24_november_off(server: Embedded) -> None:
    """Two dossiers of each pace of every procedure in the last months of 2023, lived through."""
    async with town(server, "hoso") as engine:
        book = await read(engine)
        await lived_through(engine, book)
        silvester = datetime(2023, 12, 31, 9, tzinfo=HANOI)
        async with engine.connect() as db:
            was = await papers(db)
        before = await year_s_figures(engine)
        assert len(was) > 200
        async with engine.begin() as db:
            said = {"dates": Dates.later, "restates": True, "when": silvester}
            number = await propose(db, **said)
        async with engine.begin() as db:
            seen = await foreseen(db, number, silvester)
            await approve(db, number, when=silvester)
        assert await year_s_figures(engine) == before
        row = await apply(engine, number, silvester)
        async with engine.connect() as db:
            there = await papers(db)
            as_foreseen(seen, was, there)
            await as_recomputed(db)
        effects = Counter(item.effect for item in seen.values())
        assert effects[Effect.restated] > 20
        assert row.moved == sum(effects.values()) - effects[Effect.kept]
        after = await year_s_figures(engine)
        await differs_by(seen, before, after)
        gained = after.total.early - before.total.early
        assert gained == before.total.on_time + before.total.late - (
            after.total.on_time + after.total.late
        )
        assert gained > 0
        for code, item in seen.items():
            if item.effect is Effect.restated:  # the friend of the citizen: no one is later by it
                assert there[code].due_at > was[code].due_at
                assert was[code].received_at.date() <= FRIDAY
        await holds(engine)


async def year_s_figures(engine: AsyncEngine) -> Bieu06:
    year = (datetime(year, 1, 1, tzinfo=HANOI) for year in (2023, 2024))
    async with engine.connect() as db:
        return await bieu06(db, await bundles.read(db), *year)


async def lived_through(engine: AsyncEngine, book: Catalogue) -> None:
    from flows.pilot import Moment, live

    plan = pilot.load(book)
    none = dict.fromkeys(("asked_to_pay", "sent_back", "refused", "unfinished"), 0)
    few = [
        course.model_copy(
            update=none
            | {
                "come": {Channel.online: 2 * len(course.pace)},
                "pace": dict.fromkeys(course.pace, 2),
                "months": (11, 12),
                "held": min(course.held, 1),
                "extended": min(course.extended, 1),
            }
        )
        for course in plan.procedures
    ]
    plan = plan.model_copy(update={"name": "november", "procedures": tuple(few)})

    async def evening(when: datetime, moment: Moment) -> None:
        async with moment:
            await driving.drive(engine, book, when)

    async def weekend(when: datetime, moment: Moment) -> None:
        async with moment:
            pass

    days = [day for day in pilot.story(book, plan) if day.chains]
    await live(engine, book, plan.name, days, lambda *_: None, evening=evening, weekend=weekend)
