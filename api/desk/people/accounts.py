"""An account for somebody, with a password that is shown once: for administrators."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.accounts.signed import Hand, administrator
from api.desk.leaf import Leaf
from api.desk.people.seeing import Who, shown
from api.desk.seat import Desk
from states.accounts import keeping
from states.accounts.scopes import Scope
from states.errors import HosoError, Unknown

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf)


@router.post("/people/{person}/account")
async def one_time(request: Request, person: Who, desk: Desk, by: Hand) -> Response:
    """Open their account, or give who lost their password another: a one-time one."""
    await administrator(desk.identity)
    desk.identity.may(Scope.accounts_write)
    secret = await keeping.one_time()
    try:
        async with desk.db.begin_nested():
            try:
                await keeping.one(desk.db, person)
            except Unknown:
                await keeping.add(desk.db, desk.book, person, secret, by, desk.at)
            else:
                await keeping.reset(desk.db, person, secret, by, desk.at)
    except HosoError as error:
        return await shown(request, desk, person, refusal=error)
    # Told this once: what is kept for the form's key goes without it.
    request.state.retold = bytes((await shown(request, desk, person)).body)
    return await shown(request, desk, person, one_time=secret.one_time)
