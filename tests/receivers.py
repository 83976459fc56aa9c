"""Receivers of notices, good and bad: a little SMTP server and a little HTTP server."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

USUAL = {
    "EHLO": "250-post\r\n250 AUTH PLAIN",
    "AUTH": "235 welcome",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


@asynccontextmanager
async def listening(serve: Callable[..., Any]) -> AsyncIterator[int]:
    """A port at which `serve` answers each connection; all are cut at the end."""
    tasks: set[asyncio.Task[Any]] = set()

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()
        tasks.discard(task)

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@dataclass
class Post:
    """SMTP as far as it is needed. `answers`: what to say instead, by command."""

    answers: dict[str, str] = field(default_factory=dict)
    hangs: str | None = None  # at which command
    cuts: str | None = None  # likewise
    drips: bool = False  # a greeting without an end
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hangs == "CONNECT":
            await asyncio.sleep(3600)
        while self.drips:
            writer.write(b"220-wait\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(self._answer("CONNECT", "220 post"))
        while line := (await reader.readline()).decode().strip():
            command = line.split(" ")[0].split(":")[0].upper()
            if self.hangs == command:
                await asyncio.sleep(3600)
            if self.cuts == command:
                return
            self._note(command, line)
            writer.write(self._answer(command, USUAL.get(command, "250 ok")))
            if command == "DATA" and "DATA" not in self.answers:
                await self._data(reader, writer)
            await writer.drain()

    def _note(self, command: str, line: str) -> None:
        if command == "RCPT":
            self.recipients.append(line)
        if command == "AUTH":
            self.logins.append(base64.b64decode(line.rpartition(" ")[2]))

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
        if self.cuts == "END":
            raise ConnectionResetError
        if "END" not in self.answers:
            self.mails.append(message_from_bytes(raw, policy=policy.default))
        writer.write(self._answer("END", "250 taken"))

    def _answer(self, command: str, usual: str) -> bytes:
        return f"{self.answers.get(command, usual)}\r\n".encode()


@dataclass
class Site:
    """HTTP as far as it is needed."""

    status: int = 200
    headers: str = ""
    body: bytes = b"{}"
    hangs: bool = False
    cuts: bool = False
    drips: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode().strip().split("\r\n")
            told = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(told.get("content-length", 0)))
            self.requests.append(({**told, ":first": first}, body))
            if self.hangs:
                await asyncio.sleep(3600)
            if self.cuts:
                return
            while self.drips:
                writer.write(b"HTTP/1.1 200 OK\r\n" if told else b"")
                told = {}
                writer.write(b"X-Drip: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
            size = f"Content-Length: {len(self.body)}\r\n{self.headers}"
            writer.write(f"HTTP/1.1 {self.status} So\r\n{size}\r\n".encode() + self.body)
            await writer.drain()
