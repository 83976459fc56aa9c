"""Breaches put on the record, and closed off when their lateness ends.

A breach is entered once for its alert. What it says of how long it was late, and whose time that
was, is written once, when lateness ends; the database lets nobody change it after. Both are made of
lines alone, so it does not matter when or how often one looks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

import states.breaches.rows
import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.breaches.attribution import Life, attributed
from states.breaches.correcting import STANDS_STILL
from states.breaches.ending import MOVING, Missed, apology, ended
from states.breaches.lives import Offices, calendar_then, lives_of
from states.breaches.rows import Standing, Step
from states.catalogue import Catalogue
from states.catalogue.rules import On, What
from states.db import transaction
from states.errors import HosoError
from states.ledger.statements import d, dossier, e
from states.lifecycle import FINISHED
from states.words import Event

log = structlog.get_logger()

breach, alert, line = (
    SQLModel.metadata.tables[name] for name in ("breach", "alert", "breach_line")
)
b, t, n = breach.c, alert.c, line.c
KEY = (b.dossier_id, b.rule, b.visit, b.deadline)
SAME = sa.and_(*(column == t[column.name] for column in KEY))
BATCH = 500  # breaches a transaction: their dossiers' lines are read together
FIRST = (0, "", 0, 0)


async def record(engine: AsyncEngine, book: Catalogue, at: datetime) -> dict[str, int]:
    """Enter what was missed by a moment, write down what ended by then, and remind of explanations
    that are owed; how many of each.

    A dossier that cannot be read now (`unread`) keeps its breach open, and nobody else's waits.
    """
    told = Counter(dict.fromkeys(("recorded", "ended", "apologised", "unread", "reminded"), 0))
    async with transaction(engine) as db:
        told["recorded"] = await enter(db, at)
        told["reminded"] = await remind(db, at)
    last: tuple[Any, ...] = FIRST
    while True:
        async with transaction(engine) as db:
            rows = await ripe(db, at, last)
            if not rows:
                break
            told.update(await settle(db, book, rows, at))
        last = tuple(getattr(rows[-1], column.name) for column in KEY)
    if any(told.values()):
        log.info("breaches.recorded", **told)
    return dict(told)


async def enter(db: AsyncConnection, at: datetime) -> int:
    """A breach for every alert of one that has none yet; how many."""
    keys = [t[column.name] for column in KEY]
    # Two indexes side by side, and no row of all the others is touched.
    new = sa.select(*keys).select_from(alert.outerjoin(breach, SAME))
    new = new.where(t.what == What.breach, b.dossier_id.is_(None))
    its = new.cte("new").prefix_with("MATERIALIZED", dialect="postgresql")
    known = {"standing": sa.literal(Standing.open), "agency": d.agency}
    known |= {each.name: each for each in (*keys, t.unit, t.person, t.due_at)}
    there = its.join(alert, sa.and_(*(its.c[each.name] == each for each in keys)))
    told = sa.select(*known.values()).select_from(there.join(dossier, d.id == t.dossier_id))
    told = told.where(t.at <= at)
    entered = insert(breach).from_select(list(known), told, include_defaults=False)
    return (await db.execute(entered.on_conflict_do_nothing())).rowcount


async def remind(db: AsyncConnection, at: datetime) -> int:
    """An alert for every explanation that is owed, once an assignment; how many.

    It is about the deadline that was missed; its rule names that one's and the assignment.
    """
    last = sa.select(sa.func.max(n.n)).where(
        *(n[column.name] == column for column in KEY), n.step == Step.assign
    )
    rule = sa.func.concat("explain-", b.rule, "-", last.scalar_subquery())
    whom = sa.func.json_build_object(
        *("person", b.assigned_to, "unit", b.unit, "role", None, "why", "is to explain it")
    )
    told = {
        "dossier_id": b.dossier_id, "rule": rule, "visit": b.visit, "deadline": b.deadline,
        "watched": t.watched, "what": sa.literal(What.reminder), "due_at": b.due_at,
        "at": b.explain_by, "unit": b.unit, "person": b.assigned_to,
        "concerns": sa.func.json_build_array(whom),
    }  # fmt: skip
    owed = sa.select(*(each.label(name) for name, each in told.items()))
    owed = owed.select_from(breach.join(alert, SAME).join(dossier, d.id == b.dossier_id))
    owed = owed.where(b.standing == Standing.assigned, b.explain_by < at, STANDS_STILL)
    new = insert(alert).from_select(list(told), owed, include_defaults=False)
    return (await db.execute(new.on_conflict_do_nothing())).rowcount


# What may have ended --------------------------------------------------------------------------

CLOSES = e.dest.in_(FINISHED)
ENDS: Mapping[On, Any] = {
    On.term: CLOSES | e.event.in_((Event.extend, Event.pay, *MOVING)),
    On.stage: CLOSES | e.event.in_((Event.advance, Event.send_back, *MOVING)),
    On.transfer: CLOSES | (e.event == Event.route),
    On.supplement_notice: CLOSES | (e.event == Event.request_supplement),
    On.apology: CLOSES | e.event.in_((Event.extend, Event.pay, *MOVING)),
    On.online_answer: sa.true(),
}
"""Lines that may end what is watched. They narrow; `ended` decides."""
SORRY = (On.term, On.apology)
"""Watches whose lateness the citizen is owed an apology for."""


async def ripe(db: AsyncConnection, at: datetime, last: tuple[Any, ...]) -> Sequence[Any]:
    """The next that run still, of which a line tells something new; locked, none of another's."""
    ends = sa.or_(*((t.watched == on) & may for on, may in ENDS.items()))
    sorry = (e.event == Event.extend) & b.apology_seq.is_(None) & t.watched.in_(SORRY)
    told = sa.select(sa.true()).where(
        e.dossier_id == b.dossier_id,
        e.at <= at,
        ((e.seq >= b.deadline) & (e.at >= t.at) & ends) | sorry,
    )
    asked = (
        sa.select(*KEY, b.due_at, b.apology_seq, t.watched, t.at)
        .select_from(breach.join(alert, SAME))
        .where(
            b.ended_at.is_(None),
            sa.tuple_(*KEY) > sa.tuple_(*last),
            # Not EXISTS, which Postgres may answer by reading every line there is.
            told.limit(1).scalar_subquery(),
        )
        .order_by(*KEY)
        .limit(BATCH)
    )
    return (await db.execute(asked.with_for_update(of=breach, skip_locked=True))).all()


async def settle(
    db: AsyncConnection, book: Catalogue, rows: Sequence[Any], at: datetime
) -> Counter[str]:
    """Write down which of these ended, how late they were by then, and who had them."""
    lives, offices = await lives_of(db, {row.dossier_id for row in rows}, at), Offices(book)
    told: Counter[str] = Counter()
    closed: list[dict[str, Any]] = []
    sorry: list[dict[str, Any]] = []
    for row in rows:
        try:
            found = _found(row, lives[row.dossier_id], book, offices)
        except HosoError as error:
            told["unread"] += 1
            log.warning("breach.unread", dossier=row.dossier_id, rule=row.rule, why=str(error))
            continue
        told["apologised"] += row.apology_seq is None and found["apology_seq"] is not None
        (closed if "ended_at" in found else sorry).append(found)
    told["ended"] = len(closed)
    for written in (closed, [each for each in sorry if each["apology_seq"] is not None]):
        if written:
            await db.execute(_writing(written[0]), written)
    return told


def _writing(found: Mapping[str, Any]) -> sa.Update:
    """The statement for what was found, prepared once for all of a kind."""
    same = (column == sa.bindparam(f"of_{column.name}") for column in KEY)
    names = [name for name in found if not name.startswith("of_")]
    return sa.update(breach).where(*same, b.ended_at.is_(None)).values(dict.fromkeys(names))


def _found(row: Any, life: Life, book: Catalogue, offices: Offices) -> dict[str, Any]:
    """What is to be written of a breach, with its key. Raises `HosoError`."""
    paper = life.paper
    missed = Missed(On(row.watched), row.visit, row.deadline, row.due_at, row.at)
    end = ended(missed, life)
    found = {f"of_{column.name}": getattr(row, column.name) for column in KEY}
    found["apology_seq"] = row.apology_seq
    if row.apology_seq is None and missed.watched in SORRY:
        found["apology_seq"] = apology(life.lines, lambda n: _instrument(book, paper, n), end)
    if end is None:
        return found
    calendar = calendar_then(book, life, end)
    minutes = calendar.position(end) - calendar.position(row.due_at)
    start = paper.received_at or paper.registered_at
    shares = attributed(life, offices, calendar, start, end, row.due_at)
    return found | {"ended_at": end, "minutes": max(0, minutes), "attribution": shares}


def _instrument(book: Catalogue, paper: Any, version: int | None) -> str | None:
    if paper.source:
        return None
    named: str | None = book.procedure(
        paper.procedure, version or paper.version
    ).extension.instrument
    return named
