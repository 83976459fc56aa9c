"""How the ledger and those who read it stand, in one statement that is not waited for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.db import fetch, transaction
from states.ledger.outbox import HORIZON
from states.live import reading
from states.live.cursor import Cursor
from states.notices.reading import ALERTS  # its place is no line

LIMIT = "2s"
MOST = 100_000  # lines counted at once; the others the next time
LIMITED = f"SELECT set_config('statement_timeout', '{LIMIT}', true)"

# How many dossiers are open is read off an index of these alone; of the overdue, their rows.
MEASURE = f"""
WITH line AS MATERIALIZED (
    SELECT xact, id, event FROM entry WHERE (xact, id) > ($1, $2) AND xact < {HORIZON}
    ORDER BY xact, id LIMIT {MOST}
), stands AS (
    SELECT count(*) AS open, count(due_at) AS dated, (
        SELECT count(*) FROM dossier
        WHERE finished_at IS NULL AND due_at <= $3 AND late_at <= $3
    ) AS overdue
    FROM dossier WHERE finished_at IS NULL
), behind AS (
    SELECT name, (
        SELECT recorded_at FROM entry WHERE (xact, id) > (reader.xact, reader.last)
        ORDER BY xact, id LIMIT 1
    ) AS since FROM reader WHERE name <> '{ALERTS}'
)
SELECT stands.*,
    (SELECT xact FROM line ORDER BY xact DESC, id DESC LIMIT 1) AS xact,
    (SELECT id FROM line ORDER BY xact DESC, id DESC LIMIT 1) AS id,
    ARRAY(SELECT (event, count(*)) FROM line GROUP BY event) AS moves,
    ARRAY(SELECT (name, extract(epoch FROM $3 - since)::float8) FROM behind) AS behind,
    (SELECT recorded_at FROM entry WHERE xact >= {HORIZON} ORDER BY xact, id LIMIT 1) AS held
FROM stands
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Measured:
    """Moves since a place in the ledger, open dossiers, and seconds that readers are behind.

    `held`: seconds since the first line that nobody may read yet, as a transaction goes on.
    """

    place: Cursor
    moves: dict[str, int]
    overdue: int
    due: int
    undated: int
    behind: dict[str, float]
    held: float


async def standing(engine: AsyncEngine) -> Cursor:
    """Where the ledger stands: from there on moves are counted."""
    async with transaction(engine) as db:
        found, _ = await reading.horizon(db)
    return reading.end(found)


async def measured(engine: AsyncEngine, since: Cursor, at: datetime) -> Measured:
    """Raises what the driver does when it takes longer than `LIMIT`."""
    async with transaction(engine) as db:
        row = await _read(db, since, at)
    place = since if row["xact"] is None else since._replace(xact=row["xact"], id=row["id"])
    held = (at - row["held"]).total_seconds() if row["held"] else 0.0
    return Measured(
        place=place,
        moves=dict(map(tuple, row["moves"])),
        overdue=row["overdue"],
        due=row["dated"] - row["overdue"],
        undated=row["open"] - row["dated"],
        behind={name: max(0.0, seconds or 0.0) for name, seconds in row["behind"]},
        held=max(0.0, held),
    )


async def _read(db: AsyncConnection, since: Cursor, at: datetime) -> Any:
    await fetch(db, LIMITED)
    return await fetch(db, MEASURE, since.xact, since.id, at)
