"""What was just taken in: its code, its promise, and what to print and do next."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.leaf import Leaf
from api.desk.lines import body
from api.desk.paint import page
from api.desk.seat import Desk
from api.listed import Code
from api.tracking import printed
from states.receiving.offering import check_receives

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)


@router.get("/receive/done/{code}")
async def received(request: Request, desk: Desk, code: Code) -> Response:
    """For the citizen to read along: with the secret part of the code, as the slip has it."""
    check_receives(desk.book, desk.who)
    paper, _ = await desk.find(code)
    await desk.looked([int(paper.id or 0)])
    of = desk.book.procedure(paper.procedure, paper.version) if paper.version else None
    secret = printed(desk.house, paper.code) if desk.sees.plainly(paper) else None
    agency = body(desk.book, paper.agency)
    return page(request, "desk/received.html", paper=paper, of=of, agency=agency, secret=secret)
