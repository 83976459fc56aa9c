"""Accounts and service keys, as administrators keep them."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request

from api.accounts.shapes import (
    ID,
    Account,
    AccountEvent,
    AccountEvents,
    Accounts,
    Key,
    Keys,
    Link,
    MadeKey,
    NewAccount,
    NewKey,
    OneTime,
    Rotation,
)
from api.accounts.signed import Admin, Hand, InPerson, administrator, in_person, once
from api.doors import At, Db, Door, Page, Shelf, Signed, needs
from api.problems import DOCUMENTED
from states.accounts import history, keeping, keys
from states.accounts.scopes import Scope
from states.errors import NotOpen

router = APIRouter(route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.accounts_read)]
WRITES = [needs(Scope.accounts_write)]
Whose = Annotated[str, Path(pattern=ID, description="Id of a person who has an account.")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


# Keys -------------------------------------------------------------------------------------


@router.post("/keys", status_code=201, dependencies=WRITES)
async def make_key(
    request: Request, given: NewKey, who: InPerson, db: Db, at: At, by: Hand
) -> MadeKey:
    """Make a service key. It is shown this once: only its hash is kept."""
    lasts = timedelta(days=given.days)
    row, key = await keys.make(db, given.name, given.person, given.scopes, by, at, lasts)
    return once(request, MadeKey(**_key(row), key=key), "key")


@router.get("/keys", dependencies=READS)
async def list_keys(who: Admin, db: Db, revoked: bool = False) -> Keys:
    """Service keys; with those that were revoked, if asked."""
    return Keys(items=[Key(**_key(row)) for row in await keys.listed(db, revoked=revoked)])


@router.delete("/keys/{key}", status_code=204, dependencies=WRITES)
async def revoke_key(key: Number, who: Admin, db: Db, at: At, by: Hand) -> None:
    """End a service key: it is of no use from here on."""
    await keys.revoke(db, key, by, at)


@router.post("/keys/{key}/rotate", status_code=201)
async def rotate_key(
    request: Request,
    key: Number,
    who: Signed,
    db: Db,
    at: At,
    by: Hand,
    given: Annotated[Rotation | None, Body()] = None,
) -> MadeKey:
    """Another key for the same; the old one is good for the grace only. A key may rotate itself.

    One key replaces another, and until that one has ended it is not replaced itself.
    """
    if who.key != key:
        who.may(Scope.accounts_write)
        await in_person(await administrator(who))
    grace = timedelta(days=(given or Rotation()).grace_days)
    row, new = await keys.rotate(db, key, by, at, grace)
    return once(request, MadeKey(**_key(row), key=new), "key")


def _key(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Key.model_fields}


# Accounts ---------------------------------------------------------------------------------


@router.get("", dependencies=READS)
async def list_accounts(who: Admin, db: Db, page: Page) -> Accounts:
    """Accounts by person, closed ones among them."""
    rows, following = await keeping.part(db, page.cursor, page.limit)
    return Accounts(items=[Account(**_account(row)) for row in rows], next=following)


@router.post("", status_code=201, dependencies=WRITES)
async def add_account(
    request: Request, given: NewAccount, who: Admin, book: Shelf, db: Db, at: At, by: Hand
) -> OneTime:
    """Open an account for a person of the organisation, or again one that was closed."""
    secret = await keeping.one_time() if given.password else keeping.NONE
    await keeping.add(db, book, given.person, secret, by, at, admin=given.admin)
    told = OneTime(person=given.person, one_time_password=secret.one_time)
    return once(request, told, "one_time_password")


@router.post("/{person}/reset", dependencies=WRITES)
async def reset_account(
    request: Request, person: Whose, who: Admin, db: Db, at: At, by: Hand
) -> OneTime:
    """Give somebody a one-time password. Their sessions end, and their account rests no more."""
    secret = await keeping.one_time()
    await keeping.reset(db, person, secret, by, at)
    told = OneTime(person=person, one_time_password=secret.one_time)
    return once(request, told, "one_time_password")


@router.put("/{person}/identity", status_code=204, dependencies=WRITES)
async def link_account(person: Whose, given: Link, who: Admin, db: Db, at: At, by: Hand) -> None:
    """Say who somebody is to the provider of identities."""
    await keeping.link(db, person, given.issuer, given.subject, by, at)


@router.delete("/{person}", status_code=204, dependencies=WRITES)
async def close_account(person: Whose, who: Admin, db: Db, at: At, by: Hand) -> None:
    """Close an account: its sessions and its keys end. Its holder stays in the organisation."""
    if person == who.person:
        raise NotOpen("nobody closes their own account: ask another administrator")
    await keeping.close(db, person, by, at)


@router.get("/{person}/events", dependencies=READS)
async def read_account_events(person: Whose, who: Signed, db: Db, page: Page) -> AccountEvents:
    """What became of an account, the last first: for administrators, and for its holder."""
    if person != who.person:
        await administrator(who)
    rows, following = await history.part(db, person, page.cursor, page.limit)
    return AccountEvents(items=[AccountEvent(**row) for row in rows], next=following)


def _account(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Account.model_fields}
