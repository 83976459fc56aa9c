"""Processes that run flows and nothing else, so that one can be killed for real.

They are forked from a process that has imported everything: a new one is there in a moment. What
they are told to do they do by the flow's own function, in one loop, with connections that they
keep, as `hoso worker` does where it has no Prefect server to show its runs in.
"""

import asyncio
import importlib
import logging
import os
import time
import traceback
from collections.abc import Mapping
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import structlog

APART = get_context("forkserver")
APART.set_forkserver_preload(
    [*(f"flows.{each}" for each in ("drive", "sweep", "recompute", "notify", "classify", "report"))]
)
PATIENCE = 1.0, 2.0  # seconds for one step with a mail server or gateway, and for all of it


class Answer(NamedTuple):
    """What became of a run: its result; or that the weather was bad; or what is wrong with us."""

    kind: str
    result: Any
    seconds: float


class Machine:
    """The near end of one. Raises EOFError to whoever waits for one that was killed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._busy = asyncio.Lock()
        self._begin()

    def _begin(self) -> None:
        self._line, theirs = APART.Pipe()
        self._process = APART.Process(target=serve, args=(theirs, self._environment), daemon=True)
        self._process.start()
        theirs.close()

    async def ask(
        self, flow: str, at: datetime, times: int, more: Mapping[str, Any]
    ) -> list[Answer]:
        """Run a flow, so many times at once."""
        async with self._busy:
            if not self._process.is_alive():
                self._begin()
            try:
                self._line.send((flow, at, times, dict(more)))
                answers: list[Answer] = await asyncio.to_thread(self._line.recv)
            except OSError as error:
                raise EOFError from error
            return answers

    def kill(self) -> None:
        """As nobody can catch it. The next who asks gets a new one."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        if self._process.is_alive():
            self._line.send(None)
            self._process.join(20)
        self.kill()
        self._line.close()


# The far end ------------------------------------------------------------------------------------


def serve(line: Connection, environment: Mapping[str, str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    os.environ.pop("PREFECT_API_URL", None)
    os.environ.update(environment)
    asyncio.run(_serve(line))


async def _serve(line: Connection) -> None:
    from config.settings import settings
    from flows import opening, wires

    settings.cache_clear()
    wires.STEP, wires.WHOLE = PATIENCE
    while (asked := await asyncio.to_thread(line.recv)) is not None:
        flow, at, times, more = asked
        line.send(await asyncio.gather(*(_run(flow, at, more) for _ in range(times))))
    await opening.close()


async def _run(flow: str, at: datetime, more: Mapping[str, Any]) -> Answer:
    """One run; every error is told."""
    from states.db import LOST
    from states.errors import Outdated

    begun = time.perf_counter()
    try:
        result = await _function(flow)(at, **more)
    except (*LOST, Outdated) as error:
        return Answer("weather", f"{type(error).__name__}: {error}"[:300], 0.0)
    except Exception:  # noqa: BLE001  the near end fails by it
        return Answer("failed", traceback.format_exc(), 0.0)
    return Answer("done", result, time.perf_counter() - begun)


def _function(flow: str) -> Any:
    if flow in BESIDE:
        return BESIDE[flow]
    return getattr(importlib.import_module(f"flows.{flow}"), flow).fn


# What `hoso worker` does that is no flow ----------------------------------------------------------


async def _sign(at: datetime) -> dict[str, int]:
    """The day's anchors."""
    from config.secret import key, secret
    from config.settings import settings
    from flows.opening import connections
    from states.db import transaction
    from states.ledger import anchor

    folder = settings().data
    ours = anchor.key_in(folder, key(secret(settings()), "anchor"))
    async with transaction(connections()) as db:
        return {"anchors": await anchor.sign(db, ours, folder, at.date())}


BESIDE = {"sign": _sign}
