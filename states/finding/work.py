"""What waits for somebody: their queues with counts, and the dossiers of one."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.clock.words import Lang
from states.errors import Unknown
from states.finding.paging import PLANNED, Page, page
from states.finding.queues import QUEUES, Queue, desk
from states.finding.reasons import reason
from states.people import Caller
from states.sentences import any_of
from states.sight import Sight

COUNTED = 1_000  # and no further: nobody does so much today


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queue and how many are in it; `more`: than these."""

    queue: Queue
    count: int
    more: bool


def queues_of(who: Caller) -> list[Queue]:
    """Those of the caller's role, in the order in which they are worked."""
    return [each for each in QUEUES.values() if who.role in each.roles]


async def waiting(
    db: AsyncConnection, book: Catalogue, who: Caller, sight: Sight, at: datetime
) -> list[Waiting]:
    """The caller's queues, counted in one statement."""
    mine, here = queues_of(who), desk(book, who, at)
    if not mine:
        return []
    counts = []
    for queue in mine:
        _, of = queue.by
        those = sa.select(sa.literal(1)).select_from(of).where(queue.where(here), sight.where())
        those = those.limit(COUNTED + 1)
        counts.append(sa.select(sa.func.count()).select_from(those.subquery()).scalar_subquery())
    await db.execute(PLANNED)
    found = (await db.execute(sa.select(*counts))).one()
    return [
        Waiting(queue, min(n, COUNTED), n > COUNTED) for queue, n in zip(mine, found, strict=True)
    ]


async def queue(
    db: AsyncConnection,
    book: Catalogue,
    who: Caller,
    sight: Sight,
    name: str,
    at: datetime,
    lang: Lang,
    *,
    cursor: str | None = None,
    limit: int = 50,
    full: bool = False,
) -> Page:
    """A page of one of the caller's queues, each row with the reason why it is where it is.

    Raises `Unknown` for a queue that is not theirs, `BadInput` for a cursor of another list.
    """
    known = {each.name: each for each in queues_of(who)}
    if name not in known:
        raise Unknown(
            "who is {role} has no queue {name}: there are {known}",
            role=who.role,
            name=name[:40],
            known=any_of(known),
        )
    asked = [known[name].where(desk(book, who, at)), sight.where()]
    found = await page(db, sa.true(), asked, known[name].order, cursor, limit, full=full)
    for row in found.rows:
        row["reason"] = reason(row, at, book.calendar(row["calendar"]).zone, lang)
    return found
