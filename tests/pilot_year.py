"""The pilot year of the demo, lived once a run in a database of its own, for all who ask of it."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from databases import alone, run_as_owner

if TYPE_CHECKING:
    from flows.pilot import Moment
    from states.embedded import Embedded

NAME, KEPT = "pilot_year", "pilot_year_kept"  # the second is only ever copied


def lived(server: "Embedded") -> str:
    """The address of the database, for the application; who comes second waits, and finds it."""
    place = server.data / NAME
    place.mkdir(exist_ok=True)
    address = server.address(NAME, "hoso_app")
    with alone(place):
        if not (place / "over").exists():
            run_as_owner(server, f"CREATE DATABASE {NAME} TEMPLATE hoso")
            asyncio.run(_live(address))
            run_as_owner(server, f"CREATE DATABASE {KEPT} TEMPLATE {NAME}")
            (place / "over").touch()
    return address


def copied(server: "Embedded", name: str) -> str:
    """The address of a copy, for who writes into it."""
    lived(server)
    with alone(server.data / NAME):
        run_as_owner(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE {KEPT}")
    return server.address(name, "hoso_app")


async def _live(address: str) -> None:
    """By its people and by what happens by itself, without Prefect."""
    from flows.pilot import live
    from states import catalogue, deadlines, pilot
    from states.breaches import recording
    from states.db import engine
    from states.figures.rolling import roll
    from states.ledger import driving

    book = catalogue.load()
    connections = engine(address, 20)

    async def evening(at: datetime, moment: "Moment") -> None:
        async with moment:
            await driving.drive(connections, book, at)

    async def weekend(at: datetime, moment: "Moment") -> None:
        async with moment:
            await deadlines.sweep(connections, book, at)
            await recording.record(connections, book, at)

    days = [day for day in pilot.story(book, pilot.load(book)) if day.chains]
    await live(connections, book, "year", days, _nobody, evening=evening, weekend=weekend)
    await roll(connections)
    await connections.dispose()


def _nobody(*told: object) -> None:
    """Progress is nobody's business here."""
