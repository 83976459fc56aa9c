"""What is kept for a while only: what is beyond that goes, night after night."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from states import answers, drafts
from states.accounts import signing
from states.db import transaction
from states.files.store import Store
from states.files.sweeping import sweep_files
from states.notices import keeping

SESSIONS = timedelta(days=30)  # after its end, for who asks what was open when


async def tidy(engine: AsyncEngine, store: Store, at: datetime) -> dict[str, int]:
    """Messages, files that nothing refers to, sessions, answers, drafts; how many of each went."""
    gone = {
        "forgotten": await keeping.forget(engine, at),
        "swept": (await sweep_files(engine, store, at)).files,
    }
    async with transaction(engine) as db:
        gone["sessions"] = await signing.forget(db, at - SESSIONS)
        gone["answers"] = await answers.forget(db, at)
        gone["drafts"] = await drafts.forget(db, at)
    return gone
