"""What goes in and out, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from states.ledger.acts import Name, Sha256
from states.words import Channel, Event, Outcome, Role, State, Tally


class Asked(BaseModel):
    """What a move brings along; the payload is the event's own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"payload": {"produced": ["Phiếu trình giải quyết"]}},
                {"reason": "Thiếu bản sao chứng thực", "ground": "61/2018/NĐ-CP Điều 17"},
                {"payload": {"outcome": "approved", "produced": ["Kết quả giải quyết"]}},
            ]
        },
    )

    payload: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = None
    ground: str | None = Field(default=None, description="Decree and article.")


class Lodged(BaseModel):
    """A dossier about to be opened: `receive` at the counter, `register` for what came online."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "event": "receive",
                    "procedure": "1.003659",
                    "channel": "counter",
                    "applicant": "Nguyễn Thị Ánh",
                    "components": {"don": "0" * 64},
                }
            ]
        },
    )

    event: Literal[Event.register, Event.receive]
    procedure: Name
    channel: Channel
    applicant: Name
    place: Name | None = None
    email: Name | None = Field(default=None, description="The applicant's, for notices.")
    phone: Name | None = Field(default=None, description="The applicant's, for notices.")
    citizen_id: Name | None = Field(
        default=None,
        description="The number of the applicant's card. It is not kept: by its keyed hash alone"
        " dossiers are found again.",
        examples=["035093001234"],
    )
    components: Annotated[dict[Name, Sha256], Field(max_length=200)] = Field(
        default_factory=dict, description="SHA-256 of the files there are, by component."
    )


class Stage(BaseModel):
    """The stage a dossier is in, counted from 0; its name is unknown of a dossier taken over."""

    n: int
    of: int
    role: Role | None
    code: str | None = None
    name: str | None = None
    term: str | None = None


class Dates(BaseModel):
    """Moments of a dossier, with the offset of its calendar."""

    registered: datetime
    received: datetime | None
    due_original: datetime | None = Field(description="The first promise; it never changes.")
    due: datetime | None = Field(description="The promise in force; none while the clock is held.")
    lapses: datetime | None = Field(description="When waiting for the citizen ends.")
    finished: datetime | None
    delivered: datetime | None


class DossierStanding(BaseModel):
    """A dossier as it stands, and what the caller may do to it."""

    code: str
    seq: int
    state: State
    label: str = Field(description="The state's name on the national portal.")
    national_code: int = Field(description="Its code there (Circular 22/2019/TT-BTTTT).")
    procedure: str
    version: int
    agency: str
    unit: str = Field(description="Where it lies.")
    channel: Channel
    stage: Stage | None
    dates: Dates
    overdue: bool
    verdict: Tally | None
    outcome: Outcome | None
    missing: int = Field(description="Required components without a file.")
    fee_asked: int = Field(description="VND")
    fee_paid: int = Field(description="VND")
    open: list[Event]
    closed: dict[Event, str] = Field(
        description="Why the other events are not open, in the language of `Accept-Language`."
    )
    slip: str | None = Field(
        default=None,
        description="The secret part of the code, to be printed on the slip; told on receipt only.",
    )


class WholeDossier(DossierStanding):
    """A dossier as it stands, and whose it is."""

    applicant: str
    place: str | None
    email: str | None
    phone: str | None


class Told(BaseModel):
    """One line of the history."""

    seq: int
    event: Event
    source: State | None
    dest: State
    at: datetime
    recorded_at: datetime
    actor: str
    role: Role
    on_behalf_of: str | None
    reason: str | None
    ground: str | None
    brought: dict[str, Any]
    kept: dict[str, str] = Field(
        description="Of a dossier taken over: what else its file said, by the file's own names."
    )
    routed: dict[str, Any] | None = Field(description="Where the rules sent it, to whom, and why.")
    promised: datetime | None = Field(description="The date this move promised the citizen.")
    verdict: str | None
    hash: str
    prev: str | None


class Visited(BaseModel):
    """One visit of a stage, with its own clock; minutes are working minutes."""

    visit: int
    stage: int
    code: str
    unit: str
    role: Role
    person: str | None
    term: str
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    used: int | None
    verdict: Tally | None


class Elsewhere(BaseModel):
    """An activity that another system told of a dossier taken over from it."""

    n: int
    name: str
    at: datetime
    person: str | None
    unit: str | None
    data: dict[str, str] = Field(description="What else was kept of it, by names of its own.")


class History(BaseModel):
    """Everything that happened to a dossier."""

    code: str
    entries: list[Told]
    visits: list[Visited]
    activities: list[Elsewhere]


class Looked(BaseModel):
    """Somebody read personal data, by which door."""

    at: datetime
    person: str
    role: Role
    acts_for: str | None
    door: str
    request: str
    reason: str | None = Field(description="As it was given, by whoever took many at once.")


class Looks(BaseModel):
    """Who read personal data of a dossier, the last first, at most 200."""

    code: str
    looks: list[Looked]


class ClockStep(BaseModel):
    """One step of the reckoning; those that count sum to the minutes used."""

    rule: str
    since: datetime
    until: datetime
    minutes: int
    counts: bool
    note: str
    sentence: str


class ClockRead(BaseModel):
    """The clock of a dossier, read at a moment; minutes are working minutes."""

    code: str
    at: datetime
    term: str
    calendar: str
    policy: str
    verdict: str | None = Field(description="None before receipt: the clock has not started.")
    due: datetime | None
    due_original: datetime | None
    late_at: datetime | None = Field(description="The first minute that would be late.")
    used_minutes: int
    remaining_minutes: int | None
    trace: list[ClockStep]
