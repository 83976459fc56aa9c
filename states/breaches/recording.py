"""Breaches put on the record, and closed off when their lateness ends.

A breach is entered once for its alert. What it says of how long it was late, and whose time that
was, is written once, when lateness ends; the database lets nobody change it after. Both are made of
lines alone, so it does not matter when or how often one looks.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

import states.breaches.rows
import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.breaches.attribution import Life, Line, attributed
from states.breaches.ending import MOVING, Missed, apology, ended
from states.breaches.rows import Standing
from states.catalogue import Catalogue
from states.catalogue.rules import On, What
from states.clock import Calendar
from states.consultations.listing import waits
from states.db import transaction
from states.errors import HosoError, Unknown
from states.ledger.statements import a, activity, d, dossier, e, v, visit
from states.lifecycle import FINISHED
from states.words import Event, Role

log = structlog.get_logger()

breach, alert = (SQLModel.metadata.tables[name] for name in ("breach", "alert"))
b, t = breach.c, alert.c
KEY = (b.dossier_id, b.rule, b.visit, b.deadline)
SAME = sa.and_(*(column == t[column.name] for column in KEY))
BATCH = 500  # breaches a transaction: their dossiers' lines are read together
FIRST = (0, "", 0, 0)


async def record(engine: AsyncEngine, book: Catalogue, at: datetime) -> dict[str, int]:
    """Enter what was missed by a moment, and write down what ended by then; how many of each.

    A dossier that cannot be read now (`unread`) keeps its breach open, and nobody else's waits.
    """
    told = Counter(dict.fromkeys(("recorded", "ended", "apologised", "unread"), 0))
    async with transaction(engine) as db:
        told["recorded"] = await enter(db, at)
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
    lives, offices = await _lives(db, {row.dossier_id for row in rows}, at), Offices(book)
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


def _calendar_then(book: Catalogue, life: Life, end: datetime) -> Calendar:
    """The one the dossier was bound to when lateness ended, whatever corrected it since."""
    lines = (line for line in reversed(life.lines) if line["at"] <= end)
    told = (json.loads(line["payload"])["clock"].get("calendar") for line in lines)
    pinned = f"{life.paper.calendar}@{life.paper.calendar_version}"
    name, _, version = next(filter(None, told), pinned).partition("@")
    return book.calendar(name, version)


def _found(row: Any, life: Life, book: Catalogue, offices: "Offices") -> dict[str, Any]:
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
    calendar = _calendar_then(book, life, end)
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


# Read together --------------------------------------------------------------------------------

OF_DOSSIER = (
    *("id", "agency", "unit", "counter", "channel", "source", "procedure", "version"),
    *("calendar", "calendar_version", "registered_at", "received_at"),
)
OF_LINE = (
    *("dossier_id", "seq", "event", "source", "dest", "role", "actor", "on_behalf_of"),
    *("at", "payload", "reason"),
)


async def _lives(db: AsyncConnection, ids: set[int], at: datetime) -> dict[int, Life]:
    """The rows of some dossiers as far as they had come by a moment, by id."""
    lines = sa.select(*(e[name] for name in OF_LINE)).where(e.dossier_id.in_(ids), e.at <= at)
    visits = sa.select(visit).where(v.dossier_id.in_(ids))
    told = sa.select(activity).where(a.dossier_id.in_(ids))
    sorted_ = (lines.order_by(e.seq), visits.order_by(v.visit), told.order_by(a.n))
    asked = (*sorted_, waits(ids, at))
    of = [await _by_dossier(db, each) for each in asked]
    papers = await db.execute(sa.select(*(d[name] for name in OF_DOSSIER)).where(d.id.in_(ids)))
    return {
        paper.id: Life(paper, *(each.get(paper.id, []) for each in of)) for paper in papers.all()
    }


async def _by_dossier(db: AsyncConnection, query: sa.Select[Any]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for row in (await db.execute(query)).mappings():
        found.setdefault(row["dossier_id"], []).append(dict(row))
    return found


@dataclass(frozen=True, slots=True)
class Offices:
    """What attribution asks of the organisation, answered by the catalogue."""

    book: Catalogue

    def seat(self, person: str, role: Role, at: datetime) -> str | None:
        """The first unit where somebody held that role on that day."""
        return next(self._seats(person, role, at), None)

    def _seats(self, person: str, role: Role, at: datetime) -> Iterator[str]:
        on, who = self.book.day(at), self.book.organisation.by_id.get(person)
        for each in who.positions if who is not None else ():
            if each.role is role and each.stands(on):
                yield each.unit

    def agency_of(self, place: str, at: datetime) -> str | None:
        """The agency of a unit or service point, or who took over from it."""
        staff = self.book.organisation
        of = next((each.unit for each in staff.points if each.code == place), place)
        try:
            return staff.heir(staff.agency_of(of), self.book.day(at))
        except Unknown:
            return None
