"""Reports as they were frozen."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT


class Frozen(SQLModel, table=True):
    """A report at the end of its period, and a restatement of one: numbered, hashed, kept.

    `since` None: from the beginning. `known_at`: what the ledger had recorded by then. `restates`:
    the number of the report that this one corrects; both stay.
    """

    __table_args__ = (
        sa.CheckConstraint("since IS NULL OR since < until", name="period"),
        sa.Index(
            "frozen_first_key",
            "report",
            "period",
            unique=True,
            postgresql_where=sa.text("restates IS NULL"),
        ),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    report: str
    period: str  # as in 2023, 2023-Q1, 2023-01
    since: datetime | None = Field(default=None, sa_type=MOMENT)
    until: datetime = Field(sa_type=MOMENT)
    known_at: datetime = Field(sa_type=MOMENT)
    data: dict[str, Any] = Field(sa_type=sa.JSON)
    hash: bytes = Field(sa_type=sa.LargeBinary)  # SHA-256 of all but the number
    restates: int | None = Field(default=None, sa_type=sa.BigInteger, foreign_key="frozen.id")
    reason: str | None = None
    frozen_by: str
    frozen_at: datetime = Field(sa_type=MOMENT)


class Counted(SQLModel, table=True):
    """A dossier as it was last rolled up: what of its projection figures are counted by."""

    __table_args__ = (
        sa.Index("counted_received_idx", "received_at"),
        sa.Index("counted_finished_idx", "finished_at"),
        sa.Index("counted_late_idx", "late_at"),
    )

    dossier_id: int = Field(primary_key=True, sa_type=sa.BigInteger, foreign_key="dossier.id")
    agency: str
    field: str
    channel: str
    received_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
    late_at: datetime | None = Field(default=None, sa_type=MOMENT)
    verdict: str | None = None


class Volume(SQLModel, table=True):
    """How many dossiers have the same dimensions, months and verdict.

    `received_at` and `finished_at` are the beginnings of their months in Viet Nam, `late_at` the
    first beginning of a month that is not before it: at every beginning of a month, each compares
    as the moment itself does.
    """

    __table_args__ = (
        sa.Index(
            "volume_key",
            *("agency", "field", "channel"),
            *("received_at", "finished_at", "late_at", "verdict"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    agency: str
    field: str
    channel: str
    received_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
    late_at: datetime | None = Field(default=None, sa_type=MOMENT)
    verdict: str | None = None
    n: int = Field(sa_type=sa.BigInteger)
