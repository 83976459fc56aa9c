"""What waits for somebody to take it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.ledger.statements import d
from states.words import State


async def caught_by_no_rule(db: AsyncConnection, agency: str | None = None) -> list[dict[str, Any]]:
    """Dossiers that lie with an agency as a whole, the oldest first: a unit must take each in."""
    columns = (d.agency, d.code, d.procedure, d.moved_at.label("since"), d.due_at.label("due"))
    asked = sa.select(*columns).where(d.state == State.routed, d.unit == d.agency)
    if agency is not None:
        asked = asked.where(d.agency == agency)
    return [dict(row) for row in (await db.execute(asked.order_by(d.moved_at))).mappings()]
