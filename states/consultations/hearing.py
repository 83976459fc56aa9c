"""Whether a stage heard all whom its version names. Silence ends the waiting, when its term did.

The ledger may ask this of every move, so nothing here leads back to it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.clock import Term
from states.consultations.rows import Standing
from states.errors import NotOpen
from states.sentences import Sentence, joined
from states.words import Event

consultation = SQLModel.metadata.tables["consultation"]
c = consultation.c
LEAVING = frozenset({Event.advance, Event.return_result})
"""What leaves a stage forwards."""


class Rule(Protocol):
    """A consultation that a version names."""

    @property
    def unit(self) -> str:
        """Which body."""

    @property
    def term(self) -> Term:
        """How long it has."""

    @property
    def about(self) -> Any:
        """What it is asked about, if that is said."""


class Book(Protocol):
    """What is asked of the catalogue."""

    @property
    def organisation(self) -> Any:
        """Who took over from whom."""

    def procedure(self, code: str, version: int) -> Any:
        """A version of a procedure."""

    def day(self, at: datetime) -> date:
        """The day of a moment."""


async def check_heard(
    db: AsyncConnection, book: Any, paper: Any, event: Event, at: datetime
) -> None:
    """Refuse to go on before those were asked and have answered, or let their term run out.

    It asks the database only of a stage that consults, and `book` only then who took over from
    whom. Raises `NotOpen`.
    """
    if event not in LEAVING or not named(book, paper):
        return
    its = sa.select(consultation).where(c.dossier_id == paper.id, c.visit == paper.visit)
    rows = [dict(row) for row in (await db.execute(its)).mappings()]
    if waits := awaited_now(book, paper, rows, at):
        raise NotOpen("{event} is not open: {waits}", event=event, waits=waits)


def awaited_now(
    book: Book, paper: Any, rows: Iterable[Mapping[str, Any]], at: datetime
) -> Sentence | None:
    """Why the present stage waits for those whom the version names; None: it may be left. Pure."""
    here = [row for row in rows if row["visit"] == paper.visit]
    waits = [why for each in named(book, paper) if (why := awaited(book, each, here, at))]
    return joined(waits) if waits else None


def awaited(
    book: Book, rule: Rule, rows: Iterable[Mapping[str, Any]], at: datetime
) -> Sentence | None:
    """Why the stage waits for a body still, by what was asked in this visit; None: it need not."""
    its = [row for row in rows if is_of(book, rule, row["unit"], at)]
    its = [row for row in its if row["standing"] != Standing.withdrawn]
    if not its:
        return Sentence(
            "{unit} was not asked for its opinion, as the procedure says: ask it first",
            unit=rule.unit,
        )
    if any(row["standing"] == Standing.answered or row["late_at"] <= at for row in its):
        return None
    last = max(row["due_at"] for row in its)
    return Sentence("{unit} has until {last:minutes} to answer", unit=rule.unit, last=last)


def unasked(book: Book, paper: Any, rows: Iterable[Mapping[str, Any]], at: datetime) -> list[Rule]:
    """Those named for the present stage that were not asked in this visit of it."""
    here = [row["unit"] for row in rows if row["visit"] == paper.visit]
    rules = named(book, paper)
    return [each for each in rules if not any(is_of(book, each, unit, at) for unit in here)]


def named(book: Book, paper: Any) -> tuple[Rule, ...]:
    """The consultations that the version names for the stage a dossier is in."""
    if not paper.version or paper.stage_role is None:
        return ()
    stage = book.procedure(paper.procedure, paper.version).stages[paper.stage]
    return cast("tuple[Rule, ...]", stage.consults)


def is_of(book: Book, rule: Rule, unit: str, at: datetime) -> bool:
    """Whether the rule means that body, or one whose work it does on that day."""
    return unit in {rule.unit, book.organisation.heir(rule.unit, book.day(at))}
