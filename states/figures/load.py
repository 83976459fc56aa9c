"""What lay on each person and unit: not the number of dossiers alone.

The pilot's one postal clerk had 6.8 dossiers a working day, which is no more than the norm of a
town (1,600 a year, Decision 468/QĐ-TTg); what overloaded the clerk was that they were of six
agencies and dozens of procedures, and that every one was scanned. So breadth is counted beside.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from states.errors import BadInput
from states.figures.auditing import Audit
from states.figures.counting import Condition, Span, named
from states.figures.periods import ZONE
from states.figures.reporting import Asked, Report, called, person_called, role_called
from states.figures.sheets import Both, Chart, Column, Kind, Paper, Shape, Sheet
from states.ledger.statements import d, dossier, e, entry, v, visit
from states.words import Event, Role

NORM = 1_600  # dossiers a person and year in a town; 1,200 in the plain, 800 in the mountains
BREADTH = 3  # agencies: who serves more of them is told, whatever the number of dossiers
LITTLE = 25  # percent of the norm: who stands in for some days is not overloaded by breadth
YEAR = 365.25 * 24 * 60 * 60

COUNTS = (
    named("acts", "Thao tác", "Acts"),
    named("dossiers", "Hồ sơ", "Dossiers"),
    named("procedures", "Thủ tục", "Procedures"),
    named("agencies", "Cơ quan", "Agencies"),
    named("received", "Tiếp nhận", "Received"),
    named("digitised", "Số hóa", "Digitised"),
    named("processed", "Xử lý", "Processed"),
    named("delivered", "Trả kết quả", "Returned"),
    named("days", "Ngày làm", "Days worked"),
)
RATES = (
    Column("a_day", Both("Hồ sơ / ngày", "Dossiers a day"), Kind.decimal),
    Column("of_norm", Both("So định mức", "Of the norm"), Kind.percent),
)
NOTES = (
    Both(
        "Ngày làm: ngày có ít nhất một thao tác. Hồ sơ: số hồ sơ khác nhau đã thao tác",
        "Days worked: days with an act at least. Dossiers: different ones that were acted on",
    ),
    Both(
        "So định mức: hồ sơ tiếp nhận quy ra một năm / định mức (QĐ 468/QĐ-TTg: 1.600 hồ sơ một"
        " năm ở đô thị; 1.200 và 800 ở nông thôn, miền núi: tùy chọn norm)",
        "Of the norm: dossiers received, brought to a year, / the norm (Decision 468/QĐ-TTg: 1,600"
        " a year in towns; 1,200 and 800 elsewhere: option norm)",
    ),
)


def _doing(*events: Event) -> sa.ColumnElement[int]:
    return sa.func.count(sa.distinct(e.dossier_id)).filter(e.event.in_(events))


PROCESSING = (Event.advance, Event.send_back, Event.return_result)


async def _people(asked: Asked) -> list[dict[str, Any]]:
    """Who did how much, counted by Postgres; the flows and the citizens are no staff."""
    query = (
        sa.select(
            e.actor.label("person"),
            e.role.label("role"),
            sa.func.count().label("acts"),
            sa.func.count(sa.distinct(e.dossier_id)).label("dossiers"),
            sa.func.count(sa.distinct(d.procedure)).label("procedures"),
            sa.func.count(sa.distinct(d.agency)).label("agencies"),
            _doing(Event.receive).label("received"),
            _doing(Event.digitise).label("digitised"),
            _doing(*PROCESSING).label("processed"),
            _doing(Event.deliver).label("delivered"),
            sa.func.count(sa.distinct(sa.cast(sa.func.timezone(str(ZONE), e.at), sa.Date))).label(
                "days"
            ),
        )
        .select_from(entry.join(dossier, d.id == e.dossier_id))
        .where(_here(asked, e.at), e.role.not_in((Role.system, Role.citizen)))
        .group_by(e.actor, e.role)
        .order_by(sa.desc("dossiers"), e.actor, e.role)
    )
    return [dict(row) for row in (await asked.db.execute(query)).mappings()]


async def _units(asked: Asked) -> list[dict[str, Any]]:
    """What each unit had: visits opened and closed in the period, and open at its end."""
    until = asked.period.until
    left = (v.opened_at < until) & sa.or_(v.closed_at.is_(None), v.closed_at >= until)
    span = Span.between(asked.period.since, until)
    query = (
        sa.select(
            v.unit.label("unit"),
            sa.func.count().filter(span.holds(v.opened_at)).label("came"),
            sa.func.count().filter(span.holds(v.closed_at)).label("done"),
            sa.func.count().filter(left).label("left"),
            sa.func.count(sa.distinct(d.procedure)).label("procedures"),
            sa.func.count(sa.distinct(v.person)).label("people"),
        )
        .select_from(visit.join(dossier, d.id == v.dossier_id))
        .where(span.holds(v.opened_at) | span.holds(v.closed_at) | left, _whose(asked))
        .group_by(v.unit)
        .order_by(sa.desc("came"), v.unit)
    )
    return [dict(row) for row in (await asked.db.execute(query)).mappings()]


def _here(asked: Asked, at: sa.ColumnElement[datetime]) -> Condition:
    span = Span.between(asked.period.since, asked.period.until)
    return sa.and_(span.holds(at), _whose(asked))


def _whose(asked: Asked) -> Condition:
    return sa.true() if asked.agencies is None else d.agency.in_(asked.agencies)


async def _make(asked: Asked) -> Paper:
    norm, breadth = _option(asked, "norm", NORM), _option(asked, "breadth", BREADTH)
    people = [
        row | _rates(asked, row, norm) | {"name": person_called(asked.book, row["person"])}
        for row in await _people(asked)
    ]
    units = await _units(asked)
    keys = [column.key for column in (*COUNTS, *RATES)]
    rows = tuple(
        [row["name"], role_called(row["role"]), *(row[key] for key in keys)] for row in people
    )
    of_units = tuple(
        [called(asked.book, "unit", row["unit"]), *(row[column.key] for column in UNITS[1:])]
        for row in units
    )
    chart = Chart(Shape.bars, "person", ("dossiers",))
    return asked.paper(
        REPORT,
        Sheet("people", Both("Từng người", "People"), (*WHO, *COUNTS, *RATES), rows,
              notes=NOTES, chart=chart, dims=2),
        Sheet("units", Both("Từng đơn vị", "Units"), UNITS, of_units, dims=1),
        faults=tuple(_overloaded(people, norm, breadth)),
    )  # fmt: skip


def _rates(asked: Asked, row: dict[str, Any], norm: int) -> dict[str, Any]:
    since, until = asked.period.since, min(asked.period.until, asked.at)
    years = None if since is None else (until - since).total_seconds() / YEAR
    yearly = None if not years or years < 0 else row["received"] / years
    return {
        "a_day": row["dossiers"] / row["days"],
        "of_norm": None if yearly is None else 100 * yearly / norm,
    }


def _overloaded(people: list[dict[str, Any]], norm: int, breadth: int) -> Iterator[Both]:
    """Who receives as much as the norm or more, or for more agencies than one may be asked to."""
    for row in people:
        much = (row["of_norm"] or 0) >= 100
        wide = (row["of_norm"] or 0) >= LITTLE and row["agencies"] > breadth
        if much or wide:
            percent = f"{row['of_norm'] or 0:.0f}"
            yield Both(
                f"{row['name']}: {row['received']} hồ sơ tiếp nhận ({percent} % định mức {norm}),"
                f" {row['agencies']} cơ quan, {row['procedures']} thủ tục, {row['digitised']} hồ sơ"
                " số hóa: nguy cơ quá tải",
                f"{row['name']}: {row['received']} received ({percent} % of the norm {norm}),"
                f" {row['agencies']} agencies, {row['procedures']} procedures,"
                f" {row['digitised']} digitised: likely overloaded",
            )


def _option(asked: Asked, name: str, default: int) -> int:
    text = asked.options.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**6:
        raise BadInput(
            "{name} must be a whole number from 1 on, not '{text}'", name=name, text=text
        )
    return int(text)


WHO = (
    Column("person", Both("Người", "Person"), Kind.text),
    Column("role", Both("Vai trò", "Role"), Kind.called),
)
UNITS = (
    Column("unit", Both("Đơn vị", "Unit"), Kind.called),
    named("came", "Lượt đến", "Came"),
    named("done", "Lượt xong", "Done"),
    named("left", "Còn lại cuối kỳ", "Left at the end"),
    named("procedures", "Thủ tục", "Procedures"),
    named("people", "Người", "People"),
)
REPORT = Report(
    name="load",
    title=Both("Khối lượng công việc", "Load of people and units"),
    source=Both("Quyết định 468/QĐ-TTg", "Decision 468/QĐ-TTg"),
    meaning=Both(
        "Khối lượng của từng người và đơn vị: hồ sơ, thủ tục, cơ quan, số hóa",
        "The load of each person and unit: dossiers, procedures, agencies, digitisation",
    ),
    make=_make,
    audit=Audit(),
    options={
        "norm": Both("Định mức hồ sơ một năm", "Dossiers a year that one person is to receive"),
        "breadth": Both("Số cơ quan tối đa một người", "Agencies that one person may serve"),
    },
)
