"""Which consultations are open, and who is asked: the clauses that all queries of them share."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from states.catalogue import Catalogue
from states.consultations.rows import Standing
from states.ledger.statements import d, dossier, v, visit
from states.people import Caller
from states.words import Role

consultation, consultation_end = (
    SQLModel.metadata.tables[name] for name in ("consultation", "consultation_end")
)
c, n = consultation.c, consultation_end.c

ASKS = frozenset({Role.officer, Role.leader})
"""Who asks and answers for a unit."""
IN_STAGE = d.stage_role.is_not(None)
UNENDED = c.standing == Standing.open
LIVE = (c.visit == d.visit) & IN_STAGE
"""The stage that asked has the dossier still. Left, it waits for no answer."""


LEFT = sa.func.greatest(c.asked_at, sa.func.coalesce(v.closed_at, d.finished_at, d.moved_at))
"""When it was left; a dossier taken over has no visits."""
WITH_DOSSIER = consultation.join(dossier, d.id == c.dossier_id).outerjoin(
    visit, (v.dossier_id == c.dossier_id) & (v.visit == c.visit)
)


def asked(bodies: Collection[str]) -> sa.ColumnElement[bool]:
    """Dossiers of which one of these bodies is asked something now; as a condition on `dossier`."""
    open_ = sa.select(c.dossier_id, c.visit).where(UNENDED, c.unit.in_(sorted(bodies)))
    # Not EXISTS: this is read once for all dossiers, out of an index that holds the open ones only.
    return IN_STAGE & sa.tuple_(d.id, d.visit).in_(open_)


def answering(book: Catalogue, who: Caller) -> frozenset[str]:
    """The bodies for which somebody answers in their capacity: their units, the agencies of these,
    and all that these took over from.
    """
    if who.role not in ASKS:
        return frozenset()
    staff = book.organisation
    held = (each for each in who.person.positions if each.role is who.role)
    seats = {each.unit for each in held if each.stands(who.on)}
    bodies = seats | {staff.agency_of(seat) for seat in seats}
    return frozenset(each for body in bodies for each in staff.line(body))


def in_stage(paper: Any) -> bool:
    """As `IN_STAGE`, of a row in hand."""
    return paper.stage_role is not None
