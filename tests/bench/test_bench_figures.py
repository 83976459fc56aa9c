"""Figures over a million dossiers, and a register of a hundred thousand as a workbook.

HOSO_TEST_LARGE=1: figures over ten million, beside the same over one.

The register is made as anybody makes it, by the command line, in a process of its own: seconds and
the most memory it held.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from measures import ROUNDS, Figure, Figures, Pair
from province import AT, settled, told_ten_times
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import bundles
from states.db import engine, transaction
from states.embedded import Embedded
from states.figures import every, rolling
from states.figures.counting import Span
from states.figures.periods import Period
from states.figures.reporting import Asked
from states.ledger.statements import d, dossier

pytestmark = pytest.mark.bench

MANY, LINES = 1_000_000, 100_000
SINCE = AT - timedelta(days=1096) * LINES / MANY  # so many of three years' were received since
QUARTER = Period.parse("2026-Q3")
LARGEST = "H42.01"  # a sixth of all


LARGE = bool(os.environ.get("HOSO_TEST_LARGE"))


@pytest.fixture(scope="module")
def province(durable: Embedded) -> Embedded:
    settled(durable.owner, MANY)
    asyncio.run(rolled(durable.application))
    return durable


async def rolled(address: str) -> None:
    connections = engine(address, 1)
    await rolling.roll(connections)
    await connections.dispose()


# The register -------------------------------------------------------------------------------


def command(address: str, form: str, file: Path) -> tuple[float, float]:
    """Seconds and megabytes of `hoso report register`."""
    words = ["report", "register", "--from", SINCE.isoformat(), "--to", AT.isoformat()]
    program = "import sys; from api.cli import main; sys.exit(main())"
    begun = time.perf_counter()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program, *words, "--format", form, "--output", str(file)],
        os.environ | {"HOSO_DATABASE": address, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )
    _, status, used = os.wait4(child, 0)
    assert status == 0
    return time.perf_counter() - begun, used.ru_maxrss / 1024


def test_a_years_register_as_a_workbook(
    province: Embedded, figures: Figures, tmp_path: Path
) -> None:
    rounds = []
    for _ in range(ROUNDS):
        xlsx = command(province.application, "xlsx", tmp_path / "a.xlsx")
        rounds.append((xlsx, command(province.application, "csv", tmp_path / "a.csv")))
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    assert sum(1 for _ in book.active.rows) > 0.95 * LINES
    for n, (what, unit, most) in enumerate((("time", "s", 20), ("memory", "MB", 300))):
        figures.add(
            Figure(
                row=17 + n,
                what=f"A register of {LINES:,} as XLSX, {what}",
                unit=unit,
                beside="the same as CSV",
                rounds=[(ours[n], theirs[n]) for ours, theirs in rounds],
                target=f"< {most} {unit}",
                reached=lambda figure, most=most: figure.measured < most,  # type: ignore[misc]
            )
        )


# Biểu 06 ------------------------------------------------------------------------------------


async def took(ask: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    begun = time.perf_counter()
    await ask()
    return 1000 * (time.perf_counter() - begun)


async def measured(address: str, agencies: list[str] | None) -> list[Pair]:
    connections = engine(address, 1)
    async with transaction(connections) as db:
        asked = Asked(db, await bundles.read(db), QUARTER, AT, agencies=agencies)
        report = every.find("bieu06")
        pairs = [
            (await took(lambda: report.make(asked)), await took(lambda: plain(db, agencies)))
            for _ in range(ROUNDS + 1)
        ]
    await connections.dispose()
    return pairs[1:]


async def plain(db: AsyncConnection, agencies: list[str] | None) -> None:
    """The dossiers of the period, only counted."""
    form = every.find("bieu06").form
    assert form is not None
    reads = form.reads(Span.between(QUARTER.since, QUARTER.until))
    query = sa.select(sa.func.count()).select_from(dossier).where(reads)
    await db.execute(query if agencies is None else query.where(d.agency.in_(agencies)))


@pytest.mark.parametrize(
    ("whose", "agencies", "most"),
    [("one agency", [LARGEST], 200), ("the whole province", None, 1000)],
)
def test_form_06(
    province: Embedded, figures: Figures, whose: str, agencies: list[str] | None, most: int
) -> None:
    figures.add(
        Figure(
            row=19,
            what=f"Biểu 06 of {whose} over {MANY:,} dossiers",
            unit="ms",
            beside="its dossiers counted, no more",
            rounds=asyncio.run(measured(province.application, agencies)),
            target=f"< {most} ms",
            reached=lambda figure: figure.measured < most,
        )
    )


@pytest.mark.skipif(not LARGE, reason="ten million dossiers want 15 GB: make bench-large")
def test_ten_times_as_many_cost_no_more(province: Embedded, figures: Figures) -> None:
    """Whoever asks last asks beside what was measured of one million in this very run."""
    one = [ours for ours, _ in asyncio.run(measured(province.application, None))]
    told_ten_times(province.owner)
    asyncio.run(rolled_anew(province.owner))
    ten = [ours for ours, _ in asyncio.run(measured(province.application, None))]
    figures.add(
        Figure(
            row=21,
            what=f"Biểu 06 of the whole province over {10 * MANY:,} dossiers",
            unit="ms",
            beside=f"over {MANY:,}",
            rounds=list(zip(ten, one, strict=True)),
            target="< 1000 ms",
            reached=lambda figure: figure.measured < 1000,
        )
    )


async def rolled_anew(owner: str) -> None:
    """From the dossiers: they were put there without a line that a reader could read."""
    connections = engine(owner, 1)
    async with transaction(connections) as db:
        await db.execute(sa.text("TRUNCATE counted, volume"))
        await db.execute(sa.text("DELETE FROM reader WHERE name = 'figures'"))
    await rolling.roll(connections)
    async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE counted, volume"))
    await connections.dispose()
