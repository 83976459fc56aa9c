"""A worker as Prefect sees it: it says that it is there, takes what is scheduled, and runs it here.

Prefect's own workers start a process for each run, 8 s of imports. This one speaks to the same work
pool by the same calls, and runs the flow in its own process. What nobody can see is done all the
same: whoever asks `shown` and hears False does the work without a run.
"""

import asyncio
import os
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any
from uuid import UUID

import httpx
import structlog
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import PrefectException
from prefect.flow_engine import run_flow_async
from prefect.states import Cancelled, Pending

from flows.deploying import POOL, listed, register
from flows.orphans import WORKER, forget, settle

log = structlog.get_logger()

LOOK = 10.0  # seconds between two looks at what is scheduled
BEAT = 30.0  # seconds between two words that we are there; after three missed ones we are not
SETTLE = 60.0  # seconds between two looks for runs whose worker died
PROMPT = 2.0  # seconds for Prefect to make a run that somebody waits for
PATIENCE = 30.0  # seconds for one look
GRACE = 10.0  # seconds for runs to end when we are told to stop

LATE = "A later run of the same schedule does the work of this one."
AWAY = (httpx.HTTPError, OSError, RuntimeError, PrefectException)


def latest(due: Iterable[FlowRun]) -> tuple[list[FlowRun], list[FlowRun]]:
    """The runs to take, and those of a schedule that a later one of the same makes needless."""
    taken: list[FlowRun] = []
    needless: list[FlowRun] = []
    seen: set[UUID | None] = set()
    for run in sorted(due, key=_when, reverse=True):
        if not run.auto_scheduled:
            taken.append(run)
        elif run.deployment_id in seen:
            needless.append(run)
        else:
            seen.add(run.deployment_id)
            taken.append(run)
    return taken[::-1], needless


def _when(run: FlowRun) -> datetime:
    return (
        run.next_scheduled_start_time or run.expected_start_time or datetime.max.replace(tzinfo=UTC)
    )


class Pool:
    """The pool and our place in it. `here`: whether Prefect answered the last time."""

    def __init__(self, client: PrefectClient) -> None:
        self.client = client
        self.name = f"{socket.gethostname()}-{os.getpid()}-{token_hex(2)}"
        self.here = False
        self.looked = asyncio.Event()  # once, whatever came of it
        self._numbers: dict[str, UUID] = {}
        self._running: dict[UUID, tuple[str, asyncio.Task[bool]]] = {}
        self._ahead = timedelta()  # the server's clock against ours
        self._beaten = self._settled = 0.0

    async def attend(self) -> None:
        """Look what there is to do, for ever."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._look()
            except AWAY as error:
                self._lost(error)
            except Exception as error:  # a watcher that speaks otherwise stops nobody's work
                log.exception("prefect.not_understood")
                self._lost(error)
            self.looked.set()
            await asyncio.sleep(LOOK)

    async def shown(self, flow: Flow[..., Any], why: str) -> bool:
        """Run a flow at once, under its deployment. False: Prefect is away, it is not done."""
        if not self.here:
            return False
        try:
            async with asyncio.timeout(PROMPT):
                run = await self.client.create_flow_run_from_deployment(
                    self._numbers[flow.name], state=Pending(message=why), labels={WORKER: self.name}
                )
        except AWAY as error:
            self._lost(error)
            return False
        task = self._begin(flow, run)
        await asyncio.wait({task})  # which goes on when we are told to stop, and may be cancelled
        return task.cancelled() or task.result()

    async def let_pass(self, flow: Flow[..., Any], since: datetime) -> bool:
        """Whether nobody paused a flow's schedule, and yet there is no run of it since that moment.

        So it is when Prefect's scheduler died, or is late by hours: known of large installations.
        """
        try:
            async with asyncio.timeout(PROMPT):
                known = await self.client.read_deployment(self._numbers[flow.name])
                if known.paused or not any(each.active for each in known.schedules):
                    return False
                runs = await self.client.read_flow_runs(
                    deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[known.id])),
                    flow_run_filter=FlowRunFilter(
                        expected_start_time=FlowRunFilterExpectedStartTime(after_=since)
                    ),
                    limit=1,
                )
        except AWAY as error:
            self._lost(error)
            return True
        return not runs

    async def leave(self) -> None:
        """Let runs end, and be no worker any more."""
        tasks = [task for _, task in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for each in late:
                each.cancel()
            if late:  # a database that says nothing is not waited for
                await asyncio.wait(late, timeout=GRACE)
        if self.here:
            with suppress(*AWAY):
                async with asyncio.timeout(PROMPT):
                    await forget(self.client, self.name)

    async def _look(self) -> None:
        if not self.here:
            self._numbers = await register(self.client)
            self._beaten = self._settled = -SETTLE
        await self._keep()
        if not self.here:
            log.info("prefect.here", worker=self.name, deployments=len(self._numbers))
        self.here = True
        await self._heed()
        await self._take()

    async def _keep(self) -> None:
        """Say that we are there; look after what those left who no longer do."""
        now = time.monotonic()
        if now - self._beaten < BEAT:
            return
        await self.client.send_worker_heartbeat(POOL, self.name, BEAT)
        self._beaten = now
        if now - self._settled >= SETTLE:
            self._ahead = await settle(self.client, self.name, self._running.keys())
            self._settled = now

    def _lost(self, error: BaseException) -> None:
        if self.here:
            log.warning("prefect.away", error=str(error)[:200] or type(error).__name__)
        self.here = False

    def _now(self) -> datetime:
        """By the server's clock: ours may be wrong."""
        return datetime.now(UTC) + self._ahead

    async def _take(self) -> None:
        """Take what is due; a flow that runs here already may wait, or go to another worker."""
        answer = await self.client.get_scheduled_flow_runs_for_work_pool(
            POOL, scheduled_before=self._now()
        )
        flows = {self._numbers[each.flow.name]: each.flow for each in listed()}
        due, needless = latest(
            each.flow_run for each in answer if each.flow_run.deployment_id in flows
        )
        for run in due:
            flow = flows[run.deployment_id]  # type: ignore[index]
            if flow.name not in {name for name, _ in self._running.values()}:
                await self._claim(flow, run)
        for run in needless:
            await self.client.set_flow_run_state(run.id, Cancelled(name="Skipped", message=LATE))

    async def _claim(self, flow: Flow[..., Any], run: FlowRun) -> None:
        """Of several workers that want a run, Prefect lets one make it pending."""
        pending: State[Any] = Pending(message=f"by {self.name}")
        answer = await self.client.set_flow_run_state(run.id, pending)
        if answer.status is not SetStateStatus.ACCEPT:
            return
        await self.client.update_flow_run_labels(run.id, {WORKER: self.name})
        self._begin(flow, run.model_copy(update={"state": answer.state}))

    def _begin(self, flow: Flow[..., Any], run: FlowRun) -> asyncio.Task[bool]:
        task = asyncio.create_task(self._run(flow, run), name=f"{flow.name} {run.name}")
        self._running[run.id] = flow.name, task
        task.add_done_callback(lambda _: self._running.pop(run.id))
        return task

    async def _run(self, flow: Flow[..., Any], run: FlowRun) -> bool:
        """The run, in this process. False: Prefect went away, and the work may not be done."""
        try:
            state: Any = await run_flow_async(flow, run, run.parameters, return_type="state")
        except AWAY as error:
            self._lost(error)
            return False
        except Exception:
            log.exception("run.failed", flow=flow.name, run=run.name)
            return False
        if state.is_failed():
            log.error("flow.failed", flow=flow.name, run=run.name, error=state.message)
        return True

    async def _heed(self) -> None:
        """Break off what a person cancelled in Prefect's UI: no half batch is ever committed."""
        if not self._running:
            return
        asked = FlowRunFilter(id=FlowRunFilterId(any_=list(self._running)))
        for run in await self.client.read_flow_runs(flow_run_filter=asked):
            if run.state and run.state.is_cancelling() and run.id in self._running:
                _, task = self._running[run.id]
                task.cancel()
                await asyncio.wait({task})
                await self.client.set_flow_run_state(run.id, Cancelled(), force=True)
