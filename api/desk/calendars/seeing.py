"""A year at a glance, and one day of it."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.calendar_year import days_of
from api.desk.calendars import year as years
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from states import calendars, drafts
from states.catalogue.rows import Dates
from states.changes import deciding, proposing
from states.changes.rows import RUNNING, Kind
from states.errors import HosoError, Unknown

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
Name = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9_-]*$")]


@router.get("/calendars")
async def calendars_(desk: Desk) -> Response:
    """The centre's own."""
    return RedirectResponse(f"/calendars/{desk.book.keeps}", 303)


@router.get("/calendars/{name}")
async def calendar(
    request: Request,
    name: Name,
    desk: Desk,
    year: Annotated[int | None, Query(ge=1950, le=2200)] = None,
) -> Response:
    """Twelve months, with what decided each day that is not as its weekday."""
    made = _made(desk, name)
    texts = await proposing.texts_of(desk.db)
    descent = years.line(name, texts)
    year = min(max(year or desk.today.year, made.first.year), made.last.year)
    days = days_of(made, year)
    raws = {each: text.encode() for each, text in texts.items()}
    return page(
        request,
        "desk/calendars/year.html",
        name=name,
        files={each: years.line(each, texts)[0] for each in sorted(desk.book.calendars)},
        descent=descent,
        heirs=calendars.heirs(name, raws),
        made=made,
        year=year,
        today=desk.today,
        months=list(years.months(days)),
        special=[(each, years.source(each, descent)) for each in days if each.note],
        worked=sum(bool(each.sessions) for each in days),
        open_changes=await _open(desk, name),
        kinds=years.KINDS,
        signs=years.SIGNS,
        hours=years.hours,
    )


def _made(desk: Seat, name: str) -> Any:
    if name not in desk.book.calendars:
        raise Unknown(
            "there is no calendar {name}: known are {calendars}",
            name=name,
            calendars=sorted(desk.book.calendars),
        )
    return desk.book.calendar(name)


async def _open(desk: Seat, name: str) -> list[dict[str, Any]]:
    """Change sets of this calendar that are under way."""
    return [
        each
        for each in await deciding.every(desk.db)
        if each["kind"] is Kind.calendar
        and each["status"] in RUNNING
        and name in each["says"]["calendars"]
    ]


@router.get("/calendars/{name}/days/{day}")
async def one(request: Request, name: Name, day: date, desk: Desk) -> Response:
    """A day, and the form by which it is decided otherwise."""
    found = await drafts.find(desk.db, desk.person, draft(name, day))
    form = Typed(values=found.typed) if found else Typed()
    return await shown(request, desk, name, day, form, draft_at=found.at if found else None)


def draft(name: str, day: date) -> str:
    """Under which name what is typed is saved."""
    return f"calendar/{name}/{day}"


async def shown(
    request: Request,
    desk: Seat,
    name: str,
    day: date,
    form: Typed,
    *,
    draft_at: Any = None,
    refusal: HosoError | None = None,
) -> Response:
    made = _made(desk, name)
    days = days_of(made, day.year)
    it = days[day.timetuple().tm_yday - 1]
    descent = years.line(name, await proposing.texts_of(desk.db))
    return page(
        request,
        "desk/calendars/day.html",
        name=name,
        descent=descent,
        it=it,
        before=days[day.timetuple().tm_yday - 2].date if day.timetuple().tm_yday > 1 else None,
        after=days[day.timetuple().tm_yday].date if day.timetuple().tm_yday < len(days) else None,
        source=years.source(it, descent) if it.note else None,
        decided=descent[0].overrides.get(day),
        kinds=years.KINDS,
        hours=years.hours,
        policies=list(Dates),
        open_changes=await _open(desk, name),
        proposers=proposing.proposers(desk.book, Kind.calendar, desk.at),
        form=form,
        refusal=refusal,
        draft=draft(name, day),
        draft_at=draft_at,
    )
