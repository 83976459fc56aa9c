"""Breaches counted by unit, cause, holder and more; months in a row, or two periods side by side.

A share names its whole: of the breaches that were asked for, and of all minutes late among them.
What a correction set aside is in no number but that of its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.correcting import STANDS_STILL
from states.breaches.listing import EVERY, FROM, UNAPOLOGISED, UNEXPLAINED, Only
from states.breaches.recording import KEY, b
from states.catalogue import Catalogue
from states.errors import BadInput
from states.ledger.statements import d


class GroupedBy(StrEnum):
    """By what breaches are told apart."""

    agency = auto()
    unit = auto()  # where it lay when it was missed
    person = auto()  # who had it then
    procedure = auto()
    field = auto()
    rule = auto()
    cause = auto()
    month = auto()  # in which it was due
    holder = auto()  # whose working time was past the due moment: a breach may have several


@dataclass(frozen=True, slots=True)
class Span:
    """What was due in [since, until)."""

    since: datetime
    until: datetime


class _Source(NamedTuple):
    """Where a grouping's rows come from, how its breaches are counted, which minutes are its."""

    rows: Any
    value: Any
    breaches: Any
    minutes: Any


async def grouped(
    db: AsyncConnection,
    book: Catalogue,
    only: Only,
    by: GroupedBy,
    seen: sa.ColumnElement[bool] = EVERY,
    *,
    monthly: bool = False,
) -> list[dict[str, Any]]:
    """How many there are of each, how late, and what is to be done; of each month, if so asked.

    One statement. The most come first, within a month where there are months.
    """
    of = _source(book, by)
    whole = sa.select(sa.func.count()).select_from(FROM)
    whole = whole.where(only.where(book), seen, STANDS_STILL)
    count, minutes = of.breaches.filter(STANDS_STILL), _sum(of.minutes, STANDS_STILL)
    sums = {
        "breaches": count,
        "running": of.breaches.filter(b.ended_at.is_(None), STANDS_STILL),
        "minutes": minutes,
        "unexplained": of.breaches.filter(UNEXPLAINED),
        "without_apology": of.breaches.filter(UNAPOLOGISED),
        "share": _percent(count, whole.scalar_subquery()),
        "share_of_minutes": _percent(minutes, sa.func.sum(minutes).over()),
        "corrected": of.breaches.filter(sa.not_(STANDS_STILL)),
    }
    month = _month(book) if monthly else sa.null()
    groups = {"month": month, "group": of.value}
    asked = sa.select(*(each.label(name) for name, each in (groups | sums).items()))
    asked = asked.select_from(of.rows).where(only.where(book), seen)
    asked = asked.group_by(*([month] if monthly else []), of.value)
    order = (sa.text("month"), sa.text("breaches DESC"), of.value)
    return [dict(row) for row in (await db.execute(asked.order_by(*order))).mappings()]


async def compared(
    db: AsyncConnection,
    book: Catalogue,
    only: Only,
    by: GroupedBy,
    spans: tuple[Span, Span],
    seen: sa.ColumnElement[bool] = EVERY,
) -> list[dict[str, Any]]:
    """Two periods side by side, the earlier first: counts, minutes late, and shares within each.

    One statement. What changed most comes first. Raises `BadInput` for periods that are none.
    """
    if by is GroupedBy.month:
        raise BadInput("months are not compared by month: name what is told apart in each period")
    of, sums = _source(book, by), dict[str, Any]()
    within = []
    for name, span in zip(("before", "after"), spans, strict=True):
        holds = replace(only, since=span.since, until=span.until, corrected=False).where(book)
        within.append(holds)
        count = of.breaches.filter(holds)
        whole = sa.select(sa.func.count()).select_from(FROM).where(holds, seen)
        sums[name] = count
        sums[f"minutes_{name}"] = sa.func.coalesce(sa.func.sum(of.minutes).filter(holds), 0)
        sums[f"share_{name}"] = _percent(count, whole.scalar_subquery())
    sums["change"] = sums["after"] - sums["before"]
    asked = sa.select(of.value.label("group"), *(e.label(name) for name, e in sums.items()))
    asked = asked.select_from(of.rows).where(sa.or_(*within), seen).group_by(of.value)
    asked = asked.order_by(sa.func.abs(sums["change"]).desc(), of.value)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


def by_word(text: str) -> GroupedBy:
    """Raises `BadInput`."""
    if text not in set(GroupedBy):
        raise BadInput("breaches are told apart by one of {by}, not '{text}'",
                       by=[*GroupedBy], text=text[:40])  # fmt: skip
    return GroupedBy(text)


def _source(book: Catalogue, by: GroupedBy) -> _Source:
    if by is GroupedBy.holder:
        return _held()
    columns: dict[str, Any] = {
        "agency": b.agency, "unit": b.unit, "person": b.person, "procedure": d.procedure,
        "field": d.field, "rule": b.rule, "cause": b.cause, "month": _month(book),
    }  # fmt: skip
    return _Source(FROM, columns[by], sa.func.count(), b.minutes)


def _held() -> _Source:
    """Those who had it past the due moment; written down when lateness ends, and not before."""
    share = sa.func.json_array_elements(b.attribution).table_valued(
        "value", name="share", joins_implicitly=True
    )
    value = sa.cast(share.c.value, sa.JSON)
    kind, unit = (value[name].as_string() for name in ("kind", "unit"))
    minutes = value["late_minutes"].as_integer()
    name = sa.func.concat_ws(" ", kind, unit)
    rows = FROM.join(share, minutes > 0)
    return _Source(rows, name, sa.func.count(sa.tuple_(*KEY).distinct()), minutes)


def _month(book: Catalogue) -> Any:
    there = sa.func.timezone(sa.literal_column(f"'{book.zone.key}'"), b.due_at)
    return sa.func.to_char(there, sa.literal_column("'YYYY-MM'"))


def _sum(minutes: Any, which: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(minutes).filter(which), 0)


def _percent(part: Any, whole: Any) -> Any:
    """None where the whole is nought."""
    of = sa.cast(100 * part, sa.Float) / sa.func.nullif(whole, 0)
    return sa.cast(of, sa.Float)
