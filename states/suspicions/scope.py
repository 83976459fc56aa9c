"""Where and when is looked, and working time as rows, so that sets are judged by one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.catalogue import Catalogue
from states.catalogue.rows import Kind
from states.clock import Calendar
from states.columns import MOMENT
from states.errors import BadInput
from states.ledger.statements import d

c = SQLModel.metadata.tables["bundle"].c
DAY = 1440
LONGEST = timedelta(days=731)
EVERYTHING: sa.ColumnElement[bool] = sa.true()


@dataclass(frozen=True, slots=True)
class Scope:
    """What happened in [since, until), as it is known at a moment, in dossiers that are seen."""

    book: Catalogue
    since: datetime
    until: datetime
    at: datetime
    seen: sa.ColumnElement[bool] = field(default=EVERYTHING)

    def check(self) -> "Scope":
        """Itself. Raises `BadInput`."""
        if self.since >= self.until:
            raise BadInput("the period ends before it begins: `since` must lie before `until`")
        if self.until - self.since > LONGEST:
            raise BadInput("the period is longer than two years: ask for two years at the most")
        return self

    def holds(self, at: Any) -> sa.ColumnElement[bool]:
        """Whether a moment lies in the period."""
        begin, end = (sa.literal(each, MOMENT) for each in (self.since, self.until))
        return sa.and_(at >= begin, at < end)

    def day(self, at: Any) -> Any:
        """The local day of a moment."""
        return sa.cast(self._local(at), sa.Date)

    def minute(self, at: Any) -> Any:
        """The local minute of the day."""
        there = self._local(at)
        parts = (sa.cast(sa.extract(part, there), sa.Integer) for part in ("hour", "minute"))
        hour, minute = parts
        return hour * 60 + minute

    def _local(self, at: Any) -> Any:
        return sa.func.timezone(sa.literal_column(f"'{self.book.zone.key}'"), at)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch [begin, until) of a day's minutes; `before`: working minutes up to its begin."""

    day: date
    begin: int
    until: int
    before: int
    works: bool


def parts(calendar: Calendar, first: date, last: date, slack: int = 0) -> Iterator[Part]:
    """The days from first to last, both included, cut where work begins and ends.

    Whatever minute there is lies in one part. `slack`: so many minutes round each session are taken
    for work too. Days beyond the calendar's reach have no part.
    """
    first, last = max(first, calendar.first), min(last, calendar.last)
    midnight = datetime.combine(first, time.min, calendar.zone)
    before = calendar.position(midnight) if first <= last else 0
    for n in range(first.toordinal(), last.toordinal() + 1):
        day, minute = date.fromordinal(n), 0
        for opens, closes in _worked(calendar, n, slack):
            if minute < opens:
                yield Part(day, minute, opens, before, works=False)
            yield Part(day, opens, closes, before, works=True)
            before, minute = before + closes - opens, closes
        if minute < DAY:
            yield Part(day, minute, DAY, before, works=False)


def _worked(calendar: Calendar, day: int, slack: int) -> Sequence[tuple[int, int]]:
    """The sessions of a day, widened; those that touch are one."""
    found: list[tuple[int, int]] = []
    for opens, closes in calendar.sessions(day):
        begin = max(0, opens.hour * 60 + opens.minute - slack)
        end = min(DAY, closes.hour * 60 + closes.minute + slack)
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


@dataclass(frozen=True, slots=True)
class Version:
    """A calendar as it was known in [since, until); None: always before, or still."""

    name: str
    number: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def versions(db: AsyncConnection) -> tuple[Version, ...]:
    """Every published version of every calendar, known from its publication until the next one's;
    the first also before, for what was taken over.
    """
    begin = sa.func.lag(c.published_at).over(partition_by=c.code, order_by=c.version)
    until = sa.func.lead(c.published_at).over(partition_by=c.code, order_by=c.version)
    since = sa.case((begin.is_(None), None), else_=c.published_at)
    asked = sa.select(c.code, c.digest, since, until)
    asked = asked.where(c.kind == Kind.calendar, c.published_at.is_not(None))
    return tuple(Version(*row) for row in (await db.execute(asked)).tuples())


@dataclass(frozen=True, slots=True)
class Worked:
    """Working time as rows of a statement; each time it is joined under a name of its own.

    `known`: the versions of calendars that are told apart by when they were known; none: every
    calendar as it reads now.
    """

    scope: Scope
    margin: int = 0  # days that are asked for beyond the period
    slack: int = 0
    known: tuple[Version, ...] = ()

    def rows(self, name: str) -> Any:
        """Of every calendar there is, or version of one that was known."""
        book, margin = self.scope.book, timedelta(days=self.margin)
        first, last = book.day(self.scope.since), book.day(self.scope.until)
        found = [
            (each, part)
            for each in self.known or map(Version, sorted(book.calendars))
            for part in parts(
                book.calendar(each.name, each.number), first - margin, last + margin, self.slack
            )
        ]
        columns = (
            sa.cast([each.name for each, _ in found], sa.ARRAY(sa.String)),
            sa.cast([part.day for _, part in found], sa.ARRAY(sa.Date)),
            *(
                sa.cast([getattr(part, which) for _, part in found], sa.ARRAY(sa.Integer))
                for which in ("begin", "until", "before")
            ),
            sa.cast([part.works for _, part in found], sa.ARRAY(sa.Boolean)),
            sa.cast([each.since for each, _ in found], sa.ARRAY(MOMENT)),
            sa.cast([each.until for each, _ in found], sa.ARRAY(MOMENT)),
        )
        names = ("calendar", "day", "begin", "until", "before", "works", "known", "superseded")
        typed = (sa.String, sa.Date, *[sa.Integer] * 3, sa.Boolean, MOMENT, MOMENT)
        named: list[Any] = [sa.column(each, kind) for each, kind in zip(names, typed, strict=True)]
        return sa.func.unnest(*columns).table_valued(*named, name=name).render_derived()

    def of(self, rows: Any, at: Any) -> sa.ColumnElement[bool]:
        """The condition by which a moment finds its part, by the dossier's calendar."""
        minute = self.scope.minute(at)
        return sa.and_(
            rows.c.calendar == d.calendar,
            rows.c.day == self.scope.day(at),
            rows.c.begin <= minute,
            minute < rows.c.until,
        )

    def known_at(self, rows: Any, at: Any) -> sa.ColumnElement[bool]:
        """The condition by which it is the part of the version that was known at a moment."""
        return sa.and_(
            sa.or_(rows.c.known.is_(None), rows.c.known <= at),
            sa.or_(rows.c.superseded.is_(None), at < rows.c.superseded),
        )

    def position(self, rows: Any, at: Any) -> Any:
        """Working minutes before a moment that has found its part."""
        into = sa.case((rows.c.works, self.scope.minute(at) - rows.c.begin), else_=0)
        return rows.c.before + into
