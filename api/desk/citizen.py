"""What anybody may read: a dossier followed by its slip, and which procedures may go by post.

No page here runs a script, so it is light on a phone and on a slow line.
"""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.leaf import Public
from api.desk.paint import page
from api.desk.voice import chosen
from api.doors import At, Db, Shelf
from api.tracking import LIMIT, proved
from states import tracking
from states.catalogue.matching import matching
from states.errors import BadInput, HosoError, Unknown
from states.tracking import Claim, feedback

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Public)
BOUNDED = sa.text(f"SELECT set_config('statement_timeout', '{LIMIT}', true)")
UNSEEN = {"X-Robots-Tag": "noindex", "Cache-Control": "no-store"}


class Proof(BaseModel):
    """Whose dossier it is: by the secret part on the slip, or by the telephone that was left."""

    code: str = Field(max_length=200)
    secret: str | None = Field(default=None, max_length=20)
    phone: str | None = Field(default=None, pattern="^[0-9]{4}$")


class Said(Proof):
    """What the citizen says of it."""

    stars: int | None = None
    words: str | None = Field(default=None, max_length=feedback.LONGEST)


# A dossier --------------------------------------------------------------------------------


@router.get("/track")
async def ask(
    request: Request, db: Db, code: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Which dossier, and how its applicant proves that it is theirs."""
    return page(request, "desk/track_ask.html", code=code)


@router.post("/track")
async def track(request: Request, book: Shelf, at: At, db: Db) -> Response:
    """The dossier of whoever proves that it is theirs. Whatever is wrong is refused in one way."""
    form = typed.of(request)
    try:
        proof = typed.read(Proof, form)
        number = await _proved(request, db, proof)
    except HosoError as error:
        return page(request, "desk/track_ask.html", refusal=error, code=form.get("code"))
    return await _told(request, book, at, db, proof, number)


@router.get("/track/{code}/{secret}")
async def follow(code: str, secret: str, request: Request, book: Shelf, at: At, db: Db) -> Response:
    """The same, by the address on the slip."""
    proof = Proof(code=code[:200], secret=secret[:20])
    try:
        number = await _proved(request, db, proof)
    except Unknown as error:
        answer = page(request, "desk/track_ask.html", refusal=error, code=proof.code)
        answer.headers.update(UNSEEN)
        return answer
    return await _told(request, book, at, db, proof, number)


@router.post("/track/say")
async def say(request: Request, book: Shelf, at: At, db: Db) -> Response:
    """Stars, words, or both, of how it was dealt with."""
    form = typed.of(request)
    proof = typed.read(Proof, form)
    number = await _proved(request, db, proof)
    try:
        said = typed.read(Said, form)
        async with db.begin_nested():
            await feedback.say(db, number, said.stars, said.words, at)
    except HosoError as error:
        return await _told(request, book, at, db, proof, number, refusal=error)
    return await _told(request, book, at, db, proof, number, thanks=True)


async def _proved(request: Request, db: Db, proof: Proof) -> int:
    """The id of the dossier. Raises `BadInput` and `Unknown`."""
    if (proof.secret is None) == (proof.phone is None):
        raise BadInput(
            "give the secret part on the slip, or else the last four digits of the telephone"
        )
    await db.execute(BOUNDED)
    return await proved(request, db, Claim(tracking.written(proof.code), proof.secret, proof.phone))


async def _told(
    request: Request,
    book: Shelf,
    at: At,
    db: Db,
    proof: Proof,
    number: int,
    *,
    thanks: bool = False,
    refusal: HosoError | None = None,
) -> Response:
    tracked = await tracking.track(db, book, number, at, chosen(request))
    said = await feedback.said_of(db, number)
    answer = page(
        request,
        "desk/track.html",
        tracked=tracked,
        proof=proof,
        said=said,
        thanks=thanks,
        refusal=refusal,
        zone=book.zone,
    )
    answer.headers.update(UNSEEN)
    return answer


# Lists ------------------------------------------------------------------------------------


@router.get("/public/procedures")
async def by_post(
    request: Request,
    book: Shelf,
    at: At,
    db: Db,
    q: Annotated[str, Query(max_length=200)] = "",
    agency: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Which procedures may go by the public post and which may not, with the reason (Decision
    45/2016/QĐ-TTg Art. 13 and 18).
    """
    found = matching(book, book.day(at), q, agency)
    return page(
        request,
        "desk/public_procedures.html",
        may=[each for each in found if each.post.eligible],
        may_not=[each for each in found if not each.post.eligible],
        q=q,
        agency=agency,
        book=book,
    )
