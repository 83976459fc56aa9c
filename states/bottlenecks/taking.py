"""Waiting against working, stage by stage, in working minutes: a weekend is neither.

A stage is ready for somebody when the dossier was sent to its unit, or the stage before was done.
It waits until it is taken in, and is worked on until it is done; while the citizen is asked for
something it is held, which is neither.

Who takes in a first stage says so. Of later stages nobody does, nor do other systems tell: then
somebody has taken it in when they had nothing else to do, that is since the later of its being
ready and of whatever they did last before, with any dossier. Such are counted as `estimated`.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from states.bottlenecks.scope import WHOSE, Scope, statement, within
from states.clock import Calendar
from states.columns import listed
from states.errors import BadInput
from states.ledger.pins import Book
from states.lifecycle import HELD
from states.words import Event, Role


class Spread(NamedTuple):
    """Of working minutes: what a half and nine tenths of the visits had at most, and their sum."""

    median: int
    ninth: int
    total: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a procedure in a unit; of a history that was told, an activity."""

    procedure: str
    stage: str
    unit: str
    visits: int
    waiting: Spread
    working: Spread
    held: int  # in all
    estimated: int  # visits of which nobody said when they were taken in


@dataclass(frozen=True, slots=True)
class Times:
    """What waited longest in all is first. `unreckoned`: visits beyond the reach of calendars."""

    stages: tuple[Stage, ...]
    unreckoned: int


class Turn(NamedTuple):
    """One visit: when it was ready, taken in and done."""

    ready: datetime
    taken: datetime
    done: datetime


class Split(NamedTuple):
    """Its working minutes; their sum is those from being ready to being done."""

    waiting: int
    working: int
    held: int


Hold = tuple[datetime, datetime | None]


def split(calendar: Calendar, turn: Turn, holds: Sequence[Hold] = ()) -> Split:
    """Holds may reach beyond the visit, and do not overlap. Pure."""
    at = calendar.position
    ready, taken, done = at(turn.ready), at(turn.taken), at(turn.done)
    waited = worked = 0
    for since, until in holds:
        if since >= turn.done or (until is not None and until <= turn.ready):
            continue
        begin = ready if since <= turn.ready else at(since)
        end = done if until is None or until >= turn.done else at(until)
        waited += max(0, min(end, taken) - begin)
        worked += max(0, end - max(begin, taken))
    return Split(taken - ready - waited, done - taken - worked, waited + worked)


def taken_in(ready: datetime, done: datetime, before: datetime | None) -> datetime:
    """When somebody had nothing else to do; `before`: what they did last."""
    return min(done, max(ready, before or ready))


@dataclass(slots=True)
class _Sums:
    """What is kept of the visits of a stage: eight bytes a number."""

    waiting: "array[int]" = field(default_factory=lambda: array("q"))
    working: "array[int]" = field(default_factory=lambda: array("q"))
    held: int = 0
    estimated: int = 0

    def add(self, its: Split, *, estimated: bool) -> None:
        self.waiting.append(its.waiting)
        self.working.append(its.working)
        self.held += its.held
        self.estimated += estimated


async def times(db: AsyncConnection, book: Book, scope: Scope) -> Times:
    """Of the visits and activities that were done in the period."""
    sums: dict[tuple[str, str, str], _Sums] = {}
    unreckoned = 0
    holds = await _holds(db, scope)
    for sql in (VISITS, TOLD):
        async for row in await db.stream(statement(sql), scope.values):
            known = row.opened_by == Event.accept and row.opened_role != Role.system
            taken = row.opened_at if known else taken_in(row.ready, row.done, row.before)
            turn = Turn(min(row.ready, taken), taken, row.done)
            try:
                calendar = book.calendar(row.calendar, row.calendar_version)
                its = split(calendar, turn, holds.get(row.dossier_id, ()))
            except BadInput:
                unreckoned += 1
                continue
            of = sums.setdefault((row.procedure, row.stage, row.unit), _Sums())
            of.add(its, estimated=not known)
    return Times(_stages(sums), unreckoned)


def _stages(sums: Mapping[tuple[str, str, str], _Sums]) -> tuple[Stage, ...]:
    found = [
        Stage(
            *key,
            len(of.waiting),
            spread(of.waiting),
            spread(of.working),
            of.held,
            of.estimated,
        )
        for key, of in sums.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.waiting.total, *_key(each))))


def _key(each: Stage) -> tuple[str, str, str]:
    return each.procedure, each.stage, each.unit


def spread(minutes: Sequence[int]) -> Spread:
    """As Postgres's `percentile_disc`: values that there are."""
    ordered = sorted(minutes)
    half, ninth = (ordered[ceil(share * len(ordered)) - 1] for share in (0.5, 0.9))
    return Spread(half, ninth, sum(ordered))


async def _holds(db: AsyncConnection, scope: Scope) -> dict[int, list[Hold]]:
    """When dossiers with visits that were done in the period waited for the citizen."""
    found: dict[int, list[Hold]] = {}
    async for row in await db.stream(statement(HOLDS), scope.values):
        found.setdefault(row.dossier_id, []).append((row.since, row.until))
    return found


DONE = f"v.verdict <> 'not_counted' AND {within('v.closed_at')} AND {WHOSE}"
STAFF = f"role NOT IN {listed((Role.system, Role.citizen))}"
# The first thing that somebody did in a visit, and what they had done before that, anywhere.
VISITS = f"""
WITH acts AS (
    SELECT dossier_id, seq, lag(at) OVER (PARTITION BY actor ORDER BY at, id) AS before
    FROM entry WHERE {STAFF} AND at < :until
)
SELECT v.dossier_id, d.procedure, v.code AS stage, v.unit, d.calendar, d.calendar_version,
    v.opened_at, o.event AS opened_by, o.role AS opened_role, v.closed_at AS done, acts.before,
    CASE WHEN o.event = 'accept' THEN coalesce((SELECT max(r.at) FROM entry r
        WHERE r.dossier_id = v.dossier_id AND r.event = 'route' AND r.seq < v.opened_seq),
        v.opened_at) ELSE v.opened_at END AS ready
FROM visit v
JOIN dossier d ON d.id = v.dossier_id
JOIN entry o ON o.dossier_id = v.dossier_id AND o.seq = v.opened_seq
LEFT JOIN LATERAL (
    SELECT min(f.seq) AS seq FROM entry f WHERE f.dossier_id = v.dossier_id
        AND f.seq > v.opened_seq AND f.seq <= v.closed_seq AND f.{STAFF}
) AS first ON true
LEFT JOIN acts ON acts.dossier_id = v.dossier_id AND acts.seq = first.seq
WHERE {DONE}
"""  # noqa: S608  our own texts; the rest are parameters
TOLD = f"""
WITH acts AS (
    SELECT a.*, lag(a.at) OVER (PARTITION BY a.dossier_id ORDER BY a.n) AS earlier,
        CASE WHEN a.person IS NOT NULL THEN
            lag(a.at) OVER (PARTITION BY a.person ORDER BY a.at, a.dossier_id, a.n) END AS before
    FROM activity a
)
SELECT NULL::bigint AS dossier_id, d.procedure, acts.name AS stage,
    coalesce(acts.unit, d.unit) AS unit, d.calendar, d.calendar_version, acts.at AS opened_at,
    'told' AS opened_by, NULL AS opened_role, acts.at AS done, acts.before,
    coalesce(acts.earlier, least(d.received_at, acts.at)) AS ready
FROM acts JOIN dossier d ON d.id = acts.dossier_id
WHERE {within("acts.at")} AND {WHOSE}
"""  # noqa: S608
HOLDS = f"""
SELECT h.dossier_id, h.at AS since, n.at AS until
FROM entry h LEFT JOIN entry n ON n.dossier_id = h.dossier_id AND n.seq = h.seq + 1
WHERE h.dest IN {listed(HELD)} AND h.dossier_id IN (
    SELECT v.dossier_id FROM visit v JOIN dossier d ON d.id = v.dossier_id WHERE {DONE})
"""  # noqa: S608
