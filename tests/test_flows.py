"""Flows: thin, safe to run twice, and real runs on a real Prefect server."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from book import FILE, UNIT
from foreign_files import put
from office import address
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.settings import settings
from flows.deploying import listed
from flows.drive import drive
from flows.intake import intake
from flows.opening import NoDatabase, close, connections, moment, shown
from flows.sweep import sweep
from states import catalogue, ledger
from states.deadlines.rows import Alert
from states.embedded import Embedded
from states.errors import BadFile
from states.ledger import Act, Lodging
from states.tables import Dossier, Entry
from states.words import Channel, Event, Role, State

ROOT = Path(__file__).parents[1]
BOOK = catalogue.load()
BY_ITSELF = "2.000033"  # its first stage is taken in without a hand
NINE = datetime(2024, 3, 4, 2, tzinfo=UTC)  # on a Monday, in Hà Nội
EVENING = datetime(2024, 3, 4, 12, tzinfo=UTC)
MAP = """\
kind: dossiers
zone: Asia/Ho_Chi_Minh
code: Mã
received: Nhận
agency: {default: H42.05}
"""
TABLE = "Mã,Nhận\nA-1,2024-03-04T08:00\nA-2,nothing\nA-3,2024-03-05T08:00\n"


@pytest.fixture(autouse=True)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Flows work on the test's database."""
    engine: AsyncEngine = request.getfixturevalue("application")
    monkeypatch.setenv("HOSO_DATABASE", address(engine).replace("+asyncpg", ""))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A small table and its map."""
    return put(tmp_path, "a.csv", TABLE), put(tmp_path, "map.yaml", MAP)


async def receive(db: AsyncConnection, count: int = 1) -> None:
    papers = Lodging(unit=UNIT, procedure=BY_ITSELF, channel=Channel.counter, applicant="Ánh")
    brings = {"components": {"don": FILE}}
    act = Act(event=Event.receive, actor="a", role=Role.reception, at=NINE, payload=brings)
    for _ in range(count):
        await ledger.open_(db, BOOK, papers, act)


async def kept(engine: AsyncEngine, column: Any) -> list[Any]:
    async with engine.connect() as db:
        return list((await db.execute(sa.select(column))).scalars())


# The work alone -------------------------------------------------------------------------------


async def test_drive_fires_what_is_open_and_then_nothing(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await receive(db, 3)
    assert await drive.fn(NINE.replace(hour=1)) == dict.fromkeys(
        ("lapse", "digitise", "route", "accept"), 0
    )  # before they came
    assert await drive.fn(NINE) == {"lapse": 0, "digitise": 3, "route": 3, "accept": 3}
    assert set(await kept(fresh, Dossier.state)) == {State.processing}
    lines = await kept(fresh, Entry.seq)
    assert sum((await drive.fn(NINE)).values()) == 0
    assert await kept(fresh, Entry.seq) == lines
    await close()


async def test_drive_goes_on_until_nothing_is_open(fresh: AsyncEngine) -> None:
    """More than a batch: several lanes share the rest, and none is left or moved twice."""
    from states.ledger import driving

    async with fresh.begin() as db:
        await receive(db, 23)
        assert await driving.anything_open(db, NINE)
        assert not await driving.anything_open(db, NINE.replace(hour=1))
    moved = await driving.drive(fresh, BOOK, NINE, batch=4, lanes=3)
    assert moved == {Event.lapse: 0, Event.digitise: 23, Event.route: 23, Event.accept: 23}
    async with fresh.connect() as db:
        assert not await driving.anything_open(db, EVENING)
        report = await ledger.verify(db, BOOK)
    assert (report.faults, report.entries) == ([], 23 * 4)


async def test_sweep_tells_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await receive(db, 2)
    late = datetime(2024, 3, 6, tzinfo=UTC)
    assert set((await sweep.fn(NINE)).values()) == {0}
    told = await sweep.fn(late)
    assert (told["term-near"], told["term-late"]) == (2, 2)
    assert set((await sweep.fn(late)).values()) == {0}
    assert len(await kept(fresh, Alert.rule)) == sum(told.values())
    await close()


async def test_intake_imports_and_tells_how_far(
    fresh: AsyncEngine, files: tuple[Path, Path]
) -> None:
    seen: list[int] = []
    tally = await intake.fn(*files, seen.append)
    assert (tally.taken, tally.known, [each.code for each in tally.refused]) == (2, 0, ["A-2"])
    assert seen[-1] == len(TABLE.encode())
    assert set(await kept(fresh, Dossier.source)) == {"a.csv"}
    assert set(await kept(fresh, Dossier.calendar)) == {"vn"}  # the centre's, for none is mapped
    again = await intake.fn(*files)
    assert (again.taken, again.known) == (0, 2)
    await close()


async def test_a_file_that_cannot_be_begun_imports_nothing(
    fresh: AsyncEngine, files: tuple[Path, Path], tmp_path: Path
) -> None:
    for file, by in ((tmp_path / "none.csv", files[1]), (files[0], tmp_path / "none.yaml")):
        with pytest.raises(BadFile, match=r"none\."):
            await intake.fn(file, by)
    assert await kept(fresh, Dossier.id) == []
    await close()


# Opening ------------------------------------------------------------------------------------


async def test_without_a_database_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSO_DATABASE")
    settings.cache_clear()
    with pytest.raises(NoDatabase, match="start `hoso up`"):
        await drive.fn(NINE)


async def test_runs_of_one_process_share_their_connections() -> None:
    first = connections()
    assert connections() is first
    await close()
    assert connections() is not first
    await close()
    await close()  # nothing kept: nothing to do


def test_a_run_stands_for_the_moment_it_is_told_or_for_now() -> None:
    assert moment(NINE) is NINE
    assert abs((moment(None) - datetime.now(UTC)).total_seconds()) < 5


def test_runs_show_only_where_there_is_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert not shown()
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert shown()


# Real runs ----------------------------------------------------------------------------------

RUNS = """
import asyncio, json, sys
from datetime import datetime
from pathlib import Path
from config import log
log.configure("json")
from prefect.flows import load_flow_from_entrypoint
from flows.drive import drive
from flows.intake import intake
from flows.opening import close
from flows.sweep import sweep

async def main():
    at, file, by, *entrypoints = sys.argv[1:]
    told = {
        "drive": await drive(datetime.fromisoformat(at)),
        "sweep": await sweep(datetime.fromisoformat(at)),
        "intake": (await intake(Path(file), Path(by), lambda n: None)).taken,
        "loaded": [load_flow_from_entrypoint(each).name for each in entrypoints],
    }
    await close()
    print(json.dumps(told))

asyncio.run(main())
"""


def asked(api: str, what: str) -> Any:
    """All of a kind that the server knows."""
    request = urllib.request.Request(
        f"{api}/{what}/filter", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.prefect
async def test_real_runs_on_a_real_server(
    server: Embedded, fresh: AsyncEngine, files: tuple[Path, Path], tmp_path: Path
) -> None:
    from flows.server import environment, serving

    async with fresh.begin() as db:
        await receive(db, 2)
    told = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    entrypoints = [each["entrypoint"] for each in told["deployments"]]

    def served() -> tuple[subprocess.CompletedProcess[str], Any, Any]:
        with serving(tmp_path, server.prefect, 0) as prefect:
            done = subprocess.run(
                [sys.executable, "-c", RUNS, EVENING.isoformat(), *map(str, files), *entrypoints],
                cwd=ROOT,
                env=os.environ | environment(prefect.api, prefect.home),
                capture_output=True,
                text=True,
                check=False,
            )
            names = {each["id"]: each["name"] for each in asked(prefect.api, "flows")}
            return done, names, asked(prefect.api, "flow_runs")

    done, names, runs = await asyncio.to_thread(served)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["drive"] == {"lapse": 0, "digitise": 2, "route": 2, "accept": 2}
    assert (told["sweep"]["term-near"], told["sweep"]["term-late"]) == (2, 0)
    assert told["intake"] == 2
    assert told["loaded"] == [each.flow.name for each in listed()]  # as `prefect deploy` finds them
    by_flow = {names[run["flow_id"]]: run for run in runs}
    assert set(by_flow) == {"drive", "sweep", "intake"}
    assert {run["state_name"] for run in runs} == {"Completed"}
    assert {run["name"] for run in runs} == {
        "drive 2024-03-04 19:00",
        "sweep 2024-03-04 19:00",
        f"intake {files[0].name}",
    }
    for name in ("drive", "sweep"):
        at = by_flow[name]["parameters"]["at"]
        assert datetime.fromisoformat(at) == EVENING
    parameters = by_flow["intake"]["parameters"]
    assert (parameters["file"], parameters["by"]) == tuple(map(str, files))
    states = await kept(fresh, Dossier.state)
    assert states == [State.processing] * 4
