"""Who sits at the desk: the caller in one role, what they see, and for whom they act."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api import browser
from api.desk.voice import chosen
from api.doors import house, identified, shelf
from api.doors.house import House
from states import people, seeing
from states.accounts.arriving import Identity
from states.accounts.scopes import Scope
from states.catalogue import Catalogue
from states.clock.words import Lang
from states.errors import HosoError
from states.people import Caller
from states.seeing import Through
from states.sight import Sight, sight
from states.tables import Dossier, Visit
from states.words import Role


@dataclass(frozen=True, slots=True)
class Seat:
    """All that a page of the desk asks for. `who` acts for no agency yet: `acting` says for which.

    `Leaf` keeps the transaction `db`, which is committed before the page is sent.
    """

    db: AsyncConnection
    book: Catalogue
    at: datetime
    identity: Identity
    who: Caller
    sees: Sight
    roles: list[Role]
    lang: Lang
    house: House
    through: Through

    @property
    def person(self) -> str:
        return self.who.person.id

    @property
    def today(self) -> date:
        return self.book.day(self.at)

    def acting(self, agency: str) -> Caller:
        """The caller as they act on a dossier of this agency: a postal clerk by its delegation.

        Raises `NotHeld` where there is none in force.
        """
        if self.who.role is not Role.postal:
            return self.who
        return people.caller(self.book, self.person, self.who.role, agency, self.who.on)

    def for_whom(self) -> list[str]:
        """The agencies that somebody may act for today, of a postal clerk; of others none."""
        staff = self.book.organisation
        if self.who.role is not Role.postal:
            return []
        codes = (each.code for each in staff.agencies)
        return [each for each in codes if staff.may_act_for(self.person, each, self.who.on)]

    async def find(self, code: str) -> tuple[Dossier, Visit | None]:
        """A dossier they may see, with the visit it is in. Raises `Unknown`."""
        return await seeing.find(self.db, code, self.sees)

    async def looked(self, dossiers: Iterable[int]) -> None:
        """Keep that personal data of these were shown."""
        await seeing.looked(self.db, self.who, self.through, dossiers)


async def seated(request: Request) -> Seat:
    """Raises `Unidentified`, `PasswordDue`, and `NotHeld` for who has no place here today."""
    who, book = identified(request), await shelf(request)
    who.may(Scope.dossiers_read)
    day = book.day(request.state.at)
    # As what somebody opened a page they send it, whatever they have become in another tab.
    liked = request.headers.get(browser.ROLE) or request.cookies.get(browser.ROLE)
    caller = people.seated(book, who.person, liked, day)
    route = request.scope["route"]
    seat = Seat(
        db=request.state.db,
        book=book,
        at=request.state.at,
        identity=who,
        who=caller,
        sees=sight(book, caller),
        roles=people.roles(caller.person, day),
        lang=chosen(request),
        house=house(request),
        through=Through(f"{request.method} {route.path}", request.state.request_id),
    )
    request.state.seat = seat
    return seat


Desk = Annotated[Seat, Depends(seated)]


async def framed(request: Request) -> None:
    """The frame of the desk round what anybody signed in may see; who has no place goes without."""
    with suppress(HosoError):
        await seated(request)
