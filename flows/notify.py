"""Notices: what happened, told to citizens, staff and other systems, once each."""

from datetime import datetime

from prefect import flow

from flows import wires
from flows.opening import moment, opened
from flows.telling import named, tell
from states import notices


@flow(name="notify", flow_run_name=named, persist_result=False, description=__doc__)
async def notify(at: datetime | None = None) -> dict[str, int]:
    """Make the messages of what is new and send what is due at a moment (now); how many."""
    engine, book = await opened()
    async with wires.opened() as outlets:
        told = await notices.tell(engine, book, book.templates, outlets, moment(at))
    await tell("notify", told)
    return told
