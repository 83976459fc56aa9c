"""A running dossier moves to another version of its procedure, and back until its next move. Pure.

The stage it is in goes on in place: opened when it was, its term read anew. What it had before is
kept among its facts, so that taking the migration back restores it to the letter.
"""

from datetime import datetime
from typing import Any

from states import clock
from states.clock import Calendar, Policy, Term
from states.errors import BadInput, HosoError
from states.ledger import stages
from states.ledger.acts import Act, Migrated
from states.ledger.effects import gone_on, missing
from states.ledger.pins import Pin
from states.tables import Dossier, Visit
from states.words import Role, State

FACT = "migrated"
OF_DOSSIER = (
    "version",
    "term",
    "policy",
    "stages",
    "stage",
    "leads",
    "ends",
    "stage_role",
    "unit",
    "takes_in",
    "supplement_restarts",
    "supplements_left",
    "extensions_left",
    "missing",
)
OF_VISIT = ("stage", "code", "unit", "role", "term", "person")


class LosesPromise(HosoError):
    """The citizen would lose the date they were promised."""


def forget(d: Dossier) -> dict[str, Any] | None:
    """What the last move replaced, if it was a migration. Any next move ends the way back."""
    kept: dict[str, Any] | None = d.facts.get(FACT)
    if kept is not None:
        d.facts = {name: fact for name, fact in d.facts.items() if name != FACT}
    return kept


def migrate(
    d: Dossier,
    visit: Visit | None,
    old: Any,
    new: Any,
    pin: Pin,
    brought: Migrated,
    kept: dict[str, Any] | None,
) -> None:
    """Put the dossier under the version of `pin`, or back under the last. Raises `BadInput`."""
    if brought.undoes is not None:
        _back(d, visit, brought, kept)
        return
    if new.version == old.version:
        raise BadInput("the dossier runs under version {version} already", version=old.version)
    before = {name: getattr(d, name) for name in OF_DOSSIER}
    of_visit = visit and {name: getattr(visit, name) for name in OF_VISIT}
    kept = {"seq": d.seq, "dossier": before, "visit": of_visit}
    d.facts = {**d.facts, FACT: {**kept, "assigned": d.facts.get("assigned")}}
    d.version, d.term, d.policy = pin.version, pin.term, Policy(new.policy)
    d.stages = len(new.stages)
    d.supplement_restarts = new.supplement.mode == "restart"
    asked = old.supplement.times - d.supplements_left
    moved = old.extension.times - d.extensions_left
    d.supplements_left = max(0, new.supplement.times - asked)
    d.extensions_left = max(0, new.extension.times - moved)
    if d.stage >= 0:
        _restage(d, visit, old, new, brought.stage)
    else:
        _resend(d, old, new)
    missing(d, new)


def _resend(d: Dossier, old: Any, new: Any) -> None:
    """Before its first stage: taken in as the new version says, at the unit that one names."""
    first = new.stages[0]
    if d.state is State.routed and first.unit not in {None, old.stages[0].unit}:
        d.unit = first.unit
        d.facts = {name: fact for name, fact in d.facts.items() if name != "assigned"}
    d.takes_in = first.accept == "auto" and d.unit != d.agency


def _restage(d: Dossier, visit: Visit | None, old: Any, new: Any, to: int | None) -> None:
    """Into the stage that was named, or else the one of the same code."""
    code = old.stages[d.stage].code
    if to is None:
        to = next((at for at, each in enumerate(new.stages) if each.code == code), None)
    if to is None or to >= len(new.stages):
        raise BadInput(
            "stage {code} has no like in version {version}: say which of its {stages} stages the"
            " dossier is in ('stage')",
            code=code,
            version=new.version,
            stages=len(new.stages),
        )
    held, stage = d.stage_role, new.stages[to]
    stages.place(d, new, to)
    d.stage_role = None if held is None else stage.role
    if visit is not None:
        visit.stage, visit.code, visit.role = to, stage.code, stage.role
        visit.term = str(stage.term)
        if stage.unit not in {None, visit.unit}:  # whoever had it is of another unit
            visit.unit = d.unit = stage.unit
            visit.person = None


def _back(d: Dossier, visit: Visit | None, brought: Migrated, kept: dict[str, Any] | None) -> None:
    if kept is None or kept["seq"] != brought.undoes:
        raise BadInput(
            "move {undoes} is no migration, or the dossier was moved since: a migration is taken"
            " back before the next move only",
            undoes=brought.undoes,
        )
    if kept["dossier"]["version"] != brought.version:
        raise BadInput(
            "the dossier came from version {version}: name that one",
            version=kept["dossier"]["version"],
        )
    for name, value in kept["dossier"].items():
        setattr(d, name, WORDS[name](value) if name in WORDS and value is not None else value)
    if kept.get("assigned") is not None:
        d.facts = {**d.facts, "assigned": kept["assigned"]}
    for name, value in (kept["visit"] or {}).items():
        setattr(visit, name, WORDS[name](value) if name in WORDS and value is not None else value)


def _told(at: datetime | None, calendar: Calendar) -> str:
    return at.astimezone(calendar.zone).isoformat("T", "minutes") if at else "no date"


WORDS: dict[str, Any] = {"policy": Policy, "stage_role": Role, "role": Role}


def promised(d: Dossier, calendar: Calendar, at: datetime) -> datetime | None:
    """The date in force; of one that waits, the date it would get if it went on now."""
    if d.received_at is None or d.due_at is not None:
        return d.due_at
    return clock.read(Term.parse(d.term), calendar, gone_on(d, at), d.policy, at).due


def check_promise(
    d: Dossier, brought: Migrated, act: Act, calendar: Calendar, before: datetime | None
) -> None:
    """A promised date may be lost only with the consent of a second person."""
    after = promised(d, calendar, act.at)
    loses = before is not None and (after is None or after > before)
    if not loses or brought.undoes is not None:
        return
    if brought.second is None or brought.second == act.actor:
        was, to = (_told(moment, calendar) for moment in (before, after))
        raise LosesPromise(
            "{code} was promised for {was} and would move to {to}: that needs a legal ground and"
            " the consent of a second person ('second')",
            code=d.code,
            was=was,
            to=to,
        )
