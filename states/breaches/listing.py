"""Breaches looked up: listed, counted by unit and cause, shown with all that was done about one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.correcting import CORRECTED_SEQ, STANDS_STILL
from states.breaches.recording import KEY, SAME, alert, b, breach, line, n, t
from states.breaches.rows import Cause, Standing
from states.catalogue import Catalogue
from states.catalogue.rules import On
from states.errors import BadInput, Unknown
from states.ledger.statements import d, dossier
from states.pages import Page, page
from states.sentences import Sentence, joined
from states.words import Tally


class Named(NamedTuple):
    """How people name a breach. Visit and deadline are needed where a rule was missed twice."""

    code: str
    rule: str
    visit: int | None = None
    deadline: int | None = None


@dataclass(frozen=True, slots=True)
class Only:
    """Which breaches. `without_apology`: of the term, of dossiers that were finished late or are
    late now, whose applicant was sent no apology.

    An agency or a unit stands for those it took over from, too. `corrected`: only those that a
    correction set aside, or only those that stand.
    """

    agency: str | None = None
    unit: str | None = None
    rule: str | None = None
    standing: Standing | None = None
    without_apology: bool = False
    procedure: str | None = None
    cause: Cause | None = None
    person: str | None = None  # who had it when it was missed
    since: datetime | None = None  # what was due in [since, until)
    until: datetime | None = None
    field: str | None = None
    apology: bool | None = None  # whether one with a new date was given
    late_from: int | None = None  # working minutes late, once it has ended: [late_from, late_below)
    late_below: int | None = None
    assigned_to: str | None = None
    owed_at: datetime | None = None  # to be explained by then, and not explained
    corrected: bool | None = None

    def where(self, book: Catalogue) -> Any:
        """As a condition. Raises `BadInput` for what nothing can be."""
        self._check()
        holds: list[Any] = [sa.true()]
        for column, code in ((b.agency, self.agency), (b.unit, self.unit)):
            if code is not None:
                holds.append(column.in_(book.organisation.line(code)))
        same = {b.rule: self.rule, b.standing: self.standing, d.procedure: self.procedure}
        same |= {b.cause: self.cause, b.person: self.person, d.field: self.field}
        same |= {b.assigned_to: self.assigned_to}
        holds += [column == value for column, value in same.items() if value is not None]
        if self.since is not None:
            holds.append(b.due_at >= self.since)
        if self.until is not None:
            holds.append(b.due_at < self.until)
        holds += self._how()
        return sa.and_(*holds, UNAPOLOGISED) if self.without_apology else sa.and_(*holds)

    def _how(self) -> Iterator[Any]:
        if self.late_from is not None:
            yield b.minutes >= self.late_from
        if self.late_below is not None:
            yield b.minutes < self.late_below
        if self.apology is not None:
            yield b.apology_seq.is_not(None) if self.apology else b.apology_seq.is_(None)
        if self.owed_at is not None:
            yield (b.standing == Standing.assigned) & (b.explain_by < self.owed_at) & STANDS_STILL
        if self.corrected is not None:
            yield sa.not_(STANDS_STILL) if self.corrected else STANDS_STILL

    def _check(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadInput("the period ends before it begins: `since` must lie before `until`")
        least, below = self.late_from, self.late_below
        if least is not None and below is not None and least >= below:
            raise BadInput(
                "nothing is late by {least} minutes or more and by less than {below}",
                least=least,
                below=below,
            )


UNAPOLOGISED = sa.and_(
    t.watched == On.term,
    b.apology_seq.is_(None),
    b.ended_at.is_(None) | (d.verdict == Tally.late),
    STANDS_STILL,
)
UNEXPLAINED = b.standing.in_((Standing.open, Standing.assigned)) & STANDS_STILL
FROM = breach.join(alert, SAME).join(dossier, d.id == b.dossier_id)
WHAT = (d.code, *KEY[1:], t.watched, b.agency, b.unit, b.person, b.due_at, b.ended_at, b.minutes)
STANDS = (
    *(b.standing, b.assigned_to, b.explain_by, b.cause, b.finding, b.apology_seq),
    *(d.state, d.verdict, CORRECTED_SEQ),
)
EVERY = sa.true()
SAID = (b.explanation, b.explained_by, b.explained_at, b.attribution, b.recorded_at)


async def every(
    db: AsyncConnection, book: Catalogue, only: Only | None = None, most: int | None = None
) -> list[dict[str, Any]]:
    """Those asked for, what was due first before the rest."""
    asked = sa.select(*WHAT, *STANDS).select_from(FROM).where((only or Only()).where(book))
    rows = await db.execute(asked.order_by(b.due_at, *KEY).limit(most))
    return [dict(row) for row in rows.mappings()]


async def part(
    db: AsyncConnection,
    book: Catalogue,
    seen: sa.ColumnElement[bool],
    only: Only,
    cursor: str | None,
    limit: int,
) -> Page:
    """A page of those asked for among what is seen, what was due first before the rest."""
    asked = sa.select(b.dossier_id, *WHAT, *STANDS).select_from(FROM)
    asked = asked.where(only.where(book), seen)
    return await page(db, asked, (b.due_at, *KEY), cursor, limit)


async def by_cause(
    db: AsyncConnection,
    book: Catalogue,
    only: Only | None = None,
    seen: sa.ColumnElement[bool] = EVERY,
) -> list[dict[str, Any]]:
    """How many of each unit and cause, how late those were that ended, and what is to be done.

    Those that a correction set aside are in `corrected` alone.
    """
    count = sa.func.count()
    counted = {
        "breaches": count.filter(STANDS_STILL),
        "running": count.filter(b.ended_at.is_(None), STANDS_STILL),
        "minutes": sa.func.coalesce(sa.func.sum(b.minutes).filter(STANDS_STILL), 0),
        "unexplained": count.filter(UNEXPLAINED),
        "without_apology": count.filter(UNAPOLOGISED),
        "corrected": count.filter(sa.not_(STANDS_STILL)),
    }
    by = (b.agency, b.unit, b.cause)
    asked = sa.select(*by, *(each.label(name) for name, each in counted.items()))
    asked = asked.select_from(FROM).where((only or Only()).where(book), seen)
    rows = await db.execute(asked.group_by(*by).order_by(*by))
    return [dict(row) for row in rows.mappings()]


async def tallied(
    db: AsyncConnection, book: Catalogue, only: Only, seen: sa.ColumnElement[bool], at: datetime
) -> dict[str, int]:
    """How many stand how, in one statement: as many as `part` lists of each.

    All but `corrected` stand still; `owed`: assigned, and their time to explain is over.
    """
    count = sa.func.count()
    counted: dict[str, Any] = {
        each: count.filter(b.standing == each, STANDS_STILL) for each in Standing
    }
    counted |= {
        "all": count.filter(STANDS_STILL),
        "owed": count.filter(replace(Only(), owed_at=at).where(book)),
        "without_apology": count.filter(UNAPOLOGISED),
        "corrected": count.filter(sa.not_(STANDS_STILL)),
    }
    asked = sa.select(*(each.label(name) for name, each in counted.items()))
    asked = asked.select_from(FROM).where(only.where(book), seen)
    return dict((await db.execute(asked)).mappings().one())


async def of_dossier(db: AsyncConnection, code: str) -> list[dict[str, Any]]:
    """All of a dossier, each with what was done about it (`lines`). Raises `Unknown`."""
    whose = await db.scalar(sa.select(d.id).where(d.code == code))
    if whose is None:
        raise Unknown("there is no dossier {code}", code=code[:80])
    asked = sa.select(*WHAT, *STANDS, *SAID).select_from(FROM).where(b.dossier_id == whose)
    rows = (await db.execute(asked.order_by(b.due_at, *KEY))).mappings().all()
    said = sa.select(line).where(n.dossier_id == whose).order_by(n.n)
    lines = (await db.execute(said)).mappings().all()
    return [{**row, "lines": [_line(each) for each in lines if _about(each, row)]} for row in rows]


def _about(each: Any, row: Any) -> bool:
    return all(each[column.name] == row[column.name] for column in KEY[1:])


def _line(each: Any) -> dict[str, Any]:
    told = (
        *("step", "actor", "at", "assigned_to", "until"),
        *("cause", "explanation", "finding", "reason"),
    )
    return {name: each[name] for name in told if each[name] is not None}


async def one(db: AsyncConnection, named: Named, *, locked: bool = False) -> Any:
    """The breach that is meant. Raises `Unknown`, and `BadInput` where several may be."""
    holds = [d.code == named.code, b.rule == named.rule]
    for column, value in ((b.visit, named.visit), (b.deadline, named.deadline)):
        if value is not None:
            holds.append(column == value)
    asked = sa.select(d.code, breach, CORRECTED_SEQ).select_from(FROM).where(*holds).order_by(*KEY)
    found = (await db.execute(asked.with_for_update(of=breach) if locked else asked)).all()
    if not found:
        raise Unknown(
            "dossier {code} has no breach of {rule} so named: `hoso breaches list` has them all",
            code=named.code[:80],
            rule=named.rule[:80],
        )
    if len(found) > 1:
        them = joined(
            Sentence("visit {visit}, deadline {deadline}", visit=row.visit, deadline=row.deadline)
            for row in found
        )
        raise BadInput(
            "{rule} was missed {found} times: say which one: {them}",
            rule=named.rule,
            found=len(found),
            them=them,
        )
    return found[0]


def cause(text: str) -> Cause:
    """Raises `BadInput`."""
    return Cause(_word(text, Cause, "cause"))


def standing(text: str) -> Standing:
    """Raises `BadInput`."""
    return Standing(_word(text, Standing, "standing"))


def _word(text: str, among: type[Cause] | type[Standing], what: str) -> str:
    if text not in set(among):
        raise BadInput(
            "{what} must be one of {among}, not '{text}'", what=what, among=[*among], text=text[:40]
        )
    return text
