"""Whom it concerns, and why: the holder, the unit, their leaders, the control unit. Pure.

Never nobody: where no person is found, the unit is named. Never only somebody who is away: who
stands in is told instead, and both are named.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from states.catalogue.organisation import Organisation, Person, Unit
from states.catalogue.rules import Whom
from states.deadlines.watched import Life
from states.words import Role, State


class Place(NamedTuple):
    """Where a dossier lies, in what capacity it is held there, and by whom, if by anybody."""

    agency: str  # the dossier's
    unit: str
    role: Role
    person: str | None = None


class Concern(NamedTuple):
    """Somebody who is told; `person` None: whoever has the role there."""

    person: str | None
    unit: str
    role: Role
    why: str


def placed(life: Life, at: datetime | None = None) -> Place:
    """Where it lies now, or where it lay at a moment: in the last visit begun by then."""
    paper, visits = life.paper, life.visits
    there = [each for each in visits if at is None or each.opened_at <= at]
    if there:
        last = there[-1]
        return Place(paper.agency, last.unit, Role(last.role), last.person)
    if visits:
        return Place(paper.agency, paper.counter, Role.reception)
    if paper.state == State.routed and paper.source is None:
        sent = next(line.at for line in reversed(life.lines) if line.dest == State.routed)
        if at is not None and at < sent:
            return Place(paper.agency, paper.counter, Role.reception)
        return Place(paper.agency, paper.unit, Role.officer, paper.assigned)
    if paper.source is not None:  # in a procedure whose stages are not ours
        return Place(paper.agency, paper.unit, Role.officer)
    return Place(paper.agency, paper.unit, Role.reception)


def concerned(
    staff: Organisation, tell: Sequence[Whom], place: Place, on: date
) -> list[dict[str, Any]]:
    """Who is told on that day, each once, by the first of the reasons."""
    found: dict[str, Concern] = {}
    unit = staff.heir(_unit(staff, place.unit), on)
    asked = {
        Whom.holder: lambda: _holder(staff, place, unit, on),
        Whom.unit: lambda: _role(staff, unit, place.role, on, "it lies with their unit"),
        Whom.leader: lambda: _leaders(staff, unit, on),
        Whom.agency: lambda: _agency(staff, _agency_of(staff, unit, place.agency), on),
        Whom.control: lambda: _control(staff, unit, on),
    }
    for whom in tell:
        for each in asked[whom]():
            found.setdefault(each.person or f"{each.unit} {each.role}", each)
    return [each._asdict() for each in found.values()]


# Each kind ----------------------------------------------------------------------------------


def _holder(staff: Organisation, place: Place, unit: str, on: date) -> Iterator[Concern]:
    """Who has it; while they are away, who stands in; while nobody does, all others there."""
    if place.person is None:
        yield from _role(staff, unit, place.role, on, "waits for whoever takes it")
        return
    if (person := staff.by_id.get(place.person)) is None:  # known to another system only
        yield Concern(place.person, unit, place.role, "has it in hand")
        return
    told = list(_present(staff, [person], unit, place.role, on, "has it in hand"))
    if told:
        yield from told
        return
    yield from _role(staff, unit, place.role, on, f"{_named(person)} has it and is away")


def _role(staff: Organisation, unit: str, role: Role, on: date, why: str) -> Iterator[Concern]:
    """Everybody of that role there; else the unit as such."""
    there = _holders(staff, unit, role, on)
    told = list(_present(staff, there, unit, role, on, why))
    yield from told or [Concern(None, unit, role, why)]


def _leaders(staff: Organisation, unit: str, on: date) -> Iterator[Concern]:
    """The leaders of the unit; of its agency where it has none."""
    there = _holders(staff, unit, Role.leader, on)
    told = list(_present(staff, there, unit, Role.leader, on, "leads the unit"))
    if told:
        yield from told
        return
    agency = _agency_of(staff, unit, unit)
    yield from _agency(staff, agency, on, "leads the agency, and the unit has no leader there")


def _agency(
    staff: Organisation, agency: str, on: date, why: str = "leads the agency"
) -> Iterator[Concern]:
    """The leaders in units of leaders only, which are its leadership; without such, all leaders."""
    units = [each.code for each in staff.units if each.agency == agency and each.stands(on)]
    heads = [each for each in units if _led_only(staff, each, on)] or units
    told = [
        each
        for unit in heads
        for each in _present(
            staff, staff.holders(unit, Role.leader, on), unit, Role.leader, on, why
        )
    ]
    yield from told or [Concern(None, agency, Role.leader, why)]


def _control(staff: Organisation, unit: str, on: date) -> Iterator[Concern]:
    """Whoever audits, wherever they sit."""
    told = [
        each
        for body in staff.units
        for each in _present(
            staff, staff.holders(body.code, Role.control, on), body.code, Role.control, on, "audits"
        )
    ]
    yield from told or [Concern(None, staff.centre.code, Role.control, "audits")]


# Who is there -------------------------------------------------------------------------------


def _present(
    staff: Organisation, people: Sequence[Person], unit: str, role: Role, on: date, why: str
) -> Iterator[Concern]:
    """Those who are there, and who stands in for those who are not."""
    for person in people:
        if staff.present(person.id, on):
            yield Concern(person.id, unit, role, why)
        elif (instead := staff.in_place_of(person.id, on)) is not None:
            stand_in = _named(staff.by_id[instead])
            whom = f"{stand_in} stands in for {_named(person)}, who is away and {why}"
            yield Concern(instead, unit, role, whom)


def _holders(staff: Organisation, unit: str, role: Role, on: date) -> list[Person]:
    """Of a unit; of an agency, which is its own queue, or of the centre, those of all its units."""
    if isinstance(staff.bodies.get(unit), Unit):
        return list(staff.holders(unit, role, on))
    units = (each.code for each in staff.units if each.agency == unit and each.stands(on))
    return [person for code in units for person in staff.holders(code, role, on)]


def _led_only(staff: Organisation, unit: str, on: date) -> bool:
    others = (role for role in Role if role is not Role.leader)
    led = bool(staff.holders(unit, Role.leader, on))
    return led and not any(staff.holders(unit, role, on) for role in others)


def _unit(staff: Organisation, code: str) -> str:
    """The unit a service point takes in for; a unit is its own."""
    return next((each.unit for each in staff.points if each.code == code), code)


def _agency_of(staff: Organisation, unit: str, otherwise: str) -> str:
    return staff.agency_of(unit) if unit in staff.bodies else otherwise


def _named(person: Person) -> str:
    return f"{person.name} ({person.id})"
