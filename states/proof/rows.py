"""What a proof found not to hold: an alarm, never mended in silence."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT


class Discrepancy(SQLModel, table=True):
    """One thing that does not hold: of a dossier (`code`), or of a balance (its name)."""

    __table_args__ = (sa.UniqueConstraint("day", "code", "what"),)

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    day: date
    code: str
    what: str
    found_at: datetime = Field(sa_type=MOMENT)
    seen_by: str | None = None
    seen_at: datetime | None = Field(default=None, sa_type=MOMENT)
