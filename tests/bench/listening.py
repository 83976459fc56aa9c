"""A process that serves the API on a socket, as `hoso up` does, for many who listen."""

import asyncio
import resource
import socket
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from api.app import create_app
from config.settings import Settings

KB = Path("/proc/self/status")


def server(line: Connection, database: str, folder: str) -> None:
    """Asked `port`, `memory` (kB) or `processor` (seconds), it answers until asked no more."""
    asyncio.run(_server(line, database, Path(folder)))


async def _server(line: Connection, database: str, folder: Path) -> None:
    settings = Settings(database=database, data=folder, calls=0, streams=0)  # one person's thousand
    app = create_app(settings)
    listening = socket.create_server(("127.0.0.1", 0), backlog=4_096)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  nobody sets an Event
        await asyncio.sleep(0.01)
    line.send("ready")
    while (asked := await asyncio.to_thread(line.recv)) is not None:
        line.send({"port": _port, "memory": _memory, "processor": _processor}[asked](listening))
    app.state.house.held["live"].close()
    server.should_exit = True
    await serving


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def _memory(_: socket.socket) -> int:
    told = next(each for each in KB.read_text().splitlines() if each.startswith("VmRSS"))
    return int(told.split()[1])


def _processor(_: socket.socket) -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
