"""Signing in, going on, signing out, and one's own account."""

from fastapi import APIRouter, Depends, Request

from api.accounts.shapes import Held, Me, NewPassword, Refreshing, Session, SigningIn
from api.accounts.signed import Hand, arrived, ours, session
from api.away import away_is_said
from api.doors import At, Db, Door, Shelf, Signed, house, now, opened
from api.doors.hearing import Hearing
from api.problems import DOCUMENTED
from states.accounts import keeping, signing
from states.accounts.refusals import SessionEnded
from states.errors import BadInput

# These take no Idempotency-Key: their answers are secrets, or are the same anyway. A password takes
# long to check, and no transaction is held meanwhile.
checking = APIRouter(route_class=Hearing, responses=DOCUMENTED)
router = APIRouter(route_class=Door, responses=DOCUMENTED)


@checking.post("/sign-in", dependencies=[Depends(arrived)])
async def sign_in(given: SigningIn, request: Request, at: At, by: Hand) -> Session:
    """Begin a session by a password. Whatever is wrong, it is refused in the same words."""
    engine, password = house(request).engine, given.password.get_secret_value()
    with away_is_said():
        new = await signing.sign_in(engine, given.person, password, at, by)
    return session(request, new)


@checking.post("/password", status_code=204, dependencies=[Depends(ours), Depends(arrived)])
async def change_password(
    given: NewPassword, request: Request, who: Signed, at: At, by: Hand
) -> None:
    """Choose another password. All other sessions end; a wrong old one counts as a failure."""
    old, new = given.old.get_secret_value(), given.new.get_secret_value()
    with away_is_said():
        await keeping.change_password(house(request).engine, who, old, new, at, by)


@checking.post("/refresh")
async def refresh(given: Refreshing, request: Request, by: Hand) -> Session:
    """New tokens for a refresh token. One used twice is in two hands: the session ends."""
    async with opened(request) as (db, _):
        token = given.refresh_token.get_secret_value()
        new = await signing.refresh(db, token, await now(request), by)
    if new is None:  # what had to be ended for it is committed
        raise SessionEnded("this refresh token is of no use: sign in again")
    return session(request, new)


@router.post("/sign-out", status_code=204)
async def sign_out(who: Signed, db: Db, at: At) -> None:
    """End this session: its tokens are of no use from here on."""
    if who.session is None:
        raise BadInput("a service key has no session to end: an administrator revokes it")
    await signing.sign_out(db, who.session, at)


@router.post("/sign-out-everywhere", status_code=204)
async def sign_out_everywhere(who: Signed, db: Db, at: At, by: Hand) -> None:
    """End all sessions of this account, this one too."""
    if who.session is None:
        raise BadInput("sessions are ended by who signed in, and not by a service key")
    await signing.sign_out_everywhere(db, who.account, by, at)


@router.get("/me")
async def me(who: Signed, book: Shelf, at: At) -> Me:
    """Who the caller is, and in what capacities they may act today."""
    staff, on = book.organisation, book.day(at)
    person = staff.by_id.get(who.person)
    held = person.positions if person else ()
    agencies = (each.code for each in staff.agencies)
    return Me(
        person=who.person,
        name=person and person.name,
        positions=[Held(unit=e.unit, role=e.role) for e in held if e.stands(on)],
        acts_for=[e for e in agencies if staff.may_act_for(who.person, e, on)],
        admin=who.admin,
        must_change=who.must_change,
        how=who.how,
        scopes=sorted(who.scopes),
    )
