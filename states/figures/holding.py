"""Whose time it was: the working minutes of dossiers by who had them, and what of it was late.

A dossier is in one holder's hands at a time (`breaches/attribution`), so the minutes of all holders
are those from receipt to finish. That is checked of every dossier, on every run. Dossiers are read
some hundreds at a time, and never all.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from states.breaches.attribution import Kind, Life, Staff, attributed
from states.breaches.lives import Offices, calendar_then, lives_of
from states.clock import Calendar
from states.errors import HosoError, Unknown
from states.figures.counting import Span, among, known
from states.figures.periods import Period
from states.figures.reporting import Asked
from states.ledger.statements import d, dossier
from states.words import Tally

BATCH = 500  # dossiers whose lines are read together
READ = (d.id, d.code, d.received_at, d.finished_at, d.due_at, d.verdict)


class Key(NamedTuple):
    """What minutes are added up by. `of`: the values of the dimensions asked for."""

    period: str
    of: tuple[str | None, ...]
    kind: Kind
    unit: str | None
    person: str | None


class Reckoned(NamedTuple):
    """A dossier's minutes by holder; those that passed, and those of them past the due moment."""

    shares: list[dict[str, Any]]
    passed: int
    late: int

    @property
    def holds(self) -> bool:
        """Whether the holders' minutes are those that passed."""
        told = (sum(each[key] for each in self.shares) for key in ("minutes", "late_minutes"))
        return tuple(told) == (self.passed, self.late)


def reckoned(row: Any, life: Life, staff: Staff, calendar: Calendar, end: datetime) -> Reckoned:
    """From receipt to an end. Past the due moment is counted where the dossier is late: not of who
    withdrew, nor the hours of the due day where the office's policy forgives them.
    """
    late = row.verdict == Tally.late if row.finished_at is not None else row.due_at is not None
    start = min(row.received_at, end)
    due = min(row.due_at, end) if late else end
    begin, missed, to = (calendar.position(each) for each in (start, due, end))
    shares = attributed(life, staff, calendar, start, end, due)
    return Reckoned(shares, to - begin, max(0, to - max(begin, missed)))


@dataclass(slots=True)
class Sums:
    """What was added up: minutes, those past the due moment, and dossiers."""

    minutes: Counter[Key] = field(default_factory=Counter)
    late: Counter[Key] = field(default_factory=Counter)
    dossiers: Counter[Key] = field(default_factory=Counter)
    of_kind: Counter[Kind] = field(default_factory=Counter)  # dossiers
    passed: int = 0
    passed_late: int = 0
    read: int = 0
    were_late: int = 0
    wrong: int = 0  # whose minutes are not those that passed
    unread: int = 0
    doubted: str = ""  # the last of these

    def add(self, code: str, its: dict[Key, list[int]], of: Reckoned) -> None:
        """A dossier with its minutes, all and late."""
        for key, (minutes, late) in its.items():
            self.minutes[key] += minutes
            self.late[key] += late
            self.dossiers[key] += 1
        self.of_kind.update({key.kind for key in its})
        self.passed, self.passed_late = self.passed + of.passed, self.passed_late + of.late
        self.read, self.were_late = self.read + 1, self.were_late + (of.late > 0)
        if not of.holds:
            self.wrong, self.doubted = self.wrong + 1, code


async def added_up(asked: Asked, *, people: bool = False) -> Sums:
    """Raises `Unknown` for a dossier that is not there, or not to be seen."""
    sums, offices = Sums(), Offices(asked.book)
    periods = asked.periods
    async for rows in _read(asked):
        lives = await lives_of(asked.db, [row.id for row in rows], asked.at)
        for row in rows:
            end = asked.at if row.finished_at is None else row.finished_at
            try:
                calendar = calendar_then(asked.book, lives[row.id], end)
                of = reckoned(row, lives[row.id], offices, calendar, end)
            except HosoError:
                sums.unread, sums.doubted = sums.unread + 1, row.code
                continue
            its = tuple(getattr(row, f"by_{each}") for each in asked.by or ())
            where = _name(periods, end), its
            sums.add(row.code, _by_key(of, *where, people=people), of)
    if (code := asked.options.get("dossier")) is not None and not sums.read + sums.unread:
        raise Unknown(
            "there is no dossier {code} that was received: check the code on the slip",
            code=code[:60],
        )
    return sums


async def _read(asked: Asked) -> AsyncIterator[Sequence[Any]]:
    """What was received and finished in the period, or the one dossier that is named."""
    extra = [d[known(each)].label(f"by_{each}") for each in asked.by or ()]
    query = sa.select(*READ, *extra).select_from(dossier).order_by(d.id).limit(BATCH)
    query = query.where(*among(asked.only), d.received_at.is_not(None))
    if (code := asked.options.get("dossier")) is not None:
        query = query.where(d.code == code)
    else:
        span = Span.between(asked.period.since, min(asked.period.until, asked.at))
        query = query.where(span.holds(d.finished_at))
    last = 0
    while rows := (await asked.db.execute(query.where(d.id > last))).all():
        yield rows
        last = rows[-1].id


def _name(periods: Sequence[Period], end: datetime) -> str:
    return next((each.name for each in periods if end < each.until), "")


def _by_key(
    of: Reckoned, period: str, group: tuple[str | None, ...], *, people: bool
) -> dict[Key, list[int]]:
    its: dict[Key, list[int]] = {}
    for each in of.shares:
        person = each["person"] if people else None
        sums = its.setdefault(Key(period, group, each["kind"], each["unit"], person), [0, 0])
        sums[0] += each["minutes"]
        sums[1] += each["late_minutes"]
    return its
