"""What decides whether a version can be used at all: cheap, and asked of every file at start."""

from collections.abc import Iterable, Iterator
from datetime import date

from states.catalogue.checking.lists import twice
from states.catalogue.organisation import Fault, Organisation
from states.catalogue.procedures import END, Procedure, Stage
from states.clock import Kind, Term
from states.yaml_files import Key

STANDARD_DAY = 480  # minutes, to compare terms in days with terms in hours


def faults(procedure: Procedure, organisation: Organisation, on: date) -> Iterator[Fault]:
    """What contradicts itself, or names what the organisation does not have on that day."""
    agency = next((each for each in organisation.agencies if each.code == procedure.agency), None)
    if agency is None:
        yield ("agency",), f"there is no agency {procedure.agency}"
    elif procedure.field not in agency.fields:
        yield ("field",), f"{procedure.agency} does not answer for a field {procedure.field}"
    yield from _channels(procedure)
    yield from _stages(procedure, organisation, on)
    yield from twice("components", (each.code for each in procedure.components))
    if procedure.supplement.lapse.kind is Kind.none:
        yield ("supplement", "lapse"), "must have a length: whoever waits, waits until then"
    if bool(procedure.extension.times) != bool(procedure.extension.max):
        yield ("extension",), "must have 'max' when times is above 0, and only then"
    if procedure.valid_until is not None and procedure.valid_until < procedure.valid_from:
        yield ("valid_until",), "must not lie before 'valid_from'"
    if not procedure.grounds:
        yield ("grounds",), "must name at least one legal ground"


def _channels(procedure: Procedure) -> Iterator[Fault]:
    channels, post = procedure.channels, procedure.post
    for way, named in (("come", channels.come), ("go", channels.go)):
        yield from ((("channels", *at), why) for at, why in twice(way, named))
        if not named:
            yield ("channels", way), "must name at least one channel"
    if ("post" in {*channels.come, *channels.go}) != post.eligible:
        yield ("post", "eligible"), "must be true if a channel is post, and only then"
    if post.eligible == bool(post.reason):
        yield ("post",), "must have a reason when not eligible, and only then"


def _stages(procedure: Procedure, organisation: Organisation, on: date) -> Iterator[Fault]:
    if not procedure.stages:
        yield ("stages",), "must have at least one stage"
    codes = [each.code for each in procedure.stages]
    yield from twice("stages", codes)
    for at, stage in enumerate(procedure.stages):
        if stage.unit is None and not stage.routes:
            yield ("stages", at), "must name a unit, or rules of who gets it in 'routes'"
        yield from _ways(at, stage, codes)
        yield from _hands(at, stage, organisation, on)
    yield from _fit(procedure)


def _ways(at: int, stage: Stage, codes: list[str]) -> Iterator[Fault]:
    for key, ways, known in (
        ("next", stage.next, {*codes, END}),
        ("returns", stage.returns, set(codes)),
    ):
        for n, code in enumerate(ways or ()):
            if code not in known:
                yield ("stages", at, key, n), f"there is no stage {code}"
    if stage.next == ():
        yield ("stages", at, "next"), f"must name a stage, or {END} for the result"


def _hands(at: int, stage: Stage, organisation: Organisation, on: date) -> Iterator[Fault]:
    units = {each.code for each in organisation.units}
    named: list[tuple[Key, str | None]] = [(("stages", at, "unit"), stage.unit)]
    named += [(("stages", at, "routes", n, "unit"), r.unit) for n, r in enumerate(stage.routes)]
    named += [(("stages", at, "consults", n, "unit"), c.unit) for n, c in enumerate(stage.consults)]
    for place, unit in named:
        if unit is not None and unit not in units:
            yield place, f"there is no unit {unit}"
    for n, rule in enumerate(stage.routes):
        if rule.person is not None and all(rule.person != p.id for p in organisation.people):
            yield ("stages", at, "routes", n, "person"), f"there is no person {rule.person}"
    if stage.unit in units and not organisation.holders(stage.unit, stage.role, on):
        yield ("stages", at, "role"), f"nobody at {stage.unit} is {stage.role}"


def _fit(procedure: Procedure) -> Iterator[Fault]:
    """Stage terms sum to no more than the term (Circular 01/2018/TT-VPCP Art. 8)."""
    if procedure.term.kind is Kind.none:
        return
    in_calendar_days = procedure.term.kind is Kind.calendar
    for at, stage in enumerate(procedure.stages):
        if stage.term.kind is Kind.none:
            yield ("stages", at, "term"), "must have a length: the procedure has a term"
        elif (stage.term.kind is Kind.calendar) != in_calendar_days:
            yield ("stages", at, "term"), f"must be counted in days of {procedure.term}'s kind"
    if any(stage.next is not None for stage in procedure.stages):
        return  # the longest way through is the checker's to walk
    if (spent := _total(each.term for each in procedure.stages)) > _total([procedure.term]):
        unit = "calendar days" if in_calendar_days else "working minutes"
        yield ("stages",), f"take {spent} {unit} together, more than the term {procedure.term}"


def _total(terms: Iterable[Term]) -> int:
    """Calendar days as days, everything else as working minutes."""
    return sum(_size(term) for term in terms)


def _size(term: Term) -> int:
    if term.kind in {Kind.days, Kind.minutes}:
        return term.size(STANDARD_DAY) * (STANDARD_DAY if term.kind is Kind.days else 1)
    return STANDARD_DAY if term.kind is Kind.sameday else term.size(STANDARD_DAY)
