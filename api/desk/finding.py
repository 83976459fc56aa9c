"""Dossiers: found by code, QR, name or telephone; filtered, sorted, kept as filters of one's own.

Personal data are masked, unless asked for whole. Who looked for somebody is on record with what
was found.
"""

import re
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import sought, typed
from api.desk.leaf import Leaf
from api.desk.lines import lines
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from api.desk.sought import Sought
from api.desk.typed import Mistyped, Typed
from states.batches import MOST
from states.errors import BadInput, Unknown
from states.finding import listing, saved
from states.finding.listing import Asked, Count, Counted
from states.finding.paging import Page
from states.ledger.acts import Name
from states.tracking import written
from states.words import Event, State

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
SHOWN = 50  # dossiers on a page
CHOICES = 300  # procedures beyond which a list to choose from is of no use
SCANNED = re.compile(r"/track/([^/?#\s]+)")
WHOLE_CODE = re.compile(r"(?=.*[0-9])[^\s/?#]{6,100}")
HERE = "/dossiers"


class Saved(BaseModel):
    """A filter to be kept by a name."""

    name: Annotated[Name, Field(max_length=60)]
    query: str = Field(max_length=8_000)


class Dropped(BaseModel):
    """A filter to be forgotten; what the list shows goes on."""

    name: str = Field(max_length=200)
    query: str = Field(default="", max_length=8_000)


@router.get(HERE)
async def find(
    request: Request, desk: Desk, done: str | None = None, by: Event | None = None
) -> Response:
    """The dossiers that were asked for; the code of one, whole, leads to that one."""
    form, refusal, found, total, said = Typed(), None, None, None, Sought()
    typing = "hx-request" in request.headers
    try:
        said, form = sought.read(request.scope["query_string"])
        if said.q and not typing and (to := await _exactly(desk, said.q)):
            return RedirectResponse(to, 303)
        found, total = await _found(desk, said, said.asked(form, desk.book.zone, said.q))
    except (BadInput, Mistyped, Unknown) as error:
        form = form or typed.parse(request.scope["query_string"])
        refusal = error
    query = sought.canonical(request.url.query)
    return page(
        request,
        "desk/dossiers_found.html" if typing else "desk/dossiers.html",
        refusal=refusal,
        form=form,
        said=said,
        lines=lines(desk, found.rows) if found else [],
        onward=found.next if found else None,
        total=total,
        query=query,
        active=sought.active(form),
        saved=await saved.kept(desk.db, desk.person),
        done={"code": done, "event": by} if done and by else None,
        sought=sought,
        **_choices(desk),
    )


async def _found(desk: Seat, said: Sought, asked: Asked) -> tuple[Page, Counted | None]:
    db, book, sees, at = desk.db, desk.book, desk.sees, desk.at
    key = desk.house.key("citizen")
    found = await listing.find(
        db, book, sees, asked, at, key=key, cursor=said.cursor, limit=SHOWN, full=said.full
    )
    if said.full or asked.terms.personal:
        await desk.looked(row["id"] for row in found.rows)
    if asked.terms.personal and said.cursor is not None:  # a page may be empty: nothing on record
        return found, None
    if said.cursor is None and found.next is None:  # all of them are here
        return found, Counted(len(found.rows), exact=True)
    count = await listing.count(db, book, sees, asked, at, Count.capped, key=key, most=MOST)
    return found, count


async def _exactly(desk: Seat, text: str) -> str | None:
    """The address of the one dossier whose code, or whose slip's QR, this is.

    Raises `Unknown` for a slip of none that they may see.
    """
    slip = SCANNED.search(text)
    code = written(unquote(slip[1]) if slip else text)
    if not WHOLE_CODE.fullmatch(code):
        return None
    for each in dict.fromkeys((code, code.upper())):
        try:
            paper, _ = await desk.find(each)
        except Unknown:
            continue
        return f"/dossiers/{paper.code}"
    if slip:
        raise Unknown("there is no dossier {code}: check the code on the slip", code=code[:60])
    return None


def _choices(desk: Seat) -> dict[str, Any]:
    """What there is to choose among in the filters."""
    staff, book = desk.book.organisation, desk.book
    agencies = [each for each in staff.agencies if each.stands(desk.today)]
    if mine := desk.for_whom():
        agencies = [each for each in agencies if each.code in mine]
    procedures = sorted(book.procedures.values(), key=lambda each: each.code)
    return {
        "agencies": agencies,
        "procedures": procedures if len(procedures) <= CHOICES else [],
        "bodies": {**staff.bodies, **{each.code: each for each in procedures}, **book.fields},
        "people": staff.by_id,
        "states": [*State],
    }


# Filters of one's own ---------------------------------------------------------------------


@router.post(f"{HERE}/filters")
async def keep(request: Request, desk: Desk) -> Response:
    """Keep the filters of the list by a name, instead of those that had it."""
    form = typed.of(request)
    said = typed.read(Saved, form)
    query = sought.check_kept(said.query)
    await saved.keep(desk.db, desk.person, said.name, query, desk.at)
    return RedirectResponse(f"{HERE}?{query}", 303)


@router.post(f"{HERE}/filters/drop")
async def drop(request: Request, desk: Desk) -> Response:
    """Forget one of them."""
    said = typed.read(Dropped, typed.of(request))
    await saved.drop(desk.db, desk.person, said.name)
    query = sought.canonical(said.query)
    return RedirectResponse(f"{HERE}?{query}" if query else HERE, 303)
