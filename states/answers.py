"""Answers given to an idempotency key: sent again, the same request gets the same answer.

The ledger knows its own keys and enters nothing twice; this is for every write, byte for byte. An
answer is kept in the transaction that made what it tells, so there is never one without the other.
"""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from states.columns import MOMENT
from states.db import fetch
from states.errors import KeyReused

KEPT = timedelta(days=7)  # a counter that lost its line for a week asks anew, and reads first


class Answer(SQLModel, table=True):
    """What was answered to a person's request with a key; `asked` is the request's digest."""

    __table_args__ = (sa.Index("answer_at_idx", "at"),)

    person: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    asked: bytes = Field(sa_type=sa.LargeBinary)
    status: int
    headers: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    body: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.clock_timestamp()}
    )


answer = SQLModel.metadata.tables["answer"]
a = answer.c


class Kept(NamedTuple):
    """An answer as it was given."""

    asked: bytes
    status: int
    headers: dict[str, str]
    body: bytes


KEEP = """
INSERT INTO answer (person, key, asked, status, headers, body) VALUES ($1, $2, $3, $4, $5::text::json, $6)
ON CONFLICT DO NOTHING RETURNING key
"""  # noqa: E501


def of_row(row: Any) -> Kept:
    """As the driver gives it, headers as text."""
    return Kept(row["asked"], row["status"], json.loads(row["headers"]), row["body"])


def same(kept: Kept, key: str, asked: bytes) -> Kept:
    """Raises `KeyReused` when it was the answer to another request."""
    if kept.asked != asked:
        raise KeyReused(
            "the key {key} was used for another request: choose a new one", key=key[:60]
        )
    return kept


async def keep(db: AsyncConnection, person: str, key: str, kept: Kept) -> bool:
    """Keep an answer; False when the same key was answered meanwhile: then undo, and look again."""
    asked, status, headers, body = kept
    row = (person, key, asked, status, json.dumps(headers), body)
    return await fetch(db, KEEP, *row) is not None


async def forget(db: AsyncConnection, at: datetime) -> int:
    """Drop answers older than `KEPT`; how many."""
    gone = await db.execute(sa.delete(answer).where(a.at < at - KEPT))
    return int(gone.rowcount)
