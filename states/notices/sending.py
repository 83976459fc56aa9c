"""Queued messages on their way: in small batches, one outlet never waiting for another.

A message is claimed by setting its next try ahead, so that one whose sender died comes again; while
it is under way its number is locked besides, because two machines' clocks may differ by more than
that. What was sent may be sent again if the sender died before it could say so: every message has a
key that its receiver can tell doubles by.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue.templates import Quiet
from states.errors import HosoError
from states.notices import queued
from states.notices.quiet import after, is_quiet, pause
from states.notices.rows import Audience, Sending, Way

log = structlog.get_logger()

T = TypeVar("T")

BATCH = 20  # messages claimed at once
BUDGET = timedelta(seconds=60)  # of a run: what is left waits for the next, new messages first
SILENCE = 30.0  # seconds for the database to answer
MOST = 8  # tries of a message that is refused: an hour
MOST_AWAY = 20  # and of one whose way is away: nearly three days, longer than a weekend
AWAY = 3  # failures in a row by which a way is away
WORDS = {Sending.sent: "sent", Sending.queued: "again", Sending.dead: "dead"}
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=15)  # an outlet that is away rests


class NotSent(HosoError):
    """The message was not taken.

    `final`: nor will it ever be, as for an address that is none. `away`: it was not the message's
    fault, the way itself does not work.
    """

    def __init__(
        self, message: str = "", /, *, final: bool = False, away: bool = False, **values: Any
    ) -> None:
        super().__init__(message, **values)
        self.final, self.away = final, away


@dataclass(frozen=True, slots=True)
class Letter:
    """What a wire is given. `key`: the same whenever this message is sent, and no other's."""

    id: int
    key: str
    way: Way
    recipient: str
    subject: str
    body: str
    at: datetime


class Wire(Protocol):
    """Takes a letter to where it goes. Raises `NotSent`."""

    async def __call__(self, letter: Letter) -> None: ...


@dataclass
class Rest:
    """Whether an outlet is tried at all. Kept from run to run by whoever runs for long."""

    failures: int = 0
    until: datetime | None = None

    def over(self, at: datetime) -> bool:
        return self.until is None or at >= self.until

    def failed(self, at: datetime) -> None:
        """After some failures in a row it rests, longer each time."""
        self.failures += 1
        if self.failures >= AWAY:
            times = 1 << min(self.failures - AWAY, 10)
            self.until = at + min(SHORTEST * times, LONGEST)

    def worked(self) -> None:
        self.failures, self.until = 0, None


@dataclass
class Outlet:
    """A way that is set up; `recipient`: the one it is for, as each webhook has its own."""

    way: Way
    wire: Wire
    recipient: str | None = None
    at_once: int = 4
    rest: Rest = field(default_factory=Rest)

    @property
    def name(self) -> str:
        return self.recipient or str(self.way)


@dataclass(frozen=True, slots=True)
class Hours:
    """When the staff is left alone, and where."""

    quiet: Quiet | None
    zone: ZoneInfo


class Clock:
    """The moment a run stands for goes on with the run."""

    def __init__(self, at: datetime) -> None:
        self._at, self._begun = at, time.monotonic()

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._begun)


async def send(
    engine: AsyncEngine, outlets: Sequence[Outlet], hours: Hours, at: datetime
) -> Counter[str]:
    """Send what is due; how many were sent, put off and given up (`sent`, `again`, `dead`)."""
    clock, told = Clock(at), Counter[str]()
    by_way = {way: [each for each in outlets if each.way is way] for way in Way}
    ways = (_way(engine, each, hours, clock, told) for each in by_way.values() if each)
    try:
        _raise_first(await asyncio.gather(*ways, return_exceptions=True))
    finally:
        if told:
            log.info("notices.sent", **told)
    return told


async def _way(
    engine: AsyncEngine,
    outlets: Sequence[Outlet],
    hours: Hours,
    clock: Clock,
    told: Counter[str],
) -> None:
    """All outlets of a way on one connection: however many webhooks there are, the pool lasts."""
    async with engine.connect() as db:
        desk = Desk(db)
        runs = (Run(desk, outlet, hours, clock, told).work() for outlet in outlets)
        try:
            _raise_first(await asyncio.gather(*runs, return_exceptions=True))
        except BaseException:  # nobody knows what it holds: it ends, and its locks with it
            await db.invalidate()
            raise


def _raise_first(ended: Sequence[BaseException | None]) -> None:
    """All were waited for, whatever befell one."""
    for each in ended:
        if each is not None:
            raise each


class Desk:
    """A connection that serves one at a time; once it has failed, nobody any more."""

    def __init__(self, db: AsyncConnection) -> None:
        self._db, self._turn = db, asyncio.Lock()
        self.closed = False

    async def __call__(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._turn:
            if self.closed:
                raise ConnectionError("the connection to the database was lost")
            try:
                async with asyncio.timeout(SILENCE):  # it may die without a word
                    return await work(self._db)
            except BaseException:
                self.closed = True
                raise


class Run:
    """One outlet's share of a run."""

    def __init__(
        self, desk: Desk, outlet: Outlet, hours: Hours, clock: Clock, told: Counter[str]
    ) -> None:
        self._desk, self._outlet, self._hours = desk, outlet, hours
        self._clock, self._told = clock, told
        self._slots = asyncio.Semaphore(outlet.at_once)

    async def work(self) -> None:
        """Batch after batch until nothing is due, the outlet rests, or the time is used."""
        ends = self._clock() + BUDGET
        busy: list[int] = []
        while self._outlet.rest.over(self._clock()) and self._clock() < ends:
            claimed, others = await self._claim(busy)
            busy += others
            if claimed:
                await self._batch(claimed)
                ids = [row.id for row in claimed]
                await self._desk(lambda db, ids=ids: queued.unlock(db, ids))  # type: ignore[misc]
            elif not others:
                break

    async def _claim(self, busy: Sequence[int]) -> tuple[list[Any], list[int]]:
        at, outlet = self._clock(), self._outlet
        # One that was away is tried with a single message.
        limit = BATCH if outlet.rest.failures < AWAY else 1
        quiet = is_quiet(self._hours.quiet, at, self._hours.zone)
        return await self._desk(
            lambda db: queued.claim(
                db, outlet.way, outlet.recipient, at, limit=limit, busy=busy, quiet=quiet
            )
        )

    async def _batch(self, claimed: Sequence[Any]) -> None:
        each = (self._one(row) for row in claimed)
        _raise_first(await asyncio.gather(*each, return_exceptions=True))

    async def _one(self, row: Any) -> None:
        """Send one and say so at once, or say why not. Nothing is raised but the database's."""
        async with self._slots:
            if self._desk.closed:  # what is sent now could not be said to be
                return
            rest, failed = self._outlet.rest, None
            if not rest.over(self._clock()):  # since it was claimed the outlet went away
                back = rest.until or self._clock()
                await self._desk(lambda db: queued.release(db, row.id, back))
                return
            try:
                await self._outlet.wire(self._letter(row))
            except NotSent as error:
                failed = error
            except Exception as error:
                log.exception("notice.failed", message=row.id, outlet=self._outlet.name)
                failed = NotSent("hoso itself failed: {kind}", kind=type(error).__name__)
            if failed is None or not failed.away:
                rest.worked()
            else:
                rest.failed(self._clock())
            what, moment = self._outcome(row, failed)
            why = None if failed is None else str(failed)
            await self._desk(lambda db: queued.record(db, row.id, what, moment, why))
            self._told[WORDS[what]] += 1

    def _outcome(self, row: Any, failed: NotSent | None) -> tuple[Sending, datetime]:
        """Where it stands now, and since or until when."""
        at = self._clock()
        if failed is None:
            return Sending.sent, at
        if failed.final or row.tries >= (MOST_AWAY if failed.away else MOST):
            log.warning("notice.dead", message=row.id, outlet=self._outlet.name, why=str(failed))
            return Sending.dead, at
        again = at + pause(row.id, row.tries)
        if row.audience is Audience.staff and not row.law:
            again = after(self._hours.quiet, again, self._hours.zone)
        return Sending.queued, again

    def _letter(self, row: Any) -> Letter:
        return Letter(
            id=row.id,
            key=key(row.fact, row.audience, row.way, row.recipient),
            way=row.way,
            recipient=row.recipient,
            subject=row.subject,
            body=row.body,
            at=self._clock(),
        )


def key(fact: str, audience: str, way: str, recipient: str) -> str:
    """What a receiver knows a message by, in whatever database it has a number."""
    return sha256(f"{fact}\n{audience}\n{way}\n{recipient}".encode()).hexdigest()[:32]
