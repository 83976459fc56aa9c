"""Who explains a breach and until when, what they say, who closes it with what finding, and who
reopens it. Nothing here commits.

Each step is a line that stays (`breach_line`); the row says how it stands. A unit may say it again
until the control unit closes it, and what it said first is in its line still.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.listing import Named, one
from states.breaches.recording import KEY, breach, line, n
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
    db: AsyncConnection,
    book: Catalogue,
    named: Named,
    to: str,
    by: str,
    at: datetime,
    until: datetime | None = None,
) -> None:
    """Say who is to explain it and until when, once or again.

    Raises `BadInput`, `NotHeld`, `NotNow` and `Unknown`.
    """
    if until is not None and until <= at:
        raise BadInput(
            "{until:minutes} is over: give a time to explain that lies ahead",
            until=until.astimezone(book.zone),
        )
    row = await _unclosed(db, named)
    who, whom, on = _person(book, by), book.person(to), book.day(at)
    place = _place(book, row.unit, on)
    if not _may_assign(book, who, place, on):
        raise NotHeld(
            "{by} is neither of the control unit nor a leader of {unit} or its agency: ask one"
            " who is to assign it",
            by=by,
            unit=row.unit,
        )
    if place in book.organisation.bodies and not _belongs(book, whom, place, on):
        raise NotHeld(
            "{to} is not of {unit}, which had it: assign it to somebody who is",
            to=to,
            unit=row.unit,
        )
    said = {"standing": Standing.assigned, "assigned_to": to, "explain_by": until}
    await _step(db, row, Step.assign, by, at, said, assigned_to=to, until=until)


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
    if not _may_explain(book, who, row, on):
        raise NotHeld(
            "{by} is not of {unit}, which had it, nor was it assigned to them: let somebody"
            " explain it who is",
            by=by,
            unit=row.unit,
        )
    told = {"cause": cause, "explanation": text}
    said = {"standing": Standing.explained, "explained_by": by, "explained_at": at}
    await _step(db, row, Step.explain, by, at, said | told, **told)


async def close(
    db: AsyncConnection, book: Catalogue, named: Named, finding: str, by: str, at: datetime
) -> None:
    """Say what was found; nothing changes after, unless it is reopened.

    Raises `BadInput`, `NotHeld` and `NotNow`.
    """
    if not finding.strip():
        raise BadInput("a breach is closed with a finding: say what the control unit found")
    check_text("finding", finding, LONG)
    row = await _unclosed(db, named)
    _check_control(book, by, at)
    if row.ended_at is None:
        raise NotNow(
            "{code} is late by {rule} still: it is closed when that has ended",
            code=row.code,
            rule=row.rule,
        )
    if row.standing is not Standing.explained:
        raise NotNow(
            "{rule} of {code} is {standing}: it is closed when explained",
            rule=row.rule,
            code=row.code,
            standing=row.standing,
        )
    said = {"standing": Standing.closed, "finding": finding}
    await _step(db, row, Step.close, by, at, said, finding=finding)


async def reopen(
    db: AsyncConnection, book: Catalogue, named: Named, reason: str, by: str, at: datetime
) -> None:
    """Take a closing back: it is explained as it was, to be assigned anew or closed again.

    What was found first is in its line still. Raises `BadInput`, `NotHeld` and `NotNow`.
    """
    if not reason.strip():
        raise BadInput("a breach is reopened for a reason: say what has come to light")
    check_text("reason", reason, LONG)
    row = await one(db, named, locked=True)
    _check_control(book, by, at)
    if row.standing is not Standing.closed:
        raise NotNow(
            "{rule} of {code} is {standing}: only what is closed is reopened",
            rule=row.rule,
            code=row.code,
            standing=row.standing,
        )
    said = {"standing": Standing.explained, "finding": None}
    await _step(db, row, Step.reopen, by, at, said, reason=reason)


async def _unclosed(db: AsyncConnection, named: Named) -> Any:
    row = await one(db, named, locked=True)
    if row.standing is Standing.closed:
        raise NotNow(
            "{rule} of {code} is closed: it changes no more, unless the control unit reopens it",
            rule=row.rule,
            code=row.code,
        )
    if row.corrected_seq is not None:
        raise NotNow(
            "{rule} of {code} was set aside by correction (line {seq}): nobody is to explain it",
            rule=row.rule,
            code=row.code,
            seq=row.corrected_seq,
        )
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
    """The line that stays, and how it stands now: what is closed changes only by such a line."""
    key = {column.name: getattr(row, column.name) for column in KEY}
    same = (column == key[column.name] for column in KEY)
    before = sa.select(sa.func.coalesce(sa.func.max(n.n), 0) + 1)
    before = before.where(*(n[name] == value for name, value in key.items()))
    new = key | {"n": before.scalar_subquery(), "step": step, "actor": by, "at": at} | told
    await db.execute(sa.insert(line).values(new))
    await db.execute(sa.update(breach).where(*same).values(said))
    log.info("breach.handled", dossier=row.code, rule=row.rule, step=step, by=by)


# Who may ------------------------------------------------------------------------------------


def steps(book: Catalogue, row: Any, by: str, at: datetime) -> set[Step]:
    """What somebody may do about a breach as it stands: what raises nothing but for what it says.

    `row`: as `listing.one` gives it.
    """
    who, on = _person(book, by), book.day(at)
    control = who.holds(Role.control, on=on)
    if row.standing is Standing.closed:
        return {Step.reopen} if control else set()
    if row.corrected_seq is not None:
        return set()
    found = set()
    if _may_assign(book, who, _place(book, row.unit, on), on):
        found.add(Step.assign)
    if _may_explain(book, who, row, on):
        found.add(Step.explain)
    if control and row.standing is Standing.explained and row.ended_at is not None:
        found.add(Step.close)
    return found


def colleagues(book: Catalogue, unit: str, at: datetime) -> list[Person]:
    """Whom a breach of a unit can be assigned to; of a place that nobody knows, anybody."""
    on = book.day(at)
    place = _place(book, unit, on)
    if place not in book.organisation.bodies:
        return list(book.organisation.people)
    return [each for each in book.organisation.people if _belongs(book, each, place, on)]


def _may_assign(book: Catalogue, who: Person, place: str, on: date) -> bool:
    return who.holds(Role.control, on=on) or _leads(book, who, place, on)


def _may_explain(book: Catalogue, who: Person, row: Any, on: date) -> bool:
    return bool(who.id == row.assigned_to) or _belongs(book, who, _place(book, row.unit, on), on)


def _check_control(book: Catalogue, by: str, at: datetime) -> None:
    if not _person(book, by).holds(Role.control, on=book.day(at)):
        raise NotHeld("{by} is not of the control unit: it closes a breach and reopens it", by=by)


def _person(book: Catalogue, by: str) -> Person:
    try:
        return book.person(by)
    except Unknown as error:
        raise NotHeld("{error}; say who acts by one of those", error=error) from None


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
