"""Approved change sets: corrected calendars, migrations to another version, and the ways back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prefect import flow

from flows.opening import moment, opened
from flows.telling import MOST, Happening, Kind, named, tell
from states.changes import applying

KIND: Kind = "hoso.change-applied"


@dataclass
class Heard:
    """The first dossiers that were moved, and how many: of hundreds of thousands nobody is told."""

    first: list[Happening] = field(default_factory=list)
    many: int = 0

    def of(self, change: int) -> applying.Hears:
        """What hears the codes that a change set moves."""

        def hear(codes: Sequence[str]) -> None:
            self.many += len(codes)
            few = codes[: MOST - len(self.first)]
            self.first += [Happening(KIND, code, {"change": change}) for code in few]

        return hear


@flow(name="recompute", flow_run_name=named, persist_result=False, description=__doc__)
async def recompute(at: datetime | None = None) -> dict[str, int]:
    """Apply every change set that was approved, in batches; how many dossiers each moved."""
    engine, book = await opened()
    moved, heard = {}, Heard()
    for number in await applying.waiting(engine):
        row = await applying.apply(engine, book, number, moment(at), watch=heard.of(number))
        moved[f"change {number}"] = int(row.moved)
    await tell("recompute", moved, heard.first, kinds={KIND: heard.many})
    return moved
