"""What is done to a database and to the wires: killed, cut, refused."""

import asyncio
from collections import Counter

import fates
import sqlalchemy as sa
import weather
from counters import WEATHER, weather_of
from fates import Fates, Fault, Kind
from postbox import Postbox

from states import db
from states.embedded import Embedded

CUT = 4  # connections that die at once
ANY = """
SELECT count(pg_terminate_backend(pid)) FROM (
    SELECT pid FROM pg_stat_activity WHERE usename = 'hoso_app' AND datname = :name
    ORDER BY random() LIMIT :many
) AS chosen
"""
LONG = {Kind.mail_refuses, Kind.gateway_hangs, Kind.sweeps_down}


class Storm:
    """Over one database. `faults`: what was done, and not only drawn."""

    def __init__(self, server: Embedded, name: str, drawn: Fates, box: Postbox) -> None:
        self._server, self._name, self._drawn, self._box = server, name, drawn, box
        self._postgres = asyncio.Lock()
        self.faults: Counter[str] = Counter()
        self._new: Counter[str] = Counter()

    @property
    def any(self) -> bool:
        return bool(self._drawn)

    def on(self, day: int) -> list[Fault]:
        return list(self._drawn.get(day, ()))

    def down(self, day: int) -> bool:
        """Whether nobody sweeps that day."""
        return fates.away(self._drawn, Kind.sweeps_down, day)

    def note(self, what: str) -> None:
        self.faults[what] += 1
        self._new[what] += 1

    def since(self) -> str:
        """What was done since this was asked last."""
        told = ", ".join(f"{what} (x{n})" if n > 1 else what for what, n in self._new.items())
        self._new.clear()
        return told

    def rises(self, day: int) -> None:
        """What is away for some days goes, or is back."""
        refuses = fates.away(self._drawn, Kind.mail_refuses, day)
        hangs = fates.away(self._drawn, Kind.gateway_hangs, day)
        self._box.weather(refuses=day if refuses else None, hangs=hangs)
        for fault in self.on(day):
            if fault.kind in LONG:
                self.note(fault.kind)

    def ends(self) -> None:
        self._box.weather()

    async def restart(self) -> None:
        """As after a power cut, and started again."""
        async with self._postgres:
            await asyncio.to_thread(weather.stop_postgres, self._server)
            await asyncio.to_thread(weather.start_postgres, self._server)

    async def cut(self) -> None:
        """The database ends some of its connections, whoever is on them."""
        owner = db.engine(self._server.address(self._name, "postgres"), 1)
        try:
            async with owner.begin() as connection:
                await connection.execute(sa.text(ANY), {"name": self._name, "many": CUT})
        except WEATHER as error:
            self.note(f"no connection was there to die: {weather_of(error)}")
        finally:
            await owner.dispose()
