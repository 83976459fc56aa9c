"""A provider of identities (OpenID Connect): the authorisation code flow with PKCE, as its client.

Authlib's rules with our own wire: its client for httpx warns at import that it is about to go.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import httpx
import orjson
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

from states.accounts.linking import Vouched
from states.accounts.refusals import NotVouched, ProviderAway

WAIT = 5.0  # seconds for each step of a call
LARGEST = 500_000  # bytes of an answer
REMEMBERED = timedelta(hours=1)  # what a provider says of itself
LEEWAY = 60  # seconds by which two clocks may differ
BEGUN = timedelta(minutes=10)  # to sign in at the provider
# By a key that only the provider has: none of these is `none`, nor by a secret that we have too.
SIGNED = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
SIGNED |= {"ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
PUBLIC = {"RSA", "EC", "OKP"}


class Begun(NamedTuple):
    """A sign-in that was begun here, as it is remembered until it is completed.

    `on`: of a browser that came by our pages, where it goes on to.
    """

    state: str
    nonce: str
    verifier: str
    until: float  # Unix time
    on: str | None = None


@dataclass(slots=True)
class Provider:
    """Who vouches for people, and what we are to it. `redirect`: where it sends them back to."""

    issuer: str
    client: str
    secret: str | None = field(repr=False)
    redirect: str
    _told: dict[str, Any] = field(default_factory=dict, repr=False)
    _told_at: datetime | None = None
    _keys: KeySet | None = field(default=None, repr=False)

    async def begin(self, at: datetime, on: str | None = None) -> tuple[str, Begun]:
        """Where to send a browser, and what to remember of it. Raises `ProviderAway`."""
        told = await self._metadata(at)
        verifier = generate_token(64)
        begun = Begun(
            generate_token(43), generate_token(43), verifier, (at + BEGUN).timestamp(), on
        )
        address: str = prepare_grant_uri(
            told["authorization_endpoint"],
            client_id=self.client,
            response_type="code",
            redirect_uri=self.redirect,
            scope="openid email",
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return address, begun

    async def complete(
        self, begun: Begun, code: str, at: datetime, issuer: str | None = None
    ) -> Vouched:
        """Whom the provider vouches for by this code. Raises `NotVouched` and `ProviderAway`.

        `issuer`: who sent the browser back, if that was said (RFC 9207).
        """
        told = await self._metadata(at)
        if issuer is not None and issuer != told["issuer"]:
            raise NotVouched("another provider answered than was asked: begin again")
        answered = await self._exchange(told, code, begun.verifier)
        claims = await self._claims(told, answered, begun.nonce, at)
        email = claims.get("email")
        verified = claims.get("email_verified") is True and isinstance(email, str)
        return Vouched(told["issuer"].rstrip("/"), claims["sub"], email if verified else None)

    async def _exchange(self, told: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        form: dict[str, str] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect,
            "code_verifier": verifier,
        }
        auth = None
        ways = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self.secret is None or "client_secret_basic" not in ways:
            form["client_id"] = self.client
            if self.secret is not None:
                form["client_secret"] = self.secret
        else:  # RFC 6749 §2.3.1: encoded as in a form
            auth = httpx.BasicAuth(quote_plus(self.client), quote_plus(self.secret))
        status, answered = await _ask("POST", told["token_endpoint"], data=form, auth=auth)
        if status != httpx.codes.OK:
            raise NotVouched("the provider does not take this code: begin the sign-in again")
        return answered

    async def _claims(
        self, told: dict[str, Any], answered: dict[str, Any], nonce: str, at: datetime
    ) -> dict[str, Any]:
        """Of the identity token, after all of it was checked. Raises `NotVouched`."""
        try:
            token = await self._verified(told, str(answered.get("id_token", "")))
            options: dict[str, Any] = {"iss": {"essential": True, "value": told["issuer"]}}
            options |= {"aud": {"essential": True, "value": self.client}}
            options |= {"sub": {"essential": True}}
            params = {
                "nonce": nonce,
                "client_id": self.client,
                "access_token": answered.get("access_token"),
            }
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(now=int(at.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            why = type(error).__name__.removesuffix("Error")
            raise NotVouched(
                "the provider's identity token proves nothing ({why})", why=why
            ) from None
        if not isinstance(claims["sub"], str) or len(claims["sub"]) > 255:
            raise NotVouched("the provider's identity token names nobody")
        return dict(claims)

    async def _verified(self, told: dict[str, Any], token: str) -> jwt.Token:
        """Its signature is by a key of the provider's, read anew when it has changed them."""
        offered = set(told.get("id_token_signing_alg_values_supported") or ["RS256"])
        algorithms = sorted(offered & SIGNED)
        if not algorithms:  # which the library takes for all that it knows
            raise NotVouched("the provider signs by none of the ways that prove anything")
        if self._keys is not None:
            try:
                return jwt.decode(token, self._keys, algorithms)
            except InvalidKeyIdError:
                pass
        self._keys = await self._read_keys(told)
        return jwt.decode(token, self._keys, algorithms)

    # What it says of itself -----------------------------------------------------------------

    async def _metadata(self, at: datetime) -> dict[str, Any]:
        """Raises `NotVouched` for one that calls itself otherwise, and `ProviderAway`."""
        if self._told_at is not None and timedelta() <= at - self._told_at < REMEMBERED:
            return self._told
        address = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, told = await _ask("GET", address)
        if status != httpx.codes.OK:
            raise ProviderAway(
                "the provider does not tell its configuration ({status})", status=status
            )
        if str(told.get("issuer", "")).rstrip("/") != self.issuer.rstrip("/"):
            raise NotVouched("the provider calls itself otherwise than HOSO_OIDC_ISSUER does")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not self._trusted(told.get(name)):
                raise NotVouched("the provider's {name} is no https address", name=name)
        self._told, self._told_at, self._keys = told, at, None
        return told

    def _trusted(self, address: Any) -> bool:
        """Over TLS, unless the provider is one for trials and without."""
        usual = isinstance(address, str) and address.startswith("https://")
        return usual or (self.issuer.startswith("http://") and isinstance(address, str))

    async def _read_keys(self, told: dict[str, Any]) -> KeySet:
        _, answered = await _ask("GET", told["jwks_uri"])
        given = (each for each in answered.get("keys") or () if isinstance(each, dict))
        fit = (e for e in given if e.get("kty") in PUBLIC and e.get("use", "sig") == "sig")
        return KeySet([JWKRegistry.import_key(each) for each in fit])


async def _ask(method: str, address: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    """A status and a JSON object. Raises `ProviderAway`. No redirect is followed."""
    try:
        async with _http().stream(method, address, **sent) as answer:
            body = b""
            async for some in answer.aiter_bytes():
                if len(body := body + some) > LARGEST:
                    raise ProviderAway("the provider's answer has no end")
        answered = orjson.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise ProviderAway(
            "the provider of identities does not answer ({name}): try again soon",
            name=type(error).__name__,
        ) from None
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or not isinstance(answered, dict):
        raise ProviderAway(
            "the provider of identities is out of order ({status_code})",
            status_code=answer.status_code,
        )
    return answer.status_code, answered


@cache
def _http() -> httpx.AsyncClient:
    """Made once, for it reads all certificates of the machine; it keeps no connection."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=WAIT, limits=limits, headers={"Accept": "application/json"})
