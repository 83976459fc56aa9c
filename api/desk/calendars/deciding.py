"""A day decided otherwise: proposed as a change set, for a second person to approve."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.calendars.seeing import Name, draft, shown
from api.desk.leaf import Leaf
from api.desk.seat import Desk, Seat
from api.desk.typed import Mistyped, Typed
from states import drafts
from states.calendars import Override, Sessions, hours
from states.calendars.editing import with_exception, without_exception
from states.catalogue.rows import Dates
from states.changes import proposing
from states.errors import BadInput, HosoError, Unknown

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
Text = Field(max_length=4000)


class Decision(BaseModel):
    """What becomes of a day, why, and by which document."""

    what: Literal["off", "work", "hours", "withdraw"]
    replaces: date | None = None
    sessions: str | None = Field(default=None, max_length=200)
    reason: str = Text
    reason_en: str | None = Field(default=None, max_length=4000)
    document: str = Text
    issued: date | None = None
    dates: Dates
    restates: bool = False
    overrule: bool = False


@router.post("/calendars/{name}/days/{day}")
async def propose(request: Request, name: Name, day: date, desk: Desk) -> Response:
    """Propose it; it binds nobody until a second person approves it."""
    form = typed.of(request)
    try:
        said = typed.read(Decision, form)
        async with desk.db.begin_nested():
            number = await _proposed(desk, name, day, said, form)
            await drafts.drop(desk.db, desk.person, draft(name, day))
    except HosoError as error:
        return await shown(request, desk, name, day, form, refusal=error)
    return RedirectResponse(f"/calendars/changes/{number}", 303)


async def _proposed(desk: Seat, name: str, day: date, said: Decision, form: Typed) -> int:
    texts = await proposing.texts_of(desk.db)
    if name not in texts:
        raise Unknown(
            "there is no calendar {name}: known are {texts}", name=name, texts=sorted(texts)
        )
    return await proposing.propose_calendar(
        desk.db,
        desk.book,
        name,
        _edited(texts[name].encode(), day, said, form, desk.today),
        dates=said.dates,
        restates=said.restates,
        reason=said.reason,
        ground=said.document,
        by=desk.person,
        at=desk.at,
    )


def _edited(text: bytes, day: date, said: Decision, form: Typed, today: date) -> bytes:
    """The calendar's text with the day as it is to be."""
    if said.what == "withdraw":
        return without_exception(text, day)
    decided = Override(
        works=said.what != "off",
        vi=said.reason,
        en=said.reason_en or said.reason,
        source=said.document,
        issued=said.issued,
        recorded=today,
        verified=False,
        replaces=said.replaces if said.what == "work" else None,
        sessions=_sessions(said, form) if said.what == "hours" else (),
    )
    return with_exception(text, day, decided, overrule=said.overrule)


def _sessions(said: Decision, form: Typed) -> Sessions:
    """Raises `Mistyped`."""
    try:
        return hours.typed(said.sessions or "")
    except BadInput as wrong:
        form.faults["sessions"] = wrong.sentence
        raise Mistyped("some fields are to be mended: see beside each") from None
