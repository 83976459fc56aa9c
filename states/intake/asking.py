"""Imports that are asked for, and what there is of them. Nothing here commits.

The same file, by the same map, for the same agencies is the same import, whoever asks for it.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from states import yaml_files
from states.catalogue import Catalogue
from states.errors import NotYours, Unknown
from states.files.rows import file
from states.files.store import Received
from states.intake.agencies import admitting
from states.intake.mapping import Map
from states.intake.rows import ImportState, RowResult, handed, intake, intake_row
from states.ledger import WAKE
from states.pages import Page, page
from states.people import Caller
from states.sight import WIDE, Sight

MAP = "map"  # what faults of the map are said to be in
i, r, f, h = intake.c, intake_row.c, file.c, handed.c
TOLD = sa.select(intake, f.size).join_from(intake, file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that was handed in, as it was named, and the map that says what it means."""

    name: str
    sha256: bytes
    map: str


class Asked(NamedTuple):
    """An import, and whether nobody asked for it before."""

    row: dict[str, Any]
    new: bool


def mapped(text: str) -> Map:
    """Raises `BadFile`."""
    return yaml_files.validate(Map, yaml_files.parse(MAP, text.encode()))


# Who may ----------------------------------------------------------------------------------


def check_right(who: Caller) -> None:
    """Raises `NotYours`."""
    if who.role not in WIDE:
        raise NotYours(
            "a {role} brings in no dossiers: ask a leader or the control unit", role=who.role
        )


def allowed(who: Caller, sees: Sight) -> list[str] | None:
    """The agencies whose dossiers somebody may bring in; None: everybody's. Raises `NotYours`."""
    check_right(who)
    return None if sees.all else sorted(sees.agencies)


def check_map(book: Catalogue, by: Map, agencies: Collection[str] | None) -> None:
    """What is wrong with it for every row is told at once. Raises `BadInput`, `NotYours`."""
    if by.calendar is not None:
        book.calendar(by.calendar)
    if agencies is not None and by.other_agencies:
        raise NotYours(
            "`other_agencies` brings in dossiers of others than {agencies}: ask the control unit",
            agencies=list(agencies),
        )
    admitting(by, book.agencies)


# In ---------------------------------------------------------------------------------------


async def reserve(db: AsyncConnection, received: Received[Any], by: str, at: datetime) -> None:
    """Enter a file before it is put in its place; committed by itself, so that a sweep finds it.

    Whoever handed in the same bytes before has them still.
    """
    again = {"at": at, "by": by}
    row = {"sha256": received.sha256, "size": received.size, "type": received.kind} | again
    new = insert(file).values(row)
    await db.execute(new.on_conflict_do_update(index_elements=[f.sha256], set_=again))
    own = insert(handed).values(sha256=received.sha256, by=by, at=at)
    await db.execute(own.on_conflict_do_update(index_elements=[h.sha256, h.by], set_={"at": at}))


async def check_handed(db: AsyncConnection, who: Caller, sha256: bytes) -> None:
    """Whether somebody handed it in themselves: who knows its hash alone does not have it.

    Raises `Unknown`.
    """
    found = sa.select(f.sha256).join_from(file, handed)
    found = found.where(f.sha256 == sha256, h.by == who.person.id)
    if await db.scalar(found.with_for_update(key_share=True, of=file)) is None:
        raise Unknown(
            "you handed in no file {sha256}: PUT it to /v1/imports/files first",
            sha256=sha256.hex(),
        )


async def ask(
    db: AsyncConnection, book: Catalogue, who: Caller, sees: Sight, wanted: Wanted, at: datetime
) -> Asked:
    """Queue an import; one that failed is tried again. Raises what the checks raise."""
    agencies = allowed(who, sees)
    check_map(book, await asyncio.to_thread(mapped, wanted.map), agencies)
    await check_handed(db, who, wanted.sha256)
    said = json.dumps([wanted.sha256.hex(), wanted.map, agencies])
    row = {
        "digest": hashlib.sha256(said.encode()).digest(),
        "sha256": wanted.sha256,
        "name": wanted.name,
        "map": wanted.map,
        "agencies": agencies,
        "asked_by": who.person.id,
        "asked_at": at,
        "state": ImportState.queued,
    } | dict.fromkeys(("read", "items", "taken", "known", "refused", "activities", "noted"), 0)
    made = insert(intake).values(row).on_conflict_do_nothing(index_elements=[i.digest])
    new = await db.scalar(made.returning(i.id))
    again = {"state": ImportState.queued, "error": None, "ended_at": None}
    if new is None:
        failed = (i.digest == row["digest"]) & (i.state == ImportState.failed)
        await db.execute(sa.update(intake).where(failed).values(again))
    await db.execute(sa.select(sa.func.pg_notify(WAKE, "")))
    found = (await db.execute(TOLD.where(i.digest == row["digest"]))).mappings().one()
    return Asked(dict(found), new is not None)


# Out --------------------------------------------------------------------------------------


def seen(agencies: Collection[str] | None) -> sa.ColumnElement[bool]:
    """Those that somebody might have asked for who may bring in dossiers of these."""
    if agencies is None:
        return sa.true()
    mine = sa.cast(list(agencies), ARRAY(sa.String))
    return cast("sa.ColumnElement[bool]", i.agencies.contained_by(mine))


async def part(
    db: AsyncConnection,
    agencies: Collection[str] | None,
    cursor: str | None,
    limit: int,
    state: ImportState | None = None,
) -> Page:
    """A page of imports, the last asked for first."""
    asked = TOLD.where(seen(agencies))
    if state is not None:
        asked = asked.where(i.state == state)
    return await page(db, asked, (i.id,), cursor, limit, newest=True)


async def one(
    db: AsyncConnection, agencies: Collection[str] | None, number: int
) -> dict[str, Any]:  # fmt: skip
    """Raises `Unknown`."""
    found = (await db.execute(TOLD.where(i.id == number, seen(agencies)))).mappings().one_or_none()
    if found is None:
        raise Unknown("there is no import {number}", number=number)
    return dict(found)


async def rows(
    db: AsyncConnection,
    number: int,
    cursor: str | None,
    limit: int,
    result: RowResult | None = None,
) -> Page:
    """A page of what became of its dossiers, in the order of the file."""
    asked = sa.select(intake_row).where(r.intake_id == number)
    if result is not None:
        asked = asked.where(r.result == result)
    return await page(db, asked, (r.n,), cursor, limit)
