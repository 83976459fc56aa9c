"""What is closed, as it is read for a simulation: in one statement, which sees one moment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from states.ledger.statements import d, dossier, e, v
from states.words import Event, State, Tally

OF_DOSSIER = (
    *("code", "source", "channel", "place", "facts"),
    *("received_at", "finished_at", "due_at", "verdict", "calendar", "calendar_version"),
)


@asynccontextmanager
async def read_only(db: AsyncConnection) -> AsyncIterator[None]:
    """Inside, the database refuses every write; after it, whoever opened the transaction may."""
    async with db.begin_nested():  # what is set in it ends with it
        await db.execute(sa.text("SET TRANSACTION READ ONLY"))
        yield


def closed(
    code: str, since: datetime, until: datetime, seen: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """The dossiers of a procedure among what is seen, closed in [since, until), in order of id.

    Each with the visits it made and with what its lines say of supplements and extensions. Those of
    other systems may write the code with a suffix.
    """
    visited, moved = _visits(), _moves()
    ours = (d.procedure == code) | d.procedure.startswith(f"{code}.", autoescape=True)
    return (
        sa.select(*(d[name] for name in OF_DOSSIER), *visited.c, *moved.c)
        .select_from(dossier.join(visited, sa.true()).join(moved, sa.true()))
        .where(ours, d.finished_at >= since, d.finished_at < until, seen)
        .order_by(d.id)
    )


def _visits() -> Any:
    """A dossier's visits in their order, all left by now: a list for each column."""
    late = v.verdict == Tally.late
    listed = {"stages": v.code, "opened": v.opened_at, "left": v.closed_at, "late": late}
    lists = (_list(each, v.visit).label(name) for name, each in listed.items())
    return sa.select(*lists).where(v.dossier_id == d.id).lateral("visited")


def _moves() -> Any:
    """How often it was asked to supplement after its receipt; when it did; when it was extended.

    Asked only of those that were held or extended: facts do not tell a supplement from a payment.
    """
    asked = (e.event == Event.request_supplement) & (e.source == State.processing)
    came = (e.event == Event.supplement) & (e.dest == State.processing)
    special = sa.or_(*(d.facts[name].is_not(sa.null()) for name in ("holds", "extend")))
    return (
        sa.select(
            sa.func.count().filter(asked).label("asked"),
            _list(e.at, e.seq).filter(came).label("supplemented"),
            _list(e.at, e.seq).filter(e.event == Event.extend).label("extended"),
        )
        .where(e.dossier_id == d.id, special)
        .lateral("moved")
    )


def _list(column: Any, by: Any) -> Any:
    return sa.func.array_agg(aggregate_order_by(column, by))
