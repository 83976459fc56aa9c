"""What Prometheus scrapes: requests, the pool, listeners, the ledger.

Each process tells its own; the scraper tells them apart by `instance`. What is of the ledger is the
same for all of them: take one, never their sum.
"""

import asyncio
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address
from time import perf_counter
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from sqlalchemy.pool import QueuePool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.away import away_is_said, first_line
from api.doors import house, opened
from api.live.opening import HELD as LIVE
from api.problems import Away, Unidentified
from states.accounts import scopes
from states.live.cursor import Cursor
from states.live.measuring import Measured, measured, standing

log = structlog.get_logger()

PATIENCE = 3.0  # seconds for the ledger: a scraper gives up after ten
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NOWHERE = "none"  # no route

router = APIRouter(tags=["operation"])


def add_to(app: FastAPI) -> None:
    """After all other middleware, so that it is round them."""
    app.state.meters = Meters()
    app.add_middleware(Metered, meters=app.state.meters)
    app.include_router(router)


class Meters:
    """What a process has counted since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "hoso_http_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "hoso_http_request_seconds",
            "Until the answer was sent; of a stream, until it began.",
            ["route", "method"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.moves = Counter(
            "hoso_ledger_moves",
            "Lines entered by anybody since this process was first scraped.",
            ["event"],
            registry=self.registry,
        )
        self.place: Cursor | None = None  # up to where moves are counted
        self.alone = asyncio.Lock()

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = template(scope)
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)


class Metered:
    """Outside of all others: what it counts is what the caller got."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, first = perf_counter(), 500, None

        async def watched(message: Message) -> None:
            nonlocal status, first
            if message["type"] == "http.response.start":
                status = message["status"]
                if _streams(message):
                    first = perf_counter()
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            self.meters.answered(scope, status, (first or perf_counter()) - began)


def template(scope: Scope) -> str:
    """The route as it is written, without codes or anything else that was sent."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(included or scope.get("route"), "path", None)
    return path or NOWHERE


def _streams(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start["headers"]
    )


# Scraped ----------------------------------------------------------------------------------


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def metrics(request: Request) -> Response:
    """To who asks on this very machine, or brings a token for it."""
    await _admit(request)
    meters: Meters = request.app.state.meters
    ledger = await _ledger(request, meters)
    shown = _Shown([meters.registry, _Now(request, ledger)])
    return Response(generate_latest(shown), media_type=CONTENT_TYPE_LATEST)


async def _admit(request: Request) -> None:
    """Raises `Unidentified`, `OutOfScope`."""
    if _is_here(request):
        return
    async with opened(request) as (_, arrival):
        if arrival.who is None:
            raise Unidentified("send Authorization: Bearer with a service key made for metrics")
        arrival.who.may(scopes.Scope.metrics_read)


def _is_here(request: Request) -> bool:
    """Asked on this machine, and not through a proxy on it for somebody elsewhere."""
    if request.client is None or "x-forwarded-for" in request.headers:
        return False
    if "forwarded" in request.headers or "via" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _ledger(request: Request, meters: Meters) -> Measured | None:
    """None when the database does not tell in time: the rest is told all the same."""
    engine = house(request).engine
    try:
        async with asyncio.timeout(PATIENCE), meters.alone:
            with away_is_said():
                if meters.place is None:
                    meters.place = await standing(engine)
                found = await measured(engine, meters.place, datetime.now(UTC))
            meters.place = found.place
    except (Away, TimeoutError) as error:
        log.warning("metrics.incomplete", why=type(error).__name__, said=first_line(error))
        return None
    for event, count in found.moves.items():
        meters.moves.labels(event).inc(count)
    return found


class _Shown:
    """Several collectors as one."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def collect(self) -> Iterator[Metric]:
        for part in self.parts:
            yield from part.collect()


class _Now:
    """What stands at this moment."""

    def __init__(self, request: Request, ledger: Measured | None) -> None:
        self.house, self.ledger = house(request), ledger

    def collect(self) -> Iterator[Metric]:
        built = InfoMetricFamily("hoso_build", "What runs.")
        built.add_metric([], {"version": version("hoso"), "python": platform.python_version()})
        yield built
        pool = self.house.engine.pool
        assert isinstance(pool, QueuePool)
        yield _gauge("hoso_pool_size", "Connections there may be.", pool.size())
        yield _gauge("hoso_pool_in_use", "Connections in a transaction.", pool.checkedout())
        yield _gauge("hoso_live_listeners", "Streams that are open.", len(self.house.held[LIVE]))
        told = self.ledger
        yield _gauge("hoso_ledger_read", "1: the ledger told in time.", told is not None)
        if told is not None:
            yield from _of_ledger(told)


def _of_ledger(told: Measured) -> Iterator[Metric]:
    dossiers = GaugeMetricFamily(
        "hoso_dossiers_open", "Unfinished dossiers by their deadline.", labels=["deadline"]
    )
    for which in ("overdue", "due", "undated"):
        dossiers.add_metric([which], getattr(told, which))
    yield dossiers
    behind = GaugeMetricFamily(
        "hoso_outbox_behind_seconds",
        "Age of the first line a reader has not read; 0: it has read all.",
        labels=["reader"],
    )
    for reader, seconds in sorted(told.behind.items()):
        behind.add_metric([reader], seconds)
    yield behind
    yield _gauge(
        "hoso_outbox_held_seconds",
        "Age of the first line nobody may read yet, as a transaction goes on.",
        told.held,
    )


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=float(value))
