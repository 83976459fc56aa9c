"""Anchors: the heads of an agency's chains, signed with a key the database does not hold.

A chain alone proves that nobody changed a line without writing all later ones anew; an anchor
proves that nobody did that either, up to the moment it was signed.

The key is the deployment's, made of its secret; a file in the data folder goes before it, for what
was signed before there was a secret, or under another one.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.errors import HosoError
from states.ledger.outbox import HORIZON
from states.ledger.statements import d, dossier, e, entry

anchor = SQLModel.metadata.tables["anchor"]


KEY, SEAL = "anchor.key", "anchor.seal"
SHORTEST = 32  # characters of a key


class NoKey(HosoError):
    """The key that signs anchors is not usable."""


class OtherKey(HosoError):
    """The last anchor was signed with another key than this machine's."""


def key_in(folder: Path, made: bytes) -> bytes:
    """The key of a folder that keeps one; else the one that was made of the deployment's secret.

    Of that one it is the text, so that it can be kept in the file when the secret changes.
    """
    file = folder / KEY
    if not file.exists():
        return made.hex().encode()
    key = file.read_text().strip()
    if len(key) < SHORTEST:
        raise NoKey(
            "{file} holds no key: restore it from a copy, or anchors cannot be checked", file=file
        )
    return key.encode()


async def sign(db: AsyncConnection, key: bytes, folder: Path, day: date) -> int:
    """Anchor every agency once for that day; returns how many anchors were new.

    Signed is what transactions wrote that have ended: a line still being written is no forgery.
    A seal over all anchors lies in the folder, outside the database. Raises `OtherKey`.
    """
    await _same_key(db, key)
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
    if new:
        rows = await _rows(db)
        (folder / SEAL).write_text(f"{len(rows)} {_sealed(rows)}\n")
    return new


async def signed_on(db: AsyncConnection, day: date) -> bool:
    """Whether anything was anchored for that day."""
    return bool(await db.scalar(sa.select(sa.exists().where(anchor.c.day == day))))


async def _same_key(db: AsyncConnection, key: bytes) -> None:
    """Two keys in turn would make honest anchors look forged. Raises `OtherKey`."""
    c = anchor.c
    last = sa.select(anchor).order_by(c.agency, c.recorded_at.desc(), c.day.desc())
    for row in await db.execute(last.distinct(c.agency)):
        if not _is_signed(row, key):
            raise OtherKey(
                "nothing was signed: the last anchor of {agency}, of {day}, has another key than"
                " this machine: give it the same HOSO_SECRET as the others, or their {key} in"
                " its data folder",
                agency=row.agency,
                day=row.day,
                key=KEY,
            )


async def check(db: AsyncConnection, key: bytes, folder: Path) -> list[str]:
    """The anchors that do not hold, each as a sentence."""
    rows, faults = await _rows(db), []
    if (folder / SEAL).exists():
        sealed, seal = (folder / SEAL).read_text().split()
        if len(rows) < int(sealed) or _sealed(rows[: int(sealed)]) != seal:
            faults.append("the anchors are not those that were signed: one is missing or altered")
    for row in rows:
        count, heads = (await db.execute(_heads(row.agency, row.before))).one()
        where = f"anchor of {row.agency}, {row.day}"
        if not _is_signed(row, key):
            faults.append(f"{where}: its signature is not ours")
        elif (count, heads) != (row.dossiers, row.heads):
            faults.append(f"{where}: the history signed then is not the history told now")
    return faults


async def _rows(db: AsyncConnection) -> Sequence[sa.Row[Any]]:
    c = anchor.c
    return (await db.execute(sa.select(anchor).order_by(c.recorded_at, c.agency, c.day))).all()


def _sealed(rows: Sequence[sa.Row[Any]]) -> str:
    return hashlib.sha256(b"".join(row.signature for row in rows)).hexdigest()


def _heads(agency: str, before: int) -> sa.Select[tuple[int, bytes]]:
    """How many dossiers the agency had then, and one hash over their last lines in order."""
    last = (
        sa.select(e.dossier_id, e.hash)
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(d.agency == agency, e.xact < before)
        .order_by(e.dossier_id, e.seq.desc())
        .distinct(e.dossier_id)
        .subquery()
    )
    every = sa.func.string_agg(last.c.hash, sa.text("''::bytea ORDER BY dossier_id"))
    return sa.select(sa.func.count(), sa.func.sha256(every)).select_from(last)


def _is_signed(row: sa.Row[Any], key: bytes) -> bool:
    ours = _signature(key, row.agency, row.day, row.dossiers, row.heads)
    return hmac.compare_digest(ours, row.signature)


def _signature(key: bytes, agency: str, day: date, count: int, heads: bytes) -> bytes:
    text = f"{agency}\n{day.isoformat()}\n{count}\n{heads.hex()}"
    return hmac.digest(key, text.encode(), "sha256")
