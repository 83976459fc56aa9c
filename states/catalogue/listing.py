"""What a list of procedures shows beside what is published: what waits, and what is used."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue.bundles import BOUND, b, bundle
from states.catalogue.rows import Kind
from states.finding.rows import Kind as Term
from states.finding.terms import s, sought
from states.ledger.statements import d, dossier

LAST = 200  # dossiers of one procedure that are looked at, however many it has


async def unpublished(db: AsyncConnection, kind: Kind = Kind.procedure) -> Sequence[Any]:
    """The rows of drafts and of what is checked, in order of code and number."""
    asked = sa.select(bundle).where(b.kind == kind, b.status.not_in(BOUND))
    return (await db.execute(asked.order_by(b.code, b.version))).all()


async def last_opened(db: AsyncConnection, codes: Iterable[str]) -> dict[str, datetime]:
    """When the last dossier of each procedure was received, or opened if it is not received; those
    that never had one are not there. A look at an index for each, however many dossiers there are.
    """
    every = sa.func.unnest(sa.cast(sorted(codes), sa.ARRAY(sa.String)))
    of = every.table_valued("code").render_derived(name="of")
    procedure: Any = sa.literal_column(f"'{Term.procedure}'")
    last = (
        sa.select(sa.func.coalesce(d.received_at, d.moved_at).label("at"))
        .select_from(sought.join(dossier, s.dossier_id == d.id))
        .where(s.kind == procedure, s.term == of.c.code)
        .order_by(s.dossier_id.desc())
        .limit(1)
        .lateral("last")
    )
    rows = await db.execute(sa.select(of.c.code, last.c.at).select_from(of.join(last, sa.true())))
    return {code: at for code, at in rows}  # noqa: C416  rows are no pairs to a type checker


async def last_closed(db: AsyncConnection, code: str, before: datetime) -> datetime | None:
    """When one of the last `LAST` dossiers of a procedure was closed before a moment, the latest;
    None where all of them came later, or none did.
    """
    last = sa.select(s.dossier_id).where(s.kind == Term.procedure, s.term == code)
    last = last.order_by(s.dossier_id.desc()).limit(LAST)
    asked = sa.select(sa.func.max(d.finished_at)).where(d.id.in_(last), d.finished_at < before)
    found: datetime | None = await db.scalar(asked)
    return found
