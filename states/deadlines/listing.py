"""Alerts looked up: what was found of the dossiers somebody may see, the last found first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.catalogue import Catalogue
from states.catalogue.rules import On, What
from states.ledger.statements import d, dossier
from states.pages import Page, page

alert = SQLModel.metadata.tables["alert"]
a = alert.c
KEY = (a.recorded_at, a.dossier_id, a.rule, a.visit, a.deadline)
TOLD = (d.code, d.agency, d.procedure, *alert.c)


@dataclass(frozen=True, slots=True)
class Only:
    """Which alerts. An agency or a unit stands for those it took over from, too."""

    code: str | None = None
    agency: str | None = None
    unit: str | None = None
    procedure: str | None = None
    rule: str | None = None
    what: What | None = None
    watched: On | None = None
    person: str | None = None  # who had it
    since: datetime | None = None  # recorded in [since, until)
    until: datetime | None = None

    def where(self, book: Catalogue) -> sa.ColumnElement[bool]:
        """As a condition."""
        same: dict[Any, Any] = {d.code: self.code, d.procedure: self.procedure, a.rule: self.rule}
        same |= {a.what: self.what, a.watched: self.watched, a.person: self.person}
        holds = [column == value for column, value in same.items() if value is not None]
        for column, body in ((d.agency, self.agency), (a.unit, self.unit)):
            if body is not None:
                holds.append(column.in_(sorted(book.organisation.line(body))))
        if self.since is not None:
            holds.append(a.recorded_at >= self.since)
        if self.until is not None:
            holds.append(a.recorded_at < self.until)
        return sa.and_(sa.true(), *holds)


async def part(
    db: AsyncConnection,
    book: Catalogue,
    seen: sa.ColumnElement[bool],
    only: Only,
    cursor: str | None,
    limit: int,
) -> Page:
    """A page of those asked for among what is seen."""
    asked = sa.select(*TOLD).select_from(alert.join(dossier, d.id == a.dossier_id))
    return await page(db, asked.where(only.where(book), seen), KEY, cursor, limit, newest=True)
