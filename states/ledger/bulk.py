"""Moves of many dossiers asked for at once, each judged as if it had come alone. Nothing commits.

What `write.move` does one after another, in the same number of statements for a hundred as for
ten: the dossiers are locked in one order and read together, moved in memory in the order in which
they were asked for, and written together. A dossier asked for again is written and read in between.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from states.consultations.hearing import check_heard
from states.errors import HosoError, NotYours, Outdated, Unknown
from states.ledger import statements
from states.ledger.acts import Act, keepable
from states.ledger.loads import balances, in_hand
from states.ledger.many import Present, among, present, turned, with_visits, write
from states.ledger.pins import Book
from states.ledger.statements import WAKE, d, dossier, e
from states.ledger.write import find, move, stale, wakes
from states.tables import Dossier, Visit
from states.words import Event

log = structlog.get_logger()

NEVER = 0  # the seq of no dossier
EVERY = sa.true()
WhyNot = Callable[[Dossier, Event], str | None]
"""Why the caller may not move a dossier as it stands; None: they may."""
Bring = Callable[[Dossier, Act], Act]
"""The act with what it brings of itself, such as the files that are attached by then."""
Bringing = Callable[[Iterable[Dossier]], Awaitable[Bring]]


class NotTogether(HosoError):
    """One of the moves that were asked for together was refused, so none was made."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One move that is asked for."""

    code: str
    act: Act


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it. `paper`: the dossier after the move, or, refused, as it stands; None where
    there is none to be seen.
    """

    code: str
    paper: Dossier | None = None
    refused: HosoError | None = None


async def move_each(
    db: AsyncConnection,
    book: Book,
    wanted: Sequence[Wanted],
    why_not: WhyNot,
    seen: sa.ColumnElement[bool] = EVERY,
    bringing: Bringing | None = None,
) -> list[Told]:
    """Make the moves that may be made and tell of each, in the order in which they were asked for.

    A dossier outside of `seen` is not told from one that does not exist.
    """
    if not wanted:
        return []
    try:
        async with db.begin_nested():
            return await _Batch(db, book, why_not, seen, bringing).made(wanted)
    except IntegrityError:
        # A key was used by somebody else in between: now its line is there, and answers.
        async with db.begin_nested():
            return await _Batch(db, book, why_not, seen, bringing).made(wanted)


async def move_together(
    db: AsyncConnection,
    book: Book,
    wanted: Sequence[Wanted],
    why_not: WhyNot,
    seen: sa.ColumnElement[bool] = EVERY,
    bringing: Bringing | None = None,
) -> tuple[list[Told], bool]:
    """As `move_each`, all of them or none; whether they were made. All refusals are told."""
    savepoint = await db.begin_nested()
    made = await move_each(db, book, wanted, why_not, seen, bringing)
    whole = all(each.refused is None for each in made)
    await (savepoint.commit() if whole else savepoint.rollback())
    return made, whole


async def foretell_each(
    db: AsyncConnection,
    book: Book,
    wanted: Sequence[Wanted],
    why_not: WhyNot,
    seen: sa.ColumnElement[bool] = EVERY,
    bringing: Bringing | None = None,
) -> list[Told]:
    """What `move_each` would tell, judged by the same rules: nothing is locked or written."""
    return await _Batch(db, book, why_not, seen, bringing, dry=True).made(wanted)


def derived(key: str, n: int) -> str:
    """The key of the n-th move of a request that has one."""
    return sha256(f"{key}\n{n}".encode()).hexdigest()


@dataclass(slots=True)
class _Batch:
    db: AsyncConnection
    book: Book
    why_not: WhyNot
    seen: sa.ColumnElement[bool]
    bringing: Bringing | None = None
    dry: bool = False  # only judged
    bring: Bring | None = None
    there: dict[str, Present] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)  # used by now
    rows: dict[str, SimpleNamespace] = field(default_factory=dict)  # moved and not written yet
    written: set[str] = field(default_factory=set)  # since they were read
    loads: dict[str, int] | None = None
    outdated: bool | None = None
    wakes: bool = False

    async def made(self, wanted: Sequence[Wanted]) -> list[Told]:
        await self._read({each.code for each in wanted if keepable(each.code)})
        await self._look_up(each.act for each in wanted)
        told = [await self._told(each.code, each.act) for each in wanted]
        await self._write()
        if self.wakes and not self.dry:
            await self.db.execute(sa.select(sa.func.pg_notify(WAKE, "")))
        if not self.dry:
            log.info("dossiers.moved", count=sum(each.refused is None for each in told))
        return told

    async def _read(self, codes: set[str]) -> None:
        """Lock first, then read: who waited for a lock would read the visit of before."""
        mine = sa.select(d.id).select_from(dossier).where(among(d.code, codes), self.seen)
        locked = mine.order_by(d.id)
        if not self.dry:
            locked = locked.with_for_update(key_share=True, of=dossier)
        if ids := (await self.db.execute(locked)).scalars().all():
            found = await present(self.db, with_visits(among(d.id, ids)))
            self.there = {paper.code: (paper, present) for paper, present in found}
            if self.bringing is not None:
                self.bring = await self.bringing(paper for paper, _ in self.there.values())

    async def _look_up(self, acts: Iterable[Act]) -> None:
        """Which keys their actors have used before."""
        asked: dict[str, set[str]] = {}
        for act in acts:
            if act.key is not None and keepable(act.key) and keepable(act.actor):
                asked.setdefault(act.actor, set()).add(act.key)
        for actor, keys in asked.items():
            used = sa.select(e.key).where(e.actor == actor, among(e.key, keys))
            self.keys |= {(actor, key) for key in (await self.db.execute(used)).scalars()}

    async def _told(self, code: str, act: Act) -> Told:
        if code not in self.there:
            missing = Unknown(
                "there is no dossier {code}: check the code on the slip", code=code[:60]
            )
            return Told(code, refused=missing)
        known = (act.actor, act.key) in self.keys
        if code in self.rows or known:
            await self._write()
        if code in self.written:
            self.there[code] = await find(self.db, code)
            self.written.remove(code)
        paper, present = self.there[code]
        try:
            act.brings()
            if known:  # it answers what it answered then, or that it was for something else
                again = await move(self.db, self.book, code, replace(act, seq=NEVER))
                return Told(code, again)
            return Told(code, await self._moved(paper, present, act))
        except HosoError as error:
            return Told(code, paper, error)

    async def _moved(self, paper: Dossier, present: Visit | None, act: Act) -> Dossier:
        """Moved in memory, on copies: a refusal leaves no trace. Raises `HosoError`."""
        if why := self.why_not(paper, act.event):
            raise NotYours("{event} is not open to you: {why}", event=act.event, why=why)
        if act.seq is not None and act.seq != paper.seq:
            raise stale(paper)
        if self.bring is not None:
            act = self.bring(paper, act)
        await check_heard(self.db, self.book, paper, act.event, act.at)
        if act.event is Event.receive:
            await self._check_edition()
        loads = await self._loads() if balances(self.book, paper, act) else {}
        moved, row = turned(self.book, copy(paper), copy(present), act, loads)
        if row is None:
            assert moved.refused is not None
            raise moved.refused
        self._keep(row, present, act)
        return moved.paper

    def _keep(self, row: Any, before: Visit | None, act: Act) -> None:
        self.rows[row.d.code] = row
        self.wakes = self.wakes or wakes(row.d, act)
        if act.key is not None:
            self.keys.add((act.actor, act.key))
        if self.loads is not None:
            if before is not None and row.v.closed_at is not None and before.person is not None:
                self.loads[before.person] -= 1
            if row.o is not None and row.o.person is not None:
                self.loads[row.o.person] = self.loads.get(row.o.person, 0) + 1

    async def _check_edition(self) -> None:
        """A dossier is received under what is published, not under what this process remembers."""
        if self.outdated is None:
            edition = await self.db.scalar(statements.EDITION)
            self.outdated = self.book.edition not in {None, edition}
        if self.outdated:
            raise Outdated

    async def _loads(self) -> dict[str, int]:
        """What each person has in hand, asked once and then kept as visits open and close."""
        if self.loads is None:
            await self._write()
            self.loads = await in_hand(self.db)
        return self.loads

    async def _write(self) -> None:
        if self.dry or not self.rows:
            return
        await write(self.db, list(self.rows.values()), restages=False)
        self.written |= self.rows.keys()
        self.rows = {}
