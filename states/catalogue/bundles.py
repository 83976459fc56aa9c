"""The catalogue in the database: how it is read, and what a new database begins with.

Nothing here commits. Whoever publishes makes a new edition (`publishing`); who remembers an older
one finds that out by its number (`Latest`), or is told so by the ledger (`Outdated`).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states import calendars, clock, yaml_files
from states.catalogue import Catalogue, Version, file_of, load
from states.catalogue.organisation import Organisation
from states.catalogue.plans import Plans
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Regimes
from states.catalogue.rows import Kind, Status
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates
from states.clock import Calendar
from states.errors import Unknown
from states.sentences import Sentence

bundle = SQLModel.metadata.tables["bundle"]
b = bundle.c
BOUND = (Status.published, Status.retired)
ONE = "-"  # the code of what there is one of
ONCE = (Kind.organisation, Kind.regimes, Kind.rules, Kind.templates, Kind.plans)
SEED = "seed"  # who drafted and published what a new database begins with
EDITION = sa.text("SELECT n FROM edition")


class Latest:
    """The published catalogue, read again only when it has changed.

    With a `book` of its own it is always that one: for tests, and for what has no database.
    """

    def __init__(self, book: Catalogue | None = None) -> None:
        self._own, self._read = book, book

    async def __call__(self, db: AsyncConnection, edition: int | None = None) -> Catalogue:
        """`edition`: the present one, where it was read already. Raises `Unknown` for none."""
        if self._own is not None:
            return self._own
        edition = edition or await db.scalar(EDITION)
        if self._read is None or self._read.edition != edition:
            self._read = await read(db)
        return self._read


async def read(db: AsyncConnection) -> Catalogue:
    """The catalogue as it is published. Raises `Unknown` where nothing is."""
    edition = await db.scalar(EDITION)
    named = (b.kind, b.code, b.version, b.valid_from, b.valid_until, b.digest, b.data)
    asked = sa.select(*named).where(b.status.in_(BOUND)).order_by(b.kind, b.code, b.version)
    of: dict[Kind, dict[str, list[Any]]] = {kind: {} for kind in Kind}
    for row in await db.execute(asked):
        of[row.kind].setdefault(row.code, []).append(row)
    if not all(of[kind] for kind in ONCE):
        raise Unknown("the database has no catalogue yet: run `hoso migrate`, or `hoso up`")
    return Catalogue(
        organisation=Organisation.model_validate_json(of[Kind.organisation][ONE][-1].data),
        regimes=Regimes.model_validate_json(of[Kind.regimes][ONE][-1].data),
        rules=Rules.model_validate_json(of[Kind.rules][ONE][-1].data),
        templates=Templates.model_validate_json(of[Kind.templates][ONE][-1].data),
        plans=Plans.model_validate_json(of[Kind.plans][ONE][-1].data),
        versions={code: tuple(map(_version, each)) for code, each in of[Kind.procedure].items()},
        calendars={
            name: tuple((row.digest, partial(_calendar, row.data)) for row in each)
            for name, each in of[Kind.calendar].items()
        },
        edition=edition,
    )


def _version(row: Any) -> Version:
    return Version(row.version, row.valid_from, row.valid_until, partial(_procedure, row.data))


@lru_cache(maxsize=4096)
def _procedure(data: str) -> Procedure:
    return Procedure.model_validate_json(data)


@lru_cache(maxsize=64)
def _calendar(data: str) -> Calendar:
    return clock.restore(data)


async def find(db: AsyncConnection, kind: Kind, code: str, version: int | None = None) -> Any:
    """The row of one version, in whatever status; the last when None. Raises `Unknown`."""
    asked = sa.select(bundle).where(b.kind == kind, b.code == code)
    if version is not None:
        asked = asked.where(b.version == version)
    found = (await db.execute(asked.order_by(b.version.desc()).limit(1))).one_or_none()
    if found is None:
        which = Sentence(" version {version}", version=version) if version is not None else ""
        named = f" {code[:40]}" if kind not in ONCE else ""
        raise Unknown(
            "there is no {kind}{named}{which}: {listing}",
            kind=kind,
            named=named,
            which=which,
            listing=_listing(kind),
        )
    return found


def _listing(kind: Kind) -> Sentence:
    if kind in ONCE:
        return Sentence("list what there is first")
    return Sentence("list what there is first with `hoso {kinds} list`", kinds=f"{kind}s")


async def versions(
    db: AsyncConnection, kind: Kind = Kind.procedure, code: str | None = None
) -> Sequence[Any]:
    """The rows of every version, in order of code and number. Raises `Unknown` for no such code."""
    asked = sa.select(bundle).where(b.kind == kind).order_by(b.code, b.version)
    if code is None:
        return (await db.execute(asked)).all()
    if not (found := (await db.execute(asked.where(b.code == code))).all()):
        raise Unknown(
            "there is no {kind} {code}: {listing}",
            kind=kind,
            code=code[:40],
            listing=_listing(kind),
        )
    return found


async def in_force(db: AsyncConnection, code: str, on: date) -> int | None:
    """The number of a procedure's version that binds on a day, if any does."""
    rows = await versions(db, Kind.procedure, code)
    return next((each.version for each in rows if standing(each, on) == IN_FORCE), None)


def says(row: Any) -> Procedure:
    """What the row of a procedure says."""
    return _procedure(row.data)


def named(row: Any) -> Sentence:
    """A version as sentences call it."""
    if row.kind is Kind.procedure:
        return Sentence("version {version} of {code}", version=row.version, code=row.code)
    return Sentence("version {version} of the {kind}", version=row.version, kind=row.kind)


IN_FORCE = "in force"


def standing(row: Any, on: date) -> str:
    """draft, checked, coming, in force or past: what a version is to who stands at the counter."""
    if row.status not in BOUND:
        return str(row.status)
    if on < row.valid_from:
        return "coming"
    return "past" if row.valid_until is not None and row.valid_until < on else IN_FORCE


def row_of(kind: Kind, code: str, version: int, text: str, data: str) -> dict[str, Any]:
    """The columns that say what a bundle says."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return dict(kind=kind, code=code, version=version, text=text, data=data, digest=digest)


def as_data(document: yaml_files.Document) -> str:
    """What a file says, as the models read it again."""
    return json.dumps(document.data, ensure_ascii=False)


# From nothing -----------------------------------------------------------------------------


async def seed(db: AsyncConnection, at: datetime, folder: Path | None = None) -> bool:
    """Publish a folder's catalogue (default: the sample) where there is none; whether it did.

    What a later version of hoso added to it, such as rules, is added to one that is there.

    Raises `BadFile` for a file that is wrong.
    """
    await db.execute(sa.text("UPDATE edition SET n = n"))  # two that begin at once: one waits
    there = set((await db.execute(sa.select(b.kind).distinct())).scalars())
    if not (lacking := [kind for kind in ONCE if kind not in there]):
        return False
    rows = [_of_file(file_of(kind, folder), kind, ONE) for kind in lacking]
    if Kind.organisation in lacking:
        rows += _rest(folder)
    who = dict(drafted_by=SEED, checked_by=SEED, published_by=SEED, document=SEED)
    when = dict(drafted_at=at, checked_at=at, published_at=at, status=Status.published)
    await db.execute(sa.insert(bundle), [row | who | when for row in rows])
    await db.execute(sa.text("UPDATE edition SET n = n + 1"))
    return True


def _rest(folder: Path | None) -> list[dict[str, Any]]:
    """Calendars and procedures."""
    book, rows = load(folder), []
    place: Traversable = folder or resources.files("config") / "sample"
    for name in book.calendars:
        text = yaml_files.content(place / "calendars" / f"{name}.yaml").decode()
        rows.append(calendar_row(calendars.load(name, folder), 1, text))
    for code, each in book.procedures.items():
        row = _of_file(place / "procedures" / f"{code}.yaml", Kind.procedure, code, each.version)
        rows.append(row | {"valid_from": each.valid_from, "valid_until": each.valid_until})
    return rows


def calendar_row(made: Calendar, version: int, text: str) -> dict[str, Any]:
    """A calendar's columns: `data` are its days, `digest` the version that dossiers name."""
    row = row_of(Kind.calendar, made.name, version, text, clock.dump(made))
    return row | {"digest": made.version, "valid_from": made.first, "valid_until": None}


def _of_file(file: Traversable, kind: Kind, code: str, version: int = 1) -> dict[str, Any]:
    raw = yaml_files.content(file)
    data = as_data(yaml_files.parse(str(file), raw))
    return row_of(kind, code, version, raw.decode(), data) | ALWAYS


ALWAYS = {"valid_from": date(1950, 1, 1), "valid_until": None}
