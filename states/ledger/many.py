"""Many dossiers, each moved by the rules as one is, and written together in one statement.

What `sets` cannot do because it differs from dossier to dossier: routing by rules, calendars
corrected, versions migrated. The rules run in Python, as in `write.move`; the rows are read in one
round trip and written in another.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, cast

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from states.db import fetch_all
from states.errors import HosoError
from states.ledger import statements
from states.ledger.acts import Act
from states.ledger.loads import balances, in_hand
from states.ledger.pins import Book
from states.ledger.statements import d, dossier, visit
from states.ledger.turn import turn
from states.ledger.write import in_time, line
from states.tables import Dossier, Visit
from states.words import Event

log = structlog.get_logger()

Present = tuple[Dossier, Visit | None]
For = Callable[[Dossier, Visit | None], Act | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """A dossier that was moved, with what its line tells; or why it was not."""

    code: str
    paper: Dossier
    payload: dict[str, Any] | None = None
    refused: HosoError | None = None


async def claim(db: AsyncConnection, where: Any, limit: int) -> list[Present]:
    """Dossiers with their present visits, locked until the transaction ends; none of another's."""
    asked = sa.select(d.id).where(where).limit(limit)
    return await _held(db, asked.with_for_update(skip_locked=True, key_share=True))


async def after(
    db: AsyncConnection, where: Any, last: int, limit: int, *, locked: bool
) -> list[Present]:
    """The next dossiers in order of id, with their present visits; `locked`: waits for others'."""
    if not locked:
        asked = with_visits(where & (d.id > last)).order_by(d.id).limit(limit)
        return await present(db, asked)
    these = sa.select(d.id).where(where, d.id > last).order_by(d.id).limit(limit)
    return await _held(db, these.with_for_update())


async def _held(db: AsyncConnection, asked: sa.Select[Any]) -> list[Present]:
    """Lock first, then read: who waited for a lock would read the visit of before."""
    ids = (await db.execute(asked)).scalars().all()
    return await present(db, with_visits(among(d.id, ids)).order_by(d.id)) if ids else []


def among(column: Any, values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """One parameter however many: the statement stays the same, and prepared."""
    found: sa.ColumnElement[bool] = column == sa.func.any(
        sa.literal(list(values), ARRAY(column.type))
    )
    return found


def with_visits(where: Any) -> sa.Select[Any]:
    return sa.select(dossier, visit).select_from(statements.WITH_VISIT).where(where)


async def present(db: AsyncConnection, asked: sa.Select[Any]) -> list[Present]:
    compiled: Any = asked.compile(
        dialect=statements.PG, compile_kwargs={"render_postcompile": True}
    )
    values = [compiled.params[name] for name in compiled.positiontup]
    width = len(d)
    found = []
    for each in await fetch_all(db, str(compiled), *values):
        paper = statements.row(dossier, each[:width])
        its = statements.row(visit, each[width:])
        there = cast("Visit", its) if its.visit is not None else None
        found.append((cast("Dossier", paper), there))
    return found


async def move_many(
    db: AsyncConnection, book: Book, where: Any, act_for: For, limit: int = 5_000
) -> list[Moved]:
    """Claim up to `limit` dossiers and move each by its act, if it gets one.

    What is refused is left as it was and told; the rest is written all together.
    """
    return await move_claimed(db, book, await claim(db, where, limit), act_for)


async def move_claimed(
    db: AsyncConnection, book: Book, claimed: Sequence[Present], act_for: For
) -> list[Moved]:
    """Move dossiers that this transaction has locked."""
    told: list[Moved] = []
    rows: list[SimpleNamespace] = []
    loads: dict[str, int] | None = None
    for paper, present in claimed:
        if (act := act_for(paper, present)) is None:
            continue
        if loads is None and balances(book, paper, act):
            loads = await in_hand(db)  # once for all; each one routed below is counted in
        moved, row = turned(book, paper, present, act, loads)
        told.append(moved)
        if row is not None:
            _count_in(loads, moved.payload or {})
            rows.append(row)
    if rows:
        await write(db, rows, restages=any(row.e.event is Event.migrate for row in rows))
        log.info("dossiers.moved", move=rows[0].e.event, count=len(rows))
    return told


def turned(
    book: Book,
    paper: Dossier,
    present: Visit | None,
    act: Act,
    loads: dict[str, int] | None = None,
) -> tuple[Moved, SimpleNamespace | None]:
    """A dossier moved in memory, and the row that would be written; none where it is refused."""
    before, source = paper.seq, paper.state
    try:
        act = in_time(paper, act)
        payload, opened = turn(book, paper, present, act, loads)
    except HosoError as error:
        return Moved(paper.code, paper, refused=error), None
    entered = line(paper, source, act, payload)
    row = SimpleNamespace(d=paper, before=before, e=entered, v=present, o=opened)
    return Moved(paper.code, paper, payload), row


def _count_in(loads: dict[str, int] | None, payload: dict[str, Any]) -> None:
    person = payload.get("routed", {}).get("person")
    if loads is not None and person is not None:
        loads[person] = loads.get(person, 0) + 1


NOTHING = SimpleNamespace(**dict.fromkeys(visit.c.keys()))


def _hex(value: object) -> str:
    """Bytes as Postgres reads them."""
    assert isinstance(value, bytes)
    return f"\\x{value.hex()}"


async def write(db: AsyncConnection, rows: list[SimpleNamespace], *, restages: bool) -> None:
    """One statement for all lines, dossiers and visits. The rows are ours, so none is refused."""
    for row in rows:
        row.facts = orjson.dumps(row.d.facts).decode()
        row.v, row.o = row.v or NOTHING, row.o or NOTHING
    statement = statements.many(
        closes=any(row.v is not NOTHING for row in rows),
        opens=any(row.o is not NOTHING for row in rows),
        restages=restages,
    )
    values, keys = attrgetter(*statement.names), statement.keys
    given = [dict(zip(keys, values(row), strict=True)) for row in rows]
    written = await fetch_all(db, statement.sql, orjson.dumps(given, _hex).decode())
    assert len(written) == len(rows), "a dossier that was locked has moved"
