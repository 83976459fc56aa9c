"""Change sets looked up, approved, rejected and taken back. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states import calendars, clock
from states.calendars.changing import Difference, differences
from states.catalogue import Catalogue
from states.catalogue.bundles import BOUND, b, bundle
from states.catalogue.publishing import alone, key
from states.catalogue.rights import NotAllowed, may_decide
from states.catalogue.rows import Kind as Of
from states.catalogue.rows import Status as Stage
from states.changes.applying import c, change
from states.changes.proposing import check_none_open, in_turn, texts_of
from states.changes.rows import Kind, Status
from states.clock import Calendar
from states.errors import Unknown
from states.ledger.acts import LONG, check_text
from states.ledger.statements import WAKE

MOST = 1 << 31  # the number is also that of a lock

# Read -------------------------------------------------------------------------------------


async def find(db: AsyncConnection, number: int, *, locked: bool = False) -> Any:
    """The row of a change set. Raises `Unknown`."""
    asked = sa.select(change).where(c.id == number)
    asked = asked.with_for_update() if locked else asked
    found = (await db.execute(asked)).one_or_none() if 0 < number < MOST else None
    if found is None:
        raise Unknown("there is no change {number}: `hoso changes list` names them", number=number)
    return found


async def every(db: AsyncConnection) -> list[dict[str, Any]]:
    """All change sets by the names of their columns, the newest first."""
    rows = (await db.execute(sa.select(change).order_by(c.id.desc()))).all()
    return [told(row) for row in rows]


def told(row: Any) -> dict[str, Any]:
    """A change set by the names of its columns."""
    return {name: getattr(row, name) for name in c.keys()}  # noqa: SIM118  columns


async def as_proposed(db: AsyncConnection, book: Catalogue, row: Any) -> Catalogue:
    """The catalogue as it will be with the calendars of a change set."""
    if row.kind is not Kind.calendar or row.status is not Status.proposed:
        return book
    more = dict(book.calendars)
    for draft in await _drafts(db, row):
        made = (draft.digest, partial(_same, clock.restore(draft.data)))
        more[draft.code] = (*more.get(draft.code, ()), made)
    return replace(book, calendars=more)


def _same(made: Calendar) -> Calendar:
    """Restored once, and not for each dossier again."""
    return made


async def days(db: AsyncConnection, row: Any) -> list[Difference]:
    """The days that a calendar's change set decides otherwise; of a rejected one none is kept."""
    if row.kind is not Kind.calendar or row.status is Status.rejected:
        return []
    of = sa.select(b.version, b.data).where(b.kind == Of.calendar, b.code == row.subject)
    # Of a day withdrawn again, two versions say the same: its own began when it was approved.
    its = b.published_at == row.decided_at if row.decided_at else b.status.not_in(BOUND)
    its &= b.digest == row.says["calendars"][row.subject]
    new = (await db.execute(of.where(its))).one()
    last = of.where(b.version < new.version, b.status.in_(BOUND)).order_by(b.version.desc())
    old = (await db.execute(last.limit(1))).one_or_none()
    return differences(clock.restore(old.data), clock.restore(new.data)) if old else []


async def _drafts(db: AsyncConnection, row: Any) -> Sequence[Any]:
    named = sa.tuple_(b.code, b.digest).in_(list(row.says["calendars"].items()))
    asked = sa.select(bundle).where(b.kind == Of.calendar, named, b.status.not_in(BOUND))
    return (await db.execute(asked)).all()


# Decide -----------------------------------------------------------------------------------


async def approve(db: AsyncConnection, book: Catalogue, number: int, by: str, at: datetime) -> Any:
    """Let it bind: its calendars are in force from now on, and its dossiers will be moved.

    Raises `NotAllowed`: nobody approves what they proposed.
    """
    row = await _proposed(db, number)
    may_decide(book, by, at, agency_of(book, row))
    if by == row.proposed_by:
        raise NotAllowed(
            "{by} proposed change {number}: a second person approves it", by=by, number=number
        )
    if row.kind is Kind.calendar:
        await alone(db, book)
        await _check_up_to_date(db, row)
        published = {"status": Stage.published, "published_by": by, "published_at": at}
        published |= {"checked_by": by, "checked_at": at, "document": row.ground}
        for draft in await _drafts(db, row):
            await db.execute(sa.update(bundle).where(*key(draft)).values(published))
    said = {"status": Status.approved, "decided_by": by, "decided_at": at}
    await db.execute(sa.update(change).where(c.id == number).values(said))
    await db.execute(sa.select(sa.func.pg_notify(WAKE, "")))
    return await find(db, number)


def agency_of(book: Catalogue, row: Any) -> str | None:
    """Whose change it is: the procedure's agency; None for a calendar, which many share."""
    return book.procedure(row.subject).agency if row.kind is Kind.version else None


async def _check_up_to_date(db: AsyncConnection, row: Any) -> None:
    """Raises `NotAllowed` where another text makes other calendars of it than were seen."""
    drafts = {draft.code: draft.text for draft in await _drafts(db, row)}
    raws = {name: text.encode() for name, text in {**await texts_of(db), **drafts}.items()}
    line = [row.subject, *calendars.heirs(row.subject, raws)]
    if {each: calendars.built(each, raws).version for each in line} != row.says["calendars"]:
        raise NotAllowed(
            "a calendar that inherits, or is inherited from, has changed since: reject change"
            " {id} and propose it again",
            id=row.id,
        )


async def reject(
    db: AsyncConnection,
    book: Catalogue,
    number: int,
    by: str,
    at: datetime,
    why: str | None = None,
) -> None:
    """Drop a proposal; who made it may do so too. The row stays, and the reason in it."""
    row = await _proposed(db, number)
    if by != row.proposed_by:
        may_decide(book, by, at, agency_of(book, row))
    for draft in await _drafts(db, row) if row.kind is Kind.calendar else ():
        await db.execute(sa.delete(bundle).where(*key(draft)))
    said = {"status": Status.rejected, "decided_by": by, "decided_at": at}
    if why is not None:
        check_text("reason", why, LONG)
        said["says"] = row.says | {"rejected": why}
    await db.execute(sa.update(change).where(c.id == number).values(said))


async def _proposed(db: AsyncConnection, number: int) -> Any:
    row = await find(db, number, locked=True)
    if row.status is not Status.proposed:
        raise NotAllowed("change {number} is {status} already", number=number, status=row.status)
    return row


async def undo(db: AsyncConnection, book: Catalogue, number: int, by: str, at: datetime) -> None:
    """Have a migration taken back, where nobody has moved the dossier since.

    A corrected calendar is taken back by correcting it again: dates were told to citizens.
    Raises `NotAllowed` while another of the same is under way.
    """
    await in_turn(db)
    row = await find(db, number, locked=True)
    if row.kind is Kind.calendar:
        raise NotAllowed(
            "a calendar is not taken back: propose the day as it was, with its document"
        )
    if row.status is not Status.applied:
        raise NotAllowed(
            "change {number} is {status}: only an applied one is taken back",
            number=number,
            status=row.status,
        )
    may_decide(book, by, at, agency_of(book, row))
    await check_none_open(db, row.kind, row.subject)
    said = {"status": Status.undoing, "undone_by": by, "moved": 0, "stayed": 0, "refused": 0}
    await db.execute(sa.update(change).where(c.id == number).values(said))
    await db.execute(sa.select(sa.func.pg_notify(WAKE, "")))
