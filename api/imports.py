"""Files of other systems over HTTP: a first map for one, and what an import by a map would read.

Nothing is taken in here: `hoso import` does that, for hours if need be, and goes on where it was.
"""

import asyncio
import tempfile
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.doors import Door, Shelf, Who, needs
from api.problems import DOCUMENTED
from states import yaml_files
from states.accounts.scopes import Scope
from states.errors import BadFile, BadInput, NotYours
from states.intake import Map
from states.intake.source import KINDS
from states.intake.trial import Trial, suggested, tried
from states.people import Caller
from states.sight import WIDE

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=Door, responses=DOCUMENTED)
WRITES = [needs(Scope.imports_write)]
MAP = "map"  # what faults of the map are said to be in
Found = TypeVar("Found")


class File(BaseModel):
    """A file of another system: XES, CSV (plain or gzip) or XLSX."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ho-so.csv", "content": "TcOjLE5o4bqtbgo="}]},
    )

    name: Annotated[str, Field(min_length=1, max_length=200, description="As it was named.")]
    content: Annotated[str, Field(min_length=1, description="Its bytes in base64.")]


class Mapped(File):
    """A file and the map that says what its columns mean."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "ho-so.csv",
                    "content": "TcOjLE5o4bqtbgo=",
                    "map": "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\n",
                }
            ]
        },
    )

    map: Annotated[str, Field(min_length=1, max_length=100_000, description="YAML.")]


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
    _check_right(who)
    return Suggested(map=await _with(asked, suggested))


@router.post("/trial", dependencies=WRITES)
async def try_import(asked: Mapped, book: Shelf, who: Who) -> Tried:
    """Read a file by a map as an import would, and write nothing."""
    _check_right(who)
    by = yaml_files.validate(Map, yaml_files.parse(MAP, asked.map.encode()))
    if by.calendar is not None:
        book.calendar(by.calendar)  # a wrong name is wrong for every row
    found: Trial = await _with(asked, lambda path: tried(path, by, book.agencies))
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


def _check_right(who: Caller) -> None:
    if who.role not in WIDE:
        raise NotYours(f"a {who.role} brings in no dossiers: ask a leader or the control unit")


async def _with(file: File, read: Callable[[Path], Found]) -> Found:
    """What a reader finds in a file, read beside the other requests. Raises `BadInput`."""
    try:
        content = b64decode(file.content, validate=True)
    except (Error, ValueError):
        raise BadInput("content must be the file's bytes in base64") from None
    return await asyncio.to_thread(_read, file.name, content, read)


def _read(name: str, content: bytes, read: Callable[[Path], Found]) -> Found:
    """The name says what kind it is, and nothing else: no path of it reaches the disk."""
    lower = name.lower()
    packed = lower.endswith(".gz")
    kind = Path(lower.removesuffix(".gz").replace("\0", "")).suffix
    safe = f"file{kind if kind in KINDS else ''}{'.gz' if packed else ''}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / safe
        path.write_bytes(content)
        try:
            return read(path)
        except BadFile as error:  # by the name its sender knows
            where = (error.line, error.field, error.expected, error.column)
            raise BadFile(name, *where) from None
