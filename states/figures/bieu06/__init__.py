"""Biểu 06/VPCP/KSTT (Circular 01/2020/TT-VPCP): what came in, what was resolved, what is in hand.

The columns of the form and their identities: 3 = 4 + 5 + 6, 7 = 8 + 9 + 10, 11 = 12 + 13, and
3 = 7 + 11. Dossiers withdrawn, stopped or declined, and finished ones whose procedure sets no term,
have no class that the form knows: they are left out of every column and counted beneath.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from states.clock import Policy
from states.errors import BadInput
from states.figures.bieu06.anew import anew
from states.figures.bieu06.form import FORM, UNCLASSED
from states.figures.counting import counted
from states.figures.periods import Period
from states.ledger.pins import Book


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form. Numbers in brackets are the form's columns."""

    agency: str
    online: int = 0  # (4) received in the period, online
    direct: int = 0  # (5) received in the period, at the counter or by post
    carried: int = 0  # (6) carried over from before
    early: int = 0  # (8)
    on_time: int = 0  # (9)
    late: int = 0  # (10)
    in_time: int = 0  # (12) in process, within the term or held
    overdue: int = 0  # (13) in process, past it
    unclassed: int = 0  # beneath the form: finished in the period without a class

    @property
    def reckoned(self) -> dict[str, Any]:
        """With the sums and the rates of the form: `received`, `resolved`, …"""
        return FORM.reckoned(asdict(self))

    @property
    def received(self) -> int:
        """(3)"""
        return int(self.reckoned["received"])

    @property
    def resolved(self) -> int:
        """(7)"""
        return int(self.reckoned["resolved"])

    @property
    def in_process(self) -> int:
        """(11)"""
        return int(self.reckoned["in_process"])

    @property
    def balances(self) -> bool:
        """3 = 7 + 11"""
        return self.received == self.resolved + self.in_process

    @property
    def of_resolved(self) -> float | None:
        """On time or early, of those resolved, in percent; None when nothing was."""
        rate: float | None = self.reckoned["of_resolved"]
        return rate

    @property
    def of_received(self) -> float | None:
        """On time or early, of those received (Decree 61/2018 Art. 30(2)(c)), in percent."""
        rate: float | None = self.reckoned["of_received"]
        return rate


__all__ = ["FORM", "UNCLASSED", "Bieu06", "Row", "bieu06"]
NUMBERS = tuple(field.name for field in fields(Row) if field.name != "agency")


@dataclass(frozen=True, slots=True)
class Bieu06:
    """The form: its period [since, until), policy and rows by agency."""

    since: datetime | None
    until: datetime
    policy: Policy | None
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """All agencies together."""
        sums = {name: sum(getattr(row, name) for row in self.rows) for name in NUMBERS}
        return Row(agency="", **sums)


async def bieu06(
    db: AsyncConnection,
    book: Book,
    since: datetime | None,
    until: datetime,
    agencies: Sequence[str] | None = None,
    policy: Policy | None = None,
) -> Bieu06:
    """The form for [since, until), `since` None for all there was before.

    `policy`: read the classes anew by this policy; None takes the verdicts as they were frozen,
    each by its dossier's own policy. Raises `BadInput` for a period that ends before it begins.
    """
    if since is not None and since >= until:
        raise BadInput("the period ends before it begins: --from must lie before --to")
    if policy is None:
        rows = await _frozen(db, since, until, agencies)
    else:
        found = await anew(db, book, since, until, agencies, policy)
        rows = [Row(agency=name, **numbers) for name, numbers in found.items()]
    return Bieu06(since, until, policy, tuple(sorted(rows, key=lambda row: row.agency)))


async def _frozen(
    db: AsyncConnection, since: datetime | None, until: datetime, agencies: Sequence[str] | None
) -> list[Row]:
    """One pass over the dossiers of the period, counted by Postgres."""
    only = {} if agencies is None else {"agency": agencies}
    rows = await counted(db, FORM, ("agency",), [Period("", since, until)], only)
    return [Row(**{each: row[each] for each in NUMBERS}, agency=row["agency"]) for row in rows]
