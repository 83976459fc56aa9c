"""Two times: the figures with what the ledger had recorded by some moment, and the figures now.

Figures are read from the dossiers as they stand. Those of an earlier day differ by the dossiers
that had a line recorded since: each is folded out of its lines up to then, taken out of where it is
counted now and put where it was counted then. What explains the difference is those lines.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from types import SimpleNamespace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.figures.bieu06 import NUMBERS, UNCLASSED, Bieu06, Row, bieu06
from states.ledger.pins import Book
from states.ledger.statements import d, e
from states.ledger.verify import FORGED, Whole, replay, whole
from states.lifecycle import moves
from states.words import Channel, Clock, Event

BATCH = 500
# What leaves the clock alone leaves a dossier where it is counted.
MOVES_CLOCK = sorted(
    {event for event in Event for row in moves(event) if row.clock is not Clock.nothing}
)
Counted = tuple[str, ...]
"""The agency and the columns in which a dossier is counted; empty: in none."""


class Between(NamedTuple):
    """A line that was recorded since."""

    seq: int
    event: str
    at: datetime
    recorded_at: datetime
    by: str
    reason: str | None


class Shift(NamedTuple):
    """A dossier that is counted elsewhere now, and the lines recorded since, oldest first."""

    code: str
    was: Counted
    now: Counted
    between: tuple[Between, ...]

    @property
    def line(self) -> int:
        """The number of the last line."""
        return self.between[-1].seq

    @property
    def event(self) -> str:
        """The event of the last line."""
        return self.between[-1].event


@dataclass(slots=True)
class Moved:
    """What was read on the way. `unread`: dossiers of then that cannot be read any more."""

    dossiers: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """The form as it was known at a moment, the form now, and the dossiers that differ.

    `replayed`: how many had a line recorded since; `unread`: those of them that cannot be read any
    more, and are counted where they are now.
    """

    at: datetime
    then: Bieu06
    now: Bieu06
    shifts: tuple[Shift, ...]
    replayed: int
    unread: int


async def as_known(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    known_at: datetime,
    agencies: Sequence[str] | None = None,
) -> Known:
    """Biểu 06 of [since, until) as the ledger had recorded it by `known_at`.

    Reads several times: within one snapshot, unless nobody writes. Raises `BadInput` for a period
    that ends before it begins.
    """
    now = await bieu06(db, book, since, until, agencies)
    moved, cells = Moved(), Counter[tuple[str, str]]()
    told = []
    async for shift in shifts(db, book, since, until, known_at, moved, agencies):
        told.append(shift)
        for counted_in, sign in ((shift.was, 1), (shift.now, -1)):
            for column in counted_in[1:]:
                cells[counted_in[0], column] += sign
    then = replace(now, rows=_corrected(now.rows, cells))
    return Known(known_at, then, now, tuple(told), moved.dossiers, moved.unread)


def _corrected(rows: Sequence[Row], cells: Counter[tuple[str, str]]) -> tuple[Row, ...]:
    by_agency = {row.agency: row for row in rows}
    for agency, column in cells:
        row = by_agency.get(agency, Row(agency))
        number = getattr(row, column) + cells[agency, column]
        by_agency[agency] = replace(row, **{column: number})
    made = (by_agency[agency] for agency in sorted(by_agency))
    return tuple(row for row in made if any(getattr(row, each) for each in NUMBERS))


async def shifts(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    known_at: datetime,
    moved: Moved,
    agencies: Sequence[str] | None = None,
) -> AsyncIterator[Shift]:
    """The dossiers that the form counts elsewhere than it did at `known_at`, in order of id."""
    later = sa.exists().where(
        e.dossier_id == d.id, e.recorded_at > known_at, e.event.in_(MOVES_CLOCK)
    )
    wanted = later & (d.registered_at < until)
    if agencies is not None:
        wanted &= d.agency.in_(agencies)
    last = 0
    while batch := await whole(db, wanted, last, BATCH):
        last = batch[-1][0]["id"]
        for each in batch:
            moved.dossiers += 1
            try:
                shift = _shift(book, each, since, until, known_at)
            except FORGED:
                moved.unread += 1
                continue
            if shift is not None:
                yield shift


def _shift(
    book: Book, each: Whole, since: datetime | None, until: datetime, known_at: datetime
) -> Shift | None:
    row, lines, *_ = each
    before = list(takewhile(lambda line: line["recorded_at"] <= known_at, lines))
    was = counted(replay(book, before)[0], since, until) if before else ()
    now = counted(SimpleNamespace(**row), since, until)
    if was == now:
        return None
    between = tuple(
        Between(
            line["seq"],
            line["event"],
            line["at"],
            line["recorded_at"],
            line["actor"],
            line["reason"],
        )
        for line in lines[len(before) :]
    )
    return Shift(row["code"], was, now, between)


def counted(paper: Any, since: datetime | None, until: datetime) -> Counted:
    """Where Biểu 06 counts a dossier, by its classes as they were frozen."""
    finished = paper.finished_at is not None and paper.finished_at < until
    here = finished if paper.received_at is None else paper.received_at < until
    if not here or (since and paper.finished_at is not None and paper.finished_at < since):
        return ()
    if finished and paper.verdict in UNCLASSED:
        return paper.agency, "unclassed"
    if since is not None and paper.received_at < since:
        came = "carried"
    else:
        came = "online" if paper.channel == Channel.online else "direct"
    if finished:
        return paper.agency, came, str(paper.verdict)
    past = paper.late_at is not None and paper.late_at <= until
    return paper.agency, came, "overdue" if past else "in_time"
