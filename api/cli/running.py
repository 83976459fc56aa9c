"""Commands that run: up, demo, worker."""

import asyncio
import logging
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.output import as_json, console
from api.cli.place import Data, Json, Place, noted, placed
from config.settings import settings
from states.errors import HosoError

Port = Annotated[
    int | None,
    typer.Option(help="For the API and the pages; Prefect takes the next.", min=1, max=65_534),
]

STOPPING = 10  # seconds in which requests in hand are answered
MOST = 5_000  # connections that are answered at once: what is more is told 503
FILES = 3  # to each: connections that are not answered (`heads.CROWD`), files that are read


class PortTaken(HosoError):
    """The port is in use."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(up)
    app.command()(demo)
    app.command()(worker)


def up(data: Data = None, port: Port = None, json: Json = False) -> None:
    """Everything on this machine: database, Prefect, worker, API and pages. Ctrl-C stops it."""
    with everything(data, port) as house:
        _tell(house, data, json=json)
        serve(house)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the figures.")] = False,
    data: Data = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """`up`, then the Hà Nam pilot year is lived through and its figures are printed."""
    from api.cli.pilot import live, show, tried

    with everything(data, port) as house:
        lived = asyncio.run(live(house.place, quiet=json))
        show(*lived, json=json)
        if once:
            return
        trial = asyncio.run(tried(house.place))
        _invite(house, trial)
        _tell(house, data, json=False)
        serve(house, trial if _nobody_else_sees(settings().host) else None)


def worker(
    data: Data = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when standard input does.")
    ] = False,
    json: Json = False,
) -> None:
    """Run flows when the ledger calls or the time has come; as many as you like, anywhere."""
    from api.cli.place import prefect_here

    with placed(data) as place:
        shown = prefect_here(place, waiting=True)
        if json:
            as_json({"database": True, "prefect": shown})
        _work(with_parent=with_parent)


def _work(*, with_parent: bool) -> None:
    """The worker's loop has a thread of its own: in the main one Prefect would take SIGTERM for
    the end of the run it is amid. Here it is the worker's, which lets its runs end first.
    """
    from flows.worker import work

    stop = asyncio.Event()
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
        loop = runner.get_loop()

        def end(*_: object) -> None:
            with suppress(RuntimeError):  # it ended by itself
                loop.call_soon_threadsafe(stop.set)

        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, end)
        if with_parent:  # the end of standard input is the parent's, however that came
            threading.Thread(target=_at_the_end_of_input, args=(end,), daemon=True).start()
        thread.submit(runner.run, work(stop)).result()


def _at_the_end_of_input(act: Callable[[], None]) -> None:
    """By the descriptor: of who waits in `sys.stdin` when Python ends, Python dies."""
    while os.read(0, 1024):
        pass
    act()


@dataclass(frozen=True, slots=True)
class House:
    """All that runs: where, under which addresses, and how each part is looked after."""

    place: Place
    addresses: dict[str, str]
    looks: dict[str, Callable[[], None]]


@contextmanager
def everything(data: Path | None, port: int | None) -> Iterator[House]:
    """Database and Prefect running, this process turned to both."""
    from api.cli import keeping
    from flows.server import check_alone, environment, serving

    if threading.current_thread() is threading.main_thread():  # out by the way we came in
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    told = settings()
    port = told.port if port is None else port
    check_alone(data.expanduser().absolute() if data is not None else told.data)
    _free(told.host, port)
    with ExitStack() as stack:
        with _step("PostgreSQL"):
            place = stack.enter_context(placed(data, make=True))
        logging.getLogger("flows.server").setLevel(logging.WARNING)  # what it says is said here
        looks: dict[str, Callable[[], None]] = {}
        prefect = str(told.prefect_api) if told.prefect_api else None
        if place.prefect_database is not None:
            looks["postgres"] = partial(keeping.postgres, place.data)
            if prefect is None:
                begin = partial(serving, place.data, place.prefect_database, port + 1)
                with _step("Prefect"):
                    kept = keeping.Prefect(begin)
                    prefect = stack.enter_context(kept).api
                looks["prefect"] = kept.look
        addresses = {"api": f"http://{told.host}:{port}"}
        if prefect is not None:
            os.environ.update(environment(prefect, place.data / "prefect"))
            addresses["prefect"] = prefect
        stack.enter_context(noted(place, addresses))
        yield House(place, addresses, looks)


def serve(house: House, trial: Any = None) -> None:
    """API and pages in this process, flows in a worker beside it, until told to stop."""
    import uvicorn

    from api import heads
    from api.app import create_app
    from api.cli import keeping

    host, port = house.addresses["api"].removeprefix("http://").rsplit(":", 1)
    beside = keeping.Worker([sys.executable, "-P", "-m", "api.cli", "worker", "--with-parent"])
    with closing(beside), keeping.kept({**house.looks, "worker": beside.look}):
        prefect_ui = house.addresses.get("prefect", "").removesuffix("/api")
        app = create_app(settings(), prefect_ui=prefect_ui, trial=trial)
        uvicorn.run(
            app,
            host=host,
            port=int(port),
            log_config=None,
            access_log=False,
            http=heads.Heads,
            limit_concurrency=_connections(),
            timeout_keep_alive=heads.IDLE,
            timeout_graceful_shutdown=STOPPING,
        )


def _connections() -> int:
    """How many are answered at once, most of them listeners: no more than there are files for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST * FILES if hard == resource.RLIM_INFINITY else min(MOST * FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return files // FILES


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


def _tell(house: House, data: Path | None, *, json: bool) -> None:
    addresses = house.addresses
    if json:
        as_json(addresses)
        return
    console.print(f"\nPages and API  {addresses['api']}", highlight=False)
    console.print(f"OpenAPI        {addresses['api']}/openapi.json", highlight=False)
    if "prefect" in addresses:
        console.print(
            f"Prefect        {addresses['prefect'].removesuffix('/api')}", highlight=False
        )
    hoso, there = _called(), f" --data {data}" if data is not None else ""
    for line in (
        f"Data           {house.place.data}",
        f"Accounts       {hoso} user add p-centre-lead --admin{there}",
        f"               (people: {hoso} organisation show{there})",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print("Ctrl-C stops.", style="dim")


def _nobody_else_sees(host: str) -> bool:
    """Whether only this machine reaches the pages, which show a password then."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _invite(house: House, trial: Any) -> None:
    """Whom one may be, and by which password; the page offers the same to be clicked."""
    console.print(
        f"\nSign in        {house.addresses['api']}/sign-in", style="bold", highlight=False
    )
    for person, name, role in trial.people:
        console.print(f"  {person:<20} {name} ({role})", highlight=False, markup=False)
    console.print(f"  password       {trial.password}", highlight=False, markup=False)


def _called() -> str:
    """How the next command is begun: by its name where the shell finds it, else as this one was."""
    return "hoso" if shutil.which("hoso") else sys.argv[0]
