"""Digitising: the files of a dossier's components, dropped, pasted, picked or scanned."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.desk import typed
from api.desk.leaf import Leaf
from api.desk.lines import body
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from api.listed import Code
from states import acting
from states.errors import HosoError, NotOpen, Stale
from states.files import attaching
from states.files.attaching import Held
from states.files.kinds import ENDINGS
from states.ledger import Act
from states.lifecycle import Now, why_not
from states.people import NotHeld
from states.sentences import Sentence
from states.tables import Dossier
from states.words import Event

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
ACCEPT = ",".join([*ENDINGS, *(f".{each}" for endings in ENDINGS.values() for each in endings)])


@router.get("/dossiers/{code}/digitise")
async def digitise(request: Request, desk: Desk, code: Code) -> Response:
    """What there is of each component, and where files are put. That it was read is kept."""
    return await _shown(request, desk, code, "desk/digitise.html")


@router.get("/dossiers/{code}/digitise/files")
async def files(request: Request, desk: Desk, code: Code) -> Response:
    """The list again, after a file came."""
    return await _shown(request, desk, code, "desk/digitise_files.html")


@router.post("/dossiers/{code}/digitise")
async def finish(request: Request, desk: Desk, code: Code) -> Response:
    """All that is required has its file: the dossier goes on with them."""
    form = typed.of(request)
    try:
        async with desk.db.begin_nested():
            found = await desk.find(code)
            who = desk.acting(found[0].agency)
            act = Act(
                event=Event.digitise,
                actor=desk.person,
                role=who.role,
                at=desk.at,
                on_behalf_of=who.acts_for,
                key=getattr(request.state, "key", None),
                seq=_seen(form.get("seq")),
            )
            paper = await acting.act_on(desk.db, desk.book, who, found, act)
    except (NotOpen, Stale) as error:
        return await _shown(request, desk, code, "desk/digitise.html", refusal=error)
    return RedirectResponse(f"/dossiers/{paper.code}", 303)


def _seen(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


async def _shown(request: Request, desk: Seat, code: str, template: str, **more: Any) -> Response:
    paper, _ = await desk.find(code)
    await desk.looked([int(paper.id or 0)])
    held = await attaching.held(desk.db, desk.book, paper)
    shut = _shut(desk, paper, held)
    then = attaching.foreseen(desk.book, paper, _files(held))
    return page(
        request,
        template,
        paper=paper,
        of=desk.book.procedure(paper.procedure, paper.version) if paper.version else None,
        held=held,
        lacking=[each for each in held if each.lacking],
        shut=shut,
        closed=shut or why_not(then, Event.digitise, Now(desk.at, desk.who.role)),
        acts_for=paper.agency if desk.for_whom() else "",
        agency=body(desk.book, paper.agency),
        largest=desk.house.settings.largest_file,
        accept=ACCEPT,
        people=desk.book.people,
        **more,
    )


def _shut(desk: Seat, paper: Dossier, held: list[Held]) -> Sentence | None:
    """Why no file may be handed in now; None: one may."""
    listed = [each.code for each in held if each.wanted is not None]
    if not listed:
        return Sentence("its procedure lists no papers here: it came from another system")
    try:
        attaching.check(desk.book, desk.acting(paper.agency), paper, listed[0])
    except (NotHeld, HosoError) as error:
        return error.sentence
    return None


def _files(held: list[Held]) -> dict[str, str]:
    present = ((each.code, each.present) for each in held)
    return {code: row["sha256"].hex() for code, row in present if row is not None}
