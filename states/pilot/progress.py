"""How far a year was lived before it was stopped."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.ledger.statements import d, dossier, e, entry


async def lived(db: AsyncConnection, name: str) -> Mapping[int, tuple[str, int]]:
    """The code and the last step of every dossier of the plan of that name."""
    lines = (
        sa.select(d.code, e.key)
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(e.key.startswith(f"{name}/", autoescape=True))
    )
    done: dict[int, tuple[str, int]] = {}
    for code, key in await db.execute(lines):
        _, number, step = key.split("/")
        _, last = done.get(int(number), (code, 0))
        done[int(number)] = code, max(last, int(step))
    return done
