"""Who may act on a dossier: the one rule, for every door. Pure."""

from dataclasses import dataclass
from datetime import date
from functools import partial

from states.catalogue import Catalogue, Person
from states.errors import BadInput, HosoError, Unknown
from states.sentences import Sentence, anded
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
        raise NotHeld("{error}; say who acts by one of those", error=error) from None
    role = _capacity(who, role, on)
    if role is not Role.postal:
        if acts_for is not None:
            raise BadInput(
                "only a postal clerk acts for an agency: {id} is {role} here, leave out `Hoso-For`",
                id=who.id,
                role=role,
            )
        return Caller(who, role, on)
    if acts_for is None:
        raise BadInput(
            "{id} is a postal clerk: say for which agency they act, as in the header `Hoso-For:"
            " H42.03`",
            id=who.id,
        )
    if not book.organisation.may_act_for(who.id, acts_for, on):
        raise NotHeld(
            "no delegation in force on {on} lets {id} act for {acts_for}",
            on=on,
            id=who.id,
            acts_for=acts_for[:40],
        )
    return Caller(who, role, on, acts_for)


def seated(book: Catalogue, person: str, liked: str | None, on: date) -> Caller:
    """Somebody at their desk, who reads: in the role they like, if it is theirs, or their first.

    A postal clerk stands there for every agency that trusts them; for which one they act is said
    with each act. Raises `NotHeld`.
    """
    try:
        who = book.person(person)
    except Unknown as error:
        raise NotHeld("{error}; say who acts by one of those", error=error) from None
    held = roles(who, on)
    if not held:
        raise NotHeld("{id} holds no role today: the organisation's file gives them one", id=who.id)
    role = next((role for role in held if role == liked), held[0])
    return Caller(who, role, on)


def roles(who: Person, on: date) -> list[Role]:
    """What somebody is on a day, in the order in which the organisation says it."""
    return list(dict.fromkeys(each.role for each in who.positions if each.stands(on)))


def _capacity(who: Person, role: Role | None, on: date) -> Role:
    held = sorted({position.role for position in who.positions if position.stands(on)})
    if role is None:
        if len(held) != 1:
            raise _unsaid(who, held)
        return held[0]
    if role not in held:
        raise NotHeld(
            "{id} is no {role}: they hold {held}",
            id=who.id,
            role=role,
            held=anded(held) if held else Sentence("no role"),
        )
    return role


def _unsaid(who: Person, held: list[Role]) -> BadInput:
    if not held:
        return BadInput(
            "{id} holds no role today: the organisation's file gives them one", id=who.id
        )
    return BadInput(
        "{id} holds {held}: say which acts here, as in the header `Hoso-Role: {first}`",
        id=who.id,
        held=anded(held),
        first=held[0],
    )


def may(
    book: Catalogue, who: Caller, agency: str, unit: str, field: str | None = None
) -> Sentence | None:
    """Why somebody may not move a dossier of this agency that lies in this unit; None: they may.

    What their role may do to it in its state is the lifecycle's to say. Who took over from a body
    that ended moves what lies there still.
    """
    staff = book.organisation
    held = (each for each in who.person.positions if each.role is who.role)
    places = {each.unit for each in held if each.stands(who.on)}
    bodies = {staff.agency_of(place) for place in places}
    unit = staff.heir(unit, who.on)
    person, role = who.person.id, who.role
    mine, otherwise = False, partial(Sentence, "a {role} moves no dossier", role=role)
    if who.role is Role.postal:
        mine = who.acts_for == agency
        here = {"person": person, "agency": agency, "acts_for": who.acts_for, "field": field}
        otherwise = partial(
            Sentence, "the dossier is for {agency}, and {person} acts for {acts_for}", **here
        )
        if mine and field and not staff.may_act_for(person, agency, who.on, field=field):
            mine = False
            otherwise = partial(
                Sentence, "{person} acts for {agency}, but not in its field {field}", **here
            )
    elif who.role is Role.reception:  # handed in and fetched at whatever counter of the centre
        mine = book.centre.code in bodies
        centre = book.centre.code
        otherwise = partial(
            Sentence, "{person} sits at no counter of {centre}", person=person, centre=centre
        )
    elif who.role in {Role.officer, Role.leader}:
        # Until it is routed a dossier lies with the centre as a whole, in none of its units.
        mine = unit in places | bodies
        there = {"unit": unit, "person": person, "role": role}
        otherwise = partial(
            Sentence, "the dossier lies in {unit}, where {person} is no {role}", **there
        )
    return None if mine else otherwise()
