"""What is in hand at this moment, by its deadline: four numbers, and the dossiers behind each.

A number and its list are made of one condition, which is asked of the index of what runs, so that
neither costs more among a million finished dossiers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.columns import MOMENT
from states.finding.queues import SOON
from states.ledger.statements import d, dossier
from states.pages import Page, page
from states.words import Tally

MARGIN = timedelta(days=2)  # between a due moment and the first minute of lateness lies a day
TOLD = (
    d.id, d.code, d.agency, d.procedure, d.unit, d.state, d.received_at, d.due_at, d.late_at,
    d.finished_at, d.verdict,
)  # fmt: skip


class Stand(StrEnum):
    """How dossiers stand now."""

    in_time = auto()  # also without a date: held, or of no term
    soon = auto()  # of these, due within two days
    overdue = auto()
    breached_today = auto()  # past their term since midnight, whether they ended since or not


@dataclass(frozen=True, slots=True)
class Now:
    """A moment, the midnight before it, and whose dossiers; `agencies` None: everybody's."""

    at: datetime
    midnight: datetime
    agencies: Sequence[str] | None = None

    @classmethod
    def of(cls, book: Catalogue, at: datetime, agencies: Sequence[str] | None = None) -> "Now":
        return cls(at, datetime.combine(book.day(at), time.min, book.zone), agencies)

    def where(self, stand: Stand) -> sa.ColumnElement[bool]:
        """The dossiers that stand so."""
        conditions = {
            Stand.in_time: UNFINISHED & ((DATED & (d.late_at > self._at)) | (UNDATED & RECEIVED)),
            Stand.soon: UNFINISHED & DATED & self._soon,
            Stand.overdue: UNFINISHED & DATED & (d.late_at <= self._at),
            Stand.breached_today: self._today & (UNFINISHED | FINISHED_LATE),
        }
        return sa.and_(conditions[stand], self.whose)

    @property
    def whose(self) -> sa.ColumnElement[bool]:
        return sa.true() if self.agencies is None else d.agency.in_(self.agencies)

    @property
    def _at(self) -> sa.ColumnElement[Any]:
        return sa.literal(self.at, MOMENT)

    @property
    def _soon(self) -> sa.ColumnElement[bool]:
        return (d.late_at > self._at) & (d.due_at < sa.literal(self.at + SOON, MOMENT))

    @property
    def _today(self) -> sa.ColumnElement[bool]:
        """Late since midnight; the due moment is named for the index alone."""
        midnight = sa.literal(self.midnight, MOMENT)
        begin = sa.literal(self.midnight - MARGIN, MOMENT)
        return sa.and_(
            d.late_at >= midnight, d.late_at <= self._at, d.due_at >= begin, d.due_at <= self._at
        )


UNFINISHED = d.finished_at.is_(None)
FINISHED_LATE = d.finished_at.is_not(None) & (d.verdict == Tally.late)
DATED, UNDATED = d.due_at.is_not(None), d.due_at.is_(None)
RECEIVED = d.received_at.is_not(None)


async def counts(db: AsyncConnection, now: Now) -> dict[Stand, int]:
    """How many stand how, in one statement."""
    count = sa.func.count()
    dated = (
        sa.select(
            count.filter(d.late_at > now._at).label("in_time"),  # noqa: SLF001  its own module
            count.filter(now._soon).label("soon"),  # noqa: SLF001
            count.filter(d.late_at <= now._at).label("overdue"),  # noqa: SLF001
        )
        .select_from(dossier)
        .where(UNFINISHED, DATED, now.whose)
        .subquery("dated")
    )
    undated = sa.select(count).select_from(dossier).where(UNFINISHED, UNDATED, RECEIVED, now.whose)
    today = sa.select(count).select_from(dossier).where(now.where(Stand.breached_today))
    asked = sa.select(
        (dated.c.in_time + undated.scalar_subquery()).label(Stand.in_time),
        dated.c.soon.label(Stand.soon),
        dated.c.overdue.label(Stand.overdue),
        today.scalar_subquery().label(Stand.breached_today),
    )
    row = (await db.execute(asked)).mappings().one()
    return {each: int(row[each]) for each in Stand}


async def behind(
    db: AsyncConnection, now: Now, stand: Stand, cursor: str | None, limit: int
) -> Page:
    """A page of the dossiers of a number, what was due first before the rest, what has no date
    last. Where all have one, the index has them in that order.
    """
    due: Any = d.due_at
    if stand is Stand.in_time:
        due = sa.func.coalesce(d.due_at, sa.cast(sa.literal(FAR, MOMENT), MOMENT)).label("due")
    asked = sa.select(*TOLD, *([due] if stand is Stand.in_time else [])).select_from(dossier)
    return await page(db, asked.where(now.where(stand)), (due, d.id), cursor, limit)


FAR = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
"""Where what has no date stands in a list by date."""


async def span(
    db: AsyncConnection, agencies: Sequence[str]
) -> tuple[datetime | None, datetime | None]:
    """When the first and the last dossier of some agencies was received."""
    one = sa.func.unnest(sa.cast(list(agencies), sa.ARRAY(sa.String))).table_valued(
        "code", name="one"
    )
    one = one.render_derived()
    ends = [
        sa.select(each(d.received_at)).where(d.agency == one.c.code).scalar_subquery()
        for each in (sa.func.min, sa.func.max)
    ]
    its = sa.select(ends[0].label("first"), ends[1].label("last")).select_from(one).subquery()
    row = (await db.execute(sa.select(sa.func.min(its.c.first), sa.func.max(its.c.last)))).one()
    return row[0], row[1]
