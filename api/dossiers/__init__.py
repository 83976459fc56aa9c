"""Dossiers over HTTP: open, read, move."""

import re
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Request, Response

from api.doors import (
    CAPACITY,
    At,
    Call,
    Calls,
    Db,
    Door,
    Looked,
    Sees,
    Shelf,
    Speaks,
    Who,
    house,
    needs,
)
from api.doors.straight import Straight
from api.dossiers.shapes import (
    Asked,
    ClockRead,
    DossierStanding,
    History,
    Lodged,
    Looks,
    WholeDossier,
)
from api.dossiers.telling import clock_read, full, history, looks_told, standing
from api.listed import Code, Moment
from api.problems import DOCUMENTED, Refused
from api.spoken import spoken
from api.tracking import printed
from states import acting, ledger, seeing
from states.accounts.scopes import Scope
from states.errors import BadInput, NotOpen, NotYours, Stale
from states.files import attaching
from states.finding.searching import citizen
from states.ledger import Act, Lodging
from states.ledger.history import history_of
from states.receiving.lodging import check
from states.sight import WIDE
from states.tables import Dossier
from states.words import Event

router, moving = (
    APIRouter(prefix="/v1/dossiers", tags=["dossiers"], route_class=kind, responses=DOCUMENTED)
    for kind in (Door, Straight)
)
READS = [needs(Scope.dossiers_read)]
WRITES = [needs(Scope.dossiers_write)]

# Told in the OpenAPI and read by the handler, as `CAPACITY` is.
SEEN = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": 'The ETag that the caller has seen, such as `"4"`.',
}


@router.post("", status_code=201, dependencies=WRITES, openapi_extra={"parameters": CAPACITY})
async def open_dossier(
    request: Request,
    lodged: Lodged,
    response: Response,
    call: Calls,
) -> DossierStanding:
    """Open a dossier at the centre, and move it to its first state."""
    book, who, at = call.book, call.who, call.at
    procedure = check(book, who, lodged.procedure)
    lodging = Lodging(
        unit=book.centre.code,
        procedure=procedure.code,
        channel=lodged.channel,
        applicant=lodged.applicant,
        place=lodged.place,
        counter=who.unit,
        email=lodged.email,
        phone=lodged.phone,
        citizen=lodged.citizen_id and citizen(house(request).key("citizen"), lodged.citizen_id),
    )
    brought = {"components": lodged.components} if lodged.components else {}
    act = _act(lodged.event, Asked(payload=brought), call)
    paper = await ledger.open_(call.db, book, lodging, act)
    response.headers["Location"] = f"/v1/dossiers/{paper.code}"
    response.headers["ETag"] = f'"{paper.seq}"'
    told = standing(book, paper, who, at, spoken(request))
    return DossierStanding.model_validate(told | _slip(request, paper))


def _slip(request: Request, paper: Dossier) -> dict[str, str]:
    return {"slip": printed(house(request), paper.code)}


@router.get("/{code}", dependencies=READS)
async def read_dossier(
    request: Request,
    code: Code,
    response: Response,
    book: Shelf,
    who: Who,
    sees: Sees,
    looked: Looked,
    at: At,
    db: Db,
) -> WholeDossier:
    """The dossier as it stands, whose it is, and what the caller may do to it now.

    That it was read is kept.
    """
    paper, _ = await seeing.find(db, code, sees)
    await looked([int(paper.id or 0)])
    response.headers["ETag"] = f'"{paper.seq}"'
    return full(book, await _with_files(db, book, paper), who, at, spoken(request))


async def _with_files(db: Db, book: Shelf, paper: Dossier) -> Dossier:
    """As it will be once the next move brings what was handed in."""
    if paper.missing == 0 or paper.finished_at is not None:
        return paper
    return attaching.foreseen(book, paper, await attaching.attached(db, int(paper.id or 0)))


@router.get("/{code}/history", dependencies=READS)
async def read_history(code: Code, book: Shelf, sees: Sees, looked: Looked, db: Db) -> History:
    """Every line of the dossier, its visits of stages, and what another system told of it.

    That it was read is kept.
    """
    paper, _ = await seeing.find(db, code, sees)
    await looked([int(paper.id or 0)])
    kept = await history_of(db, paper)
    zone = book.calendar(kept.paper.calendar).zone
    return history(kept.paper.code, zone, kept.entries, kept.visits, kept.activities)


@router.get("/{code}/clock", dependencies=READS)
async def read_clock(
    code: Code,
    book: Shelf,
    sees: Sees,
    speaks: Speaks,
    now: At,
    db: Db,
    response: Response,
    at: Moment | None = None,
) -> ClockRead:
    """The clock read now, or at another moment, with the trace of its reckoning."""
    paper, _ = await seeing.find(db, code, sees)
    response.headers["Content-Language"] = speaks
    return clock_read(book, paper, at or now, speaks)


@router.get("/{code}/looks", dependencies=[needs(Scope.reads_read)])
async def read_looks(code: Code, book: Shelf, who: Who, sees: Sees, db: Db) -> Looks:
    """Who read personal data of the dossier, when and by which door: for leaders and control."""
    if who.role not in WIDE:
        raise NotYours(
            "a {role} does not audit who reads: ask a leader or the control unit", role=who.role
        )
    paper, _ = await seeing.find(db, code, sees)
    return looks_told(paper.code, book.zone, await seeing.looks(db, int(paper.id or 0)))


@moving.post(
    "/{code}/events/{event}",
    response_model=DossierStanding,
    dependencies=WRITES,
    openapi_extra={"parameters": [SEEN, *CAPACITY]},
)
async def move_dossier(
    request: Request,
    code: Code,
    event: Event,
    call: Calls,
    asked: Annotated[Asked | None, Body()] = None,
) -> Response:
    """Move a dossier. Refused, the present state is told, and nothing is written."""
    db, book, who, at = call.db, call.book, call.who, call.at
    seen = _seq(request.headers.get("if-match"))
    act = _act(event, asked or Asked(), call)
    found = await seeing.find(db, code, call.sees)
    try:
        paper = await acting.act_on(db, book, who, found, replace(act, seq=seen))
    except (NotOpen, Stale) as error:
        present, _ = await ledger.find(db, code)
        told = standing(book, await _with_files(db, book, present), who, at, spoken(request))
        raise Refused(error, **{name: told[name] for name in ("state", "seq", "open")}) from None
    told = standing(book, await _with_files(db, book, paper), who, at, spoken(request))
    if event is Event.receive:
        told |= _slip(request, paper)
    return _json(told, {"ETag": f'"{paper.seq}"'})


def _json(told: dict[str, Any], headers: dict[str, str]) -> Response:
    """What is in the shape it is described in already, as the framework would write it."""
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    return Response(body, headers=headers, media_type="application/json")


def _act(event: Event, asked: Asked, call: Call) -> Act:
    return Act(
        event=event,
        actor=call.who.person.id,
        role=call.who.role,
        at=call.at,
        on_behalf_of=call.who.acts_for,
        key=call.key,
        **asked.model_dump(),
    )


def _seq(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    if not (found := re.fullmatch(r'\s*"([1-9]\d{0,8})"\s*', if_match, re.ASCII)):
        raise BadInput('If-Match must be one ETag as it was given, such as "4"')
    return int(found[1])
