"""People at work: each act a transaction, asked for again by the same key until it is answered."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue import Catalogue, bundles
from states.db import LOST as WEATHER
from states.db import transaction
from states.errors import Outdated, Stale, Unknown
from states.ledger import Act, find, move, open_
from states.pilot import Step
from states.tables import Dossier
from states.words import Event

DESKS = 10  # people who act at once
NO_WEATHER = ("ViolationError", "DeadlockDetectedError", "SyntaxOrAccessError", "DataError")
ANSWERED = 20.0  # seconds for one answer
PAUSE = 0.2  # seconds before somebody asks again
INSISTS = 120.0  # seconds until somebody gives up
LOST, CONTESTED = 20, 10  # answers lost and acts contested, of a thousand
ONCE = {Event.register, Event.receive}


class Given(NamedTuple):
    """What was answered to an act."""

    code: str
    seq: int


class Wrong(Exception):
    """An answer that nobody may be given."""


@dataclass
class Counters:
    """Everybody who acts on dossiers, and what they were told.

    `troubled`: answers are lost, and two clerks take up the same dossier.
    """

    engine: AsyncEngine
    book: Catalogue
    seed: int
    troubled: bool
    answers: dict[str, Given] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    acts: int = 0

    def __post_init__(self) -> None:
        self._latest = bundles.Latest()
        self._desks = asyncio.Semaphore(DESKS)
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def until(self, acts: int) -> None:
        """Until so many acts were made since the beginning."""
        if acts > self.acts:
            self._waiting.append((acts, asyncio.get_running_loop().create_future()))
            await self._waiting[-1][1]

    async def live(self, chain: Sequence[Step]) -> None:
        """Acts on one dossier, in order."""
        for step in chain:
            async with self._desks:
                await self._act(step)
            self.acts += 1
            self._tell()

    def _tell(self) -> None:
        for each in [each for each in self._waiting if each[0] <= self.acts]:
            self._waiting.remove(each)
            each[1].set_result(None)

    async def _act(self, step: Step) -> None:
        lot = crc32(f"{self.seed}/{step.act.key}".encode()) % 1000
        contested = self.troubled and lot < CONTESTED and step.act.event not in ONCE
        paper = await (self._contested(step) if contested else self._insisted(step, step.act))
        if self.troubled and lot >= 1000 - LOST:
            await self._answer_lost(step, paper)

    async def _insisted(self, step: Step, act: Act) -> Dossier:
        """Ask until there is an answer. Raises what the ledger refuses."""
        async with asyncio.timeout(INSISTS):
            while True:
                book = self.book
                try:
                    async with asyncio.timeout(ANSWERED), transaction(self.engine) as db:
                        paper = await self._asked(db, book, step, act)
                    break
                except (Outdated, Unknown):
                    if not await self._published_since(book):
                        raise
                    self.retried["catalogue published anew"] += 1
                except WEATHER as error:
                    self.retried[weather_of(error)] += 1
                    await asyncio.sleep(PAUSE)
        self.codes[step.dossier] = paper.code
        self.answers[str(act.key)] = Given(paper.code, paper.seq)
        return paper

    async def _asked(self, db: AsyncConnection, book: Catalogue, step: Step, act: Act) -> Dossier:
        if step.lodging is not None:
            return await open_(db, book, step.lodging, act)
        return await move(db, book, self.codes[step.dossier], act)

    async def _published_since(self, book: Catalogue) -> bool:
        """Whether there is another catalogue, or nobody can say now; it is read again."""
        try:
            async with transaction(self.engine) as db:
                self.book = await self._latest(db)
        except WEATHER as error:
            self.retried[weather_of(error)] += 1
            return True
        return self.book.edition != book.edition

    async def _answer_lost(self, step: Step, paper: Dossier) -> None:
        """Asked again by the same key, it must be the same answer."""
        first = (paper.code, paper.seq, paper.state, paper.due_at, paper.head)
        again = await self._insisted(step, step.act)
        if (again.code, again.seq, again.state, again.due_at, again.head) != first:
            raise Wrong(f"{step.act.key}: {first} the first time, then {again}")
        self.told["answers lost, and asked again"] += 1

    async def _contested(self, step: Step) -> Dossier:
        """Two have the same dossier before them and do the same; one is told that it was moved."""
        code = self.codes[step.dossier]
        while True:
            seq = (await self._seen(code)).seq
            acts = [replace(step.act, seq=seq, key=f"{step.act.key}{who}") for who in ("a", "b")]
            asked = (self._insisted(step, act) for act in acts)
            papers = await asyncio.gather(*asked, return_exceptions=True)
            won = [each for each in papers if not isinstance(each, BaseException)]
            lost = [each for each in papers if isinstance(each, Stale)]
            if len(won) + len(lost) < 2:
                raise Wrong(f"{code}: {papers}")
            if len(won) == 2:
                raise Wrong(f"{code}: both clerks made move {seq + 1}")
            if won:
                self.told["dossiers that two clerks took up"] += 1
                return won[0]

    async def _seen(self, code: str) -> Dossier:
        async with asyncio.timeout(INSISTS):
            while True:
                try:
                    async with transaction(self.engine) as db:
                        return (await find(db, code))[0]
                except WEATHER as error:
                    self.retried[weather_of(error)] += 1
                    await asyncio.sleep(PAUSE)


def weather_of(error: BaseException) -> str:
    """What kind it was. Raises the error if it was none."""
    inner = getattr(error, "orig", None)
    cause = getattr(inner, "__cause__", None) or inner or error
    if any(kind.__name__.endswith(NO_WEATHER) for kind in type(cause).__mro__):
        raise error
    return type(cause).__name__
