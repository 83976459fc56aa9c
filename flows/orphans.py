"""What a worker leaves that was killed: runs that Prefect would show as running for ever.

Time is the server's here, for a worker's clock may be wrong: a beat just sent tells what it is.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed

from flows.deploying import POOL

log = structlog.get_logger()

WORKER = "prefect.worker.name"  # the label by which Prefect's own workers sign a run, too
SILENCE = timedelta(seconds=90)  # three beats
FORGOTTEN = timedelta(days=1)  # a worker silent for so long is no longer listed

OURS = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
BEGUN = FlowRunFilter(
    state=FlowRunFilterState(
        type=FlowRunFilterStateType(
            any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
        )
    )
)


async def settle(client: PrefectClient, name: str, running: Collection[UUID]) -> timedelta:
    """Call crashed what nobody runs any more; returns how far the server's clock is ahead of ours.

    `name` is the worker that asks, which has just sent its beat, and `running` what it runs.
    """
    beats = await _beats(client)
    now = beats[name]
    ahead = now - datetime.now(UTC)
    begun = await client.read_flow_runs(work_pool_filter=OURS, flow_run_filter=BEGUN)
    for run in begun:
        if run.id not in running and _left(run, name, beats, now):
            message = f"Its worker {run.labels.get(WORKER, '')} ended before it did."
            await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            log.warning("run.crashed", run=run.name, worker=run.labels.get(WORKER))
    for gone, beat in beats.items():
        if now - beat > FORGOTTEN:
            await forget(client, gone)
    return ahead


async def forget(client: PrefectClient, worker: str) -> None:
    """Take a worker off the pool's list, if nobody did before."""
    with suppress(PrefectHTTPStatusError):
        path = {"work_pool_name": POOL, "name": worker}
        await client.request("DELETE", "/work_pools/{work_pool_name}/workers/{name}", None, path)


async def _beats(client: PrefectClient) -> dict[str, datetime]:
    workers = await client.read_workers_for_work_pool(POOL)
    return {each.name: each.last_heartbeat_time for each in workers if each.last_heartbeat_time}


def _left(run: FlowRun, name: str, beats: dict[str, datetime], now: datetime) -> bool:
    """Whether nobody runs it: its worker is silent, or is the one that asks, or nobody signed."""
    who = run.labels.get(WORKER)
    if isinstance(who, str) and who != name:
        return who not in beats or now - beats[who] > SILENCE
    return run.state is not None and now - run.state.timestamp > SILENCE
