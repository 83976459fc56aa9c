"""The pilot year, lived in virtual time: people act through the ledger, the rest happens by itself.

A day's end is driven while the next day begins: only the dossiers received the day before wait for
it. Stopped anywhere and run again, the year goes on where it was: every act has its own key.
"""

from asyncio import TaskGroup
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect.context import AsyncClientContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.drive import drive
from flows.opening import opened
from flows.sweep import sweep
from states.ledger import Book, move, open_
from states.pilot import Chain, Day, Step, lived, load, story
from states.words import Event

DESKS = 8  # people who act at once: connections held for the year
PASSED_ON = {Event.receive, Event.digitise}  # after these a dossier goes on by itself

Told = Callable[[int, int, str], None]  # acts done, acts in all, the virtual date
Evening = Callable[
    [datetime, bool], Coroutine[Any, Any, None]
]  # the end of a day, and whether of a week


async def pilot(told: Told) -> int:
    """Live the sample's year; returns how many acts people made in all.

    Not a flow itself: the flows are what runs in it, one drive a day and one sweep a week.
    """
    engine, catalogue = opened()
    plan = load(catalogue)
    async with AsyncClientContext.get_or_create():  # one client for all runs: a third of their cost
        return await live(engine, catalogue, plan.name, story(catalogue, plan), _evening, told)


async def _evening(at: datetime, ends_week: bool) -> None:
    await drive(at)
    if ends_week:
        await sweep(at)


async def live(
    engine: AsyncEngine, book: Book, name: str, days: Sequence[Day], evening: Evening, told: Told
) -> int:
    """Live these days from where the plan of that name was left; returns the acts in all."""
    try:
        async with AsyncExitStack() as stack:
            desks = [await stack.enter_async_context(engine.connect()) for _ in range(DESKS)]
            async with desks[0].begin():
                done = dict(await lived(desks[0], name))
            return await _live(_Centre(book, desks, done), days, evening, told)
    except ExceptionGroup as several:
        raise _first(several) from several


async def _live(centre: "_Centre", days: Sequence[Day], evening: Evening, told: Told) -> int:
    begin = centre.left_at(days)
    total = sum(_count(day.chains) for day in days)
    passed = sum(_count(day.chains) for day in days[:begin])
    weeks_end = {day.at.isocalendar()[:2]: day.at for day in days}.values()
    before: Day | None = None
    for day in days[begin:]:
        fresh = _passed_on(before)
        async with TaskGroup() as tasks:
            if before is not None:
                tasks.create_task(evening(before.at, before.at in weeks_end))
            tasks.create_task(centre.live(c for c in day.chains if c[0].dossier not in fresh))
        await centre.live(c for c in day.chains if c[0].dossier in fresh)
        passed += _count(day.chains)
        told(passed, total, f"{day.at:%d/%m/%Y}")
        before = day
    if before is not None:
        await evening(before.at, True)
    return passed


def _passed_on(day: Day | None) -> set[int]:
    """The dossiers whose next act waits for the end of that day."""
    chains = day.chains if day is not None else ()
    return {chain[-1].dossier for chain in chains if chain[-1].act.event in PASSED_ON}


def _count(chains: Iterable[Chain]) -> int:
    return sum(map(len, chains))


def _first(several: BaseException) -> BaseException:
    """The first of several failures at once: the sentence to show."""
    while isinstance(several, BaseExceptionGroup):
        several = several.exceptions[0]
    return several


@dataclass(frozen=True, slots=True)
class _Centre:
    """The people at work. `done`: the code and the last step of every dossier begun."""

    book: Book
    desks: Sequence[AsyncConnection]
    done: dict[int, tuple[str, int]]

    def left_at(self, days: Sequence[Day]) -> int:
        """The day to go on from: that before the last one on which anybody acted.

        Its end may not have been driven to the end; that of every day before it was.
        """
        acted = [n for n, day in enumerate(days) if any(map(self._begun, day.chains))]
        return max(acted[-1] - 1, 0) if acted else 0

    def _begun(self, chain: Chain) -> bool:
        return chain[0].number <= self.done.get(chain[0].dossier, ("", 0))[1]

    async def live(self, chains: Iterable[Chain]) -> None:
        """Live chains at once, as many as there are desks."""
        todo = iter(chains)
        async with TaskGroup() as tasks:
            for desk in self.desks:
                tasks.create_task(self._work(desk, todo))

    async def _work(self, desk: AsyncConnection, todo: Iterator[Chain]) -> None:
        for chain in todo:
            for step in chain:
                await self._act(desk, step)

    async def _act(self, desk: AsyncConnection, step: Step) -> None:
        """One act, one transaction; none for what was done before."""
        code, last = self.done.get(step.dossier, ("", 0))
        if step.number <= last:
            return
        async with desk.begin():
            if step.lodging is not None:
                code = (await open_(desk, self.book, step.lodging, step.act)).code
            else:
                await move(desk, self.book, code, step.act)
        self.done[step.dossier] = code, step.number
