import asyncio, random
import pytest
import sqlalchemy as sa

@pytest.mark.parametrize("n", range(25))
async def test_busy(db, n):
    await db.execute(sa.select(sa.func.pg_current_xact_id()))
    await asyncio.sleep(random.choice([0.05, 0.3, 1, 3]))
