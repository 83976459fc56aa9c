"""Dossiers over HTTP: open, read, move."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Response
from pydantic import AwareDatetime

from api.doors import At, Db, Shelf, Speaks, Who, admitted
from api.dossiers.shapes import Asked, ClockRead, History, Lodged, Standing
from api.dossiers.telling import clock_read, history, standing
from api.problems import DOCUMENTED, Refused
from states import ledger, people
from states.errors import BadInput, NotOpen, NotYours, Stale
from states.ledger import Act, Lodging
from states.words import Event

router = APIRouter(
    prefix="/v1/dossiers",
    tags=["dossiers"],
    dependencies=[Depends(admitted)],
    responses=DOCUMENTED,
)
NEVER = 0  # the seq of no dossier

# Codes taken over from other systems have shapes of their own; none holds a control character.
Code = Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Sent again, it gives the same answer and writes nothing.",
    ),
]
Seen = Annotated[
    str | None,
    Header(alias="If-Match", description='The ETag that the caller has seen, such as `"4"`.'),
]


@router.post("", status_code=201)
async def open_dossier(
    lodged: Lodged, response: Response, book: Shelf, who: Who, at: At, db: Db, key: Key = None
) -> Standing:
    """Open a dossier at the centre, and move it to its first state."""
    procedure = book.procedure(lodged.procedure, on=book.day(at))
    if why := people.may(book, who, procedure.agency, book.centre.code, procedure.field):
        raise NotYours(f"{who.person.id} may not open it: {why}")
    lodging = Lodging(
        unit=book.centre.code,
        procedure=procedure.code,
        channel=lodged.channel,
        applicant=lodged.applicant,
        place=lodged.place,
        counter=who.unit,
        email=lodged.email,
        phone=lodged.phone,
    )
    brought = {"components": lodged.components} if lodged.components else {}
    act = _act(lodged.event, Asked(payload=brought), who, at, key)
    paper = await ledger.open_(db, book, lodging, act)
    response.headers["Location"] = f"/v1/dossiers/{paper.code}"
    response.headers["ETag"] = f'"{paper.seq}"'
    return standing(book, paper, who, at)


@router.get("/{code}")
async def read_dossier(
    code: Code, response: Response, book: Shelf, who: Who, at: At, db: Db
) -> Standing:
    """The dossier as it stands, and what the caller may do to it now."""
    paper, _ = await ledger.find(db, code)
    response.headers["ETag"] = f'"{paper.seq}"'
    return standing(book, paper, who, at)


@router.get("/{code}/history")
async def read_history(code: Code, book: Shelf, who: Who, db: Db) -> History:
    """Every line of the dossier, its visits of stages, and what another system told of it."""
    kept = await ledger.history(db, code)
    zone = book.calendar(kept.paper.calendar).zone
    return history(kept.paper.code, zone, kept.entries, kept.visits, kept.activities)


@router.get("/{code}/clock")
async def read_clock(
    code: Code,
    book: Shelf,
    who: Who,
    speaks: Speaks,
    now: At,
    db: Db,
    response: Response,
    at: AwareDatetime | None = None,
) -> ClockRead:
    """The clock read now, or at another moment, with the trace of its reckoning."""
    paper, _ = await ledger.find(db, code)
    response.headers["Content-Language"] = speaks
    return clock_read(book, paper, at or now, speaks)


@router.post("/{code}/events/{event}")
async def move_dossier(
    code: Code,
    event: Event,
    response: Response,
    book: Shelf,
    who: Who,
    at: At,
    db: Db,
    asked: Annotated[Asked | None, Body()] = None,
    key: Key = None,
    if_match: Seen = None,
) -> Standing:
    """Move a dossier. Refused, the present state is told, and nothing is written."""
    seen = _seq(if_match)
    act = _act(event, asked or Asked(), who, at, key)
    before, _ = await ledger.find(db, code)
    why = people.may(book, who, before.agency, before.unit, before.field)
    # Rights are judged on the dossier as it was read, so it may not move in between. Who has none
    # still gets the answer to a key sent before, and nothing else: no dossier has that number.
    known = before.seq if seen is None else seen
    try:
        paper = await ledger.move(db, book, code, replace(act, seq=known if why is None else NEVER))
    except (NotOpen, Stale) as error:
        refusal = error if why is None else NotYours(f"{event} is not open to you: {why}")
        present, _ = await ledger.find(db, code)
        told = standing(book, present, who, at)
        raise Refused(refusal, state=told.state, seq=told.seq, open=told.open) from None
    response.headers["ETag"] = f'"{paper.seq}"'
    return standing(book, paper, who, at)


def _act(event: Event, asked: Asked, who: Who, at: At, key: Key) -> Act:
    return Act(
        event=event,
        actor=who.person.id,
        role=who.role,
        at=at,
        on_behalf_of=who.acts_for,
        key=key,
        **asked.model_dump(),
    )


def _seq(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    if not (found := re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match, re.ASCII)):
        raise BadInput('If-Match must be one ETag as it was given, such as "4"')
    return int(found[1])
