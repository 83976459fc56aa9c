"""Many dossiers, quickly: one lives through the ledger, the others are its copies."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states import catalogue
from states.db import engine, transaction
from states.ledger import Act, Lodging, move, open_
from states.ledger.statements import d, e, v
from states.words import Channel, Event, Role

MORNING = datetime(2024, 3, 4, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


def names(columns: Any, *but: str) -> str:
    return ", ".join(column.name for column in columns if column.name not in but)


DOSSIER = names(d, "id", "code")
ENTRY = names(e, "dossier_id", "id", "xact")
VISIT = names(v, "dossier_id")
COPIES = sa.text(
    f"WITH made AS (INSERT INTO dossier (code, {DOSSIER}) SELECT code || '-' || n, {DOSSIER}"
    " FROM dossier, generate_series(2, :many) AS n WHERE id = :id RETURNING id),"
    f" told AS (INSERT INTO entry (dossier_id, {ENTRY})"
    f" SELECT made.id, {ENTRY} FROM entry, made WHERE dossier_id = :id)"
    f" INSERT INTO visit (dossier_id, {VISIT})"
    f" SELECT made.id, {VISIT} FROM visit, made WHERE dossier_id = :id"
)


def gather(owner: str, many: int, procedure: str, events: Sequence[Event] = ()) -> None:
    """That many dossiers, received and then moved alike, and nothing else; ids begin at 1.

    The database has tidied up after them, so every round begins alike.
    """

    async def all_of_it() -> None:
        connections = engine(owner, 1)
        async with transaction(connections) as db:
            await _copied(db, many, procedure, events)
        async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            await db.execute(sa.text("VACUUM ANALYZE"))
            await db.execute(sa.text("CHECKPOINT"))
        await connections.dispose()

    asyncio.run(all_of_it())


async def _copied(db: AsyncConnection, many: int, code: str, events: Sequence[Event]) -> None:
    book = catalogue.load()
    procedure = book.procedure(code)
    files = {component.code: "0" * 64 for component in procedure.components}
    tables = ", ".join(SQLModel.metadata.tables.keys() - {"bundle", "edition"})
    await db.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    lodging = Lodging(
        unit="H42.14", procedure=code, channel=Channel.counter, applicant="Nguyễn Văn A"
    )
    paper = await open_(db, book, lodging, _act(Event.receive, payload={"components": files}))
    for event in events:
        paper = await move(db, book, paper.code, _act(event))
    await db.execute(COPIES, {"id": paper.id, "many": many})


def _act(event: Event, **facts: Any) -> Act:
    role = Role.officer if event is Event.accept else Role.reception
    return Act(event=event, actor=f"a {role}", role=role, at=MORNING, **facts)


def codes(owner: str, first: int, last: int) -> list[str]:
    """The codes of the dossiers with these ids."""

    async def asked() -> list[str]:
        connections = engine(owner, 1)
        async with transaction(connections) as db:
            found = await db.execute(sa.select(d.code).where(d.id.between(first, last)))
        await connections.dispose()
        return list(found.scalars())

    return asyncio.run(asked())
