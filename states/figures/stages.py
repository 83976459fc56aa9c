"""Time and lateness of each stage: the clock of every body that had a dossier, apart.

Index 2 of Circular 01/2018/TT-VPCP Art. 13 scores each body by its own time, and the internal
procedures (Art. 8) give each step its own. A visit counts in the period in which it closed.
"""

from typing import Any

import sqlalchemy as sa

from states.figures.counting import DIMENSIONS, Span, known, named
from states.figures.reporting import Asked, Report, called, stage_called
from states.figures.sheets import Both, Chart, Column, Kind, Paper, Shape, Sheet
from states.ledger.statements import d, dossier, v, visit
from states.words import Tally

CLASSES = (Tally.early, Tally.on_time, Tally.late)
COLUMNS = (
    Column("stage", Both("Bước", "Stage"), Kind.called),
    Column("stage_unit", Both("Đơn vị của bước", "Unit of the stage"), Kind.called),
    named("visits", "Lượt đã xong", "Visits closed"),
    named("early", "Trước hạn", "Early"),
    named("on_time", "Đúng hạn", "On time"),
    named("late", "Quá hạn", "Late"),
    Column("late_share", Both("Tỷ lệ quá hạn", "Late, of classed"), Kind.percent),
    Column("median", Both("Trung vị", "Median"), Kind.minutes),
    Column("ninth", Both("90 % không quá", "90 % within"), Kind.minutes),
    Column("minutes", Both("Tổng thời gian", "Total"), Kind.minutes),
    named("again", "Lượt lặp lại", "Came again"),
)
NOTES = (
    Both(
        "Mỗi lượt vào một bước là một lượt tính riêng, tính vào kỳ mà lượt đó kết thúc",
        "Each visit to a stage counts for itself, in the period in which it closed",
    ),
    Both(
        "Thời gian: giờ, phút làm việc trên lịch của hồ sơ, không kể lúc tạm dừng tính hạn",
        "Times: working hours and minutes of the dossier's calendar, without those on hold",
    ),
    Both(
        "Tỷ lệ quá hạn = quá hạn / (trước hạn + đúng hạn + quá hạn)",
        "Late, of classed = late / (early + on time + late)",
    ),
    Both(
        "Lượt lặp lại: hồ sơ đã qua bước này trước đó",
        "Came again: the dossier had been in that stage before",
    ),
)


async def _make(asked: Asked) -> Paper:
    by = asked.dims(REPORT)
    rows = await _times(asked, by)
    dims = [Column(key, DIMENSIONS[known(key)], Kind.called) for key in by]
    cells = tuple(
        [
            *(called(asked.book, key, row[key]) for key in by),
            stage_called(asked.book, row.get("procedure"), row["stage"]),
            called(asked.book, "unit", row["stage_unit"]),
            *(row[column.key] for column in COLUMNS[2:]),
        ]
        for row in rows
    )
    chart = Chart(Shape.bars, "stage", ("late_share",))
    sheet = Sheet("stages", REPORT.title, (*dims, *COLUMNS), cells, None, NOTES, chart, len(by) + 2)
    return asked.paper(REPORT, sheet)


async def _times(asked: Asked, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row a stage and unit, counted by Postgres."""
    span = Span.between(asked.period.since, asked.period.until)
    earlier = visit.alias("earlier")
    again = sa.exists().where(
        earlier.c.dossier_id == v.dossier_id,
        earlier.c.code == v.code,
        earlier.c.visit < v.visit,
    )
    counts = {each: sa.func.count().filter(v.verdict == each) for each in CLASSES}
    classed = sa.func.nullif(sum(counts.values(), start=sa.literal(0)), 0)
    query = (
        sa.select(
            *(d[known(key)].label(key) for key in by),
            v.code.label("stage"),
            v.unit.label("stage_unit"),
            sa.func.count().label("visits"),
            *(count.label(each) for each, count in counts.items()),
            (100.0 * counts[Tally.late] / classed).label("late_share"),
            *(_within(share).label(name) for name, share in (("median", 0.5), ("ninth", 0.9))),
            sa.cast(sa.func.coalesce(sa.func.sum(v.used), 0), sa.BigInteger).label("minutes"),
            sa.func.count().filter(again).label("again"),
        )
        .select_from(visit.join(dossier, d.id == v.dossier_id))
        .where(span.holds(v.closed_at))
        .group_by(*(d[key] for key in by), v.code, v.unit)
        .order_by(*(d[key] for key in by), v.code, v.unit)
    )
    if asked.agencies is not None:
        query = query.where(d.agency.in_(asked.agencies))
    rows = (await asked.db.execute(query)).mappings()
    return [{**row, "late_share": _percent(row["late_share"])} for row in rows]


def _within(share: float) -> sa.ColumnElement[int]:
    """The working minutes within which so many of the visits were done."""
    return sa.cast(sa.func.percentile_disc(share).within_group(v.used.asc()), sa.BigInteger)


def _percent(told: Any) -> float | None:
    return None if told is None else float(told)


REPORT = Report(
    name="stages",
    title=Both("Thời gian từng bước", "Time of each stage"),
    source=Both("Thông tư 01/2018/TT-VPCP, Điều 8, 13", "Circular 01/2018/TT-VPCP Art. 8, 13"),
    meaning=Both(
        "Thời gian và quá hạn của từng bước, từng đơn vị",
        "Time and lateness by stage and unit",
    ),
    make=_make,
    by=("procedure",),
    dims=tuple(DIMENSIONS),
)
