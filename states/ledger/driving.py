"""Fire what is open by itself until nothing is. Killed anywhere, run again: the same end."""

import asyncio
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.db import transaction
from states.ledger.pins import Book
from states.ledger.sets import move_all
from states.ledger.statements import d
from states.lifecycle import AUTOMATIC, ROWS, Now
from states.words import Event, Role

LANES = 2  # connections: more only wait for the disk
BATCH = 5_000  # dossiers a transaction: short enough for clerks to wait behind, long enough to pay


async def drive(
    engine: AsyncEngine, book: Book, at: datetime, batch: int = BATCH, lanes: int = LANES
) -> dict[Event, int]:
    """Every automatic event, in the order in which one opens the next; how many each moved."""
    moved = {}
    for event in AUTOMATIC:
        async with transaction(engine) as db:
            moved[event] = await move_all(db, book, event, at, batch)
        if moved[event] >= batch:
            more = (_lane(engine, book, event, at, batch) for _ in range(lanes))
            moved[event] += sum(await asyncio.gather(*more))
    return moved


async def _lane(engine: AsyncEngine, book: Book, event: Event, at: datetime, batch: int) -> int:
    """Batch after batch until none is full; lanes never wait for each other's rows."""
    moved, done = 0, batch
    while done >= batch:
        async with transaction(engine) as db:
            done = await move_all(db, book, event, at, batch)
        moved += done
    return moved


async def anything_open(db: AsyncConnection, at: datetime) -> bool:
    """Whether any automatic event is open at a moment."""
    now = Now(at, Role.system)
    holds = [(d.state == row.source) & row.holds(d, now) for row in ROWS if row.automatic]
    found = await db.scalar(sa.select(sa.exists().where(sa.or_(*holds) & (d.moved_at <= at))))
    return bool(found)
