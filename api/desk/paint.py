"""A page made of a template: what every page has, and refusals told as pages."""

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from secrets import token_urlsafe
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import problems
from api.desk import names, nav, typed
from api.desk.known import Known
from api.desk.typed import Mistyped, Typed
from api.desk.voice import Voice, chosen
from states.errors import HosoError
from states.errors import summary as summary_of
from states.words import Event, State

environment = Environment(
    loader=PackageLoader("api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@cache
def static(path: str) -> str:
    """The address of an asset, which changes with it: a browser keeps it for good."""
    content = (files("api") / "static" / path).read_bytes()
    return f"/static/{path}?v={blake2b(content, digest_size=6).hexdigest()}"


environment.globals |= {
    "static": static,
    "new_key": lambda: token_urlsafe(16),
    "names": names,
    "State": State,
    "Event": Event,
}


def page(
    request: Request,
    template: str,
    /,
    status: int = 200,
    *,
    refusal: HosoError | None = None,
    form: Typed | None = None,
    **given: Any,
) -> HTMLResponse:
    """A page, or a part of one, in the reader's language.

    `refusal`: why what was asked is not done; `form`: what was typed, shown again with its faults.
    With a refusal and no status said, the status is the refusal's.
    """
    if refusal is not None and status == 200:
        status = problems.STATUS[problems.kind_of(refusal)]
    text = environment.get_template(template).render(
        frame(request) | {"refusal": refusal, "form": form or typed.of(request)} | given
    )
    voice = chosen(request)
    headers = {"Content-Language": voice, "Vary": "Accept-Language, Cookie"}
    if getattr(request.state, "arrival", None) and request.state.arrival.who:
        headers["Cache-Control"] = "no-store"
    return HTMLResponse(text, status, headers)


def frame(request: Request) -> dict[str, Any]:
    """What every template may use."""
    seat = getattr(request.state, "seat", None)
    voice = Voice(chosen(request))
    if seat is not None:
        voice = Voice(seat.lang, seat.book.zone)
    known = Known(seat.book.organisation, voice) if seat else None
    return {
        "request": request,
        "path": request.url.path,
        "voice": voice,
        "say": voice.say,
        "called": voice.called,
        "told": (lambda what: voice.told(known.sentence(what))) if known else voice.told,
        "by_name": known.person if known else str,
        "count": voice.count,
        "percent": voice.percent,
        "day": voice.day,
        "moment": voice.moment,
        "seat": seat,
        "ways": nav.ways(seat.who.role) if seat else [],
    }


async def read_form(request: Request, *, keyed: bool) -> None:
    """What a form sent, with its key, for the route that takes it. Raises `Invalid`."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != typed.FORM:
        return
    request.state.typed = found = typed.parse(await request.body())
    request.state.key = found.get("key") or None if keyed else None


def refused(request: Request, error: HosoError) -> HTMLResponse:
    """A refusal as a page, with what was typed still there to be copied."""
    kind = problems.kind_of(error)
    template = "desk/refused.html"
    if "hx-request" in request.headers:
        template = "desk/refused_part.html"
    return page(
        request,
        template,
        refusal=error,
        title=summary_of(kind),
        mistyped=isinstance(error, Mistyped),
    )
