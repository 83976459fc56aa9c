"""What goes in and out of imports, as the OpenAPI document describes it."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from api.listed import Listed, local
from states.errors import BadInput
from states.intake.rows import ImportState, RowResult

PREFIX = "/v1/imports"
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=200, description="As it was named.")]
MapText = Annotated[str, Field(min_length=1, max_length=100_000, description="YAML.")]
MAP = "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\n"
CONTENT = "TcOjLE5o4bqtbgo="


def decoded(content: str) -> bytes:
    """Raises `BadInput`."""
    try:
        return b64decode(content, validate=True)
    except (Error, ValueError):
        raise BadInput("content must be the file's bytes in base64") from None


class File(BaseModel):
    """A file of another system: XES, CSV (plain or gzip) or XLSX."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ho-so.csv", "content": CONTENT}]},
    )

    name: Name
    content: Annotated[str, Field(min_length=1, description="Its bytes in base64.")]


class Mapped(File):
    """A file and the map that says what its columns mean."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "ho-so.csv", "content": CONTENT, "map": MAP}]}
    )

    map: MapText


class Wanted(BaseModel):
    """A file to be taken in by a map: by the SHA-256 of one that was handed in, or all of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "ho-so.csv.gz", "sha256": "0" * 64, "map": MAP},
                {"name": "ho-so.csv", "content": CONTENT, "map": MAP},
            ]
        },
    )

    name: Name
    map: MapText
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    content: str | None = Field(
        default=None, min_length=1, description="The bytes of a small one, in base64."
    )

    @model_validator(mode="after")
    def _is_one_file(self) -> Self:
        if (self.sha256 is None) == (self.content is None):
            raise ValueError("must have either sha256 or content")
        return self


class HandedIn(BaseModel):
    """A file that waits to be imported; after a day that nobody asked for it, it is gone."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "a.csv", "sha256": "0" * 64, "size": 18_204}]}
    )

    name: str
    sha256: str
    size: int = Field(description="Bytes.")


IMPORT: dict[str, JsonValue] = {
    "id": 7,
    "name": "ho-so.csv.gz",
    "sha256": "0" * 64,
    "size": 182_044,
    "map": MAP,
    "agencies": ["H42.03"],
    "asked_by": "p-sci-lead-02",
    "asked_at": "2024-03-04T08:00:00+07:00",
    "state": "running",
    "begun_at": "2024-03-04T08:00:01+07:00",
    "ended_at": None,
    "read": 91_022,
    "percent": 50,
    "dossiers": 600,
    "taken": 597,
    "known": 0,
    "refused": 3,
    "events": 3_582,
    "noted": 12,
    "error": None,
}


class Import(BaseModel):
    """A file that is taken in by a map, and how far it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [IMPORT]})

    id: int
    name: str = Field(description="Its dossiers tell it as their source.")
    sha256: str
    size: int = Field(description="Bytes.")
    map: str
    agencies: list[str] | None = Field(description="Whose dossiers it brings; none: everybody's.")
    asked_by: str
    asked_at: datetime
    state: ImportState
    begun_at: datetime | None
    ended_at: datetime | None
    read: int = Field(description="Bytes of the file.")
    percent: int = Field(description="Of the file, read.")
    dossiers: int = Field(description="Of which it is known what became of them: the three below.")
    taken: int
    known: int = Field(description="Taken in before, from a file of the same name.")
    refused: int
    events: int = Field(description="Of those taken.")
    noted: int = Field(description="What was odd about those taken.")
    error: str | None = Field(description="Why it failed: what was whole before is taken in.")


class AskedImport(Import):
    """An import that was asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [IMPORT | {"again": False}]})

    again: bool = Field(description="It was asked for before: same file, map and agencies.")


class ImportPage(Listed[Import]):
    """A page of imports."""


class ImportNote(BaseModel):
    """Something untidy that was kept as it is."""

    what: str
    detail: str


class ImportRow(BaseModel):
    """What became of the n-th dossier of the file."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "n": 2,
                    "row": 3,
                    "code": "HS-0002",
                    "result": "refused",
                    "why": "'ngày mai' is not a date",
                    "activities": 0,
                    "notes": [],
                }
            ]
        }
    )

    n: int
    row: int = Field(description="Where it stands: a row of a table, a trace of a log.")
    code: str | None
    result: RowResult
    why: str | None
    activities: int
    notes: list[ImportNote]


class ImportRows(Listed[ImportRow]):
    """A page of the account of an import, in the order of the file."""


def told(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """An import as `Import` has it."""
    over = row["state"] is ImportState.done
    return local(row, zone) | {
        "sha256": row["sha256"].hex(),
        "percent": 100 if over else min(99, 100 * row["read"] // row["size"]),
        "dossiers": row["items"],
        "events": row["activities"],
    }
