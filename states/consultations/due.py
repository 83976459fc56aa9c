"""Consultations whose term ran out without an answer, or will have by a moment.

Silence is no consent: no law that the catalogue knows makes it one. It is told, and then the unit
that leads goes on and informs the head of the one-stop unit (Decree 61/2018/NĐ-CP Art. 19(5)).
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.consultations.opened import LIVE, UNENDED, WITH_DOSSIER, c
from states.ledger.statements import d

WHAT = (d.code, d.agency, c.dossier_id, c.n, c.visit, c.unit, c.by_unit, c.asked_by, c.due_at)


async def due(
    db: AsyncConnection,
    until: datetime,
    since: datetime | None = None,
    where: sa.ColumnElement[bool] | None = None,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Those unanswered that are late from a moment up to `until`, and later than `since`.

    `where` narrows the dossiers, as a caller's sight does. An index holds the open ones by that
    moment: what is found costs, and not what there is.
    """
    asked = sa.select(*WHAT, c.late_at).select_from(WITH_DOSSIER)
    asked = asked.where(UNENDED, LIVE, c.late_at <= until)
    if since is not None:
        asked = asked.where(c.late_at > since)
    if where is not None:
        asked = asked.where(where)
    rows = await db.execute(asked.order_by(c.late_at, c.dossier_id, c.n).limit(most))
    return [dict(row) for row in rows.mappings()]
