"""Which procedures somebody at a counter may receive, and why not the others. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto

from states import lifecycle, people
from states.catalogue import Catalogue
from states.catalogue.matching import letters, matching
from states.catalogue.procedures import Component, Procedure
from states.errors import NotYours
from states.letters import plain
from states.people import Caller
from states.words import Event, Role


class Bar(StrEnum):
    """Why somebody may not receive a procedure."""

    post = auto()  # the public post may not carry it
    agency = auto()  # its agency trusts them with nothing today
    field = auto()  # its agency trusts them, but not with this field


@dataclass(frozen=True, slots=True)
class Offer:
    """A procedure in force, and what bars it."""

    of: Procedure
    bar: Bar | None


def check_receives(book: Catalogue, who: Caller) -> None:
    """Raises `NotYours` for whoever receives nothing, whatever the procedure."""
    centre = book.centre.code
    if who.role not in lifecycle.moves(Event.receive, lifecycle.NEW)[0].by:
        raise NotYours(
            "who is {role} receives no dossiers: clerks of the counters and of the post do",
            role=who.role,
        )
    if who.role is not Role.postal and (why := people.may(book, who, centre, centre)):
        raise NotYours("{id} receives no dossiers: {why}", id=who.person.id, why=why)


def bar(book: Catalogue, who: Caller, of: Procedure) -> Bar | None:
    """Why they may not receive it on their day; None: they may. Of others than postal clerks
    `check_receives` says it all: whatever comes to a counter is received there.
    """
    if who.role is not Role.postal:
        return None
    trusts = book.organisation.may_act_for
    if not of.post.eligible:
        return Bar.post
    if not trusts(who.person.id, of.agency, who.on):
        return Bar.agency
    return None if trusts(who.person.id, of.agency, who.on, field=of.field) else Bar.field


def offers(
    book: Catalogue, who: Caller, on: date, text: str = "", often: Sequence[str] = ()
) -> list[Offer]:
    """Those in force that the text finds: first what comes often here, last what is barred."""
    rank = {code: place for place, code in enumerate(often)}
    words = plain(text)

    def place(offer: Offer) -> tuple[bool, int, bool]:
        begins = not letters(offer.of.name.vi).startswith(words)
        return offer.bar is not None, rank.get(offer.of.code, len(rank)), begins

    found = [Offer(each, bar(book, who, each)) for each in matching(book, on, text)]
    return sorted(found, key=place)


def lacking(of: Procedure, handed: Collection[str]) -> list[Component]:
    """What is required and was not handed in. What is there from before is handed in by nobody."""
    required = (each for each in of.components if each.required and not each.reusable)
    return [each for each in required if each.code not in handed]
