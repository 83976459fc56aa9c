"""How a consultation ends: answered, withdrawn, or overtaken. Nothing here commits.

It ends once: of two answers at a time one is kept, and who sent the other is told whose. The same
sent again changes nothing. An answer that comes late is taken, and told as late, as long as the
stage that asked waits for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.consultations.holding import held, in_time
from states.consultations.listing import one
from states.consultations.opened import (
    LEFT,
    LIVE,
    UNENDED,
    WITH_DOSSIER,
    c,
    consultation,
    consultation_end,
    n,
)
from states.consultations.rights import answer_refused, withdraw_refused
from states.consultations.rows import End, Opinion, Standing
from states.errors import BadInput
from states.ledger.acts import LONG, check_text
from states.people import Caller
from states.sentences import Sentence
from states.words import Role

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a body says to what it was asked; `file` is the SHA-256 of the signed opinion."""

    opinion: Opinion
    text: str | None = None
    file: str | None = None


async def answer(
    db: AsyncConnection,
    book: Catalogue,
    code: str,
    number: int,
    who: Caller,
    said: Answer,
    at: datetime,
) -> None:
    """Give the opinion. Raises `BadInput`, `Unknown`, `NotOpen` and `NotYours`."""
    text = _text("text", said.text)
    if text is None and said.opinion is not Opinion.agrees:
        raise BadInput(
            "{opinion} needs its words: say in 'text' what, and why", opinion=said.opinion
        )
    told = {"opinion": said.opinion, "text": text, "file": said.file}
    end = {"ending": End.answered, "actor": who.person.id} | told
    paper = await held(db, code)
    row = await one(db, paper.id, number, at)
    if not _is_so(row, end):
        if refusal := answer_refused(book, who, row):
            raise refusal
        await _end(db, row, end | {"role": who.role}, at)


async def withdraw(
    db: AsyncConnection,
    book: Catalogue,
    code: str,
    number: int,
    who: Caller,
    reason: str,
    at: datetime,
) -> None:
    """Ask no longer. Raises `BadInput`, `Unknown`, `NotOpen` and `NotYours`."""
    if (text := _text("reason", reason)) is None:
        raise BadInput("a question is withdrawn with its reason: who was asked will read it")
    end = {"ending": End.withdrawn, "actor": who.person.id, "text": text}
    paper = await held(db, code)
    row = await one(db, paper.id, number, at)
    if not _is_so(row, end):
        if refusal := withdraw_refused(book, who, paper, row):
            raise refusal
        await _end(db, row, end | {"role": who.role}, at)


def _text(name: str, text: str | None) -> str | None:
    check_text(name, text, LONG)
    return (text or "").strip() or None


def _is_so(row: dict[str, Any], end: Mapping[str, Any]) -> bool:
    """Whether it ended just so already."""
    known = row | {"ending": row["standing"], "actor": row["ended_by"]}
    return all(known[name] == value for name, value in end.items())


async def _end(db: AsyncConnection, row: dict[str, Any], end: dict[str, Any], at: datetime) -> None:
    key = {"dossier_id": row["dossier_id"], "n": row["n"]}
    when = in_time(at, row["asked_at"], Sentence("the question"))
    await db.execute(sa.insert(consultation_end).values(key | end | {"at": when}))
    its = sa.update(consultation).where(c.dossier_id == row["dossier_id"], c.n == row["n"])
    await db.execute(its.values(standing=end["ending"]))
    log.info("consultation.ended", **key, how=end["ending"], by=end["actor"])


# Overtaken ------------------------------------------------------------------------------------


async def overtake(db: AsyncConnection, most: int = 10_000) -> int:
    """End those whose stage was left without their answer, as of that moment; how many.

    They count as ended before it is written down: it keeps the indexes of open ones small, and it
    does not matter when, or how often, it is done.
    """
    gone = (
        sa.select(c.dossier_id, c.n, LEFT.label("at"))
        .select_from(WITH_DOSSIER)
        .where(UNENDED, ~LIVE)
        .limit(most)
        .with_for_update(of=consultation, skip_locked=True)
        .cte("gone")
    )
    ends = (
        sa.update(consultation)
        .where(c.dossier_id == gone.c.dossier_id, c.n == gone.c.n)
        .values(standing=Standing.overtaken)
        .returning(c.dossier_id, c.n, gone.c.at)
        .cte("ends")
    )
    told = {"ending": End.overtaken, "actor": "system", "role": Role.system}
    words = [sa.literal(value, n[name].type) for name, value in told.items()]
    lines = sa.select(ends.c.dossier_id, ends.c.n, ends.c.at, *words)
    entered = sa.insert(consultation_end).from_select(
        ["dossier_id", "n", "at", *told], lines, include_defaults=False
    )
    count = (await db.execute(entered)).rowcount
    if count:
        log.info("consultations.overtaken", count=count)
    return count
