"""An approved change set, applied in batches: killed anywhere and run again, the same end.

One run at a time has a change set; each batch is one transaction, counted in its row.
"""

import gc
from asyncio import TaskGroup
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

from states.catalogue import Catalogue
from states.changes.plans import Plan, back, plan
from states.changes.rows import Kind, Status
from states.db import alone, transaction
from states.ledger.many import after, move_claimed
from states.ledger.statements import d
from states.words import Role

log = structlog.get_logger()

change = SQLModel.metadata.tables["change"]
c = change.c
BATCH = 5_000  # dossiers a transaction: short enough for clerks to wait behind
LANES = 2  # connections that move dossiers
LOCK = 7_476_012  # the class of our advisory locks; the other half is the change set's number
OPEN = (Status.approved, Status.undoing)
Hears = Callable[[Sequence[str]], None]
DONE = {Status.approved: Status.applied, Status.undoing: Status.undone}


async def waiting(engine: AsyncEngine) -> list[int]:
    """The change sets that are to be applied or taken back, in the order of their numbers."""
    async with transaction(engine) as db:
        asked = sa.select(c.id).where(c.status.in_(OPEN)).order_by(c.id)
        return list((await db.execute(asked)).scalars())


def nobody(_: Sequence[str]) -> None:
    """Hears nothing."""


async def apply(
    engine: AsyncEngine,
    book: Catalogue,
    number: int,
    at: datetime,
    batch: int = BATCH,
    watch: Hears = nobody,
) -> Any:
    """Apply one, or take it back, to its end; its row then. Another's run is left alone.

    `watch` hears the codes of the dossiers that were moved, once that is committed.
    """
    async with alone(engine, LOCK, number) as ours:
        row = await _row(engine, number)
        if not ours or row.status not in OPEN:
            return row
        what = planned(row, book, at)
        each = partial(_lane, engine, book, number, what, batch, watch)
        try:
            async with (
                _uncollected(),
                TaskGroup() as group,
            ):  # where one lane fails, the other ends before we go
                lanes = [group.create_task(each(lane)) for lane in range(LANES)]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        told = sum((lane.result() for lane in lanes), Counter[str]())
        done = {"status": DONE[row.status], "applied_at": at}
        async with transaction(engine) as db:
            await _note(db, number, done | {each: told[each] for each in ("stayed", "refused")})
        log.info("change.done", change=number, status=done["status"], **told)
        return await _row(engine, number)


@asynccontextmanager
async def _uncollected() -> AsyncIterator[None]:
    """Without the collector of cycles: a batch is a million small objects and no cycle among them,
    and to look at them again and again takes a quarter of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


async def _row(engine: AsyncEngine, number: int) -> Any:
    async with transaction(engine) as db:
        return (await db.execute(sa.select(change).where(c.id == number))).one()


async def _note(db: AsyncConnection, number: int, told: Mapping[str, Any]) -> None:
    await db.execute(sa.update(change).where(c.id == number).values(told))


async def _lane(
    engine: AsyncEngine,
    book: Catalogue,
    number: int,
    what: Plan,
    batch: int,
    watch: Hears,
    lane: int,
) -> Counter[str]:
    """Every other dossier, batch after batch in order of id; what became of them.

    While one lane waits for the database the other reckons. What was moved is found no more, so a
    run that was killed begins again and goes on where it was.
    """
    told: Counter[str] = Counter()
    where, last = what.where & (d.id % LANES == lane), 0
    while True:
        async with transaction(engine) as db:
            papers = await after(db, where, last, batch, locked=True)
            if not papers:
                return told
            last = papers[-1][0].id or last
            acted = await move_claimed(db, book, papers, what.act_for)
            moved = [each.code for each in acted if each.refused is None]
            await _note(db, number, {"moved": c.moved + len(moved)})
        watch(moved)
        refused, stayed = len(acted) - len(moved), len(papers) - len(acted)
        told.update(moved=len(moved), refused=refused, stayed=stayed)


def planned(row: Any, book: Catalogue, at: datetime) -> Plan:
    """What the change set does now, forth or back, in the role of whoever it acts for."""
    undoing = row.status in {Status.undoing, Status.undone}
    role = acting_role(book, row.undone_by if undoing else row.proposed_by, row.kind, at)
    return back(row, role, at) if undoing else plan(row, book, role, at)


def acting_role(book: Catalogue, person: str, kind: Kind, at: datetime) -> Role:
    """In what capacity somebody changes, or changed, the rules dossiers are under.

    Calendars are the control unit's to correct; versions a leader's too.
    """
    who, on = book.people.get(person), book.day(at)
    if who is None:  # who proposed it has left since: it was theirs to propose
        return Role.control
    leads = kind is Kind.version and not who.holds(Role.control, on=on)
    return Role.leader if leads and who.holds(Role.leader, on=on) else Role.control
