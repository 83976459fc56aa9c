"""A season lived day by day: people act, and flows of an evening run beside the next day's work.

An act waits for the dossier's last one and, where the dossier goes on by itself, for the evening in
which it does; a sweep waits for the acts of its day, and for none of the next.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import sqlalchemy as sa
from counters import Counters
from decisions import Decision, cut, decisions
from drawn import Season
from fates import Fault, Kind
from runs import AMID, Runs, all_of
from storm import Storm

from states import db
from states.catalogue import bundles
from states.changes import applying
from states.pilot import Day, Step
from states.words import Event

PASSED_ON = {Event.receive, Event.digitise}  # after these a dossier goes on by itself
HOUR = timedelta(hours=1)
SIGNS = 20  # days between two signatures here: each is checked against the whole ledger
SHARE = 28  # of what is closed, one in so many is proved on a Friday; at the end, all of it
SHIFTS = {Kind.clock_ahead: HOUR, Kind.clock_behind: -HOUR}
BY_DAY = {Kind.postgres_by_day, Kind.lines_cut}
UNTIL_REST = 40  # evenings until everything is sent
FINAL = timedelta(days=15)  # after the season, all its months are to be frozen
FRIDAY = 4

Weekly = Callable[[datetime, str], None]


class Living:
    """One database, those who act in it, and the flows beside them. `folder`: of the keys."""

    def __init__(
        self, season: Season, counters: Counters, runs: Runs, storm: Storm, folder: Path
    ) -> None:
        self.season, self.counters, self.runs, self.storm = season, counters, runs, storm
        self.folder = folder
        self._driven: asyncio.Future[None] | None = None
        self._passed_on: set[int] = set()
        self._decided = {each.day: each for each in decisions(len(season.days))}

    async def live(self, told: Weekly) -> None:
        """To the end of the season, and until nothing is left to do."""
        days, evening = self.season.days, asyncio.create_task(asyncio.sleep(0))
        try:
            for n, day in enumerate(days):
                if n in self._decided:  # what was missed before is told by the rules of then
                    await evening
                await self._day(n, day)
                await evening
                evening = self._begin_evening(n, day)
                if day is days[-1] or days[n + 1].at.weekday() < day.at.weekday():
                    await evening
                    told(day.at, self.storm.since())
            await self._rest(days[-1].at)
        finally:
            evening.cancel()
            await asyncio.gather(evening, return_exceptions=True)

    # By day -----------------------------------------------------------------------------------

    async def _day(self, n: int, day: Day) -> None:
        self.storm.rises(n)
        acts = self.counters.acts, sum(map(len, day.chains))
        faults = (each for each in self.storm.on(n) if each.kind in BY_DAY)
        troubles = [asyncio.create_task(self._by_day(fault, *acts)) for fault in faults]
        await self._work(n, day)
        await asyncio.gather(*troubles)

    async def _by_day(self, fault: Fault, before: int, many: int) -> None:
        """Amid the day's acts."""
        await self.counters.until(before + int(fault.part * many))
        await (self.storm.cut() if fault.kind is Kind.lines_cut else self.storm.restart())
        self.storm.note(fault.kind)

    async def _work(self, n: int, day: Day) -> None:
        if (decision := self._decided.get(n)) is None:
            await self._act(day.chains)
            return
        before, meanwhile, after = cut(day.chains, decision.at(self.season.days))
        await self._act(before)
        if decision.applies:
            await self._decide(decision)
            await all_of((self._apply(decision), self._act(meanwhile)))
        else:
            await all_of((self._decide(decision), self._act(meanwhile)))
        await self._act(after)

    async def _act(self, chains: Iterable[Sequence[Step]]) -> None:
        await all_of(self._chain(chain) for chain in chains)

    async def _chain(self, chain: Sequence[Step]) -> None:
        if self._driven is not None and chain[0].dossier in self._passed_on:
            await asyncio.shield(self._driven)
        await self.counters.live(chain)

    async def _decide(self, decision: Decision) -> None:
        at = decision.at(self.season.days)
        async with db.transaction(self.counters.engine) as connection:
            book = await bundles.read(connection)
            await decision.decide(connection, book, at, self.season.days)
        self.storm.note(f"decided: {decision.name}")

    async def _apply(self, decision: Decision) -> None:
        """Killed, doubled, and without Postgres for a moment; then to its end."""
        at, chance = decision.at(self.season.days), Random(decision.day)
        faults = [Fault(kind, chance.uniform(0.2, 0.8), "recompute") for kind in sorted(AMID)]
        await self.runs.run("recompute", at, faults if self.storm.any else ())
        while await applying.waiting(self.counters.engine):
            await self.runs.run("recompute", at)

    # By night ---------------------------------------------------------------------------------

    def _begin_evening(self, n: int, day: Day) -> asyncio.Task[None]:
        """What came that day goes on once it is driven; nothing else waits for it."""
        self._driven = asyncio.get_running_loop().create_future()
        self._passed_on = {
            chain[0].dossier
            for chain in day.chains
            if any(step.act.event in PASSED_ON for step in chain)
        }
        return asyncio.create_task(self._evening(n, day.at, self._driven))

    async def _evening(self, n: int, at: datetime, driven: asyncio.Future[None]) -> None:
        faults = self.storm.on(n)
        try:
            await self._by_wrong_clocks(at, faults)
            await self.runs.drive(at, faults)
            driven.set_result(None)
        except BaseException as error:
            driven.set_exception(error)
            driven.exception()  # the evening tells it itself, if nobody waits
            raise
        down = self.storm.down(n)
        for flow in ("notify", "report") if down else ("sweep", "notify", "report"):
            await self.runs.run(flow, at, faults)
        asked = at.weekday() == FRIDAY or any(fault.flow == "classify" for fault in faults)
        if asked and not down:
            await self.runs.run("classify", at, faults, share=SHARE)
        if n % SIGNS == 0:
            await self.runs.run("sign", at)

    async def _by_wrong_clocks(self, at: datetime, faults: Sequence[Fault]) -> None:
        for fault in (each for each in faults if each.kind in SHIFTS):
            for flow in ("drive", "sweep", "notify"):
                await self.runs.run(flow, at + SHIFTS[fault.kind])
            self.storm.note(fault.kind)

    async def _rest(self, at: datetime) -> None:
        """In good weather, until there is nothing to do."""
        self.storm.ends()
        await self.runs.drive(at)
        await self.runs.run("sweep", at)
        for evening in range(UNTIL_REST):
            await self.runs.run("notify", at + evening * 6 * HOUR)
            if not await self._queued():
                break
        await self.runs.run("report", at + FINAL)
        await self.runs.run("sign", at)

    async def prove(self) -> None:
        """By the nightly proof, of everything."""
        await self.runs.run("classify", self.season.days[-1].at, share=1)

    async def _queued(self) -> int:
        async with self.counters.engine.connect() as connection:
            asked = "SELECT count(*) FROM message WHERE sending = 'queued'"
            return int(await connection.scalar(sa.text(asked)) or 0)
