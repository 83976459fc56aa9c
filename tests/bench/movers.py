"""A process full of clerks: each on a connection of their own, moving their own dossiers."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import cycle
from multiprocessing.connection import Connection

import structlog
from apart import asked
from sqlalchemy.ext.asyncio import AsyncEngine

from states import catalogue
from states.catalogue import Catalogue
from states.db import engine, transaction
from states.ledger import Act, move
from states.words import Event, Role


def clerks(line: Connection, address: str, codes: Sequence[str], many: int, at: datetime) -> None:
    """Asked for a number of seconds, answers how long each move of that time took."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(_clerks(line, address, codes, many, at))


async def _clerks(
    line: Connection, address: str, codes: Sequence[str], many: int, at: datetime
) -> None:
    connections, book = engine(address, many), catalogue.load()
    todo = [_todo(codes[n::many], at) for n in range(many)]
    for seconds in asked(line):
        end = time.perf_counter() + seconds
        each = (_clerk(connections, book, mine, end) for mine in todo)
        line.send([one for took in await asyncio.gather(*each) for one in took])
    await connections.dispose()


def _todo(codes: Sequence[str], at: datetime) -> Iterator[tuple[str, Act]]:
    """Every dossier to its second stage, every one back, and again."""
    forth = Act(
        event=Event.advance,
        actor="an officer",
        role=Role.officer,
        at=at,
        payload={"produced": ["Phiếu trình giải quyết"]},
    )
    back = Act(event=Event.send_back, actor="a leader", role=Role.leader, at=at, reason="again")
    for act in cycle((forth, back)):
        for code in codes:
            yield code, act


async def _clerk(
    connections: AsyncEngine, book: Catalogue, todo: Iterator[tuple[str, Act]], end: float
) -> list[float]:
    """How long each move took, from the wish for a connection to the commit. Seconds."""
    took = []
    while (begin := time.perf_counter()) < end:
        code, act = next(todo)
        async with transaction(connections) as db:
            await move(db, book, code, act)
        took.append(time.perf_counter() - begin)
    return took
