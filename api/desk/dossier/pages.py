"""The page of a dossier, the form of each act, and doing it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.desk import typed
from api.desk.dossier import said
from api.desk.dossier.case import Case
from api.desk.dossier.opening import capacity, draft_of, shown, stood
from api.desk.leaf import Leaf, Meanwhile
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from api.listed import Code
from states import acting, drafts, seeing
from states.errors import HosoError, NotYours
from states.ledger.write import stale
from states.sight import WIDE
from states.tables import Dossier, Visit
from states.words import Event

HERE: dict[str, Any] = {
    "prefix": "/dossiers/{code}",
    "include_in_schema": False,
    "default_response_class": HTMLResponse,
}
router = APIRouter(route_class=Leaf, **HERE)
news = APIRouter(route_class=Meanwhile, **HERE)
Seen = Annotated[int, Query(ge=0, lt=1 << 31)]


@router.get("")
async def show(request: Request, code: Code, desk: Desk, done: Seen = 0) -> Response:
    """All of a dossier, with the main act's form open. `done`: the line that was just written."""
    paper, _ = await desk.find(code)
    return await shown(request, desk, paper, done=done)


@router.get("/do/{event}")
async def ask(request: Request, code: Code, event: Event, desk: Desk, seen: Seen = 0) -> Response:
    """The form of an act: on the page, or alone for a page that shows `seen` lines."""
    paper, _ = await desk.find(code)
    part = "desk/dossier/do.html" if "hx-request" in request.headers else None
    return await shown(request, desk, paper, chosen=event, part=part, seen=seen)


@router.post("/do/{event}")
async def do(request: Request, code: Code, event: Event, desk: Desk) -> Response:
    """Do it. Refused, the form is shown again with what was typed, and what has changed since."""
    form, found = typed.of(request), await desk.find(code)
    try:
        async with desk.db.begin_nested():
            moved = await _moved(desk, found, event, form)
            await drafts.drop(desk.db, desk.person, draft_of(code, event))
    except HosoError as error:
        paper, _ = await desk.find(
            code
        )  # as it is: it may have been moved, here in memory or there
        return await shown(request, desk, paper, chosen=event, refusal=error, form=form)
    return RedirectResponse(f"/dossiers/{moved.code}?done={moved.seq}", 303)


async def _moved(
    desk: Seat, found: tuple[Dossier, Visit | None], event: Event, form: Typed
) -> Dossier:
    """What was seen is compared first: it is what people decided on."""
    paper = found[0]
    who, refused = capacity(desk, paper)
    if who is None:
        raise NotYours("{event} is not open to you: {why}", event=event, why=refused)
    if said.seen(form) not in {None, paper.seq}:
        raise stale(paper)
    acting.check(desk.book, paper, who, event)
    case = Case(book=desk.book, paper=paper, event=event, at=desk.at)
    return await acting.act_on(desk.db, desk.book, who, found, said.act(case, who, form))


@news.get("/changes")
async def changes(request: Request, code: Code, desk: Desk, seen: Seen) -> Response:
    """What was done to it since somebody looked."""
    paper, _ = await desk.find(code)
    await desk.looked([int(paper.id or 0)])
    whole = await stood(desk, paper)
    return page(request, "desk/dossier/changes.html", lines=whole.changed(seen), w=whole)


@router.get("/looks")
async def looks(request: Request, code: Code, desk: Desk) -> Response:
    """Who read personal data of it: for leaders and control."""
    paper, _ = await desk.find(code)
    if desk.who.role not in WIDE:
        raise NotYours(
            "a {role} does not audit who reads: ask a leader or the control unit",
            role=desk.who.role,
        )
    found = await seeing.looks(desk.db, int(paper.id or 0))
    return page(request, "desk/dossier/looks.html", looks=found, people=desk.book.people)
