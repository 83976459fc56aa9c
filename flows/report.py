"""Figures of ended periods, frozen; lines of long-closed dossiers, put away; messages, deleted."""

import asyncio
from datetime import datetime
from typing import Any

from prefect import flow

from config.settings import settings
from flows.opening import moment, opened
from flows.telling import named, tell
from states.figures.freezing import freeze_due
from states.files import store
from states.ledger.archive import archive
from states.upkeep import tidy


@flow(name="report", flow_run_name=named, persist_result=False, description=__doc__)
async def report(at: datetime | None = None, archive_after: int | None = None) -> dict[str, Any]:
    """Freeze what is due. `archive_after`: years after its end; None: nothing is put away."""
    engine, book = await opened()
    frozen = await freeze_due(engine, book, moment(at))
    moved = await archive(engine, moment(at), archive_after) if archive_after is not None else None
    kept = await asyncio.to_thread(store.opened, settings().files, settings().data)
    done = {"archived": moved.dossiers if moved else 0, **await tidy(engine, kept, moment(at))}
    await tell("report", {"frozen": len(frozen), **done})
    return {"frozen": frozen, **done}
