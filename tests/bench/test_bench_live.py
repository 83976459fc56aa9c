"""Thousands of listeners on one process: how soon they hear, what they cost.

All sockets are real. Half of them sit at the centre and hear every move; the others see what some
thirty other people see.
"""

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles

import pytest
from apart import apart
from crowd import MORNING, codes, gather
from listening import server
from measures import ROUNDS, Figure, Figures
from office import Signing

from states import catalogue
from states.catalogue import Person
from states.db import engine, transaction
from states.embedded import Embedded
from states.ledger import Act, move
from states.words import Event, Role

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells of memory"),
]

PROCEDURE = "1.003659"
LISTENERS = 2_000
OTHERS = 30  # people whose sights differ
AT_ONCE = 100  # listeners that come at a time
MOVES = 20  # a round, one after the other
APART = 0.25  # seconds between two of them
PROMISED = 1.0  # seconds from the commit to who hears it last but for one in twenty
SPARE = 200_000  # kB: a process with all its listeners
DIGITISED = Act(event=Event.digitise, actor="a clerk", role=Role.reception, at=MORNING)
CODE = re.compile(rb'"code":"([^"]+)","seq":(\d+)')


@dataclass
class Ears:
    """When each move was heard, by everybody who heard it."""

    heard: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    async def listen(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(65_536):
            now = time.perf_counter()
            for code, seq in CODE.findall(piece):
                self.heard.setdefault((code.decode(), int(seq)), []).append(now)


async def opened(
    port: int, token: str, limit: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream that has begun."""
    async with limit:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asking = "GET /v1/live HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\r\n"
        writer.write(asking.format(token).encode())
        assert b" 200 " in await reader.readline()
        await reader.readuntil(b"\nid: ")
        return reader, writer


@pytest.fixture(scope="module")
def serving(durable: Embedded) -> Iterator[Connection]:
    gather(durable.owner, ROUNDS * MOVES, PROCEDURE)
    folder = tempfile.mkdtemp(prefix="hoso-bench-api-")
    with apart(server, durable.application, folder) as line:
        yield line
    shutil.rmtree(folder)


def test_many_listeners_hear_soon(durable: Embedded, serving: Connection, figures: Figures) -> None:
    papers = codes(durable.owner, 1, ROUNDS * MOVES)
    before = asked(serving, "memory")
    delays, memory, processor = asyncio.run(told_to_many(durable, serving, papers))
    rounds = [quantiles(each, n=20, method="inclusive")[-1] for each in delays]
    figures.add(
        Figure(
            row=20,
            what=f"A move to {LISTENERS // 2:,} of {LISTENERS:,} listeners, 95th percentile",
            unit="s",
            beside="the promise",
            rounds=[(each, PROMISED) for each in rounds],
            target="< 1 s",
            reached=lambda figure: max(ours for ours, _ in figure.rounds) < PROMISED,
        )
    )
    figures.add(
        Figure(
            row=20,
            what=f"The process with {LISTENERS:,} listeners",
            unit="kB",
            beside="the promise",
            rounds=[(each, SPARE) for each in memory],
            target="< 200 MB",
            reached=lambda figure: figure.measured < SPARE,
        )
    )
    figures.add(
        Figure(
            row=20,
            what="The same, each listener",
            unit="kB",
            beside="the process without any",
            rounds=[((each - before) / LISTENERS, before) for each in memory],
        )
    )
    figures.add(
        Figure(
            row=20,
            what=f"Its processor, four moves a second to {LISTENERS // 2:,}",
            unit="% of a core",
            beside="a core",
            rounds=[(each, 100.0) for each in processor],
        )
    )


def asked(line: Connection, what: str) -> float:
    line.send(what)
    return float(line.recv())


async def told_to_many(
    durable: Embedded, line: Connection, papers: list[str]
) -> tuple[list[list[float]], list[float], list[float]]:
    """By round: how long each listener waited for each move, kB, and % of a core."""
    delays, memory, processor = [], [], []
    connections, book = engine(durable.application, 2), catalogue.load()
    async with listeners(durable, int(asked(line, "port"))) as ears:
        for n in range(ROUNDS):
            since, used = time.perf_counter(), asked(line, "processor")
            moved: dict[tuple[str, int], float] = {}
            for code in papers[n * MOVES :][:MOVES]:
                async with transaction(connections) as db:
                    paper = await move(db, book, code, DIGITISED)
                moved[code, paper.seq] = time.perf_counter()
                await asyncio.sleep(APART)
            await asyncio.sleep(2 * PROMISED)
            assert all(len(ears.heard[each]) == LISTENERS // 2 for each in moved)
            delays.append([at - moved[each] for each in moved for at in ears.heard[each]])
            memory.append(asked(line, "memory"))
            spent = asked(line, "processor") - used
            processor.append(100 * spent / (time.perf_counter() - since))
    await connections.dispose()
    return delays, memory, processor


@asynccontextmanager
async def listeners(durable: Embedded, port: int) -> AsyncIterator[Ears]:
    connections, ears = engine(durable.application, 2), Ears()
    signing = Signing(connections)
    tokens = [await signing.token(each.id) for each in people()]
    await connections.dispose()
    limit = asyncio.Semaphore(AT_ONCE)
    whose = (tokens[0] if n % 2 else tokens[1 + n // 2 % OTHERS] for n in range(LISTENERS))
    streams = await asyncio.gather(*(opened(port, token, limit) for token in whose))
    listening = [asyncio.create_task(ears.listen(reader)) for reader, _ in streams]
    yield ears
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    for _, writer in streams:
        writer.close()


def people() -> list[Person]:
    """One at the centre, who sees all, and others who see nothing of what is moved."""
    staff = catalogue.load().organisation
    counter = next(each for each in staff.people if each.holds(Role.reception))
    others = [
        each
        for each in staff.people
        if len(each.positions) == 1
        and each.positions[0].role in {Role.officer, Role.leader}
        and not each.positions[0].unit.startswith(("H42.03", "H42.14"))
    ]
    assert len(others) >= OTHERS
    return [counter, *others[:OTHERS]]
