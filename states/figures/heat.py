"""Where it is hot: stages and their units beside the measures of slowness, graded.

Of the visits that closed in the period, as `stages` tells them. Measured against the term of each
visit, a median says how much of the time there was is commonly used: terms differ by procedure.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from states.figures.counting import Span
from states.figures.reporting import Asked, called, stage_called
from states.figures.sheets import Both, Called
from states.ledger.statements import d, dossier, v, visit
from states.words import Tally

DAY, HOUR = 480, 60  # working minutes; a working day counts as eight hours here
CLASSED = (Tally.early, Tally.on_time, Tally.late)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a column tells, in percent; `steps`: from where on each grade begins."""

    key: str
    head: Both
    meaning: Both
    steps: tuple[float, ...]

    def grade(self, value: float | None) -> int:
        """0 (nothing to see) to 5."""
        return 0 if value is None else sum(value >= step for step in self.steps)


MEASURES = (
    Measure(
        "late_share", Both("Quá hạn", "Late"),
        Both("Lượt quá hạn của bước / lượt có xếp loại",
             "Visits past the stage's term / visits classed"),
        (2, 5, 10, 20, 40),
    ),
    Measure(
        "median", Both("Trung vị / hạn", "Median / term"),
        Both("Thời gian làm việc của nửa số lượt nhanh hơn, so với hạn của bước",
             "Working time within which half of the visits were done, of the stage's term"),
        (30, 45, 60, 80, 100),
    ),
    Measure(
        "ninth", Both("90 % / hạn", "90 % / term"),
        Both("Thời gian làm việc của 90 % số lượt, so với hạn của bước",
             "Working time within which 90 % of the visits were done, of the stage's term"),
        (60, 75, 90, 100, 120),
    ),
    Measure(
        "again_share", Both("Lặp lại", "Again"),
        Both("Lượt mà hồ sơ đã qua bước này trước đó / lượt",
             "Visits of dossiers that had been in that stage before / visits"),
        (1, 3, 6, 10, 20),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A stage at a unit."""

    stage: Called
    unit: Called
    visits: int
    late: int
    values: dict[str, float | None]


async def stages(asked: Asked, most: int = 40) -> list[Row]:
    """Those with the most visits, the hottest first."""
    rows = (await asked.db.execute(_query(asked).limit(most))).mappings()
    found = [
        Row(
            stage_called(asked.book, None, row["stage"]),
            called(asked.book, "unit", row["unit"]),
            row["visits"],
            row["late"],
            {
                each.key: None if row[each.key] is None else float(row[each.key])
                for each in MEASURES
            },
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (-(row.values["late_share"] or 0), -row.visits))


def _query(asked: Asked) -> sa.Select[Any]:
    span = Span.between(asked.period.since, asked.period.until)
    earlier = visit.alias("earlier")
    again = sa.exists().where(
        earlier.c.dossier_id == v.dossier_id, earlier.c.code == v.code, earlier.c.visit < v.visit
    )
    count, visits = sa.func.count(), sa.func.count().label("visits")
    used = 100.0 * v.used / sa.func.nullif(_minutes(v.term), 0)
    late = count.filter(v.verdict == Tally.late)
    query = (
        sa.select(
            v.code.label("stage"),
            v.unit,
            visits,
            late.label("late"),
            (100.0 * late / _some(count.filter(v.verdict.in_(CLASSED)))).label("late_share"),
            sa.func.percentile_disc(0.5).within_group(used.asc()).label("median"),
            sa.func.percentile_disc(0.9).within_group(used.asc()).label("ninth"),
            (100.0 * count.filter(again) / count).label("again_share"),
        )
        .select_from(visit.join(dossier, d.id == v.dossier_id))
        .where(span.holds(v.closed_at))
        .group_by(v.code, v.unit)
        .order_by(visits.desc(), v.code, v.unit)
    )
    return query if asked.agencies is None else query.where(d.agency.in_(asked.agencies))


def _percent(told: Any) -> float | None:
    return None if told is None else float(told)


def _some(count: Any) -> Any:
    return sa.func.nullif(count, 0)


def _minutes(term: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """Of a term in working days or hours; of others none is told."""
    number = sa.cast(sa.func.substring(term, r"^([0-9.]+)w[dh]$"), sa.Float)
    return number * sa.case((term.like("%wd"), DAY), else_=HOUR)
