"""Procedures and their versions."""

from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from api.catalogue.shapes import (
    Bundled,
    Changed,
    Decided,
    Found,
    KeptVersion,
    Linted,
    ListedVersion,
    Record,
    StepTaken,
    TriedOver,
    Versions,
    Written,
)
from api.doors import At, Db, Door, Sees, Shelf, Speaks, Who, needs
from api.problems import DOCUMENTED
from api.spoken import spoken
from states.accounts.scopes import Scope
from states.catalogue import bundles, checking, difference, publishing
from states.catalogue import schema as bundle_schema
from states.catalogue.rows import Kind
from states.clock.words import Lang
from states.simulation import as_dict, may_try, simulate
from states.tongues import said

router = APIRouter(
    prefix="/v1/procedures", tags=["procedures"], route_class=Door, responses=DOCUMENTED
)
READS = [needs(Scope.catalogue_read)]
WRITES = [needs(Scope.catalogue_write)]
STEPS = ("drafted", "checked", "published", "retired")

Code = Annotated[str, Path(max_length=60, pattern=r"^[^\x00-\x1f\x7f/]+$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("", dependencies=READS)
async def list_procedures(
    book: Shelf,
    who: Who,
    at: At,
    db: Db,
    every: Annotated[bool, Query(alias="all", description="Also what binds no more.")] = False,
) -> Versions:
    """Every procedure: the version in force, and what waits to be."""
    on = book.day(at)
    rows = [listed(row, on) for row in await bundles.versions(db)]
    return Versions(versions=[row for row in rows if every or row.status != "past"])


@router.get("/schema", dependencies=READS)
async def read_procedure_schema(who: Who) -> dict[str, Any]:
    """The JSON Schema of a procedure's text."""
    return bundle_schema.procedure_schema()


@router.post("", status_code=201, dependencies=WRITES)
async def draft_procedure(sent: Bundled, book: Shelf, who: Who, at: At, db: Db) -> KeptVersion:
    """Keep a text as the draft of the version that it names."""
    return await draft(db, book, Kind.procedure, sent, who.person.id, at)


@router.get("/{code}", dependencies=READS)
async def list_procedure_versions(code: Code, book: Shelf, who: Who, at: At, db: Db) -> Versions:
    """Every version of a procedure."""
    rows = await bundles.versions(db, Kind.procedure, code)
    return Versions(versions=[listed(row, book.day(at)) for row in rows])


@router.get("/{code}/versions/{version}", dependencies=READS)
async def read_procedure_version(
    code: Code, version: Number, book: Shelf, who: Who, at: At, db: Db
) -> Record:
    """What a version says, and who drafted, checked, published and retired it."""
    row = await bundles.find(db, Kind.procedure, code, version)
    return record(row, book.day(at), bundles.says(row).model_dump(mode="json", exclude_none=True))


@router.get("/{code}/versions/{version}/text", dependencies=READS)
async def read_procedure_text(code: Code, version: Number, who: Who, db: Db) -> Written:
    """The text of a version, to the letter."""
    row = await bundles.find(db, Kind.procedure, code, version)
    return Written(code=row.code, version=row.version, text=row.text)


@router.get("/{code}/versions/{version}/difference", dependencies=READS)
async def read_procedure_difference(
    code: Code,
    version: Number,
    who: Who,
    speaks: Speaks,
    db: Db,
    since: Annotated[int, Query(ge=1, le=1_000_000, description="The version before.")],
) -> Changed:
    """What changed since another version, in sentences and as data."""
    rows = [await bundles.find(db, Kind.procedure, code, each) for each in (since, version)]
    before, after = map(bundles.says, rows)
    return Changed(
        sentences=list(difference.sentences(before, after, speaks)),
        changes=list(difference.data(before, after)),
    )


@router.post("/{code}/versions/{version}/check", dependencies=WRITES)
async def check_procedure_version(
    request: Request, code: Code, version: Number, book: Shelf, who: Who, at: At, db: Db
) -> Linted:
    """Everything that is wrong with a version; a draft without errors is checked by the caller."""
    which, language = (code, version), spoken(request)
    return await check(db, book, Kind.procedure, which, who.person.id, at, language)


@router.post("/{code}/versions/{version}/simulate", dependencies=READS)
async def simulate_procedure_version(
    code: Code, version: Number, tried: TriedOver, book: Shelf, sees: Sees, db: Db
) -> dict[str, Any]:
    """What a version would have made of the agency's closed dossiers. Nothing is written."""
    draft = bundles.says(await bundles.find(db, Kind.procedure, code, version))
    may_try(draft, sees)
    since, until = (
        datetime.combine(day, time(), book.zone) for day in (tried.since, tried.until)
    )  # fmt: skip
    other = book.calendar(tried.calendar) if tried.calendar else None
    seen = sees.where()
    return as_dict(await simulate(db, book, draft, since, until, calendar=other, seen=seen))


@router.post("/{code}/versions/{version}/publish", dependencies=WRITES)
async def publish_procedure_version(
    code: Code, version: Number, decided: Decided, book: Shelf, who: Who, at: At, db: Db
) -> KeptVersion:
    """Let a checked version bind what is received from its first day on; never one's own."""
    return await publish(db, book, Kind.procedure, (code, version), decided, who.person.id, at)


@router.post("/{code}/versions/{version}/retire", dependencies=WRITES)
async def retire_procedure_version(
    code: Code, version: Number, book: Shelf, who: Who, at: At, db: Db
) -> KeptVersion:
    """End a procedure that nothing follows; refused while dossiers run under it."""
    row = await bundles.find(db, Kind.procedure, code, version)
    await publishing.retire(db, book, row, who.person.id, at)
    return await kept(db, Kind.procedure, code, version)


# For every kind of bundle -----------------------------------------------------------------


def listed(row: Any, on: date) -> ListedVersion:
    said = bundles.says(row)
    return ListedVersion(
        code=row.code,
        version=row.version,
        status=bundles.standing(row, on),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        agency=said.agency,
        term=str(said.term),
        name=said.name.vi,
    )


def record(row: Any, on: date, says: dict[str, Any]) -> Record:
    return Record(
        code=row.code,
        version=row.version,
        status=bundles.standing(row, on),
        document=row.document,
        says=says,
        **{step: _step(row, step) for step in STEPS},
    )


def _step(row: Any, step: str) -> StepTaken | None:
    by, at = getattr(row, f"{step}_by"), getattr(row, f"{step}_at")
    return StepTaken(by=by, at=at) if by is not None else None


async def draft(
    db: Db, book: Shelf, kind: Kind, sent: Bundled, by: str, at: datetime
) -> KeptVersion:
    text = sent.text.encode()
    code, version = await publishing.draft(db, book, kind, f"{kind}.yaml", text, by, at)
    return await kept(db, kind, code, version)


async def check(
    db: Db,
    book: Shelf,
    kind: Kind,
    which: tuple[str, int],
    by: str,
    at: datetime,
    language: Lang,
) -> Linted:
    row = await bundles.find(db, kind, *which)
    linted = await publishing.check(db, book, row, by, at)
    now = await kept(db, kind, *which)
    return Linted(status=now.status, findings=[found(each, language) for each in linted.findings])


def found(each: checking.Finding, language: Lang) -> Found:
    told = {name: getattr(each, name) for name in Found.model_fields}
    words = {"why": said(each.why, language), "mend": said(each.mend, language)}
    return Found.model_validate(told | words)


async def publish(
    db: Db,
    book: Shelf,
    kind: Kind,
    which: tuple[str, int],
    decided: Decided,
    by: str,
    at: datetime,
) -> KeptVersion:
    row = await bundles.find(db, kind, *which)
    await publishing.publish(db, book, row, by, decided.document, at)
    return await kept(db, kind, *which)


async def kept(db: Db, kind: Kind, code: str, version: int) -> KeptVersion:
    row = await bundles.find(db, kind, code, version)
    return KeptVersion(code=row.code, version=row.version, status=row.status)
