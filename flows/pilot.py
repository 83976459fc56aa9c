"""The pilot year, lived in virtual time: people act through the ledger, the rest happens by itself.

Within a week each act waits only for what it needs: the dossier's own last act, and the end of the
day on which it was received. So people and flows work side by side, as they do in truth. Stopped
anywhere and run again, the year goes on with the week it was in: every act has its own key.
"""

from asyncio import Future, Queue, Task, create_task, gather, get_running_loop
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from prefect import Flow, flow
from prefect.context import AsyncClientContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from flows.drive import drive
from flows.opening import opened
from flows.sweep import sweep
from flows.telling import named
from states.db import transaction
from states.ledger import Book, move, open_
from states.pilot import Chain, Day, Step, lived, load, story
from states.words import Event

DESKS = 8  # people who act at once: connections held for the year
PASSED_ON = {Event.receive, Event.digitise}  # after these a dossier goes on by itself

Told = Callable[[int, int, str], None]  # acts done, acts in all, the virtual date


class Moment:
    """The moment a run that was begun ahead waits for; `over` once its work is done.

    Prefect takes its time to begin and to end a run: so it does that while people work.
    """

    def __init__(self, after: Iterable[Future[None]]) -> None:
        self.after = after
        self.over: Future[None] = get_running_loop().create_future()

    async def __aenter__(self) -> None:
        for each in self.after:
            await each

    async def __aexit__(self, failed: object, *_: object) -> None:
        if not failed and not self.over.done():
            self.over.set_result(None)

    def end(self, run: Task[Any]) -> None:
        """The run is over; if it failed, so has what waits for it."""
        if self.over.done():
            return
        if run.cancelled():
            self.over.cancel()
        elif failure := run.exception():
            self.over.set_exception(failure)
        else:
            self.over.set_result(None)


Run = Callable[[datetime, Moment], Coroutine[Any, Any, object]]


async def pilot(told: Told) -> int:
    """Live the sample's year; returns how many acts people made in all.

    Not a flow itself: the flows are what runs in it, one drive a day and one sweep a week.
    """
    engine, catalogue = await opened()
    plan = load(catalogue)
    days = story(catalogue, plan)
    async with AsyncClientContext.get_or_create():  # one client for all runs: a third of their cost
        return await live(
            engine, catalogue, plan.name, days, told, evening=_ahead(drive), weekend=_ahead(sweep)
        )


def _ahead(of: Flow[..., Any]) -> Run:
    """The same flow, begun ahead of its moment."""
    moments: dict[datetime, Moment] = {}

    @flow(
        name=of.name,
        flow_run_name=named,
        description=of.description,
        persist_result=False,
    )
    async def begun(at: datetime) -> object:
        async with moments.pop(at):
            return await of.fn(at)

    async def begin(at: datetime, moment: Moment) -> object:
        moments[at] = moment
        return await begun(at)

    return begin


async def live(
    engine: AsyncEngine,
    book: Book,
    name: str,
    days: Sequence[Day],
    told: Told,
    *,
    evening: Run,
    weekend: Run,
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

    async def live(self, chain: Chain, after: Future[None] | None) -> None:
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
    """The weeks, one after the other: a sweep sees all of its week and nothing of the next.

    `passed` counts the acts of the days that have ended.
    """

    centre: _Centre
    days: Sequence[Day]
    told: Told
    evening: Run
    weekend: Run
    runs: list[Task[Any]] = field(default_factory=list)
    total: int = 0
    passed: int = 0

    async def live(self) -> int:
        weeks = [list(week) for _, week in groupby(self.days, lambda day: day.at.isocalendar()[:2])]
        self.total = sum(map(_acts, self.days))
        begin = self._left_at(weeks)
        self.passed = sum(_acts(day) for week in weeks[:begin] for day in week)
        try:
            for week in weeks[begin:]:
                await self._week(week)
        finally:
            await _all(self.runs)  # Prefect may still be ending them
        return self.passed

    def _left_at(self, weeks: Sequence[Sequence[Day]]) -> int:
        """The last week in which anybody acted: every one before it is over."""
        begun = (
            any(self.centre.began(chain) for day in week for chain in day.chains) for week in weeks
        )
        return max((number for number, any_act in enumerate(begun) if any_act), default=0)

    async def _week(self, week: Sequence[Day]) -> None:
        """When something fails, what does not come after it goes on to the end of the week."""
        tasks: list[Future[None]] = []
        after: dict[int, Future[None]] = {}  # what the next act on a dossier comes after
        opening: Future[None] | None = None  # one by one: codes are given in the order of arrival
        evening: Future[None] | None = None
        for day in week:
            arriving = [evening] if evening else []
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
            evening = self._begin(self.evening, day.at, arriving)
            tasks.append(create_task(self._tell(day, evening)))
            after |= {c[0].dossier: evening for c in day.chains if c[-1].act.event in PASSED_ON}
        tasks.append(self._begin(self.weekend, week[-1].at, list(tasks)))
        await _all(tasks)

    def _begin(self, run: Run, at: datetime, after: Iterable[Future[None]]) -> Future[None]:
        """Begin a flow's run; it does its work when `after` has happened, and tells when it did."""
        moment = Moment(after)
        task = create_task(run(at, moment))
        task.add_done_callback(moment.end)
        self.runs.append(task)
        return moment.over

    async def _tell(self, day: Day, evening: Future[None]) -> None:
        await evening
        self.passed += _acts(day)
        self.told(self.passed, self.total, f"{day.at:%d/%m/%Y}")


async def _all(tasks: Iterable[Future[Any]]) -> None:
    """Wait for all of them; raises the first failure."""
    for outcome in await gather(*tasks, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _acts(day: Day) -> int:
    return sum(map(len, day.chains))
