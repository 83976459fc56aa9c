"""What somebody may do to a dossier now, and doing it: one way for every door that moves one.

The lifecycle says what the dossier is open to, `people` whose it is, the ledger writes it.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger, lifecycle, people
from states.catalogue import Catalogue
from states.errors import NotOpen, NotYours
from states.files import attaching
from states.ledger import Act
from states.ledger.acts import by_a_change
from states.lifecycle import Now
from states.people import Caller
from states.sentences import Sentence
from states.tables import Dossier, Visit
from states.words import Event


def closed(book: Catalogue, d: Dossier, who: Caller, at: datetime) -> dict[Event, Sentence]:
    """Why each event that somebody may not fire is closed to them; all others are open. Pure."""
    right, now = people.may(book, who, d.agency, d.unit, d.field), Now(at, who.role)
    whys = ((each, lifecycle.why_not(d, each, now) or by_a_change(each) or right) for each in Event)
    return {event: why for event, why in whys if why is not None}


def check(book: Catalogue, d: Dossier, who: Caller, event: Event) -> None:
    """Whether the event is theirs to fire, if it is open. Pure.

    Raises `NotYours`, and `NotOpen` for what is done by change sets alone.
    """
    if why := by_a_change(event):
        raise NotOpen("{event} is not open: {why}", event=event, why=why)
    if why := people.may(book, who, d.agency, d.unit, d.field):
        raise NotYours("{event} is not open to you: {why}", event=event, why=why)


async def act_on(
    db: AsyncConnection,
    book: Catalogue,
    who: Caller,
    found: tuple[Dossier, Visit | None],
    act: Act,
) -> Dossier:
    """Move a dossier that was found, with the files that are attached to it.

    Rights are judged on the dossier as it was read, so it may not have moved since: without a `seq`
    of the act's own, that of `found` holds. Raises what `check` and `ledger.move` raise.
    """
    check(book, found[0], who, act.event)
    known = found[0].seq if act.seq is None else act.seq
    act = await attaching.brought(db, book, found[0], act)
    return await ledger.move(db, book, found[0].code, replace(act, seq=known), found)
