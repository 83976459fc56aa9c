"""What the routers of accounts ask for: who administers, by which door, the time without a Door."""

from hashlib import blake2b
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from api import rates
from api.accounts.shapes import Session
from api.away import away_is_said
from api.doors import Signed, house, opened
from api.doors.opening import named
from api.metrics import template
from states.accounts import signing
from states.accounts.arriving import Identity
from states.accounts.history import By
from states.accounts.refusals import OutOfScope
from states.accounts.signing import Tokens
from states.db import transaction
from states.people import NotHeld

T = TypeVar("T", bound=BaseModel)


async def administrator(who: Signed) -> Identity:
    """Who manages accounts; whether what they came in by is for that, `needs` asks."""
    if not who.admin:
        raise NotHeld("{person} does not manage accounts: ask an administrator", person=who.person)
    return who


Admin = Annotated[Identity, Depends(administrator)]


async def in_person(who: Admin) -> Identity:
    """An administrator who signed in: a key makes no keys, or it would outlive itself."""
    if who.session is None:
        raise OutOfScope("service keys are made by who signs in, and not by a key")
    return who


InPerson = Annotated[Identity, Depends(in_person)]


def once(request: Request, told: T, secret: str) -> T:
    """An answer of which one part is told this once: what is kept for its key goes without it."""
    request.state.retold = told.model_copy(update={secret: None}).model_dump_json().encode()
    return told


async def arrived(request: Request) -> None:
    """Who came and what time it is, in a transaction that is over then.

    For what checks a password or asks another server: no connection is held meanwhile.
    """
    async with opened(request):
        pass


async def ours(request: Request) -> None:
    """What a browser was made to send by another page is not heard, where no `Door` sees to it."""
    named(request)


async def end_before(request: Request) -> None:
    """A browser has one session: when it begins another, who took the cookie before has none."""
    who = request.state.arrival.who
    if who is None or who.session is None or "authorization" in request.headers:
        return
    with away_is_said():
        async with transaction(house(request).engine) as db:
            await signing.sign_out(db, who.session, request.state.arrival.at)


async def hand(request: Request) -> By:
    """Who does something to an account, by which door and from where."""
    arrival = getattr(request.state, "arrival", None)
    person = arrival.who.person if arrival and arrival.who else None
    host = rates.party(request.client.host if request.client else "")
    address = blake2b(host.encode(), digest_size=8, key=house(request).key("address")).hexdigest()
    return By(person, f"{request.method} {template(request.scope)}", address)


Hand = Annotated[By, Depends(hand)]


def session(request: Request, new: Tokens) -> Session:
    """What is told of new tokens. The first is known to open, however many are guessed at from
    the same address: nobody who signs in there waits for those to end.
    """
    rates.of(request).prove(f"bearer {new.access}")
    return Session.of(new)
