"""Waiting for the outbox's horizon.

Transactions are numbered for the whole cluster, so readers wait for slow writers in other databases
too; here, for other tests.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from states.ledger.outbox import HORIZON
from states.live import Hub, Listener
from states.sight import Sight

LIMIT = 60.0  # seconds: another test's transaction is as long as that test
BEGUN = sa.literal_column("(ledger_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint)")


async def settled(engine: AsyncEngine) -> None:
    """Until readers may read all that was committed before. Not while one's own is open."""
    async with asyncio.timeout(LIMIT), engine.connect() as db:
        begun = await db.scalar(sa.select(BEGUN))
        while await db.scalar(sa.select(HORIZON)) < begun:
            await db.rollback()
            await asyncio.sleep(0.01)


class Settled(Hub):
    """Looks when all that was committed before can be read."""

    @asynccontextmanager
    async def listening(
        self, sight: Sight, asks: Hashable | None = None
    ) -> AsyncIterator[Listener]:
        await settled(self.engine)
        async with super().listening(sight, asks) as listener:
            yield listener

    async def look(self) -> bool:
        await settled(self.engine)
        return await super().look()

    async def look_at_alerts(self) -> None:
        await settled(self.engine)
        await super().look_at_alerts()
