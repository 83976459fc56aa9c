"""What a run says of itself in Prefect: a table of what it did, and events automations act on.

A flow says it in one line, `await tell("sweep", counts, events)`. Nothing here makes a flow fail.
What was done where no run showed it (the server was away, or a drive came right after another) is
kept and told with the next run of the flow that shows, events too.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx
import structlog
from prefect.artifacts import TableArtifact
from prefect.client.orchestration import PrefectClient
from prefect.context import AsyncClientContext, FlowRunContext
from prefect.events.schemas.events import Event
from prefect.exceptions import PrefectException

from flows.opening import moment

log = structlog.get_logger()

MOST = 50  # events of a run sent one by one; the others are one summary
NAMED = 20  # dossiers named in the table's words
PATIENCE = 5.0  # seconds for the server to take both
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # of the moments in names

Kind = Literal["hoso.breach", "hoso.alert", "hoso.proof-failed", "hoso.change-applied"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something about one dossier that an automation may act on."""

    kind: Kind
    dossier: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Said:
    """What one flow has to tell; of happenings, the first and how many there were of each kind."""

    counts: Counter[str] = field(default_factory=Counter)
    first: list[Happening] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)
    dossiers: dict[str, None] = field(default_factory=dict)  # a set that keeps its order

    def add(
        self,
        counts: Mapping[str, int],
        events: Sequence[Happening],
        dossiers: Iterable[str],
        kinds: Mapping[Kind, int],
    ) -> None:
        self.counts.update(counts)
        self.first += events[: MOST - len(self.first)]
        here = Counter(each.kind for each in events)
        self.kinds.update(here | Counter(kinds))
        for code in chain(dossiers, (each.dossier for each in events)):
            if len(self.dossiers) >= NAMED:
                return
            self.dossiers[code] = None

    def after(self, earlier: "_Said | None") -> "_Said":
        """Both, for what another run of the flow left meanwhile."""
        if earlier is None:
            return self
        earlier.add(self.counts, self.first, self.dossiers, self.kinds)
        return earlier


def named() -> str:
    """A run's name in Prefect: its flow, and the moment it stands for."""
    run = FlowRunContext.get()
    assert run is not None
    assert run.flow is not None
    at = moment((run.parameters or {}).get("at")).astimezone(ZONE)
    return f"{run.flow.name} {at:%Y-%m-%d %H:%M}"


NONE: Mapping[Kind, int] = {}
_UNTOLD: dict[str, _Said] = {}


async def tell(
    flow: str,
    counts: Mapping[str, int],
    events: Sequence[Happening] = (),
    dossiers: Iterable[str] = (),
    kinds: Mapping[Kind, int] = NONE,
) -> None:
    """Leave a run's table, under a key of its flow, and its events. Never raises.

    `dossiers` are codes worth naming, besides those of the events; the first twenty are.
    `kinds`: how many there were of each, where `events` are only the first of them.
    """
    if "PREFECT_API_URL" not in os.environ:
        return
    said = _UNTOLD.pop(flow, None) or _Said()
    said.add(counts, events, dossiers, kinds)
    run = FlowRunContext.get()
    if run is None or not await _sent(flow, said, run):
        _UNTOLD[flow] = said.after(_UNTOLD.get(flow))


async def _sent(flow: str, said: _Said, run: FlowRunContext) -> bool:
    try:
        async with asyncio.timeout(PATIENCE), AsyncClientContext.get_or_create() as known:
            await _send(known.client, flow, said, run)
    except (httpx.HTTPError, OSError, RuntimeError, PrefectException) as error:
        log.warning("prefect.not_told", flow=flow, error=str(error)[:200])
        return False
    return True


async def _send(client: PrefectClient, flow: str, said: _Said, run: FlowRunContext) -> None:
    table = TableArtifact(
        key=f"hoso-{flow}",
        description=_words(said),
        table=[{"what": what, "how many": many} for what, many in said.counts.items()],
    )
    await table.acreate(client)
    said.counts, said.dossiers = Counter(), {}
    if events := list(_events(flow, said, run)):
        told = [each.model_dump(mode="json") for each in events]
        (await client.request("POST", "/events", json=told)).raise_for_status()


def _words(said: _Said) -> str | None:
    """The first dossiers. No links: who reads this is not signed in to the API."""
    return "Dossiers: " + ", ".join(said.dossiers) if said.dossiers else None


def _events(flow: str, said: _Said, run: FlowRunContext) -> Iterable[Event]:
    """One for each of the first, and for each kind that has more, one with how many there were."""
    assert run.flow_run is not None
    of = {
        "prefect.resource.id": f"prefect.flow-run.{run.flow_run.id}",
        "prefect.resource.role": "flow-run",
        "prefect.resource.name": run.flow_run.name,
    }
    for each in said.first:
        thing = _thing(f"hoso.dossier.{each.dossier}", each.dossier)
        yield Event(event=each.kind, resource=thing, related=[of], payload=dict(each.facts))
    shown = Counter(each.kind for each in said.first)
    for kind, many in said.kinds.items():
        if many > shown[kind]:
            told = {"count": many, "shown": shown[kind]}
            thing = _thing(f"hoso.flow.{flow}", flow)
            yield Event(event=f"{kind}.many", resource=thing, related=[of], payload=told)


def _thing(number: str, name: str) -> Any:
    return {"prefect.resource.id": number, "prefect.resource.name": name}
