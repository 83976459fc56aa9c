"""The draft of the organisation: what it changes, checked, published by a second person."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.desk import typed
from api.desk.known import Known
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.people.differing import sentences
from api.desk.procedures import telling
from api.desk.procedures.deciding import Decision
from api.desk.seat import Desk, Seat
from states.catalogue import bundles, publishing, staffing
from states.catalogue.bundles import ONE
from states.catalogue.organisation import Organisation
from states.catalogue.rights import deciders
from states.catalogue.rows import Kind
from states.errors import HosoError, Unknown

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
HERE = "/people/draft"


@router.get(HERE)
async def draft(request: Request, desk: Desk) -> Response:
    """What waits to be published, and every version before."""
    return await shown(request, desk)


async def shown(request: Request, desk: Seat, **more: Any) -> Response:
    row, lines = await staffing.waiting(desk.db)
    findings: Any = ()
    if row is not None:
        findings = (await publishing.check(desk.db, desk.book, row, None, desk.at)).findings
    rows = await bundles.versions(desk.db, Kind.organisation, ONE)
    return page(
        request,
        "desk/people/draft.html",
        row=row,
        lines=lines,
        sentences=_told(desk, row) if row is not None else (),
        findings=findings,
        rows=rows,
        deciders=deciders(desk.book, desk.at, [None], row.drafted_by) if row else (),
        **more,
    )


def _told(desk: Seat, row: Any) -> list[str]:
    new = Organisation.model_validate_json(row.data)
    return sentences(desk.book.organisation, new, Known(new, telling.voice_of(desk)))


async def _row(desk: Seat) -> Any:
    row, _ = await staffing.waiting(desk.db)
    if row is None:
        raise Unknown("there is no draft of the organisation: change something first")
    return row


@router.post(f"{HERE}/check")
async def check(request: Request, desk: Desk) -> Response:
    """A draft in which nothing is wrong is checked by whoever asked."""
    try:
        row = await _row(desk)
        async with desk.db.begin_nested():
            await publishing.check(desk.db, desk.book, row, desk.person, desk.at)
    except HosoError as error:
        return await shown(request, desk, refusal=error)
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/publish")
async def publish(request: Request, desk: Desk) -> Response:
    """Let it hold; never one's own."""
    form = typed.of(request)
    try:
        said = typed.read(Decision, form)
        row = await _row(desk)
        publishing.check_seen(row, said.read)
        async with desk.db.begin_nested():
            await publishing.publish(desk.db, desk.book, row, desk.person, said.document, desk.at)
    except HosoError as error:
        return await shown(request, desk, refusal=error, form=form)
    return RedirectResponse("/people", 303)


@router.get("/people/text")
async def text(desk: Desk) -> Response:
    """The text of the last version, to the letter, as a file."""
    row = await bundles.find(desk.db, Kind.organisation, ONE)
    name = f'attachment; filename="organisation@{row.version}.yaml"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(row.text, media_type="application/yaml; charset=utf-8", headers=headers)
