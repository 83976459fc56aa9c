"""All that is kept of one dossier: its lines, its papers, and what was said about it.

A bounded number of statements, however long its life was.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.recording import SAME, alert, b, breach, t
from states.catalogue import Catalogue
from states.changes.applying import change
from states.consultations import listing as consulting
from states.files import attaching
from states.files.attaching import Held
from states.forms.matter import Matter
from states.ledger.acts import OF_CHANGES
from states.ledger.history import history_of
from states.notices import listing as notices
from states.tables import Dossier
from states.tracking.feedback import Feedback, said_of

Row = Mapping[str, Any]
WATCHED = (t.rule, t.visit, t.deadline, t.watched, t.what, t.due_at, t.at, t.unit, t.person)
BROKEN = (b.standing, b.ended_at, b.minutes, b.attribution, b.cause, b.explanation, b.finding)
WHO_CHANGED = ("id", "kind", "subject", "reason", "ground", "proposed_by", "decided_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The dossier as it stands, with its rows, each list oldest first but for what people sent.

    `alerts` are what sweeps found, each with the breach that it became (`standing`: None for those
    that became none).
    """

    paper: Dossier
    lines: Sequence[Row]
    visits: Sequence[Row]
    activities: Sequence[Row]
    files: Sequence[Held]
    consultations: Sequence[Row]
    alerts: Sequence[Row]
    notices: Sequence[Row]
    feedback: Sequence[Feedback]
    changes: Mapping[int, Row]

    @property
    def present(self) -> Row | None:
        """The visit it is in."""
        last = self.visits[-1] if self.visits else None
        return last if last is not None and last["closed_at"] is None else None

    def attached(self) -> dict[str, str]:
        """The SHA-256 of every component's present file."""
        there = ((each.code, each.present) for each in self.files)
        return {code: row["sha256"].hex() for code, row in there if row is not None}

    def matter(self, book: Catalogue, at: datetime) -> Matter:
        """What its forms are made of."""
        return Matter(
            book=book,
            paper=self.paper,
            lines=self.lines,
            visits=self.visits,
            files=frozenset({*self.paper.facts.get("components", {}), *self.attached()}),
            consulted=tuple(each["unit"] for each in self.consultations),
            at=at,
        )


async def folder(db: AsyncConnection, book: Catalogue, paper: Dossier, at: datetime) -> Folder:
    """Of a dossier that was found."""
    number = int(paper.id or 0)
    kept = await history_of(db, paper)
    found = await _alerts(db, number)
    facts = [f"entry/{number}/{line['seq']}" for line in kept.entries]
    facts += [_fact(number, each) for each in found]
    return Folder(
        paper=paper,
        lines=kept.entries,
        visits=kept.visits,
        activities=kept.activities,
        files=await attaching.held(db, book, paper),
        consultations=await consulting.of_dossier(db, number, at),
        alerts=found,
        notices=await notices.of_facts(db, facts),
        feedback=await said_of(db, number),
        changes=await _changes(db, kept.entries),
    )


def _fact(number: int, found: Row) -> str:
    return f"alert/{number}/{found['rule']}/{found['visit']}/{found['deadline']}"


async def _alerts(db: AsyncConnection, number: int) -> list[dict[str, Any]]:
    asked = sa.select(*WATCHED, *BROKEN).select_from(alert.outerjoin(breach, SAME))
    asked = asked.where(t.dossier_id == number).order_by(t.at, t.rule, t.visit)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


async def _changes(db: AsyncConnection, lines: Sequence[Row]) -> dict[int, Row]:
    """The change sets that moved it, by their numbers."""
    if not (named := {n for line in lines if (n := change_of(line)) is not None}):
        return {}
    columns = (change.c[name] for name in WHO_CHANGED)
    asked = sa.select(*columns).where(change.c.id.in_(sorted(named)))
    return {row["id"]: dict(row) for row in (await db.execute(asked)).mappings()}


def change_of(line: Row) -> int | None:
    """The number of the change set behind a line, if one is."""
    if line["event"] not in OF_CHANGES:
        return None
    number: int | None = json.loads(line["payload"])["act"].get("change")
    return number
