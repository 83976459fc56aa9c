"""What pages say of a version, in the reader's language."""

from collections.abc import Callable
from datetime import date
from typing import Any

from api.desk.seat import Seat
from api.desk.voice import Voice
from states.catalogue import Catalogue, Procedure
from states.catalogue.difference import values
from states.figures.sheets import Both
from states.words import Role

STANDINGS = {
    "draft": Both("Bản nháp", "Draft"),
    "checked": Both("Đã kiểm tra, chờ ban hành", "Checked, to be published"),
    "coming": Both("Sắp hiệu lực", "Coming"),
    "in force": Both("Đang hiệu lực", "In force"),
    "past": Both("Hết hiệu lực", "No longer in force"),
}
LEVELS = ("province", "district", "commune")


def units(book: Catalogue, voice: Voice) -> Callable[[str], str]:
    """What a unit is called by its code; the code of one that is not there."""

    def unit(code: str) -> str:
        body = book.organisation.bodies.get(code)
        return voice.called(body) if body else code

    return unit


def voice_of(seat: Seat) -> Voice:
    return Voice(seat.lang, seat.book.zone)


def words(voice: Voice) -> Callable[..., str]:
    """`words("length", term)`: how the difference of versions says it."""

    def say(kind: str, value: Any, whole: Procedure | None = None) -> str:
        told = getattr(values, kind)
        return voice.say(*(told(value) if whole is None else told(value, whole)))

    return say


def posts(book: Catalogue, version: Procedure, on: date) -> list[str]:
    """Who of the public post may receive it on that day, by name."""
    staff = book.organisation
    if not version.post.eligible or "post" not in version.channels.come:
        return []
    there = {
        each.person: None
        for each in staff.delegations
        if each.role is Role.postal and each.holds(version.agency, on, version.field)
    }
    return [staff.by_id[each].name for each in there if each in staff.by_id]
