"""The simulation itself: history streamed through the draft's rules, and counted on the way."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappush, heappushpop
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue.procedures import Procedure
from states.catalogue.rights import NoRight
from states.clock import Calendar
from states.errors import BadInput
from states.ledger.pins import Book
from states.sight import Sight
from states.simulation.history import closed, read_only
from states.simulation.results import (
    CLASSES,
    Disallowed,
    LeftOut,
    Reread,
    Simulation,
    StageCount,
)
from states.simulation.rules import Rules, Visited
from states.words import Tally

BATCH = 5_000  # dossiers in memory at a time; what is kept of them is who changes class
WORST = EXAMPLES = 10
EVERY = sa.true()


def may_try(draft: Procedure, sees: Sight) -> None:
    """Raises `NoRight` for who does not see all dossiers of the draft's agency."""
    if not (sees.all or draft.agency in sees.agencies):
        raise NoRight(
            "{code} is of {agency}: ask a leader there, or the control unit",
            code=draft.code,
            agency=draft.agency,
        )


async def simulate(
    db: AsyncConnection,
    book: Book,
    draft: Procedure,
    since: datetime,
    until: datetime,
    *,
    calendar: Calendar | None = None,
    seen: sa.ColumnElement[bool] = EVERY,
    told: Callable[[int], None] = lambda n: None,
) -> Simulation:
    """Read the procedure's dossiers closed in [since, until) again, as the draft would have it.

    Of those that are `seen`: a draft says itself whose it is.

    `calendar`: another than the draft's own or its agency's newest. `told` hears how many are done.
    Nothing is written. Raises `BadInput` for a period that ends before it begins and for a draft
    whose terms the calendar cannot give.
    """
    if since >= until:
        raise BadInput("the period ends before it begins: its end must lie after its beginning")
    rules, count, done = Rules(book, draft, calendar), _Count(), 0
    query = closed(draft.code, since, until, seen).execution_options(yield_per=BATCH)
    async with read_only(db), db.stream(query) as found:
        async for batch in found.partitions():
            for past in batch:
                count.add(rules, past)
            told(done := done + len(batch))
    return count.made(rules, since, until)


Ranked = tuple[int, timedelta, int, Reread]


@dataclass(slots=True)
class _Count:
    """What was found so far."""

    matrix: Counter[tuple[Tally, Tally]] = field(default_factory=Counter)
    changed: list[Reread] = field(default_factory=list)
    worst: list[Ranked] = field(default_factory=list)
    stages: dict[str, list[int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)
    disallowed: Counter[str] = field(default_factory=Counter)
    recalendared: int = 0
    read: int = 0

    def add(self, rules: Rules, past: Any) -> None:
        """Read one dossier again, or leave it out whole."""
        if past.source is not None:
            self.left_out["imported"] += 1
            return
        if past.verdict is Tally.not_counted:
            self.left_out["unclassed"] += 1
            return
        term = rules.term(past.channel, past.place)
        try:
            reread = rules.reread(past, term)
            visits = list(rules.visits(past))
            overdue = rules.extended_overdue(past, term)
        except BadInput as why:
            self.left_out["unread"] += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append((past.code, str(why)))
            return
        self._class(reread)
        self._visits(visits)
        self.disallowed["overdue"] += overdue
        self.disallowed["asked"] += rules.asked_too_often(past)
        self.disallowed["extended"] += rules.extended_too_far(past)
        pinned = past.calendar, past.calendar_version
        self.recalendared += pinned != (rules.calendar.name, rules.calendar.version)

    def _class(self, reread: Reread) -> None:
        self.read += 1
        self.matrix[reread.before, reread.after] += 1
        if reread.before is not reread.after:
            self.changed.append(reread)
        if reread.after is not Tally.late or reread.due_after is None:
            return
        # The last tells two apart that are equally late: the first read stays.
        ranked = (reread.past, reread.finished - reread.due_after, -self.read, reread)
        if len(self.worst) < WORST:
            heappush(self.worst, ranked)
        else:
            heappushpop(self.worst, ranked)

    def _visits(self, visits: list[Visited]) -> None:
        for stage, before, after in visits:
            tally = self.stages.setdefault(stage, [0, 0, 0])
            tally[0] += 1
            tally[1] += before
            tally[2] += after or False

    def made(self, rules: Rules, since: datetime, until: datetime) -> Simulation:
        """All of it, as it is told."""
        matrix = {(was, now): self.matrix[was, now] for was in CLASSES for now in CLASSES}
        left = {name: self.left_out[name] for name in ("unclassed", "imported", "unread")}
        against = {name: self.disallowed[name] for name in ("asked", "extended", "overdue")}
        return Simulation(
            draft=rules.draft,
            calendar=rules.calendar,
            since=since,
            until=until,
            matrix=matrix,
            changed=tuple(self.changed),
            worst=tuple(each[-1] for each in sorted(self.worst, reverse=True)),
            stages=tuple(self._stages(rules.draft)),
            left_out=LeftOut(**left, examples=tuple(self.examples)),
            disallowed=Disallowed(**against),
            recalendared=self.recalendared,
        )

    def _stages(self, draft: Procedure) -> list[StageCount]:
        """The draft's stages in their order, then those of which it has no like."""
        ours = [stage.code for stage in draft.stages]
        gone = sorted(self.stages.keys() - set(ours))
        counted = {code: self.stages.get(code, [0, 0, 0]) for code in (*ours, *gone)}
        return [
            StageCount(code, visits, before, after if code in ours else None)
            for code, (visits, before, after) in counted.items()
        ]
