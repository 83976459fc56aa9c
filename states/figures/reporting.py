"""What every report is asked, and what it is: one way in for all of them."""

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Agency, Catalogue, Unit
from states.clock import Policy
from states.clock.words import Lang
from states.errors import BadInput
from states.figures import levels
from states.figures.auditing import Audit
from states.figures.counting import DIMENSIONS, Form, Only, counted, known
from states.figures.periods import DELAY, Period, divided
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Sheet
from states.ledger.statements import d
from states.logs.telling import Names
from states.people import Caller
from states.seeing import Through
from states.sentences import Sentence
from states.tongues import said
from states.words import Channel, Event, Role


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a report.

    `period`: [since, until), of which nothing lies ahead where a door asks; `ends`: its end as it
    was named, where that is another. `agencies`: whose figures; None: all. `by`: the dimensions;
    None: the report's own; none of them: all in one row. `each`: also by "month", "quarter", "half"
    or "year" within.
    `at`: the moment of asking, which nothing is told beyond. `options`: what only this report asks.
    `who`: whoever asks, where the door knows them; None: somebody who has the database. `through`:
    that door, for the record of whose data they read. `hidden`: the names that people have for who
    may not know who they are; None: their own.
    """

    db: AsyncConnection
    book: Catalogue
    period: Period
    at: datetime
    ends: datetime | None = None
    agencies: Sequence[str] | None = None
    by: tuple[str, ...] | None = None
    each: str | None = None
    policy: Policy | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    who: Caller | None = None
    through: Through | None = None
    hidden: Names | None = None

    @property
    def only(self) -> Only:
        """The values of dimensions that are counted."""
        return {} if self.agencies is None else {"agency": self.agencies}

    @property
    def named(self) -> Period:
        """The period as it was named, with what of it lies ahead."""
        return self.period if self.ends is None else replace(self.period, until=self.ends)

    def dims(self, report: "Report") -> tuple[str, ...]:
        """By what the figures are told apart."""
        return report.by if self.by is None else self.by

    @property
    def provisional(self) -> bool:
        """The period has not ended, or too lately for what was done on paper to be entered."""
        return self.at < self.named.until + DELAY

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, or those it is divided into. Raises `BadInput`."""
        return (self.period,) if self.each is None else divided(self.period, self.each, self.at)

    def paper(self, report: "Report", *sheets: Sheet, faults: tuple[Both, ...] = ()) -> Paper:
        """What is answered."""
        whose = self.agencies or ()
        return Paper(
            report.name, report.title, report.source, self.period.since, self.period.until,
            self.at, sheets, policy=self.policy, provisional=self.provisional, faults=faults,
            whose=None if len(whose) != 1 else called(self.book, "agency", whose[0]),
        )  # fmt: skip


Make = Callable[[Asked], Coroutine[Any, Any, Paper]]


@dataclass(frozen=True, slots=True)
class Report:
    """A report there is. `form`: what its numbers are opened by, where they are of dossiers.

    `options`: by name, what they say. `anew`: its dossiers can be classed by another policy.
    `dims`, `each`: by what it can be told apart, and whether by parts of the period.
    `audit`: it looks at people.
    """

    name: str
    title: Both
    source: Both
    meaning: Both
    make: Make
    form: Form | None = None
    by: tuple[str, ...] = ()
    options: Mapping[str, Both] = field(default_factory=dict)
    anew: bool = False
    dims: tuple[str, ...] = ()
    each: bool = False
    audit: Audit | None = None


WHOLE = Column("whole", Both("Phạm vi", "Of"), Kind.called)
PERIOD = Column("period", Both("Kỳ", "Period"), Kind.code)


async def sheet_of(
    asked: Asked,
    form: Form,
    key: str,
    title: Both,
    by: Sequence[str],
    chart: Chart | None = None,
) -> tuple[Sheet, list[dict[str, Any]]]:
    """A form counted for a question, as a sheet; and its rows, for what is to be judged of them.

    A row a period and value of the dimensions, named; a total where there is one period. The
    meaning of every figure stands in the notes.
    """
    rows = await counted(asked.db, form, levels.columns(by), asked.periods, asked.only)
    told = rows
    if levels.LEVEL in by:
        told = form.folded(levels.levelled(asked.book, rows), by)
    return laid_out(asked, form, key, title, by, told, chart), rows


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
    dims = dims or [WHOLE]
    cells = tuple(
        [
            *([row["period"]] * several),
            *(called(asked.book, each, row[each]) for each in by),
            *([_province(asked)] * (dims == [WHOLE])),
            *(row[column.key] for column in form.columns),
        ]
        for row in rows
    )
    total = form.summed(rows) if several else form.totalled(rows)
    at = int(several and bool(by))  # below what its parts make
    last = [*[None] * at, "Tổng / Total", *[None] * (len(dims) - 1 - at)]
    notes = tuple(each.told for each in form.figures)
    return Sheet(
        key, title, (*dims, *form.columns), cells,
        [*last, *(total[column.key] for column in form.columns)], notes, chart, len(dims),
        parts=_parts(form, rows, len(dims)) if several and by else {},
    )  # fmt: skip


def _parts(form: Form, rows: Sequence[Mapping[str, Any]], dims: int) -> dict[str, tuple[Any, ...]]:
    """What the rows of each period make together."""
    blank = (None,) * (dims - 2)
    return {
        each["period"]: (
            each["period"], f"Tổng kỳ {each['period']}", *blank,
            *(each[column.key] for column in form.columns),
        )
        for each in form.folded(rows, ())
    }  # fmt: skip


def _province(asked: Asked) -> Called:
    """Whose figures one row tells that is of no dimension."""
    whose = asked.agencies
    if whose is not None and len(whose) == 1:
        return called(asked.book, "agency", whose[0])
    return Called("Toàn tỉnh" if whose is None else f"{len(whose)} cơ quan", None)


def _column(key: str) -> Column:
    head = levels.HEAD if key == levels.LEVEL else DIMENSIONS[known(key)]
    return Column(key, head, Kind.called)


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
    if key == levels.LEVEL:
        return levels.NAMES.get(code, code)
    if key == "procedure" and code in book.versions:
        return book.procedure(code).name.vi
    if key == "field":
        return next((each.name.vi for each in book.organisation.fields if each.code == code), code)
    return _body(book.organisation.bodies, code)


def _body(bodies: Mapping[str, Agency | Unit], code: str) -> str:
    """An agency's name; a unit's with its agency's, since many agencies call theirs alike."""
    body = bodies.get(code)
    if body is None:
        return code
    whose = bodies.get(body.agency) if isinstance(body, Unit) else None
    if whose is None or whose.name.vi in body.name.vi:
        return body.name.vi
    return f"{body.name.vi} – {whose.name.vi}"


def stage_called(book: Catalogue, procedure: str | None, code: str) -> Called:
    """What a stage is called in its procedure, or by most of them, where none is said; of what is
    no stage of ours, as it was told.
    """
    versions = book.versions if procedure is None else {procedure}
    names = Counter(
        stage.name.vi
        for each in versions
        if each in book.versions
        for version in book.versions[each]
        for stage in version.says().stages
        if stage.code == code
    )
    return Called(names.most_common(1)[0][0] if names else code, code)


def activity_called(book: Catalogue, procedure: str | None, told: str) -> Called:
    """What was done, of a stage with its name; what another system told, as it was told."""
    event, _, stage = told.partition(" ")
    if event not in set(Event):
        return stage_called(book, procedure, told)
    name = said(Sentence("{event}", event=Event(event)), Lang.vi)
    of = f": {stage_called(book, procedure, stage)}" if stage else ""
    return Called(f"{name}{of}", told)


def person_called(book: Catalogue, person: str) -> str:
    """A person's name; of one there is no more, the id."""
    known = book.organisation.by_id.get(person)
    return known.name if known else person


def role_called(role: Role) -> Called:
    """A role as people say it."""
    return Called(said(Sentence("{role}", role=role), Lang.vi), role)
