"""Who there is: the centre, the agencies, their units and people, and who acts for whom."""

from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic import Field as Bound

from states.errors import Unknown
from states.ledger.acts import EMAIL, PHONE
from states.sentences import Sentence
from states.words import Role
from states.yaml_files import Key, day

Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
# QĐ 20/2020/QĐ-TTg: a letter and two digits for the province, then up to three levels.
UnitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,3}){1,3}$")]


def _held_by_staff(role: Role) -> Role:
    if role in {Role.citizen, Role.system}:
        raise ValueError(
            Sentence("nobody of the staff is a {role}: choose another role", role=role)
        )
    return role


def _mailbox(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise ValueError("must be an address such as anh@example.vn")
    return text


def _phone(text: str) -> str:
    if not PHONE.fullmatch(text):
        raise ValueError('must be 8 to 15 digits in quotes, as in "0912345678"')
    return text


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


class Dated(Row):
    """What stands from one day to another, both included; always, where neither is said."""

    since: Day | None = None
    until: Day | None = None

    def stands(self, on: date) -> bool:
        """Whether it does on that day."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class Agency(Dated):
    """A competent authority with the fields it answers for; the one-stop centre has none.

    `calendar`: the one it works by, the organisation's unless named. `successor`: who took over
    what it did when it ended; its dossiers stay findable and its figures attributable there.
    """

    code: UnitCode
    name: Name
    fields: tuple[Word, ...] = ()
    calendar: Word | None = None
    successor: UnitCode | None = None


class Unit(Dated):
    """A unit of an agency or of the centre."""

    code: UnitCode
    name: Name
    agency: UnitCode
    calendar: Word | None = None
    successor: UnitCode | None = None


class Place(Row):
    """Where applicants are at home; some laws give mountains and islands another term."""

    code: Word
    name: Name
    region: Literal["plain", "mountain", "island"] | None = None


class Point(Dated):
    """A service point: where dossiers are handed in, for the unit that takes them in."""

    code: Word
    name: Name
    kind: Literal["counter", "post", "commune"]
    unit: UnitCode
    place: Word | None = None
    eligible: bool = True


class Absence(Row):
    """Somebody is away, both days included, and who of the same role stands in."""

    person: Word
    since: Day
    until: Day
    substitute: Word | None = None
    reason: Text | None = None


class Position(Dated):
    """A role somebody holds at a unit."""

    unit: UnitCode
    role: StaffRole


class Person(Row):
    """A member of the staff. `email`, `phone`: where they are told of what concerns them."""

    id: Word
    name: Text
    positions: tuple[Position, ...]
    email: Annotated[str, AfterValidator(_mailbox)] | None = None
    phone: Annotated[str, AfterValidator(_phone)] | None = None

    def holds(self, role: Role, unit: str | None = None, on: date | None = None) -> bool:
        """Whether the person has this role, at this unit or at any, on that day or ever."""
        return any(
            each.role is role and unit in {None, each.unit} and (on is None or each.stands(on))
            for each in self.positions
        )


class Delegation(Row):
    """A person acts for agencies in a role, by a document, from one day to another, both included.

    Receiving dossiers may be handed to the public post: Decree 107/2021/NĐ-CP, Decision 468/QĐ-TTg.
    """

    person: Word
    role: StaffRole
    agencies: tuple[UnitCode, ...]
    fields: tuple[Word, ...] = ()  # of those agencies; none named: all
    document: Text
    document_verified: bool
    since: Day
    until: Day
    revoked: Day | None = None  # it holds before that day only
    revoked_by: Text | None = None  # the document

    def holds(self, agency: str, on: date, field: str | None = None) -> bool:
        """Whether it is in force on that day for that agency and field."""
        return (
            agency in self.agencies
            and (field is None or not self.fields or field in self.fields)
            and self.since <= on <= self.until
            and (self.revoked is None or on < self.revoked)
        )


class Organisation(Row):
    """`organisation.yaml`."""

    calendar: Word
    centre: Agency
    fields: tuple[Field, ...]
    agencies: tuple[Agency, ...]
    units: tuple[Unit, ...]
    people: tuple[Person, ...]
    places: tuple[Place, ...] = ()
    points: tuple[Point, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    absences: tuple[Absence, ...] = ()
    longest_delegation: Annotated[int, Bound(ge=1, le=3660)] = 731  # days

    # Who is there ----------------------------------------------------------------------------

    @cached_property
    def bodies(self) -> dict[str, Agency | Unit]:
        """The centre, the agencies and the units by code, ended ones among them."""
        every: tuple[Agency | Unit, ...] = (self.centre, *self.agencies, *self.units)
        return {each.code: each for each in every}

    @cached_property
    def by_id(self) -> dict[str, Person]:
        """People by their ids."""
        return {each.id: each for each in self.people}

    @cached_property
    def _staff(self) -> dict[tuple[str, Role], list[Person]]:
        staff: dict[tuple[str, Role], list[Person]] = {}
        for person in self.people:
            for each in person.positions:
                staff.setdefault((each.unit, each.role), []).append(person)
        return staff

    def person(self, id: str) -> Person:  # noqa: A002 — it is what the file calls it
        """Raises `Unknown`."""
        if id not in self.by_id:
            raise Unknown(
                "there is no person {id} in the catalogue: `hoso organisation show` names them",
                id=id[:80],
            )
        return self.by_id[id]

    def body(self, code: str) -> Agency | Unit:
        """An agency or a unit, ended ones among them. Raises `Unknown`."""
        if code not in self.bodies:
            raise Unknown("there is no agency or unit {code} in the catalogue", code=code[:80])
        return self.bodies[code]

    def agency_of(self, code: str) -> str:
        """The agency of a unit; an agency is its own."""
        body = self.body(code)
        return body.agency if isinstance(body, Unit) else body.code

    def calendar_of(self, code: str) -> str:
        """The calendar that a unit keeps, else its agency, else the organisation."""
        if code not in self.bodies:  # known from imported dossiers only
            return self.calendar
        own = self.body(code).calendar or self.body(self.agency_of(code)).calendar
        return own or self.calendar

    def heir(self, code: str, on: date) -> str:
        """The body that does on that day what this one did: itself while it stands."""
        seen: set[str] = set()
        while code in self.bodies and code not in seen and not self.bodies[code].stands(on):
            seen.add(code)
            code = self.bodies[code].successor or code
        return code

    def line(self, code: str) -> frozenset[str]:
        """The body and all it came from: where its dossiers and its figures are looked for."""
        line, before = {code}, 0
        while before != len(line):
            before = len(line)
            line |= {each.code for each in self.bodies.values() if each.successor in line}
        return frozenset(line)

    def holders(self, unit: str, role: Role, on: date) -> tuple[Person, ...]:
        """Who has that role there on that day, in the order of the file."""
        there = self._staff.get((unit, role), ())
        return tuple(each for each in there if each.holds(role, unit, on))

    def present(self, person: str, on: date) -> bool:
        """Whether nothing says that they are away."""
        return self._absence(person, on) is None

    def in_place_of(self, person: str, on: date) -> str | None:
        """Who stands in for somebody who is away; None when nobody does."""
        for _ in range(len(self.absences) + 1):
            if (absence := self._absence(person, on)) is None:
                return person
            if absence.substitute is None:
                return None
            person = absence.substitute
        return None

    def _absence(self, person: str, on: date) -> Absence | None:
        away = (e for e in self.absences if e.person == person and e.since <= on <= e.until)
        return next(away, None)

    def may_act_for(
        self,
        person: str,
        agency: str,
        on: date,
        role: Role = Role.postal,
        field: str | None = None,
    ) -> bool:
        """Whether a delegation in force on that day lets this person act for that agency."""
        return any(
            each.person == person and each.role is role and each.holds(agency, on, field)
            for each in self.delegations
        )
