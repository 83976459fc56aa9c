"""Biểu 06 with every class read anew by another policy, dossier by dossier."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.clock import Calendar, Policy, late_from, verdict_of
from states.figures.bieu06.form import FORM, UNCLASSED
from states.figures.counting import Span
from states.ledger.pins import Book
from states.ledger.statements import d, dossier
from states.words import Channel


async def anew(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    agencies: Sequence[str] | None,
    policy: Policy,
) -> dict[str, dict[str, int]]:
    """The numbers by agency, each dossier classed anew from its due moment and its finish."""
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
    wanted = sa.true() if agencies is None else d.agency.in_(agencies)
    query = (
        sa.select(*columns)
        .select_from(dossier)
        .where(FORM.reads(Span.between(since, until)), wanted)
    )
    counts: dict[str, dict[str, int]] = {}
    async for row in await db.stream(query):
        of_agency = counts.setdefault(row.agency, {})
        calendar = book.calendar(row.calendar, row.calendar_version)
        for name in _classes(row, calendar, since, until, policy):
            of_agency[name] = of_agency.get(name, 0) + 1
    return counts


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
