"""The ledger's SQL for one dossier, written once and prepared by the driver.

Names of tables and columns come from the tables themselves; every value is a parameter.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import states.tables  # noqa: F401  so that the metadata is full
from states.columns import Word
from states.db import fetch
from states.ledger import chain

WAKE = "hoso_wake"  # NOTIFY channel: something automatic is open
PG = dialect()  # type: ignore[no-untyped-call]

dossier, entry, visit = (SQLModel.metadata.tables[name] for name in ("dossier", "entry", "visit"))
activity = SQLModel.metadata.tables["activity"]
d, e, v, a = dossier.c, entry.c, visit.c, activity.c

WITH_VISIT = dossier.outerjoin(
    visit, (v.dossier_id == d.id) & (v.visit == d.visit) & v.closed_at.is_(None)
)
FIND = str(
    sa.select(dossier, visit)
    .select_from(WITH_VISIT)
    .where(d.code == sa.bindparam("code"))
    .compile(dialect=PG)
)

NUMBER = sa.text(
    "INSERT INTO code_sequence (unit, day, last) VALUES (:unit, :day, 1)"
    " ON CONFLICT (unit, day) DO UPDATE SET last = code_sequence.last + 1"
    " RETURNING last, (SELECT n FROM edition FOR SHARE) AS edition"
)
# Shared until the transaction ends: who publishes meanwhile waits, and then sees what was received.
EDITION = sa.text("SELECT n FROM edition FOR SHARE")

IN_HAND = (
    sa.select(v.person, sa.func.count().label("visits"))
    .where(v.closed_at.is_(None), v.person.is_not(None))
    .group_by(v.person)
)

SAID = ("event", "role", "on_behalf_of", "reason", "ground")
"""What an act says beside its payload. Its moment is not of it: a repeated act comes later."""

BY_KEY = str(
    sa.select(d.code, e.seq, e.payload, *(e[name] for name in SAID))
    .join_from(entry, dossier, d.id == e.dossier_id)
    .where(e.actor == sa.bindparam("actor"), e.key == sa.bindparam("key"))
    .compile(dialect=PG)
)

TERMS = ("code", "procedure", "applicant", "phone", "citizen")
"""What a dossier is found by: its terms are written once with it, and touched by no move."""

FIXED = {"id", "code", "head", "applicant", "channel", "source", "registered_at"}
FIXED |= {"counter", "place", "email", "phone", "citizen"}
CHANGING = tuple(column.name for column in dossier.c if column.name not in FIXED)
STAGED = ("person", "due_at", "closed_at", "closed_seq", "used", "verdict")
"""What changes of a visit after it was opened."""
RESTAGED = (*STAGED, "stage", "code", "unit", "role", "term")
"""What a migration changes of it."""


def _kind(column: Any) -> str:
    """The Postgres type of a column, for a parameter whose type nothing else tells."""
    return str(column.type.compile(dialect=PG))


def _of_dossier(name: str) -> str:
    """The parameter for a column of the dossier. Facts are given as the text of their JSON."""
    return ":facts" if name == "facts" else f":d_{name}"


LINE = {name: f":e_{name}" for name in chain.FIELDS} | {"recorded_at": "given.recorded_at"}


class Prepared:
    """A statement as the driver takes it: what SQLAlchemy makes of a text is made once.

    Parameters are named after where their value is found: `:d_seq` is `seq` of the `d` given.
    """

    def __init__(self, text: str) -> None:
        compiled: Any = sa.text(text).compile(dialect=PG)
        self.sql = str(compiled)
        self._values = attrgetter(*(name.replace("_", ".", 1) for name in compiled.positiontup))

    async def one(self, db: AsyncConnection, **given: Any) -> Any:
        """The row it returns, if any."""
        return await fetch(db, self.sql, *self._values(SimpleNamespace(**given)))


def row(table: sa.Table, values: Iterable[Any]) -> SimpleNamespace:
    """A row as the driver gives it, its words made members of their enums."""
    names, words = _columns(table)
    known = dict(zip(names, values, strict=True))
    for name, members in words:
        if known[name] is not None:
            known[name] = members[known[name]]
    return SimpleNamespace(**known)


@cache
def _columns(table: sa.Table) -> tuple[list[str], list[tuple[str, dict[str, StrEnum]]]]:
    """The names of all columns, and the members by their words of those that are words."""
    words = [(each.name, each.type.enum) for each in table.c if isinstance(each.type, Word)]
    return table.c.keys(), [(name, {each.value: each for each in enum}) for name, enum in words]


@cache
def turn(
    *, closes: bool, opens: bool, wakes: bool, keyed: bool, restages: bool = False
) -> Prepared:
    """One statement for the line, the dossier and its visits; it returns the hash if it won."""
    sets = ", ".join(f"{name} = {_of_dossier(name)}" for name in CHANGING)
    used = "SELECT FROM entry WHERE actor = :e_actor AND key = :e_key"
    unused = f" AND NOT EXISTS ({used})" if keyed else ""
    columns = [name for name in chain.FIELDS if name != "recorded_at"]
    values = ", ".join(f"CAST(:e_{name} AS {chain.FIELDS[name]})" for name in columns)
    parts = [
        "WITH given AS (SELECT clock_timestamp() AS recorded_at)",
        f"line AS (SELECT given.recorded_at, {chain.sql(LINE)} AS hash FROM given)",
        f"moved AS (UPDATE dossier SET {sets}, head = line.hash FROM line"
        f" WHERE id = :d_id AND seq = :before{unused} RETURNING id)",
        f"entered AS (INSERT INTO entry ({', '.join(columns)}, recorded_at, hash)"
        f" SELECT {values}, line.recorded_at, line.hash FROM line, moved)",
    ]
    if closes:
        changing = RESTAGED if restages else STAGED
        changed = ", ".join(f"{name} = :v_{name}" for name in changing)
        parts.append(
            f"closed AS (UPDATE visit SET {changed} FROM moved"
            " WHERE dossier_id = :v_dossier_id AND visit = :v_visit)"
        )
    if opens:
        new = ", ".join(f"CAST(:o_{c.name} AS {_kind(c)})" for c in visit.c)
        parts.append(
            f"opened AS (INSERT INTO visit ({', '.join(v.keys())}) SELECT {new} FROM moved)"
        )
    return Prepared(", ".join(parts) + f" SELECT hash, {_wake(wakes=wakes)} FROM line, moved")


class Many(NamedTuple):
    """A statement over one JSON array of rows: the keys of a row, and where their values are.

    One text instead of an array a column: the driver takes a third of the time over it, and
    Postgres no more.
    """

    sql: str
    keys: tuple[str, ...]
    names: tuple[str, ...]


@cache
def many(*, closes: bool, opens: bool, restages: bool) -> Many:
    """`turn` for many rows given as JSON; it returns the ids that were written."""
    columns = [name for name in chain.FIELDS if name != "recorded_at"]
    kinds = {"d.id": "bigint", "before": "integer"}
    kinds |= {f"e.{name}": chain.FIELDS[name] for name in columns}
    kinds |= {"facts" if n == "facts" else f"d.{n}": _kind(d[n]) for n in CHANGING}
    if closes:
        kinds |= {f"v.{name}": _kind(v[name]) for name in ("visit", *RESTAGED)}
    if opens:
        kinds |= {f"o.{column.name}": _kind(column) for column in visit.c}
    kinds["facts"] = "text"
    given = {name: name.replace(".", "_") for name in kinds}
    typed = ", ".join(
        f"{key} {kind}" for key, kind in zip(given.values(), kinds.values(), strict=True)
    )
    line = {name: f"given.e_{name}" for name in chain.FIELDS} | {"recorded_at": "recorded_at"}
    sets = ", ".join(
        f"{name} = line.facts::json" if name == "facts" else f"{name} = line.d_{name}"
        for name in CHANGING
    )
    parts = [
        f"WITH given AS (SELECT *, clock_timestamp() AS recorded_at"
        f" FROM json_to_recordset($1::text::json) AS t({typed}))",
        f"line AS MATERIALIZED (SELECT given.*, {chain.sql(line)} AS hash FROM given)",
        f"moved AS (UPDATE dossier SET {sets}, head = line.hash FROM line"
        " WHERE dossier.id = line.d_id AND dossier.seq = line.before RETURNING dossier.id)",
        f"entered AS (INSERT INTO entry ({', '.join(columns)}, recorded_at, hash)"
        f" SELECT {', '.join(f'line.e_{name}' for name in columns)}, line.recorded_at, line.hash"
        " FROM line JOIN moved ON moved.id = line.d_id)",
    ]
    if closes:
        changed = ", ".join(f"{n} = line.v_{n}" for n in (RESTAGED if restages else STAGED))
        parts.append(
            f"closed AS (UPDATE visit SET {changed} FROM line JOIN moved ON moved.id = line.d_id"
            " WHERE visit.dossier_id = line.d_id AND visit.visit = line.v_visit)"
        )
    if opens:
        new = ", ".join(f"line.o_{column.name}" for column in visit.c)
        parts.append(
            f"opened AS (INSERT INTO visit ({', '.join(v.keys())}) SELECT {new}"
            " FROM line JOIN moved ON moved.id = line.d_id WHERE line.o_visit IS NOT NULL)"
        )
    return Many(", ".join(parts) + " SELECT id FROM moved", tuple(given.values()), tuple(kinds))


def _wake(*, wakes: bool) -> str:
    """NOTIFY only when something automatic opened: it queues all commits of the cluster."""
    return f"pg_notify('{WAKE}', '')" if wakes else "NULL"


@cache
def first(*, wakes: bool) -> Prepared:
    """One statement for a new dossier and its first line; it returns the id and the hash."""
    columns = [name for name in d.keys() if name not in {"id", "head"}]  # noqa: SIM118  columns
    fields = [name for name in chain.FIELDS if name not in {"dossier_id", "recorded_at"}]
    line = {**LINE, "dossier_id": "given.id"}
    values = ", ".join(f"CAST(:e_{name} AS {chain.FIELDS[name]})" for name in fields)
    given = ", ".join(f"CAST({_of_dossier(name)} AS {_kind(d[name])})" for name in columns)
    return Prepared(
        "WITH given AS (SELECT nextval(pg_get_serial_sequence('dossier', 'id')) AS id,"
        " clock_timestamp() AS recorded_at),"
        f" line AS (SELECT given.id, given.recorded_at, {chain.sql(line)} AS hash FROM given),"
        f" opened AS (INSERT INTO dossier (id, head, {', '.join(columns)})"
        f" SELECT id, hash, {given} FROM line RETURNING id, {', '.join(TERMS)}),"
        " sought AS (INSERT INTO sought (kind, term, dossier_id) SELECT kind, term, id"
        f" FROM opened, hoso_terms({', '.join(TERMS)})),"
        f" entered AS (INSERT INTO entry (dossier_id, recorded_at, hash, {', '.join(fields)})"
        f" SELECT line.id, line.recorded_at, line.hash, {values} FROM line, opened)"
        f" SELECT id, hash, {_wake(wakes=wakes)} FROM line"
    )
