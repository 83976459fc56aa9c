"""How far somebody has heard the ledger and the alerts. Pure."""

import re
from typing import NamedTuple, Self

from states.errors import BadInput

SHAPE = re.compile(r"(\d{1,19})-(\d{1,19})-(\d{1,19})", re.ASCII)
LAST = 2**63 - 1  # of numbers


class Cursor(NamedTuple):
    """The transaction and number of the last line heard; alerts of which transactions are heard.

    `alerts`: of all before this one.
    """

    xact: int
    id: int
    alerts: int

    def __str__(self) -> str:
        return f"{self.xact}-{self.id}-{self.alerts}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadInput`."""
        found = SHAPE.fullmatch(text)
        if found is None or max(numbers := [int(each) for each in found.groups()]) > LAST:
            raise BadInput(
                "Last-Event-ID is no id of an event: send the last that was heard as it was given,"
                " or none to hear what comes from now on"
            )
        return cls(*numbers)
