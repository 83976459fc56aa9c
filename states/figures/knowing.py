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
from states.ledger.verify import FORGED, Line, Whole, replay, whole
from states.lifecycle import moves
from states.words import Channel, Clock, Event

BATCH = 500
# What leaves the clock alone leaves a dossier where it is counted.
MOVES_CLOCK = sorted(
    {event for event in Event for row in moves(event) if row.clock is not Clock.nothing}
)
Told = frozenset[str] | None
"""The agencies of which somebody is told; None: of all."""
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
    role: str


class Shift(NamedTuple):
    """A dossier that is counted elsewhere now, and the lines recorded since, oldest first."""

    code: str
    was: Counted
    now: Counted
    between: tuple[Between, ...]
    id: int

    @property
    def line(self) -> int | None:
        """The number of the last line; None where those told recorded none."""
        return self.between[-1].seq if self.between else None

    @property
    def event(self) -> str | None:
        """The event of the last line."""
        return self.between[-1].event if self.between else None


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
    """The dossiers that the form counts elsewhere than it did at `known_at`, in order of id.

    `agencies`: only where these count it or counted it, whosever it is now, and what was recorded
    while it was theirs.
    """
    later = sa.exists().where(
        e.dossier_id == d.id, e.recorded_at > known_at, e.event.in_(MOVES_CLOCK)
    )
    wanted = later & (d.registered_at < until)
    told = None if agencies is None else frozenset(agencies)
    last = 0
    while batch := await whole(db, wanted, last, BATCH):
        last = batch[-1][0]["id"]
        for each in batch:
            try:
                whose, shift = _shift(book, each, since, until, known_at, told)
            except FORGED:
                if told is None or each[0]["agency"] in told:
                    moved.dossiers, moved.unread = moved.dossiers + 1, moved.unread + 1
                continue
            moved.dossiers += told is None or not told.isdisjoint(whose)
            if shift is not None:
                yield shift


def _shift(
    book: Book,
    each: Whole,
    since: datetime | None,
    until: datetime,
    known_at: datetime,
    told: Told,
) -> tuple[set[str], Shift | None]:
    """Whose it was then and is now, and how it is counted elsewhere, where those told count it."""
    row, lines, *_ = each
    before = list(takewhile(lambda line: line["recorded_at"] <= known_at, lines))
    papers: list[Any] = [SimpleNamespace(**row)]
    if before:
        papers.insert(0, replay(book, before)[0])
    places = [_told(counted(paper, since, until), told) for paper in papers]
    was, now = places if before else ((), *places)
    whose = {str(paper.agency) for paper in papers}
    if was == now:
        return whose, None
    new = lines[len(before) :]
    if told is not None and not whose <= told:
        new = _theirs(book, lines, len(before), told)
    between = tuple(
        Between(
            line["seq"],
            line["event"],
            line["at"],
            line["recorded_at"],
            line["actor"],
            line["reason"],
            line["role"],
        )
        for line in new
    )
    return whose, Shift(row["code"], was, now, between, row["id"])


def _told(place: Counted, told: Told) -> Counted:
    return place if told is None or not place or place[0] in told else ()


def _theirs(book: Book, lines: list[Line], known: int, told: frozenset[str]) -> list[Line]:
    """The lines after those, but what was recorded while the dossier was of agencies not told: a
    line that brings it, or takes it away, is told.
    """
    whose = [replay(book, lines[:n])[0].agency for n in range(1, len(lines) + 1)]
    told_of = zip(lines, ["", *whose], whose, strict=False)
    return [line for line, *pair in list(told_of)[known:] if not told.isdisjoint(pair)]


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
