"""The dates promised to the citizen, the waits between them, and which was not kept. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import orjson

from states.ledger.promises import Promise
from states.words import Event


def promised(lines: Iterable[Mapping[str, Any]]) -> Iterator[Promise]:
    """Every date ever promised, oldest first; `due` None where it began to wait for the citizen.

    Unlike the ledger's list of promises, which knows no waits: a date stands until the wait begins.
    """
    last: datetime | None = None
    for line in lines:
        told = orjson.loads(line["payload"]).get("clock", {})
        if "due" not in told and "lapse" not in told:
            continue
        due = datetime.fromisoformat(told["due"]) if told.get("due") else None
        if due != last:
            yield Promise(line["at"], Event(line["event"]), due, line["reason"], line["ground"])
        last = due


def broken(given: Sequence[Promise], until: datetime, zone: tzinfo) -> datetime | None:
    """The last promise whose day was over when another took its place, or all had ended.

    A day is what people are told to come on, so by the day it is judged, whatever the policy.
    """
    last: datetime | None = None
    after = [*(each.at for each in given[1:]), until]
    for promise, then in zip(given, after, strict=False):
        stood = min(then, until).astimezone(zone).date()
        if promise.due is not None and promise.due.astimezone(zone).date() < stood:
            last = promise.due
    return last
