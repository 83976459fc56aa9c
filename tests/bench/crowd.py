"""Many dossiers, quickly: one lives through the ledger, the others are its copies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from states import catalogue
from states.db import transaction
from states.ledger import Act, Lodging, move, open_
from states.ledger.statements import d, e, v
from states.words import Channel, Event, Role

MORNING = datetime(2024, 3, 4, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
ROLES = {Event.accept: Role.officer}  # who does what the reception does not


def _names(columns: Any, *but: str) -> str:
    return ", ".join(column.name for column in columns if column.name not in but)


DOSSIER = _names(d, "id", "code")
ENTRY = _names(e, "dossier_id", "id", "xact")
VISIT = _names(v, "dossier_id")
COPIES = sa.text(
    f"WITH made AS (INSERT INTO dossier (code, {DOSSIER}) SELECT code || '-' || n, {DOSSIER}"
    " FROM dossier, generate_series(2, :many) AS n WHERE id = :id RETURNING id),"
    f" told AS (INSERT INTO entry (dossier_id, {ENTRY})"
    f" SELECT made.id, {ENTRY} FROM entry, made WHERE dossier_id = :id)"
    f" INSERT INTO visit (dossier_id, {VISIT})"
    f" SELECT made.id, {VISIT} FROM visit, made WHERE dossier_id = :id"
)


async def gather(owner: AsyncEngine, many: int, code: str, events: Sequence[Event] = ()) -> None:
    """That many dossiers of a procedure, received and then moved alike, and nothing else.

    The database has tidied up after them, so that every round begins alike.
    """
    tables = ", ".join(SQLModel.metadata.tables)
    book = catalogue.load()
    procedure = book.procedure(code)
    files = {component.code: "0" * 64 for component in procedure.components}
    lodging = Lodging(
        unit="H42.14", procedure=code, channel=Channel.counter, applicant="Nguyễn Văn A"
    )
    async with transaction(owner) as db:
        await db.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        paper = await open_(db, book, lodging, _act(Event.receive, payload={"components": files}))
        for event in events:
            paper = await move(db, book, paper.code, _act(event))
        await db.execute(COPIES, {"id": paper.id, "many": many})
    async with owner.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
        await db.execute(sa.text("VACUUM ANALYZE"))
        await db.execute(sa.text("CHECKPOINT"))


def _act(event: Event, **facts: Any) -> Act:
    role = ROLES.get(event, Role.reception)
    return Act(event=event, actor=f"a {role}", role=role, at=MORNING, **facts)
