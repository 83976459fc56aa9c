"""What happens, as it happens: server-sent events of the dossiers that the caller may see."""

import math
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Header, Query, Request, Response

from api.away import away_is_said
from api.doors import Door, Sees, Who, calling, house, needs, opened
from api.live import stream
from api.live.opening import hub, open_to_listeners
from api.live.stream import Stream
from api.problems import DOCUMENTED, Away, Unidentified
from api.rates import TooMany
from api.spoken import spoken
from states.accounts.scopes import Scope
from states.errors import HosoError
from states.live import Cursor, Hub, Listener
from states.people import Caller
from states.sight import Sight, sight
from states.tongues import said
from states.words import Role

__all__ = ["open_to_listeners", "router"]

HEARTBEAT = 15.0  # seconds of silence: proxies give up what is silent for 30
OPEN = "streams"  # under what the house holds how many each person has open
RENEWED = 60.0  # seconds between two looks whether they still may

EXAMPLE = """retry: 2843
id: 91455-18446-91455

event: move
id: 91460-18447-91455
data: {"code":"H42.14-230103-0001","seq":4,"event":"accept","state":"processing",
data: "agency":"H42.03","unit":"H42.03.02","due":"2023-01-10T10:00:00+00:00",
data: "at":"2023-01-04T02:12:09+00:00"}

event: alert
id: 91460-18447-91463
data: {"code":"H42.14-230103-0001","rule":"term-near","visit":0,"deadline":2,"what":"alert",
data: "agency":"H42.03","unit":"H42.03.02","due":"2023-01-10T10:00:00+00:00",
data: "at":"2023-01-09T10:00:00+00:00"}

"""
SPOKEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "An endless stream. `move`: a dossier was moved. `alert`: a deadline is near or was"
            " missed. `queues`: how much waits in the caller's queues. `reset`: more was missed"
            " than is told; read anew what is shown. `end`: why the stream ends."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}

router = APIRouter(
    prefix="/v1/live",
    tags=["live"],
    route_class=Door,
    dependencies=[needs(Scope.dossiers_read)],
    responses=DOCUMENTED,
)


@dataclass(frozen=True, slots=True)
class Heard:
    """Who listens, from where on and for how long."""

    sight: Sight
    asks: Caller | None
    since: Cursor | None
    seconds: float | None


@router.get("", status_code=200, response_class=Stream, responses=SPOKEN)
async def listen(
    request: Request,
    who: Who,
    sees: Sees,
    last_event_id: Annotated[
        str | None,
        Header(
            max_length=60,
            description="The last id that was heard: what came since is told first.",
        ),
    ] = None,
    queues: Annotated[
        bool, Query(description="Tell also how much waits in the caller's queues, as it changes.")
    ] = False,
    seconds: Annotated[
        int | None,
        Query(ge=0, le=86_400, description="End then; 0: tell what was missed, and end."),
    ] = None,
) -> Response:
    """Listen to what happens.

    Events are told once or, after a break, twice; `code` and `seq` name a move.
    """
    since = None if last_event_id is None else Cursor.parse(last_event_id)
    heard = Heard(sees, who if queues else None, since, seconds)
    return Stream(_told(request, hub(request), heard))


async def _told(request: Request, hub: Hub, heard: Heard) -> AsyncGenerator[bytes]:
    """The stream, piece by piece. An id without an event says from where to go on."""
    with away_is_said(), _one_of_few(request, heard.sight.person):
        async with hub.listening(heard.sight, heard.asks) as listener:
            place = hub.place
            yield stream.retry() + stream.at(heard.since or place)
            if heard.since is not None:
                missed = await hub.missed(heard.sight, heard.since, place)
                yield b"".join(map(stream.wire, missed)) + stream.at(place)
            async with aclosing(_following(request, hub, listener, heard.seconds)) as pieces:
                async for piece in pieces:
                    yield piece
        yield stream.retry() + b"\n"


@contextmanager
def _one_of_few(request: Request, person: str) -> Iterator[None]:
    """Each stream takes memory and a connection, so nobody has more open than a person needs.

    The next is refused: of two pages that end each other's oldest, neither would ever be quiet.
    Raises `TooMany`.
    """
    home = house(request)
    most, has = home.settings.streams, cast("Counter[str]", home.held.setdefault(OPEN, Counter()))
    if most and has[person] >= most:
        raise TooMany(
            "{person} has {most} streams open here: end one, or ask one for what several ask",
            person=person,
            most=most,
            after=int(stream.TAKES),
        )
    has[person] += 1
    try:
        yield
    finally:
        has[person] -= 1
        if not has[person]:
            del has[person]


async def _following(
    request: Request, hub: Hub, listener: Listener, seconds: float | None
) -> AsyncGenerator[bytes]:
    now = time.monotonic()
    until = math.inf if seconds is None else now + seconds
    renewed = now + RENEWED * random.uniform(0.5, 1)  # noqa: S311  not all at once
    while listener.ended is None and now < until:
        told = await listener.heard(min(renewed, until, now + HEARTBEAT) - now)
        now = time.monotonic()
        if told:
            yield b"".join(map(stream.wire, told))
        elif listener.ended is None:
            yield b": still here\n" + stream.at(hub.place)
        if now >= renewed:
            renewed = now + RENEWED
            if why := await _renew(request, hub, listener):
                yield b"event: end\ndata: " + orjson.dumps({"why": why}) + b"\n\n"
                return


async def _renew(request: Request, hub: Hub, listener: Listener) -> str | None:
    """See whether the caller still may listen, and what they see now; why not, if not."""
    try:
        who, sees = await _arrived(request)
    except Away:  # nobody is told anything either
        return None
    except HosoError as error:
        return said(error.sentence, spoken(request))
    hub.turn(listener, sees, None if listener.asks is None else who)
    return None


async def _arrived(request: Request) -> tuple[Caller, Sight]:
    """Who the request comes from, asked again. Raises what would be answered now."""
    role, acts_for = request.headers.get("hoso-role"), request.headers.get("hoso-for")
    async with opened(request) as (db, arrival):
        if arrival.who is None:
            raise Unidentified("the token has ended: sign in again")
        arrival.who.may(Scope.dossiers_read)
        book = await house(request).latest(db, arrival.edition)
        who = await calling(request, Role(role) if role else None, acts_for)
        return who, sight(book, who)
