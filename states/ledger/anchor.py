"""Anchors: the heads of an agency's chains, signed with a key the database does not hold.

A chain alone proves that nobody changed a line without writing all later ones anew; an anchor
proves that nobody did that either, up to the moment it was signed.
"""

import hmac
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.ledger.outbox import HORIZON
from states.ledger.statements import d, dossier, e, entry

anchor = SQLModel.metadata.tables["anchor"]


async def sign(db: AsyncConnection, key: bytes, day: date) -> int:
    """Anchor every agency once for that day; returns how many anchors were new.

    Signed is what transactions wrote that have ended: a line still being written is no forgery.
    """
    before = (await db.execute(sa.select(HORIZON))).scalar_one()
    agencies = (await db.execute(sa.select(d.agency).distinct().order_by(d.agency))).scalars().all()
    new = 0
    for agency in agencies:
        count, heads = (await db.execute(_heads(agency, before))).one()
        if not count:
            continue  # all it has is still being written
        signed = _signature(key, agency, day, count, heads)
        values = {"agency": agency, "day": day, "dossiers": count, "heads": heads}
        values |= {"before": before, "signature": signed}
        done = await db.execute(insert(anchor).values(values).on_conflict_do_nothing())
        new += done.rowcount
    return new


async def check(db: AsyncConnection, key: bytes) -> list[str]:
    """The anchors that do not hold, each as a sentence."""
    faults = []
    for row in (await db.execute(sa.select(anchor).order_by(anchor.c.day))).all():
        count, heads = (await db.execute(_heads(row.agency, row.before))).one()
        where = f"anchor of {row.agency}, {row.day}"
        signed = _signature(key, row.agency, row.day, row.dossiers, row.heads)
        if not hmac.compare_digest(signed, row.signature):
            faults.append(f"{where}: its signature is not ours")
        elif (count, heads) != (row.dossiers, row.heads):
            faults.append(f"{where}: the history signed then is not the history told now")
    return faults


def _heads(agency: str, before: int) -> sa.Select[int, bytes]:
    """How many dossiers the agency had then, and one hash over their last lines in order."""
    last = (
        sa.select(e.dossier_id, e.hash)
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(d.agency == agency, e.xact < before)
        .order_by(e.dossier_id, e.seq.desc())
        .ext(distinct_on(e.dossier_id))
        .subquery()
    )
    every = sa.func.string_agg(last.c.hash, sa.text("''::bytea ORDER BY dossier_id"))
    return sa.select(sa.func.count(), sa.func.sha256(every)).select_from(last)


def _signature(key: bytes, agency: str, day: date, count: int, heads: bytes) -> bytes:
    text = f"{agency}\n{day.isoformat()}\n{count}\n{heads.hex()}"
    return hmac.digest(key, text.encode(), "sha256")
