"""Components are listed, and their files given out: to be kept, never to be shown or run."""

import asyncio
import re
import unicodedata
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.components.shapes import PREFIX, Component, Number, Parts, part
from api.doors import Db, Door, Looked, Sees, Shelf, house, needs
from api.listed import Code
from api.problems import DOCUMENTED
from states import seeing
from states.accounts.scopes import Scope
from states.errors import Unknown
from states.files import attaching, names, store
from states.files.attaching import Row
from states.files.kinds import Kind
from states.files.store import Store
from states.sentences import Sentence
from states.sight import Sight

SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Accept-Ranges": "bytes",
}
GIVES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in Kind},
    },
    206: {"description": "The bytes that were asked for."},
    304: {"description": "It is the file that the caller has."},
}
READS = [needs(Scope.dossiers_read)]
RANGE = re.compile(r"bytes=(?!-$)(\d{0,15})-(\d{0,15})", re.ASCII)

router = APIRouter(
    prefix=PREFIX,
    tags=["components"],
    route_class=Door,
    dependencies=READS,
    responses=DOCUMENTED,
)


async def shelves(request: Request) -> Store:
    """The store of files, opened when the first is asked for."""
    held, settings = house(request).held, house(request).settings
    if "files" not in held:
        held["files"] = await asyncio.to_thread(store.opened, settings.files, settings.data)
    found: Store = held["files"]
    return found


Shelves = Annotated[Store, Depends(shelves)]


@router.get("")
async def list_components(code: Code, book: Shelf, sees: Sees, looked: Looked, db: Db) -> Parts:
    """What the dossier's version of its procedure asks for, and the files there are."""
    paper, _ = await seeing.find(db, code, sees)
    await looked([int(paper.id or 0)])
    zone = book.calendar(paper.calendar).zone
    held = await attaching.held(db, book, paper)
    return Parts(
        code=paper.code,
        missing=[each.code for each in held if each.lacking],
        components=[part(each, zone) for each in held],
    )


@router.get("/{component}", response_class=Response, responses=GIVES)
async def read_component(
    code: Code,
    component: Component,
    request: Request,
    sees: Sees,
    looked: Looked,
    db: Db,
    files: Shelves,
) -> Response:
    """The component's present file. `Range` and `If-None-Match` are heeded."""
    row = await _sought(db, sees, code, component)
    await looked([row["dossier_id"]])
    return await _given(request, files, row)


@router.get("/{component}/{n}", response_class=Response, responses=GIVES)
async def read_earlier_component(
    code: Code,
    component: Component,
    n: Number,
    request: Request,
    sees: Sees,
    looked: Looked,
    db: Db,
    files: Shelves,
) -> Response:
    """The component's n-th file, present or replaced."""
    row = await _sought(db, sees, code, component, n)
    await looked([row["dossier_id"]])
    return await _given(request, files, row)


async def _sought(
    db: AsyncConnection, sees: Sight, code: str, component: str, n: int | None = None
) -> Row:
    paper, _ = await seeing.find(db, code, sees)
    row = await attaching.one(db, paper, component, n)
    if row is None:
        which = Sentence("no file") if n is None else Sentence("no file {n}", n=n)
        raise Unknown(
            "component {component} of dossier {code} has {which}",
            component=component,
            code=paper.code,
            which=which,
        )
    return row


async def _given(request: Request, files: Store, row: Row) -> Response:
    sha256, size, kind = row["sha256"], row["size"], row["type"]
    headers = SAFE | {
        "ETag": f'"{sha256.hex()}"',
        "Content-Disposition": disposition(names.given(row["name"], kind)),
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    span = asked(request.headers.get("range", ""), size)
    if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        span = None
    pieces = await files.reading(sha256, size, span)
    first, last = span or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if span is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(pieces, 206 if span else 200, headers, kind)


def asked(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte asked for; None: all. What cannot be given is not heeded."""
    if (found := RANGE.fullmatch(header)) is None:
        return None
    first, last = found.groups()
    if not first:
        span = max(size - int(last), 0), size - 1
    else:
        span = int(first), min(int(last or size), size - 1)
    return span if span[0] <= span[1] else None


def disposition(name: str) -> str:
    """To be kept under a name, said twice: for everybody, and for whoever knows RFC 8187."""
    plain = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "", plain.encode("ascii", "ignore").decode())
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
