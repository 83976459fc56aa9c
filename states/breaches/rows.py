"""A breach on the record: what an alert of that kind became."""

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word


class Cause(StrEnum):
    """Why it came to that, as the unit says."""

    workload = auto()
    absence = auto()
    waiting_for_other = auto()  # another agency, or a consulted unit
    incomplete_dossier = auto()
    complex_case = auto()
    system = auto()  # a fault of the software or the line
    other = auto()


class Standing(StrEnum):
    """Where its explanation stands."""

    open = auto()
    assigned = auto()  # to be explained by somebody
    explained = auto()
    closed = auto()


class Breach(SQLModel, table=True):
    """One deadline that was missed. `minutes`: working minutes late, None while it still runs.

    `attribution`: working minutes from the receipt by holder, which sum to all there were.
    """

    __table_args__ = (
        only("cause", Cause),
        only("standing", Standing),
        sa.ForeignKeyConstraint(
            ["dossier_id", "rule", "visit", "deadline"],
            ["alert.dossier_id", "alert.rule", "alert.visit", "alert.deadline"],
            name="breach_alert_fkey",
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (minutes IS NULL)", name="ended"),
        sa.CheckConstraint("(explanation IS NULL) = (explained_at IS NULL)", name="explained"),
        sa.Index("breach_standing_idx", "standing", "unit"),
        sa.Index("breach_open_idx", "dossier_id", postgresql_where=sa.text("ended_at IS NULL")),
    )

    dossier_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    rule: str = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    deadline: int = Field(primary_key=True)
    agency: str
    unit: str  # where it lay when it was missed
    person: str | None = None  # who had it
    due_at: datetime = Field(sa_type=MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)  # when lateness ended
    minutes: int | None = None
    attribution: list[dict[str, Any]] | None = Field(default=None, sa_type=sa.JSON)
    standing: Standing = Field(sa_type=word(Standing))
    assigned_to: str | None = None
    cause: Cause | None = Field(default=None, sa_type=word(Cause))
    explanation: str | None = None
    explained_by: str | None = None
    explained_at: datetime | None = Field(default=None, sa_type=MOMENT)
    apology_seq: int | None = None  # the line that apologised and gave a new date
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )
