"""The head of a request: its size, its headers, its time; on the wire, before anything is asked."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from api import heads
from api.heads import CROWD, LARGEST, MOST, TAKES, Heads

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"


class Timer:
    def __init__(self, at: float, act: Callable[[], None]) -> None:
        self.at, self.act, self.cancelled = at, act, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop whose time is passed, and in which tasks are noted and not run."""

    def __init__(self) -> None:
        self.now, self.timers, self.asked = 0.0, list[Timer](), 0

    def call_later(self, seconds: float, act: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, act))
        return self.timers[-1]

    def create_task(self, work: Any) -> Any:
        work.close()
        self.asked += 1
        return self

    def add_done_callback(self, _: Any) -> None:
        pass

    def passes(self, seconds: float) -> None:
        self.now += seconds
        due = [each for each in self.timers if each.at <= self.now and not each.cancelled]
        self.timers = [each for each in self.timers if each not in due]
        for each in due:
            each.act()


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed, self.aborted = b"", False, False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """No application is asked in these."""


class Connection:
    """One connection, and what is said over it."""

    def __init__(self, state: ServerState | None = None, most: int | None = None) -> None:
        config = uvicorn.Config(nothing, log_config=None, limit_concurrency=most)
        self.loop, self.wire = Loop(), Wire()
        self.state = state or ServerState()
        self.protocol = Heads(config, self.state, {}, _loop=self.loop)  # type: ignore[arg-type]
        self.protocol.connection_made(self.wire)

    def says(self, data: bytes, at_once: int = 65_536) -> "Connection":
        for start in range(0, len(data), at_once):
            if not self.wire.closed:
                self.protocol.data_received(data[start : start + at_once])
        return self

    def answered(self) -> None:
        """The application has answered what was asked."""
        self.protocol.cycle.response_complete = True
        self.protocol.on_response_complete()

    @property
    def told(self) -> tuple[int, str]:
        head, _, body = self.wire.sent.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)["type"]


# How large ----------------------------------------------------------------------------------


@given(
    size=st.integers(LARGEST - 300, LARGEST + 300),
    at_once=st.integers(400, 70_000),
    where=st.sampled_from(["name", "value", "address"]),
)
def test_so_many_bytes_of_a_head_are_read_and_not_one_more(
    size: int, at_once: int, where: str
) -> None:
    filled = b"a" * (size - len("/") - len("host") - len("x"))
    said = {
        "name": b"GET / HTTP/1.1\r\nhost: x\r\n" + filled + b":\r\n\r\n",
        "value": b"GET / HTTP/1.1\r\nhost: x" + filled + b"\r\n\r\n",
        "address": b"GET /" + filled + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    }[where]
    asked = Connection().says(said, at_once)
    if size > LARGEST:
        assert asked.told == (431, "/problems/head-too-large")
        assert (asked.wire.closed, asked.loop.asked) == (True, 0)
    elif at_once >= len(said):
        assert (asked.wire.sent, asked.loop.asked) == (b"", 1)


@pytest.mark.parametrize("line", [b"x: y\r\n", b"a", b"x: " + b"y" * 1000])
def test_a_head_that_never_ends_is_not_read_to_its_end(line: bytes) -> None:
    asked, sent = Connection().says(GET), 0
    while not asked.wire.closed:
        asked.says(line)
        sent += len(line)
        assert sent <= LARGEST + len(line)
    assert asked.told == (431, "/problems/head-too-large")


def test_so_many_headers_are_read() -> None:
    for count in (MOST - 1, MOST):
        asked = Connection().says(GET + b"x: y\r\n" * count + b"\r\n")
        assert asked.loop.asked == (count < MOST)
        assert asked.wire.closed == (count == MOST)
    assert asked.told == (431, "/problems/head-too-large")


def test_a_body_is_no_head_and_the_next_head_is_counted_anew() -> None:
    asked = Connection()
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    for n in range(1, 4):
        body = b"b" * (LARGEST * 2)
        asked.says(post % len(body) + body, 1000)
        assert (asked.loop.asked, asked.wire.closed) == (n, False)
        asked.answered()
    half = b"x: " + b"y" * (LARGEST // 2) + b"\r\n"
    for n in range(4, 7):
        asked.says(GET + half + b"\r\n", 1000)
        assert (asked.loop.asked, asked.wire.sent) == (n, b"")
        asked.answered()


def test_what_is_no_request_is_told_so_as_a_problem() -> None:
    assert Connection().says(b"\x16\x03\x01 hello\r\n\r\n").told == (400, "/problems/no-http")


# How long -----------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [b"", b"\r\n", b"x", b"x: y\r\n"])
def test_a_head_takes_so_long_however_it_drips(drop: bytes) -> None:
    asked = Connection()
    if drop not in {b"", b"\r\n"}:
        asked.says(GET)
    for _ in range(int(TAKES)):
        assert not asked.wire.closed
        asked.says(drop)
        asked.loop.passes(1)
    assert asked.told == (408, "/problems/too-slow")


def test_the_second_head_of_a_connection_takes_no_longer() -> None:
    asked = Connection().says(GET + b"\r\n")
    asked.answered()
    asked.loop.passes(3)
    for _ in range(int(TAKES)):
        assert not asked.wire.closed
        asked.says(b"\r\n")
        asked.loop.passes(1)
    assert asked.wire.closed


def test_a_connection_that_rests_is_not_late() -> None:
    """However late in the time of a head its answer came: then it is kept for the next."""
    asked = Connection().says(GET + b"\r\n")
    asked.loop.passes(TAKES - 1)
    asked.answered()
    asked.loop.passes(2)
    assert not asked.wire.closed
    asked.says(GET + b"\r\n")
    assert asked.loop.asked == 2


def test_an_answer_takes_as_long_as_it_likes() -> None:
    asked = Connection().says(GET + b"\r\n")
    asked.loop.passes(100 * TAKES)
    assert not asked.wire.closed
    asked.says(b"GET")  # the next one begins meanwhile
    asked.loop.passes(TAKES)
    assert not asked.wire.closed
    asked.answered()
    asked.loop.passes(TAKES)
    assert asked.told == (408, "/problems/too-slow")


# How many -----------------------------------------------------------------------------------


def test_more_connections_than_could_be_answered_are_not_listened_to() -> None:
    state = ServerState()
    all_ = [Connection(state, most=4) for _ in range(4 * CROWD + 3)]
    assert [each.wire.aborted for each in all_] == [False] * 4 * CROWD + [True] * 3
    assert all(not each.loop.timers for each in all_ if each.wire.aborted)


# As it is served ----------------------------------------------------------------------------


async def test_the_server_takes_it_as_its_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "TAKES", 0.2)
    listening = socket.create_server(("127.0.0.1", 0))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, http=Heads, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))

    async def ask(said: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(said)
        answer = await reader.read()
        writer.close()
        return answer

    async with asyncio.timeout(30):
        assert (await ask(GET + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
        assert (await ask(GET + b"x: y\r\n" * MOST + b"\r\n")).startswith(b"HTTP/1.1 431 ")
        assert (await ask(GET)).startswith(b"HTTP/1.1 408 ")
    server.should_exit = True
    await serving
