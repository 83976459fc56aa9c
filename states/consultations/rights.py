"""Who may ask, answer and withdraw, and when: the refusal, or None where they may. Pure.

`row` is a consultation as `listing` tells it.
"""

from collections.abc import Mapping
from typing import Any

from states import people
from states.catalogue import Catalogue
from states.consultations.opened import ASKS, answering, in_stage
from states.consultations.rows import Standing
from states.errors import NotOpen, NotYours
from states.people import Caller
from states.sentences import Sentence

Row = Mapping[str, Any]


def ask_refused(book: Catalogue, who: Caller, paper: Any) -> NotOpen | None:
    """The unit that has the dossier asks, and only while it is in a stage."""
    if not in_stage(paper):
        return NotOpen(
            "{code} is {state}, in no stage: no opinion is asked for",
            code=paper.code,
            state=paper.state,
        )
    if who.role not in ASKS:
        return NotYours(
            "a {role} asks for no opinion: let an officer or leader do it", role=who.role
        )
    why = people.may(book, who, paper.agency, paper.unit, paper.field)
    return None if why is None else NotYours("no opinion is yours to ask for: {why}", why=why)


def withdraw_refused(book: Catalogue, who: Caller, paper: Any, row: Row) -> NotOpen | None:
    """Whoever could ask anew withdraws; not only who asked, for they may be away."""
    return ask_refused(book, who, paper) or _ended(row)


def answer_refused(book: Catalogue, who: Caller, row: Row) -> NotOpen | None:
    """Somebody of the body that was asked answers, and a second person in any case."""
    if row["unit"] not in answering(book, who):
        return NotYours(
            "{unit} was asked, where {id} is no officer or leader",
            unit=row["unit"],
            id=who.person.id,
        )
    if who.person.id == row["asked_by"]:
        return NotYours(
            "{id} asked it: another person of {unit} answers", id=who.person.id, unit=row["unit"]
        )
    return _ended(row)


def _ended(row: Row) -> NotOpen | None:
    """It ends once; who comes too late is told how, by whom and when it did."""
    if row["standing"] is Standing.open:
        return None
    by = Sentence(" by {person}", person=row["ended_by"]) if row["ended_by"] else ""
    overtaken = row["standing"] is Standing.overtaken
    why = Sentence(": the stage that asked was left") if overtaken else ""
    return NotOpen(
        "consultation {n} of {code} was {standing}{by} at {at:minutes}{why}",
        n=row["n"],
        code=row["code"],
        standing=row["standing"],
        by=by,
        at=row["ended_at"],
        why=why,
    )
