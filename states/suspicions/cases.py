"""What all rules ask alike: rows that could show a pattern, with whether they do (`hit`).

`n` tells rows of one dossier apart: the number of a line or of a visit.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from states.columns import MOMENT
from states.ledger.statements import d, dossier, e, entry, v, visit
from states.suspicions.scope import Scope
from states.words import Event, Role

COLUMNS = ("dossier_id", "n", "agency", "unit", "person", "at", "hit")
NOBODY = (Role.system, Role.citizen)


def among(events: Iterable[Event], line: Any = e) -> sa.ColumnElement[bool]:
    """Lines of those events. Written out: an index is of such lines alone."""
    written: Iterable[Any] = (sa.literal_column(f"'{each}'") for each in events)
    return sa.and_(line.event.in_(written))


def of_lines(
    scope: Scope, events: Iterable[Event], hit: Any, *holds: Any, rows: Any = None
) -> sa.Select[Any]:
    """Lines of the period; each is of the unit it was written in, and of who wrote it.

    `rows`: joins of more than the line and its dossier.
    """
    lain = visit.alias("lain")
    there = sa.select(lain.c.unit).where(
        lain.c.dossier_id == e.dossier_id, lain.c.opened_seq <= e.seq
    )
    unit = there.order_by(lain.c.visit.desc()).limit(1).correlate(entry).scalar_subquery()
    told = (
        e.dossier_id,
        e.seq.label("n"),
        d.agency,
        sa.func.coalesce(unit, d.counter).label("unit"),
        _actor(e).label("person"),
        e.at,
        hit.label("hit"),
    )
    asked = sa.select(*told).select_from(LINES if rows is None else rows)
    return asked.where(among(events), scope.holds(e.at), scope.seen, *holds)


LINES = entry.join(dossier, d.id == e.dossier_id)


def of_results(scope: Scope, hit: Any, *holds: Any, rows: Any = None) -> sa.Select[Any]:
    """Dossiers with a result of the period; each is of the unit of its last stage."""
    told = (
        d.id.label("dossier_id"),
        d.visit.label("n"),
        d.agency,
        sa.func.coalesce(LAIN.c.unit, d.unit).label("unit"),
        LAIN.c.person,
        d.finished_at.label("at"),
        hit.label("hit"),
    )
    asked = sa.select(*told).select_from(RESULTS if rows is None else rows)
    return asked.where(d.outcome.is_not(None), scope.holds(d.finished_at), scope.seen, *holds)


LAIN = visit.alias("last_visit")
RESULTS = dossier.outerjoin(LAIN, (LAIN.c.dossier_id == d.id) & (LAIN.c.visit == d.visit))


def of_visits(scope: Scope, hit: Any, rows: Any, at: Any, *holds: Any) -> sa.Select[Any]:
    """Visits of stages that somebody closed in the period."""
    told = (v.dossier_id, v.visit.label("n"), d.agency, v.unit, v.person, at.label("at"))
    asked = sa.select(*told, hit.label("hit")).select_from(rows)
    return asked.where(v.person.is_not(None), scope.holds(at), scope.seen, *holds)


def said(line: Any, *path: str) -> Any:
    """What a line's payload says there, as text; none where it says nothing."""
    return sa.cast(line.payload, sa.JSON)[path].as_string()


def moment(text: Any) -> Any:
    return sa.cast(text, MOMENT)


def before(path: tuple[str, ...], name: str) -> Any:
    """What was said there by the last line before, of those that say it. To be joined laterally."""
    earlier = entry.alias(f"{name}_line")
    value = said(earlier.c, *path)
    asked = sa.select(value.label("value")).where(
        earlier.c.dossier_id == e.dossier_id, earlier.c.seq < e.seq, value.is_not(None)
    )
    return asked.order_by(earlier.c.seq.desc()).limit(1).correlate(entry).lateral(name)


def _actor(line: Any) -> Any:
    return sa.case((line.role.in_(NOBODY), sa.null()), else_=line.actor)
