"""The rules of who gets a dossier: whether each catches any, and has somebody to give it to."""

from collections.abc import Iterator

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.organisation import Organisation
from states.catalogue.procedures import Procedure, Route, Stage
from states.sentences import Sentence, ored
from states.yaml_files import Key

Caught = tuple[frozenset[str] | None, ...]
"""What a rule catches by each of its conditions; None where that catches everything."""


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What is wrong with the rules."""
    for at, stage in enumerate(draft.procedure.stages):
        before: list[Caught] = []
        for n, rule in enumerate(stage.routes):
            key: Key = ("stages", at, "routes", n)
            yield from _conditions(draft, key, rule)
            yield from _given(draft, key, stage, rule)
            catches = caught(draft.procedure, rule)
            earlier = next((m for m, each in enumerate(before, 1) if _covers(each, catches)), None)
            if earlier is not None and frozenset() not in catches:
                why = Sentence(
                    "is never reached, as rule {earlier} catches all that it would", earlier=earlier
                )
                yield Flaw(
                    key,
                    why,
                    Sentence("move it above rule {earlier}, or leave it out", earlier=earlier),
                )
            before.append(catches)


def caught(procedure: Procedure, rule: Route) -> Caught:
    """Of the dossiers that there can be."""
    come = frozenset(procedure.channels.come)
    channels = come & {*rule.channel} if rule.channel else come
    own = not rule.field or procedure.field in rule.field
    return (
        frozenset(rule.received_at) if rule.received_at else None,
        frozenset(rule.place) if rule.place else None,
        None if own else frozenset(),
        None if channels == come else channels,
    )


def _covers(one: Caught, other: Caught) -> bool:
    """Whether one rule catches all that the other does."""
    both = zip(one, other, strict=True)
    return all(mine is None or (its is not None and its <= mine) for mine, its in both)


def _conditions(draft: Draft, key: Key, rule: Route) -> Iterator[Flaw]:
    """Conditions that no dossier meets."""
    procedure, organisation = draft.procedure, draft.book.organisation
    places = {each.code for each in organisation.places}
    for n, code in enumerate(rule.received_at):
        if code not in _counters(organisation):
            why = Sentence("there is no unit or service point {code}", code=code)
            yield Flaw((*key, "received_at", n), why, "name where dossiers are taken in")
    for n, code in enumerate(rule.place):
        if code not in places:
            why = Sentence("the organisation has no place {code}", code=code)
            yield Flaw((*key, "place", n), why, "name one of its places, or add it there")
    for name, asked, there in (
        ("field", rule.field, (procedure.field,)),
        ("channel", rule.channel, procedure.channels.come),
    ):
        never = not {*asked} & {*there}
        for n, each in enumerate(asked):
            if each not in there:
                why = Sentence(
                    "no dossier of this procedure has the {name} {each}", name=name, each=each
                )
                mend = Sentence("name {there}, or leave it out", there=ored(there))
                severity = Severity.error if never else Severity.warning
                yield Flaw((*key, name, n), why, mend, severity)


def _counters(organisation: Organisation) -> set[str]:
    units, points = organisation.units, organisation.points
    return {each.code for each in units} | {each.code for each in points}


def _given(draft: Draft, key: Key, stage: Stage, rule: Route) -> Iterator[Flaw]:
    """Whom a rule gives it to."""
    organisation, first = draft.book.organisation, draft.procedure.valid_from
    unit = rule.unit or stage.unit
    if unit is None and rule.person is None:
        why = "names neither a unit nor a person, and the stage has no unit"
        yield Flaw(key, why, "add 'unit' with the code of a unit")
    if rule.person is None:
        return
    person = organisation.by_id.get(rule.person)
    if person is not None and not person.holds(stage.role, unit, first):
        where = Sentence(" at {unit}", unit=unit) if unit else ""
        why = Sentence(
            "{person} is no {role}{where} on {first:%d/%m/%Y}",
            person=rule.person,
            role=stage.role,
            where=where,
            first=first,
        )
        yield Flaw((*key, "person"), why, "name somebody who is, or give them that position")
    if rule.least_loaded:
        why = Sentence(
            "is never asked, as {person} gets whatever the rule catches", person=rule.person
        )
        mend = "leave it out, or the person"
        yield Flaw((*key, "least_loaded"), why, mend, Severity.warning)
