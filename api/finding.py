"""Dossiers found over HTTP: lists, search, and the queues of work.

Personal data are masked, unless the caller says that they are needed (`full=true`). Who was shown
them whole, or looked for somebody, is on record with what was found.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from api.doors import At, Db, Door, Looked, Page, Sees, Shelf, Speaks, Who, house, needs
from api.listed import Moment
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.catalogue import Catalogue
from states.clock.words import Lang
from states.finding import listing, work
from states.finding.listing import Asked, By, Count
from states.finding.only import Only, Span
from states.finding.paging import Page as Found
from states.finding.searching import Terms
from states.words import NATIONAL, Channel, Outcome, Role, State, Tally

READS = [needs(Scope.dossiers_read)]
router = APIRouter(tags=["finding"], route_class=Door, responses=DOCUMENTED, dependencies=READS)


# What comes out ---------------------------------------------------------------------------


class Item(BaseModel):
    """A dossier in a list. `person`: who has its present stage, which is due at `stage_due`."""

    code: str
    seq: int
    state: State
    label: str = Field(description="The state's name on the national portal.")
    procedure: str
    version: int
    agency: str
    unit: str = Field(description="Where it lies.")
    field: str
    channel: Channel
    applicant: str = Field(description="Masked, unless asked for whole.")
    phone: str | None = Field(description="Its last digits, unless asked for whole.")
    person: str | None
    stage: int
    stages: int
    stage_role: Role | None
    registered: datetime
    received: datetime | None
    due: datetime | None
    stage_due: datetime | None
    lapses: datetime | None = Field(description="When waiting for the citizen ends.")
    finished: datetime | None
    moved: datetime
    overdue: bool
    verdict: Tally | None
    outcome: Outcome | None
    reason: str | None = Field(default=None, description="Of a queue: why it is where it is.")


class Total(BaseModel):
    """How many there are on all pages: exactly so many, or else more than a bound, or a guess."""

    count: int
    exact: bool


class Items(BaseModel):
    """A page; `next` is the cursor of the page behind it, none on the last."""

    items: list[Item]
    next: str | None
    total: Total | None = Field(default=None, description="Where `count` asked for it.")


class QueueTold(BaseModel):
    """A queue of the caller's."""

    name: str
    label: str
    count: int
    more: bool = Field(description="Whether there are more than these.")


class Work(BaseModel):
    """The caller's queues, in the order in which they are worked."""

    queues: list[QueueTold]


# What goes in -----------------------------------------------------------------------------

Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Query(max_length=50)]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]
Whole = Annotated[
    bool, Query(description="Personal data whole. That they were read is kept, dossier by dossier.")
]


async def only(
    state: Annotated[list[State], Query()] = [],  # noqa: B006  copied by the framework
    agency: Words = [],  # noqa: B006
    unit: Words = [],  # noqa: B006
    procedure: Words = [],  # noqa: B006
    field: Words = [],  # noqa: B006
    channel: Annotated[list[Channel], Query()] = [],  # noqa: B006
    verdict: Annotated[list[Tally], Query()] = [],  # noqa: B006
    received_since: Moment | None = None,
    received_until: Moment | None = None,
    due_since: Moment | None = None,
    due_until: Moment | None = None,
    finished_since: Moment | None = None,
    finished_until: Moment | None = None,
    due_before: Annotated[Moment | None, Query(description="Of what is running.")] = None,
    overdue: bool | None = None,
    person: Annotated[str | None, Query(max_length=200, description="Who has its stage.")] = None,
) -> Only:
    """Spans begin with `since` and end before `until`; moments carry their offset."""
    return Only(
        state=tuple(state),
        agency=tuple(agency),
        unit=tuple(unit),
        procedure=tuple(procedure),
        field=tuple(field),
        channel=tuple(channel),
        verdict=tuple(verdict),
        received=Span(received_since, received_until),
        due=Span(due_since, due_until),
        finished=Span(finished_since, finished_until),
        due_before=due_before,
        overdue=overdue,
        person=person,
    )


Filters = Annotated[Only, Depends(only)]


async def terms(
    q: Annotated[
        str | None,
        Query(
            min_length=1, max_length=200, description="A code, a name or a number: any of these."
        ),
    ] = None,
    code: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Or how it begins.")
    ] = None,
    name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="The applicant's, or words of it: without accents, in any case.",
        ),
    ] = None,
    citizen_id: Annotated[
        str | None, Query(max_length=40, description="The number of their identity card, whole.")
    ] = None,
    phone: Text = None,
) -> Terms:
    return Terms(text=q, code=code, name=name, citizen=citizen_id, phone=phone)


Sought = Annotated[Terms, Depends(terms)]


# Lists and search -------------------------------------------------------------------------


@router.get("/v1/dossiers")
async def list_dossiers(
    filters: Filters,
    page: Page,
    book: Shelf,
    sees: Sees,
    at: At,
    db: Db,
    looked: Looked,
    order: By = By.came,
    count: Count = Count.none,
    full: Whole = False,
) -> Items:
    """The dossiers that the caller may see: what came last first, or (`due`) what is due first.

    In order of `due`, what is finished or has no date is left out. A row that is there all the time
    is told once, whatever others write between two pages.
    """
    asked = Asked(filters, by=order)
    found = await listing.find(
        db, book, sees, asked, at, cursor=page.cursor, limit=page.limit, full=full
    )
    if full:
        await looked(row["id"] for row in found.rows)
    total = await listing.count(db, book, sees, asked, at, count)
    return _items(book, found, at, total)


@router.get("/v1/dossiers/search")
async def search_dossiers(
    request: Request,
    sought: Sought,
    filters: Filters,
    page: Page,
    book: Shelf,
    sees: Sees,
    at: At,
    db: Db,
    looked: Looked,
    count: Count = Count.none,
    full: Whole = False,
) -> Items:
    """Dossiers by code or by whose they are, what came last first. What was found is on record.

    The number of an identity card is never kept; it is compared by its hash. Of a person's dossiers
    the total is told with the first page.
    """
    key = house(request).key("citizen")
    asked = Asked(filters, sought)
    found = await listing.find(
        db, book, sees, asked, at, key=key, cursor=page.cursor, limit=page.limit, full=full
    )
    if full or sought.personal:
        await looked(row["id"] for row in found.rows)
    if sought.personal and page.cursor is not None:  # a page may be empty: nothing is on record
        count = Count.none
    total = await listing.count(db, book, sees, asked, at, count, key=key)
    return _items(book, found, at, total)


# Work -------------------------------------------------------------------------------------


@router.get("/v1/work")
async def read_work(book: Shelf, who: Who, sees: Sees, speaks: Speaks, at: At, db: Db) -> Work:
    """What waits for the caller, counted; none is counted beyond a thousand."""
    told = await work.waiting(db, book, who, sees, at)
    return Work(
        queues=[
            QueueTold(
                name=each.queue.name,
                label=each.queue.vi if speaks is Lang.vi else each.queue.en,
                count=each.count,
                more=each.more,
            )
            for each in told
        ]
    )


@router.get("/v1/queues/{queue}")
async def read_queue(
    queue: Annotated[str, Path(max_length=40)],
    page: Page,
    book: Shelf,
    who: Who,
    sees: Sees,
    speaks: Speaks,
    at: At,
    db: Db,
    looked: Looked,
    full: Whole = False,
) -> Items:
    """One of the caller's queues, what should be done next first, each with the reason."""
    found = await work.queue(
        db, book, who, sees, queue, at, speaks, cursor=page.cursor, limit=page.limit, full=full
    )
    if full:
        await looked(row["id"] for row in found.rows)
    return _items(book, found, at)


# Telling ----------------------------------------------------------------------------------

MOMENTS = ("registered", "received", "due", "finished", "moved")


def _items(
    book: Catalogue, found: Found, at: datetime, total: listing.Counted | None = None
) -> Items:
    counted = None if total is None else Total(count=total.n, exact=total.exact)
    return Items(items=list(_told(book, found.rows, at)), next=found.next, total=counted)


def _told(book: Catalogue, rows: Iterable[dict[str, Any]], at: datetime) -> Iterable[Item]:
    for row in rows:
        zone = book.calendar(row["calendar"]).zone
        late = row["finished_at"] is None and row["late_at"] is not None and row["late_at"] <= at
        moments = {name: row[f"{name}_at"] for name in MOMENTS}
        moments |= {"stage_due": row["stage_due"], "lapses": row["lapse_at"]}
        local = {n: each and each.astimezone(zone) for n, each in moments.items()}
        yield Item.model_validate(
            row | local | {"label": NATIONAL[row["state"]][0], "overdue": late}
        )
