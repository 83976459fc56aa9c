"""Who may change the rules that others are bound by. Pure."""

from collections.abc import Iterable
from datetime import datetime

from states.catalogue import Catalogue
from states.catalogue.organisation import Person
from states.errors import HosoError
from states.words import Role

DECIDES = (Role.leader, Role.control)


class NotAllowed(HosoError):
    """A version may not be drafted, published or retired so."""


class NoRight(NotAllowed):
    """It is for others to draft, publish or retire."""


def may_draft(book: Catalogue, by: str, at: datetime, agencies: Iterable[str] = ()) -> None:
    """Raises `NoRight` for who configures nothing: the public post (Decision 45/2016), and other
    agencies than those named. The centre drafts for all.
    """
    person, on, staff = book.person(by), book.day(at), book.organisation
    held = [each for each in person.positions if each.stands(on) and each.role is not Role.postal]
    if not held:
        raise NoRight("{by} holds no role of the staff today: ask an officer or a leader", by=by)
    bodies = {staff.agency_of(each.unit) for each in held}
    for agency in agencies:
        if not bodies & {agency, book.centre.code}:
            raise NoRight(
                "{by} is not of {agency}, whose procedure it is: ask somebody who is",
                by=by,
                agency=agency,
            )


def may_decide(book: Catalogue, by: str, at: datetime, agency: str | None = None) -> None:
    """Raises `NoRight` for who may not let a rule bind others.

    Leaders decide for their own agency, those of the centre and the control unit for all.
    """
    person, on, staff = book.person(by), book.day(at), book.organisation
    held = [each for each in person.positions if each.role in DECIDES and each.stands(on)]
    if not held:
        raise NoRight("{by} is neither a leader nor of the control unit: ask one who is", by=by)
    bodies = {staff.agency_of(each.unit) for each in held if each.role is Role.leader}
    control = any(each.role is Role.control for each in held)
    if not control and not bodies & {agency, book.centre.code}:
        where = agency or book.centre.code
        raise NoRight(
            "{by} is no leader of {where}: ask one who is, or the control unit", by=by, where=where
        )


def drafts(book: Catalogue, by: str, at: datetime, agencies: Iterable[str] = ()) -> bool:
    """Whether they may draft for these agencies."""
    try:
        may_draft(book, by, at, agencies)
    except NoRight:
        return False
    return True


def deciders(
    book: Catalogue, at: datetime, agencies: Iterable[str | None], drafted_by: str | None = None
) -> list[Person]:
    """Who may let a rule of all these agencies bind others, but for who drafted it."""
    agencies = tuple(agencies)
    return [
        each
        for each in book.organisation.people
        if each.id != drafted_by and all(_decides(book, each.id, at, code) for code in agencies)
    ]


def _decides(book: Catalogue, by: str, at: datetime, agency: str | None) -> bool:
    try:
        may_decide(book, by, at, agency)
    except NoRight:
        return False
    return True
