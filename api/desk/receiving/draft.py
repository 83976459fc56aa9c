"""The drafts of receipts: several at once, each under a number of its own.

A draft's number is its form's key as well: whatever is clicked twice, sent from two tabs or sent
again after going back makes one dossier.
"""

import re
from secrets import token_hex
from typing import NamedTuple

from api.desk.seat import Seat
from api.desk.typed import Typed
from states import drafts
from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.errors import BadInput, Unknown

PREFIX = "receive/"
NUMBER = re.compile(r"[0-9a-f]{8}", re.ASCII)


def new() -> str:
    return token_hex(4)


def name(number: str) -> str:
    """Under which it is saved. Raises `BadInput` for what no page of ours asks for."""
    if not NUMBER.fullmatch(number):
        raise BadInput("there is no such draft: begin again from the list of procedures")
    return f"{PREFIX}{number}"


def key(number: str) -> str:
    return f"receive-{number}"


class Begun(NamedTuple):
    """A receipt that somebody began, to go on with."""

    number: str
    procedure: Procedure
    applicant: str
    draft: drafts.Found


async def begun(desk: Seat) -> list[Begun]:
    """Theirs, the last first; of procedures that are in force no more, none."""
    made = []
    for each in await drafts.of(desk.db, desk.person):
        of = _procedure(desk.book, each, desk)
        if of is not None:
            typed = Typed(each.typed)
            made.append(Begun(each.form.removeprefix(PREFIX), of, typed.get("applicant"), each))
    return made


def _procedure(book: Catalogue, draft: drafts.Found, desk: Seat) -> Procedure | None:
    if not draft.form.startswith(PREFIX):
        return None
    try:
        return book.procedure(Typed(draft.typed).get("procedure"), on=desk.today)
    except Unknown:
        return None
