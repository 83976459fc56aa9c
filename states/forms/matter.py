"""A dossier with all that its forms are made of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Form, Regime
from states.errors import Unknown
from states.tracking import slip
from states.words import Event

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Track:
    """Where anybody may follow a dossier with the secret part of its code."""

    site: str  # as people reach it, such as https://hoso.example.vn
    secret: str

    def address(self, code: str) -> str:
        """What the code to be scanned holds."""
        return f"{self.site.rstrip('/')}/track/{quote(code, safe='')}/{self.secret}"

    @property
    def printed(self) -> str:
        return slip.grouped(self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """The dossier, its lines and visits, oldest first, and its components that have a file.

    `consulted`: the bodies that were asked for their opinion. `track` is None for who may not hand
    out the secret part.
    """

    book: Catalogue
    paper: Any
    lines: Sequence[Line]
    visits: Sequence[Line] = ()
    files: frozenset[str] = field(default_factory=frozenset)
    consulted: Sequence[str] = ()
    at: datetime
    track: Track | None = None

    @property
    def zone(self) -> tzinfo:
        """Of the dossier's own calendar."""
        return self.book.calendar(self.paper.calendar).zone

    @property
    def procedure(self) -> Procedure | None:
        """The version it runs under; None of what ran elsewhere."""
        try:
            return self.book.procedure(self.paper.procedure, self.paper.version or None)
        except Unknown:
            return None

    @property
    def regime(self) -> Regime:
        """As it was pinned; of what was taken over, that of its day. Raises `Unknown`."""
        regimes = self.book.regimes
        pinned = (each for each in regimes.regimes if each.code == self.paper.regime)
        received = self.paper.received_at or self.paper.registered_at
        return next(pinned, None) or regimes.regime_on(received.astimezone(self.zone).date())

    def prescribed(self, on: str) -> Form | None:
        """The regime's form for an occasion, if it has one."""
        return next((each for each in self.regime.forms if each.on == on), None)

    def last(self, *events: Event) -> Line | None:
        """The last line of one of these events."""
        return next((line for line in reversed(self.lines) if line["event"] in events), None)
