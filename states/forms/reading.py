"""What the forms of a dossier are made of, as the database has it: five statements, of any size."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.consultations.opened import c
from states.files import attaching
from states.forms.matter import Matter, Track
from states.ledger.history import history_of
from states.tables import Dossier


async def matter(
    db: AsyncConnection, book: Catalogue, paper: Dossier, at: datetime, track: Track | None = None
) -> Matter:
    """Of a dossier that was found."""
    kept = await history_of(db, paper)
    asked = sa.select(c.unit).where(c.dossier_id == paper.id).order_by(c.n)
    attached = await attaching.attached(db, int(paper.id or 0))
    return Matter(
        book=book,
        paper=kept.paper,
        lines=kept.entries,
        visits=kept.visits,
        files=frozenset({*paper.facts.get("components", {}), *attached}),
        consulted=tuple(await db.scalars(asked)),
        at=at,
        track=track,
    )
