"""What decides whether a version can be used at all: cheap, and asked of every file at start."""

from collections.abc import Iterator
from datetime import date

from states.catalogue.checking.finding import Flaw
from states.catalogue.checking.lengths import finer
from states.catalogue.checking.lists import repeated
from states.catalogue.organisation import Fault, Organisation
from states.catalogue.procedures import END, Procedure, Stage
from states.clock import Kind, Term
from states.sentences import Sentence
from states.yaml_files import Key

STANDARD_DAY = 480  # minutes, to compare terms in days with terms in hours


def faults(procedure: Procedure, organisation: Organisation, on: date) -> Iterator[Fault]:
    """What contradicts itself, or names what the organisation does not have on that day."""
    return ((each.key, str(each)) for each in structure(procedure, organisation, on))


def structure(procedure: Procedure, organisation: Organisation, on: date) -> Iterator[Flaw]:
    """The same with why and how to mend it apart."""
    yield from _agency(procedure, organisation)
    yield from _channels(procedure)
    yield from _stages(procedure, organisation, on)
    uneven = list(finer(procedure, STANDARD_DAY))
    yield from uneven or _fit(procedure)
    yield from repeated(("components",), (each.code for each in procedure.components))
    if procedure.supplement.lapse.kind is Kind.none:
        why = "must have a length, as whoever waits, waits until then"
        yield Flaw(("supplement", "lapse"), why, "write a term such as 30cd")
    if bool(procedure.extension.times) != bool(procedure.extension.max):
        why = "must have 'max' when times is above 0, and only then"
        yield Flaw(("extension",), why, "add 'max: 5wd' or the like, or write 'times: 0' alone")
    if procedure.valid_until is not None and procedure.valid_until < procedure.valid_from:
        why = "must not lie before 'valid_from'"
        yield Flaw(("valid_until",), why, "correct one of the two dates, or leave this one out")
    if not procedure.grounds:
        why = "must name at least one legal ground"
        yield Flaw(("grounds",), why, "name the law it rests on, with the article")


def _agency(procedure: Procedure, organisation: Organisation) -> Iterator[Flaw]:
    agency = next((each for each in organisation.agencies if each.code == procedure.agency), None)
    if agency is None:
        known = ", ".join(each.code for each in organisation.agencies)
        yield Flaw(
            ("agency",),
            Sentence("there is no agency {agency}", agency=procedure.agency),
            Sentence("name one of {known}", known=known),
        )
    elif procedure.field not in agency.fields:
        why = Sentence(
            "{agency} does not answer for a field {field}",
            agency=procedure.agency,
            field=procedure.field,
        )
        mend = (
            Sentence("name one of {fields}", fields=[*agency.fields])
            if agency.fields
            else "name another agency"
        )
        yield Flaw(("field",), why, mend)


def _channels(procedure: Procedure) -> Iterator[Flaw]:
    channels, post = procedure.channels, procedure.post
    for way, named in (("come", channels.come), ("go", channels.go)):
        yield from repeated(("channels", way), named)
        if not named:
            why = "must name at least one channel"
            yield Flaw(("channels", way), why, "name counter, online or post")
    if ("post" in {*channels.come, *channels.go}) != post.eligible:
        why = "must be true if a channel is post, and only then"
        yield Flaw(("post", "eligible"), why, "correct it, or the channels")
    if post.eligible == bool(post.reason):
        why = "must have a reason when not eligible, and only then"
        yield Flaw(("post",), why, "add 'reason' with vi and en, or leave it out")


def _stages(procedure: Procedure, organisation: Organisation, on: date) -> Iterator[Flaw]:
    if not procedure.stages:
        yield Flaw(("stages",), "must have at least one stage", "say who does what, and by when")
    codes = [each.code for each in procedure.stages]
    yield from repeated(("stages",), codes)
    known, units = {*codes}, {each.code for each in organisation.units}
    for at, stage in enumerate(procedure.stages):
        if stage.unit is None and not stage.routes:
            why = "must name a unit, or rules of who gets it in 'routes'"
            yield Flaw(("stages", at), why, "add 'unit' with the code of a unit")
        yield from _ways(at, stage, known)
        yield from _hands(at, stage, organisation, units, on)


def _ways(at: int, stage: Stage, codes: set[str]) -> Iterator[Flaw]:
    for key, ways, known in (
        ("next", stage.next, {*codes, END}),
        ("returns", stage.returns, codes),
    ):
        for n, code in enumerate(ways or ()):
            if code not in known:
                mend = Sentence("name one of {known}", known=sorted(known))
                yield Flaw(
                    ("stages", at, key, n), Sentence("there is no stage {code}", code=code), mend
                )
    if stage.next == ():
        why = Sentence("must name a stage, or {end} for the result", end=END)
        yield Flaw(("stages", at, "next"), why, "name it, or leave 'next' out for the stage below")


def _hands(
    at: int, stage: Stage, organisation: Organisation, units: set[str], on: date
) -> Iterator[Flaw]:
    named: list[tuple[Key, str | None]] = [(("stages", at, "unit"), stage.unit)]
    named += [(("stages", at, "routes", n, "unit"), r.unit) for n, r in enumerate(stage.routes)]
    named += [(("stages", at, "consults", n, "unit"), c.unit) for n, c in enumerate(stage.consults)]
    for place, unit in named:
        if unit is not None and unit not in units:
            yield Flaw(
                place,
                Sentence("there is no unit {unit}", unit=unit),
                "name a unit of the organisation",
            )
    for n, rule in enumerate(stage.routes):
        if rule.person is not None and rule.person not in organisation.by_id:
            why, mend = (
                Sentence("there is no person {person}", person=rule.person),
                "name somebody by their id",
            )
            yield Flaw(("stages", at, "routes", n, "person"), why, mend)
    if stage.unit in units and not organisation.holders(stage.unit, stage.role, on):
        why = Sentence(
            "nobody at {unit} is {role} on {on:%d/%m/%Y}", unit=stage.unit, role=stage.role, on=on
        )
        mend = "name a unit where somebody is, or give somebody that position"
        yield Flaw(("stages", at, "role"), why, mend)


def _fit(procedure: Procedure) -> Iterator[Flaw]:
    """Stage terms sum to no more than the term (Circular 01/2018/TT-VPCP Art. 8).

    Where stages branch, and where terms in working days must fit into calendar days, the ways are
    the walk's to measure (`fit`).
    """
    if procedure.term.kind is Kind.none:
        return
    in_calendar_days = procedure.term.kind is Kind.calendar
    kinds = {each.term.kind is Kind.calendar for each in procedure.stages}
    for at, stage in enumerate(procedure.stages):
        if stage.term.kind is Kind.none:
            why = "must have a length, as the procedure has a term"
            yield Flaw(("stages", at, "term"), why, "give the stage its share of it")
        elif stage.term.kind is Kind.calendar and not in_calendar_days:
            why = Sentence("must be counted in days of {term}'s kind", term=procedure.term)
            yield Flaw(("stages", at, "term"), why, "write working days (wd) or hours (wh)")
    if kinds != {in_calendar_days} or any(each.next is not None for each in procedure.stages):
        return
    spent, given = sum(_size(each.term) for each in procedure.stages), _size(procedure.term)
    if spent > given:
        unit = Sentence("calendar days") if in_calendar_days else Sentence("working minutes")
        why = Sentence(
            "take {spent} {unit} together, more than the term {term}",
            spent=spent,
            unit=unit,
            term=procedure.term,
        )
        yield Flaw(
            ("stages",),
            why,
            Sentence("shorten them by {spent}, or lengthen the term", spent=spent - given),
        )


def _size(term: Term) -> int:
    """Calendar days as days, all else as working minutes."""
    if term.kind in {Kind.days, Kind.minutes}:
        return term.size(STANDARD_DAY) * (STANDARD_DAY if term.kind is Kind.days else 1)
    return STANDARD_DAY if term.kind is Kind.sameday else term.size(STANDARD_DAY)
