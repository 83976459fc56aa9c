"""Figures of periods that have ended, frozen; lines of long-closed dossiers, put away."""

from datetime import datetime
from typing import Any

from prefect import flow

from flows.opening import moment, opened
from flows.telling import tell
from states.figures.freezing import freeze_due
from states.ledger.archive import archive


@flow(name="report", persist_result=False, description=__doc__)
async def report(at: datetime | None = None, archive_after: int | None = None) -> dict[str, Any]:
    """Freeze what is due. `archive_after`: years after its end; None: nothing is put away."""
    engine, book = await opened()
    frozen = await freeze_due(engine, book, moment(at))
    moved = await archive(engine, moment(at), archive_after) if archive_after is not None else None
    archived = moved.dossiers if moved else 0
    await tell("report", {"frozen": len(frozen), "archived": archived})
    return {"frozen": frozen, "archived": archived}
