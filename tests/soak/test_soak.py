"""A season of a one-stop centre in virtual time, in bad weather; it ends balanced and verified."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import drawn
import fates
import postbox
import proving
import pytest
import scale
from counters import Counters
from decisions import decisions
from drawn import Season
from fates import Fates, Kind
from living import Living, Weekly
from machines import Machine
from postbox import Postbox
from runs import Runs
from scale import Scale
from storm import Storm

from states import db
from states.catalogue import Catalogue, bundles
from states.embedded import Embedded

pytestmark = pytest.mark.soak

MACHINES = 2
# Faults that may have a message sent and not noted.
DOUBLING = (
    *(Kind.worker_killed, Kind.postgres_by_day, Kind.postgres_by_night),
    *(Kind.lines_cut, Kind.gateway_hangs),
)


async def test_a_season_in_bad_weather_ends_as_an_undisturbed_one(cluster: Embedded) -> None:
    begun, asked = time.perf_counter(), scale.asked()
    print(f"\n{asked}")
    with postbox.opened() as box:
        season, few, faults = await _drawn(cluster, asked)
        storm = Storm(cluster, "hoso", faults, box)
        async with _lived(cluster, "hoso", box, asked.seed, season, storm, begun) as soaked:
            _show("done to it", storm.faults + soaked.counters.told)
            _show("weather met", soaked.runs.met + soaked.counters.retried)
            _show("by itself", soaked.runs.did)
            _show("seconds", {flow: round(many) for flow, many in soaked.runs.spent.items()})
            proved = await _proved(soaked, box, soaked.folder)
            ends = await proving.left(soaked.counters.engine, asked.twin)
        calm = Storm(cluster, "twin", fates.PEACE, box)
        async with _lived(cluster, "twin", box, asked.seed, few, calm, begun) as twin:
            await twin.prove()
            assert twin.runs.found == []
            proved += proving.alike(ends, await proving.left(twin.counters.engine))
    _show("proved", proved)
    print(f"\n{time.perf_counter() - begun:.0f} s. Again with {asked}")


async def _drawn(cluster: Embedded, asked: Scale) -> tuple[Season, Season, Fates]:
    """The season, the twin's, and what goes wrong in the first."""
    book = await _book(cluster)
    season = drawn.season(book, asked)
    days = len(season.days)
    faults = fates.drawn(asked, days, [each.day for each in decisions(days)])
    return season, drawn.few(season, asked.twin), faults


async def _book(cluster: Embedded) -> Catalogue:
    engine = db.engine(cluster.application, 1)
    async with db.transaction(engine) as connection:
        book = await bundles.read(connection)
    await engine.dispose()
    return book


@asynccontextmanager
async def _lived(
    cluster: Embedded,
    name: str,
    box: Postbox,
    seed: int,
    season: Season,
    storm: Storm,
    begun: float,
) -> AsyncIterator[Living]:
    """A season lived in a database; who acted there may still be asked."""
    address = cluster.address(name, "hoso_app")
    engine = db.engine(address)
    counters = Counters(engine, await _book(cluster), seed, storm.any)
    box.empty()
    with TemporaryDirectory() as folder:
        environment = {"HOSO_DATABASE": address.replace("+asyncpg", ""), "HOSO_DATA": folder}
        machines = [Machine(environment | box.environment) for _ in range(MACHINES)]
        living = Living(season, counters, Runs(machines, storm), storm, Path(folder))
        try:
            await living.live(_weekly(name, counters, begun))
            yield living
        finally:
            for machine in machines:
                machine.close()
            await engine.dispose()


def _weekly(name: str, counters: Counters, begun: float) -> Weekly:
    """A line a virtual week."""

    def told(at: datetime, faults: str) -> None:
        what = f"{len(counters.codes):6,} dossiers  {counters.acts:7,} acts"
        print(
            f"{time.perf_counter() - begun:5.0f} s  {name}  {at:%d/%m/%Y}  {what}  {faults}",
            flush=True,
        )

    return told


async def _proved(soaked: Living, box: Postbox, folder: Path) -> Counter[str]:
    """Design §10, promise by promise. Raises AssertionError for the first that was broken."""
    counters, days = soaked.counters, soaked.season.days
    came = box.arrived()
    disturbed = sum(many for what, many in soaked.storm.faults.items() if what.startswith(DOUBLING))
    async with counters.engine.connect() as connection:
        book = await bundles.read(connection)
        lines, _ = await asyncio.gather(
            proving.verified(connection, book, folder),
            soaked.prove(),  # in two processes
        )
        assert soaked.runs.found == []
        await proving.kept(connection, counters.answers)
        rows = await proving.balanced(connection, book, days[0].at, days[-1].at)
        alerts = await proving.watched(connection, days[-1].at)
        told = await proving.told(connection, Counter(came.mails + came.texts), disturbed)
    proved = {
        "dossiers": len(counters.codes),
        "lines, every hash and date anew": lines,
        "acts acknowledged, and there once": len(counters.answers),
        "rows of Biểu 06 that balance": rows,
    }
    return Counter(proved) + alerts + told


def _show(title: str, rows: Mapping[str, int]) -> None:
    print(f"\n{title}")
    for what, many in sorted(rows.items()):
        print(f"  {many:9,}  {what}")
