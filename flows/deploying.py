"""The deployments of prefect.yaml, and how they come to a Prefect server.

The file is the one list. A worker registers it when it meets a server, and again when the server
has forgotten it. What is registered alike already is left alone, so a schedule that somebody paused
or changed in Prefect's UI stays so until the entry here changes, and what was paused even then.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

POOL = "hoso"
PLACES = (  # in a checkout, and in the wheel
    Path(__file__).parents[1] / "prefect.yaml",
    Path(__file__).with_name("prefect.yaml"),
)
#: What people read beside a parameter of that name, unless the flow's own docstring says it.
PARAMETERS = {
    "at": "The moment the run stands for, with its offset. Empty: now.",
    "share": "Of how many closed dossiers one is read again in a night: all of them in as many.",
    "archive_after": "Years after its end a dossier's lines are put away. Empty: none are.",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When, in local time, by the five fields of cron."""

    slug: str
    cron: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """An entry of prefect.yaml. `entrypoint` names the module: it is found from any directory."""

    name: str
    description: str
    entrypoint: str
    schedules: tuple[Schedule, ...]
    tags: tuple[str, ...]

    @property
    def flow(self) -> Flow[..., Any]:
        module, name = self.entrypoint.split(":")
        found: Flow[..., Any] = getattr(import_module(module), name)
        return found

    @property
    def full_name(self) -> str:
        return f"{self.flow.name}/{self.name}"

    @property
    def parameters(self) -> dict[str, Any]:
        """The schema of the flow's parameters, each described."""
        told: dict[str, Any] = parameter_schema(self.flow.fn).model_dump()
        for name, each in told["properties"].items():
            if name in PARAMETERS:
                each.setdefault("description", PARAMETERS[name])
        return told

    @property
    def version(self) -> str:
        """Tells whether what is registered is this."""
        said = repr((self, self.parameters))
        return hashlib.sha256(said.encode()).hexdigest()[:12]


@cache
def listed() -> tuple[Deployment, ...]:
    """All deployments, in the order of the file."""
    file = next(each for each in PLACES if each.exists())
    return tuple(map(_read, yaml.safe_load(file.read_text(encoding="utf-8"))["deployments"]))


def _read(entry: dict[str, Any]) -> Deployment:
    path, _, name = entry["entrypoint"].partition(":")
    return Deployment(
        name=entry["name"],
        description=entry["description"],
        entrypoint=f"{path.removesuffix('.py').replace('/', '.')}:{name}",
        schedules=tuple(Schedule(**each) for each in entry["schedules"]),
        tags=tuple(entry["tags"]),
    )


async def register(client: PrefectClient) -> dict[str, UUID]:
    """Make the pool and every deployment known; their numbers, by the names of their flows."""
    await _pool(client)
    return {each.flow.name: await _registered(client, each) for each in listed()}


async def _pool(client: PrefectClient) -> None:
    """Of Prefect's type `process`: any worker of Prefect's may take from it as well, if slower."""
    try:
        await client.read_work_pool(POOL)
    except ObjectNotFound:
        pool = WorkPoolCreate(
            name=POOL,
            description="Flows of hoso, taken by `hoso worker`.",
            type=ProcessWorker.type,
            base_job_template=ProcessWorker.get_default_base_job_template(),
        )
        try:
            await client.create_work_pool(pool)
        except ObjectAlreadyExists:  # another worker was quicker
            return


async def _registered(client: PrefectClient, ours: Deployment) -> UUID:
    known = await _known(client, ours)
    if known is not None and known.version == ours.version:
        return known.id
    return await client.create_deployment(
        flow_id=await client.create_flow_from_name(ours.flow.name),
        name=ours.name,
        version=ours.version,
        description=ours.description,
        entrypoint=ours.entrypoint,
        work_pool_name=POOL,
        tags=list(ours.tags),
        parameter_openapi_schema=ours.parameters,
        enforce_parameter_schema=True,
        paused=known.paused if known else None,
        schedules=_schedules(ours, known.schedules if known else []),
    )


async def _known(client: PrefectClient, ours: Deployment) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(ours.full_name)
    except ObjectNotFound:
        return None


def _schedules(ours: Deployment, known: list[DeploymentSchedule]) -> list[DeploymentScheduleCreate]:
    """Ours; one that is paused there stays paused."""
    paused = {each.slug for each in known if not each.active}
    return [
        DeploymentScheduleCreate(
            slug=each.slug,
            active=each.slug not in paused,
            schedule=CronSchedule(cron=each.cron, timezone=each.timezone),
        )
        for each in ours.schedules
    ]
