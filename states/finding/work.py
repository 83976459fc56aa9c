"""What waits for somebody: their queues with counts, and the dossiers of one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.clock.words import Lang
from states.errors import Unknown
from states.finding import fairness
from states.finding.masks import masked
from states.finding.paging import PLANNED, TOLD, Page, page
from states.finding.queues import QUEUES, Queue, desk
from states.finding.reasons import reason
from states.ledger.statements import WITH_VISIT, d
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


async def next_up(
    db: AsyncConnection, book: Catalogue, who: Caller, sight: Sight, at: datetime, lang: Lang
) -> tuple[Queue, dict[str, Any]] | None:
    """The one dossier that the caller should take next, and its queue, with the reason.

    Of the first of each queue in which it is their turn the fairest, so that none of the queues
    waits for the others to be empty.
    """
    mine, here = [each for each in queues_of(who) if each.turn], desk(book, who, at)
    if not mine:
        return None
    firsts = []
    for n, queue in enumerate(mine):
        key, of = queue.by
        one = sa.select(d.id, sa.literal(n).label("n")).select_from(of)
        one = one.where(queue.where(here), sight.where()).order_by(*queue.order.by(key, d.id))
        firsts.append(sa.select(one.limit(1).subquery()))
    top = sa.union_all(*firsts).subquery("top")
    await db.execute(PLANNED)
    asked = sa.select(*TOLD, top.c.n).select_from(top.join(WITH_VISIT, d.id == top.c.id))
    found = [dict(row) for row in (await db.execute(asked)).mappings()]
    if not found:
        return None
    row = min(found, key=lambda row: (fair(row), row["n"]))
    row["reason"] = reason(row, at, book.calendar(row["calendar"]).zone, lang)
    return mine[row.pop("n")], masked(row, full=False)


def fair(row: dict[str, Any]) -> datetime:
    """When it is a dossier's turn, as `fairness` sorts it."""
    due = None if row["finished_at"] is not None else row["due_at"]
    return fairness.key(row["moved_at"], due, row["stage_due"])


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
