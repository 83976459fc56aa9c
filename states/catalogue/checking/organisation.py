"""What contradicts itself in an organisation, or names what is not there. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from states.catalogue.checking.lists import twice
from states.catalogue.organisation import Agency, Delegation, Fault, Organisation, Unit
from states.sentences import Sentence
from states.words import Role
from states.yaml_files import Key


def faults(o: Organisation) -> Iterator[Fault]:
    """What a model cannot see: things named twice, and things named that are not there."""
    yield from twice("fields", (each.code for each in o.fields))
    bodies = [o.centre, *o.agencies]
    yield from twice("agencies", (each.code for each in o.agencies), o.centre.code)
    yield from twice("units", (each.code for each in o.units))
    yield from twice("people", (each.id for each in o.people))
    yield from _fields_answered_for(o)
    for at, unit in enumerate(o.units):
        if unit.agency not in {each.code for each in bodies}:
            yield (
                ("units", at, "agency"),
                Sentence("there is no agency {agency}", agency=unit.agency),
            )
    units = {each.code for each in o.units}
    for at, person in enumerate(o.people):
        for n, position in enumerate(person.positions):
            if position.unit not in units:
                yield (
                    ("people", at, "positions", n, "unit"),
                    Sentence("there is no unit {unit}", unit=position.unit),
                )
    yield from _delegations_hold(o)
    yield from _absences_hold(o)
    yield from _successions_hold(o)


def _successions_hold(o: Organisation) -> Iterator[Fault]:
    yield from _heirs("agencies", o.agencies)
    yield from _heirs("units", o.units)


def _heirs(where: str, bodies: Sequence[Agency | Unit]) -> Iterator[Fault]:
    heirs = {each.code: each.successor for each in bodies}
    for at, each in enumerate(bodies):
        if each.since and each.until and each.until < each.since:
            yield (where, at, "until"), "must not lie before 'since'"
        if each.successor is None:
            continue
        if each.until is None:
            yield (where, at, "successor"), "needs 'until': who stands has no successor"
        if each.successor not in heirs:
            yield (
                (where, at, "successor"),
                Sentence("there is no such body {successor}", successor=each.successor),
            )
        elif _returns(each.code, heirs):
            yield (where, at, "successor"), "leads back to itself"


def _returns(code: str, heirs: Mapping[str, str | None]) -> bool:
    after: set[str] = set()
    at = heirs[code]
    while at is not None and at not in after:
        after.add(at)
        at = heirs.get(at)
    return code in after


def _absences_hold(o: Organisation) -> Iterator[Fault]:
    for at, each in enumerate(o.absences):
        place: Key = ("absences", at)
        if each.until < each.since:
            yield (*place, "until"), "must not lie before 'since'"
        if each.person not in o.by_id:
            yield (*place, "person"), Sentence("there is no person {person}", person=each.person)
        elif each.substitute is not None and each.substitute not in o.by_id:
            yield (
                (*place, "substitute"),
                Sentence("there is no person {substitute}", substitute=each.substitute),
            )
        elif each.substitute is not None:
            own = o.by_id[each.person].positions
            if not any(o.by_id[each.substitute].holds(p.role, p.unit) for p in own):
                yield (
                    (*place, "substitute"),
                    Sentence(
                        "{substitute} has no role of {person}'s at the same unit",
                        substitute=each.substitute,
                        person=each.person,
                    ),
                )


def _fields_answered_for(o: Organisation) -> Iterator[Fault]:
    known = {each.code for each in o.fields}
    answered: set[str] = set()
    for at, agency in enumerate(o.agencies):
        for n, code in enumerate(agency.fields):
            if code not in known:
                yield ("agencies", at, "fields", n), Sentence("there is no field {code}", code=code)
            if code in answered:
                yield (
                    ("agencies", at, "fields", n),
                    Sentence("another agency answers for {code}", code=code),
                )
            answered.add(code)
    for at, each in enumerate(o.fields):
        if each.code not in answered:
            yield ("fields", at, "code"), Sentence("no agency answers for {code}", code=each.code)


def _delegations_hold(o: Organisation) -> Iterator[Fault]:
    agencies = {each.code: each for each in o.agencies}
    for at, each in enumerate(o.delegations):
        for key, why in (*_delegated(o, each), *_bounded(o, each)):
            yield ("delegations", at, key), why
        for n, code in enumerate(each.agencies):
            if code not in agencies:
                yield (
                    ("delegations", at, "agencies", n),
                    Sentence("there is no agency {code}", code=code),
                )
        named = (agencies[code] for code in each.agencies if code in agencies)
        answered = {field for agency in named for field in agency.fields}
        for n, field in enumerate(each.fields):
            if field not in answered:
                why = Sentence("none of its agencies answers for {field}", field=field)
                yield ("delegations", at, "fields", n), why


def _delegated(o: Organisation, each: Delegation) -> Iterator[tuple[str, str]]:
    """To whom: the role is theirs by position, so what is delegated is not delegated again."""
    if each.person not in o.by_id:
        yield "person", Sentence("there is no person {person}", person=each.person)
    elif not o.by_id[each.person].holds(each.role, on=each.since):
        yield (
            "role",
            Sentence("{person} does not hold the role {role}", person=each.person, role=each.role),
        )
    if each.role not in {Role.postal, Role.reception}:
        yield "role", "must be postal or reception: deciding is not delegated"


def _bounded(o: Organisation, each: Delegation) -> Iterator[tuple[str, str]]:
    """For how long: by a document, with an end, and no longer than may be."""
    if each.until < each.since:
        yield "until", "must not lie before 'since'"
    if (days := (each.until - each.since).days + 1) > o.longest_delegation:
        most = Sentence(
            "a delegation may last {longest_delegation} days (longest_delegation)",
            longest_delegation=o.longest_delegation,
        )
        yield "until", Sentence("makes it {days} days long: {most}", days=days, most=most)
    if bool(each.revoked) != bool(each.revoked_by):
        yield "revoked", "must have the document in 'revoked_by', and only then"
