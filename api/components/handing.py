"""A component's file is handed in: no transaction is open while it comes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from api.components.giving import Shelves
from api.components.shapes import PREFIX, Component, Given, given
from api.doors import (
    At,
    Db,
    Door,
    Sees,
    Shelf,
    Who,
    calling,
    house,
    identified,
    needs,
    opened,
    seen,
    shelf,
)
from api.doors.hearing import Handler, addressed
from api.doors.opening import check_who_typed, named, once
from api.listed import Code
from api.problems import DOCUMENTED, TooSlow
from states import seeing
from states.accounts.scopes import Scope
from states.errors import BadInput
from states.files import attaching, kinds, names
from states.files.attaching import Handed
from states.files.kinds import Kind
from states.files.refusals import BrokenOff
from states.files.rows import Provenance
from states.files.store import check_size
from states.people import Caller

IDLE = 30  # seconds in which some of a file must come
SENDING = 3600  # seconds in which all of it must
TAKES = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("application/octet-stream", *Kind)
        },
    }
}


class Streamed(Door):
    """A route whose handler lets the transaction go before it waits for the body."""

    def get_route_handler(self) -> Handler:
        handler = APIRoute.get_route_handler(self)

        async def handle(request: Request) -> Response:
            named(request)
            request = addressed(request)
            async with AsyncExitStack() as held:
                _, arrival = await held.enter_async_context(opened(request))
                check_who_typed(request, arrival)
                request.state.let_go = held.aclose
                return await handler(request)

        return handle


router = APIRouter(
    prefix=PREFIX, tags=["components"], route_class=Streamed, responses=DOCUMENTED
)  # fmt: skip


@router.put(
    "/{component}",
    dependencies=[needs(Scope.dossiers_write)],
    response_model=Given,
    responses={201: {"model": Given, "description": "The component's first file."}},
    openapi_extra=TAKES,
)
async def hand_in_component(
    code: Code,
    component: Component,
    request: Request,
    book: Shelf,
    who: Who,
    sees: Sees,
    at: At,
    db: Db,
    files: Shelves,
    name: Annotated[
        str | None, Query(max_length=800, description="To be shown; the component's unless said.")
    ] = None,
    provenance: Provenance = Provenance.uploaded,
    if_match: Annotated[
        str | None, Header(description="The ETag of the file that is to be replaced.")
    ] = None,
) -> Response:
    """The body is the file; it becomes the component's present one, and the one before stays.

    What it is is found by its content. The same file under the same name again changes nothing.
    """
    title = names.shown(component if name is None else name)
    handed = Handed(code=code, component=component, name=title, provenance=provenance)
    largest, replaces = house(request).settings.largest_file, _hash(if_match)
    paper, _ = await seeing.find(db, code, sees)
    attaching.check(book, who, paper, component)
    claimed = _claimed(request, largest)
    await request.state.let_go()
    async with files.receiving(pieces(request), at, largest, kinds) as received:
        kinds.check_claim(received.kind, title, claimed)
        async with opened(request) as (reserving, _):
            await attaching.reserve(reserving, received, who.person.id, at)
        await files.keep(received)
    # As `Door` does it, of a body that is told by its hash.
    attach = partial(_attach, who, handed, received.sha256, replaces)
    return await once(request, attach, received.sha256)


async def _attach(
    who: Caller, handed: Handed, sha256: bytes, replaces: bytes | None, request: Request
) -> Response:
    """In a transaction of its own, and as if nothing had been asked before the file came."""
    identified(request).may(Scope.dossiers_write)
    who, book = await calling(request, who.role, who.acts_for), await shelf(request)
    made = await attaching.attach(
        request.state.db,
        book,
        who,
        await seen(request, who),
        handed,
        sha256,
        request.state.at,
        replaces,
    )
    zone = book.calendar(made.paper.calendar).zone
    told = given(made.row, zone).model_dump_json()
    headers = {"ETag": f'"{sha256.hex()}"'}
    if first := made.new and made.row["n"] == 1:
        headers["Location"] = quote(request.url.path)
    return Response(told, 201 if first else 200, headers, "application/json")


def _hash(if_match: str | None) -> bytes | None:
    if if_match is None or if_match.strip() == "*":
        return None
    if not (found := re.fullmatch(r'\s*"([0-9a-f]{64})"\s*', if_match, re.ASCII)):
        raise BadInput("If-Match must be the ETag of one file as it was given: its SHA-256")
    return bytes.fromhex(found[1])


def _claimed(request: Request, largest: int) -> str | None:
    """What the file is said to be. Raises `FileTooLarge` where its length is said and too much."""
    length, media = (request.headers.get(name, "") for name in ("content-length", "content-type"))
    if length.isdecimal():
        check_size(int(length[:19]), largest)
    if media.lower().startswith("multipart/"):
        raise BadInput("send the file itself as the body, not a form that holds it")
    return media


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `BrokenOff` and `TooSlow`."""
    stream, loop = request.stream(), asyncio.get_running_loop()
    until = loop.time() + SENDING
    try:
        while True:
            async with asyncio.timeout(min(IDLE, until - loop.time())):
                piece = await anext(stream, None)
            if piece is None:
                return
            yield piece
    except ClientDisconnect:
        raise BrokenOff from None
    except TimeoutError:
        raise TooSlow("nothing came for {idle} seconds, or not all in an hour", idle=IDLE) from None
