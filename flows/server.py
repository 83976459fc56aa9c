"""The Prefect server of `hoso up`: one process beside us, its database in the embedded Postgres.

Nothing here imports Prefect: the server is its own process, and whoever runs flows takes
`environment` before importing it.
"""

import asyncio
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from states.embedded import NotStarted

log = structlog.get_logger()

HOST = "127.0.0.1"
PATIENCE = 180.0  # seconds until it must answer; with a new database it makes its tables first
GRACE = 15.0  # seconds to finish what it is doing

#: Nobody is told anything: neither by the server, nor by the library in a flow's process.
SILENT = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}

DAY = 86_400  # seconds
PASSING = [
    *(f"prefect.flow-run.{each}" for each in ("Scheduled", "Pending", "Running", "Completed")),
    *(f"prefect.flow-run.{each}" for each in ("Late", "Skipped", "heartbeat")),
    *("prefect.artifact.created", "prefect.artifact-collection.updated"),
]

#: The checks a server makes every few seconds, for fleets of workers, are rarer here: at rest it
#: takes a third less. What is scheduled still starts on time; a late run shows as late in 30 s.
CALM = {
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "30",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "30",
    "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT30S",
}

#: What a server keeps: runs and their tables for two weeks, our own events for one, its own news of
#: what every run went through for a day. It forgets nothing by itself but events after a week.
FORGETFUL = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(14 * DAY),
    "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": json.dumps(
        dict.fromkeys(PASSING, DAY)
    ),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
}

#: What a flow's process need not do: ship its log, ask for the server's version and for tokens
#: that this server does not want, measure its machine.
FRUGAL = {
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
    "PREFECT_CLIENT_MAX_RETRIES": "2",  # dossiers do not wait for it: 6 s, not a minute
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "ERROR",  # it warns at each exit that it is busy with its events
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    home: Path  # its folder, also for the processes that run flows
    port: int
    process: subprocess.Popen[bytes]

    @property
    def ui(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.ui}/api"

    @property
    def journal(self) -> Path:
        return self.home / "server.log"

    async def death(self) -> NotStarted:
        """Waits for the server to end by itself, and tells why as far as its log does."""
        while self.process.poll() is None:  # noqa: ASYNC110 - nobody sets an Event when it dies
            await asyncio.sleep(1)
        return _ended(self)


def environment(api: str, home: Path) -> dict[str, str]:
    """For a process that runs flows against this server; set before Prefect is imported.

    Runs are cheapest (0.10 to 0.15 s on two cores) when the process keeps one client open around
    them, `async with prefect.context.AsyncClientContext.get_or_create()`, and the flow says
    `persist_result=False`: else each run opens a client and asks where results go.
    """
    ours = {**SILENT, **FRUGAL, "PREFECT_API_URL": api, "PREFECT_HOME": str(home)}
    if api.startswith("http://"):
        ours["PREFECT_API_SSL_CERT_FILE"] = str(_one_certificate(home))
    return ours


def _one_certificate(home: Path) -> Path:
    """Prefect's client loads all trusted certificates anew for each run, 45 ms of it, even to speak
    plain HTTP: there one is as good as all.
    """
    import certifi

    file, end = home / "one-certificate.pem", "-----END CERTIFICATE-----\n"
    if not file.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0]
        file.write_text(first + end, encoding="utf-8")
    return file


def check_alone(data: Path) -> None:
    """Asked before anything starts. Raises NotStarted where another serves this data folder."""
    with suppress(OSError), (data / "prefect" / "owner").open() as theirs:
        if not _taken(theirs):
            raise _another(data)


def _another(data: Path) -> NotStarted:
    return NotStarted(f"another hoso up is running on {data}: stop it first")


@contextmanager
def serving(data: Path, database: str, port: int = 4200) -> Iterator[Server]:
    """A Prefect server for this data folder, in `data/prefect`; port 0 takes any free one.

    `database` is an address with pg_trgm installed, for SQLAlchemy with asyncpg. A server left by
    a process that was killed is ended first. Raises NotStarted.
    """
    home = data / "prefect"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as end:
        ours = end.enter_context((home / "owner").open("w"))
        if not _taken(ours):
            raise _another(data)
        alive = end.enter_context((home / "alive").open("a+"))
        _end_orphan(alive)
        server = Server(home, port := _free(port), _begin(home, database, port, alive))
        end.callback(_end, server.process)
        alive.truncate(0)
        alive.write(str(server.process.pid))
        alive.flush()
        _until_healthy(server)
        yield server


def _begin(home: Path, database: str, port: int, alive: IO[str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches us first; it keeps `alive` locked."""
    inherited = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    ours = {
        **SILENT,
        **CALM,
        **FORGETFUL,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://{HOST}:{port}/api",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port"]
    with (home / "server.log").open("ab") as journal:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [*command, str(port)],
            cwd=home,
            env=inherited | ours,
            stdin=subprocess.DEVNULL,
            stdout=journal,
            stderr=subprocess.STDOUT,
            pass_fds=[alive.fileno()],
            start_new_session=True,
        )


def _until_healthy(server: Server) -> None:
    since = time.monotonic()
    while not _healthy(server.port):
        if server.process.poll() is not None:
            raise _ended(server)
        if time.monotonic() - since > PATIENCE:
            raise NotStarted(
                f"Prefect did not answer at {server.api} in {PATIENCE:.0f} s: see {server.journal}"
            )
        time.sleep(0.2)
    log.info("prefect.started", ui=server.ui, seconds=round(time.monotonic() - since, 1))


def _healthy(port: int) -> bool:
    asking = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        asking.request("GET", "/api/health")
        return asking.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        asking.close()


def _ended(server: Server) -> NotStarted:
    words = server.journal.read_bytes()[-2000:].decode(errors="replace").strip()
    code = server.process.returncode
    return NotStarted(f"Prefect's server ended with {code}. The end of {server.journal}:\n{words}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks, waits, insists; its children with it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_orphan(alive: IO[str]) -> None:
    """The lock on `alive` is inherited by the server and ends with it: no pid needs believing."""
    if _taken(alive):
        return
    alive.seek(0)
    if not (pid := alive.read()).isdecimal():
        raise NotStarted(f"A Prefect server that nobody owns holds {alive.name}: end it first.")
    log.warning("prefect.orphan_ended", pid=int(pid))
    since = time.monotonic()
    with suppress(ProcessLookupError):
        os.killpg(int(pid), signal.SIGTERM)
        while not _taken(alive):
            time.sleep(0.1)
            if time.monotonic() - since > GRACE:
                os.killpg(int(pid), signal.SIGKILL)


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(port: int) -> int:
    """Asked before the start: a stranger's server there would answer in our server's name."""
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((HOST, port))
        except OSError as error:
            raise NotStarted(
                f"Port {port}, meant for Prefect, is in use: stop what uses it or name another."
            ) from error
        number: int = trying.getsockname()[1]
    return number
