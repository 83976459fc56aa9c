"""The head of a request on the wire: how large it may be, how many headers, how long it takes.

The server's own protocol bounds none of it: one caller could fill the memory with a header that
never ends, or hold connections with one byte a minute. Given to uvicorn as its `http`.
"""

from asyncio import TimerHandle, Transport

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LARGEST = 65_536  # bytes: the address may have 30,000, a browser's cookies as many
MOST = 100  # headers
TAKES = 10.0  # seconds in which all of it comes
IDLE = 15  # seconds for which a connection is kept for the next: clients give theirs up after 5
CROWD = 2  # times as many connections as are answered: no more are even listened to


class HeadTooLarge(Exception):
    """More than may come before a body."""


class Heads(HttpToolsProtocol):
    """Reads requests whose heads are no larger than they may be, and come in time."""

    waiting = True  # for a head, or in one
    begun = ended = False  # with the bytes that came last: a head; all of a request
    had = 0  # bytes of a head that is not whole yet, but for those it began with
    size = count = 0  # of what was read of it
    refused: HeadTooLarge | None = None
    timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most = self.limit_concurrency
        if most is not None and len(self.connections) > CROWD * most:
            transport.abort()
            return
        self._await()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.begun = self.ended = False
        super().data_received(data)
        if not self.waiting or self.ended or self.transport.is_closing():
            return
        self._await()
        self.had += 0 if self.begun else len(data)
        if self.had > LARGEST:
            self._refuse(431, TOO_LARGE)

    # What the parser tells -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.begun, self.ended = True, False
        self.had = self.size = self.count = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.waiting = False
        self._await_no_more()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.waiting, self.ended, self.had = True, True, 0
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > LARGEST or self.count > MOST:
            self.refused = HeadTooLarge()
            raise self.refused

    # What is refused -----------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """For all that the parser does not take."""
        if self.refused is None:
            self._refuse(400, NO_HTTP)
        else:
            self._refuse(431, TOO_LARGE)

    def _refuse(self, status: int, problem: bytes) -> None:
        """Half an answer to the request before is broken off: this one is not put into it."""
        self._await_no_more()
        if self.cycle is None or self.cycle.response_complete:
            head = [STATUS_LINE[status], b"content-type: application/problem+json\r\n"]
            head += [b"content-length: %d\r\n" % len(problem), b"connection: close\r\n\r\n"]
            self.transport.write(b"".join([*head, problem]))
        self.transport.close()

    def _await(self) -> None:
        if self.timer is None:
            self.timer = self.loop.call_later(TAKES, self._late)

    def _await_no_more(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _late(self) -> None:
        self.timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._await()  # the one before is still being answered, and nothing is read meanwhile
        elif not self.transport.is_closing():
            self._refuse(408, TOO_SLOW)


def _problem(status: int, kind: str, title: str, detail: str) -> bytes:
    said = {"type": f"/problems/{kind}", "title": title, "status": status, "detail": detail}
    return orjson.dumps(said)


TOO_LARGE = _problem(
    431,
    "head-too-large",
    "The head of the request is too large",
    f"send {LARGEST:,} bytes and {MOST} headers at most before the body",
)
TOO_SLOW = _problem(
    408,
    "too-slow",
    "The head of the request did not come in time",
    f"send all that comes before the body within {TAKES:.0f} seconds",
)
NO_HTTP = _problem(
    400, "no-http", "This is no request of HTTP/1.1", "send one, or use a client that does"
)
