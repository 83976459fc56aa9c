"""Flows asked of the machines, disturbed, and asked again until they came to their end."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import cycle
from typing import Any

from fates import Fault, Kind
from machines import Answer, Machine
from storm import Storm

AGAIN = 0.1  # seconds before a flow is asked again that met bad weather
LONGEST = 120.0  # seconds of bad weather for one flow
UNKNOWN = 0.2  # seconds that a flow is taken to last which never ran
AMID = {Kind.worker_killed, Kind.ten_at_once, Kind.postgres_by_night}


class Runs:
    """`did`: what they answered, summed up; `found`: by the proofs; `spent`: seconds, by flow."""

    def __init__(self, machines: Sequence[Machine], storm: Storm) -> None:
        self._machines, self._storm = machines, storm
        self._next = cycle(machines)
        self._took: dict[str, float] = {}
        self.did: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()
        self.found: list[Any] = []

    async def run(
        self, flow: str, at: datetime, faults: Sequence[Fault] = (), **more: Any
    ) -> dict[str, Any]:
        """What it answered in the end; each of the faults that are for it befalls it first."""
        begun = time.perf_counter()
        for fault in faults:
            if fault.flow == flow and fault.kind in AMID:
                await self._befall(fault, at, more)
        answers = await self._asked(flow, at, next(self._next), 1, more)
        self.spent[flow] += time.perf_counter() - begun
        result: dict[str, Any] = answers[0].result
        return result

    async def drive(self, at: datetime, faults: Sequence[Fault] = ()) -> None:
        """Until nothing is open: who was killed may have held rows a moment longer."""
        while any((await self.run("drive", at, faults)).values()):
            faults = ()

    async def _befall(self, fault: Fault, at: datetime, more: Mapping[str, Any]) -> None:
        if fault.kind is Kind.ten_at_once:
            each = 10 // len(self._machines)
            await all_of(self._asked(fault.flow, at, m, each, more) for m in self._machines)
            self._storm.note(f"{fault.kind}: {fault.flow}")
            return
        machine = next(self._next)
        asking = asyncio.create_task(machine.ask(fault.flow, at, 1, more))
        lasts = self._took.get(fault.flow, UNKNOWN)
        await asyncio.wait({asking}, timeout=fault.part * lasts)
        if asking.done():
            self._storm.note("a flow had ended before it was to be disturbed")
        else:
            if fault.kind is Kind.worker_killed:
                machine.kill()
            else:
                await self._storm.restart()
            self._storm.note(f"{fault.kind}: {fault.flow}")
        await asyncio.gather(asking, return_exceptions=True)

    async def _asked(
        self, flow: str, at: datetime, machine: Machine, times: int, more: Mapping[str, Any]
    ) -> list[Answer]:
        """Until every run came to its end. Raises AssertionError for what no weather explains."""
        async with asyncio.timeout(LONGEST):
            while True:
                try:
                    answers = await machine.ask(flow, at, times, more)
                except EOFError:
                    self.met["a machine was gone"] += 1
                    continue
                if wrong := [each.result for each in answers if each.kind == "failed"]:
                    raise AssertionError(f"{flow} at {at}:\n{wrong[0]}")
                if all(each.kind == "done" for each in answers):
                    self._count(flow, answers)
                    return answers
                self.met[f"{flow} met the weather"] += 1
                await asyncio.sleep(AGAIN)

    def _count(self, flow: str, answers: Sequence[Answer]) -> None:
        self._took[flow] = max(each.seconds for each in answers)
        for each in answers:
            self.did[f"{flow}: runs"] += 1
            self.found += each.result.get("found", ())
            for name, many in each.result.items():
                if isinstance(many, int) and many:
                    self.did[f"{flow}: {name}"] += many


async def all_of(each: Iterable[Any]) -> None:
    """Wait for all of them; raises the first failure."""
    for outcome in await asyncio.gather(*each, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
