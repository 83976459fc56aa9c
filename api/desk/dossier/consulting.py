"""Opinions asked for on the page of a dossier: asked, given, withdrawn."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.consultations.shapes import Ask, Give, Withdraw
from api.desk import typed
from api.desk.dossier.opening import capacity, draft_of, shown
from api.desk.leaf import Leaf
from api.desk.seat import Desk, Seat
from api.listed import Code
from states import drafts, ledger
from states.consultations import ending, listing
from states.consultations.asking import Question, ask
from states.consultations.ending import Answer
from states.consultations.opened import answering
from states.errors import HosoError, NotYours, Unknown
from states.people import Caller
from states.tables import Dossier

router = APIRouter(
    prefix="/dossiers/{code}/consultations",
    include_in_schema=False,
    default_response_class=HTMLResponse,
    route_class=Leaf,
)
Number = Annotated[int, Path(ge=1, lt=1 << 31)]
Doing = Callable[[Dossier, Caller], Awaitable[object]]


@router.post("")
async def ask_for_opinion(request: Request, code: Code, desk: Desk) -> Response:
    """Ask another agency or unit for its opinion."""

    async def asking(paper: Dossier, who: Caller) -> None:
        said = typed.read(Ask, typed.of(request))
        question = Question(**said.model_dump())
        await ask(desk.db, desk.book, paper.code, who, question, desk.at)

    paper, _ = await desk.find(code)
    return await _done(request, desk, paper, ("ask", 0), asking)


@router.post("/{n}/answer")
async def give_opinion(request: Request, code: Code, n: Number, desk: Desk) -> Response:
    """Say what one's body thinks; who comes too late is told so, though they see it no more."""

    async def answering_it(paper: Dossier, who: Caller) -> None:
        said = Answer(**typed.read(Give, typed.of(request)).model_dump())
        await ending.answer(desk.db, desk.book, paper.code, n, who, said, desk.at)
        await drafts.drop(desk.db, desk.person, draft_of(paper.code, f"answer-{n}"))

    if await listing.was_asked(desk.db, code, n, answering(desk.book, desk.who)):
        paper, _ = await ledger.find(desk.db, code)
    else:
        paper, _ = await desk.find(code)
    return await _done(request, desk, paper, ("answer", n), answering_it)


@router.post("/{n}/withdraw")
async def withdraw_question(request: Request, code: Code, n: Number, desk: Desk) -> Response:
    """Ask no longer, and say why."""

    async def withdrawing(paper: Dossier, who: Caller) -> None:
        said = typed.read(Withdraw, typed.of(request))
        await ending.withdraw(desk.db, desk.book, paper.code, n, who, said.reason, desk.at)

    paper, _ = await desk.find(code)
    return await _done(request, desk, paper, ("withdraw", n), withdrawing)


async def _done(
    request: Request, desk: Seat, paper: Dossier, consult: tuple[str, int], doing: Doing
) -> Response:
    """Back to the dossier; to the day's work, where it is theirs to see no more."""
    try:
        who, refused = capacity(desk, paper)
        if who is None:
            raise NotYours("no opinion is yours to ask for: {why}", why=refused)
        async with desk.db.begin_nested():
            await doing(paper, who)
    except HosoError as error:
        seen, _ = await desk.find(paper.code)  # raises `Unknown` for who sees it no more
        return await shown(
            request, desk, seen, refusal=error, form=typed.of(request), consult=consult
        )
    try:
        await desk.find(paper.code)
    except Unknown:
        return RedirectResponse("/today", 303)
    return RedirectResponse(f"/dossiers/{paper.code}#opinions", 303)
