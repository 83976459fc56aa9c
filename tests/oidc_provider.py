"""A provider of identities (OpenID Connect) on this machine, which can be made to lie."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "hoso", "a secret: of +two words"
OPEN = "A" * 43  # an HMAC key that everybody can read
Claims = dict[str, Any]


def part(value: Any) -> str:
    """A segment of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@cache
def made() -> RSAKey:
    """The key it begins with: a tenth of a second to find, so it is found once."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class IdentityProvider:
    """Honest, unless `lies` changes the claims, `signs` the signature or `answers` the answer."""

    port: int
    redirect: str
    subject: str = "248289761001"
    claims: Claims = field(default_factory=dict)
    lies: Callable[[Claims], Claims] | None = None
    signs: Callable[["IdentityProvider", Claims], str] | None = None
    answers: Callable[[dict[str, Any]], Any] | None = None
    tells: dict[str, Any] = field(default_factory=dict)
    forgetful: bool = False  # takes a code as often as it is shown
    key: RSAKey | ECKey = field(default_factory=made)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def configuration(self, request: Request) -> Response:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        }
        return JSONResponse(told | self.tells)

    async def jwks(self, request: Request) -> Response:
        self.asked.append("jwks")
        strange = [{"kty": "AKP", "kid": "of tomorrow"}, {"kty": "oct", "k": OPEN, "kid": "hmac"}]
        return JSONResponse({"keys": [*strange, self.key.as_dict(private=False, use="sig")]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == self.redirect
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{self.redirect}?{back}", 302)

    async def token(self, request: Request) -> Response:
        said = dict(parse_qsl((await request.body()).decode()))
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert [unquote_plus(each) for each in pair.split(":")] == [CLIENT, SECRET]
        assert said["grant_type"] == "authorization_code"
        code = said["code"]
        asked = self.codes.get(code) if self.forgetful else self.codes.pop(code, None)
        shown = part(hashlib.sha256(said.get("code_verifier", "").encode()).digest())
        if asked is None or said["redirect_uri"] != self.redirect:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if asked["code_challenge"] != shown:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(16)
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "id_token": self.identity(asked, access),
        }
        told = self.answers(answer) if self.answers else answer
        return told if isinstance(told, Response) else JSONResponse(told)

    def identity(self, asked: dict[str, str], access: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims: Claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "at_hash": part(half),
        }
        claims |= self.claims
        claims = self.lies(claims) if self.lies else claims
        return self.signs(self, claims) if self.signs else self.signed(claims)

    def signed(self, claims: Claims) -> str:
        alg = "RS256" if isinstance(self.key, RSAKey) else "ES256"
        return jwt.encode({"alg": alg, "kid": self.key.kid}, claims, self.key, [alg])


# Signatures that prove nothing ----------------------------------------------------------------


def unsigned(by: IdentityProvider, claims: Claims) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def unsigned_by_another_name(by: IdentityProvider, claims: Claims) -> str:
    return f"{part({'alg': 'NoNe', 'kid': 'one'})}.{part(claims)}."


def signature_left_out(by: IdentityProvider, claims: Claims) -> str:
    return by.signed(claims).rpartition(".")[0] + "."


def changed_after(by: IdentityProvider, claims: Claims) -> str:
    head, _, tail = by.signed(claims).split(".")
    return f"{head}.{part(claims | {'sub': 'another'})}.{tail}"


def by_another_key(by: IdentityProvider, claims: Claims) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key, ["RS256"])


def by_a_key_it_brings(by: IdentityProvider, claims: Claims) -> str:
    key = RSAKey.generate_key(2048, {"kid": "mine"})
    header = {"alg": "RS256", "kid": "mine", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key, ["RS256"])


def by_the_secret(by: IdentityProvider, claims: Claims) -> str:
    return _by_hmac(claims, SECRET.encode().ljust(32, b"."))


def by_the_public_key(by: IdentityProvider, claims: Claims) -> str:
    return _by_hmac(claims, by.key.as_pem(private=False))


def _by_hmac(claims: Claims, secret: bytes, kid: str = "one") -> str:
    said = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
    return f"{said}.{part(hmac.digest(secret, said.encode(), 'sha256'))}"


def by_the_known_hmac_key(by: IdentityProvider, claims: Claims) -> str:
    return _by_hmac(claims, base64.urlsafe_b64decode(OPEN + "="), "hmac")


def nothing_at_all(by: IdentityProvider, claims: Claims) -> str:
    return ""


def not_a_token(by: IdentityProvider, claims: Claims) -> str:
    return "a.b"


def a_list(by: IdentityProvider, claims: Claims) -> str:
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"[1]", by.key, ["RS256"])


# Served -----------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(redirect: str) -> AsyncIterator[IdentityProvider]:
    """Over real HTTP."""
    listener = socket.create_server(("127.0.0.1", 0))
    provider = IdentityProvider(listener.getsockname()[1], redirect)
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.configuration),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/jwks", provider.jwks),
        ]
    )
    config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none", access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))  # without handlers of signals
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
        listener.close()
