"""What is round every answer: an id in each log line, headers for browsers, a limit on bodies."""

import re
import traceback
from secrets import token_hex
from time import perf_counter

import structlog
from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Broken, TooLarge, answer, first_line

log = structlog.get_logger()

LARGEST = 1_000_000  # bytes of a body
# Files are larger: who takes them in counts them as they come (`Settings.largest_file`).
FILES = re.compile(r"/v1/dossiers/[^/]+/components/[^/]+")
ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


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
            await self._answer(scope, heard, sealed(scope, send), length)

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
        except Exception as error:
            log.error("http.failed", **told(error))  # noqa: TRY400  see there
            if status:  # half an answer is out: only a broken connection says that it is half
                raise
            sorry = Broken("it was logged under this request's id: tell it to whoever runs hoso")
            await answer(Request(scope), sorry)(scope, receive, watched)
        took = round((perf_counter() - began) * 1000, 1)
        log.info(
            "http.answered", method=scope["method"], path=scope["path"], status=status, ms=took
        )


def told(error: Exception) -> dict[str, str]:
    """An error for the log: where and what, without the values that were in hand.

    Those may be about a person, and some renderers print all of them.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    return {"why": type(error).__name__, "said": first_line(error), "where": where}


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
    extra = HEADERS | {"X-Request-Id": scope["state"]["request_id"]}
    if scope["path"].startswith("/v1"):
        extra |= {"Cache-Control": "no-store"}

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers
