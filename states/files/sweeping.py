"""Files that nothing refers to, removed after a delay.

They come of uploads whose attaching was refused or never came to its end. What was attached once
is kept, replaced or not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from states.consultations.opened import consultation_end
from states.db import transaction
from states.files.rows import attachment, file
from states.files.store import Store
from states.intake.rows import intake

log = structlog.get_logger()

DELAY = timedelta(days=1)  # an upload is attached seconds after it came, or never
BATCH = 200  # files a transaction

_UNUSED = (
    ~sa.exists().where(attachment.c.sha256 == file.c.sha256)
    & ~sa.exists().where(intake.c.sha256 == file.c.sha256)
    & ~sa.exists().where(consultation_end.c.file == sa.func.encode(file.c.sha256, "hex"))
)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many files were removed, and how many that had never come in whole."""

    files: int
    broken_off: int


async def sweep_files(
    engine: AsyncEngine, store: Store, at: datetime, delay: timedelta = DELAY
) -> Swept:
    """Remove what has been unreferenced for as long as `delay`. Killed and run again, the same end.

    A row is locked, the file removed, and the row with it: who hands in the same bytes meanwhile
    waits for the row, and puts them there anew.
    """
    before, files = at - delay, 0
    last: bytes | None = b""
    while last is not None:
        gone, last = await _batch(engine, store, before, last)
        files += gone
    broken_off = await store.clear(before)
    if files or broken_off:
        log.info("files.swept", files=files, broken_off=broken_off)
    return Swept(files, broken_off)


async def _batch(
    engine: AsyncEngine, store: Store, before: datetime, since: bytes
) -> tuple[int, bytes | None]:
    """How many were removed of those behind a hash, and the last that was looked at; None: all."""
    old = (
        sa.select(file.c.sha256)
        .where(file.c.at < before, file.c.sha256 > since, _UNUSED)
        .order_by(file.c.sha256)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    async with transaction(engine) as db:
        locked = (await db.scalars(old)).all()
        # Asked again under the lock: one may have been attached just before it was had.
        unused = sa.delete(file).where(file.c.sha256.in_(locked), file.c.at < before, _UNUSED)
        gone = (await db.scalars(unused.returning(file.c.sha256))).all() if locked else ()
        for sha256 in gone:
            await store.remove(sha256)
    return len(gone), locked[-1] if len(locked) == BATCH else None
