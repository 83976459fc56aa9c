"""Lines of long-closed dossiers, moved to a table of their own: kept, read and verified as before.

`entry_cold` is a child of `entry` in the database: whoever reads `entry` reads both, so history,
proofs, keys and the outbox know nothing of it. The application cannot move a line by itself; a
function of the owner's does, and takes only dossiers that were closed before the given moment.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from states.columns import Word
from states.db import transaction
from states.errors import BadInput
from states.ledger.statements import entry
from states.tables import SELDOM

log = structlog.get_logger()

BATCH = 2_000  # dossiers a transaction
YEARS = 10  # after its end, unless the office says otherwise
FEWEST = 5  # electronic files are at hand so long (Circular 17/2017/TT-BTTTT Art. 14)
ARCHIVE = sa.text("SELECT * FROM archive_entries(:before, :since, :most)")


def _column(of: sa.Column[Any]) -> sa.Column[Any]:
    plain = sa.String() if isinstance(of.type, Word) else of.type
    return sa.Column(of.name, plain, primary_key=of.primary_key, nullable=of.nullable)


def _checks() -> list[sa.CheckConstraint]:
    """Inherited, by the names they have there."""
    of = [each for each in entry.constraints if isinstance(each, sa.CheckConstraint)]
    return [sa.CheckConstraint(each.sqltext, name=each.name) for each in of]


cold = sa.Table(
    "entry_cold",
    SQLModel.metadata,
    *map(_column, entry.c),
    *_checks(),
    sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"]),
    sa.Index(
        "entry_cold_key_key",
        "actor",
        "key",
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    ),
    sa.Index("entry_cold_outbox_idx", "xact", "id"),
    sa.Index("entry_cold_seldom_idx", "event", "at", postgresql_where=SELDOM),
)


@dataclass(frozen=True, slots=True)
class Archived:
    """What was moved: of dossiers whose last line is older than `before`."""

    before: datetime
    dossiers: int
    entries: int


def years_before(at: datetime, years: int) -> datetime:
    """The same day and hour so many years ago; of 29 February, the day before.

    Raises `BadInput` for fewer years than files must be at hand.
    """
    if years < FEWEST:
        raise BadInput(
            "lines stay at hand for at least {fewest} years after a dossier's end (Circular"
            " 17/2017/TT-BTTTT Art. 14): {years} are too few",
            fewest=FEWEST,
            years=years,
        )
    if years >= at.year:
        raise BadInput(
            "{years} years before {year} there were no dossiers: name fewer",
            years=years,
            year=at.year,
        )
    leap = at.month == 2 and at.day == 29
    return (at.replace(day=28) if leap else at).replace(year=at.year - years)


async def archive(
    engine: AsyncEngine, at: datetime, years: int = YEARS, batch: int = BATCH
) -> Archived:
    """Move the lines of all dossiers that were closed so many years before a moment.

    A transaction a batch: killed anywhere and run again, the same end.
    """
    before, last = years_before(at, years), 0
    dossiers = entries = 0
    while True:
        async with transaction(engine) as db:
            asked = {"before": before, "since": last, "most": batch}
            moved = (await db.execute(ARCHIVE, asked)).one()
        if not moved.dossiers:
            break
        dossiers, entries, last = dossiers + moved.dossiers, entries + moved.entries, moved.last
    if dossiers:
        log.info("entries.archived", dossiers=dossiers, entries=entries)
    return Archived(before, dossiers, entries)
