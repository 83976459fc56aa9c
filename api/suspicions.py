"""Suspicions over HTTP: what is worth a look, how often it is seen, and in which dossiers.

For the control unit and leaders, of the dossiers they see. Nobody is judged by any of it.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.doors import At, Db, Page, Sees, Shelf, Still, Who, needs
from api.listed import Listed, Moment, Word, local
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope as Key
from states.errors import NotYours
from states.figures.sheets import Both
from states.ledger.acts import SHORT
from states.sight import WIDE
from states.suspicions import counting
from states.suspicions.counting import Found, Of
from states.suspicions.rule import Rule
from states.suspicions.scope import Scope

router = APIRouter(
    prefix="/v1/suspicions", tags=["breaches"], route_class=Still, responses=DOCUMENTED
)
READS = [needs(Key.breaches_read)]
RuleKey = Annotated[str, Path(max_length=SHORT, pattern=r"^[a-z-]+$")]
IN_BOTH: dict[str, Any] = {"vi": "Tạm dừng ngay trước hạn", "en": "Held just before expiry"}


class Words(BaseModel):
    """What people read, in both languages."""

    model_config = ConfigDict(json_schema_extra={"examples": [IN_BOTH]})

    vi: str
    en: str


class Suspicion(BaseModel):
    """A rule, and how often its pattern was seen: worth a look, and no verdict on anybody."""

    rule: str
    title: Words
    suspects: Words = Field(description="What it may be a sign of, and what it may be besides.")
    base_is: Words = Field(description="What could have shown it.")
    limits: Words = Field(description="The numbers it goes by.")
    ground: str | None
    count: int
    base: int
    rate: float | None = Field(description="Percent of the base.")


class Suspicions(BaseModel):
    """All rules, over what the caller sees."""

    since: datetime
    until: datetime
    suspicions: list[Suspicion]


class SuspicionShare(BaseModel):
    """A rule's count for one agency, unit or person."""

    of: str | None
    agency: str
    count: int
    base: int
    rate: float | None
    chance: float = Field(description="How seldom so many are chance, at the rate of all.")
    stands_out: bool = Field(description="Worth a look before the others.")


class SuspicionShares(BaseModel):
    """A rule by agency, unit or person; whose number is the least likely comes first."""

    rule: str
    by: Of
    count: int
    base: int
    rate: float | None
    shares: list[SuspicionShare]


class SuspiciousCase(BaseModel):
    """What shows the pattern."""

    code: str
    n: int = Field(description="The line, or the visit of a stage.")
    at: datetime
    procedure: str
    agency: str
    unit: str
    person: str | None


class SuspiciousCases(Listed[SuspiciousCase]):
    """A page of cases, the first before the rest."""


async def scope(book: Shelf, who: Who, sees: Sees, at: At, since: Moment, until: Moment) -> Scope:
    """What is looked at. Raises `NotYours` for who neither leads nor audits."""
    if who.role not in WIDE:
        raise NotYours(
            "a {role} is shown no suspicions: ask a leader or the control unit", role=who.role
        )
    return Scope(book, since, until, at, sees.where()).check()


Looking = Annotated[Scope, Depends(scope)]


@router.get("", dependencies=READS)
async def list_suspicions(book: Shelf, db: Db, looking: Looking) -> Suspicions:
    """How often each pattern was seen in [since, until), among what could have shown it."""
    found = await counting.counted(db, looking)
    return Suspicions(
        since=looking.since.astimezone(book.zone),
        until=looking.until.astimezone(book.zone),
        suspicions=[_suspicion(rule, told) for rule, told in found],
    )


@router.get("/{rule}/shares", dependencies=READS)
async def share_suspicion(
    rule: RuleKey, db: Db, looking: Looking, by: Of = Of.unit
) -> SuspicionShares:
    """One pattern by agency, unit or person, against the rate of all."""
    rows = await counting.shares(db, looking, counting.find(rule), by)
    total = Found(sum(each.count for each in rows), sum(each.base for each in rows))
    return SuspicionShares(
        rule=rule,
        by=by,
        count=total.count,
        base=total.base,
        rate=total.rate,
        shares=[SuspicionShare.model_validate(row, from_attributes=True) for row in rows],
    )


@router.get("/{rule}", dependencies=READS)
async def list_suspicious(
    rule: RuleKey,
    book: Shelf,
    db: Db,
    looking: Looking,
    part: Page,
    agency: Word = None,
    unit: Word = None,
    person: Annotated[Word, Query(description="Who did it, or had it.")] = None,
) -> SuspiciousCases:
    """The dossiers of a pattern, by the same statement that counts it."""
    which = counting.find(rule)
    only = {"agency": agency, "unit": unit, "person": person}
    found = await counting.opened(db, looking, which, part.cursor, part.limit, **only)
    return SuspiciousCases(
        items=[SuspiciousCase.model_validate(local(row, book.zone)) for row in found.rows],
        next=found.next,
    )


def _suspicion(rule: Rule, found: Found) -> Suspicion:
    return Suspicion(
        rule=rule.key,
        title=_words(rule.title),
        suspects=_words(rule.suspects),
        base_is=_words(rule.base),
        limits=_words(rule.limits),
        ground=rule.ground,
        count=found.count,
        base=found.base,
        rate=found.rate,
    )


def _words(both: Both) -> Words:
    return Words(vi=both.vi, en=both.en)
