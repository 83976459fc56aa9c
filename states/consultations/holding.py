"""A dossier held while something is done about its consultations: one thing after the other, and
none beside a move.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import BadInput, Unknown
from states.ledger.acts import keepable
from states.ledger.statements import d, dossier
from states.ledger.write import SKEW


async def held(db: AsyncConnection, code: str) -> Any:
    """The dossier, until the transaction ends. Raises `Unknown`."""
    asked = sa.select(dossier).where(d.code == code).with_for_update(key_share=True)
    found = (await db.execute(asked)).one_or_none() if keepable(code) else None
    if found is None:
        raise Unknown("there is no dossier {code}: check the code on the slip", code=code[:60])
    return found


def in_time(at: datetime, after: datetime, what: str) -> datetime:
    """Clocks of two machines may differ a little; more is refused."""
    if at < after - SKEW:
        raise BadInput(
            "{at} is before {what} of {after}: date it after", at=at, what=what, after=after
        )
    return max(at, after)
