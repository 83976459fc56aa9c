"""Those who listen in this process, and what is told to each.

The ledger is read once for all of them. Who hears a line is worked out in memory, once for all who
see alike. What a listener has not taken yet waits in a queue of its own; who is so slow that it
fills is let go, and nobody waits for them.
"""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.db import transaction
from states.errors import HosoError
from states.live import reading
from states.live.cursor import LAST, Cursor
from states.live.reading import BATCH, MANY
from states.live.told import Told, of_alert, of_line, of_queues, of_reset
from states.sight import Sight

TAKEN = 250  # events at once: some 50 kB on the wire
OLDEST = timedelta(days=1)  # of what is told to who comes again
AHEAD = 1_000_000  # transactions: further ahead of us is no other process, but another database
CATCHING_UP = 4  # listeners at once that read what they missed: the others have the pool too

Counting = Callable[[AsyncConnection, Any], Awaitable[Mapping[str, int]]]


class End(StrEnum):
    """Why a listener is told no more."""

    slow = auto()
    stopping = auto()
    gone = auto()  # by themselves


class Listener:
    """One who listens. `asks`: whose queues are counted for them; None: nobody's."""

    __slots__ = ("_called", "_counted", "_waiting", "asks", "ended", "sight", "stale")

    def __init__(self, sight: Sight, asks: Hashable | None = None) -> None:
        self.sight, self.asks = sight, asks
        self.ended: End | None = None
        self.stale = True  # the counts may have changed
        self._counted: Mapping[str, int] | None = None
        self._waiting: list[Told] = []
        self._called = asyncio.Event()

    def tell(self, told: Sequence[Told]) -> None:
        """Whoever does not keep up hears no more."""
        if self.ended is None and len(self._waiting) + len(told) > MANY:
            self.end(End.slow)
        if self.ended is None:
            self._waiting.extend(told)
            self._called.set()

    def count(self, counts: Mapping[str, int]) -> None:
        """Tell the counts if they are others than those told last."""
        if counts != self._counted:
            self._counted = counts
            self.tell([of_queues(counts)])

    def end(self, why: End) -> None:
        """What waits still is theirs no more: they hear it when they come again."""
        if self.ended is None:
            self.ended = why
            self._waiting.clear()
            self._called.set()

    async def heard(self, seconds: float) -> list[Told]:
        """What was told, as soon as there is something; nothing after so many seconds."""
        if not self._waiting and self.ended is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._called.wait()
        self._called.clear()
        taken = self._waiting[:TAKEN]
        del self._waiting[:TAKEN]
        return taken


class Hub:
    """All listeners of a process. `counting` asks how much waits in somebody's queues."""

    def __init__(self, engine: AsyncEngine, counting: Counting | None = None) -> None:
        self.engine, self.counting = engine, counting
        self.somebody = asyncio.Event()
        self.stopping = False
        self._alike: dict[Sight, set[Listener]] = {}  # by what they see but for their own
        self._place: Cursor | None = None  # how far all have heard; None: nobody listens
        self._looked = datetime.min.replace(tzinfo=UTC)  # for alerts, by the database's clock
        self._alone = asyncio.Lock()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)

    def __len__(self) -> int:
        return sum(map(len, self._alike.values()))

    @property
    def listeners(self) -> Iterable[Listener]:
        return (each for alike in self._alike.values() for each in alike)

    @property
    def place(self) -> Cursor:
        """How far everybody has heard who has taken all that was told to them."""
        assert self._place is not None  # it is asked by those who listen
        return self._place

    # Who listens --------------------------------------------------------------------------

    @asynccontextmanager
    async def listening(
        self, sight: Sight, asks: Hashable | None = None
    ) -> AsyncIterator[Listener]:
        """Somebody hears, as long as this lasts, all that comes after `place`."""
        listener = Listener(sight, asks)
        async with self._alone:
            if self._place is None or not len(self):  # what was followed for others lags behind
                async with transaction(self.engine) as db:
                    horizon, self._looked = await reading.horizon(db)
                self._place = reading.end(horizon)
            self._add(listener)
        if self.stopping:
            listener.end(End.stopping)
        try:
            yield listener
        finally:
            self._remove(listener)

    def turn(self, listener: Listener, sight: Sight, asks: Hashable | None) -> None:
        """They may see otherwise than before."""
        if (listener.sight, listener.asks) != (sight, asks):
            self._remove(listener)
            listener.sight, listener.asks, listener.stale = sight, asks, True
            self._add(listener)

    def close(self) -> None:
        """Let everybody go, and nobody in."""
        self.stopping = True
        for each in list(self.listeners):
            each.end(End.stopping)

    def _add(self, listener: Listener) -> None:
        self._alike.setdefault(_but_for_own(listener.sight), set()).add(listener)
        self.somebody.set()

    def _remove(self, listener: Listener) -> None:
        alike = self._alike[key := _but_for_own(listener.sight)]
        alike.discard(listener)
        if not alike:
            del self._alike[key]

    # What is told -------------------------------------------------------------------------

    async def missed(self, sight: Sight, since: Cursor, until: Cursor) -> list[Told]:
        """What somebody may see of what came between two places; a reset if that is too much."""
        async with self._catching_up, transaction(self.engine) as db:
            begun = await reading.moment_of(db, since)
            _, now = await reading.horizon(db)
            if (
                since.xact > max(until.xact, until.alerts) + AHEAD
                or (begun is not None and begun < now - OLDEST)
                or await reading.too_many(db, since, until)
            ):
                return [of_reset(until)]
            lines = await reading.lines(db, since, until=until, sight=sight, limit=MANY)
            alerts = await reading.alerts(db, since.alerts, until.alerts, begun or now, sight)
        if len(alerts) > MANY:
            return [of_reset(until)]
        told = [of_line(row, since.alerts) for row in lines]
        return told + [of_alert(row, until._replace(alerts=row.xact)) for row in alerts]

    async def look(self) -> bool:
        """Tell the next lines of the ledger; whether there may be more."""
        async with self._alone:
            if not self._follows():
                return False
            async with transaction(self.engine) as db:
                rows = await reading.lines(db, self.place)
                full = len(rows) == BATCH
                flood = full and await reading.too_many(db, self.place)
                horizon, _ = await reading.horizon(db)
            if flood:
                self._reset(self.place._replace(xact=horizon - 1, id=LAST))
            elif rows:
                alerts = self.place.alerts
                self._share([(row, of_line(row, alerts)) for row in rows])
                self._place = Cursor(rows[-1].xact, rows[-1].id, alerts)
            return full

    async def look_at_alerts(self) -> None:
        """Tell the alerts that were not told."""
        async with self._alone:
            if not self._follows():
                return
            since = self.place.alerts
            async with transaction(self.engine) as db:
                horizon, now = await reading.horizon(db)
                rows = await reading.alerts(db, since, horizon, self._looked)
            place, self._looked = self.place._replace(alerts=horizon), now
            if len(rows) > MANY:
                self._reset(place)
                return
            # Whoever heard one of a transaction's alerts and not all hears these again.
            self._share([(row, of_alert(row, place._replace(alerts=row.xact))) for row in rows])
            self._place = place

    async def count(self, *, everybody: bool) -> None:
        """Count the queues of those who ask and of whom something moved; of all now and then."""
        if self.counting is None:
            return
        asking: dict[Hashable, list[Listener]] = {}
        for each in self.listeners:
            if each.asks is not None and (each.stale or everybody):
                asking.setdefault(each.asks, []).append(each)
                each.stale = False
        for who, theirs in asking.items():
            with suppress(HosoError):  # of one of them only: the others are counted
                async with transaction(self.engine) as db:
                    counts = await self.counting(db, who)
                for each in theirs:
                    each.count(counts)

    def _follows(self) -> bool:
        """Whether anybody listens. If nobody does, the place is given up."""
        if not self._alike:
            self._place = None
            self.somebody.clear()
        return bool(self._alike)

    def _share(self, new: Sequence[tuple[Any, Told]]) -> None:
        """Each to those who may see it, in order."""
        named = {person for row, _ in new for person in row.persons}
        for sight, alike in self._alike.items():
            shared = [told for row, told in new if sight.sees(row)]
            for each in alike:
                own = each.sight.person in named
                heard = [told for row, told in new if each.sight.sees(row)] if own else shared
                if heard:
                    each.tell(heard)
                    each.stale = True

    def _reset(self, place: Cursor) -> None:
        self._place = place
        for each in self.listeners:
            each.tell([of_reset(place)])
            each.stale = True


def _but_for_own(sight: Sight) -> Sight:
    """What is seen by whoever is nobody: what is theirs by name is looked at apart."""
    return replace(sight, person="")
