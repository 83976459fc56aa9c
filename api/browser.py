"""What a browser brings along by itself: the session's cookie, and from which page it asks.

A cookie is sent with whatever another page makes the browser ask for, so a write that comes by it
is heard only from our own pages: `Sec-Fetch-Site` says so and no script can forge it; where it is
not sent (an address without TLS), `Origin` is compared. The cookie is `SameSite=Lax` besides.
"""

from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import HTTPConnection
from starlette.types import Scope

from states.errors import HosoError

PLAIN, SECURE = "hoso", "__Host-hoso"  # the latter only over TLS, for the whole host alone
ROLE = "hoso-role"  # the role in which its holder likes to sit at the desk
YEAR = 365 * 24 * 3600  # seconds
OURS = {"same-origin", "none"}  # none: typed into the address bar


class FromElsewhere(HosoError):
    """This was not asked for by a page of ours."""


def cookie(request: HTTPConnection) -> str | None:
    """The token of the browser's session. Over TLS only the cookie that nobody on another address
    or on the way can have set: else they could seat a clerk in a session of theirs.
    """
    found = request.cookies.get(SECURE)
    return found or (None if request.url.scheme == "https" else request.cookies.get(PLAIN))


def token_of(scope: Scope) -> str | None:
    """The same, of a request that nobody has looked at yet."""
    return cookie(HTTPConnection(scope))


def check_ours(request: HTTPConnection) -> None:
    """Raises `FromElsewhere`."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in OURS
    else:
        ours = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise FromElsewhere(
            "this was sent by a page of another address: open the form here and send it again"
        )


def hand_over(request: HTTPConnection, response: Response, token: str) -> None:
    """Give a browser its session; it ends with the browser, and here before."""
    secure = request.url.scheme == "https"
    name = SECURE if secure else PLAIN
    response.set_cookie(name, token, secure=secure, httponly=True, samesite="lax", path="/")


def remember(request: HTTPConnection, response: Response, name: str, value: str) -> None:
    """What its holder likes, kept in the browser for a year; no page's script reads it."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=YEAR, secure=secure, httponly=True, samesite="lax")


def take_back(request: HTTPConnection, response: Response) -> None:
    for name in (PLAIN, SECURE):
        if name in request.cookies:
            response.delete_cookie(name, secure=name == SECURE, httponly=True, path="/")
