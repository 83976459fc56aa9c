"""A dossier that never was, of which every form can be printed: on it templates are tried. Pure.

Its values are as long and as odd as people's are.
"""

import json
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.clock import Policy
from states.forms import registering
from states.forms.every import FORMS
from states.forms.form import Facts, filled
from states.forms.matter import Matter, Track
from states.forms.rows import FormName
from states.words import Channel, Event, Outcome, Role, State

DAY = timedelta(days=1)
REASON = "Thiếu bản sao chứng thực; đề nghị bổ sung. #eval(1) $x$ [ ] *đậm* <b> \\"
GROUND = "Nghị định 61/2018/NĐ-CP Điều 19"
PLAYED: dict[FormName, tuple[Event, State]] = {
    FormName.slip: (Event.deliver, State.delivered),
    FormName.control: (Event.deliver, State.delivered),
    FormName.supplement: (Event.request_supplement, State.awaiting_supplement),
    FormName.refusal: (Event.decline, State.declined),
    FormName.apology: (Event.extend, State.processing),
    FormName.stop: (Event.stop, State.stopped),
}
"""How the dossier stands when a form is due."""


def facts(book: Catalogue, name: FormName, agency: str, at: datetime) -> Facts:
    """What a form of it says."""
    if name is FormName.register:
        return _register(book, agency, at)
    return filled(FORMS[name], _matter(book, name, agency, at))


def _matter(book: Catalogue, name: FormName, agency: str, at: datetime) -> Matter:
    event, state = PLAYED[name]
    procedure = _procedure(book, agency)
    began, by = at - 20 * DAY, next(iter(book.people))
    lines = [
        _line(by, 1, Event.receive, began, State.received),
        _line(by, 2, Event.accept, began + DAY, State.processing),
        _line(by, 3, Event.extend, began + 5 * DAY, State.processing, due=at + 3 * DAY),
        _line(by, 4, event, began + 8 * DAY, state),
    ]
    return Matter(
        book=book,
        paper=_paper(book, procedure, agency, state, began),
        lines=lines,
        visits=[_visit(by, agency, procedure, began + DAY)],
        files=frozenset(each.code for each in procedure.components),
        consulted=(agency,),
        at=at,
        track=Track("https://hoso.example.vn", "7K3M9QXD"),
    )


def _procedure(book: Catalogue, agency: str) -> Procedure:
    """One of the agency's, else any."""
    every = book.procedures.values()
    return next((each for each in every if each.agency == agency), next(iter(every)))


def _paper(
    book: Catalogue, of: Procedure, agency: str, state: State, began: datetime
) -> SimpleNamespace:
    told: dict[str, Any] = {
        "code": "H42.14-240305-0001",
        "state": state,
        "seq": 4,
        "agency": agency,
        "counter": book.centre.code,
        "procedure": of.code,
        "version": of.version,
        "channel": Channel.counter,
        "applicant": "Nguyễn Thị Quỳnh Ánh " + "và những người đồng đứng tên " * 5,
        "place": "Số 1, đường Trần Phú",
        "phone": "0912345678",
        "email": "anh@example.vn",
        "regime": "",
        "source": None,
        "term": str(of.term),
        "calendar": book.keeps,
        "policy": Policy.day,
        "supplement_restarts": True,
        "fee_asked": 150_000,
        "fee_paid": 150_000,
        "received_at": began,
        "registered_at": began,
        "due_original": began + 7 * DAY,
        "due_at": began + 23 * DAY,
        "late_at": None,
        "finished_at": began + 9 * DAY,
        "outcome": Outcome.approved if state is State.delivered else None,
        "verdict": "early",
        "delivered_at": began + 10 * DAY if state is State.delivered else None,
        "delivered_by": Channel.post if state is State.delivered else None,
    }
    return SimpleNamespace(**told)


def _line(
    by: str, seq: int, event: Event, at: datetime, dest: State, due: datetime | None = None
) -> dict[str, Any]:
    told = {"due": (due or at + 7 * DAY).isoformat(), "lapse": (at + 30 * DAY).isoformat()}
    return {
        "seq": seq,
        "event": event,
        "at": at,
        "dest": dest,
        "actor": by,
        "role": Role.reception if seq == 1 else Role.leader,
        "on_behalf_of": None,
        "reason": None if seq == 1 else REASON,
        "ground": None if seq == 1 else GROUND,
        "payload": json.dumps({"act": {}, "clock": told}),
    }


def _visit(by: str, agency: str, of: Procedure, at: datetime) -> dict[str, Any]:
    return {
        "visit": 1,
        "stage": 0,
        "code": of.stages[0].code,
        "unit": agency,
        "person": by,
        "opened_at": at,
        "opened_seq": 2,
        "due_at": at + 3 * DAY,
        "closed_at": at + 2 * DAY,
        "closed_seq": 4,
        "verdict": "early",
    }


def _register(book: Catalogue, agency: str, at: datetime) -> Facts:
    last: date = book.day(at)
    asked = registering.Asked(agency, last - 30 * DAY, last)
    paper = _paper(book, _procedure(book, agency), agency, State.delivered, at - 20 * DAY)
    return registering.facts(book, asked, [paper] * 3, at)
