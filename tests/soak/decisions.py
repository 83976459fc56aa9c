"""What is decided over the heads of running dossiers in the season: days, and another version."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from states.calendars import Override
from states.calendars.editing import with_exception
from states.catalogue import Catalogue, bundles, publishing
from states.catalogue.rows import Dates, Kind
from states.changes import deciding
from states.changes.proposing import propose_calendar, propose_migration, texts_of
from states.ledger import Act
from states.pilot import Day, Step
from states.words import Event

CONTROL, SECOND = "p-control-01", "p-centre-lead"
SAID = {"reason": "Nghỉ tránh bão", "ground": "Công điện 1/CĐ-UBND"}
PROCEDURE = "1.004650"  # which most people ask for
SHORTER = {
    "version: 1\n": "version: 2\n",
    "\nterm: 5wd\n": "\nterm: 4wd\n",
    "    term: 3wd\n": "    term: 2wd\n",
}
HOUR = 10
MEANWHILE = timedelta(minutes=4)  # less than the clocks of two machines may differ
# What comes to the same, before or after.
HARMLESS = {Event.accept, Event.advance, Event.route, Event.digitise, Event.deliver}

Decide = Callable[[AsyncConnection, Catalogue, datetime, Sequence[Day]], Awaitable[None]]


class Decision(NamedTuple):
    """On which day of the season, and what. `applies`: to running dossiers, which are moved."""

    day: int
    name: str
    decide: Decide
    applies: bool = True

    def at(self, days: Sequence[Day]) -> datetime:
        """In the midst of the morning."""
        return days[self.day].at.replace(hour=HOUR, minute=0)


def decisions(days: int) -> list[Decision]:
    """Spread over a season of so many working days."""
    return [
        Decision(3 * days // 8, "a day to come is off", _a_day_to_come),
        Decision(days // 2 - 1, "a shorter term is published", _a_shorter_term, applies=False),
        Decision(days // 2, "running dossiers go on under it", _running_dossiers_too),
        Decision(5 * days // 8, "a day gone by was off, closed dossiers restated", _a_day_gone_by),
    ]


async def _a_day_to_come(
    db: AsyncConnection, book: Catalogue, at: datetime, days: Sequence[Day]
) -> None:
    later = [day.at for day in days if day.at > at][:6][-1]
    await _off(db, book, at, later, restates=False)


async def _a_day_gone_by(
    db: AsyncConnection, book: Catalogue, at: datetime, days: Sequence[Day]
) -> None:
    earlier = [day.at for day in days if day.at < at][-3]
    await _off(db, book, at, earlier, restates=True)


async def _off(
    db: AsyncConnection, book: Catalogue, at: datetime, day: datetime, *, restates: bool
) -> None:
    text = (await texts_of(db))[book.keeps].encode()
    storm = Override(works=False, vi=SAID["reason"], en="A storm", source=SAID["ground"])
    raw = with_exception(text, day.date(), storm)
    number = await propose_calendar(
        db, book, book.keeps, raw, dates=Dates.move, restates=restates, by=CONTROL, at=at, **SAID
    )
    await deciding.approve(db, book, number, SECOND, at)


async def _a_shorter_term(
    db: AsyncConnection, book: Catalogue, at: datetime, days: Sequence[Day]
) -> None:
    """Drafted, checked and published, for what comes from the next day on."""
    text = (await bundles.find(db, Kind.procedure, PROCEDURE)).text
    begins = next(day.at.date() for day in days if day.at.date() > at.date())
    for old, new in {**SHORTER, "valid_from: 2023-01-01": f"valid_from: {begins}"}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = f"{PROCEDURE}.yaml"
    await publishing.draft(db, book, Kind.procedure, file, text.encode(), CONTROL, at)
    linted = await publishing.check(db, book, await _second(db), CONTROL, at)
    assert not linted.errors, linted.errors
    await publishing.publish(db, book, await _second(db), SECOND, "QĐ 1/QĐ-UBND", at)


async def _running_dossiers_too(
    db: AsyncConnection, book: Catalogue, at: datetime, days: Sequence[Day]
) -> None:
    number = await propose_migration(
        db, book, PROCEDURE, 2, stages={}, overrides=False, by=CONTROL, at=at, **SAID
    )
    await deciding.approve(db, book, number, SECOND, at)


async def _second(db: AsyncConnection) -> object:
    return await bundles.find(db, Kind.procedure, PROCEDURE, 2)


# Who works meanwhile ------------------------------------------------------------------------------

Chains = list[tuple[Step, ...]]


def cut(chains: Sequence[tuple[Step, ...]], at: datetime) -> tuple[Chains, Chains, Chains]:
    """What people do before it is applied, while it is, and after.

    Moves of a dossier follow one another: while something dated ten o'clock is applied, only what
    is dated about ten can happen to the same dossiers, and new ones can be lodged.
    """
    before, meanwhile, after = [], [], []
    for chain in chains:
        early = [step for step in chain if step.act.at < at - MEANWHILE]
        rest = chain[len(early) :]
        there = 0
        while there < len(rest) and _meanwhile(rest[there].act, rest[there].lodging, at):
            there += 1
        before.append(tuple(early))
        meanwhile.append(rest[:there])
        after.append(rest[there:])
    return tuple([each for each in part if each] for part in (before, meanwhile, after))  # type: ignore[return-value]


def _meanwhile(act: Act, lodging: object, at: datetime) -> bool:
    opens = lodging is not None and act.at > at
    return opens or (abs(act.at - at) < MEANWHILE and lodging is None and act.event in HARMLESS)
