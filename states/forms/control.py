"""Control sheet: who had the dossier, from when to when, and whether each was in time.

A line for each who had it: the counter until it handed it over, every visit of a stage, and the
counter again with the result.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from states.catalogue import Name
from states.forms import saying
from states.forms.form import Facts, Form
from states.forms.matter import Line, Matter
from states.forms.rows import FormName
from states.lifecycle import WITH_RESULT
from states.sentences import Sentence
from states.words import Event

NOTED = {
    Event.request_supplement: "Yêu cầu bổ sung",
    Event.request_payment: "Yêu cầu nghĩa vụ tài chính",
    Event.supplement: "Đã bổ sung",
    Event.pay: "Đã nộp nghĩa vụ tài chính",
    Event.extend: "Hẹn lại ngày trả",
    Event.send_back: "Trả lại bước trước",
    Event.stop: "Dừng giải quyết",
    Event.withdraw: "Người nộp rút hồ sơ",
    Event.lapse: "Hết thời hạn chờ",
    Event.reopen: "Mở lại để sửa kết quả",
}
"""What happened while somebody had it, beside its being handed on."""


def _shut(matter: Matter) -> Sentence | None:
    if matter.paper.received_at is None:
        return Sentence("the dossier has not been received: nothing was handed over yet")
    return None


def _says(matter: Matter) -> Facts:
    book, paper = matter.book, matter.paper
    name = saying.body(book, book.centre.code)
    return {
        "head": saying.issued(name, name),
        "bodies": [saying.body(book, each) for each in dict.fromkeys(matter.consulted)],
        "term": saying.term(paper.term),
        "due": saying.moment(matter, paper.due_at or paper.due_original),
        "finished": saying.moment(matter, paper.finished_at),
        "verdict": saying.verdict(paper.verdict),
        "hands": list(_hands(matter)),
    }


def _hands(matter: Matter) -> Iterator[Facts]:
    first = matter.visits[0]["opened_seq"] if matter.visits else matter.paper.seq + 1
    if matter.paper.source is None:
        yield _at_counter(matter, first)
    for each in matter.visits:
        yield _visit(matter, each)
    if matter.paper.state in WITH_RESULT:
        yield _result(matter)


def _at_counter(matter: Matter, until: int) -> Facts:
    """From the receipt until the first stage took it in, or it ended without one."""
    line = matter.last(Event.receive) or matter.lines[0]
    gone = next((each for each in matter.lines if each["seq"] == until), None)
    return _hand(
        matter,
        unit=matter.paper.counter,
        who=saying.person(matter.book, line["actor"], line["role"]),
        step="Tiếp nhận hồ sơ",
        began=matter.paper.received_at,
        gone=gone["at"] if gone else matter.paper.finished_at,
        notes=_notes(matter, line["seq"], until),
    )


def _visit(matter: Matter, visit: Line) -> Facts:
    end = visit["closed_seq"] or matter.paper.seq
    return _hand(
        matter,
        unit=visit["unit"],
        who=saying.person(matter.book, visit["person"]) if visit["person"] else "",
        step=saying.stage(matter, visit),
        began=visit["opened_at"],
        gone=visit["closed_at"],
        due=visit["due_at"],
        verdict=visit["verdict"],
        late=visit["due_at"] is not None and visit["due_at"] < matter.at,
        notes=_notes(matter, visit["opened_seq"], end),
    )


def _result(matter: Matter) -> Facts:
    line = matter.last(Event.return_result)
    handed = matter.last(Event.deliver)
    return _hand(
        matter,
        unit=matter.paper.counter if matter.paper.source is None else matter.book.centre.code,
        who=saying.person(matter.book, handed["actor"], handed["role"]) if handed else "",
        step="Trả kết quả",
        began=line["at"] if line else matter.paper.finished_at,
        gone=matter.paper.delivered_at,
    )


def _hand(
    matter: Matter,
    *,
    unit: str,
    who: str,
    step: str,
    began: datetime,
    gone: datetime | None,
    due: datetime | None = None,
    verdict: str | None = None,
    late: bool = False,
    notes: list[str] | None = None,
) -> Facts:
    book: Any = matter.book
    open_ = "Đã quá hạn" if late else "Đang giải quyết"
    return {
        "unit": saying.body(book, unit),
        "agency": saying.agency(book, unit),
        "who": who,
        "step": step,
        "received": saying.short(matter, began),
        "given": saying.short(matter, gone),
        "due": saying.short(matter, due),
        "verdict": saying.verdict(verdict) if gone else open_ if due else "",
        "notes": notes or [],
    }


def _notes(matter: Matter, after: int, until: int) -> list[str]:
    told = []
    for line in matter.lines:
        if after < line["seq"] <= until and line["event"] in NOTED:
            why = saying.text(line["reason"], 300)
            told.append(f"{NOTED[Event(line['event'])]} {saying.short(matter, line['at'])}")
            told[-1] += f": {why}" if why else ""
    return told


FORM = Form(
    FormName.control,
    "every hand-over",
    Name(vi="Phiếu kiểm soát quá trình giải quyết hồ sơ", en="Control sheet"),
    _shut,
    _says,
)
