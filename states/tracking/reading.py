"""What tracking reads. Of people nothing but the last digits of a telephone, to compare them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import Unknown
from states.ledger.acts import keepable
from states.ledger.statements import d, dossier, e
from states.tracking import slip

DIGITS = 4
NONE = "none"  # what is compared where there is no telephone

COLUMNS = (
    *(d.code, d.seq, d.state, d.agency, d.unit, d.counter, d.procedure, d.version, d.source),
    *(d.calendar, d.facts, d.fee_asked, d.fee_paid, d.outcome, d.verdict),
    *(d.registered_at, d.received_at, d.due_at, d.late_at, d.lapse_at),
    *(d.finished_at, d.delivered_at),
)
ONE = sa.select(sa.literal(1)).subquery()
#: One row, whether there is such a dossier or not, and whether it has a telephone.
FIND = sa.select(d.id, sa.func.right(d.phone, DIGITS).label("digits")).select_from(
    ONE.outerjoin(dossier, d.code == sa.bindparam("code"))
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Which dossier, and the proof that it is theirs: the slip's secret part or the digits."""

    code: str
    secret: str | None = None
    digits: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The dossier's columns, and its lines, oldest first."""

    paper: Any
    lines: list[Mapping[str, Any]]


async def prove(db: AsyncConnection, claim: Claim, key: bytes) -> int:
    """The id of the dossier that the claim proves. Raises `Unknown`.

    An unknown code, a wrong proof and a dossier without a telephone take the same way: one
    statement, one row, two comparisons, one sentence.
    """
    code = claim.code if keepable(claim.code) else ""
    row = (await db.execute(FIND, {"code": code})).one()
    by_secret = slip.same(slip.secret_part(key, code), claim.secret or "")
    by_digits = slip.equal(row.digits or NONE, claim.digits or "") & (row.digits is not None)
    if not ((by_secret | by_digits) & (row.id is not None)):
        raise Unknown(
            "no dossier has this code together with this proof: check the code and the secret part"
            " on the slip, or give the last four digits of the telephone that was left with it"
        )
    return int(row.id)


async def read(db: AsyncConnection, number: int) -> Found:
    """A dossier that was proved, with the lines it had when it was read."""
    paper = (await db.execute(sa.select(*COLUMNS).where(d.id == number))).one()
    told = sa.select(e.event, e.at, e.reason, e.ground, e.payload)
    ours = told.where(e.dossier_id == number, e.seq <= paper.seq).order_by(e.seq)
    lines = (await db.execute(ours)).mappings()
    return Found(paper, [dict(line) for line in lines])
