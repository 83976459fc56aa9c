"""Notice that a dossier is stopped, or was withdrawn, before anything was decided."""

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Line, Matter
from states.forms.rows import FormName
from states.sentences import Sentence
from states.tracking.words import LAPSED
from states.words import Event, State


def _line(matter: Matter) -> Line | None:
    if matter.paper.state not in {State.stopped, State.withdrawn}:
        return None
    return matter.last(Event.stop, Event.withdraw, Event.lapse)


def _shut(matter: Matter) -> Sentence | None:
    return (
        Sentence("the dossier was neither stopped nor withdrawn") if _line(matter) is None else None
    )


def _says(matter: Matter) -> Facts:
    line, paper = _line(matter), matter.paper
    assert line is not None
    told = saying.decided(matter, line)
    if line["event"] == Event.lapse:
        told["reason"] = LAPSED[0]
    withdrawn = line["event"] == Event.withdraw
    over, by = matter.book.centre.code, paper.counter
    if not withdrawn and paper.received_at is not None:
        over = by = paper.agency
    return {
        "head": saying.issued(saying.body(matter.book, over), saying.body(matter.book, by)),
        "withdrawn": withdrawn,
        "stop": told,
        "stage": saying.stage(matter, matter.visits[-1]) if matter.visits else "",
        "asked": saying.money(paper.fee_asked) if paper.fee_asked else "",
        "paid": saying.money(paper.fee_paid) if paper.fee_paid else "",
        "components": saying.listed(matter),
    }


FORM = Form(
    FormName.stop,
    "stop",
    Name(vi="Thông báo dừng giải quyết hồ sơ", en="Notice that the dossier is stopped"),
    _shut,
    _says,
)
