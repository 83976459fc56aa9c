"""A version of a procedure as the catalogue keeps it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from states.catalogue.procedures import Procedure


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a procedure: when it binds, and what it says when it is asked."""

    number: int
    since: date
    until: date | None
    says: Callable[[], Procedure]

    def binds(self, on: date) -> bool:
        """Whether what is received on that day is received under it."""
        return self.since <= on and (self.until is None or on <= self.until)
