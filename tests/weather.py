"""Bad weather, made on purpose: a database that stops, lines that go dead, a clock that is wrong.

Nothing here is a test. Processes are killed by their own `Popen`; Postgres, the wire to it and the
clock of a process are what needs more than a signal.
"""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from states.embedded import Embedded, running
from states.embedded.cluster import SOCKET
from states.embedded.programs import programs_for

ROOT = Path(__file__).parents[1]


# Postgres ---------------------------------------------------------------------------------------


def stop_postgres(server: Embedded) -> None:
    """As a power cut: sessions are cut, nothing is written down; the next start recovers."""
    folder = server.data / "postgres"
    programs_for(server.data).run("pg_ctl", "-D", folder, "-m", "immediate", "stop")


def start_postgres(server: Embedded) -> None:
    """Again, under those who use it; it stays theirs."""
    with running(server.data):
        pass


def free_ports(count: int) -> list[int]:
    """Free when asked, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


# The wire ---------------------------------------------------------------------------------------


class Wire:
    """A TCP port that leads to a Postgres socket, and can go dead under whoever uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._lines: list[_Line] = []

    def address(self, database: str, role: str = "hoso_app") -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def hush(self) -> None:
        """From now on, whatever is said on the present connections is lost, and nobody is told."""
        for line in self._lines:
            line.dead = True

    def cut(self) -> None:
        """The present connections end at once."""
        for line in self._lines:
            line.close()

    async def lay(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        far, ask = await asyncio.open_unix_connection(str(self.folder / SOCKET))
        line = _Line(answer, ask)
        self._lines.append(line)
        try:
            await asyncio.gather(line.pour(near, ask), line.pour(far, answer))
        finally:
            line.close()


class _Line:
    """One connection through the wire."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.dead = False

    async def pour(self, source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                if not self.dead:
                    into.write(data)
                    await into.drain()
        except OSError:
            pass
        if not self.dead:
            self.close()

    def close(self) -> None:
        for end in self.ends:
            end.close()


@asynccontextmanager
async def wire(server: Embedded) -> AsyncIterator[Wire]:
    made = Wire(server.socket)
    listening = await asyncio.start_server(made.lay, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        made.cut()
        await asyncio.sleep(0)  # the ends say goodbye


# The clock --------------------------------------------------------------------------------------


def set_clock(monkeypatch: pytest.MonkeyPatch, wrong: timedelta, *modules: ModuleType) -> None:
    """These modules' clock goes wrong by so much; all else keeps the true time."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + wrong

    for module in modules:
        monkeypatch.setattr(module, "datetime", Wrong)


# Processes --------------------------------------------------------------------------------------


def end(process: subprocess.Popen[Any], patience: float = 20) -> None:
    """By the book, else by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
