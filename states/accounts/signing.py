"""Signing in, going on and signing out."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.accounts import lockout, passwords, tokens
from states.accounts.history import By, note
from states.accounts.refusals import SessionEnded, WrongCredentials
from states.accounts.rows import Became, How, account, session
from states.db import transaction
from states.sentences import Sentence

log = structlog.get_logger()
a, s = account.c, session.c

ACCESS = timedelta(minutes=15)
IDLE = timedelta(hours=12)  # a session that is not gone on with ends: a working day
LONGEST = timedelta(days=30)  # and so does one that always is
DESK = timedelta(minutes=30)  # a browser that nobody touches is locked
DAY = timedelta(hours=12)  # and so is one that somebody always does
STEP = timedelta(minutes=1)  # it is kept open in steps: not each page is a write
COMMAND = timedelta(hours=1)  # one that a command began, which cannot be gone on with
ONE_TIME = timedelta(days=7)  # a one-time password that nobody has used is good no more
NOBODY = 0  # the number of no account
REFUSED = Sentence(
    "no account with this id and this password may sign in now: check both; after {allowed}"
    " failures in a row an account rests for a while",
    allowed=lockout.ALLOWED,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a session goes on by, shown this once."""

    person: str
    must_change: bool
    access: str = field(repr=False)
    access_until: datetime
    refresh: str | None = field(repr=False, default=None)
    refresh_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose session is begun."""

    account: int
    person: str
    must_change: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A password about to be checked, and counted as wrong until it is known to be right."""

    account: int | None  # None: whatever the password is, nobody comes in by it
    kept: str | None
    must_change: bool
    failed: int = 0
    rests_until: datetime | None = None  # if it is wrong


# In ---------------------------------------------------------------------------------------


async def sign_in(
    engine: AsyncEngine,
    person: str,
    password: str,
    at: datetime,
    by: By,
    *,
    browser: bool = False,
) -> Tokens:
    """Begin a session by a password. Commits, even what it refuses. Raises `WrongCredentials`.

    An unknown id, one that is closed, that rests or that has no password is refused as a wrong
    password is: by the same statements and one check of a hash. No connection waits for that.
    """
    async with transaction(engine) as db:
        found = await attempt(db, person, at)
    right, renewed = await passwords.fits(password, found.kept)
    if not right or found.account is None:
        async with transaction(engine) as db:
            await refuse(db, found, by, at)
        log.info("account.refused", account=found.account)  # what was typed may be a password
        raise WrongCredentials(REFUSED)
    async with transaction(engine) as db:
        await succeed(db, found, renewed)
        holder = Holder(found.account, person, found.must_change)
        return await begin(db, holder, How.password, at, by, browser=browser)


async def attempt(db: AsyncConnection, person: str, at: datetime) -> Attempt:
    """Count it before the password is checked, so that a thousand at once are a thousand."""
    asked = sa.select(a.id, a.password, a.password_at, a.must_change, a.failed, a.locked_until)
    asked = asked.where(a.person == person, a.closed_at.is_(None), a.password.is_not(None))
    row = (await db.execute(asked.with_for_update())).one_or_none()
    if row is None or not _open(row, at):
        await _count(db, NOBODY, 0, at)
        return Attempt(None, None, must_change=False)
    until = await _count(db, row.id, row.failed + 1, at)
    return Attempt(row.id, row.password, row.must_change, row.failed + 1, until)


def _open(row: Any, at: datetime) -> bool:
    stale = row.must_change and row.password_at + ONE_TIME <= at
    return not stale and (row.locked_until is None or row.locked_until <= at)


async def _count(db: AsyncConnection, number: int, failed: int, at: datetime) -> datetime | None:
    """Until when nobody may try, if it is wrong. Written as `_unhurried` says."""
    await _unhurried(db)
    rest = lockout.rest(failed)
    until = None if rest is None else at + rest
    said = {"failed": failed, "locked_until": until}
    await db.execute(sa.update(account).where(a.id == number).values(said))
    if until is not None:
        log.warning("account.rests", account=number, failed=failed, until=until.isoformat())
    return until


async def _unhurried(db: AsyncConnection) -> None:
    """Without waiting for the disk, which would tell an account from none by the time."""
    await db.execute(sa.text("SET LOCAL synchronous_commit = off"))


async def refuse(db: AsyncConnection, found: Attempt, by: By, at: datetime) -> None:
    """Keep that a password was wrong. While an account rests nothing more is kept of who tries, so
    strangers write but a few lines an hour; of nobody's account none is, by the same statement.
    """
    await _unhurried(db)
    facts: dict[str, Any] = {"failed": found.failed}
    if found.rests_until is not None:
        facts["until"] = found.rests_until.isoformat()
    what = Became.refused if found.rests_until is None else Became.rests
    await note(db, found.account or NOBODY, what, by, at, **facts)


async def succeed(db: AsyncConnection, found: Attempt, renewed: str | None = None) -> None:
    """The password was right; `renewed`: its hash as hashes are made now.

    Raises `WrongCredentials` when it was changed or the account closed while it was checked.
    """
    said = {"failed": 0, "locked_until": None, "password": renewed or found.kept}
    same = (a.id == found.account, a.password == found.kept, a.closed_at.is_(None))
    if not (await db.execute(sa.update(account).where(*same).values(said))).rowcount:
        raise WrongCredentials(REFUSED)


async def begin(
    db: AsyncConnection,
    who: Holder,
    how: How,
    at: datetime,
    by: By,
    *,
    browser: bool = False,
) -> Tokens:
    """A session of an account that is open. Raises `SessionEnded` when it was closed meanwhile.

    `browser`: one that is kept open by being used (`keep_open`), and not by a refresh token.
    """
    still = sa.select(a.id).where(a.id == who.account, a.closed_at.is_(None))
    if await db.scalar(still.with_for_update(read=True)) is None:
        raise SessionEnded(
            "the account of {person} is closed: ask an administrator", person=who.person
        )
    must = who.must_change and how is How.password
    if how is How.command:
        new = Tokens(who.person, must, tokens.made(tokens.ACCESS), at + COMMAND)
    elif browser:
        new = Tokens(who.person, must, tokens.made(tokens.ACCESS), at + DESK)
    else:
        new = _tokens(who.person, must, None, at, at)
    row = {"account_id": who.account, "how": how, "created_at": at} | _kept(new)
    row["ends"] = at + DAY if browser else None
    number = await db.scalar(sa.insert(session).values(row).returning(s.id))
    mine = by if how is How.command else by.proved(who.person)
    await note(db, who.account, Became.signed_in, mine, at, how=how)
    log.info("account.signed_in", by=who.person, how=how, session=number)
    return new


def _tokens(
    person: str, must_change: bool, last: str | None, since: datetime, at: datetime
) -> Tokens:
    until = min(at + IDLE, since + LONGEST)
    access, refresh = tokens.made(tokens.ACCESS), tokens.next_refresh(last)
    return Tokens(person, must_change, access, min(at + ACCESS, until), refresh, until)


def _kept(new: Tokens) -> dict[str, Any]:
    kept: dict[str, Any] = {"access": tokens.digest(new.access), "access_until": new.access_until}
    if new.refresh is not None:
        kept["family"] = tokens.digest(tokens.family(new.refresh))
        kept["refresh"] = tokens.digest(new.refresh)
        kept["refresh_until"] = new.refresh_until
    return kept


# On ---------------------------------------------------------------------------------------


async def refresh(db: AsyncConnection, token: str, at: datetime, by: By) -> Tokens | None:
    """New tokens for a refresh token, which is of no more use then; None: it was of none.

    One that was used before is in two hands: the session ends, which is to be committed though it
    is refused.
    """
    mine = s.family == tokens.digest(tokens.family(token))
    asked = sa.select(session, a.person, a.must_change, a.closed_at)
    asked = asked.join(account, a.id == s.account_id).where(mine)
    row = (await db.execute(asked.with_for_update(of=session))).one_or_none()
    if row is None or row.revoked_at is not None or row.closed_at is not None:
        return None
    if not compare_digest(row.refresh, tokens.digest(token)):
        await _end(db, at, s.id == row.id)
        await note(db, row.account_id, Became.refresh_reused, by, at, session=row.id)
        log.warning("account.refresh_reused", by=row.person, session=row.id)
        return None
    if row.refresh_until <= at:
        return None
    must = row.must_change and row.how is How.password
    new = _tokens(row.person, must, token, row.created_at, at)
    kept = {name: value for name, value in _kept(new).items() if name != "family"}
    await db.execute(sa.update(session).where(s.id == row.id).values(kept))
    return new


async def keep_open(db: AsyncConnection, number: int, until: datetime, at: datetime) -> None:
    """Somebody uses a browser's session, which is open `until` then: it stays open from now on.

    One of a program, which goes on by its refresh token, or of a command ends when it was to end.
    """
    if until > at + DESK - STEP:
        return
    longer = sa.func.least(s.ends, at + DESK)
    mine = (s.id == number, s.ends.is_not(None), s.access_until < longer, s.revoked_at.is_(None))
    await db.execute(sa.update(session).where(*mine).values(access_until=longer))


# Out --------------------------------------------------------------------------------------


async def sign_out(db: AsyncConnection, number: int, at: datetime) -> None:
    """End a session; its tokens are of no use from here on."""
    await _end(db, at, s.id == number)


async def sign_out_everywhere(db: AsyncConnection, account_id: int, by: By, at: datetime) -> int:
    """End all sessions of an account, which its holder wants; how many were open."""
    ended = await end_all(db, account_id, at)
    await note(db, account_id, Became.signed_out_everywhere, by, at, sessions=ended)
    return ended


async def end_all(
    db: AsyncConnection, account_id: int, at: datetime, but: int | None = None
) -> int:
    """End all sessions of an account, or all but one; how many were open."""
    others = [s.id != but] if but is not None else []
    return await _end(db, at, s.account_id == account_id, *others)


async def _end(db: AsyncConnection, at: datetime, *which: sa.ColumnElement[bool]) -> int:
    open_ones = sa.update(session).where(s.revoked_at.is_(None), *which)
    return (await db.execute(open_ones.values(revoked_at=at))).rowcount


async def forget(db: AsyncConnection, before: datetime, limit: int = 10_000) -> int:
    """Delete sessions that were over by then, so many at a time; how many it were."""
    last = sa.func.greatest(s.access_until, s.refresh_until)
    over = sa.select(s.id).where(sa.func.least(last, s.revoked_at) < before).limit(limit)
    gone = sa.delete(session).where(s.id.in_(over.with_for_update(skip_locked=True)))
    return (await db.execute(gone)).rowcount
