"""Deadlines watched: what is warned of and what is breached, each told once.

A rule names the column that says when it fires. An index finds what is due, so the cost follows
what is due and not what is open; the key of `alert` keeps a second sweep, or one that was down for
two days, from telling anything twice.
"""

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.ledger.statements import d

log = structlog.get_logger()

alert = SQLModel.metadata.tables["alert"]
RULES = {
    "warned": d.warn_at,  # three quarters of the term are used
    "breached": d.late_at,  # finishing now would be late, by the dossier's own policy
}


async def sweep(db: AsyncConnection, at: datetime) -> dict[str, int]:
    """Record what is due at a moment and was not told before; how many of each rule."""
    told = {}
    for rule, moment in RULES.items():
        due = sa.select(d.id, sa.literal(rule), d.deadline, d.due_at, moment, d.unit).where(
            d.finished_at.is_(None), moment <= at, d.due_at.is_not(None)
        )
        columns = ["dossier_id", "rule", "deadline", "due_at", "at", "unit"]
        new = insert(alert).from_select(columns, due).on_conflict_do_nothing()
        told[rule] = (await db.execute(new)).rowcount
    if any(told.values()):
        log.info("deadlines.swept", **told)
    return told
