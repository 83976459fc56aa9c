"""Apologies followed to the new date they gave: whether it was kept.

An extension apologises by its instrument (Form 04), which the version of the procedure names, or by
what its reason says, as when a breach is recorded. A new date that was moved since, by a hold or a
correction, is judged where it stands now, and said to be moved.
"""

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.breaches.ending import SORRY
from states.catalogue import Catalogue
from states.columns import MOMENT
from states.errors import BadInput
from states.ledger.statements import d, dossier, e, entry
from states.pages import Page, page
from states.words import Event, Tally

EXTENDED = e.event == sa.literal_column(f"'{Event.extend}'")
KEPT = (Tally.early, Tally.on_time)


class Came(StrEnum):
    """What became of a new date."""

    kept = auto()
    missed = auto()  # the result came after it, or has not come by now
    running = auto()  # it lies ahead, or the dossier waits for the citizen
    ended = auto()  # withdrawn or stopped: there is no result to come


def outcome(at: Any) -> Any:
    """What became of the date in force of an extended dossier, by a moment."""
    missed = sa.or_(d.verdict == Tally.late, d.finished_at.is_(None) & (d.late_at <= at))
    return sa.case(
        (d.verdict.in_(KEPT), Came.kept),
        (missed, Came.missed),
        (d.finished_at.is_(None), Came.running),
        else_=Came.ended,
    )


def apologises(book: Catalogue) -> sa.ColumnElement[bool]:
    """Whether the line of an extension is an apology."""
    pairs = [
        (code, row.number)
        for code, versions in book.versions.items()
        for row in versions
        if row.says().extension.instrument
    ]
    codes, numbers = [each[0] for each in pairs], [each[1] for each in pairs]
    arrays = (sa.cast(codes, sa.ARRAY(sa.String)), sa.cast(numbers, sa.ARRAY(sa.Integer)))
    named = sa.func.unnest(*arrays).table_valued("code", "version", name="instrument")
    named = named.render_derived()
    formal = sa.exists().where(named.c.code == d.procedure, named.c.version == d.version)
    reason = sa.func.lower(e.reason)
    said = sa.or_(*(reason.contains(word, autoescape=True) for word in SORRY))
    return sa.or_(formal.select_from(named).correlate(dossier), sa.func.coalesce(said, sa.false()))


KEY = (e.at, e.dossier_id, e.seq)


async def part(
    db: AsyncConnection,
    book: Catalogue,
    seen: sa.ColumnElement[bool],
    at: datetime,
    cursor: str | None,
    limit: int,
    **only: Any,
) -> Page:
    """A page of the apologies given in [since, until), the first given before the rest.

    Each with the date it gave and what became of that by `at`; `only`: as of `every`.
    """
    return await page(db, _asked(book, at, **only).where(seen), KEY, cursor, limit)


async def every(
    db: AsyncConnection, book: Catalogue, at: datetime, most: int | None = None, **only: Any
) -> list[dict[str, Any]]:
    """All of an `agency`, of which that `came`, given in [`since`, `until`); of a dossier by its
    `code`. Raises `BadInput`.
    """
    asked = _asked(book, at, **only).order_by(*KEY).limit(most)
    return [dict(row) for row in (await db.execute(asked)).mappings()]


def came_word(text: str) -> Came:
    """Raises `BadInput`."""
    if text not in set(Came):
        raise BadInput("what came of it is one of {came}, not '{text}'",
                       came=[*Came], text=text[:40])  # fmt: skip
    return Came(text)


def _asked(
    book: Catalogue,
    at: datetime,
    *,
    agency: str | None = None,
    came: Came | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    code: str | None = None,
) -> sa.Select[Any]:
    if since is not None and until is not None and since >= until:
        raise BadInput("the period ends before it begins: `since` must lie before `until`")
    promised = sa.cast(
        sa.cast(e.payload, sa.JSON)[("clock", "due")].as_string(), MOMENT
    )  # fmt: skip
    became = outcome(sa.literal(at, MOMENT))
    told = {
        "code": d.code, "agency": d.agency, "unit": d.unit, "procedure": d.procedure,
        "by": e.actor, "reason": e.reason, "first": d.due_original, "promised": promised,
        "due_at": d.due_at, "moved": sa.func.coalesce(d.due_at != promised, sa.false()),
        "came": became, "finished_at": d.finished_at,
    }  # fmt: skip
    asked = sa.select(e.at, e.dossier_id, e.seq, *(v.label(k) for k, v in told.items()))
    asked = asked.select_from(entry.join(dossier, d.id == e.dossier_id))
    asked = asked.where(EXTENDED, apologises(book))
    if code is not None:
        asked = asked.where(d.code == code)
    if agency is not None:
        asked = asked.where(d.agency.in_(book.organisation.line(agency)))
    if since is not None:
        asked = asked.where(e.at >= since)
    if until is not None:
        asked = asked.where(e.at < until)
    if came is not None:
        asked = asked.where(became == came)
    return asked
