"""Today: what waits for whoever sits here, what is next, and why it is."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.begun import begun
from api.desk.leaf import Leaf, local
from api.desk.lines import Line, hands, lines
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from api.listed import PLAIN
from states import acting
from states.errors import HosoError, Unknown
from states.finding import work
from states.finding.work import Waiting
from states.words import Event

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
SHOWN = 50  # dossiers on a page


class Moving(BaseModel):
    """The one act in a row: it needs nothing else to be said."""

    code: str = Field(max_length=200, pattern=PLAIN)
    seq: int = Field(ge=1, le=10**9)
    event: Literal[Event.digitise, Event.route, Event.accept, Event.advance]
    back: str = Field(default="", max_length=2000)


class Done(BaseModel):
    """What was done just now, to be said on the page that comes back."""

    code: str
    event: Event


@dataclass(frozen=True, slots=True)
class Board:
    """The page. `rows` are of the queue that is `chosen`."""

    queues: list[Waiting]
    chosen: Waiting | None
    rows: list[Line]
    onward: str | None
    first: Line | None
    comes_from: Any

    @property
    def offered(self) -> set[Event]:
        """What is open on any of the rows."""
        return {event for line in self.rows for event in line.open}


@router.get("/today")
async def today(
    request: Request,
    desk: Desk,
    queue: Annotated[str | None, Query(max_length=40)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    done: Annotated[str | None, Query(max_length=200)] = None,
    by: Event | None = None,
) -> Response:
    """The caller's queues with counts, one of them row by row, and the one dossier to take next."""
    said = Done(code=done, event=by) if done and by else None
    return await shown(request, desk, queue, cursor, done=said)


async def shown(
    request: Request,
    desk: Seat,
    queue: str | None,
    cursor: str | None = None,
    refusal: HosoError | None = None,
    **more: Any,
) -> Response:
    """The page as it stands now; `refusal`: of what was tried from it."""
    board = await _board(desk, queue, cursor)
    more |= {"board": board, "begun": await begun(desk), "cursor": cursor}
    return page(request, "desk/today.html", refusal=refusal, **more)


async def _board(desk: Seat, queue: str | None, cursor: str | None) -> Board:
    who, at, lang = desk.who, desk.at, desk.lang
    queues = await work.waiting(desk.db, desk.book, who, desk.sees, at)
    up = await work.next_up(desk.db, desk.book, who, desk.sees, at, lang)
    chosen = _chosen(queues, queue, up and up[0].name)
    if chosen is None:
        return Board(queues, None, [], None, None, None)
    name = chosen.queue.name
    found = await work.queue(
        desk.db, desk.book, who, desk.sees, name, at, lang, cursor=cursor, limit=SHOWN
    )
    first = lines(desk, [up[1]])[0] if up else None
    return Board(queues, chosen, lines(desk, found.rows), found.next, first, up and up[0])


def _chosen(queues: list[Waiting], asked: str | None, next_: str | None) -> Waiting | None:
    """The queue that was asked for; else that of the next dossier; else one with something in it.

    Raises `Unknown` for one that is not theirs.
    """
    by_name = {each.queue.name: each for each in queues}
    if asked is not None:
        if asked not in by_name:
            raise Unknown("you have no such queue: choose one of yours")
        return by_name[asked]
    full = (each for each in queues if each.count)
    return by_name.get(next_ or "") or next(full, queues[0] if queues else None)


@router.post("/today/move")
async def move(request: Request, desk: Desk) -> Response:
    """Do the one next act on a dossier as it was seen in its row, and stay in the list."""
    form = typed.of(request)
    back = local(form.get("back") or "/today")
    try:
        said = typed.read(Moving, form)
        async with desk.db.begin_nested():
            found = await desk.find(said.code)
            act = hands(desk).act(found[0], said.event, seq=said.seq)
            await acting.act_on(desk.db, desk.book, desk.acting(found[0].agency), found, act)
    except HosoError as error:
        path, _, query = back.partition("?")
        if path != "/today":
            raise
        queue = dict(parse_qsl(query)).get("queue")
        return await shown(request, desk, queue, refusal=error)
    join = "&" if "?" in back else "?"
    return RedirectResponse(f"{back}{join}{urlencode({'done': said.code, 'by': said.event})}", 303)
