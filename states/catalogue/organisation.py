"""Who there is: the centre, the agencies, their units and people, and who acts for whom."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from states.words import Role
from states.yaml_files import Key, day

Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
# QĐ 20/2020/QĐ-TTg: a letter and two digits for the province, then up to three levels.
UnitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,3}){1,3}$")]


def _held_by_staff(role: Role) -> Role:
    if role in {Role.citizen, Role.system}:
        raise ValueError(f"nobody of the staff is a {role}: choose another role")
    return role


Day = Annotated[date, BeforeValidator(day)]
StaffRole = Annotated[Role, AfterValidator(_held_by_staff)]
Fault = tuple[Key, str]  # where, and what was expected there


class Row(BaseModel):
    """What every part of the catalogue is: strict, closed, unchanging."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Name(Row):
    """What people see."""

    vi: Text
    en: Text


class Field(Row):
    """A field of administration; one agency answers for it."""

    code: Word
    name: Name


class Agency(Row):
    """A competent authority with the fields it answers for; the one-stop centre has none."""

    code: UnitCode
    name: Name
    fields: tuple[Word, ...] = ()


class Unit(Row):
    """A unit of an agency or of the centre."""

    code: UnitCode
    name: Name
    agency: UnitCode


class Position(Row):
    """A role somebody holds at a unit."""

    unit: UnitCode
    role: StaffRole


class Person(Row):
    """A member of the staff."""

    id: Word
    name: Text
    positions: tuple[Position, ...]

    def holds(self, role: Role, unit: str | None = None) -> bool:
        """Whether the person has this role, at this unit or at any."""
        return any(
            position.role is role and unit in {None, position.unit} for position in self.positions
        )


class Delegation(Row):
    """A person acts for agencies in a role, by a document, from one day to another, both included.

    Receiving dossiers may be handed to the public post: Decree 107/2021/NĐ-CP, Decision 468/QĐ-TTg.
    """

    person: Word
    role: StaffRole
    agencies: tuple[UnitCode, ...]
    document: Text
    document_verified: bool
    since: Day
    until: Day


class Organisation(Row):
    """`organisation.yaml`."""

    calendar: Word
    centre: Agency
    fields: tuple[Field, ...]
    agencies: tuple[Agency, ...]
    units: tuple[Unit, ...]
    people: tuple[Person, ...]
    delegations: tuple[Delegation, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """What a model cannot see: things named twice, and things named that are not there."""
        yield from twice("fields", (each.code for each in self.fields))
        bodies = [self.centre, *self.agencies]
        yield from twice("agencies", (each.code for each in self.agencies), self.centre.code)
        yield from twice("units", (each.code for each in self.units))
        yield from twice("people", (each.id for each in self.people))
        yield from self._fields_answered_for()
        for at, unit in enumerate(self.units):
            if unit.agency not in {each.code for each in bodies}:
                yield ("units", at, "agency"), f"there is no agency {unit.agency}"
        units = {each.code for each in self.units}
        for at, person in enumerate(self.people):
            for n, position in enumerate(person.positions):
                if position.unit not in units:
                    yield (
                        ("people", at, "positions", n, "unit"),
                        f"there is no unit {position.unit}",
                    )
        yield from self._delegations_hold()

    def _fields_answered_for(self) -> Iterator[Fault]:
        known = {each.code for each in self.fields}
        answered: set[str] = set()
        for at, agency in enumerate(self.agencies):
            for n, code in enumerate(agency.fields):
                if code not in known:
                    yield ("agencies", at, "fields", n), f"there is no field {code}"
                if code in answered:
                    yield ("agencies", at, "fields", n), f"another agency answers for {code}"
                answered.add(code)
        for at, each in enumerate(self.fields):
            if each.code not in answered:
                yield ("fields", at, "code"), f"no agency answers for {each.code}"

    def _delegations_hold(self) -> Iterator[Fault]:
        people = {each.id: each for each in self.people}
        agencies = {each.code for each in self.agencies}
        for at, each in enumerate(self.delegations):
            place: Key = ("delegations", at)
            if each.person not in people:
                yield (*place, "person"), f"there is no person {each.person}"
            elif not people[each.person].holds(each.role):
                yield (*place, "role"), f"{each.person} does not hold the role {each.role}"
            for n, code in enumerate(each.agencies):
                if code not in agencies:
                    yield (*place, "agencies", n), f"there is no agency {code}"
            if each.until < each.since:
                yield (*place, "until"), "must not lie before 'since'"


def twice(where: str, codes: Iterable[str], *taken: str) -> Iterator[Fault]:
    """The codes of a list that are there more than once, or are taken already."""
    seen = set(taken)
    for at, code in enumerate(codes):
        if code in seen:
            yield (where, at), f"{code} is there twice"
        seen.add(code)
