"""Breaches looked up: listed, counted by unit and cause, shown with all that was done about one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.breaches.recording import KEY, SAME, alert, b, breach, t
from states.breaches.rows import Cause, Standing
from states.catalogue import Catalogue
from states.catalogue.rules import On
from states.errors import BadInput, Unknown
from states.ledger.statements import d, dossier
from states.pages import Page, page
from states.words import Tally

line = SQLModel.metadata.tables["breach_line"]
n = line.c


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

    An agency or a unit stands for those it took over from, too.
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

    def where(self, book: Catalogue) -> Any:
        """As a condition."""
        holds: list[Any] = [sa.true()]
        for column, code in ((b.agency, self.agency), (b.unit, self.unit)):
            if code is not None:
                holds.append(column.in_(book.organisation.line(code)))
        same = {b.rule: self.rule, b.standing: self.standing, d.procedure: self.procedure}
        same |= {b.cause: self.cause, b.person: self.person}
        holds += [column == value for column, value in same.items() if value is not None]
        if self.since is not None:
            holds.append(b.due_at >= self.since)
        if self.until is not None:
            holds.append(b.due_at < self.until)
        return sa.and_(*holds, UNAPOLOGISED) if self.without_apology else sa.and_(*holds)


UNAPOLOGISED = sa.and_(
    t.watched == On.term,
    b.apology_seq.is_(None),
    b.ended_at.is_(None) | (d.verdict == Tally.late),
)
FROM = breach.join(alert, SAME).join(dossier, d.id == b.dossier_id)
WHAT = (d.code, *KEY[1:], t.watched, b.agency, b.unit, b.person, b.due_at, b.ended_at, b.minutes)
STANDS = (b.standing, b.assigned_to, b.cause, b.apology_seq, d.state, d.verdict)
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
    """How many of each unit and cause, how late those were that ended, and what is to be done."""
    count = sa.func.count()
    unexplained = b.standing.in_((Standing.open, Standing.assigned))
    counted = {
        "breaches": count,
        "running": count.filter(b.ended_at.is_(None)),
        "minutes": sa.func.coalesce(sa.func.sum(b.minutes), 0),
        "unexplained": count.filter(unexplained),
        "without_apology": count.filter(UNAPOLOGISED),
    }
    by = (b.agency, b.unit, b.cause)
    asked = sa.select(*by, *(each.label(name) for name, each in counted.items()))
    asked = asked.select_from(FROM).where((only or Only()).where(book), seen)
    rows = await db.execute(asked.group_by(*by).order_by(*by))
    return [dict(row) for row in rows.mappings()]


async def of_dossier(db: AsyncConnection, code: str) -> list[dict[str, Any]]:
    """All of a dossier, each with what was done about it (`lines`). Raises `Unknown`."""
    whose = await db.scalar(sa.select(d.id).where(d.code == code))
    if whose is None:
        raise Unknown(f"there is no dossier {code[:80]}")
    asked = sa.select(*WHAT, *STANDS, *SAID).select_from(FROM).where(b.dossier_id == whose)
    rows = (await db.execute(asked.order_by(b.due_at, *KEY))).mappings().all()
    said = sa.select(line).where(n.dossier_id == whose).order_by(n.n)
    lines = (await db.execute(said)).mappings().all()
    return [{**row, "lines": [_line(each) for each in lines if _about(each, row)]} for row in rows]


def _about(each: Any, row: Any) -> bool:
    return all(each[column.name] == row[column.name] for column in KEY[1:])


def _line(each: Any) -> dict[str, Any]:
    told = ("step", "actor", "at", "assigned_to", "cause", "explanation")
    return {name: each[name] for name in told if each[name] is not None}


async def one(db: AsyncConnection, named: Named, *, locked: bool = False) -> Any:
    """The breach that is meant. Raises `Unknown`, and `BadInput` where several may be."""
    holds = [d.code == named.code, b.rule == named.rule]
    for column, value in ((b.visit, named.visit), (b.deadline, named.deadline)):
        if value is not None:
            holds.append(column == value)
    asked = sa.select(d.code, breach).select_from(FROM).where(*holds).order_by(*KEY)
    found = (await db.execute(asked.with_for_update(of=breach) if locked else asked)).all()
    if not found:
        raise Unknown(
            f"dossier {named.code[:80]} has no breach of {named.rule[:80]} so named:"
            f" `hoso breaches list` has them all"
        )
    if len(found) > 1:
        them = "; ".join(f"visit {row.visit}, deadline {row.deadline}" for row in found)
        raise BadInput(f"{named.rule} was missed {len(found)} times: say which one: {them}")
    return found[0]


def cause(text: str) -> Cause:
    """Raises `BadInput`."""
    return Cause(_word(text, Cause, "cause"))


def standing(text: str) -> Standing:
    """Raises `BadInput`."""
    return Standing(_word(text, Standing, "standing"))


def _word(text: str, among: type[Cause] | type[Standing], what: str) -> str:
    if text not in set(among):
        raise BadInput(f"{what} must be one of {', '.join(among)}, not '{text[:40]}'")
    return text
