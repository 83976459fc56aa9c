"""Before a file is taken in: a first map for it, and what an import by a map would read.

Nothing is written here.
"""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.doors import Door, Sees, Shelf, Who, needs
from api.imports.shapes import PREFIX, File, Mapped, decoded
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.intake import exports
from states.intake.agencies import within
from states.intake.asking import allowed, check_map, check_right, mapped
from states.intake.trial import Trial, suggested, tried

router = APIRouter(prefix=PREFIX, tags=["imports"], route_class=Door, responses=DOCUMENTED)
WRITES = [needs(Scope.imports_write)]
Found = TypeVar("Found")


class Suggested(BaseModel):
    """A first map, with what is unsure beside it: to be read before it is used."""

    map: str


class Fault(BaseModel):
    """A dossier that would be refused."""

    row: int
    code: str | None
    why: str


class Oddity(BaseModel):
    """Something untidy that would be kept as it is."""

    row: int
    code: str
    what: str
    detail: str


class Tried(BaseModel):
    """What an import would read; nothing was written."""

    whole: bool = Field(description="To the end: false where it breaks, or is longer than a trial.")
    dossiers: int
    events: int
    refused: int
    faults: list[Fault] = Field(description="The first of those refused.")
    noted: dict[str, int]
    notes: list[Oddity] = Field(description="The first of what was noted.")
    agencies: dict[str, int] = Field(description="How many dossiers name each agency.")
    unknown_agencies: list[str] = Field(description="Those that the catalogue does not have.")


@router.post("/map", dependencies=WRITES)
async def suggest_map(asked: File, who: Who) -> Suggested:
    """A first map for a file that nobody has described yet, guessed from its first rows."""
    check_right(who)
    return Suggested(map=await _with(asked, suggested))


@router.post("/trial", dependencies=WRITES)
async def try_import(asked: Mapped, book: Shelf, who: Who, sees: Sees) -> Tried:
    """Read a file by a map as an import would, and write nothing."""
    agencies = allowed(who, sees)
    by = await asyncio.to_thread(mapped, asked.map)
    check_map(book, by, agencies)
    own = within(agencies, book.organisation)
    found: Trial = await _with(asked, lambda path: tried(path, by, book.agencies, own=own))
    return Tried(
        whole=found.whole,
        dossiers=found.dossiers,
        events=found.events,
        refused=found.refused,
        faults=[Fault.model_validate(each, from_attributes=True) for each in found.faults],
        noted=dict(found.noted),
        notes=[Oddity.model_validate(each, from_attributes=True) for each in found.notes],
        agencies=dict(found.agencies),
        unknown_agencies=sorted(found.agencies.keys() - book.agencies.keys()),
    )


async def _with(file: File, read: Callable[[Path], Found]) -> Found:
    """What a reader finds in a file, read beside the other requests. Raises `BadInput`."""
    return await asyncio.to_thread(_read, file.name, decoded(file.content), read)


def _read(name: str, content: bytes, read: Callable[[Path], Found]) -> Found:
    with tempfile.TemporaryDirectory() as folder, exports.called(name):
        path = exports.placed(Path(folder), name)
        path.write_bytes(content)
        return read(path)
