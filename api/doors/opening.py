"""One request, one transaction, one arrival; a key sent again gets the answer it got.

`Door` is the class of every route under /v1 that asks the database. It reads the body first, so no
transaction waits for a slow sender; opens the transaction; learns in one statement who asks, what
time it is and which catalogue is in force; lets the handler work; keeps the answer if a key was
sent; and commits before anything is answered.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncConnection

from api import browser
from api.away import away_is_said
from api.doors.hearing import Handler, heard
from api.doors.house import house
from api.problems import Away, Invalid, Refused, Unidentified
from states import answers, db
from states.accounts.arriving import Arrival, Identity, arrive
from states.answers import Kept
from states.errors import HosoError
from states.sentences import Sentence

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
BY = "hoso-by"  # whose page it was that this was typed in
TOKEN = re.compile(r"bearer +([\x21-\x7e]{1,200})", re.ASCII | re.IGNORECASE)
SIGN_IN = Sentence("send Authorization: Bearer with an access token or a service key")
SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
TOLD = ("location", "etag", "content-type", "content-language")


class Repeated(Exception):
    """The same key was answered while this request was at work: what it wrote is undone."""


KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
# Told in the OpenAPI and read by `once`: as parameters they would be read for every write twice.
CARRIES = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"},
        "description": "Sent again with the same request, it gets the same answer and writes"
        " nothing; with another request it is refused (422).",
    },
    {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "`return=minimal`: the answer comes without a body.",
    },
]
BRIEF = {"description": "Done, and without a body, as `Prefer: return=minimal` wants it."}


class Door(APIRoute):
    """A route in a transaction of its own. `still`: all of its statements see one moment."""

    still = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        if WRITES & set(given.get("methods") or ()):
            extra = dict(given.get("openapi_extra") or {})
            extra["parameters"] = [*extra.get("parameters", ()), *CARRIES]
            given["openapi_extra"] = extra
            if given.get("status_code") in {None, 200}:
                given["responses"] = {204: BRIEF, **(given.get("responses") or {})}
        super().__init__(path, endpoint, **given)

    def get_route_handler(self) -> Handler:
        return _around(self.answering())

    def answering(self) -> Handler:
        """What answers in the transaction."""
        return super().get_route_handler()


def _around(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        named(request)
        request = await heard(request)
        return await once(request, handler, await request.body())

    return handle


def named(request: Request) -> None:
    """Nothing of what a stranger sends is read, nor what a browser is made to send.

    Raises `Unidentified` and `FromElsewhere`.
    """
    if request.method not in WRITES or "authorization" in request.headers:
        return
    if browser.cookie(request) is None:
        raise Unidentified(SIGN_IN)
    browser.check_ours(request)


def check_who_typed(request: Request, arrival: Arrival) -> None:
    """In another tab somebody else may have signed in since: what was typed here is not theirs.

    Raises `Unidentified`.
    """
    typed_by = request.headers.get(BY)
    if typed_by and arrival.who is not None and unquote(typed_by) != arrival.who.person:
        raise Unidentified(SIGN_IN)


async def once(request: Request, handler: Handler, body: bytes) -> Response:
    """The answer, in a transaction of its own; to a key that was sent before, the one it got."""
    key = key_of(request)
    asked = digest(request, body) if key else b""
    try:
        return _brief(request, await _answered(request, handler, key, asked))
    except Repeated:
        return _brief(request, await _answered(request, handler, key, asked))
    except Away:
        raise
    except (HosoError, Refused):
        # Of two at once the other may be done since this one arrived: it is not refused for that.
        if key is None or (kept := await _done_since(request, key, asked)) is None:
            raise
        return _brief(request, kept)


async def _done_since(request: Request, key: str, asked: bytes) -> Response | None:
    """The answer to the same request, which was not there yet when this one came."""
    async with opened(request, key) as (_, arrival):
        if arrival.who is None or arrival.kept is None:
            return None
        return given_again(arrival.kept) if arrival.kept.asked == by(arrival.who, asked) else None


def key_of(request: Request) -> str | None:
    """Raises `Invalid`."""
    if request.method not in WRITES:
        return None
    key = getattr(request.state, "key", None) or request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        raise Invalid("header.idempotency-key: must be 1 to 200 characters, none of them a space")
    return key


async def _answered(request: Request, handler: Handler, key: str | None, asked: bytes) -> Response:
    async with opened(request, key) as (connection, arrival):
        if key is None or arrival.who is None:
            return await handler(request)
        person, asked = arrival.who.person, by(arrival.who, asked)
        if arrival.kept is not None:
            return given_again(answers.same(arrival.kept, key, asked))
        response = await handler(request)
        if response.status_code >= 400:  # a form to be mended: it is sent again as another
            return response
        headers = _told(response)
        # What is told this once is not kept.
        body = getattr(request.state, "retold", None) or bytes(response.body)
        kept = Kept(asked, response.status_code, headers, body)
        if not await answers.keep(connection, person, key, kept):
            raise Repeated
        return response


def _told(response: Response) -> dict[str, str]:
    return {name: said for name, said in response.headers.items() if name in TOLD}


def given_again(kept: Kept) -> Response:
    """The answer as it was given."""
    return Response(kept.body, kept.status, kept.headers)


def digest(request: Request, body: bytes) -> bytes:
    scope, headers = request.scope, request.headers
    said = [scope["method"], scope["path"], scope["query_string"].decode("latin-1")]
    said += [headers.get(name, "") for name in ("hoso-role", "hoso-for", "if-match")]
    return hashlib.sha256("\n".join(said).encode() + b"\n" + body).digest()


def by(who: Identity, asked: bytes) -> bytes:
    """The digest of a request by who asks: what was answered to one that may is not told to
    another key of the same person that may not.
    """
    may = " ".join(sorted(who.scopes)) + f" {who.must_change}"
    return hashlib.sha256(asked + may.encode()).digest()


def _brief(request: Request, response: Response) -> Response:
    """Without its body, for who said that the headers are enough (RFC 7240 §4.2)."""
    wanted = request.headers.get("prefer", "").replace(" ", "").lower()
    if request.method not in WRITES or "return=minimal" not in re.split("[,;]", wanted):
        return response
    if response.status_code not in {200, 201}:
        return response
    headers = _told(response)
    headers.pop("content-type", None)
    status = 204 if response.status_code == 200 else 201
    return Response(None, status, headers | {"preference-applied": "return=minimal"})


def shown(request: Request) -> bytes | None:
    """The hash of the token that was sent: as a header, or else as a browser's cookie."""
    if (header := request.headers.get("authorization")) is not None:
        said = TOKEN.fullmatch(header)
        token = said[1] if said else None
    else:
        token = browser.cookie(request)
    return hashlib.sha256(token.encode()).digest() if token else None


@asynccontextmanager
async def opened(
    request: Request, key: str | None = None
) -> AsyncIterator[tuple[AsyncConnection, Arrival]]:
    """A transaction and who arrives in it, for `Db` and `Signed` and for what opens its own."""
    token = shown(request)
    with away_is_said():
        async with db.transaction(house(request).engine) as connection:
            still = getattr(request.scope.get("route"), "still", False)
            if still and not connection.in_nested_transaction():  # a part has the whole's moment
                await connection.execute(SNAPSHOT)
            arrival = await arrive(connection, token, key=key)
            if (
                arrival.who is not None
                and arrival.who.key
                and "authorization" not in request.headers
            ):
                arrival = replace(arrival, who=None, kept=None)  # a key is no browser's session
            request.state.db, request.state.arrival = connection, arrival
            request.state.at = clock() if (clock := house(request).clock) else arrival.at
            yield connection, arrival
