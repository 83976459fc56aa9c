"""An import taken in to its end, in batches: killed at any line and run again, the same end.

One run at a time has an import. What became of a dossier is written in the transaction that takes
it in; so a run that begins again goes on behind the last that has its row.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue import Catalogue
from states.db import alone, transaction
from states.errors import HosoError
from states.files.refusals import Spoilt, StoreAway
from states.files.rows import file
from states.files.store import Store
from states.intake import exports, taking
from states.intake.agencies import admitting, within
from states.intake.asking import mapped
from states.intake.reading import read
from states.intake.records import Record, Refused
from states.intake.rows import OPEN, ImportState, RowResult, intake, intake_row
from states.intake.taking import Taking, Told, take_batch

log = structlog.get_logger()

i = intake.c
LOCK = 7_476_013  # the class of our advisory locks; the other half is the import's number
BEAT = 1.0  # seconds between two signs of life while a file is read and nothing is taken
Items = Iterator[Record | Refused]


class Stopped(Exception):
    """Nobody waits for what is read any more."""


@dataclass(slots=True)
class Watch:
    """How far a thread has read."""

    at: int = 0
    stopped: bool = False

    def __call__(self, read: int) -> None:
        if self.stopped:
            raise Stopped
        self.at = read


async def waiting(engine: AsyncEngine) -> list[int]:
    """The imports that are to be taken in, in the order in which they were asked for."""
    async with transaction(engine) as db:
        return list(await db.scalars(sa.select(i.id).where(i.state.in_(OPEN)).order_by(i.id)))


async def run(
    engine: AsyncEngine,
    book: Catalogue,
    store: Store,
    number: int,
    now: Callable[[], datetime],
    card: Callable[[str], str] | None = None,
) -> Any:
    """Take one in to its end; its row then. Another's run is left alone. Raises `StoreAway`."""
    async with alone(engine, LOCK, number) as ours:
        row = await _row(engine, number)
        if not ours or row.state not in OPEN:
            return row
        begun = {"state": ImportState.running, "begun_at": sa.func.coalesce(i.begun_at, now())}
        await _note(engine, number, begun)
        error = await _why_not(engine, book, store, row, card)
        ended = {"state": ImportState.failed, "error": error}
        if error is None:
            ended |= {"state": ImportState.done, "read": row.size}
        await _note(engine, number, ended | {"ended_at": now()})
        row = await _row(engine, number)
    log.info("import.ended", number=number, state=row.state, taken=row.taken, refused=row.refused)
    return row


async def _row(engine: AsyncEngine, number: int) -> Any:
    async with transaction(engine) as db:
        asked = sa.select(intake, file.c.size).join_from(intake, file).where(i.id == number)
        return (await db.execute(asked)).one()


async def _note(engine: AsyncEngine, number: int, told: dict[str, Any]) -> None:
    async with transaction(engine) as db:
        await db.execute(sa.update(intake).where(i.id == number).values(told))


# Reading and taking -----------------------------------------------------------------------


async def _why_not(
    engine: AsyncEngine,
    book: Catalogue,
    store: Store,
    row: Any,
    card: Callable[[str], str] | None,
) -> str | None:
    """Take what can be taken; why that is not the whole file, if it is not."""
    watch = Watch()
    try:
        with tempfile.TemporaryDirectory() as folder, exports.called(row.name):
            path = exports.placed(Path(folder), row.name)
            await _fetch(store, row, path)
            return await _through(engine, book, row, path, watch, card)
    except StoreAway:
        raise
    except (HosoError, Spoilt) as error:
        return str(error)
    finally:
        watch.stopped = True


async def _fetch(store: Store, row: Any, path: Path) -> None:
    """The file onto this machine, hashed on the way."""
    with path.open("wb") as to:
        async for piece in await store.reading(row.sha256, row.size):
            await asyncio.to_thread(to.write, piece)


async def _through(
    engine: AsyncEngine,
    book: Catalogue,
    row: Any,
    path: Path,
    watch: Watch,
    card: Callable[[str], str] | None,
) -> str | None:
    by = mapped(row.map)
    calendar = book.calendar(by.calendar or book.keeps)
    admit, own = admitting(by, book.agencies), within(row.agencies, book.organisation)
    known = Taking(row.name, calendar.name, card, row.agencies)
    beat = _Beat(engine, row.id, watch)

    def opened() -> Items:
        return (own(admit(item)) for item in read(path, by, watch=watch))

    items: Items = await beat.during(opened)
    n = row.items
    why: str | None = await beat.during(lambda: _skipped(items, row.items))
    while batch := await beat.during(lambda: list(islice(items, taking.BATCH))):
        async with transaction(engine) as db:
            told = await take_batch(db, book, batch, known)
            await _keep(db, row.id, n, told, watch.at)
        n += len(told)
        why = next((each.why for each in told if each.ends), why)
    return why


def _skipped(items: Items, many: int) -> str | None:
    """Go past what has its row; why the file breaks there, if it does."""
    there = islice(items, many)
    return next((each.why for each in there if isinstance(each, Refused) and each.ends), None)


@dataclass(slots=True)
class _Beat:
    """Reading in a thread, while it is told how far it is."""

    engine: AsyncEngine
    number: int
    watch: Watch
    told: int = 0

    async def during(self, work: Callable[[], Any]) -> Any:
        reading = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            while not (await asyncio.wait({reading}, timeout=BEAT))[0]:
                if self.watch.at != self.told:
                    self.told = self.watch.at
                    await _note(self.engine, self.number, {"read": self.told})
        except BaseException:
            self.watch.stopped = True
            reading.add_done_callback(lambda over: over.cancelled() or over.exception())
            raise
        return reading.result()


async def _keep(db: AsyncConnection, number: int, n: int, told: Sequence[Told], at: int) -> None:
    """What became of a batch: its rows, and the counts. `n`: how many have theirs already."""
    rows = [
        {
            "intake_id": number,
            "n": n + place,
            "row": each.row,
            "code": each.code,
            "result": each.result,
            "why": each.why,
            "activities": each.activities,
            "notes": [{"what": note.what, "detail": note.detail} for note in each.notes],
        }
        for place, each in enumerate(told, 1)
    ]
    await db.execute(sa.insert(intake_row), rows)
    more = {
        "read": at,
        "items": i["items"] + len(told),
        "activities": i.activities + sum(each.activities for each in told),
        "noted": i.noted + sum(len(each.notes) for each in told),
    }
    for result in RowResult:
        more[result.value] = i[result.value] + sum(each.result is result for each in told)
    await db.execute(sa.update(intake).where(i.id == number).values(more))
