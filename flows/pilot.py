"""The pilot year, lived in virtual time: people act through the ledger, the rest happens by itself.

Within a week each act waits only for what it needs: the dossier's own last act, and the end of the
day on which it was received. So people and flows work side by side, as they do in truth. Stopped
anywhere and run again, the year goes on with the week it was in: every act has its own key.
"""

from asyncio import Queue, Task, create_task, gather
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from prefect.context import AsyncClientContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.drive import drive
from flows.opening import opened
from flows.sweep import sweep
from states.db import transaction
from states.ledger import Book, move, open_
from states.pilot import Chain, Day, Step, lived, load, story
from states.words import Event

DESKS = 8  # people who act at once: connections held for the year
PASSED_ON = {Event.receive, Event.digitise}  # after these a dossier goes on by itself

Told = Callable[[int, int, str], None]  # acts done, acts in all, the virtual date
Flow = Callable[[datetime], Coroutine[Any, Any, object]]


async def pilot(told: Told) -> int:
    """Live the sample's year; returns how many acts people made in all.

    Not a flow itself: the flows are what runs in it, one drive a day and one sweep a week.
    """
    engine, catalogue = opened()
    plan = load(catalogue)
    days = story(catalogue, plan)
    async with AsyncClientContext.get_or_create():  # one client for all runs: a third of their cost
        return await live(engine, catalogue, plan.name, days, told)


async def live(
    engine: AsyncEngine,
    book: Book,
    name: str,
    days: Sequence[Day],
    told: Told,
    *,
    evening: Flow = drive,
    weekend: Flow = sweep,
) -> int:
    """Live these days, from where the plan of that name was left; returns the acts in all."""
    async with AsyncExitStack() as stack:
        free: Queue[AsyncConnection] = Queue()
        for _ in range(DESKS):
            free.put_nowait(await stack.enter_async_context(engine.connect()))
        async with transaction(engine) as db:
            done = dict(await lived(db, name))
        return await _Year(_Centre(book, free, done), days, told, evening, weekend).live()


@dataclass(frozen=True, slots=True)
class _Centre:
    """The people at work: the desks nobody sits at, and each dossier's code and last step."""

    book: Book
    free: Queue[AsyncConnection]
    done: dict[int, tuple[str, int]]

    def began(self, chain: Chain) -> bool:
        """Whether any of these acts was made before."""
        return chain[0].number <= self.done.get(chain[0].dossier, ("", 0))[1]

    async def live(self, chain: Chain, after: Task[None] | None) -> None:
        """Make the acts of a chain in order, once what it comes after has happened."""
        if after is not None:
            await after
        desk = await self.free.get()
        try:
            for step in chain:
                await self._act(desk, step)
        finally:
            self.free.put_nowait(desk)

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


@dataclass(slots=True)
class _Year:
    """The weeks, one after the other; `passed` counts the acts of the days that have ended."""

    centre: _Centre
    days: Sequence[Day]
    told: Told
    evening: Flow
    weekend: Flow
    total: int = 0
    passed: int = 0

    async def live(self) -> int:
        weeks = [list(week) for _, week in groupby(self.days, lambda day: day.at.isocalendar()[:2])]
        self.total = sum(map(_acts, self.days))
        begin = self._left_at(weeks)
        self.passed = sum(_acts(day) for week in weeks[:begin] for day in week)
        for week in weeks[begin:]:
            await self._week(week)
            await self.weekend(week[-1].at)
        return self.passed

    def _left_at(self, weeks: Sequence[Sequence[Day]]) -> int:
        """The last week in which anybody acted: every one before it is over."""
        begun = (
            any(self.centre.began(chain) for day in week for chain in day.chains) for week in weeks
        )
        return max((number for number, any_act in enumerate(begun) if any_act), default=0)

    async def _week(self, week: Iterable[Day]) -> None:
        """When something fails, what does not come after it goes on to the end of the week."""
        tasks: list[Task[None]] = []
        after: dict[int, Task[None]] = {}  # what the next act on a dossier comes after
        opening: Task[None] | None = None  # one by one: codes are given in the order of arrival
        evening: Task[None] | None = None
        for day in week:
            arriving = []
            for chain in day.chains:
                dossier = chain[0].dossier
                if chain[0].lodging is not None:
                    opening = create_task(self.centre.live(chain[:1], opening))
                    after[dossier] = opening
                    tasks.append(opening)
                after[dossier] = create_task(self.centre.live(chain, after.get(dossier)))
                tasks.append(after[dossier])
                if any(step.act.event in PASSED_ON for step in chain):
                    arriving.append(after[dossier])
            evening = create_task(self._end(day, [*arriving, *([evening] if evening else [])]))
            tasks.append(evening)
            after |= {c[0].dossier: evening for c in day.chains if c[-1].act.event in PASSED_ON}
        for failure in await gather(*tasks, return_exceptions=True):
            if failure is not None:
                raise failure

    async def _end(self, day: Day, after: Iterable[Task[None]]) -> None:
        """The end of a day, once all that came in is there and the day before is over."""
        for each in after:
            await each
        await self.evening(day.at)
        self.passed += _acts(day)
        self.told(self.passed, self.total, f"{day.at:%d/%m/%Y}")


def _acts(day: Day) -> int:
    return sum(map(len, day.chains))
