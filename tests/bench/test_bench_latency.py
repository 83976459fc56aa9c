"""What nobody waits for and nobody pays for: an automatic move, and a night without any.

A real worker beside a real Prefect server. The burst of many moves is in `test_bench_sets`.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles

import pytest
import sqlalchemy as sa
from crowd import gather
from measures import ROUNDS, Figure, Figures
from sqlalchemy.ext.asyncio import AsyncEngine

from flows import server
from states import catalogue
from states.db import engine, transaction
from states.embedded import Embedded
from states.ledger import Act, Lodging, open_
from states.ledger.statements import d
from states.words import Channel, Event, Role, State

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="/proc tells of processes"),
]

PROCEDURE = "1.005092"  # its first stage takes dossiers in by itself
TRICKLED = 12  # dossiers a round, one after the other
APART = (0.2, 1.5)  # seconds between two of them
PROMISED = 2.0  # seconds until an automatic move follows what enabled it
SETTLED = 20.0  # seconds until what a start sets going is over
AT_REST = 12.0  # seconds a round, so a minute in all
SPARE = 5.0  # hundredths of a core


@dataclass(frozen=True)
class House:
    """What runs: a worker, the server and Postgres, by their first processes."""

    pids: tuple[int, ...]
    database: Embedded


@pytest.fixture(scope="module")
def house(durable: Embedded) -> Iterator[House]:
    gather(durable.owner, 1, PROCEDURE)
    with (
        server.serving(durable.data, durable.prefect, port=0) as prefect,
        working(durable, prefect.api) as worker,
    ):
        postgres = (durable.data / "postgres" / "postmaster.pid").read_text().split()[0]
        time.sleep(SETTLED)
        yield House((worker.pid, prefect.process.pid, int(postgres)), durable)


@contextmanager
def working(durable: Embedded, api: str) -> Iterator[subprocess.Popen[bytes]]:
    told = {"HOSO_DATABASE": durable.application, "HOSO_PREFECT_API": api}
    with (durable.data / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "worker"],
            env=os.environ | told | {"HOSO_DATA": str(durable.data)},
            stdout=log,
            stderr=log,
        )
        try:
            yield worker
        finally:
            worker.terminate()
            worker.wait()


def test_an_automatic_move_follows_soon(house: House, figures: Figures) -> None:
    rounds = []
    for _ in range(ROUNDS):
        took = asyncio.run(trickle(house.database))
        rounds.append((quantiles(took, n=20, method="inclusive")[-1], PROMISED))
    figures.add(
        Figure(
            row=4,
            what="An automatic move after what enabled it, 95th percentile",
            unit="s",
            beside="the promise",
            rounds=rounds,
            target="< 2 s",
            reached=lambda figure: max(ours for ours, _ in figure.rounds) < PROMISED,
        )
    )


async def trickle(database: Embedded) -> list[float]:
    """Seconds from the commit of a receipt to the dossier being in process, one after the other."""
    connections, chance = engine(database.application, 2), Random(7)
    took = []
    for _ in range(TRICKLED):
        await asyncio.sleep(chance.uniform(*APART))
        code = await received(connections)
        since = time.perf_counter()
        while not await is_in_process(connections, code):  # noqa: ASYNC110  nobody sets an Event
            await asyncio.sleep(0.01)
        took.append(time.perf_counter() - since)
    await connections.dispose()
    return took


async def received(connections: AsyncEngine) -> str:
    book = catalogue.load()
    files = {each.code: "0" * 64 for each in book.procedure(PROCEDURE).components}
    papers = Lodging(unit="H42.14", procedure=PROCEDURE, channel=Channel.counter, applicant="Ánh")
    act = Act(
        event=Event.receive,
        actor="a clerk",
        role=Role.reception,
        at=datetime.now(UTC),
        payload={"components": files},
    )
    async with transaction(connections) as db:
        return (await open_(db, book, papers, act)).code


async def is_in_process(connections: AsyncEngine, code: str) -> bool:
    async with connections.connect() as db:
        state = await db.scalar(sa.select(d.state).where(d.code == code))
    return state is State.processing


def test_at_rest_next_to_nothing_is_used(house: House, figures: Figures) -> None:
    rounds = []
    for _ in range(ROUNDS):
        before, since = cpu(house.pids), time.monotonic()
        time.sleep(AT_REST)
        rounds.append((100 * (cpu(house.pids) - before) / (time.monotonic() - since), SPARE))
    figures.add(
        Figure(
            row=4,
            what="Worker, Prefect and Postgres at rest",
            unit="% of a core",
            beside="the promise",
            rounds=rounds,
            target="< 5 %",
            reached=lambda figure: figure.measured < SPARE,
        )
    )


def cpu(pids: Iterable[int]) -> float:
    """Seconds of a processor that these and all they began have used, the ended ones too."""
    ticks = 0
    for pid in pids:
        for each in family(pid):
            ticks += sum(map(int, stat(each)[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process, and all that came of it."""
    parents: dict[int, list[int]] = {}
    for each in Path("/proc").iterdir():
        if each.name.isdecimal() and (facts := stat(int(each.name))):
            parents.setdefault(int(facts[1]), []).append(int(each.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def stat(pid: int) -> list[str]:
    """The facts of a process after its name, which may hold anything; none of one that ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
