"""Who is next: what is due soonest, and what has waited long enough is due. Pure.

The key of a dossier is a moment that does not move while it lies there: its date or its stage's,
but at the latest `PATIENCE` after it came. What comes later has a later key, unless its date is
nearer: only what is due before that moment can pass, and that is so many and no more. So whatever
comes in, each has its turn.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

PATIENCE = timedelta(
    days=10
)  # two weeks' work without a hand on it is as bad as a date that is near


def key(moved: datetime, *dates: datetime | None) -> datetime:
    """Of one dossier."""
    return min([moved + PATIENCE, *(each for each in dates if each is not None)])


def column(moved: Any, *dates: Any) -> Any:
    """The same in SQL, where LEAST passes over what is null."""
    return sa.func.least(moved + sa.literal(PATIENCE, sa.Interval), *dates, type_=moved.type)
