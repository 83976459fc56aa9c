"""Refusal of reception, or of what was applied for: with its reason and ground."""

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Line, Matter
from states.forms.rows import FormName
from states.sentences import Sentence
from states.tracking.words import LAPSED
from states.words import Event, Outcome, State


def _line(matter: Matter) -> Line | None:
    """The move that refused it, if one did."""
    if matter.paper.state == State.declined:
        return matter.last(Event.decline, Event.lapse)
    if matter.paper.outcome == Outcome.refused:
        return matter.last(Event.return_result)
    return None


def _shut(matter: Matter) -> Sentence | None:
    return Sentence("the dossier was not refused") if _line(matter) is None else None


def _says(matter: Matter) -> Facts:
    line = _line(matter)
    assert line is not None
    appraised = line["event"] == Event.return_result
    book, paper = matter.book, matter.paper
    over, by = book.centre.code, paper.counter
    if appraised:
        over = by = paper.agency
    told = saying.decided(matter, line)
    if line["event"] == Event.lapse:
        told["reason"] = LAPSED[0]
    return {
        "head": saying.issued(saying.body(book, over), saying.body(book, by)),
        "appraised": appraised,
        "refusal": told,
    }


FORM = Form(
    FormName.refusal,
    "decline",
    Name(vi="Phiếu từ chối tiếp nhận, giải quyết hồ sơ", en="Refusal"),
    _shut,
    _says,
)
