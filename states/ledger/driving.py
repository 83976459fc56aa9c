"""Fire what is open by itself until nothing is. Killed anywhere, run again: the same end."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from states.db import transaction
from states.ledger.sets import move_all
from states.ledger.turn import Book
from states.lifecycle import AUTOMATIC
from states.words import Event

BATCH = 5_000  # dossiers a transaction: short enough for clerks to wait behind, long enough to pay


async def drive(
    engine: AsyncEngine, book: Book, at: datetime, batch: int = BATCH
) -> dict[Event, int]:
    """Every automatic event, in the order in which one opens the next; how many each moved."""
    moved = dict.fromkeys(AUTOMATIC, 0)
    for event in AUTOMATIC:
        more = True
        while more:
            async with transaction(engine) as db:
                done = await move_all(db, book, event, at, batch)
            moved[event] += done
            more = done == batch
    return moved
