"""The sweep: an index finds what is due, so the cost follows what is due and not what is open.

The key of `alert` keeps a second sweep, or one that was down for two days, from telling anything
twice.
"""

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.catalogue.rules import On, What
from states.ledger.statements import d

log = structlog.get_logger()

alert = SQLModel.metadata.tables["alert"]
RULES = {
    ("term-near", What.alert): d.warn_at,  # three quarters of the term are used
    ("term-late", What.breach): d.late_at,  # finishing now would be late, by its own policy
}


async def sweep(db: AsyncConnection, at: datetime) -> dict[str, int]:
    """Record what is due at a moment and was not told before; how many of each rule."""
    told = {}
    for (rule, what), moment in RULES.items():
        same = {"rule": rule, "watched": On.term, "what": what}
        told_of_all = [sa.literal(each).label(name) for name, each in same.items()]
        due = sa.select(
            d.id, d.deadline, d.due_at, moment, d.unit, sa.literal(0), sa.literal([], sa.JSON)
        ).add_columns(*told_of_all)
        due = due.where(d.finished_at.is_(None), moment <= at, d.due_at.is_not(None))
        columns = ["dossier_id", "deadline", "due_at", "at", "unit", "visit", "concerns", *same]
        new = insert(alert).from_select(columns, due).on_conflict_do_nothing()
        told[rule] = (await db.execute(new)).rowcount
    if any(told.values()):
        log.info("deadlines.swept", **told)
    return told
