"""Dossiers in a list: filtered, in a settled order, page by page, and how many they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.db import fetch
from states.finding.only import UNFINISHED, Only
from states.finding.paging import CAME, DUE, PLANNED, Order, Page, either, page
from states.finding.searching import Terms
from states.ledger.statements import PG, d
from states.sight import Sight

COUNTED = 10_000  # and no further: nobody reads on


class By(StrEnum):
    """In which order: what was entered last first, or of what runs what is due first."""

    came = auto()
    due = auto()


class Count(StrEnum):
    """How exactly they are counted."""

    none = auto()
    capped = auto()  # exactly, up to `COUNTED`
    estimated = auto()  # by the database's statistics, which costs nothing; to who sees all of it


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are: this many, unless it is no more than a bound or a guess."""

    n: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. In order of `due`, what has no date or is finished is left out."""

    only: Only = Only()  # noqa: RUF009  unchanging
    terms: Terms = Terms()  # noqa: RUF009  unchanging
    by: By = By.came

    def order(self) -> Order:
        """What the pages go by."""
        return DUE if self.by is By.due else CAME

    def holds(self, book: Catalogue, at: datetime) -> list[Any]:
        """As conditions."""
        running = [UNFINISHED, d.due_at.is_not(None)] if self.by is By.due else []
        return [*self.only.where(book, at), *running]


async def find(
    db: AsyncConnection,
    book: Catalogue,
    sight: Sight,
    asked: Asked,
    at: datetime,
    *,
    key: bytes = b"",
    cursor: str | None = None,
    limit: int = 50,
    full: bool = False,
) -> Page:
    """A page of what was asked for among what may be seen.

    `key` hashes numbers of identity cards. Raises `BadInput`.
    """
    return await page(
        db,
        sight.where(),
        asked.holds(book, at),
        asked.order(),
        cursor,
        limit,
        any_of=asked.terms.any_of(key),
        full=full,
    )


async def count(
    db: AsyncConnection,
    book: Catalogue,
    sight: Sight,
    asked: Asked,
    at: datetime,
    how: Count,
    *,
    key: bytes = b"",
    most: int = COUNTED,
) -> Counted | None:
    """How many there are on all pages together, up to `most`.

    Statistics are of everybody's dossiers: who sees some of them is told what can be counted.
    """
    if how is Count.none:
        return None
    await db.execute(PLANNED)
    holds, any_of = asked.holds(book, at), asked.terms.any_of(key)
    if how is Count.estimated and sight.all:
        return Counted(await _estimated(db, either(sight.where(), holds, any_of)), exact=False)
    those = either(sight.where(), holds, any_of, most + 1)
    n = int(await db.scalar(sa.select(sa.func.count()).select_from(those)) or 0)
    return Counted(min(n, most), exact=n <= most)


async def _estimated(db: AsyncConnection, those: sa.FromClause) -> int:
    """How many rows the database expects, without looking for them."""
    compiled: Any = sa.select(those).compile(
        dialect=PG, compile_kwargs={"render_postcompile": True}
    )
    values = [compiled.params[name] for name in compiled.positiontup]
    told = await fetch(db, f"EXPLAIN (FORMAT JSON) {compiled}", *values)
    return int(told[0][0]["Plan"]["Plan Rows"])
