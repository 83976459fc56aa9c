"""Server-sent events on the wire: pieces that are sent as they come, and what they look like."""

import asyncio
import random
from collections.abc import AsyncGenerator
from functools import lru_cache

import structlog
from fastapi import Response
from starlette.types import Receive, Scope, Send

from api.problems import Away
from states.live import Cursor, Told

log = structlog.get_logger()

TAKES = 30.0  # seconds in which something sent is taken
RETRY = 1_000, 5_000  # milliseconds, drawn: not all come again at once


class Stream(Response):
    """Sends what comes, each piece when it is there, until the caller has gone."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"  # some proxies gather answers otherwise
        self.pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self.pieces.aclose()
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        first = await anext(self.pieces)  # what fails until then is answered as everywhere
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        await _put(send, first)
        try:
            async for piece in self.pieces:
                await _put(send, piece)
        except TimeoutError:
            log.info("live.not_taken")
            return  # nothing more can be sent: the server closes the connection
        except Away:  # it was logged; the caller comes again
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _put(send: Send, piece: bytes) -> None:
    async with asyncio.timeout(TAKES):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# What they look like ---------------------------------------------------------------------


@lru_cache(maxsize=2_000)
def wire(told: Told) -> bytes:
    """One event, made once for all who hear it."""
    place = b"" if told.place is None else f"id: {told.place}\n".encode()
    return b"event: %s\n%sdata: %s\n\n" % (told.kind.encode(), place, told.data)


def at(place: Cursor) -> bytes:
    return f"id: {place}\n\n".encode()


def retry() -> bytes:
    """How soon to come again when this breaks off."""
    return b"retry: %d\n" % random.randint(*RETRY)  # noqa: S311
