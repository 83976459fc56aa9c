"""What a proof found: told once a day, logged as an alarm, seen by a person, never mended here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.proof.rows  # noqa: F401  so that the metadata is full
from states.errors import BadInput, Unknown

log = structlog.get_logger()

discrepancy = SQLModel.metadata.tables["discrepancy"]
c = discrepancy.c


class Finding(NamedTuple):
    """One thing that does not hold. `code`: of the dossier, or the name of what it is."""

    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


async def note(db: AsyncConnection, found: Sequence[Finding], day: date, at: datetime) -> int:
    """Raise the alarm and put each on the record; how many were not told that day before."""
    new = 0
    for each in found:
        log.error("proof.discrepancy", code=each.code, what=each.what)
        row = {"day": day, "code": each.code, "what": each.what, "found_at": at}
        kept = await db.execute(insert(discrepancy).values(row).on_conflict_do_nothing())
        new += kept.rowcount
    return new


async def every(db: AsyncConnection, *, seen: bool = False) -> list[dict[str, Any]]:
    """What was found and nobody has seen, the oldest first; `seen`: what somebody has, too."""
    asked = sa.select(discrepancy).order_by(c.id)
    rows = await db.execute(asked if seen else asked.where(c.seen_at.is_(None)))
    return [dict(row) for row in rows.mappings()]


async def see(db: AsyncConnection, numbers: Sequence[int], by: str, at: datetime) -> int:
    """Note who has seen them; how many had not been seen before. It mends nothing.

    Raises `Unknown` for a number there is none of; then nothing is noted.
    """
    if not numbers:
        raise BadInput("name the numbers that were seen: `hoso proof list` has them")
    wanted = c.id == sa.any_(sa.cast(list(numbers), sa.ARRAY(sa.BigInteger)))
    there = set((await db.execute(sa.select(c.id).where(wanted))).scalars())
    if strange := sorted(set(numbers) - there):
        raise Unknown(
            "there is no discrepancy {map}: `hoso proof list` names them", map=[*map(str, strange)]
        )
    seeing = sa.update(discrepancy).where(wanted, c.seen_at.is_(None))
    return (await db.execute(seeing.values(seen_by=by, seen_at=at))).rowcount
