"""Suspicions counted, shared out and opened: each rule by one statement, for each of the three."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import BadInput, Unknown
from states.ledger.statements import d, dossier
from states.pages import Page, page
from states.suspicions import entering, finishing, moving
from states.suspicions.odds import at_least
from states.suspicions.rule import Rule
from states.suspicions.scope import Scope

RULES: dict[str, Rule] = {
    each.key: each for each in (*moving.RULES, *finishing.RULES, *entering.RULES)
}
SELDOM = 0.001  # chance alone: whoever is less likely than that stands out
FEWEST = 3  # cases of which it is said that they stand out


class Of(StrEnum):
    """Whose cases are told apart."""

    agency = auto()
    unit = auto()
    person = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """How often a rule's pattern was seen among what could have shown it."""

    count: int
    base: int

    @property
    def rate(self) -> float | None:
        """In percent of the base; None where that is nought."""
        return None if self.base == 0 else 100 * self.count / self.base


@dataclass(frozen=True, slots=True)
class Share(Found):
    """The same of one agency, unit or person.

    `chance`: how seldom so many are chance, if all were alike (binomial tail at the rate of all).
    """

    of: str | None
    agency: str
    chance: float

    @property
    def stands_out(self) -> bool:
        """Worth a look before the others. It says nothing of why."""
        return self.count >= FEWEST and self.chance < SELDOM


def find(key: str) -> Rule:
    """Raises `Unknown`."""
    if key not in RULES:
        raise Unknown(
            "there is no rule of suspicion '{key}': there are {known}",
            key=key[:80],
            known=[*RULES],
        )
    return RULES[key]


def whose(text: str) -> Of:
    """Raises `BadInput`."""
    if text not in set(Of):
        raise BadInput("cases are told apart by one of {of}, not '{text}'",
                       of=[*Of], text=text[:40])  # fmt: skip
    return Of(text)


async def counted(
    db: AsyncConnection, scope: Scope, rules: Sequence[Rule] = tuple(RULES.values())
) -> list[tuple[Rule, Found]]:
    """Every rule with its count and base. Raises `BadInput`."""
    found = []
    for rule in rules:
        cases = (await rule.cases(db, scope.check())).subquery()
        asked = sa.select(sa.func.count().filter(cases.c.hit), sa.func.count())
        found.append((rule, Found(*(await db.execute(asked.select_from(cases))).one())))
    return found


async def shares(db: AsyncConnection, scope: Scope, rule: Rule, of: Of) -> list[Share]:
    """The same by agency, unit or person; whose number is the least likely comes first."""
    cases = (await rule.cases(db, scope.check())).subquery()
    by = (cases.c.agency, cases.c[of])
    asked = sa.select(*by, sa.func.count().filter(cases.c.hit), sa.func.count())
    rows = (await db.execute(asked.group_by(*by))).all()
    count, base = (sum(row[n] for row in rows) for n in (2, 3))
    rate = count / base if base else 0.0
    found = [
        Share(count=hits, base=whole, of=name, agency=agency, chance=at_least(hits, whole, rate))
        for agency, name, hits, whole in rows
    ]
    return sorted(found, key=lambda each: (each.chance, -each.count, each.agency, each.of or ""))


async def opened(
    db: AsyncConnection,
    scope: Scope,
    rule: Rule,
    cursor: str | None,
    limit: int,
    *,
    agency: str | None = None,
    unit: str | None = None,
    person: str | None = None,
) -> Page:
    """A page of the cases that are counted, the first before the rest, with their codes."""
    cases = (await rule.cases(db, scope.check())).subquery()
    c: Any = cases.c
    asked = sa.select(c.at, c.dossier_id, c.n, d.code, d.procedure, c.agency, c.unit, c.person)
    asked = asked.select_from(cases.join(dossier, d.id == c.dossier_id)).where(c.hit)
    for column, value in ((c.agency, agency), (c.unit, unit), (c.person, person)):
        if value is not None:
            asked = asked.where(column == value)
    return await page(db, asked, (c.at, c.dossier_id, c.n), cursor, limit)
