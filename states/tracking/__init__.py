"""Public tracking: a dossier told to whoever proves that it is theirs, and to nobody else."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.clock.words import Lang
from states.tracking.reading import Claim, prove, read
from states.tracking.shapes import Tracked
from states.tracking.slip import grouped, secret_part, written
from states.tracking.telling import telling

__all__ = ["Claim", "Tracked", "grouped", "prove", "secret_part", "track", "written"]


async def track(
    db: AsyncConnection, book: Catalogue, number: int, at: datetime, lang: Lang
) -> Tracked:
    """What is told of the dossier with that id, which a claim has proved."""
    found = await read(db, number)
    return telling(book, found.paper, found.lines, at, lang)
