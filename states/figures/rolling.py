"""The reader of the ledger that keeps the volumes."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.db import transaction
from states.figures.volumes import FACTS, MOMENTS, READER, c, counted, month, volume
from states.ledger.outbox import HORIZON, reader
from states.ledger.statements import PG

LOCK = (
    0x66696775  # advisory: one rolls at a time; a statement must see what the one before it wrote
)

KEYS = ", ".join(FACTS)
NUMBERS = ", ".join(str(place) for place in range(1, len(FACTS) + 1))
OLD = ", ".join(f"counted.{name}" for name in FACTS)
EXCLUDED = ", ".join(f"excluded.{name}" for name in FACTS)
OF_DOSSIER = f"SELECT id AS dossier_id, {KEYS} FROM dossier"
OF_MONTHS = ", ".join(
    str(month(c, name).compile(dialect=PG, compile_kwargs={"literal_binds": True}))
    if name in MOMENTS
    else f"counted.{name}"
    for name in FACTS
)
VOLUMES = f"""
INSERT INTO volume ({KEYS}, n)
SELECT {OF_MONTHS}, sum(n) AS n FROM changed AS counted GROUP BY {NUMBERS} HAVING sum(n) <> 0
ON CONFLICT ({KEYS}) DO UPDATE SET n = volume.n + excluded.n
"""

BEGIN = sa.text(
    f"""
    WITH changed AS (SELECT *, 1 AS n FROM ({OF_DOSSIER}) AS every),
    kept AS (INSERT INTO counted (dossier_id, {KEYS}) SELECT dossier_id, {KEYS} FROM changed),
    told AS ({VOLUMES})
    INSERT INTO reader (name, xact, last) VALUES ('{READER}', {HORIZON} - 1, {2**62})
    """
)
ROLL = sa.text(
    f"""
    WITH here AS (SELECT xact, last FROM reader WHERE name = '{READER}'),
    lines AS (
        SELECT e.dossier_id, e.xact, e.id FROM entry AS e
        WHERE (e.xact, e.id) > ((SELECT xact FROM here), (SELECT last FROM here))
          AND e.xact < {HORIZON}
        ORDER BY e.xact, e.id LIMIT :batch
    ),
    ids AS (SELECT DISTINCT dossier_id FROM lines),
    now AS (SELECT * FROM ({OF_DOSSIER}) AS every WHERE dossier_id IN (SELECT * FROM ids)),
    changed AS (
        SELECT *, 1 AS n FROM now
        UNION ALL SELECT *, -1 FROM counted WHERE dossier_id IN (SELECT * FROM ids)
    ),
    kept AS (
        INSERT INTO counted (dossier_id, {KEYS}) SELECT dossier_id, {KEYS} FROM now
        ON CONFLICT (dossier_id) DO UPDATE SET ({KEYS}) = ROW ({EXCLUDED})
        WHERE ({OLD}) IS DISTINCT FROM ({EXCLUDED})
    ),
    told AS ({VOLUMES}),
    gone AS (
        UPDATE reader SET xact = newest.xact, last = newest.id
        FROM (SELECT xact, id FROM lines ORDER BY xact DESC, id DESC LIMIT 1) AS newest
        WHERE name = '{READER}'
    )
    SELECT count(*) FROM lines
    """
)


async def roll(engine: AsyncEngine, batch: int = 20_000) -> int:
    """Read all there is to read, `batch` lines in each transaction; how many lines."""
    read = 0
    while True:
        async with transaction(engine) as db:
            some = await _roll(db, batch)
        read += some
        if some < batch:
            return read


async def _roll(db: AsyncConnection, batch: int) -> int:
    await db.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    if await db.scalar(sa.select(reader.c.xact).where(reader.c.name == READER)) is None:
        for table in (volume, counted):  # of a reader that is gone
            await db.execute(sa.delete(table))
        await db.execute(BEGIN)
    return int(await db.scalar(ROLL, {"batch": batch}) or 0)
