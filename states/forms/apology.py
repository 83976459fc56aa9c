"""Apology with the new date: each date that was moved, why, by which rule and by whom.

The first date is always told: the law does not say which of the two lateness is measured by.
"""

from collections.abc import Iterator
from itertools import pairwise

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Matter
from states.forms.rows import FormName
from states.ledger.promises import Promise, promises
from states.sentences import Sentence
from states.words import Event

MOVES = frozenset({Event.extend, Event.recompute, Event.migrate})
"""By these the authority gives a later date; by a supplement the citizen's own wait does."""


def _moved(matter: Matter) -> Iterator[tuple[Promise, Promise]]:
    """The date before, and the later one that took its place."""
    for before, after in pairwise(promises(matter.lines)):
        if after.event in MOVES and before.due and after.due and before.due < after.due:
            yield before, after


def _overdue(matter: Matter) -> bool:
    paper = matter.paper
    return paper.late_at is not None and paper.late_at <= (paper.finished_at or matter.at)


def _shut(matter: Matter) -> Sentence | None:
    if any(_moved(matter)) or _overdue(matter):
        return None
    return Sentence("its date was not put off, and has not passed")


def _says(matter: Matter) -> Facts:
    book, paper = matter.book, matter.paper
    moves = [_told(matter, before, after) for before, after in _moved(matter)]
    line = matter.last(*MOVES) if moves else None
    name = saying.body(book, paper.agency)
    return {
        "head": saying.issued(name, name),
        "due": saying.moment(matter, paper.due_original),
        "moves": moves,
        "new": saying.moment(matter, paper.due_at or paper.finished_at) if moves else "",
        "overdue": _overdue(matter),
        "finished": saying.moment(matter, paper.finished_at),
        "signs": saying.person(book, line["actor"], line["role"]) if line else "",
        "role": saying.role(line["role"]) if line else "",
    }


def _told(matter: Matter, before: Promise, after: Promise) -> Facts:
    return {
        "from": saying.moment(matter, before.due),
        "to": saying.moment(matter, after.due),
        "at": saying.moment(matter, after.at),
        "reason": saying.text(after.reason),
        "ground": saying.text(after.ground),
    }


FORM = Form(
    FormName.apology,
    "extend",
    Name(vi="Phiếu xin lỗi và hẹn lại ngày trả kết quả", en="Apology and new date"),
    _shut,
    _says,
)
