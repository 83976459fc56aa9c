"""Every date that was promised to the citizen, as the lines tell. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from states.words import Event


class Promise(NamedTuple):
    """A date, and the move that promised it. `due` None: a hold, during which there is none."""

    at: datetime
    event: Event
    due: datetime | None
    reason: str | None
    ground: str | None


def promises(lines: Iterable[Mapping[str, Any]], *, waits: bool = False) -> Iterator[Promise]:
    """The first promise, and each move that gave another one, oldest first.

    `waits`: also each that began to wait for the citizen, when no date stood any more.
    """
    last: datetime | None = None
    for line in lines:
        told = json.loads(line["payload"]).get("clock", {})
        if "due" not in told and not (waits and "lapse" in told):
            continue
        due = datetime.fromisoformat(told["due"]) if told.get("due") else None
        if due != last:
            yield Promise(line["at"], Event(line["event"]), due, line["reason"], line["ground"])
        last = due
