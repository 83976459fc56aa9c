"""Messages looked up by whoever may see the dossiers they are about, and sent again by hand.

Addresses are masked: a list is for finding what did not arrive, not for reading where people are.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import HosoError, Unknown
from states.ledger.statements import d, dossier
from states.notices import queued
from states.notices.queued import m, message
from states.notices.rows import Audience, Sending, Way
from states.pages import Page, page

NAMES = (
    *("id", "sending", "way", "audience", "recipient", "template", "fact", "tries", "next_at"),
    *("made_at", "sent_at", "error", "law"),
)
FROM = message.join(dossier, d.id == m.dossier_id)


class NotDead(HosoError):
    """Only dead letters are sent again."""


async def part(
    db: AsyncConnection,
    seen: sa.ColumnElement[bool],
    cursor: str | None,
    limit: int,
    *,
    sending: Sending | None = None,
    way: Way | None = None,
    audience: Audience | None = None,
    code: str | None = None,
) -> Page:
    """A page of them, the last made first, without their text."""
    asked = sa.select(*(m[name] for name in NAMES), d.code).select_from(FROM).where(seen)
    only = {m.sending: sending, m.way: way, m.audience: audience, d.code: code}
    asked = asked.where(*(column == value for column, value in only.items() if value is not None))
    found = await page(db, asked, (m.id,), cursor, limit, newest=True)
    for row in found.rows:
        row["recipient"] = masked(row["way"], row["recipient"])
    return found


async def of_facts(db: AsyncConnection, facts: Collection[str]) -> list[dict[str, Any]]:
    """What was made of these facts, the last made first, with its text."""
    told = (*(m[name] for name in NAMES), m.subject, m.body)
    asked = sa.select(*told).where(m.fact.in_(facts)).order_by(m.id.desc())
    rows = [dict(row) for row in (await db.execute(asked)).mappings()]
    return [row | {"recipient": masked(row["way"], row["recipient"])} for row in rows]


async def counts(
    db: AsyncConnection, seen: sa.ColumnElement[bool]
) -> Sequence[sa.Row[tuple[Way, Sending, int]]]:
    """How many messages of each way stand where."""
    asked = sa.select(m.way, m.sending, sa.func.count().label("messages")).select_from(FROM)
    asked = asked.where(seen).group_by(m.way, m.sending).order_by(m.way, m.sending)
    return (await db.execute(asked)).all()


async def again(
    db: AsyncConnection, seen: sa.ColumnElement[bool], number: int, at: datetime
) -> str:
    """Queue a dead letter as if it had never been tried; the code of its dossier.

    Raises `Unknown` for what is not seen, `NotDead`.
    """
    asked = sa.select(d.code, m.sending).select_from(FROM).where(m.id == number, seen)
    found = (await db.execute(asked.with_for_update(of=message))).one_or_none()
    if found is None:
        raise Unknown("there is no message {number}", number=number)
    if found.sending is not Sending.dead:
        raise NotDead(
            "message {number} is {sending}: only dead letters are sent again",
            number=number,
            sending=found.sending,
        )
    await queued.resend(db, [number], at)
    return str(found.code)


def masked(way: Way, recipient: str) -> str:
    """Enough of an address to tell it from others of the same dossier. Pure."""
    if way is Way.webhook:  # its name, which is ours
        return recipient
    name, at, domain = recipient.partition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    return f"***{recipient[-3:]}" if len(recipient) > 6 else "***"
