"""Calendars, and change sets: what moves running dossiers, seen before it binds."""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api import calendar_year
from api.catalogue.shapes import Change, Changes, Correction, Foreseen, Moved, Proposed
from api.doors import At, Db, Door, Sees, Shelf, Who, needs
from api.problems import DOCUMENTED
from states import calendars
from states.accounts.scopes import Scope
from states.calendars import Override
from states.calendars.editing import with_exception, without_exception
from states.catalogue import bundles
from states.catalogue.rows import Dates as Policy
from states.catalogue.rows import Kind
from states.changes import applying, deciding, preview, proposing
from states.changes.rows import RUNNING
from states.errors import BadInput, Unknown

router = APIRouter(tags=["calendars"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.catalogue_read)]
WRITES = [needs(Scope.catalogue_write)]
SHOWN = 200  # dossiers of a change set that are told; all are counted

Name = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9-]*$")]
Year = Annotated[int, Path(ge=1950, le=2200)]
Number = Annotated[int, Path(ge=1, le=2_000_000_000)]


class KeptCalendar(BaseModel):
    """A calendar that is kept."""

    name: str
    version: str
    first: date
    last: date


class Calendars(BaseModel):
    """The calendars there are."""

    calendars: list[KeptCalendar]


class CalendarVersion(BaseModel):
    """A version of a calendar: `digest` as dossiers and traces name it."""

    version: int
    digest: str
    status: str
    dates: str | None
    document: str | None
    drafted_by: str
    published_by: str | None
    published_at: datetime | None


class CalendarVersions(BaseModel):
    """Every version of a calendar."""

    versions: list[CalendarVersion]


@router.get("/v1/calendars", dependencies=READS)
async def list_calendars(book: Shelf, who: Who) -> Calendars:
    """The calendars in force, each with the days it reaches."""
    made = [book.calendar(name) for name in sorted(book.calendars)]
    return Calendars(
        calendars=[
            KeptCalendar(name=each.name, version=each.version, first=each.first, last=each.last)
            for each in made
        ]
    )


@router.get("/v1/calendars/{name}/versions", dependencies=READS)
async def list_calendar_versions(name: Name, who: Who, db: Db) -> CalendarVersions:
    """Every version, who decided it and by which document."""
    rows = await bundles.versions(db, Kind.calendar, name)
    return CalendarVersions(
        versions=[
            CalendarVersion.model_validate(
                {field: getattr(row, field) for field in CalendarVersion.model_fields}
            )
            for row in rows
        ]
    )


@router.get("/v1/calendars/{name}/years/{year}", dependencies=READS)
async def read_calendar_year(
    name: Name, year: Year, book: Shelf, who: Who, db: Db
) -> dict[str, Any]:
    """A year at a glance, with what decided each day that is not as its weekday."""
    texts, made = await proposing.texts_of(db), _calendar(book, name)
    if not made.first.year <= year <= made.last.year:
        raise Unknown(
            "calendar {name} reaches from {year} to {made_last_year}",
            name=name,
            year=made.first.year,
            made_last_year=made.last.year,
        )
    files = {each: calendars.parse(text.encode()) for each, text in texts.items()}
    exceptions = calendars.resolve(name, files.__getitem__).overrides
    return calendar_year.year_json(made, year, exceptions)


@router.post("/v1/calendars/{name}/changes", status_code=201, dependencies=WRITES)
async def propose_calendar_change(
    name: Name, asked: Correction, book: Shelf, who: Who, at: At, db: Db
) -> Proposed:  # fmt: skip
    """Propose days decided otherwise; a second person approves, a worker applies."""
    texts = await proposing.texts_of(db)
    text = asked.text.encode() if asked.text else _edited(texts, name, asked, book.day(at))
    number = await proposing.propose_calendar(
        db,
        book,
        name,
        text,
        dates=Policy(asked.dates),
        restates=asked.restates,
        reason=asked.reason,
        ground=asked.document,
        by=who.person.id,
        at=at,
    )
    return Proposed(change=number)


def _calendar(book: Shelf, name: str) -> Any:
    if name not in book.calendars:
        raise Unknown(
            "there is no calendar {name}: known are {calendars}",
            name=name,
            calendars=sorted(book.calendars),
        )
    return book.calendar(name)


def _edited(texts: Any, name: str, asked: Correction, today: date) -> bytes:
    if name not in texts:
        raise Unknown(
            "there is no calendar {name}: known are {texts}", name=name, texts=sorted(texts)
        )
    if not (asked.off or asked.work or asked.withdraw):
        raise BadInput("say which days become off, are worked or withdrawn, or send a text")
    if asked.replaces and not asked.work:
        raise BadInput("`replaces` says whose hours a worked day has: name the day in `work`")
    said = Override(
        works=False,
        vi=asked.reason,
        en=asked.reason_en or asked.reason,
        source=asked.document,
        issued=asked.issued,
        recorded=today,
        verified=False,
    )
    text: bytes = texts[name].encode()
    for day in asked.withdraw:
        text = without_exception(text, day)
    for day in asked.off:
        text = with_exception(text, day, said, overrule=asked.overrule)
    worked = replace(said, works=True, replaces=asked.replaces)
    for day in asked.work:
        text = with_exception(text, day, worked, overrule=asked.overrule)
    return text


# Change sets ------------------------------------------------------------------------------


@router.get("/v1/changes", dependencies=READS, tags=["changes"])
async def list_changes(who: Who, db: Db) -> Changes:
    """All change sets, the newest first."""
    return Changes(changes=[Change.model_validate(row) for row in await deciding.every(db)])


@router.post("/v1/changes", status_code=201, dependencies=WRITES, tags=["changes"])
async def propose_migration(asked: Moved, book: Shelf, who: Who, at: At, db: Db) -> Proposed:
    """Propose that running dossiers go on under a newer version of their procedure."""
    number = await proposing.propose_migration(
        db,
        book,
        asked.procedure,
        asked.version,
        stages=asked.stages,
        overrides=asked.overrides,
        reason=asked.reason,
        ground=asked.document,
        by=who.person.id,
        at=at,
    )
    return Proposed(change=number)


@router.get("/v1/changes/{number}", dependencies=READS, tags=["changes"])
async def read_change(number: Number, book: Shelf, sees: Sees, at: At, db: Db) -> Foreseen:
    """What a change set will do to the dossiers that the caller may see: every effect counted, the
    first dossiers told.
    """
    row = await deciding.find(db, number)
    told: dict[str, Any] = {"counts": {}, "dossiers": []}
    if row.status in RUNNING:
        as_it_will_be = await deciding.as_proposed(db, book, row)
        plan = applying.planned(row, as_it_will_be, at)
        plan = replace(plan, where=plan.where & sees.where())
        seen = await preview.foreseen(db, as_it_will_be, plan, SHOWN)
        told = {"counts": seen.counts, "dossiers": [asdict(each) for each in seen.items]}
    days = [_day(each) for each in await deciding.days(db, row)]
    return Foreseen.model_validate({**deciding.told(row), **told, "days": days})


def _day(day: Any) -> dict[str, Any]:
    return {"day": day.day, "was": day.was, "now": day.now, "note": day.note}


@router.post("/v1/changes/{number}/approve", dependencies=WRITES, tags=["changes"])
async def approve_change(number: Number, book: Shelf, who: Who, at: At, db: Db) -> Change:
    """Let it bind; never one's own. A worker applies it."""
    await deciding.approve(db, book, number, who.person.id, at)
    return await _told(db, number)


@router.post("/v1/changes/{number}/reject", dependencies=WRITES, tags=["changes"])
async def reject_change(number: Number, book: Shelf, who: Who, at: At, db: Db) -> Change:
    """Drop a proposal."""
    await deciding.reject(db, book, number, who.person.id, at)
    return await _told(db, number)


@router.post("/v1/changes/{number}/undo", dependencies=WRITES, tags=["changes"])
async def undo_change(number: Number, book: Shelf, who: Who, at: At, db: Db) -> Change:
    """Have a migration taken back, for every dossier that nobody has moved since."""
    await deciding.undo(db, book, number, who.person.id, at)
    return await _told(db, number)


async def _told(db: Db, number: int) -> Change:
    return Change.model_validate(deciding.told(await deciding.find(db, number)))
