"""What was told lately, with the codes of its dossiers: for whoever passes it on."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.db import transaction
from states.ledger.statements import d, dossier

a = SQLModel.metadata.tables["alert"].c


async def begun(engine: AsyncEngine) -> datetime:
    """The database's own moment: what is recorded from now on is recorded after it."""
    async with transaction(engine) as db:
        return (await db.execute(sa.select(sa.func.now()))).scalar_one()


async def since(engine: AsyncEngine, moment: datetime, most: int = 1_000) -> list[Any]:
    """The alerts recorded since then, breaches and escalations first; `most` at the most."""
    columns = (d.code, a.rule, a.what, a.visit, a.due_at, a.unit, a.person)
    asked = sa.select(*columns).join(dossier, d.id == a.dossier_id)
    asked = asked.where(a.recorded_at >= moment).order_by(a.what.desc(), a.recorded_at, d.code)
    async with transaction(engine) as db:
        return list((await db.execute(asked.limit(most))).all())
