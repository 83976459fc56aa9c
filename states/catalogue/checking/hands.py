"""Who does it: whether the bodies that a version names stand, and somebody is there."""

from collections.abc import Iterator
from datetime import date, timedelta

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.checking.lists import repeated
from states.catalogue.organisation import Organisation
from states.catalogue.procedures import Procedure, Stage
from states.clock import Kind
from states.sentences import Sentence
from states.words import Role
from states.yaml_files import Key

ONE = timedelta(days=1)


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What is wrong with units, roles and consultations."""
    yield from _standing(draft)
    yield from _manned(draft)
    for at, stage in enumerate(draft.procedure.stages):
        yield from _consulted(draft, at, stage)


def units(procedure: Procedure) -> Iterator[tuple[Key, Stage, str]]:
    """The units that may get a dossier, with the stage they get it in."""
    for at, stage in enumerate(procedure.stages):
        if stage.unit is not None:
            yield ("stages", at, "unit"), stage, stage.unit
        for n, rule in enumerate(stage.routes):
            if rule.unit is not None:
                yield ("stages", at, "routes", n, "unit"), stage, rule.unit


# Bodies -------------------------------------------------------------------------------------


def _standing(draft: Draft) -> Iterator[Flaw]:
    procedure = draft.procedure
    named: list[tuple[Key, str]] = [(("agency",), procedure.agency)]
    named += [(key, unit) for key, _, unit in units(procedure)]
    for at, stage in enumerate(procedure.stages):
        asked = enumerate(stage.consults)
        named += [(("stages", at, "consults", n, "unit"), each.unit) for n, each in asked]
    for key, code in named:
        yield from _stands(draft, key, code)


def _stands(draft: Draft, key: Key, code: str) -> Iterator[Flaw]:
    """A body stands as long as the version is valid."""
    organisation, first = draft.book.organisation, draft.procedure.valid_from
    body, last = organisation.bodies.get(code), draft.procedure.valid_until
    if body is None:
        return
    if body.since is not None and first < body.since:
        why = Sentence(
            "{code} stands from {since:%d/%m/%Y} only, and the version from {first:%d/%m/%Y}",
            code=code,
            since=body.since,
            first=first,
        )
        yield Flaw(key, why, "begin the version that day, or name the body before it")
    if body.until is None:
        return
    heir = organisation.heir(code, body.until + ONE) if body.until < date.max else code
    took = heir != code and Sentence("name {heir}, which took over", heir=heir)
    instead = took or Sentence("name another")
    if body.until < first:
        why = Sentence(
            "{code} ended on {until:%d/%m/%Y}, before the version is valid",
            code=code,
            until=body.until,
        )
        yield Flaw(key, why, instead)
    elif last is None or body.until < last:
        why = Sentence(
            "{code} ends on {until:%d/%m/%Y}, while the version is valid",
            code=code,
            until=body.until,
        )
        mend = Sentence(
            "end the version that day ('valid_until'), and in the next {instead}", instead=instead
        )
        yield Flaw(key, why, mend, Severity.warning)


# People -------------------------------------------------------------------------------------


def _manned(draft: Draft) -> Iterator[Flaw]:
    """At every unit that may get a dossier somebody has the role, as long as the version is valid.

    That nobody at a stage's own unit has it on the first day is told by `structure`.
    """
    organisation, first = draft.book.organisation, draft.procedure.valid_from
    last = draft.procedure.valid_until or date.max
    for key, stage, unit in units(draft.procedure):
        body = organisation.bodies.get(unit)
        if body is None or not body.stands(first):
            continue
        ends = min(last, body.until or date.max)
        empty = deserted(organisation, unit, stage.role, first, ends)
        if empty == first and key[2] == "routes":
            why = Sentence(
                "nobody at {unit} is {role} on {first:%d/%m/%Y}",
                unit=unit,
                role=stage.role,
                first=first,
            )
            yield Flaw(key, why, "name a unit where somebody is")
        elif empty is not None and empty > first:
            why = Sentence(
                "nobody at {unit} is {role} any more on {empty:%d/%m/%Y}",
                unit=unit,
                role=stage.role,
                empty=empty,
            )
            mend = "give somebody that position from then on"
            yield Flaw(key, why, mend, Severity.warning)


def deserted(
    organisation: Organisation, unit: str, role: Role, first: date, last: date
) -> date | None:
    """The first of these days on which nobody at the unit has the role."""
    day = first
    while day <= last:
        stays = [
            position.until or date.max
            for person in organisation.holders(unit, role, day)
            for position in person.positions
            if position.unit == unit and position.role is role and position.stands(day)
        ]
        if not stays:
            return day
        if max(stays) == date.max:
            return None
        day = max(stays) + ONE
    return None


# Consultations ------------------------------------------------------------------------------


def _consulted(draft: Draft, at: int, stage: Stage) -> Iterator[Flaw]:
    leads = {stage.unit, *(rule.unit for rule in stage.routes)}
    place: Key = ("stages", at, "consults")
    yield from repeated(place, (each.unit for each in stage.consults))
    for n, each in enumerate(stage.consults):
        if each.unit in leads:
            why = Sentence("{unit} leads this stage and cannot be asked by itself", unit=each.unit)
            yield Flaw((*place, n, "unit"), why, "name another unit, or leave it out")
        if each.term.kind is Kind.none:
            why = Sentence("must have a length, as the stage waits for the answer")
            yield Flaw((*place, n, "term"), why, "write a term within the stage's")
        elif draft.longer(each.term, stage.term):
            why = Sentence(
                "{term} is longer than the stage that asks, {stage_term}",
                term=each.term,
                stage_term=stage.term,
            )
            yield Flaw((*place, n, "term"), why, "shorten it, or lengthen the stage")
