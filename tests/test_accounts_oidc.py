"""Signing in by OpenID Connect, with a provider that is real, and with ones that lie."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider as provider
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from joserfc.jwk import ECKey
from office import address, application
from oidc_provider import CLIENT, SECRET, IdentityProvider, serving
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from test_accounts import HAND, NINE, ONE, TWO, opened

from config.settings import Settings
from states.accounts import keeping
from states.accounts.linking import Vouched, known
from states.accounts.refusals import NoAccount
from states.accounts.rows import account, session, used_state
from states.catalogue import Catalogue, bundles
from states.db import transaction

HERE = "http://hoso.test"
START, BACK = "/v1/accounts/oidc/start", "/v1/accounts/oidc/callback"
ADDRESS = "hai.muoi.mot@example.vn"


@dataclass
class Door:
    """Our side and theirs, and a browser between."""

    app: FastAPI
    engine: AsyncEngine
    provider: IdentityProvider
    browser: httpx.AsyncClient
    outside: httpx.AsyncClient
    line: httpx.ASGITransport
    begun: int = 0

    async def sent(self) -> str:
        """Where the provider is asked; from an address that has asked for nothing yet."""
        self.begun += 1
        self.line.client = (f"10.0.0.{self.begun}", 1)
        answer = await self.browser.get(START)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    async def returned(self) -> str:
        """Where the provider sends the browser back to."""
        answer = await self.outside.get(await self.sent())
        assert answer.status_code == 302
        return str(answer.headers["Location"])

    async def signed_in(self) -> httpx.Response:
        return await self.browser.get(await self.returned())

    async def sessions(self) -> int:
        async with self.engine.connect() as db:
            return int(await db.scalar(sa.select(sa.func.count()).select_from(session)) or 0)

    def later(self, by: timedelta) -> None:
        self.app.state.house.clock = lambda: datetime.now(UTC) + by


@pytest.fixture
async def door(fresh: AsyncEngine, tmp_path: Path) -> AsyncIterator[Door]:
    async with serving(HERE + BACK) as theirs, httpx.AsyncClient() as outside:
        settings = Settings(
            database=address(fresh),
            data=tmp_path,
            url=HERE,
            oidc_issuer=theirs.issuer,
            oidc_client=CLIENT,
            oidc_secret=SecretStr(SECRET),
        )
        app = application(settings)
        ours = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=ours, base_url=HERE) as browser,
        ):
            async with transaction(fresh) as db:
                await opened(db, secret=keeping.NONE)
                await keeping.link(db, ONE, theirs.issuer, theirs.subject, HAND, NINE)
            yield Door(app, fresh, theirs, browser, outside, ours)


def told(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document."""
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{kind}", status)
    return problem


# As it should be ----------------------------------------------------------------------------


async def test_who_is_vouched_for_comes_in(door: Door) -> None:
    answer = await door.signed_in()
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    assert tokens["person"] == ONE
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = (await door.browser.get("/v1/accounts/me", headers=headers)).json()
    assert (me["person"], me["how"]) == (ONE, "oidc")
    again = {"refresh_token": tokens["refresh_token"]}
    assert (await door.browser.post("/v1/accounts/refresh", json=again)).status_code == 200


async def test_what_a_browser_is_given_is_sealed_and_short(door: Door) -> None:
    answer = await door.browser.get(START)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/v1/accounts/oidc"):
        assert part in cookie
    assert asked["state"][0] not in cookie
    assert asked["nonce"][0] not in cookie
    second = parse_qs(urlsplit(await door.sent()).query)
    for name in ("state", "nonce", "code_challenge"):
        assert second[name] != asked[name]


async def test_keys_that_the_provider_changes_are_read_anew(door: Door) -> None:
    assert (await door.signed_in()).status_code == 200
    assert (await door.signed_in()).status_code == 200
    assert door.provider.asked == ["jwks"]
    door.provider.key = ECKey.generate_key("P-256", {"kid": "two"})
    assert (await door.signed_in()).status_code == 200
    assert door.provider.asked == ["jwks", "jwks"]


# As it should not be -------------------------------------------------------------------------


def said(**claims: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def lie(honest: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in (honest | claims).items() if v is not None}

    return lie


LIES = {
    "another issuer": said(iss="https://id.example.org"),
    "no issuer": said(iss=None),
    "another audience": said(aud="another"),
    "no audience": said(aud=None),
    "others beside us, and for another": said(aud=[CLIENT, "another"], azp="another"),
    "others beside us, and for nobody": said(aud=[CLIENT, "another"]),
    "another nonce": said(nonce="x" * 43),
    "no nonce": said(nonce=None),
    "expired": said(exp=1_700_000_000),
    "no end": said(exp=None),
    "of tomorrow": said(iat=4_000_000_000, exp=4_000_000_300),
    "not yet": said(nbf=4_000_000_000),
    "an end that is a word": said(exp="tomorrow"),
    "nobody": said(sub=None),
    "nobody named": said(sub=""),
    "a number": said(sub=1),
    "many": said(sub=["248289761001"]),
    "of another access token": said(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}
SIGNATURES = [
    provider.unsigned,
    provider.unsigned_by_another_name,
    provider.signature_left_out,
    provider.changed_after,
    provider.by_another_key,
    provider.by_a_key_it_brings,
    provider.by_the_secret,
    provider.by_the_public_key,
    provider.by_the_known_hmac_key,
    provider.nothing_at_all,
    provider.not_a_token,
    provider.a_list,
]


async def test_no_lie_is_believed(door: Door) -> None:
    """One server for all of them: an honest sign-in after each shows that it was the lie."""
    for name, lie in LIES.items():
        door.provider.lies = lie
        problem = told(await door.signed_in(), 401, "not-vouched")
        assert "begin" in problem["detail"] or "proves nothing" in problem["detail"], name
        assert await door.sessions() == 0, name
    door.provider.lies = said()
    assert (await door.signed_in()).status_code == 200


async def test_no_signature_is_believed_but_the_providers(door: Door) -> None:
    for forge in SIGNATURES:
        door.provider.signs = forge
        told(await door.signed_in(), 401, "not-vouched")
        assert await door.sessions() == 0, forge
    door.provider.signs = None
    assert (await door.signed_in()).status_code == 200


async def test_what_was_completed_is_not_completed_again(door: Door) -> None:
    back = await door.returned()
    cookies = list(door.browser.cookies.jar)
    assert (await door.browser.get(back)).status_code == 200
    assert list(door.browser.cookies.jar) == []
    told(await door.browser.get(back), 401, "not-vouched")
    door.browser.cookies.jar.set_cookie(*cookies)
    told(await door.browser.get(back), 401, "not-vouched")  # the provider takes no code twice
    door.provider.forgetful = True
    back = await door.returned()
    cookies = list(door.browser.cookies.jar)
    assert (await door.browser.get(back)).status_code == 200
    door.browser.cookies.jar.set_cookie(*cookies)
    told(await door.browser.get(back), 401, "session-ended")  # nor do we
    assert await door.sessions() == 2


async def test_nobody_completes_what_was_begun_in_another_browser(door: Door) -> None:
    mine = await door.returned()
    door.browser.cookies.clear()
    told(await door.browser.get(mine), 401, "not-vouched")
    door.browser.cookies.set("hoso-oidc", "x.y.z.v.w")
    told(await door.browser.get(mine), 401, "not-vouched")
    door.browser.cookies.clear()
    await door.returned()  # the cookie is of this one
    told(await door.browser.get(mine), 401, "not-vouched")
    assert await door.sessions() == 0


async def test_a_code_of_another_sign_in_is_of_no_use(door: Door) -> None:
    """Somebody makes a browser bring their code: the provider asks for what only theirs has."""
    theirs = parse_qs(urlsplit(await door.returned()).query)["code"][0]
    door.browser.cookies.clear()
    mine = parse_qs(urlsplit(await door.returned()).query)
    answer = await door.browser.get(BACK, params={"code": theirs, "state": mine["state"][0]})
    told(answer, 401, "not-vouched")


async def test_all_that_comes_back_must_fit_and_not_the_code_alone(door: Door) -> None:
    """Each by itself: the code is good, and the browser the one that was sent."""
    wrong: dict[str, str | None] = {"state": "x" * 43, "iss": "https://id.example.org"}
    for name, value in [*wrong.items(), ("state", None), ("code", None)]:
        back = await door.returned()
        asked = {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()}
        changed = {k: v for k, v in (asked | {name: value}).items() if v is not None}
        told(await door.browser.get(BACK, params=changed), 401, "not-vouched")
    assert await door.sessions() == 0


async def test_ten_minutes_are_enough(door: Door) -> None:
    back = await door.returned()
    door.later(timedelta(minutes=10, seconds=1))
    problem = told(await door.browser.get(back), 401, "not-vouched")
    assert "ten minutes" in problem["detail"]


async def test_a_refusal_and_another_providers_answer_are_no_sign_in(door: Door) -> None:
    state = parse_qs(urlsplit(await door.returned()).query)["state"][0]
    for said_ in (
        {"error": "access_denied"},
        {"code": "x", "error": "access_denied"},
        {},
        {"code": "x", "iss": "https://id.example.org"},
        {"code": "unknown"},
    ):
        told(await door.browser.get(BACK, params={"state": state} | said_), 401, "not-vouched")
    told(await door.browser.get(BACK), 401, "not-vouched")
    told(await door.browser.get(BACK, params={"code": "x" * 2001, "state": state}), 422, "invalid")


ANSWERS: dict[str, tuple[Callable[[dict[str, Any]], Any], int, str]] = {
    "no token": (lambda answer: {"access_token": "x"}, 401, "not-vouched"),
    "a list": (lambda answer: [answer], 503, "provider-away"),
    "a page": (lambda answer: PlainTextResponse("<html>"), 503, "provider-away"),
    "out of order": (lambda answer: JSONResponse({}, 500), 503, "provider-away"),
    "elsewhere": (lambda answer: RedirectResponse("http://127.0.0.1:9/"), 503, "provider-away"),
    "without end": (lambda answer: answer | {"x": "x" * 600_000}, 503, "provider-away"),
}


async def test_a_provider_out_of_order_lets_nobody_in(door: Door) -> None:
    for name, (answer, status, kind) in ANSWERS.items():
        door.provider.answers = answer
        told(await door.signed_in(), status, kind)
        assert await door.sessions() == 0, name


@pytest.mark.parametrize(
    ("tells", "status", "kind"),
    [
        ({"issuer": "https://id.example.org"}, 401, "not-vouched"),
        ({"issuer": None}, 401, "not-vouched"),
        ({"token_endpoint": None}, 401, "not-vouched"),
        ({"jwks_uri": 7}, 401, "not-vouched"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, 401, "not-vouched"),
        ({"jwks_uri": "http://127.0.0.1:9/jwks"}, 503, "provider-away"),
    ],
)
async def test_a_provider_that_tells_of_itself_what_cannot_be(
    door: Door, tells: dict[str, Any], status: int, kind: str
) -> None:
    door.provider.tells = tells
    answer: Response | httpx.Response = await door.browser.get(START)
    if answer.status_code == 303:
        answer = await door.signed_in()
    told(answer, status, kind)
    assert await door.sessions() == 0


async def test_a_provider_that_is_away_is_said_to_be(fresh: AsyncEngine, tmp_path: Path) -> None:
    settings = Settings(
        database=address(fresh),
        data=tmp_path,
        url="https://hoso.example.vn",
        oidc_issuer="http://127.0.0.1:9",
        oidc_client=CLIENT,
    )
    app = application(settings)
    ours = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=ours, base_url=HERE) as browser,
    ):
        told(await browser.get(START), 503, "provider-away")


async def test_where_none_is_set_up_there_is_none(fresh: AsyncEngine, tmp_path: Path) -> None:
    app = application(Settings(database=address(fresh), data=tmp_path))
    ours = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=ours, base_url=HERE) as browser,
    ):
        told(await browser.get(START), 404, "unknown")
        told(await browser.get(BACK), 404, "unknown")


# Whose account it is --------------------------------------------------------------------------


async def test_a_stranger_is_refused_in_a_sentence(door: Door) -> None:
    door.provider.subject = "a stranger"
    problem = told(await door.signed_in(), 403, "no-account")
    assert "ask an administrator" in problem["detail"]
    async with door.engine.connect() as db:  # refused, nothing is kept: they may try again
        assert await db.scalar(sa.select(sa.func.count()).select_from(used_state)) == 0


async def test_a_closed_account_is_a_strangers(door: Door) -> None:
    async with transaction(door.engine) as db:
        await keeping.close(db, ONE, HAND, datetime.now(UTC))
    told(await door.signed_in(), 403, "no-account")


def with_addresses(book: Catalogue, addresses: dict[str, str]) -> Catalogue:
    staff = book.organisation
    people = tuple(
        each.model_copy(update={"email": addresses[each.id]}) if each.id in addresses else each
        for each in staff.people
    )
    from dataclasses import replace

    return replace(book, organisation=staff.model_copy(update={"people": people}))


async def test_a_verified_address_links_once(db: AsyncConnection) -> None:
    book = with_addresses(await bundles.read(db), {TWO: ADDRESS})
    number = await opened(db, TWO, secret=keeping.NONE)
    first = Vouched("https://id.example.vn", "1", ADDRESS.upper())
    assert (await known(db, book, first, NINE, HAND)).account == number
    row = (await db.execute(sa.select(account).where(account.c.id == number))).one()
    assert (row.issuer, row.subject) == ("https://id.example.vn", "1")
    without = Vouched("https://id.example.vn", "1")  # it is the identity that counts from here on
    assert (await known(db, book, without, NINE, HAND)).person == TWO
    with pytest.raises(NoAccount):  # somebody else, who has got the address
        await known(db, book, Vouched("https://id.example.vn", "2", ADDRESS), NINE, HAND)


@pytest.mark.parametrize(
    ("addresses", "email"),
    [
        ({TWO: ADDRESS}, None),
        ({TWO: ADDRESS}, "another@example.vn"),
        ({TWO: ADDRESS, ONE: ADDRESS}, ADDRESS),
        ({"p-post-01": ADDRESS}, ADDRESS),
    ],
    ids=["not verified", "another", "of two", "of somebody without an account"],
)
async def test_no_other_address_does(
    db: AsyncConnection, addresses: dict[str, str], email: str | None
) -> None:
    book = with_addresses(await bundles.read(db), addresses)
    await opened(db, TWO, secret=keeping.NONE)
    with pytest.raises(NoAccount):
        await known(db, book, Vouched("https://id.example.vn", "1", email), NINE, HAND)


async def test_an_administrators_account_is_linked_by_hand_only(db: AsyncConnection) -> None:
    book = with_addresses(await bundles.read(db), {TWO: ADDRESS})
    await opened(db, TWO, admin=True)
    with pytest.raises(NoAccount):
        await known(db, book, Vouched("https://id.example.vn", "1", ADDRESS), NINE, HAND)
    await keeping.link(db, TWO, "https://id.example.vn", "1", HAND, NINE)
    assert (await known(db, book, Vouched("https://id.example.vn", "1"), NINE, HAND)).person == TWO


@pytest.mark.parametrize("verified", [True, False, "true", None])
async def test_an_address_counts_only_when_it_is_verified(door: Door, verified: Any) -> None:
    async with transaction(door.engine) as db:
        await opened(db, TWO, secret=keeping.NONE)
        book = with_addresses(await bundles.read(db), {TWO: ADDRESS})
    door.app.state.house.latest._own = book
    door.provider.subject = "new here"
    door.provider.claims = {"email": ADDRESS, "email_verified": verified}
    answer = await door.signed_in()
    if verified is True:
        assert answer.json()["person"] == TWO
    else:
        told(answer, 403, "no-account")


# Into the desk ------------------------------------------------------------------------------


async def by_our_pages(door: Door, on: str = "/today?x=1") -> httpx.Response:
    door.begun += 1
    door.line.client = (f"10.0.1.{door.begun}", 1)
    sent = await door.browser.get("/session/oidc", params={"next": on})
    assert sent.status_code == 303, sent.text
    back = await door.outside.get(sent.headers["Location"])
    return await door.browser.get(back.headers["Location"])


async def test_a_browser_goes_on_to_where_it_was(door: Door) -> None:
    answer = await by_our_pages(door)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/today?x=1")
    me = (await door.browser.get("/v1/accounts/me")).json()  # by the cookie
    assert (me["person"], me["how"]) == (ONE, "oidc")
    assert "access_token" not in answer.text


@pytest.mark.parametrize("on", ["https://evil.example", "//evil.example", ""])
async def test_and_nowhere_else(door: Door, on: str) -> None:
    answer = await by_our_pages(door, on)
    assert answer.headers["Location"] in {"/", "/desk"}


async def test_there_a_refusal_is_a_page(door: Door) -> None:
    door.provider.subject = "nobody-we-know"
    answer = await by_our_pages(door)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")
    assert await door.sessions() == 0
