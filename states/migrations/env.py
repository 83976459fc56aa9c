"""How migrations run: over asyncpg like all else, one at a time, never behind a long lock."""

import asyncio
import os
from typing import Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import AutoString, SQLModel

import states.columns
import states.migrations.every
from states.ledger import outbox

ONE_AT_A_TIME = 7_476_011  # an advisory lock of ours: two processes may start at once


def plain(kind: str, thing: object, _: object) -> str | Literal[False]:
    """Migrations speak SQLAlchemy only: they must still run when our types have moved on."""
    ours = isinstance(thing, AutoString | states.columns.Word)
    return "sa.String()" if kind == "type" and ours else False


def run(connection: sa.Connection) -> None:
    connection.execute(sa.text(f"SELECT pg_advisory_lock({ONE_AT_A_TIME})"))
    connection.execute(sa.text("SET lock_timeout = '10s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_item=plain,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    with connection.begin():
        outbox.count_on(connection)


async def main() -> None:
    """Alembic's own command reads HOSO_DATABASE_OWNER; our code hands the address over."""
    url = context.config.attributes.get("url") or os.environ["HOSO_DATABASE_OWNER"]
    engine = create_async_engine(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
