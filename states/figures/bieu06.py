"""Biểu 06/VPCP/KSTT (Circular 01/2020/TT-VPCP): what came in, what was resolved, what is in hand.

The columns of the form and their identities: 3 = 4 + 5 + 6, 7 = 8 + 9 + 10, 11 = 12 + 13, and
3 = 7 + 11. Dossiers withdrawn, stopped or declined, and finished ones whose procedure sets no term,
have no class that the form knows: they are left out of every column and counted beneath.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.clock import Calendar, Policy, late_from, verdict_of
from states.errors import BadInput
from states.ledger.pins import Book
from states.ledger.statements import d, dossier
from states.words import Channel, Tally

UNCLASSED = (Tally.not_counted, Tally.no_term)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form. Numbers in brackets are the form's columns."""

    agency: str
    online: int = 0  # (4) received in the period, online
    direct: int = 0  # (5) received in the period, at the counter or by post
    carried: int = 0  # (6) carried over from before
    early: int = 0  # (8)
    on_time: int = 0  # (9)
    late: int = 0  # (10)
    in_time: int = 0  # (12) in process, within the term or held
    overdue: int = 0  # (13) in process, past it
    unclassed: int = 0  # beneath the form: finished in the period without a class

    @property
    def received(self) -> int:
        """(3)"""
        return self.online + self.direct + self.carried

    @property
    def resolved(self) -> int:
        """(7)"""
        return self.early + self.on_time + self.late

    @property
    def in_process(self) -> int:
        """(11)"""
        return self.in_time + self.overdue

    @property
    def balances(self) -> bool:
        """3 = 7 + 11"""
        return self.received == self.resolved + self.in_process

    @property
    def of_resolved(self) -> float | None:
        """On time or early, of those resolved, in percent; None when nothing was."""
        return _rate(self.early + self.on_time, self.resolved)

    @property
    def of_received(self) -> float | None:
        """On time or early, of those received (Decree 61/2018 Art. 30(2)(c)), in percent."""
        return _rate(self.early + self.on_time, self.received)


@dataclass(frozen=True, slots=True)
class Bieu06:
    """The form: its period [since, until), policy and rows by agency."""

    since: datetime | None
    until: datetime
    policy: Policy | None
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """All agencies together."""
        numbers = [field.name for field in fields(Row) if field.name != "agency"]
        sums = {name: sum(getattr(row, name) for row in self.rows) for name in numbers}
        return Row(agency="", **sums)


async def bieu06(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    agencies: Sequence[str] | None = None,
    policy: Policy | None = None,
) -> Bieu06:
    """The form for [since, until), `since` None for all there was before.

    `policy`: read the classes anew by this policy; None takes the verdicts as they were frozen,
    each by its dossier's own policy. Raises `BadInput` for a period that ends before it begins.
    """
    if since is not None and since >= until:
        raise BadInput("the period ends before it begins: --from must lie before --to")
    if policy is None:
        rows = await _frozen(db, since, until, agencies)
    else:
        rows = await _anew(db, book, since, until, agencies, policy)
    return Bieu06(since, until, policy, tuple(sorted(rows, key=lambda row: row.agency)))


async def agencies_known(db: AsyncConnection, book: Catalogue) -> set[str]:
    """The agencies a report may be asked for: the catalogue's, and those that were imported."""
    imported = sa.select(d.agency).where(d.source.is_not(None)).distinct()
    return {*book.agencies, *(await db.execute(imported)).scalars()}


def _rate(part: int, whole: int) -> float | None:
    return None if whole == 0 else 100 * part / whole


def _period(since: datetime | None, until: datetime, agencies: Sequence[str] | None) -> list[Any]:
    """Received before the end, and not finished before the beginning.

    Those that ended before anybody received them have no column, and are counted beneath.
    """
    unreceived = d.received_at.is_(None) & (d.finished_at < until)
    wanted = [sa.or_(d.received_at < until, unreceived)]
    if since is not None:
        wanted.append(sa.or_(d.finished_at.is_(None), d.finished_at >= since))
    if agencies is not None:
        wanted.append(d.agency.in_(agencies))
    return wanted


async def _frozen(
    db: AsyncConnection, since: datetime | None, until: datetime, agencies: Sequence[str] | None
) -> list[Row]:
    """One pass over the dossiers of the period, counted by Postgres."""
    finished = d.finished_at < until  # null while unfinished, which a FILTER takes for no
    open_ = sa.or_(d.finished_at.is_(None), d.finished_at >= until)
    classed = sa.or_(open_, d.verdict.not_in(UNCLASSED))
    here = sa.true() if since is None else d.received_at >= since
    overdue = sa.func.coalesce(d.late_at <= until, sa.false())
    counts = {
        "online": here & (d.channel == Channel.online) & classed,
        "direct": here & (d.channel != Channel.online) & classed,
        "carried": sa.not_(here) & classed,
        "early": finished & (d.verdict == Tally.early),
        "on_time": finished & (d.verdict == Tally.on_time),
        "late": finished & (d.verdict == Tally.late),
        "in_time": open_ & sa.not_(overdue),
        "overdue": open_ & overdue,
        "unclassed": finished & d.verdict.in_(UNCLASSED),
    }
    columns = [sa.func.count().filter(that).label(name) for name, that in counts.items()]
    query = sa.select(d.agency, *columns).where(*_period(since, until, agencies)).group_by(d.agency)
    return [Row(**row) for row in (await db.execute(query)).mappings()]


async def _anew(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    agencies: Sequence[str] | None,
    policy: Policy,
) -> list[Row]:
    """The same, each dossier classed anew from its due moment and its finish."""
    columns = (
        d.agency,
        d.channel,
        d.calendar,
        d.calendar_version,
        d.received_at,
        d.due_at,
        d.finished_at,
        d.verdict,
    )
    query = sa.select(*columns).select_from(dossier).where(*_period(since, until, agencies))
    counts: dict[str, dict[str, int]] = {}
    async for row in await db.stream(query):
        of_agency = counts.setdefault(row.agency, {})
        calendar = book.calendar(row.calendar, row.calendar_version)
        for name in _classes(row, calendar, since, until, policy):
            of_agency[name] = of_agency.get(name, 0) + 1
    return [Row(agency=name, **numbers) for name, numbers in counts.items()]


def _classes(
    row: Any, calendar: Calendar, since: datetime | None, until: datetime, policy: Policy
) -> Iterable[str]:
    """The columns in which one dossier is counted."""
    finished = row.finished_at is not None and row.finished_at < until
    if finished and row.verdict in UNCLASSED:
        return ("unclassed",)
    if since is not None and row.received_at < since:
        came = "carried"
    else:
        came = "online" if row.channel == Channel.online else "direct"
    if finished:
        return came, verdict_of(calendar, policy, row.due_at, row.finished_at)
    past = row.due_at is not None and late_from(calendar, policy, row.due_at) <= until
    return came, "overdue" if past else "in_time"
