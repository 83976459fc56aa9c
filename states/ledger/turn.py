"""A whole move in memory: files, guards, state, clock, stages, counts. Pure.

`move` stores what it does, `replay` folds a dossier's lines through it again: the projection is
nothing that its lines do not say.
"""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Protocol, cast

from states import lifecycle
from states.clock import Calendar, Policy, Term
from states.errors import BadInput
from states.ledger import effects
from states.ledger.acts import Act, Brings, Lodging, Result
from states.lifecycle import Now
from states.tables import Dossier, Visit
from states.words import Channel, Event, Outcome, Role


class Book(Protocol):
    """What the ledger asks of the catalogue."""

    def procedure(self, code: str, version: int | None = None) -> Any:
        """A procedure version; the one in force when None. Raises `Unknown`."""

    def calendar(self, name: str) -> Calendar:
        """A calendar by name. Raises `Unknown`."""

    def calendar_of(self, agency: str) -> Calendar:
        """The calendar an agency works by. Raises `Unknown`."""


def opening(
    book: Book, lodging: Lodging, act: Act, version: int | None = None
) -> tuple[Dossier, dict[str, Any]]:
    """A new dossier after its first act, without its code, and what its line tells.

    `version` of the procedure: the one in force, but for a replay.
    """
    brought = act.brings()
    procedure = book.procedure(lodging.procedure, version)
    if lodging.channel not in procedure.channels.come:
        raise BadInput(
            f"procedure {procedure.code} does not take dossiers by {lodging.channel}:"
            f" it takes {', '.join(procedure.channels.come)}"
        )
    calendar = book.calendar_of(procedure.agency)
    paper = blank(lodging, act)
    pin(paper, procedure, calendar)
    effects.bring(paper, procedure, brought)
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    told = effects.tick(paper, row, act, calendar, procedure.supplement.lapse)
    lodged = {
        "unit": lodging.unit,
        "channel": lodging.channel,
        "applicant": lodging.applicant,
        "procedure": procedure.code,
        "version": procedure.version,
    }
    return paper, {"act": said(brought), "lodging": lodged, "clock": told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A dossier as another system told it. Its dates are facts: none of them is reckoned here."""

    source: str
    code: str
    agency: str
    unit: str
    procedure: str
    channel: Channel
    applicant: str
    calendar: str
    policy: Policy
    received: datetime
    promised: datetime | None

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Taken":
        """As a line keeps it."""
        moments = ("received", "promised")
        read = {n: datetime.fromisoformat(told[n]) if told[n] else None for n in moments}
        return cls(**{**told, **read, "policy": Policy(told["policy"])})


# What our rules know of a procedure that ran elsewhere: one stage, no allowances.
ELSEWHERE = SimpleNamespace(
    stages=(),
    components=(),
    supplement=SimpleNamespace(times=0, mode="hold", lapse=Term.parse("30cd")),
    extension=SimpleNamespace(times=0, max=None),
)


def adopting(
    book: Book, taken: Taken, act: Act, told_there: str | None = None
) -> tuple[Dossier, dict[str, Any]]:
    """A dossier taken over, in processing since its receipt, and what its line tells.

    `told_there`: the hash of the history that its system told, so that the chain holds that too.
    """
    act.brings()
    act = replace(act, at=taken.received)
    calendar = book.calendar(taken.calendar)
    lodging = Lodging(
        unit=taken.unit,
        procedure=taken.procedure,
        channel=taken.channel,
        applicant=taken.applicant,
    )
    paper = blank(lodging, act)
    paper.code, paper.source, paper.agency, paper.field = taken.code, taken.source, taken.agency, ""
    paper.procedure, paper.version, paper.term, paper.regime = taken.procedure, 0, "none", ""
    paper.policy = taken.policy
    paper.calendar, paper.calendar_version = calendar.name, calendar.version
    paper.stage, paper.stages, paper.stage_role, paper.takes_in = 0, 1, Role.officer, False
    paper.supplements_left = paper.extensions_left = paper.fee_asked = 0
    paper.supplement_restarts = False
    if taken.promised is not None:
        paper.facts = {"promised": taken.promised.astimezone(UTC).isoformat()}
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    told = effects.tick(paper, row, act, calendar, ELSEWHERE.supplement.lapse)
    known = {f.name: getattr(taken, f.name) for f in fields(taken)}
    said_so = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in known.items()}
    return paper, {"act": {}, "taken": said_so, "activities": told_there, "clock": told}


def turn(
    book: Book, paper: Dossier, present: Visit | None, act: Act
) -> tuple[dict[str, Any], Visit | None]:
    """Move a dossier and its present visit in memory.

    Returns what the line tells and the visit that opens. Raises `BadInput`, `NotOpen`, `NotYours`.
    """
    brought = act.brings()
    pinned = ELSEWHERE if paper.source else book.procedure(paper.procedure, paper.version)
    calendar = book.calendar(paper.calendar)
    effects.bring(paper, pinned, brought)
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    effects.check_extension(pinned, brought)
    effects.check_stage(pinned, paper, act, brought)
    if isinstance(brought, Result) and brought.outcome is Outcome.unstated and not paper.source:
        raise BadInput("outcome must be approved or refused: only an imported one may be unstated")
    paper.seq, paper.moved_at = paper.seq + 1, act.at
    if act.event is Event.receive:  # registered under one version, received under the next
        pinned = book.procedure(paper.procedure)
        pin(paper, pinned, calendar)
    effects.count(paper, act, brought, pinned)
    told = effects.tick(paper, row, act, calendar, pinned.supplement.lapse)
    opened = effects.step(paper, present, row, act, brought, pinned, calendar)
    return {"act": said(brought), "clock": told}, opened


def blank(lodging: Lodging, act: Act) -> Dossier:
    """A dossier before its first act."""
    paper = SimpleNamespace(**dict.fromkeys(Dossier.__table__.c.keys()))  # type: ignore[attr-defined]
    paper.state, paper.seq, paper.deadline, paper.visit = lifecycle.NEW, 1, 0, 0
    paper.unit, paper.channel, paper.applicant = lodging.unit, lodging.channel, lodging.applicant
    paper.stage, paper.fee_paid, paper.facts, paper.missing = -1, 0, {}, 0
    paper.registered_at = paper.moved_at = act.at
    return cast("Dossier", paper)


def pin(paper: Dossier, procedure: Any, calendar: Calendar) -> None:
    """Bind the dossier to the rules in force: what is edited later does not move it."""
    paper.procedure, paper.version = procedure.code, procedure.version
    paper.agency, paper.field = procedure.agency, procedure.field
    paper.term, paper.regime = str(procedure.term), procedure.regime
    paper.policy = Policy(procedure.policy)
    paper.calendar, paper.calendar_version = calendar.name, calendar.version
    paper.stages = len(procedure.stages)
    paper.takes_in = procedure.stages[0].accept == "auto"
    paper.supplements_left = procedure.supplement.times
    paper.supplement_restarts = procedure.supplement.mode == "restart"
    paper.extensions_left = procedure.extension.times
    paper.fee_asked = procedure.fee
    effects.missing(paper, procedure)


def said(brought: Brings) -> dict[str, Any]:
    """What the actor said, as the line keeps it."""
    return brought.model_dump(mode="json", exclude_defaults=True)
