"""What goes out of components, as the OpenAPI document describes it."""

from datetime import datetime, tzinfo
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.listed import local
from states.catalogue.organisation import Name
from states.files.attaching import Held, Row
from states.files.kinds import Kind
from states.files.rows import Provenance

PREFIX = "/v1/dossiers/{code}/components"

Component = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]

FILE: dict[str, JsonValue] = {
    "n": 1,
    "name": "Đơn đề nghị.pdf",
    "sha256": "0" * 64,
    "size": 182_044,
    "type": "application/pdf",
    "provenance": "scanned",
    "by": "p-reception-01",
    "at": "2024-03-04T08:00:00+07:00",
    "replaced_at": None,
}


class Given(BaseModel):
    """A file of a component. `n` counts those that the component has had."""

    model_config = ConfigDict(json_schema_extra={"examples": [FILE]})

    n: int
    name: str
    sha256: str
    size: int = Field(description="Bytes.")
    type: Kind = Field(description="By its content.")
    provenance: Provenance
    by: str
    at: datetime
    replaced_at: datetime | None


class Part(BaseModel):
    """A component with its files."""

    component: str
    name: Name | None = Field(description="None: the dossier's version lists it no more.")
    required: bool
    originals: int
    copies: int
    file: Given | None
    earlier: list[Given] = Field(description="Those that were replaced, the last first.")
    bound: str | None = Field(
        description="The SHA-256 that the ledger holds: of the file that a move brought."
    )


class Parts(BaseModel):
    """The components of a dossier."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "H42.14-240304-0001",
                    "missing": ["phuong-an"],
                    "components": [
                        {
                            "component": "don",
                            "name": {"vi": "Đơn đề nghị", "en": "Application form"},
                            "required": True,
                            "originals": 1,
                            "copies": 0,
                            "file": FILE,
                            "earlier": [],
                            "bound": None,
                        }
                    ],
                }
            ]
        }
    )

    code: str
    missing: list[str] = Field(description="Required, and neither attached nor in the ledger.")
    components: list[Part]


def part(held: Held, zone: tzinfo) -> Part:
    wanted = held.wanted
    return Part(
        component=held.code,
        name=wanted and wanted.name,
        required=held.required,
        originals=wanted.originals if wanted else 0,
        copies=wanted.copies if wanted else 0,
        file=given(held.present, zone) if held.present else None,
        earlier=[given(row, zone) for row in held.earlier],
        bound=held.bound,
    )


def given(row: Row, zone: tzinfo) -> Given:
    return Given.model_validate(local(row, zone) | {"sha256": row["sha256"].hex()})
