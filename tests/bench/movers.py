"""A process full of clerks: each on a connection of their own, moving their own dossiers."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from multiprocessing.connection import Connection

from apart import asked
from crowd import MORNING
from sqlalchemy.ext.asyncio import AsyncEngine

from states import catalogue
from states.catalogue import Catalogue
from states.db import engine, transaction
from states.ledger import Act, move
from states.words import Event, Role

FORTH = Act(
    event=Event.advance,
    actor="an officer",
    role=Role.officer,
    at=MORNING,
    payload={"produced": ["Phiếu trình giải quyết"]},
)
BACK = Act(event=Event.send_back, actor="a leader", role=Role.leader, at=MORNING, reason="again")


def clerks(line: Connection, address: str, codes: Sequence[str], many: int) -> None:
    """Asked for a number of seconds, answers how long each move in that time took. Seconds."""
    asyncio.run(_clerks(line, address, codes, many))


async def _clerks(line: Connection, address: str, codes: Sequence[str], many: int) -> None:
    connections, book = engine(address, many), catalogue.load()
    todo = [_todo(codes[n::many]) for n in range(many)]
    for seconds in asked(line):
        end = time.perf_counter() + seconds
        each = (_clerk(connections, book, mine, end) for mine in todo)
        line.send([one for took in await asyncio.gather(*each) for one in took])
    await connections.dispose()


def _todo(codes: Sequence[str]) -> Iterator[tuple[str, Act]]:
    """Every dossier to its second stage, every one back, and again."""
    for act in cycle((FORTH, BACK)):
        for code in codes:
            yield code, act


async def _clerk(
    connections: AsyncEngine, book: Catalogue, todo: Iterator[tuple[str, Act]], end: float
) -> list[float]:
    """From the wish for a connection to the commit."""
    took = []
    while (begin := time.perf_counter()) < end:
        code, act = next(todo)
        async with transaction(connections) as db:
            await move(db, book, code, act)
        took.append(time.perf_counter() - begin)
    return took
