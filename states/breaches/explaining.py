"""Who explains a breach, what they say, and who closes it. Nothing here commits.

Each step is a line that stays (`breach_line`); the row says how it stands. A unit may say it again
until the control unit closes it, and what it said first is in its line still.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.listing import Named, line, n, one
from states.breaches.recording import KEY, breach
from states.breaches.rows import Cause, Standing, Step
from states.catalogue import Catalogue, Person
from states.errors import BadInput, HosoError, Unknown
from states.ledger.acts import LONG, check_text
from states.people import NotHeld
from states.words import Role

log = structlog.get_logger()


class NotNow(HosoError):
    """The breach does not stand so that this could be done with it."""


async def assign(
    db: AsyncConnection, book: Catalogue, named: Named, to: str, by: str, at: datetime
) -> None:
    """Say who is to explain it, once or again. Raises `NotHeld`, `NotNow` and `Unknown`."""
    row = await _unclosed(db, named)
    who, whom, on = _person(book, by), book.person(to), book.day(at)
    place = _place(book, row.unit, on)
    if not (who.holds(Role.control, on=on) or _leads(book, who, place, on)):
        raise NotHeld(
            f"{by} is neither of the control unit nor a leader of {row.unit} or its agency: ask"
            " one who is to assign it"
        )
    if place in book.organisation.bodies and not _belongs(book, whom, place, on):
        raise NotHeld(f"{to} is not of {row.unit}, which had it: assign it to somebody who is")
    said = {"standing": Standing.assigned, "assigned_to": to}
    await _step(db, row, Step.assign, by, at, said, assigned_to=to)


async def explain(
    db: AsyncConnection,
    book: Catalogue,
    named: Named,
    cause: Cause,
    text: str,
    by: str,
    at: datetime,
) -> None:
    """Say why it came to that, for the unit that had it. Raises `BadInput`, `NotHeld`, `NotNow`."""
    if not text.strip():
        raise BadInput("an explanation needs its words: say what happened, and what was done")
    check_text("explanation", text, LONG)
    row = await _unclosed(db, named)
    who, on = _person(book, by), book.day(at)
    if by != row.assigned_to and not _belongs(book, who, _place(book, row.unit, on), on):
        raise NotHeld(
            f"{by} is not of {row.unit}, which had it, nor was it assigned to them: let somebody"
            " explain it who is"
        )
    told = {"cause": cause, "explanation": text}
    said = {"standing": Standing.explained, "explained_by": by, "explained_at": at}
    await _step(db, row, Step.explain, by, at, said | told, **told)


async def close(db: AsyncConnection, book: Catalogue, named: Named, by: str, at: datetime) -> None:
    """Be content with the explanation; nothing changes after. Raises `NotHeld` and `NotNow`."""
    row = await _unclosed(db, named)
    if not _person(book, by).holds(Role.control, on=book.day(at)):
        raise NotHeld(f"{by} is not of the control unit: it closes a breach")
    if row.ended_at is None:
        raise NotNow(f"{row.code} is late by {row.rule} still: it is closed when that has ended")
    if row.standing is not Standing.explained:
        raise NotNow(f"{row.rule} of {row.code} is {row.standing}: it is closed when explained")
    await _step(db, row, Step.close, by, at, {"standing": Standing.closed})


async def _unclosed(db: AsyncConnection, named: Named) -> Any:
    row = await one(db, named, locked=True)
    if row.standing is Standing.closed:
        raise NotNow(f"{row.rule} of {row.code} is closed: it changes no more")
    return row


async def _step(
    db: AsyncConnection,
    row: Any,
    step: Step,
    by: str,
    at: datetime,
    said: dict[str, Any],
    **told: Any,
) -> None:
    """How it stands now, and the line that stays."""
    key = {column.name: getattr(row, column.name) for column in KEY}
    same = (column == key[column.name] for column in KEY)
    await db.execute(sa.update(breach).where(*same).values(said))
    before = sa.select(sa.func.coalesce(sa.func.max(n.n), 0) + 1)
    before = before.where(*(n[name] == value for name, value in key.items()))
    new = key | {"n": before.scalar_subquery(), "step": step, "actor": by, "at": at} | told
    await db.execute(sa.insert(line).values(new))
    log.info("breach.handled", dossier=row.code, rule=row.rule, step=step, by=by)


# Who may ------------------------------------------------------------------------------------


def _person(book: Catalogue, by: str) -> Person:
    try:
        return book.person(by)
    except Unknown as error:
        raise NotHeld(f"{error}; say who acts by one of those") from None


def _place(book: Catalogue, unit: str, on: date) -> str:
    """The unit, or the one behind a service point, or who took over from it."""
    staff = book.organisation
    unit = next((each.unit for each in staff.points if each.code == unit), unit)
    return staff.heir(unit, on)


def _belongs(book: Catalogue, who: Person, place: str, on: date) -> bool:
    """What lies with an agency or the centre as a whole is everybody's there."""
    seats = {each.unit for each in who.positions if each.stands(on)}
    return place in seats | {book.organisation.agency_of(each) for each in seats}


def _leads(book: Catalogue, who: Person, place: str, on: date) -> bool:
    staff = book.organisation
    if place not in staff.bodies:
        return False
    led = {e.unit for e in who.positions if e.role is Role.leader and e.stands(on)}
    return staff.agency_of(place) in {staff.agency_of(each) for each in led}
