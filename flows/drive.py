"""Automatic events: files complete, routed, taken in, lapsed."""

from datetime import datetime

from prefect import flow

from flows.opening import moment, opened
from flows.telling import named, tell
from states.ledger import driving


@flow(name="drive", flow_run_name=named, persist_result=False, description=__doc__)
async def drive(at: datetime | None = None) -> dict[str, int]:
    """Fire every automatic event that is open at a moment (now), in sets; how many each moved."""
    engine, book = await opened()
    moved = await driving.drive(engine, book, moment(at))
    counts = {event.value: count for event, count in moved.items()}
    await tell("drive", counts)
    return counts
