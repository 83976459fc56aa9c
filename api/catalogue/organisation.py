"""What there is one of: organisation, regimes, rules, templates, plans. And who acts for whom."""

from datetime import date
from enum import StrEnum, auto
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from api.catalogue import procedures
from api.catalogue.shapes import Bundled, Decided, KeptVersion, Linted, Record, Written
from api.doors import At, Db, Door, Shelf, Who, needs
from api.listed import Date
from api.problems import DOCUMENTED
from api.spoken import spoken
from states.accounts.scopes import Scope
from states.catalogue import bundles, publishing
from states.catalogue.bundles import ONE
from states.catalogue.organisation import Delegation
from states.catalogue.rows import Kind

router = APIRouter(tags=["organisation"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.organisation_read)]
WRITES = [needs(Scope.organisation_write)]


class Single(StrEnum):
    """What there is one of."""

    organisation = auto()
    regimes = auto()
    rules = auto()
    templates = auto()
    plans = auto()


Number = Annotated[int, Path(ge=1, le=1_000_000)]


class Body(BaseModel):
    """An agency or a unit of one."""

    code: str
    name: str
    agency: str
    calendar: str
    since: date | None
    until: date | None
    successor: str | None


class PositionHeld(BaseModel):
    """A role somebody holds today; `in_place` is who stands in while they are away."""

    person: str
    name: str
    unit: str
    role: str
    away: bool
    in_place: str | None


class Organised(BaseModel):
    """The organisation of a day."""

    on: date
    bodies: list[Body]
    positions: list[PositionHeld]


class Delegations(BaseModel):
    """Who acts for whom."""

    delegations: list[Delegation]


@router.get("/v1/organisation", dependencies=READS)
async def read_organisation(book: Shelf, who: Who, at: At, on: Date | None = None) -> Organised:
    """Agencies, units, and who holds what role where; today, or on another day."""
    day, staff = on or book.day(at), book.organisation
    return Organised(
        on=day,
        bodies=[
            Body(
                code=each.code,
                name=each.name.vi,
                agency=staff.agency_of(each.code),
                calendar=staff.calendar_of(each.code),
                since=each.since,
                until=each.until,
                successor=each.successor,
            )
            for each in staff.bodies.values()
            if each.stands(day)
        ],
        positions=[
            PositionHeld(
                person=person.id,
                name=person.name,
                unit=held.unit,
                role=held.role,
                away=not staff.present(person.id, day),
                in_place=staff.in_place_of(person.id, day),
            )
            for person in staff.people
            for held in person.positions
            if held.stands(day)
        ],
    )


@router.get("/v1/delegations", dependencies=READS)
async def list_delegations(
    book: Shelf,
    who: Who,
    at: At,
    person: Annotated[str | None, Query(max_length=60)] = None,
    every: Annotated[bool, Query(alias="all", description="Also past and revoked ones.")] = False,
) -> Delegations:
    """Who acts for which agencies, in which fields, by which document. They are the organisation's:
    another one is drafted, checked and published with it.
    """
    on = book.day(at)
    return Delegations(
        delegations=[
            each
            for each in book.organisation.delegations
            if person in {None, each.person}
            and (every or any(each.holds(agency, on) for agency in each.agencies))
        ]
    )


@router.get("/v1/catalogue/{kind}/versions/{version}", dependencies=READS)
async def read_catalogue_version(
    kind: Single, version: Number, book: Shelf, who: Who, at: At, db: Db
) -> Record:
    """What a version says, and who drafted, checked and published it."""
    row = await bundles.find(db, Kind(kind), ONE, version)
    says: dict[str, Any] = publishing.MODELS[row.kind].model_validate_json(row.data).model_dump(
        mode="json", exclude_none=True
    )  # fmt: skip
    return procedures.record(row, book.day(at), says)


@router.get("/v1/catalogue/{kind}/text", dependencies=READS)
async def read_catalogue_text(kind: Single, who: Who, db: Db) -> Written:
    """The text of the last version, to the letter."""
    row = await bundles.find(db, Kind(kind), ONE)
    return Written(code=str(kind), version=row.version, text=row.text)


@router.post("/v1/catalogue/{kind}", status_code=201, dependencies=WRITES)
async def draft_catalogue_version(
    kind: Single, sent: Bundled, book: Shelf, who: Who, at: At, db: Db
) -> KeptVersion:  # fmt: skip
    """Keep a text as the draft of the next version."""
    return await procedures.draft(db, book, Kind(kind), sent, who.person.id, at)


@router.post("/v1/catalogue/{kind}/versions/{version}/check", dependencies=WRITES)
async def check_catalogue_version(
    request: Request, kind: Single, version: Number, book: Shelf, who: Who, at: At, db: Db
) -> Linted:
    """Everything that is wrong; a draft without errors is checked by the caller."""
    which, language = (ONE, version), spoken(request)
    return await procedures.check(db, book, Kind(kind), which, who.person.id, at, language)


@router.post("/v1/catalogue/{kind}/versions/{version}/publish", dependencies=WRITES)
async def publish_catalogue_version(
    kind: Single, version: Number, decided: Decided, book: Shelf, who: Who, at: At, db: Db
) -> KeptVersion:
    """Let the checked draft take effect; never one's own."""
    return await procedures.publish(
        db, book, Kind(kind), (ONE, version), decided, who.person.id, at
    )
