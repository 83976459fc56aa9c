"""Dossiers as rows of a page: the same in the queues, in lists, and where many are moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from api.desk.seat import Seat
from states.batches import BY_HAND
from states.catalogue import Catalogue
from states.errors import Unknown
from states.finding.left import Left, left
from states.hands import Hands, Onward
from states.words import Event


@dataclass(frozen=True, slots=True)
class Line:
    """One dossier: its row, what its codes are called, how its deadline stands, what is open."""

    row: Any
    procedure: Any
    agency: Any
    unit: Any
    left: Left
    onward: Onward | None
    open: list[Event]


def hands(desk: Seat) -> Hands:
    return Hands(desk.book, desk.who, desk.at)


def lines(desk: Seat, rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Rows of a list as they are shown."""
    mine = hands(desk)
    return [_line(desk, mine, row) for row in rows]


def _line(desk: Seat, mine: Hands, row: Mapping[str, Any]) -> Line:
    of = SimpleNamespace(**{"reason": None, **row})
    return Line(
        row=of,
        procedure=procedure(desk.book, of),
        agency=body(desk.book, of.agency),
        unit=body(desk.book, of.unit),
        left=left(desk.book, row, desk.at, desk.lang),
        onward=mine.onward(of),
        open=[event for event in mine.open_on(of) if event in BY_HAND],
    )


def procedure(book: Catalogue, row: Any) -> Any:
    """What a dossier is of, by name; its code where the catalogue does not have it."""
    try:
        return book.procedure(row.procedure, row.version or None)
    except Unknown:
        return SimpleNamespace(name=SimpleNamespace(vi=row.procedure, en=row.procedure))


def body(book: Catalogue, code: str) -> Any:
    """An agency or a unit by name; its code where the organisation does not have it."""
    found = book.organisation.bodies.get(code)
    return found or SimpleNamespace(name=SimpleNamespace(vi=code, en=code))
