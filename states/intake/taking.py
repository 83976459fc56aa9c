"""Records into the ledger: in batches, each record whole or not at all, none twice.

Whatever stopped an import, run it again: what is there already is known by its code and left alone.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.clock import Policy
from states.db import transaction
from states.errors import BadInput, HosoError
from states.intake.records import Note, Record, Refused
from states.intake.rows import RowResult
from states.ledger import Act, Book, Taken
from states.ledger.acts import LONG, SHORT, check_text
from states.ledger.statements import d
from states.sentences import said_by
from states.words import Channel, Event, Outcome, Role

BATCH = 200
ACTOR = "import"
Items = Iterable[Record | Refused]


@dataclass(frozen=True, slots=True)
class Taking:
    """Where records come from, and the calendar they live by.

    `card` makes of the number of an identity card what is kept of it; without it none is.
    `agencies`: whose dossiers are told of to who asked for this; None: everybody's.
    """

    source: str
    calendar: str
    card: Callable[[str], str] | None = None
    agencies: Collection[str] | None = None

    def tells_of(self, here: "Here") -> bool:
        return self.agencies is None or here.agency in self.agencies


class Here(NamedTuple):
    """What is known of a code that is here already."""

    source: str | None
    agency: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one dossier of a file."""

    row: int
    code: str | None
    result: RowResult
    why: str | None = None
    ends: bool = False
    activities: int = 0
    notes: tuple[Note, ...] = ()

    @classmethod
    def refused(cls, item: Refused) -> "Told":
        return cls(item.row, item.code, RowResult.refused, item.why, item.ends)


@dataclass(slots=True)
class Tally:
    """What became of a file's dossiers."""

    taken: int = 0
    known: int = 0
    activities: int = 0
    notes: list[Note] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, told: Told) -> None:
        if told.result is RowResult.refused:
            self.refused.append(Refused(told.row, told.code, told.why or "", told.ends))
        elif told.result is RowResult.known:
            self.known += 1
        else:
            self.taken += 1
            self.activities += told.activities
            self.notes += told.notes


async def take(
    engine: AsyncEngine,
    book: Book,
    items: Items,
    source: str,
    calendar: str,
    told: Callable[[Tally], None] = lambda tally: None,
    card: Callable[[str], str] | None = None,
) -> Tally:
    """Take the records in. `source` names where they come from; `calendar` the one they live by."""
    tally, taking = Tally(), Taking(source, calendar, card)
    async for batch in batches(items):
        async with transaction(engine) as db:
            done = await take_batch(db, book, batch, taking)
        for each in done:
            tally.add(each)
        told(tally)
    return tally


async def batches(items: Items) -> AsyncIterator[list[Record | Refused]]:
    """A file read beside everything else: what sorts it first may take minutes over it."""
    reading = iter(items)
    while batch := await asyncio.to_thread(_next, reading):
        yield batch


def _next(reading: Iterator[Record | Refused]) -> list[Record | Refused]:
    return list(islice(reading, BATCH))


async def take_batch(
    db: AsyncConnection, book: Book, items: Sequence[Record | Refused], taking: Taking
) -> list[Told]:
    """Take in those that are not here yet, in the transaction that is open; what became of each."""
    codes = [item.code for item in items if isinstance(item, Record)]
    there = await _there(db, codes)
    done = []
    for item in items:
        if isinstance(item, Refused):
            done.append(Told.refused(item))
            continue
        try:
            done.append(await _taken(db, book, item, taking, there))
        except HosoError as error:
            done.append(Told.refused(Refused(item.row, item.code, said_by(error))))
    return done


async def _there(db: AsyncConnection, codes: Sequence[str]) -> dict[str, Here]:
    """Those that are here."""
    found = await db.execute(sa.select(d.code, d.source, d.agency).where(d.code.in_(codes)))
    return {row.code: Here(row.source, row.agency) for row in found}


async def _taken(
    db: AsyncConnection, book: Book, record: Record, taking: Taking, there: dict[str, Here]
) -> Told:
    """Raises what refuses it."""
    try:
        if record.code not in there:
            async with db.begin_nested():
                await _one(db, book, record, taking)
            return Told(
                record.row,
                record.code,
                RowResult.taken,
                activities=len(record.activities),
                notes=record.mended,
            )
    except IntegrityError:  # somebody else was first, since we looked
        there |= await _there(db, [record.code])
        if record.code not in there:
            raise BadInput("somebody else is importing it: import the file again") from None
    if (here := there[record.code]).source == taking.source and taking.tells_of(here):
        return Told(record.row, record.code, RowResult.known)
    raise _left_alone(record.code, here, taking)


def _left_alone(code: str, here: Here, taking: Taking) -> BadInput:
    """Of others' dossiers no more than that their codes are not free."""
    if not taking.tells_of(here):
        return BadInput("code {code} is not free: nothing was taken in under it", code=code)
    if here.source:
        return BadInput(
            "code {code} is that of a dossier imported from {whose}: it was left alone",
            code=code,
            whose=here.source,
        )
    return BadInput("code {code} is that of a dossier opened here: it was left alone", code=code)


async def _one(db: AsyncConnection, book: Book, record: Record, taking: Taking) -> None:
    """One dossier with its end, if it has one, and its history."""
    if record.agency is None:
        raise BadInput("it names no agency: map a column to `agency`, or give it a default")
    for name, longest in (
        ("agency", SHORT),
        ("unit", SHORT),
        ("procedure", LONG),
        ("applicant", LONG),
    ):
        check_text(name, getattr(record, name), longest)
    taken = Taken(
        source=taking.source,
        code=record.code,
        agency=record.agency,
        unit=record.unit or record.agency,
        procedure=record.procedure or "unstated",
        channel=record.channel or Channel.counter,
        applicant=record.applicant or "",
        calendar=taking.calendar,
        policy=Policy.day,
        received=record.received,
        promised=record.due,
        phone=record.phone,
        email=record.email,
        citizen=taking.card(record.citizen_id) if taking.card and record.citizen_id else None,
        kept=dict(record.data),
    )
    act = Act(event=Event.adopt, actor=ACTOR, role=Role.system, at=record.received)
    await ledger.adopt(db, book, taken, act, _history(record))
    for step in _ending(record):
        await ledger.move(db, book, record.code, step)


def _history(record: Record) -> list[dict[str, Any]]:
    """As the ledger keeps it."""
    return [
        {
            "n": n,
            "name": each.name,
            "at": each.at,
            "person": each.person,
            "unit": each.unit,
            "data": dict(each.data),
        }
        for n, each in enumerate(record.activities, 1)
    ]


def _ending(record: Record) -> Iterator[Act]:
    """The result and its delivery, dated as the file has them.

    A file that writes midnight for a date may end a dossier before the hour it came: the clock is
    then read at the receipt, which is the same day.
    """
    if record.finished is None:
        return
    finished = max(record.finished, record.received)
    yield Act(
        event=Event.return_result,
        actor=record.person or ACTOR,
        role=Role.officer,
        at=finished,
        payload={"outcome": record.outcome or Outcome.unstated},
    )
    if record.delivered is not None:
        delivered = max(record.delivered, finished)
        yield Act(event=Event.deliver, actor=ACTOR, role=Role.reception, at=delivered)
