"""Signing in by a browser, and one's own account: password, role, language, sessions."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from api import browser, rates
from api.accounts import oidc
from api.accounts.oidc import Theirs
from api.accounts.signed import Hand, arrived, end_before
from api.away import away_is_said
from api.desk import nav, typed
from api.desk.leaf import Leaf, Open, local
from api.desk.paint import page
from api.desk.seat import Desk, framed
from api.desk.typed import Mistyped, Typed
from api.desk.voice import COOKIE
from api.doors import Db, Signed, house, shelf
from states import people
from states.accounts import keeping, signing
from states.accounts.refusals import WeakPassword, WrongCredentials, WrongPassword
from states.clock.words import Lang
from states.errors import BadInput
from states.sentences import Sentence
from states.words import Role

HERE = {"include_in_schema": False, "default_response_class": HTMLResponse}
router = APIRouter(route_class=Leaf, **HERE)  # type: ignore[arg-type]
checking = APIRouter(route_class=Open, dependencies=[Depends(arrived)], **HERE)  # type: ignore[arg-type]


class SigningIn(BaseModel):
    """Who they say they are."""

    person: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class NewPassword(BaseModel):
    """Another password."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)
    again: str = Field(max_length=1000)


# In and out -------------------------------------------------------------------------------


@router.get("/sign-in")
async def ask_who(request: Request, db: Db, next: str = "") -> Response:  # noqa: A002
    """Who is signed in already goes on."""
    if request.state.arrival.who is not None:
        return RedirectResponse(local(next) if next else "/desk", 303)
    return _asked(request, next)


def _asked(request: Request, on: str, **more: object) -> Response:
    vouched = house(request).settings.oidc_issuer is not None
    trial = house(request).trial
    return page(request, "desk/sign_in.html", next=on, vouched=vouched, trial=trial, **more)  # type: ignore[arg-type]


@checking.post("/session")
async def sign_in(request: Request, by: Hand) -> Response:
    """Begin a session of this browser, by a password. Whatever is wrong is refused alike."""
    form = typed.of(request)
    on, engine = form.get("next"), house(request).engine
    try:
        said = typed.read(SigningIn, form)
        with away_is_said():
            new = await signing.sign_in(
                engine, said.person, said.password, request.state.arrival.at, by, browser=True
            )
    except (Mistyped, WrongCredentials) as error:
        form.values.pop("password", None)
        return _asked(request, on, refusal=error)
    await end_before(request)
    response = RedirectResponse(local(on) if on else "/desk", 303)
    browser.hand_over(request, response, new.access)
    rates.of(request).prove(f"bearer {new.access}")
    return response


@checking.get("/session/oidc")
async def sign_in_elsewhere(
    request: Request,
    provider: Theirs,
    next: str = "",  # noqa: A002
) -> Response:
    """To the provider of identities, which sends the browser back to `/v1/accounts/oidc`."""
    at = request.state.arrival.at
    return await oidc.sent(request, provider, at, local(next) if next else "/desk")


@router.post("/session/end")
async def sign_out(request: Request, who: Signed, db: Db) -> Response:
    """End this browser's session."""
    if who.session is not None:
        await signing.sign_out(db, who.session, request.state.arrival.at)
    response = RedirectResponse("/sign-in", 303)
    browser.take_back(request, response)
    return response


@router.post("/session/end-all")
async def sign_out_everywhere(request: Request, who: Signed, db: Db, by: Hand) -> Response:
    """End every session of the account, this one too."""
    await signing.sign_out_everywhere(db, who.account, by, request.state.arrival.at)
    response = RedirectResponse("/sign-in", 303)
    browser.take_back(request, response)
    return response


# One's own --------------------------------------------------------------------------------


@router.get("/desk")
async def begin(desk: Desk) -> Response:
    """Where the day of somebody in this role begins."""
    return RedirectResponse(nav.first(desk.who.role), 303)


@router.get("/account", dependencies=[Depends(framed)])
async def account(request: Request, who: Signed, db: Db) -> Response:
    """Who one is here, in which roles, and what to do with it."""
    book = await shelf(request)
    person = book.organisation.by_id.get(who.person)
    held = people.roles(person, book.day(request.state.at)) if person else []
    return page(request, "desk/account.html", identity=who, person=person, held=held, book=book)


@router.get("/account/password", dependencies=[Depends(framed)])
async def ask_password(request: Request, who: Signed, db: Db) -> Response:
    """Choose another password."""
    return page(request, "desk/password.html", due=who.must_change)


@checking.post("/account/password")
async def change_password(request: Request, who: Signed, by: Hand) -> Response:
    """All other sessions end; a wrong old password counts as a failure to sign in."""
    form = typed.of(request)
    try:
        said = _new_password(form)
        engine, at = house(request).engine, request.state.arrival.at
        with away_is_said():
            await keeping.change_password(engine, who, said.old, said.new, at, by)
    except (Mistyped, WeakPassword, WrongPassword) as error:
        form.values.clear()
        return page(request, "desk/password.html", due=who.must_change, refusal=error)
    return RedirectResponse("/desk", 303)


def _new_password(form: Typed) -> NewPassword:
    """Raises `Mistyped`."""
    said = typed.read(NewPassword, form)
    if said.new != said.again:
        form.faults["again"] = Sentence("is not the same as above")
        raise Mistyped("the new password was typed in two ways: type it again")
    return said


@router.post("/account/role")
async def sit_as(request: Request, desk: Desk) -> Response:
    """Sit at the desk in another of one's roles."""
    liked = typed.of(request).get("role")
    if liked not in set(desk.roles):
        raise BadInput("you are no {role}: choose one of your roles", role=liked[:40] or "–")
    response = RedirectResponse(nav.first(Role(liked)), 303)
    browser.remember(request, response, browser.ROLE, liked)
    return response


@router.get("/language/{lang}")
async def speak(request: Request, lang: Lang, next: str = "") -> Response:  # noqa: A002
    """Speak this language from now on."""
    response = RedirectResponse(local(next), 303)
    browser.remember(request, response, COOKIE, lang)
    return response
