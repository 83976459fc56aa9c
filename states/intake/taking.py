"""Records into the ledger: in batches, each record whole or not at all, none twice.

Whatever stopped an import, run it again: what is there already is known by its code and left alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.clock import Policy
from states.db import transaction
from states.errors import BadInput, HosoError
from states.intake.records import Note, Record, Refused
from states.ledger import Act, Book, Taken
from states.ledger.acts import LONG, SHORT, check_text
from states.ledger.statements import d
from states.words import Channel, Event, Outcome, Role

BATCH = 200
ACTOR = "import"


@dataclass(slots=True)
class Tally:
    """What became of a file's dossiers."""

    taken: int = 0
    known: int = 0
    activities: int = 0
    notes: list[Note] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


async def take(
    engine: AsyncEngine,
    book: Book,
    items: Iterable[Record | Refused],
    source: str,
    calendar: str,
    told: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Take the records in. `source` names where they come from; `calendar` the one they live by."""
    tally = Tally()
    for batch in _batches(iter(items)):
        tally.refused += [item for item in batch if isinstance(item, Refused)]
        async with transaction(engine) as db:
            await _take(
                db, book, [i for i in batch if isinstance(i, Record)], source, calendar, tally
            )
        told(tally)
    return tally


def _batches(items: Iterator[Record | Refused]) -> Iterator[list[Record | Refused]]:
    while batch := list(islice(items, BATCH)):
        yield batch


async def _take(
    db: AsyncConnection,
    book: Book,
    records: list[Record],
    source: str,
    calendar: str,
    tally: Tally,
) -> None:
    found = await db.execute(
        sa.select(d.code, d.source).where(d.code.in_([record.code for record in records]))
    )
    there = {row.code: row.source for row in found}
    for record in records:
        if there.get(record.code) == source:
            tally.known += 1
            continue
        try:
            if record.code in there:
                whose = there[record.code]
                told = f"imported from {whose}" if whose else "opened here"
                raise BadInput(f"code {record.code} is that of a dossier {told}: it was left alone")
            async with db.begin_nested():
                await _one(db, book, record, source, calendar)
        except (HosoError, IntegrityError) as error:
            why = str(error) if isinstance(error, HosoError) else "somebody else is importing it"
            tally.refused.append(Refused(record.row, record.code, why))
            continue
        tally.taken += 1
        tally.activities += len(record.activities)
        tally.notes += record.mended


async def _one(db: AsyncConnection, book: Book, record: Record, source: str, calendar: str) -> None:
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
        source=source,
        code=record.code,
        agency=record.agency,
        unit=record.unit or record.agency,
        procedure=record.procedure or "unstated",
        channel=record.channel or Channel.counter,
        applicant=record.applicant or "",
        calendar=calendar,
        policy=Policy.day,
        received=record.received,
        promised=record.due,
    )
    act = Act(event=Event.adopt, actor=ACTOR, role=Role.system, at=record.received)
    await ledger.adopt(db, book, taken, act, _told(record))
    for step in _ending(record):
        await ledger.move(db, book, record.code, step)


def _told(record: Record) -> list[dict[str, Any]]:
    """The history as the ledger keeps it."""
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
