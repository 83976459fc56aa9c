"""What waits for somebody to take it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.finding.queues import LOST
from states.ledger.statements import d


async def caught_by_no_rule(db: AsyncConnection, agency: str | None = None) -> list[dict[str, Any]]:
    """Dossiers that lie with an agency as a whole, the oldest first: a unit must take each in."""
    columns = (d.agency, d.code, d.procedure, d.moved_at.label("since"), d.due_at.label("due"))
    asked = sa.select(*columns).where(LOST)
    if agency is not None:
        asked = asked.where(d.agency == agency)
    return [dict(row) for row in (await db.execute(asked.order_by(d.moved_at))).mappings()]
