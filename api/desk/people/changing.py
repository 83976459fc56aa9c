"""Forms that change the organisation: each makes a draft of it, which a second person publishes."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from api.desk import typed
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.people.seeing import STAFF, Who, own
from api.desk.people.shapes import Absent, Delegated, Ended, Hired, Placed, Revoked
from api.desk.procedures import telling
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from states import drafts
from states.catalogue import staffing
from states.catalogue.organisation import Organisation, Person
from states.catalogue.staffing import Change
from states.errors import BadInput, HosoError, Unknown
from states.words import Role

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
NEW = "new"  # in the place of an id: somebody who is not there yet
Made = tuple[Change, set[str]]  # and the bodies it is about


def _absent(staff: Organisation, person: str, said: Absent) -> Made:
    change = staffing.absence(person, said.since, said.until, said.substitute, said.reason)
    return change, staffing.bodies_of(staff, person)


def _delegated(staff: Organisation, person: str, said: Delegated) -> Made:
    agencies, fields = said.agencies, said.fields
    change = staffing.delegation(
        person, said.role, agencies, fields, said.document, said.since, said.until
    )  # fmt: skip
    return change, set(agencies)


def _revoked(staff: Organisation, person: str, said: Revoked) -> Made:
    there = dict(enumerate(staff.delegations))
    found = there.get(said.number)
    if found is None or found.person != person:
        raise BadInput("there is no such delegation: load the page again")
    return staffing.revocation(found, said.on, said.document), set(found.agencies)


def _placed(staff: Organisation, person: str, said: Placed) -> Made:
    return staffing.position(person, said.unit, said.role, said.since), {said.unit}


def _ended(staff: Organisation, person: str, said: Ended) -> Made:
    held = dict(enumerate(staff.person(person).positions)).get(said.number)
    if held is None:
        raise BadInput("there is no such position: load the page again")
    return staffing.ended(person, held, said.until), {held.unit}


def _hired(staff: Organisation, person: str, said: Hired) -> Made:
    return staffing.hired(said.id, said.name, said.unit, said.role, said.since), {said.unit}


class Way(NamedTuple):
    """A form: what it says, and what it makes of the text."""

    shape: type[BaseModel]
    made: Callable[[Organisation, str, Any], Made]


WAYS = {
    "absence": Way(Absent, _absent),
    "delegation": Way(Delegated, _delegated),
    "revocation": Way(Revoked, _revoked),
    "position": Way(Placed, _placed),
    "end": Way(Ended, _ended),
    "hired": Way(Hired, _hired),
}


def _way(person: str, what: str) -> Way:
    if what not in WAYS or (what == "hired") != (person == NEW):
        raise Unknown("there is no such form: go back to the person's page")
    return WAYS[what]


@router.get("/people/{person}/change/{what}")
async def ask(request: Request, person: Who, what: str, desk: Desk) -> Response:
    """The form, as it was typed before if it was."""
    _way(person, what)
    found = await drafts.find(desk.db, desk.person, _draft(person, what))
    begun = _begun(request)
    if found and any(found.typed.get(name) != value for name, value in begun.items()):
        found = None  # it was about another of the list
    form = Typed(values=found.typed if found else begun)
    return _shown(request, desk, person, what, form=form, draft_at=found.at if found else None)


def _begun(request: Request) -> dict[str, list[str]]:
    """What a link to the form fills in already."""
    named = {name: request.query_params.get(name) for name in ("number", "unit")}
    return {name: [value[:40]] for name, value in named.items() if value}


def _draft(person: str, what: str) -> str:
    return f"people/{person}/{what}"


def _shown(request: Request, desk: Seat, person: str, what: str, **more: Any) -> Response:
    staff = desk.book.organisation
    units = [each for each in staff.units if each.stands(desk.today)]
    return page(
        request,
        "desk/people/change.html",
        what=what,
        who=None if person == NEW else staff.person(person),
        person_id=person,
        people=[] if person == NEW else _alike(staff, staff.person(person)),
        units=sorted(units, key=lambda each: (each.agency != own(desk), each.code)),
        agencies=staff.agencies,
        fields=staff.fields,
        roles=_roles(staff, person, what),
        today=desk.today,
        called_unit=telling.units(desk.book, telling.voice_of(desk)),
        delegations=dict(enumerate(staff.delegations)),
        draft=_draft(person, what),
        **({"draft_at": None} | more),
    )


def _alike(staff: Organisation, who: Person) -> list[Person]:
    """Who holds a role of theirs and may stand in: those of their own units first."""
    roles, units = ({getattr(e, key) for e in who.positions} for key in ("role", "unit"))
    found = [e for e in staff.people if e.id != who.id and roles & {p.role for p in e.positions}]
    near = {each.id: bool(units & {p.unit for p in each.positions}) for each in found}
    return sorted(found, key=lambda each: (not near[each.id], each.name))


def _roles(staff: Organisation, person: str, what: str) -> Sequence[Role]:
    """The roles to choose from: a delegation is in one that they hold."""
    if what != "delegation":
        return STAFF
    held = {each.role for each in staff.person(person).positions}
    return [role for role in STAFF if role in held] or STAFF


@router.post("/people/{person}/change/{what}")
async def change(request: Request, person: Who, what: str, desk: Desk) -> Response:
    """Into the draft of the organisation; nothing of it where it would be wrong."""
    way, form = _way(person, what), typed.of(request)
    staff = desk.book.organisation
    try:
        if person != NEW:
            staff.person(person)
        made, bodies = way.made(staff, person, typed.read(way.shape, form))
        if strange := sorted(bodies - set(staff.bodies)):
            raise BadInput("there is no unit {unit}: choose one that is there", unit=strange[0])
        staffing.may_change(desk.book, desk.person, desk.at, bodies)
        async with desk.db.begin_nested():
            await staffing.draft(desk.db, desk.book, made, desk.person, desk.at)
            await drafts.drop(desk.db, desk.person, _draft(person, what))
    except HosoError as error:
        return _shown(request, desk, person, what, refusal=error, form=form)
    return RedirectResponse("/people/draft", 303)
