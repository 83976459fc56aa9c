"""Who may act on a dossier: the one rule, for every door. Pure."""

from dataclasses import dataclass
from datetime import date

from states.catalogue import Catalogue, Person
from states.errors import BadInput, HosoError, Unknown
from states.words import Role


class NotHeld(HosoError):
    """The capacity in which somebody wants to act is not theirs."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A member of the staff in one capacity; `acts_for` is the agency a postal clerk stands for."""

    person: Person
    role: Role
    on: date
    acts_for: str | None = None

    @property
    def unit(self) -> str | None:
        """Where they hold this role today; the first, of whoever holds it at several."""
        held = (each for each in self.person.positions if each.role is self.role)
        return next((each.unit for each in held if each.stands(self.on)), None)


def caller(
    book: Catalogue, person: str, role: Role | None, acts_for: str | None, on: date
) -> Caller:
    """Somebody in the capacity they claim, on a local day.

    The role may be left out by whoever holds only one. Raises `NotHeld` for a person, a role or a
    delegation that the catalogue does not have, `BadInput` when something is left to be said.
    """
    try:
        who = book.person(person)
    except Unknown as error:
        raise NotHeld(f"{error}; say who acts by one of those") from None
    role = _capacity(who, role, on)
    if role is not Role.postal:
        if acts_for is not None:
            raise BadInput(
                f"only a postal clerk acts for an agency: {who.id} is {role} here,"
                " leave out `Hoso-For`"
            )
        return Caller(who, role, on)
    if acts_for is None:
        raise BadInput(
            f"{who.id} is a postal clerk: say for which agency they act, as in the header"
            " `Hoso-For: H42.03`"
        )
    if not book.organisation.may_act_for(who.id, acts_for, on):
        raise NotHeld(f"no delegation in force on {on} lets {who.id} act for {acts_for[:40]}")
    return Caller(who, role, on, acts_for)


def _capacity(who: Person, role: Role | None, on: date) -> Role:
    held = sorted({position.role for position in who.positions if position.stands(on)})
    if role is None:
        if len(held) != 1:
            raise _unsaid(who, held)
        return held[0]
    if role not in held:
        raise NotHeld(f"{who.id} is no {role}: they hold {' and '.join(held) or 'no role'}")
    return role


def _unsaid(who: Person, held: list[Role]) -> BadInput:
    if not held:
        return BadInput(f"{who.id} holds no role today: the organisation's file gives them one")
    return BadInput(
        f"{who.id} holds {' and '.join(held)}: say which acts here, as in the header"
        f" `Hoso-Role: {held[0]}`"
    )


def may(
    book: Catalogue, who: Caller, agency: str, unit: str, field: str | None = None
) -> str | None:
    """Why somebody may not move a dossier of this agency that lies in this unit; None: they may.

    What their role may do to it in its state is the lifecycle's to say. Who took over from a body
    that ended moves what lies there still.
    """
    staff = book.organisation
    held = (each for each in who.person.positions if each.role is who.role)
    places = {each.unit for each in held if each.stands(who.on)}
    bodies = {staff.agency_of(place) for place in places}
    unit = staff.heir(unit, who.on)
    mine, otherwise = False, f"a {who.role} moves no dossier"
    if who.role is Role.postal:
        mine = who.acts_for == agency
        otherwise = f"the dossier is for {agency}, and {who.person.id} acts for {who.acts_for}"
        if mine and field and not staff.may_act_for(who.person.id, agency, who.on, field=field):
            mine = False
            otherwise = f"{who.person.id} acts for {agency}, but not in its field {field}"
    elif who.role is Role.reception:  # handed in and fetched at whatever counter of the centre
        mine = book.centre.code in bodies
        otherwise = f"{who.person.id} sits at no counter of {book.centre.code}"
    elif who.role in {Role.officer, Role.leader}:
        # Until it is routed a dossier lies with the centre as a whole, in none of its units.
        mine = unit in places | bodies
        otherwise = f"the dossier lies in {unit}, where {who.person.id} is no {who.role}"
    return None if mine else otherwise
