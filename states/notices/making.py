"""Messages out of facts: each once, rendered at once, and only for ways that are set up.

Lines, their messages and how far the reader has come are one transaction: killed anywhere, it was
all or nothing. One at a time makes; whoever finds another at it leaves. That is a courtesy: the
unique key of `message` is what keeps a fact from being told twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue.templates import Templates
from states.db import fetch_all, transaction
from states.ledger import outbox
from states.notices import reading
from states.notices.drafts import Draft, Drafting
from states.notices.facts import Fact
from states.notices.rows import Way
from states.notices.wording import Names

log = structlog.get_logger()

BATCH = 1_000  # facts a transaction
ALONE = sa.select(sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended("notices.make", 0)))
COLUMNS = [each.name for each in fields(Draft)]
OF = attrgetter(*COLUMNS)
TYPES = dict.fromkeys(COLUMNS, "text") | {"dossier_id": "bigint", "law": "boolean"}
TYPES |= {"next_at": "timestamptz"}
INSERT = """
WITH new AS (
    INSERT INTO message ({columns}, sending, tries, made_at)
    SELECT {columns}, 'queued', 0, ${at}::timestamptz FROM unnest({arrays}) AS given ({columns})
    ON CONFLICT DO NOTHING
    RETURNING way
)
SELECT way, count(*) AS made FROM new GROUP BY way
""".format(  # noqa: S608  of our own names; every value is a parameter
    columns=", ".join(COLUMNS),
    at=len(COLUMNS) + 1,
    arrays=", ".join(f"${at}::{TYPES[name]}[]" for at, name in enumerate(COLUMNS, 1)),
)


async def make(
    engine: AsyncEngine,
    book: Names,
    templates: Templates,
    at: datetime,
    ways: Collection[Way],
    endpoints: Collection[str] = (),
    batch: int = BATCH,
) -> Counter[str]:
    """Make the messages of every fact that was not told yet; how many by each way.

    `endpoints`: names of the webhooks. With nobody to tell, facts are passed over.
    """
    made: Counter[str] = Counter()
    drafting = Drafting(book, templates, ways, endpoints, at)
    async with transaction(engine) as db:
        if not await db.scalar(ALONE):
            return made
        if not ways and not endpoints:
            await reading.pass_over(db)
            return made
        await reading.begin(db, at)
    while (done := await _lines(engine, drafting, at, batch)) is not None:
        made += done
    made += await _alerts(engine, drafting, at, batch)
    if made:
        log.info("notices.made", **made)
    return made


async def _lines(
    engine: AsyncEngine, drafting: Drafting, at: datetime, batch: int
) -> Counter[str] | None:
    """The next lines; None when there are none, or somebody else reads them."""
    async with transaction(engine) as db:
        if not await db.scalar(ALONE):
            return None
        facts, last = await reading.lines(db, batch)
        if last is None:
            return None
        made = await _insert(db, _drafts(drafting, facts), at)
        await outbox.read(db, reading.LINES, last)
        return made


async def _alerts(
    engine: AsyncEngine, drafting: Drafting, at: datetime, batch: int
) -> Counter[str]:
    """Every alert that has no message, from where all before it are sure to be seen."""
    made: Counter[str] = Counter()
    after: reading.Place | None = None
    async with transaction(engine) as db:
        floor = await reading.floor(db)
    while True:
        async with transaction(engine) as db:
            if not await db.scalar(ALONE):
                return made
            since = await reading.told_since(db)
            assert since is not None, "the reader has begun"
            facts, after = await reading.alerts(db, since, after, batch)
            if after is None:
                await reading.remember(db, floor)
                return made
            made += await _insert(db, _drafts(drafting, facts), at)


def _drafts(drafting: Drafting, facts: Iterable[Fact]) -> Iterator[Draft]:
    """One fact that cannot be worded, by a fault of ours, keeps no other from being told."""
    for fact in facts:
        try:
            yield from list(drafting.of(fact))
        except Exception:
            log.exception("notice.not_made", fact=fact.id)


async def _insert(db: AsyncConnection, drafts: Iterable[Draft], at: datetime) -> Counter[str]:
    """Write what is not there yet; how many by each way."""
    rows = [OF(each) for each in drafts]
    if not rows:
        return Counter()
    columns = (list(column) for column in zip(*rows, strict=True))
    told = await fetch_all(db, INSERT, *columns, at)
    return Counter({row["way"]: row["made"] for row in told})
