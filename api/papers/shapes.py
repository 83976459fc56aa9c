"""Reports as HTTP tells them, typed."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.listed import Listed
from states.clock import Policy
from states.figures.sheets import Kind
from states.words import Channel, State, Tally

Value = str | int | float | bool | None


class InBoth(BaseModel):
    """What people read, in both languages."""

    vi: str
    en: str


class FigureTold(BaseModel):
    """A figure: what it is, and whether the dossiers behind it can be listed."""

    key: str
    title: InBoth
    meaning: InBoth
    number: str = Field(description="As the official form counts its columns; or nothing.")


class ReportTold(BaseModel):
    """A report there is. `figures`: those that open to their dossiers."""

    name: str
    title: InBoth
    meaning: InBoth
    source: InBoth = Field(description="The act that asks for it; empty where none does.")
    by: list[str] = Field(description="By what its figures are told apart unless asked otherwise.")
    options: dict[str, InBoth] = Field(description="What only this report may be asked.")
    figures: list[FigureTold]


class ReportsTold(BaseModel):
    """Every report there is."""

    reports: list[ReportTold]


class ColumnTold(BaseModel):
    """A column of a sheet. What is `called` has a code under its key, and a name beside it."""

    key: str
    title: InBoth
    kind: Kind
    number: str = Field(description="As the official form counts its columns; or nothing.")


class SheetTold(BaseModel):
    """One table. A row's `open` is the address of the dossiers behind it: put a figure's key for
    `{figure}`.
    """

    key: str
    title: InBoth
    columns: list[ColumnTold]
    rows: list[dict[str, Value]]
    parts: list[dict[str, Value]] = Field(
        description="What the rows of each part of the period make together."
    )
    total: dict[str, Value] | None
    notes: list[InBoth] = Field(description="Definitions, denominators, doubts.")


EXAMPLE: dict[str, Any] = {
    "report": "bieu06",
    "title": {"vi": "Biểu 06/VPCP/KSTT", "en": "Form 06/VPCP/KSTT"},
    "source": {"vi": "Thông tư 01/2020/TT-VPCP", "en": "Circular 01/2020/TT-VPCP"},
    "from": "2024-01-01T00:00:00+07:00",
    "to": "2024-04-01T00:00:00+07:00",
    "made_at": "2024-04-10T08:00:00+07:00",
    "policy": None,
    "known_at": None,
    "provisional": False,
    "faults": [],
    "sheets": [
        {
            "key": "bieu06",
            "title": {"vi": "Biểu 06/VPCP/KSTT", "en": "Form 06/VPCP/KSTT"},
            "columns": [
                {"key": "agency", "title": {"vi": "Cơ quan", "en": "Agency"}, "kind": "called",
                 "number": ""},
                {"key": "late", "title": {"vi": "Quá hạn", "en": "Late"}, "kind": "integer",
                 "number": "(10)"},
            ],
            "rows": [
                {"agency": "H42.06", "name": "Sở Nông nghiệp", "late": 3,
                 "open": "/v1/reports/bieu06/dossiers?figure={figure}&from="
                 "2024-01-01T00:00:00%2B07:00&to=2024-04-01T00:00:00%2B07:00&where=agency=H42.06"},
            ],
            "parts": [],
            "total": {"agency": None, "name": "Tổng / Total", "late": 3},
            "notes": [],
        }
    ],
}  # fmt: skip


class ReportMade(BaseModel):
    """A report of [from, to), as it was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    report: str
    title: InBoth
    source: InBoth
    since: datetime | None = Field(alias="from")
    until: datetime = Field(alias="to")
    made_at: datetime
    policy: Policy | None = Field(description="None: each class as it was frozen.")
    known_at: datetime | None = Field(description="What was recorded by then; None: by now.")
    provisional: bool = Field(description="The period has not ended, or too lately.")
    faults: list[InBoth] = Field(description="What does not balance.")
    sheets: list[SheetTold]


class DossierBehind(BaseModel):
    """One of the dossiers that a figure counts. `clock`: where its deadline is worked out."""

    code: str
    agency: str
    procedure: str
    version: int
    channel: Channel
    state: State
    received: datetime | None
    due: datetime | None
    finished: datetime | None
    verdict: Tally | None
    clock: str


class DossiersBehind(Listed[DossierBehind]):
    """A page of the dossiers behind a figure, the first taken in first."""
