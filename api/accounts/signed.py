"""What the routers of accounts ask for: who administers, and the time without a Door."""

from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from api.doors import Signed, opened
from states.accounts.arriving import Identity
from states.accounts.refusals import OutOfScope
from states.people import NotHeld

T = TypeVar("T", bound=BaseModel)


async def administrator(who: Signed) -> Identity:
    """Who manages accounts; whether what they came in by is for that, `needs` asks."""
    if not who.admin:
        raise NotHeld(f"{who.person} does not manage accounts: ask an administrator")
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
