"""What a dossier is bound to: the version, calendar, regime and term in force at its receipt.

Decided once, told by the line that binds it, and read from there ever after: what is edited or
corrected later moves no dossier by itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Protocol

from states.clock import Calendar, Policy
from states.errors import NotOpen, Unknown
from states.ledger import effects
from states.ledger.routing import Case, Routed
from states.tables import Dossier
from states.words import Role


class Book(Protocol):
    """What the ledger asks of the catalogue."""

    @property
    def edition(self) -> int | None:
        """The number of the database's catalogue this is; None when it is of no database."""

    def day(self, at: datetime) -> date:
        """The local day of a moment."""

    def procedure(self, code: str, version: int | None = None, on: date | None = None) -> Any:
        """One version of a procedure, or the one in force on a day, or now. Raises `Unknown`."""

    def calendar(self, name: str, version: str | None = None) -> Calendar:
        """A version of a calendar; the newest when None. Raises `Unknown`."""

    def calendar_of(self, agency: str) -> Calendar:
        """The calendar an agency works by. Raises `Unknown`."""

    def regime_on(self, day: date) -> str:
        """The legal regime of what is received on that day. Raises `Unknown`."""

    def region_of(self, place: str | None) -> str | None:
        """The region a place lies in, if any is known."""

    def code_for(self, unit: str, day: date, n: int) -> str:
        """The code of the n-th dossier that a unit takes in on a day."""

    def routed(self, procedure: Any, stage: Any, case: Case, loads: dict[str, int]) -> Routed:
        """Who gets a dossier that enters a stage, and why. `loads`: visits in hand, by person."""

    def may_take(self, person: str, unit: str, role: Role, on: date) -> None:
        """Refuse somebody who cannot be given a stage there. Raises `BadInput`."""


@dataclass(frozen=True, slots=True)
class Pin:
    """`calendar` is name@version, as traces and lines write it."""

    version: int
    calendar: str
    regime: str
    term: str

    def told(self) -> dict[str, Any]:
        """As a line keeps it."""
        return asdict(self)


def decide(
    book: Book,
    code: str,
    channel: str,
    place: str | None,
    at: datetime,
    version: int | None = None,
) -> Pin:
    """What is in force for a dossier received at that moment. Raises `Unknown`.

    `version` of the procedure: the one in force on that day, unless it is settled already.
    """
    day = book.day(at)
    procedure = book.procedure(code, version, day if version is None else None)
    named = procedure.calendar
    calendar = book.calendar(named) if named else book.calendar_of(procedure.agency)
    return Pin(
        procedure.version,
        f"{calendar.name}@{calendar.version}",
        procedure.regime or book.regime_on(day),
        str(procedure.term_for(channel, book.region_of(place))),
    )


def read(told: Mapping[str, Any]) -> Pin | None:
    """The pin that a line tells, if it binds."""
    return Pin(**told["pin"]) if "pin" in told else None


def calendar(book: Book, pinned: str) -> Calendar:
    """The calendar of a pin. Raises `Unknown`."""
    name, _, version = pinned.partition("@")
    return book.calendar(name, version or None)


def bind(paper: Dossier, procedure: Any, pin: Pin) -> None:
    """Bind the dossier to the rules in force."""
    paper.procedure = procedure.code
    paper.agency, paper.field = procedure.agency, procedure.field
    paper.calendar, _, paper.calendar_version = pin.calendar.partition("@")
    paper.term, paper.regime = pin.term, pin.regime
    paper.policy = Policy(procedure.policy)
    paper.fee_asked = procedure.fee
    allow(paper, procedure)


def going_on(book: Book, paper: Dossier, at: datetime) -> Pin:
    """The version by whose stages one that was taken over goes on; its dates are read as before.

    Raises `NotOpen` where the catalogue has no such procedure.
    """
    try:
        version = book.procedure(paper.procedure, None, book.day(at)).version
    except Unknown:
        raise NotOpen(
            "reopen is not open: {code} was taken over from {source}, and the catalogue has no"
            " procedure {procedure} in force through whose stages it could go: publish one under"
            " that code, or open a new dossier",
            code=paper.code,
            source=paper.source,
            procedure=paper.procedure[:40],
        ) from None
    calendar = f"{paper.calendar}@{paper.calendar_version}"
    return Pin(version, calendar, paper.regime, paper.term)


def allow(paper: Dossier, procedure: Any) -> None:
    """What a version lets be done: its stages, its supplements and extensions, its papers."""
    paper.version = procedure.version
    paper.stages = len(procedure.stages)
    paper.takes_in = procedure.stages[0].accept == "auto"
    paper.supplements_left = procedure.supplement.times
    paper.supplement_restarts = procedure.supplement.mode == "restart"
    paper.extensions_left = procedure.extension.times
    effects.missing(paper, procedure)
