"""The indices of Circular 01/2018/TT-VPCP Art. 13, as far as the ledger can give them.

There are nine, each 0, 1 or 2 a dossier. Three are in the data: the time taken (1), that of each
body (2), and how often the citizen had to come again to complete the dossier (3). Six are ratings
by citizens and of conduct: they are said to be missing, never guessed, and no mark out of eighteen
is made of three.
"""

from typing import Any

import sqlalchemy as sa

from states.figures.auditing import audits
from states.figures.counting import Span, named
from states.figures.reporting import Asked, Report, called, person_called
from states.figures.sheets import Both, Column, Kind, Paper, Sheet
from states.ledger.statements import d, dossier, e, v, visit
from states.words import Event, Tally

POINTS = {Tally.early: 2, Tally.on_time: 1, Tally.late: 0}
GIVEN, ALL = 3, 9
RATED = (
    Both("Chỉ số 1: thời gian giải quyết", "Index 1: time taken"),
    Both("Chỉ số 2: thời gian của từng cơ quan", "Index 2: time of each body"),
    Both("Chỉ số 3: số lần phải bổ sung", "Index 3: times to complete"),
)
MEANS = tuple(Column(f"index_{n}", head, Kind.decimal) for n, head in enumerate(RATED, 1))
SUM = Column("points", Both("Tổng ba chỉ số (0–6)", "Three together (0–6)"), Kind.decimal)
NOTES = (
    Both(
        "Chỉ số 1: trước hạn 2, đúng hạn 1, quá hạn 0; bình quân các hồ sơ giải quyết trong kỳ",
        "Index 1: early 2, on time 1, late 0; the mean of the dossiers resolved in the period",
    ),
    Both(
        "Chỉ số 2: như trên, của từng lượt ở một bước của cơ quan, đơn vị hay công chức",
        "Index 2: the same of each visit to a stage of the body, unit or officer",
    ),
    Both(
        "Chỉ số 3: không phải bổ sung 2, một lần 1, nhiều hơn 0; không phân biệt do ai",
        "Index 3: never asked to complete 2, once 1, more often 0; whoever was at fault",
    ),
    Both(
        f"{ALL - GIVEN} chỉ số còn lại do người dân và cơ quan đánh giá, không có trong dữ liệu:"
        " chưa xếp loại",
        f"The other {ALL - GIVEN} indices are rated by people and are not in the data: no grade is"
        " given",
    ),
)


def _points(verdict: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """2, 1 or 0; null for what has no class."""
    return sa.case(*((verdict == each, points) for each, points in POINTS.items()))


def _mean(points: sa.ColumnElement[int]) -> sa.ColumnElement[float]:
    """Rounded to one decimal, as the Circular says."""
    return sa.cast(sa.func.round(sa.func.avg(points), 1), sa.Float)


async def _agencies(asked: Asked) -> list[dict[str, Any]]:
    """The three by agency, each dossier counting once in each."""
    span = Span.between(asked.period.since, asked.period.until)
    times = (
        sa.select(sa.func.count())
        .where(e.dossier_id == d.id, e.event == Event.request_supplement)
        .correlate(dossier)
        .scalar_subquery()
    )
    resolved = (
        sa.select(d.id, d.agency, _points(d.verdict).label("first"), times.label("times"))
        .where(span.holds(d.finished_at), d.verdict.in_(POINTS), *_whose(asked))
        .cte("resolved")
    )
    r = resolved.c
    own = (
        sa.select(r.id, _mean(_points(v.verdict)).label("second"))
        .join_from(resolved, visit, v.dossier_id == r.id)
        .where(v.verdict.in_(POINTS))
        .group_by(r.id)
        .subquery("own")
    )
    third = sa.case((r.times == 0, 2), (r.times == 1, 1), else_=0)
    query = (
        sa.select(
            r.agency,
            sa.func.count().label("dossiers"),
            _mean(r.first).label("index_1"),
            _mean(sa.cast(own.c.second, sa.Numeric)).label("index_2"),
            _mean(third).label("index_3"),
        )
        .join_from(resolved, own, own.c.id == r.id, isouter=True)
        .group_by(r.agency)
        .order_by(r.agency)
    )
    return [dict(row) for row in (await asked.db.execute(query)).mappings()]


async def _officers(asked: Asked) -> list[dict[str, Any]]:
    """The second by officer and unit: of the visits that closed in the period."""
    span = Span.between(asked.period.since, asked.period.until)
    query = (
        sa.select(
            v.person,
            v.unit,
            sa.func.count().label("visits"),
            _mean(_points(v.verdict)).label("index_2"),
        )
        .join_from(visit, dossier, d.id == v.dossier_id)
        .where(span.holds(v.closed_at), v.verdict.in_(POINTS), *_whose(asked))
        .group_by(v.person, v.unit)
        .order_by(v.unit, v.person)
    )
    return [dict(row) for row in (await asked.db.execute(query)).mappings()]


def _whose(asked: Asked) -> list[sa.ColumnElement[bool]]:
    return [] if asked.agencies is None else [d.agency.in_(asked.agencies)]


async def _make(asked: Asked) -> Paper:
    bodies = tuple(
        [
            called(asked.book, "agency", row["agency"]),
            row["dossiers"],
            *(row[column.key] for column in MEANS),
            _together([row[column.key] for column in MEANS]),
        ]
        for row in await _agencies(asked)
    )
    sheets = [Sheet("bodies", Both("Cơ quan", "Bodies"), BODIES, bodies, notes=NOTES, dims=1)]
    if audits(asked.who):
        sheets.append(await _by_officer(asked))
    return asked.paper(REPORT, *sheets)


async def _by_officer(asked: Asked) -> Sheet:
    """For who leads or audits."""
    officers = tuple(
        [
            person_called(asked.book, row["person"]),
            called(asked.book, "unit", row["unit"]),
            row["visits"],
            row["index_2"],
        ]
        for row in await _officers(asked)
    )
    return Sheet("officers", Both("Công chức", "Officers"), OFFICERS, officers, dims=2)


def _together(points: list[float | None]) -> float | None:
    """None where one of them is missing."""
    there = [each for each in points if each is not None]
    return round(sum(there), 1) if len(there) == len(points) else None


BODIES = (
    Column("agency", Both("Cơ quan", "Agency"), Kind.called),
    named("dossiers", "Hồ sơ đã giải quyết", "Dossiers resolved"),
    *MEANS,
    SUM,
)
OFFICERS = (
    Column("person", Both("Công chức", "Officer"), Kind.text),
    Column("unit", Both("Đơn vị", "Unit"), Kind.called),
    named("visits", "Lượt đã xong", "Visits closed"),
    MEANS[1],
)
REPORT = Report(
    name="indices",
    title=Both("Chỉ số đánh giá việc giải quyết", "Indices of how dossiers are dealt with"),
    source=Both("Thông tư 01/2018/TT-VPCP, Điều 13–15", "Circular 01/2018/TT-VPCP Art. 13–15"),
    meaning=Both(
        "Ba trong chín chỉ số, theo cơ quan và công chức",
        "Three of the nine indices, by body and officer",
    ),
    make=_make,
)
