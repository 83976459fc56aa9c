"""What is told to whoever proves that a dossier is theirs: nothing of any person."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from states.clock.words import Lang
from states.words import Event, Outcome, State


class Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Titled(Told):
    """Something with its code and name."""

    code: str
    name: str


class Promised(Told):
    """A date promised to the citizen, by which move, when, and why."""

    at: datetime = Field(description="When it was promised.")
    due: datetime | None = Field(description="The date; none while the term stands still.")
    event: Event
    sentence: str
    reason: str | None
    ground: str | None = Field(description="Decree and article.")


class Place(Told):
    """Where the dossier, or its result, is."""

    at: Literal["counter", "way", "agency", "citizen", "ended"]
    code: str | None
    name: str | None
    sentence: str


class Request(Told):
    """What is asked of the citizen."""

    what: Literal["supplement", "payment"]
    sentence: str
    until: datetime = Field(description="If nothing comes until then, the dossier is closed.")
    reason: str | None
    missing: list[str] = Field(description="Required papers that are not there.")
    amount: int | None = Field(description="VND")


class Ended(Told):
    """How it ended: with a result, which is fetched somewhere, or without one."""

    at: datetime
    outcome: Outcome | None
    fetch_at: Titled | None = Field(description="Where the result is fetched, until it is.")
    delivered: datetime | None
    sentence: str | None
    reason: str | None
    ground: str | None


class Late(Told):
    """A promise that was not kept."""

    promised: datetime
    new: datetime | None = Field(description="The date promised instead, if there is one.")
    sentence: str


EXAMPLE: dict[str, Any] = {
    "code": "H42.14-240304-0001",
    "language": "en",
    "procedure": {"code": "1.003659", "name": "Postal licence"},
    "agency": {"code": "H42.03", "name": "Department of Science and Technology"},
    "state": "awaiting_supplement",
    "sentence": "The dossier waits for what was asked of you.",
    "registered": "2024-03-04T08:00:00+07:00",
    "received": "2024-03-04T08:00:00+07:00",
    "due": None,
    "held": True,
    "promises": [
        {
            "at": "2024-03-04T08:00:00+07:00",
            "due": "2024-04-03T17:00:00+07:00",
            "event": "receive",
            "sentence": "The date promised at receipt.",
            "reason": None,
            "ground": None,
        },
        {
            "at": "2024-03-06T09:00:00+07:00",
            "due": None,
            "event": "request_supplement",
            "sentence": "The term stands still until the supplement comes.",
            "reason": "Thiếu bản sao chứng thực",
            "ground": "61/2018/NĐ-CP Điều 17",
        },
    ],
    "place": {
        "at": "agency",
        "code": "H42.03",
        "name": "Department of Science and Technology",
        "sentence": "It is with Department of Science and Technology.",
    },
    "asked": {
        "what": "supplement",
        "sentence": "Please bring what is missing before Friday 5 April 2024 09:00; after that …",
        "until": "2024-04-05T09:00:00+07:00",
        "reason": "Thiếu bản sao chứng thực",
        "missing": ["Business plan"],
        "amount": None,
    },
    "ended": None,
    "late": None,
}


class Tracked(Told):
    """A dossier as its applicant is told of it; moments with the offset of its calendar."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    code: str
    language: Lang
    procedure: Titled
    agency: Titled
    state: State
    sentence: str = Field(description="The state, in words.")
    registered: datetime
    received: datetime | None
    due: datetime | None = Field(description="The promise in force; none while it is held.")
    held: bool = Field(description="The term stands still: the citizen is waited for.")
    promises: list[Promised] = Field(description="Every date ever promised, oldest first.")
    place: Place
    asked: Request | None
    ended: Ended | None
    late: Late | None
