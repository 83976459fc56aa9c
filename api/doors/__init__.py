"""What a handler may ask for.

`Db`, the request's transaction; `Shelf`, the catalogue; `At`, the time; `Signed`, whose token or
key it is; `Who`, the caller in one capacity; `Sees`, what they may see; `Looked`, to keep that they
did; `Speaks`, their language; `Page`, which part of a list.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Header, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from api import browser
from api.doors.house import House, house
from api.doors.opening import SIGN_IN, Door, opened
from api.doors.still import Still
from api.problems import Unidentified
from api.spoken import liked
from states import people, seeing
from states.accounts.arriving import Arrival, Identity
from states.accounts.scopes import Scope
from states.catalogue import Catalogue
from states.clock.words import Lang
from states.people import Caller
from states.seeing import Through
from states.sight import Sight, sight
from states.words import Role

__all__ = [
    "CAPACITY",
    "ActsFor",
    "At",
    "Calls",
    "Db",
    "Door",
    "House",
    "InRole",
    "Looked",
    "Needs",
    "Page",
    "Sees",
    "Shelf",
    "Signed",
    "Speaks",
    "Still",
    "Who",
    "house",
    "identified",
    "needs",
    "opened",
]

T = TypeVar("T")

# What `Door` has learnt when a handler begins. None asks for another: the framework would solve
# that one anew for each that does.


async def transaction(request: Request) -> AsyncConnection:
    """Committed by the `Door` before the answer, so an answer is never of what was not kept."""
    return cast("AsyncConnection", request.state.db)


async def catalogue(request: Request) -> Catalogue:
    """As it is published in this very transaction."""
    return await shelf(request)


async def now(request: Request) -> datetime:
    """By the database's clock: several machines with the API have one time."""
    return cast("datetime", request.state.at)


class Bearer(HTTPBearer):
    """How a caller proves who they are, as the OpenAPI tells it."""

    def __init__(self) -> None:
        super().__init__(
            scheme_name="HTTPBearer",
            description="An access token (`POST /v1/accounts/sign-in`), or a service key.",
            auto_error=False,
        )


Shown = Annotated[HTTPAuthorizationCredentials | None, Security(Bearer())]


async def signed(request: Request, shown: Shown) -> Identity:
    """Whose token or key it is. Raises `Unidentified`."""
    return identified(request)


Db = Annotated[AsyncConnection, Depends(transaction)]
Shelf = Annotated[Catalogue, Depends(catalogue)]
At = Annotated[datetime, Depends(now)]
Signed = Annotated[Identity, Depends(signed)]


def identified(request: HTTPConnection) -> Identity:
    arrival: Arrival = request.state.arrival
    if arrival.who is None:
        raise Unidentified(
            "this token is unknown or has ended: sign in again"
            if "authorization" in request.headers or browser.cookie(request)
            else SIGN_IN
        )
    return arrival.who


async def shelf(request: Request) -> Catalogue:
    return await house(request).latest(request.state.db, request.state.arrival.edition)


# For what -----------------------------------------------------------------------------------


class Needs(Bearer):
    """A dependency: what the caller came in by is for this. A session is for all of it."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    async def __call__(self, request: HTTPConnection) -> None:
        identified(request).may(self.scope)


def needs(scope: Scope) -> Any:
    """For the `dependencies` of a route."""
    return Depends(Needs(scope))


# Who --------------------------------------------------------------------------------------


InRole = Annotated[
    Role | None, Header(description="In what role; needed by whoever holds several.")
]
ActsFor = Annotated[
    str | None, Header(max_length=40, description="The agency a postal clerk acts for.")
]


async def calling(
    request: Request, hoso_role: InRole = None, hoso_for: ActsFor = None
) -> Caller:  # fmt: skip
    book, who = await shelf(request), identified(request)
    day = book.day(request.state.at)
    if hoso_role is None and hoso_for is None and at_the_desk(request):
        return people.seated(book, who.person, request.cookies.get(browser.ROLE), day)
    return people.caller(book, who.person, hoso_role, hoso_for, day)


def at_the_desk(request: HTTPConnection) -> bool:
    """Whether a page asks for something to read: a link, or an image, sends no header."""
    return "authorization" not in request.headers and request.scope.get("method") == "GET"


Who = Annotated[Caller, Depends(calling)]


async def seen(request: Request, who: Who) -> Sight:
    return sight(await shelf(request), who)


Sees = Annotated[Sight, Depends(seen)]


@dataclass(frozen=True, slots=True)
class Call:
    """All of it at once, for the door that everybody uses all day: each thing, and each header,
    that is asked for by itself is a twentieth of a millisecond of the framework's.
    """

    db: AsyncConnection
    book: Catalogue
    at: datetime
    who: Caller
    sees: Sight
    key: str | None


# Told in the OpenAPI of the routes that ask for `Calls`, and read by it.
CAPACITY = [
    {
        "name": "hoso-role",
        "in": "header",
        "required": False,
        "schema": {"$ref": "#/components/schemas/Role"},
        "description": "In what role; needed by whoever holds several.",
    },
    {
        "name": "hoso-for",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 40},
        "description": "The agency a postal clerk acts for.",
    },
]
ROLE = TypeAdapter(Role)
AGENCY = TypeAdapter(Annotated[str, Field(max_length=40)])


async def called(request: Request) -> Call:
    role, acts_for = said(request, "hoso-role", ROLE), said(request, "hoso-for", AGENCY)
    who, book, state = await calling(request, role, acts_for), await shelf(request), request.state
    key = request.headers.get("idempotency-key")
    return Call(state.db, book, state.at, who, sight(book, who), key)


def said(request: Request, name: str, shape: TypeAdapter[T]) -> T | None:
    """What a header says, told wrong as the framework tells it. Raises `RequestValidationError`."""
    if (value := request.headers.get(name)) is None:
        return None
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        wrong = [{**each, "loc": ("header", name)} for each in error.errors(include_url=False)]
        raise RequestValidationError(wrong) from None


Calls = Annotated[Call, Depends(called)]


async def looking(
    request: Request, who: Who
) -> Callable[[Iterable[int]], Awaitable[None]]:  # fmt: skip
    """To be called with the ids of the dossiers whose personal data the answer holds."""
    route = request.scope["route"]
    through = Through(f"{request.method} {route.path}", request.state.request_id)

    async def looked(dossiers: Iterable[int]) -> None:
        await seeing.looked(request.state.db, who, through, dossiers)

    return looked


Looked = Annotated[Callable[[Iterable[int]], Awaitable[None]], Depends(looking)]


# Which part of a list ---------------------------------------------------------------------


class Part(BaseModel):
    """Where a list goes on, and how much of it is wanted."""

    cursor: str | None
    limit: int


async def part(
    cursor: Annotated[
        str | None,
        Query(max_length=500, description="`next` of the page before; none: from the beginning."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Part:
    return Part(cursor=cursor, limit=limit)


Page = Annotated[Part, Depends(part)]


# The reader's language --------------------------------------------------------------------


async def language(accept_language: Annotated[str, Header(max_length=200)] = "") -> Lang:
    """Vietnamese, where neither that nor English is asked for."""
    return liked(accept_language) or Lang.vi


Speaks = Annotated[Lang, Depends(language)]
