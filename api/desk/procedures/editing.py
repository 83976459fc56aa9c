"""A procedure changed as a form and as its text, tried on history, and kept as a draft."""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from api.desk import typed
from api.desk.leaf import Again, Leaf
from api.desk.paint import page
from api.desk.procedures import working
from api.desk.procedures.seeing import Code
from api.desk.procedures.working import Work, edited
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from states import drafts
from states.catalogue import bundles, forming, listing, publishing
from states.catalogue.rows import Kind
from states.errors import BadInput, HosoError, Stale, Unknown
from states.simulation import AFTER, BEFORE, CLASSES, in_time, may_try, shifts, simulate
from states.yaml_files import editing as texts

HERE: dict[str, Any] = {"include_in_schema": False, "default_response_class": HTMLResponse}
router = APIRouter(route_class=Leaf, **HERE)
typing = APIRouter(route_class=Again, **HERE)
Like = Annotated[str, Query(max_length=60)]
TOLD = 100  # dossiers that change class; all are counted


class Period(BaseModel):
    """Both days are in it."""

    since: date
    until: date


@router.get("/procedures/{code}/edit")
async def edit(request: Request, code: Code, desk: Desk, like: Like = "") -> Response:
    """Change it: what was typed before is found again."""
    work = await working.begun(desk, code, like)
    again = await working.found_again(desk, work)
    found = await drafts.find(desk.db, desk.person, work.name) if again else None
    more = {"draft_at": found.at if found else None} | await _year(desk, code)
    return await edited(request, desk, again or work, **more)


@router.post("/procedures/{code}/edit")
async def keep(request: Request, code: Code, desk: Desk) -> Response:
    """Keep it as the draft of the version that it names, checked if nothing is wrong with it."""
    form = typed.of(request)
    begun = work = await _work(desk, code)
    try:
        work = working.typed_into(begun, form)
        async with desk.db.begin_nested():
            await _check_unchanged(desk, work)
            of, version = await publishing.draft(
                desk.db, desk.book, Kind.procedure, f"{code}.yaml",
                work.text.encode(), desk.person, desk.at,
            )  # fmt: skip
            row = await bundles.find(desk.db, Kind.procedure, of, version)
            await publishing.check(desk.db, desk.book, row, desk.person, desk.at)
            await drafts.drop(desk.db, desk.person, work.name)
    except HosoError as error:
        return await _refused(request, desk, work, form, error, taken=work is not begun)
    return RedirectResponse(f"/procedures/{of}/versions/{version}", 303)


@typing.post("/procedures/{code}/edit/turn")
async def turn(request: Request, code: Code, desk: Desk) -> Response:
    """The other view of the same text, or the text with an item added, moved or taken out."""
    form = typed.of(request)
    begun = work = await _work(desk, code)
    act = form.get("act")
    try:
        work = working.typed_into(begun, form)
        if act in {"view:form", "view:yaml"}:
            work = replace(work, view=act.removeprefix("view:"))
        elif act:
            work = replace(work, text=forming.acted(work.text, act))
    except HosoError as error:
        return await _refused(request, desk, work, form, error, taken=work is not begun)
    await drafts.save(desk.db, desk.person, work.name, work.kept(), desk.at)
    return await edited(request, desk, work, **await _year(desk, code, form))


@typing.post("/procedures/{code}/edit/check")
async def check(request: Request, code: Code, desk: Desk) -> Response:
    """What is wrong with what is typed by now, and the lifecycle that it makes."""
    work = working.typed_into(await _work(desk, code), typed.of(request))
    parts = working.found_parts(desk, await working.linted(desk, work))
    return page(request, "desk/procedures/found.html", **parts)


@typing.post("/procedures/{code}/edit/simulate")
async def try_out(request: Request, code: Code, desk: Desk) -> Response:
    """What it would have made of the dossiers closed in a period. Nothing is written."""
    form = typed.of(request)
    begun = work = await _work(desk, code)
    part = "hx-request" in request.headers
    try:
        work = working.typed_into(begun, form)
        foreseen = await _foreseen(desk, work, typed.read(Period, form))
    except HosoError as error:
        if part:
            return page(request, "desk/procedures/foreseen.html", foreseen=None, refusal=error)
        return await _refused(request, desk, work, form, error, taken=work is not begun)
    more = {"foreseen": foreseen} | await _year(desk, code, form)
    if part:
        return page(request, "desk/procedures/foreseen.html", **more)
    return await edited(request, desk, work, **more)


async def _foreseen(desk: Seat, work: Work, period: Period) -> dict[str, Any]:
    draft = (await working.linted(desk, work)).procedure
    if draft is None:
        raise BadInput("this text says no procedure yet: mend what is found first")
    may_try(draft, desk.sees)
    zone = desk.book.zone
    since = datetime.combine(period.since, time(), zone)
    until = datetime.combine(date.fromordinal(period.until.toordinal() + 1), time(), zone)
    made = await simulate(desk.db, desk.book, draft, since, until, seen=desk.sees.where())
    changed, later, earlier = shifts(made.matrix)
    return {
        "made": made,
        "classes": CLASSES,
        "told": made.changed[:TOLD],
        "changed": changed,
        "later": later,
        "earlier": earlier,
        "rates": (in_time(made.matrix, BEFORE), in_time(made.matrix, AFTER)),
    }


async def _year(desk: Seat, code: str, form: Typed | None = None) -> dict[str, Any]:
    """The period to try it on: as typed, else the last whole year in which any was closed."""
    begins = datetime(desk.today.year, 1, 1, tzinfo=desk.book.zone)
    last = await listing.last_closed(desk.db, code, begins)
    year = last.astimezone(desk.book.zone).year if last else desk.today.year - 1
    said = form or Typed()
    return {
        "since": said.get("since", f"{year}-01-01"),
        "until": said.get("until", f"{year}-12-31"),
    }


async def _work(desk: Seat, code: str) -> Work:
    if code == working.NEW:
        return Work(code, "")
    return await working.begun(desk, code)


async def _refused(
    request: Request, desk: Seat, work: Work, form: Typed, error: HosoError, *, taken: bool
) -> Response:
    """Why not, with all that was typed. `taken`: the form went into the text, which shows it."""
    more = {"refusal": error} | await _year(desk, work.code, form)
    if taken:
        return await edited(request, desk, work, **more)
    view = "yaml" if form.get("view") == "yaml" else "form"
    work = replace(work, text=form.get("text") + "\n", view=view, of=form.get("of", "-"))
    return await edited(request, desk, work, form=form, **more)


async def _check_unchanged(desk: Seat, work: Work) -> None:
    """Raises `Stale` where somebody wrote the same draft since this one was begun."""
    data = texts.plain(work.text)
    code, version = texts.at(data, ("code",)), texts.at(data, ("version",))
    if not isinstance(code, str) or not isinstance(version, int):
        return
    try:
        row = await bundles.find(desk.db, Kind.procedure, code, version)
    except Unknown:
        return
    if row.status not in bundles.BOUND and row.digest != work.of:
        raise Stale(
            "{by} wrote version {version} of {code} meanwhile: open it in another window, and put"
            " the two together",
            by=row.drafted_by,
            version=version,
            code=code,
        )
