"""Prefect: each flow has its deployment, its schedule and its table, and a worker runs it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
import yaml
from databases import alone, run_as_owner
from hypothesis import given
from hypothesis import strategies as st
from office import address
from prefect import Flow
from prefect._vendor.croniter import croniter
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule
from prefect.context import FlowRunContext
from prefect.states import Running
from sqlalchemy.ext.asyncio import AsyncEngine
from test_worker import processing, receive, until
from weather import free_ports

from api.cli import keeping
from flows import deploying, orphans, telling
from flows.cron import came_round, is_frequent
from flows.pool import Pool, latest
from flows.server import serving
from flows.telling import Happening, tell
from states.embedded import Embedded
from states.ledger.statements import d, dossier

ROOT = Path(__file__).parents[1]
ZONE = "Asia/Ho_Chi_Minh"
NOON = datetime(2024, 3, 4, 5, tzinfo=UTC)
NOT_DEPLOYED = {"intake"}  # its file is on the machine of who calls it
PAUSED = 2  # of them, by the scene above
WAITING = {"any_": ["Scheduled"]}
SLOW = 60.0  # seconds: what takes longer never comes


# The list ---------------------------------------------------------------------------------------


def flows() -> dict[str, Flow[..., Any]]:
    """Every flow of the folder, by its name."""
    files = (ROOT / "flows").glob("*.py")
    modules = (import_module(f"flows.{file.stem}") for file in files if file.stem != "__init__")
    found = (each for module in modules for each in vars(module).values())
    return {each.name: each for each in found if isinstance(each, Flow)}


def test_every_flow_is_deployed_once() -> None:
    names = [each.flow.name for each in deploying.listed()]
    assert sorted(names) == sorted(flows().keys() - NOT_DEPLOYED)
    assert all(each.flow is flows()[each.flow.name] for each in deploying.listed())


def test_every_deployment_is_described_and_tagged() -> None:
    for each in deploying.listed():
        assert each.description.endswith(".")
        assert "hoso" in each.tags
        assert each.parameters["properties"].keys() == signature(each.flow.fn).parameters.keys()
        for parameter in each.parameters["properties"].values():
            assert parameter["description"].endswith(".")


def test_every_schedule_is_in_local_time_and_prefect_can_read_it() -> None:
    for each in deploying.listed():
        slugs = [when.slug for when in each.schedules]
        assert len(set(slugs)) == len(slugs) >= 1
        for when in each.schedules:
            assert when.timezone == ZONE
            assert CronSchedule(cron=when.cron, timezone=when.timezone).cron == when.cron


def test_the_file_is_of_the_prefect_that_is_locked_and_of_one_pool() -> None:
    told = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    assert told["prefect-version"] == version("prefect")
    assert {each["work_pool"]["name"] for each in told["deployments"]} == {deploying.POOL}


def test_a_version_tells_one_definition_from_another() -> None:
    first, second, *_ = deploying.listed()
    assert first.version == deploying.listed()[0].version != second.version


# The clock of a worker alone ----------------------------------------------------------------------

OURS = sorted({when.cron for each in deploying.listed() for when in each.schedules})
ODD = ["0 0 1 * *", "5,35 1-23/2 * * *", "0 9 1 1,7 0", "30 6 * * 7", "0 8 13 * 5"]
CRONS = st.sampled_from([*OURS, *ODD])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(
    lambda each: each.replace(tzinfo=UTC)
)


@given(CRONS, MOMENTS, st.integers(1, 7_200) | st.just(3 * 86_400))
def test_schedules_come_round_when_prefect_says(cron: str, at: datetime, back: int) -> None:
    from zoneinfo import ZoneInfo

    since = at - timedelta(seconds=back)
    last = croniter(cron, at.astimezone(ZoneInfo(ZONE)) + timedelta(microseconds=1))
    previous = last.get_prev(datetime)
    looked_back = max(since, (at - timedelta(days=2)).replace(second=0, microsecond=0))
    assert came_round(cron, ZONE, since, at) == (previous > looked_back)


def test_what_is_not_of_cron_is_said() -> None:
    for cron in ("61 * * * *", "* 7-30 * * *", "5-1 * * * *", "x * * * *"):
        with pytest.raises(ValueError, match=r"no field of cron|invalid literal"):
            came_round(cron, ZONE, NOON, NOON + timedelta(minutes=1))


def test_what_comes_round_in_many_hours_is_frequent() -> None:
    assert is_frequent("*/5 7-18 * * 1-6")
    assert is_frequent("0 * * * *")
    assert not is_frequent("0 2 * * *")


# What is taken ------------------------------------------------------------------------------------


def due(minute: int, deployment: Any, *, scheduled: bool = True) -> FlowRun:
    return FlowRun(
        flow_id=uuid4(),
        deployment_id=deployment,
        auto_scheduled=scheduled,
        next_scheduled_start_time=NOON + timedelta(minutes=minute),
    )


def test_after_a_pause_the_latest_of_each_schedule_does_the_work_of_all() -> None:
    one, other = uuid4(), uuid4()
    runs = [due(each, one) for each in (5, 0, 10)] + [due(3, other)]
    by_hand = [due(each, one, scheduled=False) for each in (1, 2)]
    taken, needless = latest([*runs, *by_hand])
    assert [each.id for each in taken] == [
        each.id
        for each in (*by_hand, runs[3], runs[2])  # in the order of their times
    ]
    assert {each.id for each in needless} == {runs[0].id, runs[1].id}
    assert latest([]) == ([], [])


# What a run says ----------------------------------------------------------------------------------


@dataclass
class Heard:
    """A client that keeps what it is told; `away`: it refuses."""

    artifacts: list[Any]
    events: list[Any]
    away: bool = False

    async def create_artifact(self, artifact: Any) -> Any:
        if self.away:
            raise httpx.ConnectError("nobody there")
        self.artifacts.append(artifact)
        return artifact

    async def request(
        self, method: str, path: str, params: Any = None, path_params: Any = None, **known: Any
    ) -> httpx.Response:
        assert (method, path) == ("POST", "/events")
        self.events += known["json"]
        return httpx.Response(204, request=httpx.Request(method, "http://prefect/api/events"))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    client = Heard([], [])

    class Known:
        async def __aenter__(self) -> Any:
            return SimpleNamespace(client=client)

        async def __aexit__(self, *_: object) -> None:
            return None

    monkeypatch.setenv("PREFECT_API_URL", "http://prefect/api")
    monkeypatch.setattr(telling.AsyncClientContext, "get_or_create", Known)
    yield client
    telling._UNTOLD.clear()


@pytest.fixture
def in_a_run(monkeypatch: pytest.MonkeyPatch) -> FlowRun:
    run = FlowRun(flow_id=uuid4(), name="a run")
    context = SimpleNamespace(flow_run=run)
    monkeypatch.setattr(FlowRunContext, "get", classmethod(lambda cls: context))
    return run


def rows(artifact: Any) -> dict[str, int]:
    return {each["what"]: each["how many"] for each in json.loads(artifact.data)}


async def test_a_run_leaves_its_table_under_the_key_of_its_flow(
    heard: Heard, in_a_run: FlowRun
) -> None:
    await tell("drive", {"accept": 3, "route": 0}, dossiers=["H42-1", "H42-2"])
    await tell("drive", {"accept": 1}, dossiers=["H42-3"])
    first, second = heard.artifacts
    assert first.key == second.key == "hoso-drive"
    assert rows(first) == {"accept": 3, "route": 0}
    assert first.description == "Dossiers: H42-1, H42-2"
    assert (rows(second), second.description) == ({"accept": 1}, "Dossiers: H42-3")
    assert heard.events == []


@pytest.mark.parametrize("many", [0, 1, 50, 51, 5_000])
async def test_events_are_one_by_one_up_to_fifty_and_then_a_number(
    many: int, heard: Heard, in_a_run: FlowRun
) -> None:
    breaches = [Happening("hoso.breach", f"H42-{n}", {"minutes": n}) for n in range(many)]
    await tell("sweep", {"breach": many}, breaches)
    ones = [each for each in heard.events if each["event"] == "hoso.breach"]
    others = [each for each in heard.events if each["event"] == "hoso.breach.many"]
    assert len(ones) == min(many, 50)
    assert [each["payload"] for each in others] == (
        [{"count": many, "shown": 50}] if many > 50 else []
    )
    for n, each in enumerate(ones):
        assert each["resource"]["prefect.resource.id"] == f"hoso.dossier.H42-{n}"
        assert each["payload"] == {"minutes": n}
        assert each["related"][0]["prefect.resource.id"] == f"prefect.flow-run.{in_a_run.id}"


async def test_of_very_many_the_first_and_their_number_are_enough(
    heard: Heard, in_a_run: FlowRun
) -> None:
    heard.away = True
    few = [Happening("hoso.change-applied", f"H42-{n}") for n in range(3)]
    await tell("recompute", {"change 1": 300_000}, few, kinds={"hoso.change-applied": 300_000})
    heard.away = False
    await tell("recompute", {"change 2": 2}, few[:2], kinds={"hoso.change-applied": 2})
    *ones, rest = heard.events
    assert [each["event"] for each in ones] == ["hoso.change-applied"] * 5
    assert rest["event"] == "hoso.change-applied.many"
    assert rest["payload"] == {"count": 300_002, "shown": 5}


async def test_what_no_run_showed_is_told_with_the_next(
    heard: Heard, in_a_run: FlowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard.away = True
    await tell("sweep", {"alert": 2}, [Happening("hoso.alert", "H42-1")])  # nothing is raised
    with monkeypatch.context() as unshown:
        unshown.setattr(FlowRunContext, "get", classmethod(lambda cls: None))
        await tell("sweep", {"alert": 1, "breach": 1}, [Happening("hoso.breach", "H42-2")])
        await tell("drive", {"accept": 9})
    heard.away = False
    await tell("sweep", {"alert": 1})
    await tell("sweep", {"alert": 0})
    assert [rows(each) for each in heard.artifacts] == [{"alert": 4, "breach": 1}, {"alert": 0}]
    assert [each["event"] for each in heard.events] == ["hoso.alert", "hoso.breach"]
    assert telling._UNTOLD.keys() == {"drive"}


async def test_without_a_server_nothing_is_kept(
    heard: Heard, in_a_run: FlowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL")
    await tell("sweep", {"alert": 1}, [Happening("hoso.alert", "H42-1")])
    assert (heard.artifacts, heard.events, telling._UNTOLD) == ([], [], {})


# A real server and a real worker ------------------------------------------------------------------

DOCS = (ROOT / "docs" / "operate.md").read_text()


@dataclass
class Prefect:
    """A server, asked as its own pages ask it."""

    api: str

    def ask(self, path: str, body: Any = None, method: str = "POST") -> Any:
        request = urllib.request.Request(
            self.api + path,
            data=None if method == "GET" else json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer) if answer.status != 204 else None

    def deployment(self, name: str) -> Any:
        return self.ask(f"/deployments/name/{name}", method="GET")

    def run(self, number: str) -> Any:
        return self.ask(f"/flow_runs/{number}", method="GET")

    def started(self, name: str) -> str:
        """What a person does by “Quick run”; the run's number."""
        deployment = self.deployment(name)["id"]
        return str(self.ask(f"/deployments/{deployment}/create_flow_run")["id"])

    async def ended(self, number: str) -> Any:
        """The run, once it is over."""

        async def over() -> bool:
            told = await asyncio.to_thread(self.run, number)
            return told["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

        await until(over, most=SLOW)
        return self.run(number)


@pytest.fixture(scope="module")
def prefect_database(server: Embedded) -> str:
    """An empty database of its own: other tests count the runs of theirs."""
    name = f"prefect_deployments_{os.getpid()}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name}")
    where = server.address(name, "postgres")

    async def extended() -> None:
        import asyncpg

        connection = await asyncpg.connect(where.replace("+asyncpg", ""))
        await connection.execute("CREATE EXTENSION pg_trgm")
        await connection.close()

    asyncio.run(extended())
    return where


@contextmanager
def working(prefect: Any, engine: AsyncEngine, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`hoso worker`, as on any machine that reaches the database and the server."""
    told = {
        "HOSO_DATABASE": address(engine).replace("+asyncpg", ""),
        "HOSO_DATA": str(data),
        "HOSO_PREFECT_API": prefect.api,
        "HOSO_LOG_FORMAT": "json",
    }
    with (data / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "worker"],
            cwd=ROOT,
            env=os.environ | told,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.mark.weather
@pytest.mark.prefect
async def test_a_worker_registers_runs_tells_and_outlives_the_server(
    prefect_database: str, fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    """One long scene: its server takes ten seconds to come up."""
    port = free_ports(1)[0]
    kept = keeping.Prefect(partial(serving, tmp_path, prefect_database, port))
    prefect = Prefect(f"http://127.0.0.1:{port}/api")
    async with AsyncExitStack() as stack:
        worker = stack.enter_context(working(prefect, fresh, tmp_path))
        await said(tmp_path, "worker.started")  # there is no server yet: it is found later
        stack.enter_context(kept)
        await said(tmp_path, "prefect.here")
        await everything_is_registered(prefect)
        await a_run_by_hand_is_run_in_the_worker(prefect, worker)
        await what_the_ledger_wakes_shows_under_its_deployment(prefect, fresh)
        await the_automation_of_the_docs_acts(prefect, fresh, owner)
        await what_a_dead_worker_left_is_called_crashed(prefect)
        await what_the_scheduler_lets_pass_is_seen(prefect)
        kept.server.process.kill()
        kept.server.process.wait()
        await nobody_waits_for_the_watcher(fresh)
        await asyncio.to_thread(kept.look)  # as `hoso up` does
        assert (await prefect.ended(prefect.started("drive/net")))["state_name"] == "Completed"
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, SLOW) == 0
        assert not workers(prefect, worker.pid)  # it took its leave


async def said(data: Path, event: str) -> None:
    """The worker's log tells it."""

    async def told() -> bool:
        return f'"event":"{event}"' in (data / "worker.log").read_text()

    await until(told, most=SLOW)


def workers(prefect: Prefect, pid: int) -> list[Any]:
    known = prefect.ask("/work_pools/hoso/workers/filter")
    return [each for each in known if f"-{pid}-" in each["name"]]


async def everything_is_registered(prefect: Prefect) -> None:
    known = {each["name"]: each for each in prefect.ask("/deployments/filter")}
    assert known.keys() == {each.name for each in deploying.listed()}
    for ours in deploying.listed():
        theirs = known[ours.name]
        assert (theirs["work_pool_name"], theirs["description"]) == ("hoso", ours.description)
        assert theirs["parameter_openapi_schema"] == ours.parameters
        assert [each["schedule"]["timezone"] for each in theirs["schedules"]] == [ZONE]
    await asyncio.to_thread(a_pause_is_kept, prefect)


def a_pause_is_kept(prefect: Prefect) -> None:
    """What a person paused stays so, also when the definition changes."""
    number = prefect.deployment("sweep/deadlines")["id"]
    paused = prefect.deployment("notify/notices")
    schedule = paused["schedules"][0]["id"]
    path = f"/deployments/{paused['id']}/schedules/{schedule}"
    prefect.ask(path, {"active": False}, "PATCH")
    prefect.ask(f"/deployments/{number}", {"version": "older"}, "PATCH")
    prefect.ask(f"/deployments/{paused['id']}", {"version": "older"}, "PATCH")

    async def again() -> dict[str, Any]:
        async with PrefectClient(prefect.api) as client:
            return await deploying.register(client)

    assert str(asyncio.run(again())["sweep"]) == number  # the same deployment, changed
    assert prefect.deployment("sweep/deadlines")["version"] != "older"
    after = prefect.deployment("notify/notices")
    assert (after["version"] != "older", after["schedules"][0]["active"]) == (True, False)


async def a_run_by_hand_is_run_in_the_worker(
    prefect: Prefect, worker: subprocess.Popen[bytes]
) -> None:
    run = await prefect.ended(prefect.started("sweep/deadlines"))
    assert run["state_name"] == "Completed"
    assert f"-{worker.pid}-" in run["labels"]["prefect.worker.name"]
    assert workers(prefect, worker.pid)[0]["status"] == "ONLINE"
    assert children(worker.pid) == ""


def children(pid: int) -> str:
    """The processes it began, where the system tells."""
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return told.read_text() if told.exists() else ""


async def what_the_ledger_wakes_shows_under_its_deployment(
    prefect: Prefect, engine: AsyncEngine
) -> None:
    async with engine.begin() as db:
        await receive(db)
    await until(lambda: processing(engine))
    net = prefect.deployment("drive/net")["id"]

    async def shown() -> list[Any]:
        runs = prefect.ask("/flow_runs/filter", {"flow_runs": {"deployment_id": {"any_": [net]}}})
        return [each for each in runs if not each["auto_scheduled"]]

    async def complete() -> bool:
        return {each["state_name"] for each in await shown()} == {"Completed"}

    await until(complete)
    run = (await shown())[0]["id"]
    tables = {each["key"]: each for each in prefect.ask("/artifacts/filter")}
    assert tables["hoso-drive"]["flow_run_id"] == run
    counts = json.loads(tables["hoso-drive"]["data"])
    assert {each["what"]: each["how many"] for each in counts}["accept"] == 1


async def the_automation_of_the_docs_acts(
    prefect: Prefect, engine: AsyncEngine, owner: AsyncEngine
) -> None:
    """A forged projection, the nightly proof, its event, and figures are no longer frozen."""
    report = prefect.deployment("report/periods")["id"]
    told = re.search(r"```yaml\n(name: .*?)```", DOCS, re.DOTALL)
    assert told is not None
    prefect.ask("/automations/", yaml.safe_load(told[1].replace("REPORT-DEPLOYMENT", report)))
    async with owner.begin() as db:
        await db.execute(sa.update(dossier).values(due_at=d.due_at + timedelta(days=1)))
    await prefect.ended(prefect.started("classify/proof"))

    async def paused() -> bool:
        return bool(prefect.deployment("report/periods")["paused"])

    await until(paused, most=SLOW)
    async with owner.begin() as db:
        await db.execute(sa.update(dossier).values(due_at=d.due_at - timedelta(days=1)))


async def what_a_dead_worker_left_is_called_crashed(prefect: Prefect) -> None:
    async with PrefectClient(prefect.api) as client:
        left = await client.create_flow_run_from_deployment(
            prefect.deployment("drive/net")["id"],
            state=Running(),
            labels={orphans.WORKER: "killed-1-abcd"},
        )
        await client.send_worker_heartbeat(deploying.POOL, "asks", 30)
        await orphans.settle(client, "asks", [])
        await orphans.forget(client, "asks")
        await orphans.forget(client, "asks")  # gone already: nothing to do
    run = prefect.run(str(left.id))
    assert (run["state_name"], "killed-1-abcd" in run["state"]["message"]) == ("Crashed", True)


async def what_the_scheduler_lets_pass_is_seen(prefect: Prefect) -> None:
    """Where there is a run since, or somebody paused it, nothing is missing."""
    now, flow = datetime.now(UTC), flows()
    async with PrefectClient(prefect.api) as client:
        pool = Pool(client)
        pool._numbers = await deploying.register(client)
        assert not await pool.let_pass(flow["sweep"], now - timedelta(hours=1))  # by hand, above
        assert await pool.let_pass(flow["sweep"], now + timedelta(days=200))
        for paused in ("notify", "report"):  # a schedule, and a deployment
            assert not await pool.let_pass(flow[paused], now + timedelta(days=200))


async def nobody_waits_for_the_watcher(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        await receive(db)
    assert await until(lambda: processing(engine)) < SLOW / 4


@pytest.mark.prefect
@pytest.mark.xfail(
    sa.__version__ >= "2.1",
    reason="with SQLAlchemy 2.1 the scheduler of Prefect 3.8.8 cannot insert runs",
    run=False,
)
async def test_schedules_are_kept_by_the_server(prefect_database: str, tmp_path: Path) -> None:
    """Of the next hours, in the pages, and run when their time comes."""
    with serving(tmp_path, prefect_database, 0) as server:
        async with PrefectClient(server.api) as client:
            await deploying.register(client)
        prefect = Prefect(server.api)

        async def ahead() -> bool:
            runs = prefect.ask("/flow_runs/filter", {"flow_runs": {"state": {"name": WAITING}}})
            return len({each["deployment_id"] for each in runs}) >= len(deploying.listed()) - PAUSED

        await until(ahead, most=2 * SLOW)
