"""Which procedure: a few letters of its name or code, and what comes often here."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.receiving import draft
from api.desk.seat import Desk, Seat
from states.clock.words import length
from states.receiving import before
from states.receiving.offering import check_receives, offers

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
SHOWN = 12  # procedures; more letters find fewer
Text = Annotated[str, Query(max_length=200)]


@router.get("/receive")
async def choose(request: Request, desk: Desk, q: Text = "") -> Response:
    """What is to be received, and what was begun."""
    check_receives(desk.book, desk.who)
    begun = await draft.begun(desk)
    return await _offered(request, desk, q, "desk/receive.html", begun=begun)


@router.get("/receive/matches")
async def match(request: Request, desk: Desk, q: Text = "") -> Response:
    """The same, as it is typed."""
    check_receives(desk.book, desk.who)
    return await _offered(request, desk, q, "desk/receive_matches.html")


async def _offered(
    request: Request, desk: Seat, text: str, template: str, **more: object
) -> Response:
    often = await before.often(desk.db, desk.who.unit)
    found = offers(desk.book, desk.who, desk.today, text, often)
    return page(
        request,
        template,
        q=text,
        often=often,
        offers=found[:SHOWN],
        more=max(len(found) - SHOWN, 0),
        length=length,
        agencies=desk.book.agencies,
        **more,  # type: ignore[arg-type]
    )
