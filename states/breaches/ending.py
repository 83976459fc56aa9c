"""When lateness ended, and whether an apology was given: from lines and visits. Pure."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from states.breaches.attribution import Life, Line
from states.catalogue.rules import On
from states.lifecycle import FINISHED
from states.words import Event, State


class Missed(NamedTuple):
    """A deadline that was missed; `at` is the first moment of lateness by its rule."""

    watched: On
    visit: int
    deadline: int
    due_at: datetime
    at: datetime


class After(NamedTuple):
    """A line, and the version of the deadline that is in force after it."""

    line: Line
    version: int


Lasts = Callable[[Missed, Life, After], bool]


def ended(missed: Missed, life: Life) -> datetime | None:
    """The moment from which it was late no longer; None while it is.

    It ends once: what a result that is taken back makes late again is told by the figures. What is
    late only since it was taken back ends with the next result. A correction of the calendar that
    undid lateness changes nothing here: `correcting` tells of it.
    """
    lasts, late = LASTS[missed.watched], True
    for line, version in zip(life.lines, versions(life.lines), strict=True):
        still = lasts(missed, life, After(line, version))
        if late and not still and line["at"] >= missed.at:
            moment: datetime = line["at"]
            return moment
        late = still
    return None if late else missed.at


def versions(lines: Sequence[Line]) -> Iterator[int]:
    """After each line, the number of the line that set the deadline in force; 0 before any."""
    version, due = 0, None
    for line in lines:
        told = json.loads(line["payload"]).get("clock", {})
        if "due" in told:
            now = told["due"] and datetime.fromisoformat(told["due"])
            if now != due and line["dest"] not in FINISHED:
                version = line["seq"]
            due = now
        yield version


# Whether it is late still, after a line -------------------------------------------------------


def _term(missed: Missed, life: Life, after: After) -> bool:
    return after.line["dest"] not in FINISHED and after.version == missed.deadline


def _stage(missed: Missed, life: Life, after: After) -> bool:
    """In the same visit, which is due when it was."""
    visit = next((each for each in life.visits if each["visit"] == missed.visit), None)
    if visit is None:
        return False
    line, closed = after.line, visit["closed_seq"]
    moved = visit["due_at"] not in {None, missed.due_at} and line["event"] in MOVING
    return (closed is None or line["seq"] < closed) and not moved


MOVING = {Event.supplement, Event.recompute, Event.migrate}
"""What gives a stage that is late another due moment. A hold that begins then moves nothing."""


def _transfer(missed: Missed, life: Life, after: After) -> bool:
    return after.line["dest"] in {State.received, State.digitised}


def _supplement_notice(missed: Missed, life: Life, after: After) -> bool:
    asked = after.line["event"] == Event.request_supplement
    return not asked and after.line["dest"] not in FINISHED


def _apology(missed: Missed, life: Life, after: After) -> bool:
    return after.line["event"] != Event.extend and _term(missed, life, after)


def _online_answer(missed: Missed, life: Life, after: After) -> bool:
    return bool(after.line["dest"] == State.registered)


LASTS: dict[On, Lasts] = {
    On.term: _term,
    On.stage: _stage,
    On.transfer: _transfer,
    On.supplement_notice: _supplement_notice,
    On.apology: _apology,
    On.online_answer: _online_answer,
}

# Apologies ------------------------------------------------------------------------------------

SORRY = ("xin lỗi", "apolog")


def apology(
    lines: Sequence[Line], instrument: Callable[[int | None], str | None], until: datetime | None
) -> int | None:
    """The first line that apologised and gave a new date, if one did before lateness ended.

    An extension does by its instrument (Form 04), which the version of the procedure names that the
    dossier was under, or by what its reason says.
    """
    version: int | None = None
    for line in lines:
        told = json.loads(line["payload"])
        version = told.get("pin", {}).get("version", version)
        if line["event"] != Event.extend or (until is not None and line["at"] > until):
            continue
        reason = (line["reason"] or "").casefold()
        if instrument(version) or any(word in reason for word in SORRY):
            return int(line["seq"])
    return None
