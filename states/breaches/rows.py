"""A breach on the record: what an alert of that kind became."""

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.catalogue.rules import What
from states.columns import MOMENT, only, word
from states.deadlines.rows import Alert

KEY = ("dossier_id", "rule", "visit", "deadline")
"""What names a deadline that was missed, of alerts and breaches."""


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


class Step(StrEnum):
    """What was done about it."""

    assign = auto()
    explain = auto()
    close = auto()
    reopen = auto()


class Breach(SQLModel, table=True):
    """One deadline that was missed. `minutes`: working minutes late, None while it still runs.

    `attribution`: working minutes from the receipt by holder, which sum to all there were. Written
    when lateness ended, these and `ended_at` never change (trigger); nor does what it was entered
    with, which the application has no right to update.
    """

    __table_args__ = (
        only("cause", Cause),
        only("standing", Standing),
        sa.ForeignKeyConstraint(
            KEY,
            [f"alert.{each}" for each in KEY],
            name="breach_alert_fkey",
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (minutes IS NULL)", name="ended"),
        sa.CheckConstraint("(explanation IS NULL) = (explained_at IS NULL)", name="explained"),
        sa.CheckConstraint("finding IS NULL OR standing = 'closed'", name="found"),
        sa.Index("breach_standing_idx", "standing", "unit"),
        sa.Index("breach_due_idx", "due_at", "dossier_id"),
        sa.Index(
            "breach_explain_idx",
            "explain_by",
            postgresql_where=sa.text(f"standing = '{Standing.assigned}'"),
        ),
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
    explain_by: datetime | None = Field(
        default=None, sa_type=MOMENT
    )  # until when, if that was said
    cause: Cause | None = Field(default=None, sa_type=word(Cause))
    explanation: str | None = None
    explained_by: str | None = None
    explained_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finding: str | None = None  # of the control unit that closed it
    apology_seq: int | None = None  # the line that apologised and gave a new date
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )


# Which alerts became none yet is asked at every sweep: of these alone, and in the index alone.
sa.Index(
    "alert_breach_idx",
    *(Alert.__table__.c[each] for each in KEY),  # type: ignore[attr-defined]
    postgresql_where=sa.text(f"what = '{What.breach}'"),
)


class BreachLine(SQLModel, table=True):
    """One thing done about a breach; lines are added and never changed.

    What a unit said first is kept here when it says it again.
    """

    __tablename__ = "breach_line"
    __table_args__ = (
        only("step", Step),
        only("cause", Cause),
        sa.ForeignKeyConstraint(
            KEY,
            [f"breach.{each}" for each in KEY],
            name="breach_line_breach_fkey",
        ),
        sa.CheckConstraint("(step = 'assign') = (assigned_to IS NOT NULL)", name="assigned"),
        sa.CheckConstraint("(step = 'explain') = (explanation IS NOT NULL)", name="explained"),
        sa.CheckConstraint("(explanation IS NULL) = (cause IS NULL)", name="caused"),
        sa.CheckConstraint("until IS NULL OR step = 'assign'", name="bounded"),
        sa.CheckConstraint("finding IS NULL OR step = 'close'", name="found"),
        sa.CheckConstraint("(step = 'reopen') = (reason IS NOT NULL)", name="reasoned"),
    )

    dossier_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    rule: str = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    deadline: int = Field(primary_key=True)
    n: int = Field(primary_key=True)
    step: Step = Field(sa_type=word(Step))
    actor: str
    at: datetime = Field(sa_type=MOMENT)
    assigned_to: str | None = None
    cause: Cause | None = Field(default=None, sa_type=word(Cause))
    explanation: str | None = None
    until: datetime | None = Field(default=None, sa_type=MOMENT)
    finding: str | None = None
    reason: str | None = None
