"""Dossiers rolled up by month, so that figures cost no more among ten million than among one.

A reader of the ledger (`rolling.py`) keeps what figures are counted by of each dossier (`counted`),
and how many are alike (`volume`). A report is exact whatever the reader has not read yet: dossiers
that moved since are taken out as they were counted and put in as they are, and those with a moment
in a month that a period begins or ends in the middle of are asked for themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

import states.figures.rows  # noqa: F401  so that the metadata is full
from states.columns import MOMENT
from states.figures.periods import ZONE, Period
from states.ledger.outbox import reader
from states.ledger.statements import d, dossier, e

READER = "figures"
LOCK = (
    0x66696775  # advisory: one rolls at a time; a statement must see what the one before it wrote
)

counted, volume = (SQLModel.metadata.tables[name] for name in ("counted", "volume"))
c, n = counted.c, volume.c
DIMENSIONS = ("agency", "field", "channel")  # with procedures there were a row for each dossier
MOMENTS = ("received_at", "finished_at", "late_at")
FACTS = (*DIMENSIONS, *MOMENTS, "verdict")
ROLLED = frozenset(DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Source:
    """What is counted: rows with the columns `of`, each standing for `weight` dossiers."""

    read: sa.FromClause
    of: Any
    weight: sa.ColumnElement[int] | None = None

    def count(self, which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        """How many dossiers a condition holds of."""
        if self.weight is None:
            return sa.func.count().filter(which)
        return sa.cast(sa.func.coalesce(sa.func.sum(self.weight).filter(which), 0), sa.BigInteger)


DOSSIERS = Source(dossier, d)


# Counting from what was rolled up ---------------------------------------------------------------


def rolled(periods: Sequence[Period]) -> Source:
    """What is rolled up, exact for these periods."""
    split = _split(periods)
    here = sa.tuple_(_place(reader.c.xact), _place(reader.c.last))
    new = sa.select(e.dossier_id).where(sa.tuple_(e.xact, e.id) > here)
    moved = sa.select(new.distinct().cte("moved").c.dossier_id)
    read = sa.exists().where(reader.c.name == READER)
    # What was kept for a reader that is gone stands for nothing: every dossier is asked itself.
    kept = c.dossier_id.not_in(moved)
    parts = [
        _part(n, n.n).where(read, _whole(split)),
        _part(c, sa.literal(-1), months=True).where(read, sa.not_(kept), sa.not_(_inside(split))),
        _part(d, sa.literal(1)).where(d.id.in_(moved)),
        # A branch by itself, which is not begun while there is a reader; without one none moved.
        _part(d, sa.literal(1)).where(sa.not_(read)),
    ]
    if split:
        parts.append(_part(c, sa.literal(1)).where(read, kept, _inside(split)))
    part = sa.union_all(*parts).subquery("part")
    return Source(part, part.c, part.c.n)


def _place(column: sa.ColumnElement[int]) -> Any:
    return sa.select(column).where(reader.c.name == READER).scalar_subquery()


def _part(of: Any, weight: sa.ColumnElement[int], *, months: bool = False) -> sa.Select[Any]:
    """Rows of one kind. `months`: as they stand in the volumes."""
    facts = [(month(of, name) if months and name in MOMENTS else of[name]) for name in FACTS]
    told = [sa.cast(each, sa.String) if name in {"channel", "verdict"} else each
            for name, each in zip(FACTS, facts, strict=True)]  # fmt: skip
    named = [each.label(name) for name, each in zip(FACTS, told, strict=True)]
    return sa.select(*named, sa.cast(weight, sa.BigInteger).label("n"))


def _split(periods: Sequence[Period]) -> tuple[datetime, ...]:
    """The months that a period begins or ends in the middle of, by their beginnings."""
    bounds = {at for each in periods for at in (each.since, each.until) if at is not None}
    pairs = ((_first(at), at) for at in bounds)
    return tuple(sorted({first for first, at in pairs if first != at}))


def _first(at: datetime) -> datetime:
    """The beginning of its month."""
    return at.astimezone(ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _whole(split: Sequence[datetime]) -> sa.ColumnElement[bool]:
    """Of volumes: those none of whose months is split, so that months compare as moments do."""
    if not split:
        return sa.true()
    begins = [sa.literal(each, MOMENT) for each in split]
    ends = [sa.literal(_next(each), MOMENT) for each in split]
    inside = (n.received_at.in_(begins), n.finished_at.in_(begins), n.late_at.in_(ends))
    return sa.not_(sa.or_(*(sa.func.coalesce(each, sa.false()) for each in inside)))


def _inside(split: Sequence[datetime]) -> sa.ColumnElement[bool]:
    """Of dossiers as they were counted: those with a moment in a month that is split."""
    conditions = [
        condition
        for begin in split
        for condition in (
            (c.received_at >= begin) & (c.received_at < _next(begin)),
            (c.finished_at >= begin) & (c.finished_at < _next(begin)),
            (c.late_at > begin) & (c.late_at <= _next(begin)),
        )
    ]
    return sa.func.coalesce(sa.or_(sa.false(), *conditions), sa.false())


def _next(begin: datetime) -> datetime:
    """The beginning of the month after."""
    return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)


def month(of: Any, name: str) -> sa.ColumnElement[Any]:
    """A moment as the volumes have it."""
    zone = str(ZONE)
    if name != "late_at":
        return sa.func.date_trunc("month", of[name], zone)
    before = sa.func.timezone(zone, of[name] - sa.text("interval '1 microsecond'"))
    begin = sa.func.date_trunc("month", before) + sa.text("interval '1 month'")
    return sa.func.timezone(zone, begin)
