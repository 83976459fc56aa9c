"""Change sets: what each will do to running dossiers, approved by a second person or rejected."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.calendars.year import noted
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from states.catalogue.rows import Dates
from states.changes import applying, deciding, preview
from states.changes.preview import Effect
from states.changes.rows import RUNNING, Kind, Status
from states.errors import HosoError
from states.figures.sheets import Both

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
Number = Annotated[int, Path(ge=1, le=2_000_000_000)]
SHOWN = 200  # dossiers that are told; all are counted
STATUSES = {
    Status.proposed: Both("chờ người thứ hai", "waits for a second person"),
    Status.approved: Both("đã duyệt, đang áp dụng", "approved, being applied"),
    Status.applied: Both("đã áp dụng", "applied"),
    Status.rejected: Both("đã từ chối", "rejected"),
    Status.undoing: Both("đang hoàn lại", "being taken back"),
    Status.undone: Both("đã hoàn lại", "taken back"),
}
KINDS = {
    Kind.calendar: Both("Lịch", "Calendar"),
    Kind.version: Both("Chuyển phiên bản thủ tục", "Migration to another version"),
}
EFFECTS = {
    Effect.breaks: Both("ngày hẹn lùi lại", "promised date moves away"),
    Effect.nearer: Both("ngày hẹn gần hơn", "promised date comes nearer"),
    Effect.restated: Both("đã xong, xét lại", "closed, read again"),
    Effect.held: Both("đang chờ, chưa có ngày", "waits, has no date now"),
    Effect.same: Both("ngày hẹn như cũ", "date as it was"),
    Effect.kept: Both("giữ nguyên theo quyết định", "left as it is, by the decision"),
    Effect.refused: Both("quy tắc không cho phép", "the rules do not allow it"),
}
POLICIES = {
    Dates.keep: Both("giữ ngày đã hẹn", "promised dates stay"),
    Dates.move: Both("tính lại ngày đã hẹn", "promised dates are read anew"),
    Dates.later: Both("tính lại, không sớm hơn", "read anew, but none comes nearer"),
}


class Rejection(BaseModel):
    """Why it is not to be."""

    why: str = Field(max_length=4000)


@router.get("/calendars/changes")
async def changes(request: Request, desk: Desk) -> Response:
    """All of them, the newest first."""
    every = await deciding.every(desk.db)
    return page(
        request, "desk/calendars/changes.html", changes=every, statuses=STATUSES, kinds=KINDS
    )


@router.get("/calendars/changes/{number}")
async def change(request: Request, number: Number, desk: Desk) -> Response:
    """One, with what becomes of it."""
    return await shown(request, desk, number)


async def shown(request: Request, desk: Seat, number: int, **more: Any) -> Response:
    row = await deciding.find(desk.db, number)
    return page(
        request,
        "desk/calendars/change.html",
        row=row,
        days=await deciding.days(desk.db, row),
        running=row.status in RUNNING,
        statuses=STATUSES,
        kinds=KINDS,
        policies=POLICIES,
        foreseen=None,
        noted=noted,
        **more,
    )


@router.get("/calendars/changes/{number}/foreseen")
async def foreseen(request: Request, number: Number, desk: Desk) -> Response:
    """What it will do to the dossiers that the reader may see; read one by one, so apart."""
    row = await deciding.find(desk.db, number)
    seen = None
    if row.status in RUNNING:
        book = await deciding.as_proposed(desk.db, desk.book, row)
        plan = applying.planned(row, book, desk.at)
        plan = replace(plan, where=plan.where & desk.sees.where())
        seen = await preview.foreseen(desk.db, book, plan, SHOWN)
    part = "desk/calendars/foreseen_part.html"
    template = part if "hx-request" in request.headers else "desk/calendars/foreseen.html"
    return page(request, template, row=row, foreseen=seen, effects=EFFECTS)


Act = Callable[..., Awaitable[Any]]


async def _decided(
    request: Request, desk: Seat, number: int, act: Act, *more: Any
) -> Response:  # fmt: skip
    try:
        async with desk.db.begin_nested():
            await act(desk.db, desk.book, number, desk.person, desk.at, *more)
    except HosoError as error:
        return await shown(request, desk, number, refusal=error)
    return RedirectResponse(f"/calendars/changes/{number}", 303)


@router.post("/calendars/changes/{number}/approve")
async def approve(request: Request, number: Number, desk: Desk) -> Response:
    """Let it bind; never one's own. A worker applies it."""
    return await _decided(request, desk, number, deciding.approve)


@router.post("/calendars/changes/{number}/reject")
async def reject(request: Request, number: Number, desk: Desk) -> Response:
    """Drop it, and say why."""
    try:
        said = typed.read(Rejection, typed.of(request))
    except HosoError as error:
        return await shown(request, desk, number, refusal=error)
    return await _decided(request, desk, number, deciding.reject, said.why)


@router.post("/calendars/changes/{number}/undo")
async def undo(request: Request, number: Number, desk: Desk) -> Response:
    """Have a migration taken back."""
    return await _decided(request, desk, number, deciding.undo)
