"""More than one machine, as docs/operate.md says: Redis, Prefect in parts, two workers, two APIs.

All of it on this one, but nothing is shared that machines would not share: each part is a process
with a folder of its own, and they meet in Postgres, in Redis and over HTTP.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
import weather
from book import FILE
from seeding import seeded

from states.embedded import Embedded, running

REDIS = shutil.which("redis-server")
pytestmark = [
    pytest.mark.prefect,
    pytest.mark.weather,
    pytest.mark.skipif(REDIS is None, reason="no redis-server: apt-get install redis-server"),
    pytest.mark.skipif(
        find_spec("prefect_redis") is None, reason="no prefect-redis: pip install 'hoso[ha]'"
    ),
]

FIRST, THEN = 120, 30  # dossiers: with one worker killed among them, and with Prefect away
CLERK = "p-reception-01"
KEY = "one-key-for-all-of-them-and-long-enough"
SLOW = 90.0  # seconds: what takes longer never comes
BY_ITSELF = "2.000033"  # routed and taken in without a hand
PREFECT = [sys.executable, "-m", "prefect", "server"]
#: As docs/operate.md has it, but for addresses.
IN_PARTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false",
    "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
}


@dataclass
class Fleet:
    """All that runs, by name."""

    server: Embedded
    folder: Path
    redis: int
    replicas: tuple[int, ...]
    apis: tuple[int, ...]
    stack: ExitStack
    processes: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    def begin(self, name: str, *command: str, **environment: str) -> None:
        """A machine's process, with a folder of its own, and the secret that all share."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        inherited = {each: v for each, v in os.environ.items() if "PREFECT" not in each}
        ours = {"PREFECT_HOME": str(home), "HOSO_DATA": str(home), "HOSO_SECRET": KEY}
        ours |= environment
        with (home / "log").open("a") as journal:
            process = subprocess.Popen(
                command,
                cwd=weather.ROOT,
                env=inherited | ours,
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=subprocess.STDOUT,
            )
        self.processes[name] = process
        self.stack.callback(weather.end, process)

    def prefect(self) -> dict[str, str]:
        redis = f"redis://127.0.0.1:{self.redis}"
        return IN_PARTS | {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.server.prefect,
            "PREFECT_REDIS_MESSAGING_URL": f"{redis}/0",
            "PREFECT_SERVER_DOCKET_URL": f"{redis}/1",
        }

    def replica(self, number: int) -> None:
        port = str(self.replicas[number])
        command = ["start", "--no-services", "--host", "127.0.0.1", "--port", port]
        self.begin(f"replica-{number}", *PREFECT, *command, **self.prefect())

    def worker(self, number: int) -> None:
        self.begin(
            f"worker-{number}",
            *(sys.executable, "-m", "api.cli", "worker", "--json"),
            HOSO_DATABASE=self.server.application.replace("+asyncpg", ""),
            HOSO_PREFECT_API=f"http://127.0.0.1:{self.replicas[number]}/api",
        )

    def api(self, number: int) -> None:
        serving = ["--http", "api.heads:Heads", "--host", "127.0.0.1"]
        serving += ["--port", str(self.apis[number])]
        self.begin(
            f"api-{number}",
            *(sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app", *serving),
            HOSO_DATABASE=self.server.application.replace("+asyncpg", ""),
        )

    def said(self, name: str) -> str:
        return (self.folder / name / "log").read_text()[-3_000:]

    def until(self, holds: Callable[[], object], name: str = "") -> None:
        """Whatever does not answer yet is asked again."""
        since = time.monotonic()
        while True:
            with suppress(httpx.HTTPError):
                if holds():
                    return
            if name and self.processes[name].poll() is not None:
                pytest.fail(f"{name} ended: {self.said(name)}")
            if time.monotonic() - since > SLOW:
                pytest.fail(f"it never came: {name and self.said(name)}")
            time.sleep(0.1)

    def asked(self, replica: int, path: str, **body: Any) -> Any:
        """Prefect's answer, of that replica."""
        address = f"http://127.0.0.1:{self.replicas[replica]}/api/{path}"
        return httpx.post(address, json=body, timeout=20).raise_for_status().json()

    def ready(self, replica: int) -> bool:
        port = self.replicas[replica]
        return httpx.get(f"http://127.0.0.1:{port}/api/ready", timeout=5).status_code == 200

    def open(self, number: int, api: int) -> str:
        """Receive a dossier at that API; the same number is the same act, wherever it is asked."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.apis[api]}/v1/dossiers",
            headers={
                "Authorization": f"Bearer {self.token}",
                "Idempotency-Key": f"act-{number}",
            },
            json={
                "event": "receive",
                "procedure": BY_ITSELF,
                "channel": "counter",
                "applicant": f"Nguyễn Văn {number}",
                "components": {"don": FILE},
            },
            timeout=30,
        )
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["code"])

    @cached_property
    def token(self) -> str:
        """Of the clerk at the counter, as scripts get it."""
        given = {"HOSO_DATABASE": self.server.application, "HOSO_SECRET": KEY}
        hoso = [sys.executable, "-m", "api.cli", "user"]
        for last in (["add", CLERK, "--no-password"], ["token", CLERK]):
            told = subprocess.run(
                [*hoso, *last],
                env=os.environ | given,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                cwd=weather.ROOT,
            )
        return told.stdout.strip()

    def table(self, query: str) -> list[str]:
        """Asked of the database itself."""
        from states.embedded import program

        told = subprocess.run(
            [program("psql"), "-XqAt", "-h", self.server.socket, "-U", "postgres", "hoso"],
            input=query,
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.split()

    def driven(self) -> int:
        return int(self.table("SELECT count(*) FROM dossier WHERE state = 'processing'")[0])


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """In the order of docs/operate.md: databases, Redis, migrations, Prefect, workers, APIs."""
    from states import db

    with (
        tempfile.TemporaryDirectory(prefix="hoso-", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
        tempfile.TemporaryDirectory(prefix="fleet-", ignore_cleanup_errors=True) as homes,
        ExitStack() as stack,
    ):
        ports = weather.free_ports(5)
        made = Fleet(server, Path(homes), ports[0], (*ports[1:3],), (*ports[3:],), stack)
        assert REDIS is not None
        made.begin("redis", REDIS, "--port", str(made.redis), "--bind", "127.0.0.1", "--save", "")
        made.begin("upgrade", *PREFECT, "database", "upgrade", "-y", **made.prefect())
        db.migrate(server.owner)
        seeded(server.owner)
        assert made.processes["upgrade"].wait(SLOW) == 0, made.said("upgrade")
        made.replica(0)  # alone: of two that begin on a new database, one fails over the other
        for number in (0, 1):
            made.api(number)
        made.until(lambda: made.ready(0), "replica-0")
        made.replica(1)
        made.begin("services", *PREFECT, "services", "start", **made.prefect())
        made.worker(0)
        made.until(lambda: made.ready(1), "replica-1")
        made.worker(1)
        made.until(lambda: len(workers(made, 1)) == 2, "worker-1")
        yield made


def workers(fleet: Fleet, replica: int) -> list[str]:
    told = fleet.asked(replica, "work_pools/hoso/workers/filter")
    return [each["name"] for each in told if each["status"] == "ONLINE"]


def runs(fleet: Fleet, replica: int, flow: str) -> dict[str, Any]:
    asked = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_DESC"}
    return {each["id"]: each for each in fleet.asked(replica, "flow_runs/filter", **asked)}


def ordered(fleet: Fleet, replica: int, flow: str) -> str:
    """A run that somebody asks for at that replica; its number."""
    found = fleet.asked(replica, "deployments/filter", flows={"name": {"any_": [flow]}})
    return str(fleet.asked(replica, f"deployments/{found[0]['id']}/create_flow_run")["id"])


def completed(fleet: Fleet, replica: int, flow: str, numbers: set[str]) -> bool:
    told = runs(fleet, replica, flow)
    return numbers <= {each for each, run in told.items() if run["state_type"] == "COMPLETED"}


def opened(fleet: Fleet, numbers: range) -> list[str]:
    """Dossiers come in at both APIs, eight at a time."""
    with ThreadPoolExecutor(8) as people:
        return list(people.map(lambda n: fleet.open(n, n % 2), numbers))


def verified(fleet: Fleet, count: int, machine: str) -> None:
    """`hoso verify` holds, whoever signed, and every dossier went its way once."""
    once = "SELECT DISTINCT string_agg(event, '>' ORDER BY seq) FROM entry GROUP BY dossier_id"
    assert fleet.table(once) == ["receive>digitise>route>accept"]
    assert fleet.table("SELECT count(*), count(DISTINCT applicant) FROM dossier") == [
        f"{count}|{count}"
    ]
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "verify", "--json"],
        cwd=weather.ROOT,
        env=os.environ
        | {
            "HOSO_DATABASE": fleet.server.application.replace("+asyncpg", ""),
            "HOSO_DATA": str(fleet.folder / machine),
            "HOSO_SECRET": KEY,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(told.stdout)
    assert (report["dossiers"], report["faults"]) == (count, [])


def test_a_killed_worker_is_missed_by_nobody(fleet: Fleet) -> None:
    with ThreadPoolExecutor(1) as counter:
        coming = counter.submit(opened, fleet, range(FIRST))
        fleet.until(lambda: coming.done() or fleet.driven() >= FIRST // 4)
        fleet.processes["worker-0"].send_signal(signal.SIGKILL)
        assert fleet.driven() < FIRST
        codes = coming.result()
    fleet.until(lambda: fleet.driven() == FIRST, "worker-1")
    assert fleet.open(3, api=0) == fleet.open(3, api=1) == codes[3]  # the same act, the same answer
    verified(fleet, FIRST, "worker-0")


def test_what_ran_is_seen_at_either_replica_and_what_is_ordered_runs_once(fleet: Fleet) -> None:
    fleet.until(
        lambda: any(run["state_type"] == "COMPLETED" for run in runs(fleet, 1, "drive").values())
    )
    assert runs(fleet, 0, "drive").keys() == runs(fleet, 1, "drive").keys()
    asked = {ordered(fleet, n % 2, "drive") for n in range(4)}
    for replica in (0, 1):
        fleet.until(lambda: completed(fleet, replica, "drive", asked), "worker-1")  # noqa: B023
    assert {runs(fleet, 0, "drive")[each]["run_count"] for each in asked} == {1}


def test_prefect_away_keeps_nobody_waiting_and_back_it_is_found_again(fleet: Fleet) -> None:
    for name in ("services", "replica-0", "replica-1"):
        fleet.processes[name].kill()
        fleet.processes[name].wait()
    since = time.monotonic()
    opened(fleet, range(FIRST, FIRST + THEN))
    fleet.until(lambda: fleet.driven() == FIRST + THEN, "worker-1")
    assert time.monotonic() - since < 30
    verified(fleet, FIRST + THEN, "worker-1")
    fleet.replica(1)
    fleet.until(lambda: fleet.ready(1), "replica-1")
    number = ordered(fleet, 1, "drive")
    fleet.until(lambda: completed(fleet, 1, "drive", {number}), "worker-1")
