"""The sample catalogue, published in a database that tests copy."""

import asyncio
from datetime import UTC, datetime


def seeded(address: str) -> None:
    """Publish it as a new database does."""
    from states.catalogue.bundles import seed
    from states.db import engine, transaction

    async def run() -> None:
        connections = engine(address, 1)
        async with transaction(connections) as db:
            assert await seed(db, datetime(2026, 1, 1, tzinfo=UTC))
        await connections.dispose()

    asyncio.run(run())
