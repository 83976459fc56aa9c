"""Notices: what is told to citizens, staff and other systems, once per fact."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue.templates import Templates
from states.notices import queued, reading
from states.notices.making import make
from states.notices.rows import Way
from states.notices.sending import Hours, Outlet, send
from states.notices.wording import Names

__all__ = ["make", "send", "tell", "waiting"]


async def tell(
    engine: AsyncEngine, book: Names, templates: Templates, outlets: Sequence[Outlet], at: datetime
) -> dict[str, int]:
    """Make the messages of what is new and send what is due; `made`, `sent`, `again`, `dead`.

    What is queued goes out even when no more can be made.
    """
    ways = {each.way for each in outlets} - {Way.webhook}
    endpoints = [each.name for each in outlets if each.way is Way.webhook]
    told: dict[str, int] = {}
    try:
        told["made"] = (await make(engine, book, templates, at, ways, endpoints)).total()
    finally:
        told |= await send(engine, outlets, Hours(templates.quiet, book.zone), at)
    return told


async def waiting(db: AsyncConnection, at: datetime) -> bool:
    """Whether there is anything to tell at a moment: an idle night leaves no runs behind."""
    return await queued.anything_due(db, at) or await reading.anything_new(db)
