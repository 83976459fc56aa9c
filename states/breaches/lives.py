"""Lives as attribution reads them: many at once, with the calendar and the offices of then."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.attribution import Life, Line
from states.catalogue import Catalogue
from states.clock import Calendar
from states.consultations.listing import waits
from states.errors import Unknown
from states.ledger.statements import a, activity, d, e, v, visit
from states.words import Role

OF_DOSSIER = (
    *("id", "agency", "unit", "counter", "channel", "source", "procedure", "version"),
    *("calendar", "calendar_version", "registered_at", "received_at"),
)
OF_LINE = (
    *("dossier_id", "seq", "event", "source", "dest", "role", "actor", "on_behalf_of"),
    *("at", "payload", "reason"),
)


async def lives_of(db: AsyncConnection, ids: Collection[int], at: datetime) -> dict[int, Life]:
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


def calendar_then(book: Catalogue, life: Life, end: datetime) -> Calendar:
    """The one the dossier was bound to when lateness ended, whatever corrected it since."""
    lines = (line for line in reversed(life.lines) if line["at"] <= end)
    told = (json.loads(line["payload"])["clock"].get("calendar") for line in lines)
    pinned = f"{life.paper.calendar}@{life.paper.calendar_version}"
    name, _, version = next(filter(None, told), pinned).partition("@")
    return book.calendar(name, version)


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
