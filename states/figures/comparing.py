"""A frozen report beside today's figures, cell by cell, with the dossiers that made them differ."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import HosoError
from states.figures.bieu06 import UNCLASSED, Bieu06, Row, bieu06
from states.ledger.pins import Book
from states.ledger.statements import d, e
from states.ledger.verify import replay, whole
from states.words import Channel

BATCH = 500
Counted = tuple[str, ...]
"""The agency and the columns in which a dossier is counted; empty: in none."""


class Cell(NamedTuple):
    """One number of the form, then and now."""

    agency: str
    column: str
    was: int
    now: int


class Shift(NamedTuple):
    """A dossier that is counted elsewhere now. `line`: the last that was recorded since."""

    code: str
    was: Counted
    now: Counted
    line: int
    event: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and why. `unread`: dossiers whose lines of then cannot be read any more."""

    cells: tuple[Cell, ...]
    shifts: tuple[Shift, ...]
    unread: int


async def compare(db: AsyncConnection, book: Book, kept: Any) -> Comparison:
    """A frozen report, as `freezing.latest` or `find` give it, beside what it would say now."""
    made = await bieu06(db, book, kept.since, kept.until)
    cells = tuple(differences(kept.data["rows"], made))
    shifts: list[Shift] = []
    unread = last = 0
    since = sa.exists().where(e.dossier_id == d.id, e.recorded_at > kept.known_at)
    while batch := await whole(db, since & (d.registered_at < kept.until), last, BATCH):
        last = batch[-1][0]["id"]
        for row, lines, *_ in batch:
            then = [line for line in lines if line["recorded_at"] <= kept.known_at]
            try:
                was = _then(book, then, kept)
            except HosoError:
                unread += 1
                continue
            now = counted(SimpleNamespace(**row), kept.since, kept.until)
            if was != now:
                end = lines[-1]
                shifts.append(Shift(row["code"], was, now, end["seq"], end["event"]))
    return Comparison(cells, tuple(shifts), unread)


def differences(was: Iterable[dict[str, Any]], now: Bieu06) -> Iterable[Cell]:
    """The cells in which two forms differ, by agency in order of code."""
    then = {row["agency"]: Row(**row) for row in was}
    today = {row.agency: row for row in now.rows}
    for agency in sorted({*then, *today}):
        pair = [asdict(of.get(agency, Row(agency))) for of in (then, today)]
        for column in pair[0]:
            if pair[0][column] != pair[1][column]:
                yield Cell(agency, column, pair[0][column], pair[1][column])


def _then(book: Book, lines: list[Any], kept: Any) -> Counted:
    return counted(replay(book, lines)[0], kept.since, kept.until) if lines else ()


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
