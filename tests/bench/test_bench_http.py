"""One move over HTTP, with everything on, beside pgbench writing the same rows."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest
from apart import apart
from calling import callers
from crowd import codes, gather
from measures import ROUNDS, Figure, Figures
from office import Signing
from serving import serving
from test_bench_moves import DOSSIERS, EACH, PROCEDURE, PROCESSES, SECONDS, WARM, moved, pgbench

from states.db import engine
from states.embedded import Embedded
from states.words import Event

pytestmark = pytest.mark.bench

SERVERS = 2
OFFICER, LEADER = "p-labour-officer-11", "p-labour-lead-01"


def test_a_move_over_http_and_pgbench(durable: Embedded, figures: Figures, tmp_path: Path) -> None:
    half = DOSSIERS // 2
    gather(durable.owner, DOSSIERS, PROCEDURE, (Event.digitise, Event.route, Event.accept))
    ours = codes(durable.owner, 1, half)
    signed = asyncio.run(_tokens(durable))
    with serving(durable.application, tmp_path, SERVERS) as (url, processes), ExitStack() as stack:
        port = int(url.rpartition(":")[2])
        lines = [
            stack.enter_context(apart(callers, port, signed, ours[n::PROCESSES], EACH))
            for n in range(PROCESSES)
        ]
        moved(lines, WARM)
        rounds = [
            (moved(lines, SECONDS), pgbench(durable, half + 1, DOSSIERS)) for _ in range(ROUNDS)
        ]
        held = max(map(resident, processes))
    figures.add(
        Figure(
            row=2,
            what="One move over HTTP, 16 connections, 2 processes",
            unit="/s",
            beside="pgbench",
            rounds=[(len(a) / SECONDS, len(b) / SECONDS) for a, b in rounds],
            target="≥ 0.3 ×",
            reached=lambda figure: figure.ratio >= 0.3,
        )
    )
    figures.add(
        Figure(
            row=2,
            what="  the larger process holds",
            unit="MB",
            beside="the limit",
            rounds=[(held, 200.0)] * ROUNDS,
            target="< 200 MB",
            reached=lambda figure: figure.measured < 200,
        )
    )


async def _tokens(server: Embedded) -> dict[str, str]:
    connections = engine(server.application)
    signing = Signing(connections)
    found = {
        "advance": await signing.token(OFFICER),
        "send_back": await signing.token(LEADER),
    }
    await connections.dispose()
    return found


def resident(process: int) -> float:
    """MB of memory of its own and shared."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(each for each in lines if each.startswith("VmRSS")).split()[1]) / 1024
