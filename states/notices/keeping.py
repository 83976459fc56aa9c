"""How long messages are kept: each holds an address, and what was said of whom.

As long as it may matter that somebody was told. A citizen complains within 90 days, and the answer
may take 60 more (Law 02/2011/QH13 on complaints, Art. 9 and 28). What became of a dossier is in the
ledger for longer. A message that waits or is dead was not told: it stays until somebody sees to it.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from states.db import fetch, transaction

log = structlog.get_logger()

KEPT = timedelta(days=180)  # far longer than any reader of facts looks back: none is told twice
BATCH = 10_000  # messages looked at in a transaction
FORGET = """
WITH looked AS (
    SELECT id, made_at, sending = 'sent' AND sent_at < $3 AS old
    FROM message WHERE id > $1 ORDER BY id LIMIT $2
), gone AS (
    DELETE FROM message WHERE id IN (
        SELECT id FROM message WHERE id IN (SELECT id FROM looked WHERE old)
        ORDER BY id FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT max(id) AS last, min(made_at) AS oldest, (SELECT count(*) FROM gone) AS gone FROM looked
"""


async def forget(engine: AsyncEngine, at: datetime, batch: int = BATCH) -> int:
    """Delete what was sent so long before a moment; how many.

    In the order of their making, as far as one is old enough: there is no need of an index.
    """
    before, last = at - KEPT, 0
    gone = 0
    while True:
        async with transaction(engine) as db:
            told = await fetch(db, FORGET, last, batch, before)
        gone += int(told["gone"])
        if told["last"] is None or told["oldest"] >= before:
            break
        last = told["last"]
    if gone:
        log.info("notices.forgotten", count=gone)
    return gone
