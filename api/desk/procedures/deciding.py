"""A version on its way: checked, published by a second person, retired."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.leaf import Leaf
from api.desk.procedures.seeing import Code, Number, shown
from api.desk.seat import Desk
from states.catalogue import bundles, publishing
from states.catalogue.rows import Kind
from states.errors import HosoError

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
ONE = "/procedures/{code}/versions/{version}"


class Decision(BaseModel):
    """By which document, and of which text: a draft may be written anew while it is read."""

    document: str = Field(max_length=4000)
    read: str | None = Field(default=None, max_length=64)


@router.post(f"{ONE}/check")
async def check(request: Request, code: Code, version: Number, desk: Desk) -> Response:
    """A draft in which nothing is wrong is checked by whoever asked."""
    row = await bundles.find(desk.db, Kind.procedure, code, version)
    try:
        async with desk.db.begin_nested():
            await publishing.check(desk.db, desk.book, row, desk.person, desk.at)
    except HosoError as error:
        return await shown(request, desk, row, refusal=error)
    return RedirectResponse(f"/procedures/{code}/versions/{version}", 303)


@router.post(f"{ONE}/publish")
async def publish(request: Request, code: Code, version: Number, desk: Desk) -> Response:
    """Let it bind what is received from its first day on; never one's own."""
    form = typed.of(request)
    row = await bundles.find(desk.db, Kind.procedure, code, version)
    try:
        said = typed.read(Decision, form)
        publishing.check_seen(row, said.read)
        async with desk.db.begin_nested():
            await publishing.publish(
                desk.db, desk.book, row, desk.person, said.document, desk.at
            )  # fmt: skip
    except HosoError as error:
        return await shown(request, desk, row, refusal=error, form=form)
    return RedirectResponse(f"/procedures/{code}/versions/{version}", 303)


@router.post(f"{ONE}/retire")
async def retire(request: Request, code: Code, version: Number, desk: Desk) -> Response:
    """End a procedure that nothing follows; refused while dossiers run under it."""
    row = await bundles.find(desk.db, Kind.procedure, code, version)
    try:
        async with desk.db.begin_nested():
            await publishing.retire(desk.db, desk.book, row, desk.person, desk.at)
    except HosoError as error:
        return await shown(request, desk, row, refusal=error)
    return RedirectResponse(f"/procedures/{code}/versions/{version}", 303)
