"""One breach: whose time it was, what was said and done, and what may be done now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.breaches import saying
from api.desk.breaches.lists import words
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import naming
from api.desk.seat import Desk, Seat
from api.listed import PLAIN
from states import drafts
from states.breaches import explaining, following, listing
from states.breaches.listing import Named
from states.breaches.rows import Cause, Step
from states.errors import HosoError, NotYours, Unknown
from states.ledger.acts import LONG, SHORT

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf
)  # fmt: skip
Code = Annotated[str, Path(max_length=SHORT, pattern=PLAIN)]
Rule = Annotated[str, Path(max_length=SHORT, pattern=r"^[a-z0-9-]+$")]
Number = Annotated[int, Path(ge=0, le=1_000_000_000)]
PLACE = "/breaches/{code}/{rule}/{visit}/{deadline}"
WIDTH = 1000  # of the drawing


class Assigning(BaseModel):
    """Who is to explain it, and until the end of which day."""

    to: str = Field(max_length=SHORT)
    until: date | None = None


class Explaining(BaseModel):
    """Why it came to that."""

    cause: Cause
    explanation: str = Field(max_length=LONG)


class Closing(BaseModel):
    """What the control unit found."""

    finding: str = Field(max_length=LONG)


class Reopening(BaseModel):
    """What has come to light."""

    reason: str = Field(max_length=LONG)


@dataclass(frozen=True, slots=True)
class Held:
    """One holder's time, as a step of the waterfall: where it begins and how wide it is drawn."""

    kind: str
    unit: str | None
    person: str | None
    minutes: int
    late: int
    begin: int
    width: int
    late_width: int


def fallen(shares: Sequence[Any]) -> list[Held]:
    """Each holder's step goes on where the one before ended; together they are all there was."""
    whole, at = sum(each["minutes"] for each in shares) or 1, 0
    found = []
    for each in shares:
        begin, end = (WIDTH * minutes // whole for minutes in (at, at + each["minutes"]))
        late = WIDTH * (at + each["late_minutes"]) // whole - begin
        found.append(
            Held(each["kind"], each["unit"], each["person"], each["minutes"],
                 each["late_minutes"], begin, max(2, end - begin), late)
        )  # fmt: skip
        at += each["minutes"]
    return found


@router.get(PLACE)
async def breach(
    request: Request, desk: Desk, code: Code, rule: Rule, visit: Number, deadline: Number
) -> Response:
    """All there is about it. One that is not seen is not told from one there is not."""
    return await _page(request, desk, Named(code, rule, visit, deadline))


async def _page(request: Request, desk: Seat, named: Named, **more: Any) -> HTMLResponse:
    await desk.find(named.code)
    rows = await listing.of_dossier(desk.db, named.code)
    row = next((each for each in rows if _is(each, named)), None)
    if row is None:
        raise Unknown("there is no such breach of {code}", code=named.code)
    of = await listing.one(desk.db, named)
    may = explaining.steps(desk.book, of, desk.person, desk.at)
    draft = await drafts.find(desk.db, desk.person, _draft(named)) if Step.explain in may else None
    given = await following.every(desk.db, desk.book, desk.at, code=named.code)
    if draft and "form" not in more:
        more["form"] = typed.Typed(values=dict(draft.typed))
    return page(
        request, "desk/breaches_one.html", row=row, others=[e for e in rows if e is not row],
        may=may, here=place(row), rule=_rule(desk, named.rule), causes=saying.CAUSES,
        held=fallen(row["attribution"] or ()), holders=naming.HOLDERS, width=WIDTH,
        apologies=given, outcomes=saying.CAME, steps=saying.STEPS, draft=_draft(named),
        drafted=bool(draft), link=place,
        colleagues=explaining.colleagues(desk.book, of.unit, desk.at) if Step.assign in may else [],
        **words(desk), **more,
    )  # fmt: skip


def _is(row: Any, named: Named) -> bool:
    return (row["rule"], row["visit"], row["deadline"]) == named[1:]


def _rule(desk: Seat, code: str) -> Any:
    return next((each for each in desk.book.rules.rules if each.code == code), None)


def _draft(named: Named) -> str:
    return "breach/" + "/".join(map(str, named))


def place(row: Any) -> str:
    """Its address."""
    told = (row["code"], row["rule"], row["visit"], row["deadline"])
    return "/breaches/" + "/".join(quote(str(each), safe="") for each in told)


# Done about it ---------------------------------------------------------------------------------


@router.post(PLACE + "/{step}")
async def act(
    request: Request,
    desk: Desk,
    code: Code,
    rule: Rule,
    visit: Number,
    deadline: Number,
    step: Step,
) -> Response:
    """Assign it, explain it, close it, reopen it."""
    named, form = Named(code, rule, visit, deadline), typed.of(request)
    await desk.find(code)
    try:
        async with desk.db.begin_nested():
            await _done(desk, named, step, form)
    except HosoError as error:
        return await _page(request, desk, named, refusal=error, form=form, tried=step)
    row = {"code": code, "rule": rule, "visit": visit, "deadline": deadline}
    return RedirectResponse(place(row), 303)


async def _done(desk: Seat, named: Named, step: Step, form: typed.Typed) -> None:
    """Raises what the step raises."""
    whom = (desk.db, desk.book, named)
    by, at = desk.person, desk.at
    if step is Step.assign:
        said = typed.read(Assigning, form)
        await explaining.assign(*whom, said.to, by, at, _end(desk, said.until))
    elif step is Step.explain:
        told = typed.read(Explaining, form)
        await explaining.explain(*whom, told.cause, told.explanation, by, at)
        await drafts.drop(desk.db, by, _draft(named))
    elif step is Step.close:
        await explaining.close(*whom, typed.read(Closing, form).finding, by, at)
    elif step is Step.reopen:
        await explaining.reopen(*whom, typed.read(Reopening, form).reason, by, at)
    else:
        raise NotYours("nothing of that kind is done about a breach")


def _end(desk: Seat, day: date | None) -> datetime | None:
    """The last minute of a day."""
    return None if day is None else datetime.combine(day, time(23, 59), desk.book.zone)
