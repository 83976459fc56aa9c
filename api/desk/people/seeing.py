"""Units as a tree with who is in which role, and one person."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.procedures import telling
from api.desk.seat import Desk, Seat
from api.listed import Date
from states import work
from states.accounts import keeping
from states.catalogue import matching, staffing
from states.catalogue.organisation import Agency, Organisation, Person, Unit
from states.errors import Unknown
from states.letters import plain
from states.words import Role

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)
Asked = Annotated[str, Query(max_length=200)]
Who = Annotated[str, Path(max_length=80)]
FOUND = 100
STAFF = tuple(role for role in Role if role not in {Role.citizen, Role.system})


@router.get("/people")
async def people(
    request: Request, desk: Desk, agency: Asked = "", q: Asked = "", on: Date | None = None
) -> Response:
    """An agency with its units and who is in them; one's own unless another is chosen."""
    staff, day_ = desk.book.organisation, on or desk.today
    code = agency if agency in staff.bodies else own(desk)
    row, lines = await staffing.waiting(desk.db)
    return page(
        request,
        "desk/people/tree.html",
        agencies=[staff.centre, *staff.agencies],
        agency=staff.bodies[code],
        on=day_,
        q=q,
        found=_found(staff, q) if q else None,
        units=[(unit, holders(staff, unit, day_)) for unit in _units(staff, code, day_)],
        ended=_ended(staff, code),
        delegations=[e for e in staff.delegations if code in e.agencies],
        staff=staff,
        routed=list(_routed(desk, code)),
        queue=await _queue(desk, code),
        words=telling.words(telling.voice_of(desk)),
        unit=telling.units(desk.book, telling.voice_of(desk)),
        waits=row,
        lines=len(lines),
    )


def own(desk: Seat) -> str:
    """The agency of the reader."""
    staff = desk.book.organisation
    return staff.agency_of(desk.who.unit) if desk.who.unit else staff.centre.code


def _units(staff: Organisation, agency: str, on: Any) -> list[Unit]:
    return [each for each in staff.units if each.agency == agency and each.stands(on)]


def holders(staff: Organisation, unit: Unit, on: Any) -> list[dict[str, Any]]:
    """Who has a role there on a day, and who stands in for whom."""
    return [
        {
            "person": person,
            "held": held,
            "away": not staff.present(person.id, on),
            "in_place": staff.by_id.get(staff.in_place_of(person.id, on) or ""),
        }
        for person in staff.people
        for held in person.positions
        if held.unit == unit.code and held.stands(on)
    ]


def _found(staff: Organisation, q: str) -> list[Person]:
    words = plain(q).split()
    there = ((each, f"{plain(each.name)} {plain(each.id)}") for each in staff.people)
    return [each for each, name in there if all(word in name for word in words)][:FOUND]


def _ended(staff: Organisation, agency: str) -> list[Agency | Unit]:
    """Bodies of an agency that are to end or have ended, with who took over."""
    mine = staff.line(agency)
    return [
        each
        for each in staff.bodies.values()
        if each.until is not None and (staff.agency_of(each.code) in mine or each.code in mine)
    ]


def _routed(desk: Seat, agency: str) -> Iterator[tuple[Any, Any]]:
    """Stages of its procedures that say by rules who gets a dossier, or name no unit."""
    for procedure in matching.in_force(desk.book, desk.today):
        for stage in procedure.stages if procedure.agency == agency else ():
            if stage.routes or not stage.unit:
                yield procedure, stage


async def _queue(desk: Seat, agency: str) -> list[dict[str, Any]] | None:
    """What no rule caught, to who sees all that lies with the agency."""
    if desk.sees.all or agency in desk.sees.agencies | desk.sees.units:
        return await work.caught_by_no_rule(desk.db, agency)
    return None


@router.get("/people/{person}")
async def one(request: Request, person: Who, desk: Desk) -> Response:
    """A person: roles, delegations, absences, and the forms that change them."""
    return await shown(request, desk, person)


async def shown(request: Request, desk: Seat, person: str, **more: Any) -> Response:
    staff = desk.book.organisation
    who = staff.person(person)
    account = await _account(desk, person) if desk.identity.admin else None
    return page(
        request,
        "desk/people/one.html",
        who=who,
        staff=staff,
        today=desk.today,
        away=not staff.present(person, desk.today),
        in_place=staff.by_id.get(staff.in_place_of(person, desk.today) or ""),
        delegations=[(n, e) for n, e in enumerate(staff.delegations) if e.person == person],
        absences=[each for each in staff.absences if each.person == person],
        stands_in=[each for each in staff.absences if each.substitute == person],
        unit=telling.units(desk.book, telling.voice_of(desk)),
        admin=desk.identity.admin,
        account=account,
        waits=(await staffing.waiting(desk.db))[0],
        **({"one_time": None} | more),
    )


async def _account(desk: Seat, person: str) -> Any:
    try:
        return await keeping.one(desk.db, person)
    except Unknown:
        return None
