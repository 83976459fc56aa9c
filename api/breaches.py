"""Breaches over HTTP: what was missed, who had it, what was said of it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api.breach_filters import Filtered
from api.doors import At, Db, Door, Page, Sees, Shelf, Who, needs
from api.listed import Code, Listed, Moment, Word, local
from api.problems import DOCUMENTED
from states import seeing
from states.accounts.scopes import Scope
from states.breaches import explaining, listing
from states.breaches.attribution import Kind
from states.breaches.listing import Named, Only
from states.breaches.rows import Cause, Standing, Step
from states.catalogue.rules import On
from states.ledger.acts import LONG, SHORT, Name
from states.words import State, Tally

router = APIRouter(prefix="/v1/breaches", tags=["breaches"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.breaches_read)]
WRITES = [needs(Scope.breaches_write)]

Rule = Annotated[str, Path(max_length=SHORT, pattern=r"^[a-z0-9-]+$")]
Number = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


class Breach(BaseModel):
    """A deadline that was missed. Minutes are working minutes late; none while that goes on."""

    code: str
    rule: str
    visit: int = Field(description="Of a stage; 0: the dossier itself.")
    deadline: int = Field(description="The line that set what was missed.")
    watched: On
    agency: str
    unit: str = Field(description="Where it lay when it was missed.")
    person: str | None = Field(description="Who had it.")
    due_at: datetime
    ended_at: datetime | None
    minutes: int | None
    standing: Standing
    assigned_to: str | None
    explain_by: datetime | None = Field(description="Until when it is to be explained.")
    cause: Cause | None
    finding: str | None = Field(description="Of the control unit that closed it.")
    apology_seq: int | None = Field(description="The line that apologised with a new date.")
    corrected_seq: int | None = Field(
        description="The line of the correction that undid it: in no count, nobody explains it."
    )
    state: State
    verdict: Tally | None


class BreachPage(Listed[Breach]):
    """A page of breaches."""


class Share(BaseModel):
    """Whose time it was; `late_minutes` are those past the due moment."""

    kind: Kind
    unit: str | None
    person: str | None
    agency: str | None
    minutes: int
    late_minutes: int


class Done(BaseModel):
    """One thing done about a breach; it stays."""

    step: Step
    actor: str
    at: datetime
    assigned_to: str | None = None
    until: datetime | None = None
    cause: Cause | None = None
    explanation: str | None = None
    finding: str | None = None
    reason: str | None = None


class BreachAccount(Breach):
    """A breach with whose time it was, what was said and all that was done."""

    explanation: str | None
    explained_by: str | None
    explained_at: datetime | None
    attribution: list[Share] | None = Field(description="None while the lateness goes on.")
    recorded_at: datetime
    lines: list[Done]


class BreachAccounts(BaseModel):
    """All breaches of a dossier, what was due first before the rest."""

    code: str
    breaches: list[BreachAccount]


class CauseCount(BaseModel):
    """How many breaches of a unit have one cause."""

    agency: str
    unit: str
    cause: Cause | None
    breaches: int
    running: int
    minutes: int
    unexplained: int
    without_apology: int
    corrected: int = Field(description="Set aside by a correction; in no other number.")


class Causes(BaseModel):
    """Breaches by unit and cause."""

    causes: list[CauseCount]


class Which(BaseModel):
    """Which of them, where one dossier missed one rule more than once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}, {"visit": 2}]})

    visit: Number | None = None
    deadline: Number | None = None


class Assigned(Which):
    """Who is to explain it, and until when: a reminder follows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to": "p-sci-officer-21", "until": "2024-04-12T17:00:00+07:00"}]
        }
    )

    to: Name
    until: Moment | None = None


class Explained(Which):
    """Why it came to that."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"cause": "workload", "explanation": "Hai cán bộ nghỉ phép cùng lúc."}]
        }
    )

    cause: Cause
    explanation: Annotated[str, Field(min_length=1, max_length=LONG)]


class Closed(Which):
    """What the control unit found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"finding": "Giải trình phù hợp; đã bố trí người thay."}]}
    )

    finding: Annotated[str, Field(min_length=1, max_length=LONG)]


class Reopened(Which):
    """What has come to light."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Công dân khiếu nại: hồ sơ nộp đủ từ đầu."}]}
    )

    reason: Annotated[str, Field(min_length=1, max_length=LONG)]


@router.get("", dependencies=READS)
async def list_breaches(book: Shelf, sees: Sees, db: Db, part: Page, only: Filtered) -> BreachPage:
    """Breaches, what was due first before the rest."""
    found = await listing.part(db, book, sees.where(), only, part.cursor, part.limit)
    return BreachPage(
        items=[Breach.model_validate(local(row, book.zone)) for row in found.rows],
        next=found.next,
    )


@router.get("/causes", dependencies=READS)
async def count_causes(
    book: Shelf,
    sees: Sees,
    db: Db,
    agency: Word = None,
    unit: Word = None,
    procedure: Word = None,
    rule: Word = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Causes:
    """How many of each unit and cause, how late they were, and what is to be done."""
    only = Only(agency, unit, rule, procedure=procedure, since=since, until=until)
    rows = await listing.by_cause(db, book, only, sees.where())
    return Causes(causes=[CauseCount.model_validate(row) for row in rows])


@router.get("/{code}", dependencies=READS)
async def read_breaches(code: Code, book: Shelf, sees: Sees, db: Db) -> BreachAccounts:
    """All breaches of a dossier: whose time it was, what was said, who did what."""
    await seeing.find(db, code, sees)
    return await _accounts(db, book, code)


# Done about one -----------------------------------------------------------------------------


@router.post("/{code}/{rule}/assign", dependencies=WRITES)
async def assign_breach(
    code: Code, rule: Rule, asked: Assigned, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> BreachAccounts:
    """Say who is to explain it and until when: a leader of the unit or its agency, or control."""
    await seeing.find(db, code, sees)
    named = Named(code, rule, asked.visit, asked.deadline)
    await explaining.assign(db, book, named, asked.to, who.person.id, at, asked.until)
    return await _accounts(db, book, code)


@router.post("/{code}/{rule}/explain", dependencies=WRITES)
async def explain_breach(
    code: Code, rule: Rule, asked: Explained, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> BreachAccounts:
    """Say why, for the unit that had it; again until it is closed."""
    await seeing.find(db, code, sees)
    named, by = Named(code, rule, asked.visit, asked.deadline), who.person.id
    await explaining.explain(db, book, named, asked.cause, asked.explanation, by, at)
    return await _accounts(db, book, code)


@router.post("/{code}/{rule}/close", dependencies=WRITES)
async def close_breach(
    code: Code, rule: Rule, asked: Closed, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> BreachAccounts:
    """Say what was found: the control unit. Nothing changes after, unless it is reopened."""
    await seeing.find(db, code, sees)
    named = Named(code, rule, asked.visit, asked.deadline)
    await explaining.close(db, book, named, asked.finding, who.person.id, at)
    return await _accounts(db, book, code)


@router.post("/{code}/{rule}/reopen", dependencies=WRITES)
async def reopen_breach(
    code: Code, rule: Rule, asked: Reopened, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> BreachAccounts:
    """Take a closing back: the control unit. It is explained as it was, to be judged again."""
    await seeing.find(db, code, sees)
    named = Named(code, rule, asked.visit, asked.deadline)
    await explaining.reopen(db, book, named, asked.reason, who.person.id, at)
    return await _accounts(db, book, code)


async def _accounts(db: Db, book: Shelf, code: str) -> BreachAccounts:
    rows: list[dict[str, Any]] = await listing.of_dossier(db, code)
    for row in rows:
        row["lines"] = [local(line, book.zone) for line in row["lines"]]
    found = [BreachAccount.model_validate(local(row, book.zone)) for row in rows]
    return BreachAccounts(code=code, breaches=found)
