"""A dossier's deadline as a document that proves itself, for `hoso verify --proof`."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.doors import At, Db, Door, Looked, Sees, Shelf, needs
from api.listed import Code, Moment
from api.problems import DOCUMENTED
from states import seeing
from states.accounts.scopes import Scope
from states.ledger.history import history_of
from states.proof.document import written

router = APIRouter(prefix="/v1/dossiers", tags=["dossiers"], route_class=Door, responses=DOCUMENTED)


class ProvedProcedure(BaseModel):
    """The rules the dossier runs under; version 0 of what was taken over from another system."""

    code: str
    version: int
    regime: str


class ExceptionalDay(BaseModel):
    """A day unlike the ordinary week, and the document that made it so."""

    day: str
    note: str
    source: str | None


class CalendarCut(BaseModel):
    """The days of the pinned calendar that were looked at. A day that is not there is off."""

    name: str
    version: str
    zone: str
    first: str
    last: str
    standard_day: int = Field(description="Minutes by which fractions of a day are counted.")
    days: dict[str, list[list[str]]] = Field(description="Sessions by day, as 07:30 and 11:30.")
    exceptions: list[ExceptionalDay]


class ProvedFact(BaseModel):
    """A moment, and the number of the line that keeps it."""

    at: str
    entry: int


class ProvedHold(BaseModel):
    """A time in which the clock was held; `to` is null while it is."""

    begins: ProvedFact = Field(alias="from")
    ends: ProvedFact | None = Field(alias="to")


class ProvedExtension(BaseModel):
    """A term added, and the number of the line that keeps it."""

    term: str
    entry: int


class ProvedFacts(BaseModel):
    """What the clock was read from."""

    received: ProvedFact
    promised: ProvedFact | None = Field(description="A date taken over from another system.")
    holds: list[ProvedHold]
    restart: ProvedFact | None
    extend: list[ProvedExtension]
    finished: ProvedFact | None


class ProvedEntry(BaseModel):
    """A line of the chain. The SHA-256 of `canonical`, which holds `prev`, is `hash`."""

    seq: int
    hash: str
    prev: str | None
    canonical: str


class GroundLaw(BaseModel):
    """A decree and its article, as both languages cite it."""

    vi: str
    en: str


class ProvedRule(ProvedProcedure):
    """The rule behind a step: of which procedure version and regime, by which norm."""

    law: GroundLaw | None


class ProvedStep(BaseModel):
    """One step of the reckoning, and what it rests on."""

    rule: str
    begins: str = Field(alias="from")
    ends: str = Field(alias="to")
    minutes: int
    counts: bool
    note: str
    entries: list[int] = Field(description="Numbers of lines.")
    days: list[str]
    under: ProvedRule | None


class DeadlineProof(BaseModel):
    """A deadline with all that it follows from; `hoso verify --proof` checks it alone."""

    model_config = ConfigDict(title="DeadlineProof")

    form: Literal["hoso-proof/1"]
    code: str
    at: str
    procedure: ProvedProcedure
    term: str
    policy: str
    calendar: CalendarCut
    facts: ProvedFacts
    entries: list[ProvedEntry]
    due: str | None
    due_original: str | None
    verdict: str
    tally: str | None = Field(description="The class that was frozen when the clock stopped.")
    used: int
    remaining: int | None
    trace: list[ProvedStep]
    seal: str = Field(description="SHA-256 of all the rest, as canonical JSON.")


@router.get("/{code}/clock/proof", dependencies=[needs(Scope.dossiers_read)])
async def read_clock_proof(
    code: Code, book: Shelf, sees: Sees, looked: Looked, now: At, db: Db, at: Moment | None = None
) -> DeadlineProof:
    """The deadline with all that it follows from, to be checked without us.

    It holds the dossier's lines as they are hashed, personal data among them: that it was read is
    kept.
    """
    paper, _ = await seeing.find(db, code, sees)
    await looked([int(paper.id or 0)])
    kept = await history_of(db, paper)
    return DeadlineProof.model_validate(written(kept, book, at or now))
