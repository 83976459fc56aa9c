"""What a log says of a dossier and of what happened to it, before any form of it. Pure."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from states.words import Role

CACHED = 1 << 16
COMPLETE = "complete"  # what happens here is done in a moment: it has no beginning of its own


class Kind(IntEnum):
    """Where an event is known from; the order of those that happened in the same moment."""

    told = 0  # by the system that a dossier was taken over from
    line = 1  # of the ledger
    asked = 2  # another body, for its opinion
    ended = 3  # that consultation


PREFIX = {Kind.told: "told", Kind.line: "line", Kind.asked: "asked", Kind.ended: "ended"}


class Case(NamedTuple):
    """A dossier. `applicant` is None unless people are told."""

    id: int
    code: str
    agency: str
    procedure: str
    version: int
    field: str
    channel: str
    counter: str
    source: str | None
    registered: datetime
    received: datetime | None
    due: datetime | None
    finished: datetime | None
    verdict: str | None
    outcome: str | None
    applicant: str | None


class Happening(NamedTuple):
    """One event, in the order of the columns of `reading.happenings`.

    `unit`: where it was done. `visit`, `stage`: in which visit of which stage; `opened`: the visit
    that it began. `extra`: JSON; of a line the components it brought, of what was told the rest.
    """

    dossier_id: int
    kind: int
    n: int
    activity: str
    transition: str
    at: datetime
    actor: str | None
    role: str | None
    unit: str | None
    acts_for: str | None
    visit: int | None
    stage: str | None
    opened: int | None
    extra: str | None


Chapter = tuple[Case, Sequence[Any]]
"""A dossier with what happened to it, `Happening`s or rows like them, in order of time."""


class Things(NamedTuple):
    """The objects of some dossiers beside themselves, as rows of `reading`."""

    visits: Sequence[Any] = ()
    components: Sequence[Any] = ()
    consultations: Sequence[Any] = ()


class Names(Protocol):
    """How somebody is called in a log."""

    def __call__(self, actor: str, role: str | None, /) -> str: ...


def as_they_are(actor: str, role: str | None) -> str:
    """For who may know who it was."""
    return actor


def pseudonyms(key: bytes) -> Names:
    """The same name for the same person in every log of this deployment, and no way back without
    its key. What the machine did is nobody's.
    """

    @lru_cache(CACHED)
    def called(actor: str, role: str | None) -> str:
        if role == Role.system:
            return actor
        return f"p-{hmac.digest(key, actor.encode(), 'sha256').hex()[:16]}"

    return called


def moments(zone: Any) -> Callable[[datetime], str]:
    """Moments with the offset that the office's clocks had."""

    @lru_cache(CACHED)
    def told(at: datetime) -> str:
        return at.astimezone(zone).isoformat()

    return told
