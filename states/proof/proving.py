"""Every open dossier and a share of the closed ones read again, every balance drawn twice.

The proof reads by the rules that `hoso verify` reads by, a batch in one snapshot, so that what is
moved meanwhile is no discrepancy. It writes only what it found. Killed anywhere and run again, it
begins again, and tells nothing twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue.bundles import EDITION
from states.db import transaction
from states.errors import BadInput, Outdated
from states.figures import freezing
from states.ledger.pins import Book
from states.ledger.statements import d
from states.ledger.verify import Whole, check, whole
from states.proof.balances import balance
from states.proof.findings import Finding, note
from states.proof.recorded import misfits

log = structlog.get_logger()

SHARE = 7  # nights in which all that is closed is read once
BATCH = 500  # dossiers a snapshot
SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@dataclass(slots=True)
class Proof:
    """What was proved, how long it took, and what does not hold."""

    day: date
    dossiers: int = 0
    running: int = 0  # of them not finished
    entries: int = 0
    unread: int = 0  # their calendar's version is not at hand: chained, but dates not re-read
    balances: int = 0
    found: list[Finding] = field(default_factory=list)
    new: int = 0  # of what was found, not told that day before
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.found

    @property
    def counts(self) -> dict[str, int]:
        """How many of what."""
        names = ("dossiers", "running", "entries", "unread", "balances", "new")
        return {name: getattr(self, name) for name in names} | {"found": len(self.found)}

    def told(self) -> dict[str, Any]:
        """All of it, plain."""
        found = [each._asdict() for each in self.found]
        rest = {"seconds": round(self.seconds, 1), "found": found}
        return {"day": self.day.isoformat(), **self.counts, **rest}


async def prove(
    engine: AsyncEngine, book: Book, at: datetime, share: int = SHARE, batch: int = BATCH
) -> Proof:
    """Prove what is due at a moment's day. Raises `Outdated` when the catalogue changed meanwhile.

    Closed dossiers take turns by id and day: in `share` nights, each has had its own.
    """
    if share < 1:
        raise BadInput("share must be 1 (all that is closed every night) or more")
    begun, proof = time.perf_counter(), Proof(book.day(at))
    await _dossiers(engine, book, proof, at, share, batch)
    async with _snapshot(engine) as db:
        drawn = await balance(db, book, at)
        found = [*drawn.found, *await misfits(db, at)]
        found += [Finding(each.name, each.what) for each in await freezing.check(db)]
        await _up_to_date(db, book)
    proof.balances = drawn.balances
    await _note(engine, proof, found, at)
    proof.seconds = time.perf_counter() - begun
    log.info("proof.done", dossiers=proof.dossiers, found=len(proof.found), new=proof.new)
    return proof


async def _dossiers(
    engine: AsyncEngine, book: Book, proof: Proof, at: datetime, share: int, batch: int
) -> None:
    """Batch after batch, in order of id."""
    turn, last = (d.id + proof.day.toordinal()) % share == 0, 0
    while True:
        async with _snapshot(engine) as db:
            papers = await whole(db, d.finished_at.is_(None) | turn, last, batch)
            await _up_to_date(db, book)
        if not papers:
            return
        last = papers[-1][0]["id"]
        await _note(engine, proof, await _checked(book, proof, papers), at)


async def _checked(book: Book, proof: Proof, papers: list[Whole]) -> list[Finding]:
    found = []
    for row, lines, visits, told_there in papers:
        fault, read = check(book, row, lines, visits, told_there)
        proof.dossiers += 1
        proof.running += row["finished_at"] is None
        proof.entries += len(lines)
        proof.unread += not read
        if fault is not None:
            found.append(Finding(fault.code, str(fault).removeprefix(f"{fault.code}, ")))
        await asyncio.sleep(0)  # a worker has other work, which does not wait for a whole batch
    return found


async def _note(engine: AsyncEngine, proof: Proof, found: list[Finding], at: datetime) -> None:
    if not found:
        return
    proof.found += found
    async with transaction(engine) as db:
        proof.new += await note(db, found, proof.day, at)


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One moment of the database, whatever is written meanwhile; nothing is written here."""
    async with transaction(engine) as db:
        await db.execute(SNAPSHOT)
        yield db


async def _up_to_date(db: AsyncConnection, book: Book) -> None:
    """What was received under a version published since would be taken for a forgery."""
    if book.edition is not None and book.edition != await db.scalar(EDITION):
        raise Outdated
