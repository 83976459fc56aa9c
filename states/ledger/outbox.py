"""The ledger as outbox: readers take lines they have not read, and wait for slow writers.

Line numbers are not handed out in the order of commits, so a reader that went by the last number it
saw could step over the line of a transaction still open, and lose it for ever. Each line therefore
keeps the number of the transaction that wrote it, and readers stop before the oldest one that is
still running. Delivery is at least once; (dossier, seq) is the receiver's idempotency key.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.ledger.statements import d, dossier, e, entry

reader = SQLModel.metadata.tables["reader"]
SETTLED = e.xact < sa.literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


async def unread(db: AsyncConnection, name: str, limit: int = 1000) -> Sequence[sa.Row[Any]]:
    """The next lines for this reader, oldest first, with their dossier's code."""
    last = sa.select(reader.c.last).where(reader.c.name == name).scalar_subquery()
    lines = (
        sa.select(entry, d.code)
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(e.id > sa.func.coalesce(last, 0), SETTLED)
        .order_by(e.id)
        .limit(limit)
    )
    return (await db.execute(lines)).all()


async def read(db: AsyncConnection, name: str, last: int) -> None:
    """Remember that this reader is done with all lines up to `last`; it never goes back."""
    done = insert(reader).values(name=name, last=last)
    await db.execute(
        done.on_conflict_do_update(
            index_elements=["name"],
            set_={"last": sa.func.greatest(reader.c.last, done.excluded.last)},
        )
    )
