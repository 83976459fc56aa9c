"""The audit's view of breaches over HTTP: grouped, compared, apologies followed to their date."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.breach_filters import Filtered
from api.doors import At, Db, Page, Sees, Shelf, Still, needs
from api.listed import Listed, Moment, Word, local
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.breaches import following, grouping
from states.breaches.following import Came
from states.breaches.grouping import GroupedBy, Span

router = APIRouter(
    prefix="/v1/breaches", tags=["breaches"], route_class=Still, responses=DOCUMENTED
)
READS = [needs(Scope.breaches_read)]
OF_ALL = "Percent of the breaches that were asked for."
A_GROUP: dict[str, Any] = {
    "month": None, "group": "H42.03.02", "breaches": 3, "running": 1, "minutes": 690,
    "unexplained": 2, "without_apology": 1, "corrected": 0, "share": 60.0, "share_of_minutes": 72.5,
}  # fmt: skip
A_COMPARISON: dict[str, Any] = {
    "group": "workload", "before": 2, "after": 5, "change": 3, "minutes_before": 480,
    "minutes_after": 1500, "share_before": 40.0, "share_after": 62.5,
}  # fmt: skip


class BreachGroup(BaseModel):
    """Breaches of one kind. Minutes are working minutes late, of what has ended."""

    model_config = ConfigDict(json_schema_extra={"examples": [A_GROUP]})

    month: str | None
    group: str | None = Field(description="None: it has none, as a cause before it is explained.")
    breaches: int
    running: int
    minutes: int
    unexplained: int
    without_apology: int
    corrected: int = Field(description="Set aside by a correction; in no other number.")
    share: float | None = Field(description=OF_ALL)
    share_of_minutes: float | None = Field(description="Percent of the minutes told here.")


class BreachGroups(BaseModel):
    """All groups; of holders a breach may have several, and counts in each."""

    by: GroupedBy
    groups: list[BreachGroup]


class Comparison(BaseModel):
    """One group in two periods; shares are of each period's own breaches."""

    model_config = ConfigDict(json_schema_extra={"examples": [A_COMPARISON]})

    group: str | None
    before: int
    after: int
    change: int
    minutes_before: int
    minutes_after: int
    share_before: float | None
    share_after: float | None


class Comparisons(BaseModel):
    """Two periods side by side; what changed most comes first."""

    by: GroupedBy
    rows: list[Comparison]


class Apology(BaseModel):
    """An extension that apologised, and what became of the date it gave."""

    code: str
    seq: int = Field(description="The line that apologised.")
    at: datetime
    by: str
    agency: str
    unit: str
    procedure: str
    reason: str | None
    first: datetime | None = Field(description="The date first promised.")
    promised: datetime | None = Field(description="The new date.")
    due_at: datetime | None
    moved: bool = Field(description="Another date is in force since: a hold, or a correction.")
    came: Came
    finished_at: datetime | None


class ApologyPage(Listed[Apology]):
    """A page of apologies, the first given before the rest."""


@router.get("/groups", dependencies=READS)
async def group_breaches(
    book: Shelf,
    sees: Sees,
    db: Db,
    only: Filtered,
    by: GroupedBy = GroupedBy.unit,
    months: Annotated[bool, Query(description="Of each month in which it was due.")] = False,
) -> BreachGroups:
    """Breaches by unit, procedure, cause, month, holder …: counts, minutes late, shares."""
    rows = await grouping.grouped(db, book, only, by, sees.where(), monthly=months)
    return BreachGroups(by=by, groups=[BreachGroup.model_validate(row) for row in rows])


@router.get("/comparison", dependencies=READS)
async def compare_breaches(
    book: Shelf,
    sees: Sees,
    db: Db,
    only: Filtered,
    before_since: Moment,
    before_until: Moment,
    after_since: Moment,
    after_until: Moment,
    by: GroupedBy = GroupedBy.cause,
) -> Comparisons:
    """What was due in two periods, side by side, by cause, unit …"""
    spans = Span(before_since, before_until), Span(after_since, after_until)
    rows = await grouping.compared(db, book, only, by, spans, sees.where())
    return Comparisons(by=by, rows=[Comparison.model_validate(row) for row in rows])


@router.get("/apologies", dependencies=READS)
async def list_apologies(
    book: Shelf,
    sees: Sees,
    db: Db,
    at: At,
    part: Page,
    agency: Word = None,
    came: Came | None = None,
    since: Annotated[Moment | None, Query(description="Given then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Given before.")] = None,
) -> ApologyPage:
    """Apologies followed to the new date they gave: was it kept?"""
    only = {"agency": agency, "came": came, "since": since, "until": until}
    found = await following.part(db, book, sees.where(), at, part.cursor, part.limit, **only)
    return ApologyPage(
        items=[Apology.model_validate(local(row, book.zone)) for row in found.rows],
        next=found.next,
    )
