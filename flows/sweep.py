"""Deadlines: warnings and breaches, each told once."""

from datetime import datetime

from prefect import flow

from flows.opening import connections, moment
from states import deadlines
from states.db import transaction


@flow(name="sweep", persist_result=False, description=__doc__)
async def sweep(at: datetime | None = None) -> dict[str, int]:
    """Record what is due at a moment (now) and was not told before; how many of each rule."""
    async with transaction(connections()) as db:
        return await deadlines.sweep(db, moment(at))
