"""Commands that run: up, demo, worker."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import as_json, console
from api.cli.place import Data, Json, Place, noted, placed
from config.settings import settings
from states.errors import HosoError

Port = Annotated[
    int | None,
    typer.Option(help="For the API and the pages; Prefect takes the next.", min=1, max=65_534),
]


class PortTaken(HosoError):
    """The port is in use."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(up)
    app.command()(demo)
    app.command()(worker)


def up(data: Data = None, port: Port = None, json: Json = False) -> None:
    """Everything on this machine: database, Prefect, worker, API and pages. Ctrl-C stops it."""
    with everything(data, port) as (place, addresses):
        _tell(addresses, json=json)
        serve(place, addresses)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the figures.")] = False,
    data: Data = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """`up`, then the Hà Nam pilot year is lived through and its figures are printed."""
    from api.cli.pilot import live, show

    with everything(data, port) as (place, addresses):
        made, took = asyncio.run(live(place, quiet=json))
        show(made, took, json=json)
        if once:
            return
        _tell(addresses, json=False)
        serve(place, addresses)


def worker(data: Data = None, json: Json = False) -> None:
    """Run flows when the ledger calls or the time has come; as many as you like, anywhere."""
    from api.cli.place import prefect_here

    with placed(data) as place:
        shown = prefect_here(place)
        if json:
            as_json({"database": True, "prefect": shown})
        asyncio.run(_work())


async def _work() -> None:
    from flows.worker import work

    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await work(stop)


@contextmanager
def everything(data: Path | None, port: int | None) -> Iterator[tuple[Place, dict[str, str]]]:
    """Database and Prefect running, this process turned to both; yields where things are."""
    from flows.server import environment, serving

    told = settings()
    port = told.port if port is None else port
    _free(told.host, port)
    with ExitStack() as stack:
        with _step("PostgreSQL"):
            place = stack.enter_context(placed(data, make=True))
        home = place.data / "prefect"
        prefect = str(told.prefect_api) if told.prefect_api else None
        if prefect is None and place.prefect_database is not None:
            with _step("Prefect"):
                server = stack.enter_context(serving(place.data, place.prefect_database, port + 1))
            prefect = server.api
        addresses = {"api": f"http://{told.host}:{port}"}
        if prefect is not None:
            os.environ.update(environment(prefect, home))
            addresses["prefect"] = prefect
        stack.enter_context(noted(place, addresses))
        yield place, addresses


def serve(place: Place, addresses: dict[str, str]) -> None:
    """API and pages in this process, flows in a worker beside it, until told to stop."""
    import uvicorn

    from api.app import create_app

    host, port = addresses["api"].removeprefix("http://").rsplit(":", 1)
    with _beside([sys.executable, "-P", "-m", "api.cli", "worker"]):
        app = create_app(settings(), prefect_ui=addresses.get("prefect", "").removesuffix("/api"))
        uvicorn.run(app, host=host, port=int(port), log_config=None, access_log=False)


@contextmanager
def _beside(command: list[str]) -> Iterator[None]:
    """A child that ends with us."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own command
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def _free(host: str, port: int) -> None:
    """Asked before anything starts. Raises `PortTaken`."""
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, port))
        except OSError:
            raise PortTaken(
                f"port {port} of {host} is in use: stop what uses it, or name another with --port"
            ) from None


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Say what is being started, and how long it took."""
    begun = time.monotonic()
    with console.status(f"Starting {name} …"):
        yield
    console.print(f"{name} is up [dim]({time.monotonic() - begun:.1f} s)[/]", highlight=False)


def _tell(addresses: dict[str, str], *, json: bool) -> None:
    if json:
        as_json(addresses)
        return
    console.print(f"\nPages and API  {addresses['api']}", highlight=False)
    console.print(f"OpenAPI        {addresses['api']}/openapi.json", highlight=False)
    if "prefect" in addresses:
        console.print(
            f"Prefect        {addresses['prefect'].removesuffix('/api')}", highlight=False
        )
    console.print("Ctrl-C stops.", style="dim")
