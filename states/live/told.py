"""What is told of a line and of an alert: nothing about a citizen, and no name of anybody. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

import orjson

from states.live.cursor import Cursor


class Kind(StrEnum):
    """Of what an event tells."""

    move = auto()  # a line of the ledger
    alert = auto()  # what a sweep found
    queues = auto()  # how much waits in each of the listener's queues
    reset = auto()  # more was missed than is told: read anew what is shown


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One event, made once and shared by all who hear it; `data` is JSON.

    Whoever has heard it has heard all up to `place`; None where it says nothing of that.
    """

    kind: Kind
    data: bytes
    place: Cursor | None = None


def of_line(row: Any, alerts: int) -> Told:
    """Seq, event and state are the line's; unit and due date as the dossier stands since."""
    said = {
        "code": row.code,
        "seq": row.seq,
        "event": row.event,
        "state": row.dest,
        "agency": row.agency,
        "unit": row.unit,
        "due": row.due_at,
        "at": row.at,
    }
    return Told(Kind.move, orjson.dumps(said), Cursor(row.xact, row.id, alerts))


def of_alert(row: Any, place: Cursor) -> Told:
    """`unit` had it then. The first four name the alert: it may be heard twice."""
    said = {
        "code": row.code,
        "rule": row.rule,
        "visit": row.visit,
        "deadline": row.deadline,
        "what": row.what,
        "agency": row.agency,
        "unit": row.had_by,
        "due": row.missed,
        "at": row.at,
    }
    return Told(Kind.alert, orjson.dumps(said), place)


def of_queues(counts: Mapping[str, int]) -> Told:
    return Told(Kind.queues, orjson.dumps(dict(counts), option=orjson.OPT_SORT_KEYS))


def of_reset(place: Cursor) -> Told:
    return Told(Kind.reset, b"{}", place)
