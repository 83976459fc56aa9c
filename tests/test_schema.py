"""The migrated database is the one the tables describe; one that is not ours is left alone."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from book import process
from databases import alone, run_as_owner
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlmodel import SQLModel

from states import db as database_of
from states import lifecycle
from states.catalogue.rows import Dates, Kind, Status
from states.changes.rows import Kind as ChangeKind
from states.changes.rows import Status as ChangeStatus
from states.clock import Policy
from states.columns import Word
from states.embedded import Embedded
from states.ledger.statements import PG
from states.tables import SELDOM, Dossier
from states.words import Channel, Event, Outcome, Role, State, Tally

CHECKS = sa.text(
    "SELECT conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
)


@pytest.fixture
def empty(server: Embedded, worker_id: str) -> Iterator[str]:
    """The address of a database without a schema, as its owner."""
    name = f"empty_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name}")
    yield server.address(name, "postgres")
    run_as_owner(server, f"DROP DATABASE {name} WITH (FORCE)")


def ask(address: str, *statements: str) -> list[Any]:
    """The rows of the last statement."""
    import asyncio

    async def run() -> list[Any]:
        engine = create_async_engine(address)
        async with engine.begin() as db:
            for statement in statements:
                answer = await db.execute(sa.text(statement))
            rows = list(answer.all()) if answer.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(run())


# As described -------------------------------------------------------------------------------


async def test_the_migrated_schema_is_that_of_the_tables(owner_db: AsyncConnection) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        options = {"compare_server_default": True}
        return compare_metadata(
            MigrationContext.configure(connection, opts=options), SQLModel.metadata
        )

    assert await owner_db.run_sync(differences) == []


def _uncast(check: str) -> str:
    """Without the casts that Postgres writes elsewhere in a check it has read twice."""
    return re.sub(r"::text|::character varying|[()\[\]]", "", check)


async def test_checks_of_the_database_are_those_of_the_tables(owner_db: AsyncConnection) -> None:
    """Alembic compares none: each is made once more, and Postgres writes both down."""
    migrated = dict((await owner_db.execute(CHECKS)).all())
    for table in SQLModel.metadata.sorted_tables:
        every = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        for check in every:
            twin = f"ALTER TABLE {table.name} ADD CONSTRAINT twin CHECK ({check.sqltext})"
            await owner_db.execute(sa.text(twin))
            described = dict((await owner_db.execute(CHECKS)).all())
            name = PG.identifier_preparer.format_constraint(check)
            found = migrated.pop(f"{table.name}.{name}")
            assert _uncast(found) == _uncast(described[f"{table.name}.twin"])
            await owner_db.execute(sa.text(f"ALTER TABLE {table.name} DROP CONSTRAINT twin"))
    assert migrated == {}


async def test_partial_indexes_are_those_of_the_tables(owner_db: AsyncConnection) -> None:
    """Alembic does not compare what they are for either."""
    asked = sa.text(
        "SELECT indexrelid::regclass::text, pg_get_expr(indpred, indrelid) FROM pg_index"
        " WHERE indpred IS NOT NULL AND indrelid::regclass::text IN ('dossier', 'entry')"
    )
    found = dict((await owner_db.execute(asked)).all())
    sources = {State(row.source) for row in lifecycle.ROWS if row.automatic}
    assert words_in(found.pop("dossier_automatic_idx")) == sources
    assert words_in(found.pop("dossier_counter_idx")) == {"registered", "result_returned"}
    assert words_in(found.pop("entry_seldom_idx")) == words_in(str(SELDOM))
    assert found == {
        "dossier_due_idx": "(finished_at IS NULL)",
        "dossier_was_due_idx": "(finished_at IS NOT NULL)",
        "dossier_finished_idx": "(finished_at IS NOT NULL)",
        "dossier_lapse_idx": "(lapse_at IS NOT NULL)",
        "entry_key_key": "(key IS NOT NULL)",
    }


def words_in(rule: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", rule))


@pytest.mark.parametrize(
    ("column", "enum"),
    [
        ("dossier.state", State),
        ("dossier.channel", Channel),
        ("dossier.policy", Policy),
        ("dossier.stage_role", Role),
        ("dossier.outcome", Outcome),
        ("dossier.verdict", Tally),
        ("entry.event", Event),
        ("entry.source", State),
        ("entry.dest", State),
        ("entry.role", Role),
        ("visit.role", Role),
        ("visit.verdict", Tally),
        ("bundle.kind", Kind),
        ("bundle.status", Status),
        ("bundle.dates", Dates),
        ("change.kind", ChangeKind),
        ("change.status", ChangeStatus),
    ],
)
async def test_the_database_knows_the_same_words(
    db: AsyncConnection, column: str, enum: type[StrEnum]
) -> None:
    table, name = column.split(".")
    checks = dict((await db.execute(CHECKS)).all())
    assert words_in(checks[f"{table}.{table}_{name}_word"]) == set(enum)


def test_every_column_of_words_has_its_check() -> None:
    for table in SQLModel.metadata.sorted_tables:
        checked = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        for column in table.c:
            if isinstance(column.type, Word):
                assert f"{table.name}_{column.name}_word" in checked, column


async def test_the_states_of_a_dossier_are_tied_to_its_facts(db: AsyncConnection) -> None:
    checks = dict((await db.execute(CHECKS)).all())
    for name, states in [
        ("finished", lifecycle.FINISHED),
        ("classed", lifecycle.FINISHED),
        ("decided", lifecycle.WITH_RESULT),
        ("delivered", {State.delivered}),
        ("waiting", lifecycle.HELD),
        ("received", lifecycle.IN_PROCEDURE),
    ]:
        assert words_in(checks[f"dossier.dossier_{name}"]) == states


async def test_what_guards_read_is_never_null_where_they_read_it(db: AsyncConnection) -> None:
    """`None < at` raises in Python and is false in SQL: the two would part."""
    nullable = {column.name for column in Dossier.__table__.c if column.nullable}
    guarded = {"stage", "stages", "takes_in", "missing", "supplements_left", "extensions_left"}
    assert not guarded & nullable
    checks = dict((await db.execute(CHECKS)).all())
    assert checks["dossier.dossier_waiting"].startswith("CHECK (((lapse_at IS NOT NULL) = ")


# Up and down --------------------------------------------------------------------------------


def test_down_to_nothing_and_up_again(empty: str) -> None:
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    )
    database_of.migrate(empty)
    before = ask(empty, tables), ask(empty, columns), ask(empty, str(CHECKS))
    assert len(before[0]) == len(SQLModel.metadata.tables) + 1
    command.downgrade(database_of._config(empty), "base")
    assert ask(empty, tables) == [("alembic_version",)]
    database_of.migrate(empty)
    after = ask(empty, tables), ask(empty, columns), ask(empty, str(CHECKS))
    assert [set(rows) for rows in after] == [set(rows) for rows in before]


def test_to_migrate_twice_changes_nothing(empty: str) -> None:
    database_of.migrate(empty)
    ask(empty, "INSERT INTO reader (name, xact, last) VALUES ('post', 1, 7)")
    database_of.migrate(empty)
    assert ask(empty, "SELECT last FROM reader WHERE name = 'post'") == [(7,)]


def test_there_is_one_line_of_revisions(empty: str) -> None:
    script = ScriptDirectory.from_config(database_of._config(empty))
    assert len(script.get_heads()) == 1
    assert [each.revision for each in script.walk_revisions()][-1] == "0001"


def test_of_two_that_migrate_at_once_one_waits(empty: str, tmp_path: Path) -> None:
    """As two machines do that are set up together; and a third that comes while they are at it."""
    app = empty.replace("postgres@", "hoso_app@")
    told = {"HOSO_DATABASE": app.replace("+asyncpg", ""), "HOSO_LOG_FORMAT": "json"}
    told |= {"HOSO_DATABASE_OWNER": empty.replace("+asyncpg", "")}
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "api.cli", "migrate", "--json"],
            env=os.environ | told | {"HOSO_DATA": str(tmp_path / str(n))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(3)
    ]
    ended = [process.communicate(timeout=120) for process in begun]
    assert [process.returncode for process in begun] == [0, 0, 0], ended
    [head] = ScriptDirectory.from_config(database_of._config(empty)).get_heads()
    assert [json.loads(out) for out, _ in ended] == [{"schema": head}] * 3
    database_of.revision_fits(empty)
    kinds = "SELECT count(*) FROM bundle WHERE kind = 'organisation'"
    assert ask(empty, kinds) == ask(empty, "SELECT n FROM edition") == [(1,)]


# Somebody else's ----------------------------------------------------------------------------


def test_a_newer_schema_is_refused_and_left_alone(empty: str) -> None:
    database_of.migrate(empty)
    ask(empty, "UPDATE alembic_version SET version_num = '9999'", "DROP TABLE reader")
    with pytest.raises(database_of.WrongSchema, match=r"has schema 9999, which a newer hoso wrote"):
        database_of.migrate(empty)
    with pytest.raises(database_of.WrongSchema, match="run the newer hoso"):
        database_of.revision_fits(empty)
    assert ask(empty, "SELECT version_num FROM alembic_version") == [("9999",)]
    assert ask(empty, "SELECT to_regclass('reader')") == [(None,)]


def test_an_older_schema_is_told_how_to_become_ours(empty: str) -> None:
    with pytest.raises(database_of.WrongSchema, match=r"has schema none, .* run `hoso migrate`"):
        database_of.revision_fits(empty)
    assert ask(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    command.upgrade(database_of._config(empty), "0001")
    with pytest.raises(database_of.WrongSchema, match=r"has schema 0001, .* run `hoso migrate`"):
        database_of.revision_fits(empty)
    database_of.migrate(empty)
    database_of.revision_fits(empty)


# A row comes back as it went in -------------------------------------------------------------


async def test_words_are_refused_before_they_are_sent(db: AsyncConnection) -> None:
    await process(db)
    with pytest.raises(sa.exc.StatementError, match="'lost' is not a valid State"):
        await db.execute(sa.update(Dossier).values(state="lost"))
    row = (await db.execute(sa.select(Dossier.state, Dossier.channel))).one()
    assert [type(word) for word in row] == [State, Channel]
