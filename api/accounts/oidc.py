"""Signing in by a provider of identities: there and back.

What is to be remembered meanwhile goes with the browser, sealed: so nobody can be made to complete
another's sign-in, nothing is written for who never comes back, and any process may answer.
"""

from datetime import UTC, datetime
from hmac import compare_digest
from typing import Annotated, cast

import orjson
from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from api.accounts.provider import BEGUN, Begun, Provider
from api.accounts.shapes import Session
from api.accounts.signed import Hand, arrived, session
from api.doors import At, House, house, opened
from api.doors.hearing import Lenient
from api.problems import DOCUMENTED
from states.accounts import linking
from states.accounts.refusals import NotVouched
from states.errors import Unknown

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
    address, begun = await provider.begin(at)
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


@router.get("/callback")
async def callback(
    request: Request,
    response: Response,
    provider: Theirs,
    at: At,
    by: Hand,
    code: Said = None,
    state: Said = None,
    error: Said = None,
    iss: Said = None,
    begun: Annotated[str | None, Cookie(alias=COOKIE, max_length=4000)] = None,
) -> Session:
    """Begin a session for whom the provider vouches; the browser comes here from there."""
    asked = _remembered(house(request), begun, state, at)
    if error is not None or code is None:
        raise NotVouched("the provider did not let them in: begin the sign-in again")
    vouched = await provider.complete(asked, code, at, iss)
    until = datetime.fromtimestamp(asked.until, UTC)
    async with opened(request) as (db, arrival):
        book = await house(request).latest(db, arrival.edition)
        new = await linking.enter(db, book, vouched, asked.state, until, at, by)
    response.delete_cookie(COOKIE, path=PATH)
    return session(request, new)


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
