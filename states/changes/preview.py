"""What a change set would do, dossier by dossier, before it binds anyone.

Each dossier is read, moved in memory by the very rules that would move it, and forgotten.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.changes.plans import Plan
from states.ledger.many import Moved, after, turned
from states.tables import Dossier
from states.words import State, Tally

BATCH = 5_000  # dossiers read at a time: memory stays flat however many there are


class Effect(StrEnum):
    """What becomes of one dossier."""

    same = auto()  # bound to the new rules, its date as it was
    held = auto()  # it waits: no date is in force, and the next one is read by the new rules
    nearer = auto()  # its date comes nearer
    breaks = auto()  # its date moves away, or is lost: the promise is broken
    restated = auto()  # closed, and its date or class is another
    kept = auto()  # left as it is, by the policy of the change
    refused = auto()  # the rules do not allow it


QUIET = frozenset({Effect.same, Effect.held, Effect.kept})  # only the books notice


@dataclass(frozen=True, slots=True)
class Item:
    """One dossier before and after. Stages by their codes."""

    code: str
    agency: str
    unit: str
    state: State
    effect: Effect
    due: datetime | None
    due_after: datetime | None
    verdict: Tally | None
    verdict_after: Tally | None
    version: int
    stage: str | None
    stage_after: str | None
    why: str | None = None

    @property
    def moves(self) -> bool:
        """Whether anybody but the books would notice."""
        return self.effect not in QUIET


async def preview(
    db: AsyncConnection, book: Catalogue, plan: Plan, batch: int = BATCH
) -> AsyncIterator[Item]:
    """Every dossier the change set looks at, in order of id. Nothing is locked or written."""
    last = 0
    while papers := await after(db, plan.where, last, batch, locked=False):
        for paper, visit in papers:
            assert paper.id is not None
            last = paper.id
            stage = visit.code if visit else None
            was = _Was(paper.due_at, paper.verdict, paper.version, paper.state, paper.unit, stage)
            if (act := plan.act_for(paper, visit)) is None:
                yield was.item(paper, Effect.kept, stage)
                continue
            moved, _ = turned(book, paper, visit, act)
            yield was.after(paper, moved, visit.code if visit else None)


class _Was(NamedTuple):
    """What is told of a dossier, before it was moved."""

    due: datetime | None
    verdict: Tally | None
    version: int
    state: State
    unit: str
    stage: str | None

    def after(self, d: Dossier, moved: Moved, stage: str | None) -> Item:
        if moved.refused is not None:
            return self.item(d, Effect.refused, stage, str(moved.refused))
        return self.item(d, self._effect(d), stage)

    def _effect(self, d: Dossier) -> Effect:
        if d.finished_at is not None:
            return Effect.restated
        if self.due is None:
            return Effect.held if d.lapse_at is not None or d.due_at is None else Effect.nearer
        if d.due_at is None or d.due_at > self.due:
            return Effect.breaks
        return Effect.nearer if d.due_at < self.due else Effect.same

    def item(self, d: Dossier, effect: Effect, stage: str | None, why: str | None = None) -> Item:
        moved = effect not in {Effect.refused, Effect.kept}
        return Item(
            code=d.code,
            agency=d.agency,
            unit=self.unit,
            state=self.state,
            effect=effect,
            due=self.due,
            due_after=d.due_at if moved else self.due,
            verdict=self.verdict,
            verdict_after=d.verdict if moved else self.verdict,
            version=self.version,
            stage=self.stage,
            stage_after=stage if moved else self.stage,
            why=why,
        )


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A change set seen as a whole: how many of each effect, and those that move."""

    counts: Counter[Effect]
    items: tuple[Item, ...]

    @property
    def moving(self) -> int:
        """How many move, whether `items` has them all or not."""
        return sum(count for effect, count in self.counts.items() if effect not in QUIET)


async def foreseen(
    db: AsyncConnection, book: Catalogue, plan: Plan, most: int | None = None
) -> Foreseen:
    """The counts of all, and the items of those that move: `most` at the most."""
    counts: Counter[Effect] = Counter()
    items: list[Item] = []
    async for item in preview(db, book, plan):
        counts[item.effect] += 1
        if item.moves and (most is None or len(items) < most):
            items.append(item)
    return Foreseen(counts, tuple(items))
