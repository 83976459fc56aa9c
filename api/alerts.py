"""Alerts over HTTP: deadlines that came near or were missed, as sweeps found them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.doors import Db, Door, Page, Sees, Shelf, needs
from api.listed import Listed, Moment, Word, local
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.catalogue.rules import On, What
from states.deadlines import listing
from states.deadlines.listing import Only

router = APIRouter(prefix="/v1/alerts", tags=["breaches"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.breaches_read)]


class Alert(BaseModel):
    """What a sweep found, once per dossier, rule, visit of a stage and version of the deadline."""

    code: str
    agency: str
    procedure: str
    rule: str
    what: What
    watched: On
    visit: int = Field(description="Of a stage; 0: the dossier itself.")
    deadline: int = Field(description="The line that set what was watched.")
    due_at: datetime
    at: datetime = Field(description="The rule's own moment.")
    unit: str
    person: str | None = Field(description="Who had it at that moment.")
    concerns: list[dict[str, Any]] = Field(description="Who is told, and why.")
    recorded_at: datetime


class AlertPage(Listed[Alert]):
    """A page of alerts."""


@router.get("", dependencies=READS)
async def list_alerts(
    book: Shelf,
    sees: Sees,
    db: Db,
    part: Page,
    code: Word = None,
    agency: Word = None,
    unit: Word = None,
    procedure: Word = None,
    rule: Word = None,
    what: What | None = None,
    watched: On | None = None,
    person: Word = None,
    since: Annotated[Moment | None, Query(description="Recorded then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Recorded before.")] = None,
) -> AlertPage:
    """Alerts, the last recorded first."""
    only = Only(code, agency, unit, procedure, rule, what, watched, person, since, until)
    found = await listing.part(db, book, sees.where(), only, part.cursor, part.limit)
    return AlertPage(
        items=[Alert.model_validate(local(row, book.zone)) for row in found.rows], next=found.next
    )
