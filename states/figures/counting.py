"""Figures as data: what a number counts, said once.

A `Measure` is a condition on a dossier and a span of time. The number of a report, the list of
dossiers behind it and its definition in `docs/figures.md` are made of the same condition.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.columns import MOMENT
from states.errors import BadInput
from states.figures.periods import Period
from states.figures.sheets import Both, Column, Kind
from states.figures.volumes import DOSSIERS, ROLLED, Source, rolled
from states.ledger.statements import d

Condition = sa.ColumnElement[bool]
BEGINNING = sa.cast(sa.literal_column("'-infinity'"), MOMENT)


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until) in a statement, values or the columns of several periods, and what lies in it.

    `of`: the columns that are asked; of dossiers, or of what was rolled up of them.
    """

    since: sa.ColumnElement[Any]
    until: sa.ColumnElement[Any]
    of: Any = field(default_factory=lambda: d)

    @classmethod
    def between(cls, since: datetime | None, until: datetime, of: Any = d) -> "Span":
        """`since` None: from the beginning."""
        begin = BEGINNING if since is None else sa.literal(since, MOMENT)
        return cls(begin, sa.literal(until, MOMENT), of)

    def holds(self, at: sa.ColumnElement[Any]) -> Condition:
        """Whether a moment lies in it."""
        return (at >= self.since) & (at < self.until)


Counts = Callable[[Span], Condition]
Only = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Defined:
    """What every figure is: a column, and what is in it."""

    column: Column
    meaning: Both

    @property
    def told(self) -> Both:
        """The definition, after its heading."""
        vi, en = self.column.head
        return Both(f"{vi}: {self.meaning.vi}", f"{en}: {self.meaning.en}")


@dataclass(frozen=True, slots=True)
class Measure(Defined):
    """A number of dossiers: those of which the condition holds.

    `stock`: as they stand at an end of the period, so that numbers of several make no sum.
    """

    counts: Counts
    stock: bool = False


@dataclass(frozen=True, slots=True)
class Sum(Defined):
    """A number made of others, by their keys."""

    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rate(Defined):
    """`part` of `whole`, in percent: both named, since a rate says nothing without the second."""

    part: tuple[str, ...]
    whole: tuple[str, ...]

    def percent(self, row: Mapping[str, Any]) -> float | None:
        """None where the whole is nought."""
        whole = sum(row[key] for key in self.whole)
        return None if whole == 0 else 100 * sum(row[key] for key in self.part) / whole


Figure = Measure | Sum | Rate


MISFITS = "misfits"
DIMENSIONS = {
    "agency": Both("Cơ quan", "Agency"),
    "field": Both("Lĩnh vực", "Field"),
    "procedure": Both("Thủ tục", "Procedure"),
    "channel": Both("Kênh tiếp nhận", "Channel"),
    "counter": Both("Nơi tiếp nhận", "Counter"),
    "unit": Both("Đơn vị", "Unit"),
}
"""By what figures are told apart: columns of the dossier."""


@dataclass(frozen=True, slots=True)
class Form:
    """Figures that are counted together, in one pass over the dossiers that `reads` says."""

    figures: tuple[Figure, ...]
    reads: Counts
    rolls: bool = False  # asks nothing but what is rolled up: dimensions, moments, verdict
    balance: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # measures: one side, the other

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of all its figures: as the official form counts them, then the rest in their order."""
        return tuple(sorted((each.column for each in self.figures), key=_place))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is counted; the rest is reckoned."""
        return tuple(each for each in self.figures if isinstance(each, Measure))

    def misfits(self, span: Span) -> Condition:
        """The dossiers that one side of the balance counts oftener than the other.

        Asked of each, so that none makes up for another, however coarsely they are told apart.
        """
        sides = [
            sum(
                (sa.case((each.counts(span), 1), else_=0) for each in self.measures
                 if each.column.key in side),
                start=sa.literal(0),
            )
            for side in self.balance
        ]  # fmt: skip
        return sides[0] != sides[1]

    def find(self, key: str) -> Figure:
        """Raises `BadInput`."""
        for each in self.figures:
            if each.column.key == key:
                return each
        known = ", ".join(column.key for column in self.columns)
        raise BadInput("there is no figure '{key}': choose one of {known}", key=key, known=known)

    def reckoned(self, counts: Mapping[str, Any]) -> dict[str, Any]:
        """The counts with what is made of them. Sums may be made of sums before them."""
        row = dict(counts)
        for each in self.figures:
            if isinstance(each, Sum):
                row[each.column.key] = sum(row[key] for key in each.of)
            elif isinstance(each, Rate):
                row[each.column.key] = each.percent(row)
        return row

    def totalled(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """All rows together: counts are added, rates are made anew."""
        keys = [each.column.key for each in self.measures]
        sums = dict.fromkeys(keys, 0)
        for row in rows:
            for key in keys:
                sums[key] += row[key]
        return self.reckoned(sums)

    def summed(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Rows of several periods together: None where a number is of a moment, not of a while."""
        moments = {each.column.key for each in self.measures if each.stock}
        whole = self.totalled(rows)
        for each in self.figures:
            if isinstance(each, Measure):
                continue
            parts = each.of if isinstance(each, Sum) else (*each.part, *each.whole)
            if moments.intersection(parts):
                moments.add(each.column.key)
        return whole | dict.fromkeys(moments)

    def folded(self, rows: Iterable[Mapping[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
        """Finer rows put together by period and fewer dimensions, in the order of their coming."""
        groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for row in rows:
            groups.setdefault(tuple(row[key] for key in ("period", *by)), []).append(row)
        return [
            self.totalled(group) | dict(zip(("period", *by), key, strict=True))
            for key, group in groups.items()
        ]

    def behind(self, key: str, span: Span) -> Condition:
        """The dossiers that a figure counts: of a sum those of its parts, of a rate its part."""
        figure = self.find(key)
        if isinstance(figure, Measure):
            return self.reads(span) & figure.counts(span)
        parts = figure.of if isinstance(figure, Sum) else figure.part
        return sa.or_(*(self.behind(part, span) for part in parts))


async def counted(
    db: AsyncConnection,
    form: Form,
    by: Sequence[str],
    periods: Sequence[Period],
    only: Only = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """The figures by period and the dimensions named, each row with them and all its figures.

    One statement for all periods; rows in the order of the periods, then of the dimensions. What
    has no dossier has no row. `only`: the values of dimensions that are counted.
    """
    asked = {known(key) for key in (*by, *only)}
    source = rolled(periods) if form.rolls and asked <= ROLLED else DOSSIERS
    number, span, read = _spans(periods, source)
    groups = [source.of[key].label(key) for key in by]
    numbers = [source.count(each.counts(span)).label(each.column.key) for each in form.measures]
    if any(form.balance):
        numbers.append(source.count(form.misfits(span)).label(MISFITS))
    query = (
        sa.select(number.label("period"), *groups, *numbers)
        .select_from(read)
        .where(form.reads(span), *among(only, source.of))
        .group_by("period", *groups)
        .order_by("period", *groups)
    )
    rows = (await db.execute(query)).mappings()
    found = (form.reckoned(dict(row)) | {"period": periods[row["period"]].name} for row in rows)
    return [row for row in found if any(row[each.column.key] for each in form.measures)]


def among(only: Only, of: Any = d) -> list[Condition]:
    """The condition that dimensions have one of the values named. Raises `BadInput`."""
    return [of[known(key)].in_(values) for key, values in only.items()]


def known(key: str) -> str:
    """The name of a dimension. Raises `BadInput`."""
    if key not in DIMENSIONS:
        there = ", ".join(DIMENSIONS)
        raise BadInput(
            "figures are not told apart by '{key}': choose {there}", key=key, there=there
        )
    return key


def _spans(
    periods: Sequence[Period], source: Source
) -> tuple[sa.ColumnElement[int], Span, sa.FromClause]:
    """The number of the period, its span, and what is counted beside it. One period is said by its
    values, which the planner can estimate; several are rows of their own.
    """
    if len(periods) == 1:
        one = Span.between(periods[0].since, periods[0].until, source.of)
        return sa.literal(0), one, source.read
    spans = sa.values(
        sa.column("n", sa.Integer), sa.column("since", MOMENT), sa.column("until", MOMENT),
        name="span",
    ).data([(n, each.since, each.until) for n, each in enumerate(periods)])  # fmt: skip
    begin = sa.func.coalesce(spans.c.since, BEGINNING)
    return spans.c.n, Span(begin, spans.c.until, source.of), source.read.join(spans, sa.true())


def _place(column: Column) -> int:
    number = column.number.strip("()")
    return int(number) if number.isdecimal() else sys.maxsize


def named(key: str, vi: str, en: str, number: str = "", kind: Kind = Kind.integer) -> Column:
    """A column in one line."""
    return Column(key, Both(vi, en), kind, number)
