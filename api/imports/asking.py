"""Files of other systems are handed in, and asked to be taken in: a worker does that.

No transaction is open while a file comes or is put in its place.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.routing import APIRoute

from api.components.giving import Shelves
from api.components.handing import Streamed, pieces
from api.doors import (
    At,
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
from api.doors.hearing import Handler, heard
from api.doors.opening import named, once
from api.imports.shapes import PREFIX, AskedImport, HandedIn, Wanted, decoded, told
from api.listed import PLAIN
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.files import names
from states.files.refusals import FileTooLarge
from states.files.rows import Medium
from states.files.store import Received, Store, check_size
from states.intake import asking, exports
from states.intake.asking import allowed, check_map, check_right, mapped
from states.people import Caller

WRITES = [needs(Scope.imports_write)]
SENT = ("application/octet-stream", "text/csv", Medium.gzip, Medium.xml, Medium.xlsx)
TAKES = {
    "requestBody": {
        "required": True,
        "content": {
            str(media): {"schema": {"type": "string", "format": "binary"}} for media in SENT
        },
    }
}


class Receiving(Door):
    """A route whose handler lets the transaction go before it puts a file in its place."""

    def get_route_handler(self) -> Handler:
        handler = APIRoute.get_route_handler(self)

        async def handle(request: Request) -> Response:
            named(request)
            request = await heard(request)
            async with AsyncExitStack() as held:
                await held.enter_async_context(opened(request))
                request.state.let_go = held.aclose
                return await handler(request)

        return handle


files = APIRouter(
    prefix=f"{PREFIX}/files", tags=["imports"], route_class=Streamed, responses=DOCUMENTED
)
router = APIRouter(prefix=PREFIX, tags=["imports"], route_class=Receiving, responses=DOCUMENTED)


@files.put("/{name}", dependencies=WRITES, response_model=HandedIn, openapi_extra=TAKES)
async def hand_in_import_file(
    name: Annotated[str, Path(max_length=200, pattern=PLAIN)],
    request: Request,
    who: Who,
    at: At,
    shelves: Shelves,
) -> Response:
    """The body is a file to be imported: XES, CSV (plain or in a gzip) or XLSX.

    The answer tells its SHA-256, by which an import is asked for within a day.
    """
    check_right(who)
    title, length = names.shown(name), request.headers.get("content-length", "")
    with_largest = house(request).settings.largest_file
    if length.isdecimal():
        _check_size(int(length[:19]), with_largest)
    await request.state.let_go()
    kept = await _kept(request, shelves, pieces(request), who, at)
    found = HandedIn(name=title, sha256=kept.sha256.hex(), size=kept.size)
    return await once(request, partial(_handed_in, found), kept.sha256)


async def _handed_in(found: HandedIn, request: Request) -> Response:
    return Response(found.model_dump_json(), 200, media_type="application/json")


@router.post(
    "",
    dependencies=WRITES,
    response_model=AskedImport,
    responses={201: {"model": AskedImport, "description": "Nobody had asked for it."}},
)
async def ask_for_import(
    asked: Wanted, request: Request, book: Shelf, who: Who, sees: Sees, at: At, shelves: Shelves
) -> Response:
    """Have a file taken in by a map, dossier by dossier, however long it takes.

    The same file by the same map for the same agencies is the same import; one that failed is
    tried again from where it was. A leader brings in dossiers of their agencies only.
    """
    check_map(book, await asyncio.to_thread(mapped, asked.map), allowed(who, sees))
    name, content = names.shown(asked.name), asked.content
    whole = None if content is None else decoded(content)
    await request.state.let_go()
    if whole is None:
        sha256 = bytes.fromhex(asked.sha256 or "")
    else:
        sha256 = (await _kept(request, shelves, _one(whole), who, at)).sha256
    wanted = asking.Wanted(name=name, sha256=sha256, map=asked.map)
    return await once(request, partial(_asked, who, wanted), await request.body())


async def _asked(who: Caller, wanted: asking.Wanted, request: Request) -> Response:
    """In a transaction of its own, and as if nothing had been asked before the file came."""
    identified(request).may(Scope.imports_write)
    who, book = await calling(request, who.role, who.acts_for), await shelf(request)
    sees = await seen(request, who)
    found = await asking.ask(request.state.db, book, who, sees, wanted, request.state.at)
    body = AskedImport.model_validate(told(found.row, book.zone) | {"again": not found.new})
    headers = {"Location": f"{PREFIX}/{body.id}"}
    status = 201 if found.new else 200
    return Response(body.model_dump_json(), status, headers, "application/json")


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _kept(
    request: Request, store: Store, chunks: AsyncIterator[bytes], who: Caller, at: datetime
) -> Received[Medium]:
    """Raises `FileTooLarge`, `NotTaken` and what the store raises."""
    largest = house(request).settings.largest_file
    try:
        async with store.receiving(chunks, at, largest, exports) as received:
            async with opened(request) as (reserving, _):
                await asking.reserve(reserving, received, who.person.id, at)
            await store.keep(received)
            return received
    except FileTooLarge:
        raise _too_large(largest) from None


def _check_size(size: int, largest: int) -> None:
    try:
        check_size(size, largest)
    except FileTooLarge:
        raise _too_large(largest) from None


def _too_large(largest: int) -> FileTooLarge:
    return FileTooLarge(
        "a file may have {largest:,} bytes at most: send it in a gzip, or in parts",
        largest=largest,
    )
