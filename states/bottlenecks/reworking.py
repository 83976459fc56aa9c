"""Rework: what was done again, which stages were entered again, what was sent back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from states.bottlenecks.scope import NAME, Scope, statement
from states.columns import listed
from states.words import Event

RETURNS = (Event.send_back, Event.reopen, Event.request_supplement)


@dataclass(frozen=True, slots=True)
class Repeated:
    """An activity: of how many dossiers, of how many of these more than once, how often again."""

    procedure: str
    activity: str
    dossiers: int
    again: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Revisited:
    """A stage that was entered again. `minutes`: working minutes of the visits after the first."""

    procedure: str
    stage: str
    dossiers: int
    again: int
    visits: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Returned:
    """An event that takes a dossier back: of how many dossiers, how often."""

    procedure: str
    event: Event
    dossiers: int
    times: int


@dataclass(frozen=True, slots=True)
class Rework:
    """`dossiers`: all that were looked at; `again`: those in which anything was done again."""

    dossiers: int
    again: int
    activities: tuple[Repeated, ...]
    stages: tuple[Revisited, ...]
    returns: tuple[Returned, ...]


async def rework(db: AsyncConnection, scope: Scope) -> Rework:
    """Counted by Postgres."""
    values = scope.values
    whole = (await db.execute(statement(_whole(scope)), values)).one()
    activities, stages, returns = [
        [dict(row) for row in (await db.execute(statement(sql(scope)), values)).mappings()]
        for sql in (_activities, _stages, _returns)
    ]
    return Rework(
        whole.dossiers,
        whole.again,
        tuple(Repeated(**row) for row in activities),
        tuple(Revisited(**row) for row in stages),
        tuple(_returned(row) for row in returns),
    )


def _returned(row: Mapping[str, Any]) -> Returned:
    return Returned(**{**row, "event": Event(row["event"])})


def _times(scope: Scope) -> str:
    """How often each thing was done to each dossier."""
    return f"""
        SELECT t.dossier_id, {NAME} AS activity, count(*) AS times
        FROM {scope.happened} AS t GROUP BY 1, 2
    """  # noqa: S608  as all below: our own texts, the rest are parameters


def _whole(scope: Scope) -> str:
    return f"""
        SELECT count(DISTINCT dossier_id) AS dossiers,
            count(DISTINCT dossier_id) FILTER (WHERE times > 1) AS again
        FROM ({_times(scope)}) AS done
    """  # noqa: S608


def _activities(scope: Scope) -> str:
    return f"""
        SELECT d.procedure, done.activity, count(*) AS dossiers,
            count(*) FILTER (WHERE done.times > 1) AS again,
            sum(done.times - 1)::bigint AS repeats
        FROM ({_times(scope)}) AS done JOIN dossier d ON d.id = done.dossier_id
        GROUP BY d.procedure, done.activity HAVING max(done.times) > 1
        ORDER BY repeats DESC, d.procedure, done.activity
    """  # noqa: S608


def _stages(scope: Scope) -> str:
    return f"""
        SELECT its.procedure, its.code AS stage, count(DISTINCT its.dossier_id) AS dossiers,
            count(DISTINCT its.dossier_id) FILTER (WHERE its.turn > 1) AS again,
            count(*) FILTER (WHERE its.turn > 1) AS visits,
            coalesce(sum(its.used) FILTER (WHERE its.turn > 1), 0)::bigint AS minutes
        FROM (
            SELECT d.procedure, v.code, v.dossier_id, v.used,
                row_number() OVER (PARTITION BY v.dossier_id, v.code ORDER BY v.visit) AS turn
            FROM visit v JOIN dossier d ON d.id = v.dossier_id WHERE {scope.which}
        ) AS its
        GROUP BY its.procedure, its.code HAVING max(its.turn) > 1
        ORDER BY visits DESC, its.procedure, its.code
    """  # noqa: S608


def _returns(scope: Scope) -> str:
    return f"""
        SELECT d.procedure, e.event, count(DISTINCT d.id) AS dossiers, count(*) AS times
        FROM entry e JOIN dossier d ON d.id = e.dossier_id
        WHERE e.event IN {listed(RETURNS)} AND {scope.which}
        GROUP BY d.procedure, e.event ORDER BY times DESC, d.procedure, e.event
    """  # noqa: S608
