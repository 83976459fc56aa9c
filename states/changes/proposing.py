"""Change sets proposed: by whom, and by which rule not. Nothing here commits or moves a dossier."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states import calendars
from states.calendars.changing import check_reach, differences
from states.catalogue import Catalogue, Procedure
from states.catalogue.bundles import BOUND, b, bundle, calendar_row
from states.catalogue.organisation import Person
from states.catalogue.rights import NoRight, NotAllowed, may_decide
from states.catalogue.rows import Dates
from states.catalogue.rows import Kind as Of
from states.catalogue.rows import Status as Stage
from states.changes.applying import LOCK, acting_role, c, change
from states.changes.rows import RUNNING, Kind, Status
from states.clock import Calendar
from states.errors import BadInput
from states.ledger.acts import LONG, check_text

Texts = Mapping[str, str]


async def propose_calendar(
    db: AsyncConnection,
    book: Catalogue,
    name: str,
    text: bytes,
    *,
    dates: Dates,
    restates: bool,
    reason: str,
    ground: str,
    by: str,
    at: datetime,
) -> int:
    """Propose another text of a calendar; those that inherit from it follow.

    `dates`: what becomes of dates already promised; `restates`: whether closed dossiers are read
    again. Raises `BadFile`, `BadInput` and `NotAllowed`.
    """
    check_said(reason, ground)
    may_propose(book, by, Kind.calendar, at)
    # What is no calendar is told with its line; a long one takes a thread half a second.
    await asyncio.to_thread(calendars.parse, text, name)
    await in_turn(db)
    texts = {**await texts_of(db), name: text.decode()}
    raws = {each: said.encode() for each, said in texts.items()}
    made = {each: calendars.built(each, raws) for each in [name, *calendars.heirs(name, raws)]}
    for calendar in made.values():
        check_reach(calendar, book.day(at))
    days = _days(book, made)
    if not days and name in book.calendars:
        raise BadInput(
            "nothing of calendar {name} would change: say which day works or is off", name=name
        )
    await _free(db, made)
    for each, calendar in made.items():
        await _draft(db, calendar, texts[each], dates, by, at)
    says = {
        "calendars": {each: calendar.version for each, calendar in made.items()},
        "dates": dates,
        "restates": restates,
        "first": min(days, default=book.day(at)).isoformat(),
        "last": max(days, default=book.day(at)).isoformat(),
    }
    return await _propose(db, Kind.calendar, name, says, reason, ground, by, at)


def _days(book: Catalogue, made: Mapping[str, Calendar]) -> set[date]:
    """The days that are decided otherwise; both ends where hours, zone or reach changed at all."""
    days: set[date] = set()
    for name, calendar in made.items():
        for each in differences(book.calendar(name), calendar) if name in book.calendars else ():
            days |= {each.day} if each.day else {calendar.first, calendar.last}
    return days


async def texts_of(db: AsyncConnection) -> Texts:
    """The text of every calendar in force."""
    asked = sa.select(b.code, b.text).where(b.kind == Of.calendar, b.status.in_(BOUND))
    return {row.code: row.text for row in await db.execute(asked.order_by(b.code, b.version))}


async def _free(db: AsyncConnection, made: Mapping[str, Calendar]) -> None:
    """Raises `NotAllowed` when another proposal speaks of one of these calendars."""
    asked = sa.select(c.id, c.says).where(c.kind == Kind.calendar, c.status.in_(RUNNING))
    for row in await db.execute(asked):
        if both := sorted(set(row.says["calendars"]) & set(made)):
            raise NotAllowed(
                "change {id} is about calendar {both} too: approve, reject or apply that one first",
                id=row.id,
                both=both[0],
            )


async def _draft(
    db: AsyncConnection, made: Calendar, text: str, dates: Dates, by: str, at: datetime
) -> None:
    last = sa.select(sa.func.coalesce(sa.func.max(b.version), 0))
    last = last.where(b.kind == Of.calendar, b.code == made.name)
    version = int(await db.scalar(last) or 0) + 1
    drafted = {"status": Stage.draft, "drafted_by": by, "drafted_at": at, "dates": dates}
    await db.execute(sa.insert(bundle).values(calendar_row(made, version, text) | drafted))


async def propose_migration(
    db: AsyncConnection,
    book: Catalogue,
    code: str,
    to: int,
    *,
    stages: Mapping[str, str],
    overrides: bool,
    reason: str,
    ground: str,
    by: str,
    at: datetime,
) -> int:
    """Propose that running dossiers go on under a published version.

    `stages`: which stage of the new version stands for one of the old, where the codes differ.
    `overrides`: citizens may lose a promised date, by this ground and the second person's word.
    """
    check_said(reason, ground)
    may_propose(book, by, Kind.version, at)
    await in_turn(db)
    new = book.procedure(code, to)
    may_decide(book, by, at, new.agency)
    if new.valid_from > book.day(at):
        raise NotAllowed(
            "version {to} of {code} begins on {valid_from:%d/%m/%Y}: dossiers are moved to it"
            " from then on",
            to=to,
            code=new.code,
            valid_from=new.valid_from,
        )
    _check_mapped(book, new, stages)
    says = {"to": to, "stages": dict(stages), "overrides": overrides}
    return await _propose(db, Kind.version, new.code, says, reason, ground, by, at)


def _check_mapped(book: Catalogue, new: Procedure, stages: Mapping[str, str]) -> None:
    """Raises `BadInput` where there is nothing to come from, or no such stage on either side."""
    older = [each.says() for each in book.versions[new.code] if each.number < new.version]
    if not older:
        raise BadInput(
            "no version of {code} is older than {version}: nothing would move",
            code=new.code,
            version=new.version,
        )
    had = dict.fromkeys(stage.code for each in older for stage in each.stages)
    has = [stage.code for stage in new.stages]
    if strange := sorted(set(stages.values()) - set(has)):
        raise BadInput(
            "version {version} of {code} has no stage {strange}: it has {has}",
            version=new.version,
            code=new.code,
            strange=strange[0][:40],
            has=[*has],
        )
    if strange := sorted(set(stages) - set(had)):
        raise BadInput(
            "no version of {code} before {version} has a stage {strange}: there were {had}",
            code=new.code,
            version=new.version,
            strange=strange[0][:40],
            had=[*had],
        )


def may_propose(book: Catalogue, by: str, kind: Kind, at: datetime) -> None:
    """Raises `NoRight`."""
    role = acting_role(book, by, kind, at)
    if not book.person(by).holds(role, on=book.day(at)):
        if kind is Kind.calendar:
            raise NoRight("{by} is not of the control unit: ask one who is to propose it", by=by)
        raise NoRight(
            "{by} is not a leader or of the control unit: ask one who is to propose it", by=by
        )


def proposers(book: Catalogue, kind: Kind, at: datetime) -> list[Person]:
    """Who may propose a change of that kind."""
    people = book.organisation.people
    return [each for each in people if _proposes(book, each.id, kind, at)]


def _proposes(book: Catalogue, by: str, kind: Kind, at: datetime) -> bool:
    try:
        may_propose(book, by, kind, at)
    except NoRight:
        return False
    return True


def check_said(reason: str, ground: str) -> None:
    """Raises `BadInput` for what no entry could keep."""
    if not reason.strip() or not ground.strip():
        raise BadInput("a change set needs its reason and the document that decides it")
    check_text("reason", reason, LONG)
    check_text("ground", ground, LONG)


async def check_none_open(db: AsyncConnection, kind: Kind, subject: str) -> None:
    """Raises `NotAllowed` while another change set of the same is under way."""
    running = sa.select(c.id).where(c.kind == kind, c.subject == subject, c.status.in_(RUNNING))
    if (other := await db.scalar(running)) is not None:
        raise NotAllowed(
            "change {other} of {subject} is still open: approve, reject or apply it",
            other=other,
            subject=subject,
        )


async def in_turn(db: AsyncConnection) -> None:
    """One proposes at a time: the second waits here, and then finds the first's proposal."""
    await db.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK, 0)))


async def _propose(
    db: AsyncConnection,
    kind: Kind,
    subject: str,
    says: dict[str, Any],
    reason: str,
    ground: str,
    by: str,
    at: datetime,
) -> int:
    await check_none_open(db, kind, subject)
    new = {
        "kind": kind,
        "subject": subject,
        "says": says,
        "reason": reason,
        "ground": ground,
        "status": Status.proposed,
        "proposed_by": by,
        "proposed_at": at,
        "moved": 0,
        "stayed": 0,
        "refused": 0,
    }
    return int(await db.scalar(sa.insert(change).values(new).returning(c.id)) or 0)
