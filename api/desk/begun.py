"""What somebody has typed and not sent: where to go on with it."""

import re
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.desk import names
from api.desk.lines import procedure
from api.desk.seat import Seat
from states import drafts
from states.figures.sheets import Both
from states.finding import masks
from states.words import Event

RECEIPT = re.compile(r"receive/([0-9a-f]+)")
MOVE = re.compile(r"dossier/(.+)/([a-z_]+)")
ANSWER = re.compile(r"dossier/(.+)/answer-[0-9]+")
MANY = "bulk"


class Begun(NamedTuple):
    """A draft as it is listed; `who`: of whom it is, masked."""

    path: str
    words: Both
    of: Any
    who: str
    at: datetime


async def begun(desk: Seat) -> list[Begun]:
    """Theirs, the last first; those of no page that goes on are left out."""
    found = (_begun(desk, each) for each in await drafts.of(desk.db, desk.person))
    return [each for each in found if each is not None]


def _begun(desk: Seat, kept: drafts.Found) -> Begun | None:
    def said(name: str) -> str:
        return next(iter(kept.typed.get(name, ())), "")

    if one := RECEIPT.fullmatch(kept.form):
        of = said("procedure")
        path = "/receive/form?" + urlencode({"procedure": of, "draft": one[1]})
        row = _Row(of, None)
        who = masks.name(said("applicant"))
        return Begun(path, names.EVENTS[Event.receive], procedure(desk.book, row), who, kept.at)
    if (one := MOVE.fullmatch(kept.form)) and one[2] in set(Event):
        path = f"/dossiers/{quote(one[1], safe='')}/do/{one[2]}"
        return Begun(path, names.EVENTS[Event(one[2])], Both(one[1], one[1]), "", kept.at)
    if one := ANSWER.fullmatch(kept.form):
        path, code = f"/dossiers/{quote(one[1], safe='')}", Both(one[1], one[1])
        return Begun(path, Both("Trả lời ý kiến", "Answer a consultation"), code, "", kept.at)
    if kept.form == MANY:
        n = len(kept.typed.get("pick", ()))
        many = Both(f"{n} hồ sơ", f"{n} dossiers")
        return Begun("/bulk", Both("Làm nhiều hồ sơ", "Many at once"), many, "", kept.at)
    return None


class _Row(NamedTuple):
    procedure: str
    version: int | None
