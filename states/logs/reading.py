"""What happened, out of the database: whole dossiers in order of id, a batch at a time.

Each batch is a transaction of its own that sees one moment, so an export of hours keeps no
transaction, no connection and no old row alive, and a slow reader costs nothing but its own time.
The last dossier there was when it began is the last that is told.

A dossier that was taken over has the history that its system told, and the lines that were added
here since. The lines that its import wrote are told only where there is no such history: they
repeat its ends.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import states.consultations.rows
import states.files.rows  # noqa: F401  so that the metadata is full
from states.db import fetch_all, transaction
from states.errors import BadInput
from states.ledger.statements import d, dossier
from states.logs.telling import Case, Chapter, Things
from states.sight import Sight

BATCH = 1_000  # dossiers
Seen = Callable[[AsyncConnection, Sequence[int]], Awaitable[None]]
"""Keeps that these dossiers were looked at, in the transaction that reads them."""


@dataclass(frozen=True, slots=True)
class Only:
    """Which dossiers: in hand between two moments, that is registered before `until` and not
    finished before `since`. Each is told from its beginning to its end.
    """

    since: datetime | None = None
    until: datetime | None = None
    agencies: Sequence[str] | None = None
    procedures: Sequence[str] | None = None
    sight: Sight | None = None  # None: the operator's, who sees all

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadInput("the period ends before it begins: --from must lie before --to")

    def where(self) -> sa.ColumnElement[bool]:
        """As a condition on dossiers."""
        wanted = [sa.true() if self.sight is None else self.sight.where()]
        if self.since is not None:
            wanted.append(sa.or_(d.finished_at.is_(None), d.finished_at >= self.since))
        if self.until is not None:
            wanted.append(d.registered_at < self.until)
        for column, values in ((d.agency, self.agencies), (d.procedure, self.procedures)):
            if values is not None:
                wanted.append(column.in_(values))
        return sa.and_(*wanted)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a log is read from. `people`: with applicants, and what other systems kept beside."""

    engine: AsyncEngine
    only: Only = Only()
    people: bool = False
    seen: Seen | None = None

    async def chapters(self, *, components: bool = False) -> AsyncGenerator[list[Chapter]]:
        """All dossiers with what happened to them, in batches; `components`: also what came with
        each line, which takes longer to read.
        """
        async with self._snapshot() as db:
            end = await db.scalar(sa.select(sa.func.max(d.id))) or 0
        last = 0
        while last < end:
            async with self._snapshot() as db:
                where = (d.id > last) & (d.id <= end) & self.only.where()
                cases = await self._cases(db, where)
                if not cases:
                    return
                last = cases[-1].id
                ids = [case.id for case in cases]
                if self.seen is not None:
                    await self.seen(db, ids)
                sql = happened(components=components, told=self.people)
                rows = await fetch_all(db, sql, ids)
            yield list(grouped(cases, rows))

    async def things(self, ids: Sequence[int]) -> AsyncGenerator[tuple[list[Case], Things]]:
        """The objects of dossiers that were told, in batches."""
        for first in range(0, len(ids), BATCH):
            some = list(ids[first : first + BATCH])
            async with self._snapshot() as db:
                cases = await self._cases(db, d.id == sa.any_(sa.cast(some, BIGINTS)))
                found = [
                    await fetch_all(db, sql, some) for sql in (VISITS, COMPONENTS, CONSULTATIONS)
                ]
            yield cases, Things(*found)

    async def _cases(self, db: AsyncConnection, where: sa.ColumnElement[bool]) -> list[Case]:
        applicant = d.applicant if self.people else sa.null()
        query = sa.select(*CASE, applicant).select_from(dossier).where(where)
        rows = await db.execute(query.order_by(d.id).limit(BATCH))
        return [Case._make(row) for row in rows]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        async with transaction(self.engine) as db:
            if not db.in_nested_transaction():  # or it sees what is seen around it
                await db.execute(SNAPSHOT)
            yield db


def grouped(cases: Sequence[Case], rows: Sequence[Any]) -> list[Chapter]:
    """Rows in order of dossier, under their dossiers."""
    found: list[Chapter] = []
    at, end = 0, len(rows)
    for case in cases:
        begin, id_ = at, case.id
        while at < end and rows[at][0] == id_:
            at += 1
        found.append((case, rows[begin:at]))
    return found


BIGINTS = sa.ARRAY(sa.BigInteger)
SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
CASE = (
    *(d.id, d.code, d.agency, d.procedure, d.version, d.field, d.channel, d.counter, d.source),
    *(d.registered_at, d.received_at, d.due_at, d.finished_at, d.verdict, d.outcome),
)

# The visit that a line left or was made in; the one that it opened, if any.
LINES = """
SELECT e.dossier_id, 1 AS kind, e.seq AS n, e.event AS activity, 'complete' AS transition, e.at,
    {actor}, e.role,
    coalesce(v.unit, o.unit, d.counter) AS unit, e.on_behalf_of AS acts_for,
    coalesce(v.visit, o.visit) AS visit, coalesce(v.code, o.code) AS stage, o.visit AS opened,
    {brought} AS extra
FROM entry e
JOIN dossier d ON d.id = e.dossier_id
LEFT JOIN visit v ON v.dossier_id = e.dossier_id AND v.opened_seq < e.seq
    AND (v.closed_seq IS NULL OR v.closed_seq >= e.seq)
LEFT JOIN visit o ON o.dossier_id = e.dossier_id AND o.opened_seq = e.seq
WHERE {which}
    AND (d.source IS NULL
        OR e.xact <> (SELECT f.xact FROM entry f WHERE f.dossier_id = d.id AND f.seq = 1)
        OR NOT EXISTS (SELECT FROM activity a WHERE a.dossier_id = d.id))
"""
BROUGHT = """
CASE WHEN e.event IN ('register', 'receive', 'digitise', 'supplement')
    THEN (e.payload::json #> '{act,components}')::text END
"""
WORKED = "CASE WHEN e.role <> 'citizen' THEN e.actor END"
"""Who worked: of citizens not even a pseudonym is told, unless people are."""
TOLD = """
SELECT a.dossier_id, 0, a.n, a.name, coalesce(a.data ->> 'lifecycle:transition', 'complete'),
    a.at, a.person, NULL, a.unit, NULL, NULL, NULL, NULL, {data}
FROM activity a JOIN dossier d ON d.id = a.dossier_id WHERE {which}
"""
ASKED = """
SELECT c.dossier_id, 2, c.n, 'ask_opinion', 'complete', c.asked_at, c.asked_by, c.role, c.by_unit,
    NULL, nullif(c.visit, 0), v.code, NULL, NULL
FROM consultation c JOIN dossier d ON d.id = c.dossier_id
LEFT JOIN visit v ON v.dossier_id = c.dossier_id AND v.visit = c.visit
WHERE {which}
"""
ENDED = """
SELECT c.dossier_id, 3, c.n, CASE x.ending WHEN 'answered' THEN 'give_opinion'
        WHEN 'withdrawn' THEN 'withdraw_question' ELSE 'overtake_question' END, 'complete',
    x.at, x.actor, x.role, CASE x.ending WHEN 'answered' THEN c.unit ELSE c.by_unit END, NULL,
    nullif(c.visit, 0), v.code, NULL, NULL
FROM consultation_end x
JOIN consultation c ON c.dossier_id = x.dossier_id AND c.n = x.n
JOIN dossier d ON d.id = c.dossier_id
LEFT JOIN visit v ON v.dossier_id = c.dossier_id AND v.visit = c.visit
WHERE {which}
"""
HERE = "d.id = ANY($1::bigint[])"


def happened(*, components: bool = False, told: bool = False) -> str:
    """The statement for all that happened to the dossiers whose ids are given, in order of dossier
    and time.
    """
    all_ = happenings(HERE, components=components, told=told, citizens=told)
    return f"{all_} ORDER BY dossier_id, at, kind, n"


def happenings(
    which: str, *, components: bool = False, told: bool = False, citizens: bool = True
) -> str:
    """All that happened to the dossiers `d` of a condition; the columns are those of
    `telling.Happening`. `citizens`: with who they are.
    """
    brought = BROUGHT if components else "NULL"
    parts = (
        LINES.replace("{brought}", brought).replace("{actor}", "e.actor" if citizens else WORKED),
        TOLD.replace("{data}", "a.data::text" if told else "NULL"),
        ASKED,
        ENDED,
    )
    union = "UNION ALL".join(part.replace("{which}", which) for part in parts)
    return f"SELECT * FROM ({union}) AS t"  # noqa: S608  our own


VISITS = """
SELECT dossier_id, visit, code, unit, role, person, term, opened_at, due_at, closed_at, used,
    verdict
FROM visit WHERE dossier_id = ANY($1::bigint[]) ORDER BY dossier_id, visit
"""
COMPONENTS = """
SELECT dossier_id, component, sum(files)::int AS files FROM (
    SELECT d.id AS dossier_id, json_object_keys(d.facts -> 'components') AS component, 0 AS files
    FROM dossier d WHERE d.id = ANY($1::bigint[])
    UNION ALL
    SELECT x.dossier_id, x.component, 1 FROM attachment x WHERE x.dossier_id = ANY($1::bigint[])
) AS t GROUP BY dossier_id, component ORDER BY dossier_id, component
"""
CONSULTATIONS = """
SELECT c.dossier_id, c.n, c.visit, c.unit, c.by_unit, c.asked_at, c.due_at, c.standing
FROM consultation c WHERE c.dossier_id = ANY($1::bigint[]) ORDER BY c.dossier_id, c.n
"""
