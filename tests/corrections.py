"""Calendars corrected in few words, and what can be said of every one of them."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from importlib import resources
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from town import CONTROL, FRIDAY, MONDAY, NOW, SAID, SATURDAY, SECOND, TUESDAY, read

from states import clock, ledger
from states.calendars import Override
from states.calendars.editing import with_exception, without_exception
from states.catalogue import Catalogue, bundles
from states.catalogue.rows import Dates
from states.changes import applying, deciding, preview
from states.changes.preview import Effect, Item
from states.changes.proposing import propose_calendar, texts_of
from states.changes.rows import Status
from states.clock import Term
from states.ledger.effects import facts_of
from states.ledger.statements import d, dossier, e, entry, visit
from states.lifecycle import HELD
from states.words import Tally

# Change sets, shortly -------------------------------------------------------------------------


def decided(*, works: bool, **facts: Any) -> Override:
    known = {"vi": SAID["reason"], "en": "Storm no. 5", "source": SAID["ground"]}
    return Override(works=works, **{**known, **facts})


async def text(
    db: AsyncConnection,
    *,
    name: str = "vn",
    off: Sequence[date] = (),
    work: Sequence[date] = (),
    gone: Sequence[date] = (),
) -> bytes:
    """The text in force with days decided otherwise."""
    raw = (await texts_of(db))[name].encode()
    for day in gone:
        raw = without_exception(raw, day)
    for day in (*off, *work):
        raw = with_exception(raw, day, decided(works=day in work))
    return raw


async def propose(
    db: AsyncConnection,
    raw: bytes | None = None,
    *,
    name: str = "vn",
    dates: Dates = Dates.move,
    restates: bool = False,
    by: str = CONTROL,
    when: datetime = NOW,
    reason: str = SAID["reason"],
    ground: str = SAID["ground"],
) -> int:
    """Unless another text is given: Friday is off."""
    if raw is None:
        raw = await text(db, name=name, off=[FRIDAY])
    said = {"dates": dates, "restates": restates, "reason": reason, "ground": ground}
    book = await bundles.read(db)
    return await propose_calendar(db, book, name, raw, by=by, at=when, **said)


async def approve(db: AsyncConnection, number: int, by: str = SECOND, when: datetime = NOW) -> Any:
    return await deciding.approve(db, await bundles.read(db), number, by, when)


async def settled(engine: AsyncEngine, raw: bytes | None = None, **said: Any) -> int:
    """Proposed and approved."""
    async with engine.begin() as db:
        number = await propose(db, raw, **said)
        await approve(db, number, when=said.get("when", NOW))
    return number


async def apply(engine: AsyncEngine, number: int, when: datetime = NOW, batch: int = 40) -> Any:
    return await applying.apply(engine, await read(engine), number, when, batch)


async def corrected(engine: AsyncEngine, raw: bytes | None = None, **said: Any) -> Any:
    """Proposed, approved and applied."""
    return await apply(engine, await settled(engine, raw, **said), said.get("when", NOW))


async def foreseen(db: AsyncConnection, number: int, when: datetime = NOW) -> dict[str, Item]:
    """What a change set would do, by the code of the dossier."""
    row = await deciding.find(db, number)
    book = await deciding.as_proposed(db, await bundles.read(db), row)
    plan = applying.planned(row, book, when)
    return {each.code: each async for each in preview.preview(db, book, plan, 50)}


# What there is --------------------------------------------------------------------------------

Rows = dict[str, Any]


async def papers(db: AsyncConnection) -> Rows:
    """Every dossier as it stands, by its code."""
    return {row.code: row for row in await db.execute(sa.select(dossier).order_by(d.id))}


async def lines_of(db: AsyncConnection, code: str) -> list[Any]:
    """Its lines with their payloads read."""
    asked = sa.select(entry).join(dossier, d.id == e.dossier_id).where(d.code == code)
    found = (await db.execute(asked.order_by(e.seq))).mappings()
    return [{**line, "payload": json.loads(line["payload"])} for line in found]


UNLIKE = {"id", "xact", "hash", "prev", "head", "recorded_at"}  # of two databases with one history


async def everything(engine: AsyncEngine) -> list[Any]:
    """All rows of dossiers, lines and visits, as far as like histories make them alike."""
    told = []
    async with engine.connect() as db:
        for table in (dossier, entry, visit):
            own = [each for each in table.c if table is dossier or each.name not in UNLIKE]
            own = [each for each in own if each.name != "head"]
            query = sa.select(*(sa.cast(each, sa.Text) for each in own))
            told.append((await db.execute(query.order_by(*table.primary_key))).all())
    return told


async def holds(engine: AsyncEngine) -> None:
    """Every line, every date and every class can be derived again."""
    async with engine.connect() as db:
        report = await ledger.verify(db, await bundles.read(db))
    assert (report.faults, report.unread) == ([], 0)


def due_by_clock(book: Catalogue, row: Any) -> datetime | None:
    calendar = book.calendar(row.calendar, row.calendar_version)
    facts = facts_of(row, row.finished_at)
    return clock.read(Term.parse(row.term), calendar, facts, row.policy, row.moved_at).due


def small(name: str, **said: str) -> bytes:
    lines = [f"name: {name}", "title: {vi: Lịch, en: Calendar}"]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in said.items()), ""]).encode()


HEIR = small("ha-nam", inherits="vn")
VN = (resources.files("config") / "sample" / "calendars" / "vn.yaml").read_bytes()


# Foreseen and done ----------------------------------------------------------------------------


def expected(effect: Effect, was: Any, now: Any) -> Effect:
    """The effect as its words have it, from the rows before and after."""
    if now.calendar_version == was.calendar_version:
        return Effect.kept
    if was.finished_at is not None:
        return Effect.restated
    if was.state in HELD:
        return Effect.held
    if was.due_at == now.due_at:
        return Effect.held if was.due_at is None else Effect.same
    return Effect.breaks if now.due_at > was.due_at else Effect.nearer


def as_foreseen(seen: dict[str, Item], before: Rows, after: Rows) -> None:
    """Each dossier is where the preview had it, and what it did not speak of is untouched."""
    assert before.keys() == after.keys()
    for code, was in before.items():
        now, item = after[code], seen.get(code)
        if item is None or item.effect is Effect.kept:
            assert tuple(now) == tuple(was), code
            if item is None:
                continue
        assert item.effect is expected(item.effect, was, now), code
        assert (item.state, item.unit, item.agency) == (was.state, was.unit, was.agency)
        assert (item.due, item.verdict, item.version) == (was.due_at, was.verdict, was.version)
        assert (item.due_after, item.verdict_after) == (now.due_at, now.verdict), code
        assert now.seq == was.seq + (item.effect is not Effect.kept)


async def as_recomputed(db: AsyncConnection) -> None:
    """Every date is that which the clock reads now; what waits has none."""
    book = await bundles.read(db)
    for code, row in (await papers(db)).items():
        if row.received_at is None or row.verdict is Tally.not_counted:
            continue
        assert row.due_at == (None if row.state in HELD else due_by_clock(book, row)), code


CORRECTIONS: list[dict[str, Any]] = [
    {"off": [FRIDAY]},
    {"work": [SATURDAY]},
    {"off": [MONDAY, TUESDAY]},
    {"off": [FRIDAY], "work": [SATURDAY]},
    {"off": [date(2023, 11, 16)]},
    {"work": [date(2023, 11, 18), date(2023, 11, 19)], "off": [MONDAY]},
]


async def finished(db: AsyncConnection, number: int) -> None:
    """As if a run had come to its end."""
    done = sa.update(applying.change).where(applying.c.id == number)
    await db.execute(done.values(status=Status.applied))
