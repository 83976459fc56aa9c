"""What happened to a dossier: its lines, its visits of stages, and what another system told."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.ledger.statements import a, activity, e, entry, v, visit
from states.ledger.write import find
from states.tables import Dossier


@dataclass(frozen=True, slots=True)
class History:
    """A dossier as it stands and all its rows, each list oldest first."""

    paper: Dossier
    entries: list[dict[str, Any]]
    visits: list[dict[str, Any]]
    activities: list[dict[str, Any]]


async def history(db: AsyncConnection, code: str) -> History:
    """Everything that is kept of a dossier. Raises `Unknown`."""
    paper, _ = await find(db, code)
    return await history_of(db, paper)


async def history_of(db: AsyncConnection, paper: Dossier) -> History:
    """The same of a dossier that was found."""
    return History(
        paper,
        await _rows(db, sa.select(entry).where(e.dossier_id == paper.id).order_by(e.seq)),
        await _rows(db, sa.select(visit).where(v.dossier_id == paper.id).order_by(v.visit)),
        await _rows(db, sa.select(activity).where(a.dossier_id == paper.id).order_by(a.n)),
    )


async def _rows(db: AsyncConnection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await db.execute(query)).mappings()]
