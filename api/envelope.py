"""What is round every answer: an id in each log line, headers for browsers, a limit on bodies."""

import re
import traceback
from secrets import token_hex
from time import perf_counter

import structlog
from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.away import first_line
from api.problems import Broken, TooLarge, answer

log = structlog.get_logger()

LARGEST = 1_000_000  # bytes of a body
# Files are larger: who takes them in counts them as they come (`Settings.largest_file`).
SECRET = re.compile(r"(/track/[^/]+/).+")  # a slip's, which no log may hold
FILES = re.compile(r"/v1/(dossiers/[^/]+/components|imports/files)/[^/]+")
ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# As they are sent; an answer may have said one of them otherwise.
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
        b" connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
        b" frame-ancestors 'none'"
    ),
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",  # with none at all a browser would not say its origin
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
OF_API = HEADERS | {b"cache-control": b"no-store"}


class Envelope:
    """Outside of everything but the server: what fails inside is answered here and told nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if ID.fullmatch(asked) else token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request=request_id):
            file = scope["method"] == "PUT" and FILES.fullmatch(scope["path"])
            length = "0" if file else headers.get("content-length", "0")
            heard = receive if file else limited(receive)
            if scope["method"] == "HEAD":
                await self._head(scope, heard, sealed(scope, bare(send)), length)
            else:
                await self._answer(scope, heard, sealed(scope, send), length)

    async def _head(self, scope: Scope, receive: Receive, send: Send, length: str) -> None:
        """What GET is answered, without its body (RFC 9110 §9.3.2): by whatever answers GET."""
        asked = {**scope, "method": "GET"}
        try:
            await self._answer(asked, receive, send, length)
        finally:  # for who looks at it outside of here, and for the server, which knows HEAD
            scope.update(asked | {"method": "HEAD"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send, length: str) -> None:
        began, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            if length.isdecimal() and int(length[:19]) > LARGEST:
                await answer(Request(scope), TooLarge())(scope, receive, watched)
            else:
                await self.app(scope, receive, watched)
        except ClientDisconnect:  # nobody is there to be answered, and nothing failed
            log.info("http.left", method=scope["method"], path=logged(scope["path"]))
            return
        except Exception as error:
            log.error("http.failed", **told(error))  # noqa: TRY400  see there
            if status:  # half an answer is out: only a broken connection says that it is half
                raise
            sorry = Broken("it was logged under this request's id: tell it to whoever runs hoso")
            await answer(Request(scope), sorry)(scope, receive, watched)
        took = round((perf_counter() - began) * 1000, 1)
        path = logged(scope["path"])
        log.info("http.answered", method=scope["method"], path=path, status=status, ms=took)


def logged(path: str) -> str:
    """An address as the log may hold it."""
    return SECRET.sub(r"\1…", path)


def told(error: Exception) -> dict[str, str]:
    """An error for the log: where and what, without the values that were in hand.

    Those may be about a person, and some renderers print all of them.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    return {"why": type(error).__name__, "said": first_line(error), "where": where}


def bare(send: Send) -> Send:
    """An answer of its head alone, which ends there: of a stream nothing more is waited for."""

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return without_body


def limited(receive: Receive) -> Receive:
    """A body may come without its length being said: it is counted as it comes."""
    had = 0

    async def counted() -> Message:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        if had > LARGEST:
            raise HTTPException(413)
        return message

    return counted


def sealed(scope: Scope, send: Send) -> Send:
    """Each answer with the headers and the id."""
    extra = OF_API if scope["path"].startswith("/v1") else HEADERS
    request_id = (b"x-request-id", scope["state"]["request_id"].encode())

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            more = [each for each in extra.items() if each[0] not in said]
            message["headers"] = [*message["headers"], *more, request_id]
        await send(message)

    return with_headers
