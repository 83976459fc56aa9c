"""Signing in by a provider of identities: there and back.

What is to be remembered meanwhile goes with the browser, sealed: so nobody can be made to complete
another's sign-in, nothing is written for who never comes back, and any process may answer.
"""

from datetime import UTC, datetime
from hmac import compare_digest
from typing import Annotated, NamedTuple, cast

import orjson
from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from api import browser
from api.accounts.provider import BEGUN, Begun, Provider
from api.accounts.shapes import Session
from api.accounts.signed import Hand, arrived, end_before, session
from api.desk import paint
from api.doors import At, House, house, opened
from api.doors.hearing import Lenient
from api.problems import DOCUMENTED
from states.accounts import linking
from states.accounts.refusals import NotVouched
from states.accounts.signing import Tokens
from states.errors import HosoError, Unknown

router = APIRouter(
    prefix="/oidc",
    route_class=Lenient,
    dependencies=[Depends(arrived)],
    responses=DOCUMENTED,
)
COOKIE, PATH = "hoso-oidc", "/v1/accounts/oidc"
SEALED = {"alg": "dir", "enc": "A256GCM"}
Said = Annotated[str | None, Query(max_length=2000)]


async def set_up(request: Request) -> Provider:
    """Raises `Unknown` where none is set up."""
    home = house(request)
    told = home.settings
    if told.oidc_issuer is None or told.oidc_client is None or told.url is None:
        raise Unknown("no provider of identities is set up here: sign in by a password")
    if "oidc" not in home.held:
        home.held["oidc"] = Provider(
            issuer=str(told.oidc_issuer),
            client=told.oidc_client,
            secret=told.oidc_secret.get_secret_value() if told.oidc_secret else None,
            redirect=str(told.url).rstrip("/") + PATH + "/callback",
        )
    return cast("Provider", home.held["oidc"])


Theirs = Annotated[Provider, Depends(set_up)]


@router.get("/start", status_code=303, response_class=RedirectResponse)
async def start(request: Request, provider: Theirs, at: At) -> RedirectResponse:
    """Send a browser to the provider."""
    return await sent(request, provider, at)


async def sent(
    request: Request, provider: Provider, at: datetime, on: str | None = None
) -> RedirectResponse:
    """Send a browser there; `on`: where it goes on to, if it came by our pages."""
    address, begun = await provider.begin(at, on)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        COOKIE,
        _sealed(house(request), begun),
        max_age=int(BEGUN.total_seconds()),
        path=PATH,
        secure=provider.redirect.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response


class Sent(NamedTuple):
    """With what a provider sends a browser back, and the cookie that it was sent there with."""

    code: str | None
    state: str | None
    error: str | None
    issuer: str | None
    begun: str | None


async def sent_back(
    code: Said = None,
    state: Said = None,
    error: Said = None,
    iss: Said = None,
    begun: Annotated[str | None, Cookie(alias=COOKIE, max_length=4000)] = None,
) -> Sent:
    return Sent(code, state, error, iss, begun)


@router.get("/callback")
async def callback(
    request: Request,
    response: Response,
    provider: Theirs,
    at: At,
    by: Hand,
    sent: Annotated[Sent, Depends(sent_back)],
) -> Session:
    """Begin a session for whom the provider vouches; the browser comes here from there.

    One that came by our pages is led on to them, and told there what is refused.
    """
    asked = _remembered(house(request), sent.begun, sent.state, at)
    if asked.on is not None:
        return await _into_desk(request, provider, asked, sent, by)  # type: ignore[return-value]
    new = await _vouched(request, provider, asked, sent, at, by)
    response.delete_cookie(COOKIE, path=PATH)
    return session(request, new)


async def _into_desk(
    request: Request, provider: Provider, asked: Begun, sent: Sent, by: Hand
) -> Response:
    at: datetime = request.state.arrival.at
    try:
        new = await _vouched(request, provider, asked, sent, at, by, browser=True)
    except HosoError as error:
        return paint.refused(request, error)
    await end_before(request)
    response = RedirectResponse(asked.on or "/desk", 303)
    browser.hand_over(request, response, new.access)
    response.delete_cookie(COOKIE, path=PATH)
    return response


async def _vouched(
    request: Request,
    provider: Provider,
    asked: Begun,
    sent: Sent,
    at: datetime,
    by: Hand,
    *,
    browser: bool = False,
) -> Tokens:
    """Raises `NotVouched`, and what `linking.enter` does."""
    if sent.error is not None or sent.code is None:
        raise NotVouched("the provider did not let them in: begin the sign-in again")
    vouched = await provider.complete(asked, sent.code, at, sent.issuer)
    until = datetime.fromtimestamp(asked.until, UTC)
    async with opened(request) as (db, arrival):
        book = await house(request).latest(db, arrival.edition)
        return await linking.enter(db, book, vouched, asked.state, until, at, by, browser=browser)


def _sealed(home: House, begun: Begun) -> str:
    return jwe.encrypt_compact(SEALED, orjson.dumps(begun._asdict()), _key(home))


def _remembered(home: House, cookie: str | None, state: str | None, at: datetime) -> Begun:
    """Raises `NotVouched` for a sign-in that was not begun in this browser, or too long ago."""
    try:
        opened_ = jwe.decrypt_compact(cookie or "", _key(home), list(SEALED.values()))
        begun = Begun(**orjson.loads(opened_.plaintext or b""))
    except (JoseError, ValueError, TypeError):
        begun = None
    if (
        begun is None
        or begun.until <= at.timestamp()
        or not compare_digest(begun.state.encode(), (state or "").encode())
    ):
        raise NotVouched(
            "this sign-in was not begun in this browser, or more than ten minutes ago: begin again"
        )
    return begun


def _key(home: House) -> OctKey:
    return OctKey.import_key(home.key("oidc"))
