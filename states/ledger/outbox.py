"""The ledger as outbox: readers take lines they have not read, and wait for slow writers.

Line numbers are not handed out in the order of commits, so a reader that went by the last number it
saw could step over the line of a transaction still open, and lose it for ever. Each line therefore
keeps the number of the transaction that wrote it. Readers go by that number first and stop before
the oldest transaction that is still running: no line can appear before where they stand. (To stop
there and go by line number would not do: a transaction that began early may write late, past the
number of an open one.) Delivery is at least once; (dossier, seq) is the receiver's idempotency key,
and their order, should one transaction have moved a dossier that another moved in between.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.errors import HosoError
from states.ledger.statements import d, dossier, e, entry

log = structlog.get_logger()

reader = SQLModel.metadata.tables["reader"]
# A server counts its transactions from the beginning: what earlier ones counted is the base.
HORIZON: Any = sa.literal_column(
    "(ledger_base() + pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
)


async def unread(db: AsyncConnection, name: str, limit: int = 1000) -> Sequence[sa.Row[Any]]:
    """The next lines for this reader, in the order of their transactions, with dossier codes."""
    where = sa.select(reader.c.xact, reader.c.last).where(reader.c.name == name)
    done = (await db.execute(where)).one_or_none() or (0, 0)
    lines = (
        sa.select(entry, d.code)
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(sa.tuple_(e.xact, e.id) > sa.tuple_(*done), e.xact < HORIZON)
        .order_by(e.xact, e.id)
        .limit(limit)
    )
    return (await db.execute(lines)).all()


async def read(db: AsyncConnection, name: str, line: sa.Row[Any]) -> None:
    """Remember that this reader is done with all lines up to this one; it never goes back."""
    new = insert(reader).values(name=name, xact=line.xact, last=line.id)
    told = {"xact": new.excluded.xact, "last": new.excluded.last}
    here = sa.tuple_(reader.c.xact, reader.c.last)
    await db.execute(
        new.on_conflict_do_update(
            index_elements=["name"], set_=told, where=here < sa.tuple_(*told.values())
        )
    )


# Another server ---------------------------------------------------------------------------

# What a line, a reader or an anchor kept that this server has not counted yet.
BEYOND = sa.text(
    """
    SELECT most FROM (
        SELECT max(xact) FROM (
            SELECT max(xact) FROM entry
            UNION ALL SELECT max(xact) FROM reader
            UNION ALL SELECT max(before) - 1 FROM anchor
        ) AS kept (xact)
    ) AS newest (most)
    WHERE most >= ledger_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    """
)
BASE = """
CREATE OR REPLACE FUNCTION ledger_base() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT {most}::bigint'
"""


class OtherServer(HosoError):
    """The database came from another server, and its ledger is not counted on yet."""


async def counted_on(db: AsyncConnection) -> None:
    """Raises `OtherServer` for a dump that was loaded into a new server, and not migrated since.

    There, new lines would come before old ones: readers, which have those, would step over them.
    """
    if await db.scalar(BEYOND) is not None:
        raise OtherServer(
            "this database was loaded from another server's dump, and the ledger's numbers do not"
            " go on yet: run `hoso migrate` before anything works on it"
        )


def count_on(db: sa.Connection) -> bool:
    """As the owner: let new lines be numbered after all there are; whether they were not.

    No line, reader or anchor is written over. In a transaction that wrote no line.
    """
    if db.scalar(sa.text("SELECT to_regprocedure('ledger_base()')")) is None:
        return False  # of a schema that counted by the server alone
    if (most := db.scalar(BEYOND)) is None:
        return False
    db.execute(sa.text(BASE.format(most=int(most))))
    log.warning("ledger.counted_on", after=most)
    return True
