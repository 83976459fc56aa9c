"""Approved change sets: corrected calendars, migrations to another version, and the ways back."""

from datetime import datetime

from prefect import flow

from flows.opening import moment, opened
from flows.telling import tell
from states.changes import applying


@flow(name="recompute", persist_result=False, description=__doc__)
async def recompute(at: datetime | None = None) -> dict[str, int]:
    """Apply every change set that was approved, in batches; how many dossiers each moved."""
    engine, book = await opened()
    moved = {}
    for number in await applying.waiting(engine):
        row = await applying.apply(engine, book, number, moment(at))
        moved[f"change {number}"] = int(row.moved)
    await tell("recompute", moved)
    return moved
