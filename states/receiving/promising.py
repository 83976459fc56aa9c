"""The date that a receipt will promise: by the clock by which it then is. Pure."""

from dataclasses import dataclass
from datetime import datetime

from states import clock
from states.catalogue import Catalogue
from states.clock import Facts, Line, Term
from states.ledger import pins

# Lines of a trace that tell how the date comes about; the others tell how far it is.
HOW = frozenset({"term", "rolled", "works", "off", "due"})


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised to who comes at a moment. `due` None: the procedure sets no term."""

    at: datetime
    term: Term
    due: datetime | None
    trace: tuple[Line, ...]


def promise(
    book: Catalogue, procedure: str, channel: str, place: str | None, at: datetime
) -> Promise:
    """Raises `Unknown`, and `BadInput` for what lies beyond the calendar."""
    pin = pins.decide(book, procedure, channel, place, at)
    term, calendar = Term.parse(pin.term), pins.calendar(book, pin.calendar)
    policy = book.procedure(procedure, pin.version).policy
    reading = clock.read(term, calendar, Facts(at), policy, at)
    lines = tuple(line for line in reading.trace if line.rule in HOW)
    return Promise(at.astimezone(calendar.zone), term, reading.due, lines)
