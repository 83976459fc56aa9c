"""What goes in and out of the catalogue, as the OpenAPI document describes it."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.listed import Date

LONGEST = 500_000  # characters of a bundle
Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Sentence = Annotated[str, Field(min_length=1, max_length=4000)]


class In(BaseModel):
    """What comes in: nothing that nobody reads."""

    model_config = ConfigDict(extra="forbid")


class Bundled(In):
    """A bundle as its file is written."""

    text: Text = Field(
        description="YAML, as `GET /v1/procedures/schema` describes it for procedures.",
        examples=["code: '2.000205'\nversion: 2\n…"],
    )


class Decided(In):
    """By which document a version binds."""

    document: Sentence = Field(examples=["Quyết định 12/QĐ-UBND ngày 5/1/2026"])


class StepTaken(BaseModel):
    """Who did it, and when."""

    by: str
    at: datetime


class ListedVersion(BaseModel):
    """A version of a procedure in a list."""

    code: str
    version: int
    status: str = Field(description="draft, checked, coming, in force or past")
    valid_from: date | None
    valid_until: date | None
    agency: str
    term: str
    name: str


class Versions(BaseModel):
    """Versions in order of code and number."""

    versions: list[ListedVersion]


class Record(BaseModel):
    """A version: its way to the counter, and what it says."""

    code: str
    version: int
    status: str
    document: str | None
    drafted: StepTaken | None
    checked: StepTaken | None
    published: StepTaken | None
    retired: StepTaken | None
    says: dict[str, Any]


class Written(BaseModel):
    """The text of a version, to the letter."""

    code: str
    version: int
    text: str


class KeptVersion(BaseModel):
    """What became of a text that was sent."""

    code: str
    version: int
    status: str


class Found(BaseModel):
    """Something that is wrong: where, why, and how to mend it."""

    severity: str
    line: int | None
    column: int | None
    field: str | None
    why: str
    mend: str


class Linted(BaseModel):
    """What the checker found; without errors a draft is checked by whoever asked."""

    status: str
    findings: list[Found]


class Changed(BaseModel):
    """What differs between two versions."""

    sentences: list[str]
    changes: list[dict[str, Any]]


class TriedOver(In):
    """Over which time a draft is tried: [since, until) in days of the centre."""

    since: Date = Field(examples=["2023-01-01"])
    until: Date = Field(examples=["2024-01-01"])
    calendar: Annotated[str, Field(max_length=60)] | None = None


class Correction(In):
    """A correction of a calendar. Days, or the whole text."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "off": ["2026-12-24"],
                    "reason": "Nghỉ bù ngày Quốc khánh",
                    "document": "Thông báo 6150/TB-BLĐTBXH",
                }
            ]
        }
    )

    off: list[Date] = Field(default_factory=list, max_length=400)
    work: list[Date] = Field(default_factory=list, max_length=400)
    withdraw: list[Date] = Field(default_factory=list, max_length=400)
    replaces: Date | None = Field(default=None, description="Whose hours a worked day has.")
    text: Text | None = Field(default=None, description="The whole text, instead of days.")
    reason: Sentence = Field(examples=["Nghỉ bù ngày Quốc khánh"])
    reason_en: Sentence | None = None
    document: Sentence = Field(examples=["Thông báo 6150/TB-BLĐTBXH"])
    issued: Date | None = None
    overrule: bool = Field(default=False, strict=True)
    dates: str = Field(default="later", pattern="^(keep|move|later)$")
    restates: bool = Field(default=False, strict=True)


class Moved(In):
    """Running dossiers of a procedure go on under a newer version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "procedure": "2.000205",
                    "version": 2,
                    "stages": {"tham-dinh": "tham-tra"},
                    "reason": "Quy trình mới bớt một bước",
                    "document": "Quyết định 12/QĐ-UBND ngày 5/1/2026",
                }
            ]
        }
    )

    procedure: Annotated[str, Field(min_length=1, max_length=60)]
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    stages: dict[str, str] = Field(
        default_factory=dict, max_length=100, description="Old codes of stages to new ones."
    )
    overrides: bool = Field(
        default=False, strict=True, description="A citizen may lose a promised date."
    )
    reason: Sentence
    document: Sentence


class Proposed(BaseModel):
    """A change set that waits for a second person."""

    change: int


class Change(BaseModel):
    """A change set."""

    id: int
    kind: str
    subject: str
    status: str
    says: dict[str, Any]
    reason: str
    ground: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    moved: int
    stayed: int
    refused: int


class Foreseen(Change):
    """A change set and what it will do: all effects counted, the first dossiers told."""

    counts: dict[str, int]
    dossiers: list[dict[str, Any]]
    days: list[dict[str, Any]]


class Changes(BaseModel):
    """Change sets, the newest first."""

    changes: list[Change]
