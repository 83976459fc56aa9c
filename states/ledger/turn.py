"""A whole move in memory: files, guards, state, clock, stages, counts. Pure.

`move` stores what it does, `replay` folds a dossier's lines through it again: the projection is
nothing that its lines do not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from states import lifecycle
from states.clock import Policy, Term
from states.errors import BadInput
from states.ledger import effects, migration, pins, stages
from states.ledger.acts import Act, Brings, Corrected, Lodging, Migrated, Result
from states.ledger.pins import Book, Pin
from states.lifecycle import Now
from states.tables import Dossier, Visit
from states.words import Channel, Event, Outcome, Role

Told = Mapping[str, Any]
"""The payload of a line that is replayed: what it binds and decides is not decided again."""


OPTIONAL = ("place", "email", "phone", "counter", "citizen")
"""What a lodging may leave out."""


def opening(
    book: Book, lodging: Lodging, act: Act, told: Told | None = None
) -> tuple[Dossier, dict[str, Any]]:
    """A new dossier after its first act, without its code, and what its line tells."""
    brought = act.brings()
    pin = _pin(book, told, lodging.procedure, lodging.channel, lodging.place, act)
    procedure = book.procedure(lodging.procedure, pin.version)
    if lodging.channel not in procedure.channels.come:
        raise BadInput(
            "procedure {code} does not take dossiers by {channel}: it takes {come}",
            code=procedure.code,
            channel=lodging.channel,
            come=[*procedure.channels.come],
        )
    calendar = pins.calendar(book, pin.calendar)
    paper = blank(lodging, act)
    pins.bind(paper, procedure, pin)
    effects.bring(paper, procedure, brought)
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    ticked = effects.tick(paper, row, act, calendar, procedure.supplement.lapse)
    lodged = {
        "unit": lodging.unit,
        "channel": lodging.channel,
        "applicant": lodging.applicant,
        "procedure": procedure.code,
    }
    for name in OPTIONAL:
        if (value := getattr(lodging, name)) is not None:
            lodged[name] = value
    return paper, {
        "act": said(brought),
        "lodging": lodged,
        "pin": pin.told(),
        "clock": ticked,
    }


def _pin(
    book: Book, told: Told | None, code: str, channel: str, place: str | None, act: Act
) -> Pin:
    """As the line tells; one written before lines told it names the version at most."""
    if told is not None and (pin := pins.read(told)) is not None:
        return pin
    version = told.get("lodging", {}).get("version") if told is not None else None
    return pins.decide(book, code, channel, place, act.at, version)


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
    email: str | None = None
    phone: str | None = None
    citizen: str | None = None  # as of a lodging
    kept: dict[str, str] = field(default_factory=dict)  # what else it told, by names of its own

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Taken":
        """As a line keeps it."""
        moments = ("received", "promised")
        read = {n: datetime.fromisoformat(told[n]) if told[n] else None for n in moments}
        return cls(**{**told, **read, "policy": Policy(told["policy"])})

    def told(self) -> dict[str, Any]:
        """What a line keeps: without what was not told."""
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in known.items()
            if value or name not in MAYBE
        }


MAYBE = ("email", "phone", "citizen", "kept")


# What our rules know of a procedure that ran elsewhere: one stage, no allowances.
ELSEWHERE = SimpleNamespace(
    stages=(),
    components=(),
    supplement=SimpleNamespace(times=0, mode="hold", lapse=Term.parse("30cd")),
    extension=SimpleNamespace(times=0, max=None),
)


def adopting(
    book: Book,
    taken: Taken,
    act: Act,
    told_there: str | None = None,
    told: Told | None = None,
) -> tuple[Dossier, dict[str, Any]]:
    """A dossier taken over, in processing since its receipt, and what its line tells.

    `told_there`: the hash of the history that its system told, so that the chain holds that too.
    """
    act.brings()
    act = replace(act, at=taken.received)
    calendar = pins.calendar(book, told["clock"]["calendar"] if told else taken.calendar)
    lodging = Lodging(
        unit=taken.unit,
        procedure=taken.procedure,
        channel=taken.channel,
        applicant=taken.applicant,
        email=taken.email,
        phone=taken.phone,
        citizen=taken.citizen,
    )
    paper = blank(lodging, act)
    paper.code, paper.source, paper.agency, paper.field = taken.code, taken.source, taken.agency, ""
    paper.procedure, paper.version, paper.term, paper.regime = taken.procedure, 0, "none", ""
    paper.policy = taken.policy
    paper.calendar, paper.calendar_version = calendar.name, calendar.version
    paper.stage, paper.stages, paper.stage_role, paper.takes_in = 0, 1, Role.officer, False
    paper.supplements_left = paper.extensions_left = paper.fee_asked = 0
    paper.supplement_restarts, paper.ends = False, True
    if taken.promised is not None:
        paper.facts = {"promised": taken.promised.astimezone(UTC).isoformat()}
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    ticked = effects.tick(paper, row, act, calendar, ELSEWHERE.supplement.lapse)
    return paper, {"act": {}, "taken": taken.told(), "activities": told_there, "clock": ticked}


def turn(
    book: Book,
    paper: Dossier,
    present: Visit | None,
    act: Act,
    loads: dict[str, int] | None = None,
    told: Told | None = None,
) -> tuple[dict[str, Any], Visit | None]:
    """Move a dossier and its present visit in memory.

    Returns what the line tells and the visit that opens. `loads`: the visits that people have in
    hand, where a rule of routing asks for them. Raises `BadInput`, `NotOpen`, `NotYours`.
    """
    brought = act.brings()
    pinned = book.procedure(paper.procedure, paper.version) if paper.version else ELSEWHERE
    effects.bring(paper, pinned, brought)
    row = lifecycle.fire(paper, act.event, Now(act.at, act.role))
    effects.check_extension(pinned, brought)
    stages.check_left(pinned, paper, act, brought)
    if isinstance(brought, Result) and brought.outcome is Outcome.unstated and not paper.source:
        raise BadInput("outcome must be approved or refused: only an imported one may be unstated")
    paper.seq, paper.moved_at = paper.seq + 1, act.at
    payload: dict[str, Any] = {"act": said(brought)}
    before = _promised(book, paper, act) if isinstance(brought, Migrated) else None
    pinned, bound = _rebound(book, paper, present, act, brought, pinned, told)
    payload |= bound
    calendar = book.calendar(paper.calendar, paper.calendar_version)
    effects.count(paper, act, brought)
    payload["clock"] = effects.tick(paper, row, act, calendar, pinned.supplement.lapse)
    if isinstance(brought, Migrated):
        migration.check_promise(paper, brought, act, calendar, before)
    into = stages.route(book, pinned, paper, row, act, brought, loads or {}, told)
    opened = stages.step(paper, present, row, act, pinned, calendar, into)
    if into is not None and act.event is not Event.accept and into[1].decided:
        payload["routed"] = into[1].told()
    return payload, opened


def _promised(book: Book, paper: Dossier, act: Act) -> datetime | None:
    """What the citizen was promised before a migration."""
    calendar = book.calendar(paper.calendar, paper.calendar_version)
    return migration.promised(paper, calendar, act.at)


def _rebound(
    book: Book,
    paper: Dossier,
    present: Visit | None,
    act: Act,
    brought: Brings,
    pinned: Any,
    told: Told | None,
) -> tuple[Any, dict[str, Any]]:
    """The rules the dossier is under from now on, and what the line tells of them."""
    undone = migration.forget(paper)
    if isinstance(brought, Corrected):
        paper.calendar, _, paper.calendar_version = brought.calendar.partition("@")
        return pinned, {}
    if isinstance(brought, Migrated):
        if paper.source:
            raise BadInput("a dossier taken over from another system runs under no version of ours")
        version: int | None = brought.version
    elif act.event is Event.receive:  # registered under one version, received under the next
        version = None
    elif act.event is Event.reopen and not paper.version:
        return _taken_up(book, paper, act, told)
    else:
        return pinned, {}
    pin = pins.read(told) if told is not None else None
    if pin is None:
        pin = pins.decide(book, paper.procedure, paper.channel, paper.place, act.at, version)
    old, pinned = pinned, book.procedure(paper.procedure, pin.version)
    if isinstance(brought, Migrated):
        pin = replace(pin, calendar=f"{paper.calendar}@{paper.calendar_version}")
        pin = replace(pin, regime=paper.regime)
        migration.migrate(paper, present, old, pinned, pin, brought, undone)
    else:
        pins.bind(paper, pinned, pin)
    return pinned, {"pin": pin.told()}


def _taken_up(
    book: Book, paper: Dossier, act: Act, told: Told | None
) -> tuple[Any, dict[str, Any]]:
    """A dossier taken over and reopened goes through the stages of ours; its dates stay facts."""
    pin = pins.read(told) if told is not None else None
    if pin is None and told is not None:  # written before there was a way on
        return ELSEWHERE, {}
    if pin is None:
        pin = pins.going_on(book, paper, act.at)
    procedure = book.procedure(paper.procedure, pin.version)
    pins.allow(paper, procedure)
    return procedure, {"pin": pin.told()}


def blank(lodging: Lodging, act: Act) -> Dossier:
    """A dossier before its first act."""
    paper = SimpleNamespace(**dict.fromkeys(Dossier.__table__.c.keys()))  # type: ignore[attr-defined]
    paper.state, paper.seq, paper.deadline, paper.visit = lifecycle.NEW, 1, 0, 0
    paper.unit, paper.channel, paper.applicant = lodging.unit, lodging.channel, lodging.applicant
    for name in OPTIONAL:
        setattr(paper, name, getattr(lodging, name))
    paper.counter = lodging.counter or lodging.unit
    paper.stage, paper.fee_paid, paper.facts, paper.missing = -1, 0, {}, 0
    paper.leads = paper.ends = False
    paper.registered_at = paper.moved_at = act.at
    return cast("Dossier", paper)


def said(brought: Brings) -> dict[str, Any]:
    """What the actor said, as the line keeps it."""
    return brought.model_dump(mode="json", exclude_defaults=True)
