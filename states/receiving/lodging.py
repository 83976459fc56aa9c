"""A dossier at the counter: received, registered, sent back to be completed, or declined.

What is asked for or declined at once is registered first: so it has a code, and a form that says
why (Decree 61/2018/NĐ-CP Art. 17(1)).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger, people
from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.errors import NotYours
from states.ledger import Act, Lodging
from states.people import Caller
from states.receiving.offering import Bar, bar, check_receives
from states.tables import Dossier
from states.words import Event


class How(StrEnum):
    """What becomes of what is handed in."""

    receive = auto()
    register = auto()  # lodged only: no clock yet
    ask = auto()  # to be supplemented (Form 02)
    decline = auto()  # refused at reception (Form 03)


THEN = {How.ask: Event.request_supplement, How.decline: Event.decline}
"""What follows its registration at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What is handed in, and what is to become of it. `reason`: told to the citizen."""

    lodging: Lodging
    how: How
    reason: str | None = None


def check(book: Catalogue, who: Caller, procedure: str) -> Procedure:
    """What they may take in now, for the agency they act for. Raises `NotYours` and `Unknown`."""
    of = book.procedure(procedure, on=who.on)
    check_receives(book, who)
    if bar(book, who, of) is Bar.post:
        raise NotYours(
            "the public post may not carry {code}: send the citizen to the counter", code=of.code
        )
    if why := people.may(book, who, of.agency, book.centre.code, of.field):
        raise NotYours("{id} may not open it: {why}", id=who.person.id, why=why)
    return of


async def lodge(
    db: AsyncConnection,
    book: Catalogue,
    who: Caller,
    handed: Handed,
    at: datetime,
    key: str | None = None,
) -> Dossier:
    """Open the dossier and bring it to where it is to be. With the same key it is opened once.

    Raises what `check` and the ledger raise; then nothing may be kept of it.
    """
    check(book, who, handed.lodging.procedure)
    then = THEN.get(handed.how)
    first = Event.receive if handed.how is How.receive else Event.register
    told = None if then else handed.reason
    paper = await ledger.open_(db, book, handed.lodging, _act(who, first, at, key, told))
    if then is None:
        return paper
    act = _act(who, then, at, key and f"{key}/{then}", handed.reason)
    return await ledger.move(db, book, paper.code, replace(act, seq=paper.seq))


def _act(who: Caller, event: Event, at: datetime, key: str | None, reason: str | None) -> Act:
    return Act(
        event=event,
        actor=who.person.id,
        role=who.role,
        at=at,
        on_behalf_of=who.acts_for,
        key=key,
        reason=reason,
    )
