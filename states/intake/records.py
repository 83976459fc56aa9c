"""What a foreign file says, once read: dossiers, their history, and what was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from states.words import Channel, Outcome

Oddity = Literal[
    "differing_values",
    "due_before_receipt",
    "delivered_before_finish",
    "event_after_finish",
    "event_before_receipt",
    "finished_before_receipt",
    "null_text",
    "outcome_without_finish",
    "short_row",
    "unclear_local_time",
    "unread_contact",
    "unsorted_events",
]


@dataclass(frozen=True, slots=True)
class Note:
    """Something untidy that was kept as it is, or cleaned. `what` is one of a few words, `detail`
    a sentence; there is at most one note of a kind per dossier, so a report stays readable.
    """

    row: int
    code: str
    what: Oddity
    detail: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One event of a dossier's history. `at` is aware."""

    name: str
    at: datetime
    person: str | None = None
    unit: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One dossier as the file tells it. Every moment is aware and is the file's own: an imported
    date is a fact, whatever we think of it. Activities are in order of time.

    `row`: which dossier of an XES log, counted from 1; which row of a table, as a spreadsheet
    counts them, the first one where a dossier has several.
    """

    row: int
    code: str
    channel: Channel | None
    procedure: str | None
    agency: str | None
    unit: str | None
    person: str | None
    applicant: str | None
    received: datetime
    due: datetime | None
    finished: datetime | None
    outcome: Outcome | None
    delivered: datetime | None
    activities: tuple[Activity, ...]
    data: Mapping[str, str]
    mended: tuple[Note, ...]
    phone: str | None = None
    email: str | None = None
    citizen_id: str | None = None  # of their identity card, as the file has it


@dataclass(frozen=True, slots=True)
class Refused:
    """A dossier that is not imported, and why. `ends`: the file itself breaks here, nothing after
    this was read and this is the last item.
    """

    row: int
    code: str | None
    why: str
    ends: bool = False
