"""What every report is asked, and what it is: one way in for all of them."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Agency, Catalogue, Field, Unit
from states.clock import Policy
from states.clock.words import Lang
from states.errors import BadInput
from states.figures.counting import DIMENSIONS, Form, Only, counted, known
from states.figures.periods import DELAY, Period, divided
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Sheet
from states.ledger.statements import d
from states.people import Caller
from states.sentences import Sentence
from states.tongues import said
from states.words import Channel


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a report.

    `period`: [since, until). `agencies`: whose figures; None: all. `by`: the dimensions, the
    report's own where none is named. `each`: also by "month", "quarter", "half" or "year" within.
    `at`: the moment of asking, which nothing is told beyond. `options`: what only this report asks.
    `who`: whoever asks, where the door knows them; None: somebody who has the database.
    """

    db: AsyncConnection
    book: Catalogue
    period: Period
    at: datetime
    agencies: Sequence[str] | None = None
    by: tuple[str, ...] = ()
    each: str | None = None
    policy: Policy | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    who: Caller | None = None

    @property
    def only(self) -> Only:
        """The values of dimensions that are counted."""
        return {} if self.agencies is None else {"agency": self.agencies}

    @property
    def provisional(self) -> bool:
        """The period has not ended, or too lately for what was done on paper to be entered."""
        return self.at < self.period.until + DELAY

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, or those it is divided into. Raises `BadInput`."""
        return (self.period,) if self.each is None else divided(self.period, self.each, self.at)

    def paper(self, report: "Report", *sheets: Sheet, faults: tuple[Both, ...] = ()) -> Paper:
        """What is answered."""
        return Paper(
            report.name, report.title, report.source, self.period.since, self.period.until,
            self.at, sheets, policy=self.policy, provisional=self.provisional, faults=faults,
        )  # fmt: skip


Make = Callable[[Asked], Coroutine[Any, Any, Paper]]


@dataclass(frozen=True, slots=True)
class Report:
    """A report there is. `form`: what its numbers are opened by, where they are of dossiers.

    `options`: by name, what they say. `anew`: its dossiers can be classed by another policy.
    """

    name: str
    title: Both
    source: str
    meaning: Both
    make: Make
    form: Form | None = None
    by: tuple[str, ...] = ()
    options: Mapping[str, Both] = field(default_factory=dict)
    anew: bool = False


PERIOD = Column("period", Both("Kỳ", "Period"), Kind.code)


async def sheet_of(
    asked: Asked,
    form: Form,
    key: str,
    title: Both,
    by: Sequence[str],
    chart: Chart | None = None,
    finer: Sequence[str] = (),
) -> tuple[Sheet, list[dict[str, Any]]]:
    """A form counted for a question, as a sheet; and its rows, for what is to be judged of them.

    A row a period and value of the dimensions, named; a total where there is one period. The
    meaning of every figure stands in the notes. `finer`: what the rows to be judged are told apart
    by beside.
    """
    periods = asked.periods
    apart = (*by, *(each for each in finer if each not in by))
    fine = await counted(asked.db, form, apart, periods, asked.only)
    return laid_out(asked, form, key, title, by, form.folded(fine, by), chart), fine


def laid_out(
    asked: Asked,
    form: Form,
    key: str,
    title: Both,
    by: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    chart: Chart | None = None,
) -> Sheet:
    """Rows of a form as a sheet, with what they make in total."""
    several = asked.each is not None
    dims = [PERIOD] * several + [_column(key) for key in by]
    cells = tuple(
        [
            *([row["period"]] * several),
            *(called(asked.book, each, row[each]) for each in by),
            *(row[column.key] for column in form.columns),
        ]
        for row in rows
    )
    total = form.totalled(rows)
    last = ["Tổng / Total", *[None] * (len(dims) - 1)][: len(dims)]
    notes = tuple(each.told for each in form.figures)
    return Sheet(
        key, title, (*dims, *form.columns), cells,
        None if several else [*last, *(total[column.key] for column in form.columns)],
        notes, chart, len(dims),
    )  # fmt: skip


def _column(key: str) -> Column:
    return Column(key, DIMENSIONS[known(key)], Kind.called)


async def agencies_known(db: AsyncConnection, book: Catalogue) -> set[str]:
    """The agencies a report may be asked for: the catalogue's, and those that were imported."""
    imported = sa.select(d.agency).where(d.source.is_not(None)).distinct()
    return {*book.agencies, *(await db.execute(imported)).scalars()}


def period(since: datetime | None, until: datetime) -> Period:
    """A period without a name. Raises `BadInput` where it ends before it begins."""
    if since is not None and since >= until:
        raise BadInput("the period ends before it begins: --from must lie before --to")
    return Period("", since, until)


def called(book: Catalogue, key: str, code: str | None) -> Called:
    """What people call a value of a dimension; what was imported has no name but its code."""
    return Called(_name(book, key, code or ""), code)


def _name(book: Catalogue, key: str, code: str) -> str:
    if key == "channel" and code:
        return said(Sentence("{channel}", channel=Channel(code)), Lang.vi)
    if key == "procedure" and code in book.versions:
        return book.procedure(code).name.vi
    named: Iterable[Agency | Unit | Field] = (
        book.organisation.fields if key == "field" else book.organisation.bodies.values()
    )
    return next((each.name.vi for each in named if each.code == code), code)
