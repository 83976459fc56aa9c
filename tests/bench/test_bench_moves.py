"""One move through the ledger beside pgbench writing the same rows."""

import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from apart import apart
from crowd import codes, gather
from measures import ROUNDS, Figure, Figures
from movers import clerks

from states.embedded import Embedded, program
from states.words import Event

pytestmark = pytest.mark.bench

PROCEDURE = "2.000205"  # three stages; a person takes it in
DOSSIERS = 1_000  # half of them the ledger's, half pgbench's
PROCESSES, EACH = 2, 8  # sixteen connections
SECONDS = 3
WARM = 1

Taken = list[float]  # how long each move took, in order of length; seconds


def test_a_move_and_pgbench(durable: Embedded, figures: Figures) -> None:
    half = DOSSIERS // 2
    gather(durable.owner, DOSSIERS, PROCEDURE, (Event.digitise, Event.route, Event.accept))
    ours = codes(durable.owner, 1, half)
    with ExitStack() as stack:
        lines = [
            stack.enter_context(apart(clerks, durable.application, ours[n::PROCESSES], EACH))
            for n in range(PROCESSES)
        ]
        moved(lines, WARM)
        rounds = [
            (moved(lines, SECONDS), pgbench(durable, half + 1, DOSSIERS)) for _ in range(ROUNDS)
        ]
    figures.add(
        Figure(
            row=1,
            what="One move, 16 connections",
            unit="/s",
            beside="pgbench",
            rounds=[(len(a) / SECONDS, len(b) / SECONDS) for a, b in rounds],
            target="≥ 0.5 ×",
            reached=lambda figure: figure.ratio >= 0.5,
        )
    )
    figures.add(
        Figure(
            row=1,
            what="  half of them within",
            unit="ms",
            beside="pgbench",
            rounds=[(_within(a, 0.5), _within(b, 0.5)) for a, b in rounds],
        )
    )
    figures.add(
        Figure(
            row=1,
            what="  99 of 100 within",
            unit="ms",
            beside="pgbench",
            rounds=[(_within(a, 0.99), _within(b, 0.99)) for a, b in rounds],
            target="< 50 ms",
            reached=lambda figure: figure.measured < 50,
        )
    )


def moved(lines: Sequence[Connection], seconds: int) -> Taken:
    for line in lines:
        line.send(seconds)
    return sorted(one for line in lines for one in line.recv())


def pgbench(server: Embedded, first: int, last: int) -> Taken:
    """As many connections and seconds, on as many dossiers by lot."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(program("pgbench"), "-h", server.socket, "-U", "hoso_app", "-n"),
                *("-M", "prepared", "-c", str(PROCESSES * EACH), "-j", str(PROCESSES)),
                *("-T", str(SECONDS), "-D", f"first={first}", "-D", f"last={last}"),
                *("-l", "-f", Path(__file__).with_name("move.sql"), "hoso"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        logs = "".join(path.read_text() for path in Path(folder).iterdir())
    return sorted(int(line.split()[2]) / 1e6 for line in logs.splitlines())  # microseconds there


def _within(taken: Taken, part: float) -> float:
    """Milliseconds."""
    return taken[int(len(taken) * part)] * 1e3
