"""A consultation on the record: what was asked, of whom and by when, and how it ended."""

from datetime import datetime
from enum import StrEnum, auto

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word
from states.words import Role

KEY = ("dossier_id", "n")


class Standing(StrEnum):
    """Where a consultation stands."""

    open = auto()
    answered = auto()
    withdrawn = auto()
    overtaken = auto()  # the stage that asked was left before an answer came


class End(StrEnum):
    """How it ended."""

    answered = auto()
    withdrawn = auto()
    overtaken = auto()


class Opinion(StrEnum):
    """What the body that was asked says to it."""

    agrees = auto()
    disagrees = auto()
    comments = auto()


OPEN = sa.text(f"standing = '{Standing.open}'")


class Consultation(SQLModel, table=True):
    """One question to one body, during one visit of a stage. Only `standing` ever changes, once
    (trigger). `unit` may be an agency as a whole, whose units then all may answer.

    An open one whose stage was left is overtaken already; `overtake` writes that down.
    """

    __table_args__ = (
        only("role", Role),
        only("standing", Standing),
        sa.CheckConstraint("n >= 1 AND visit >= 0", name="numbers"),
        sa.CheckConstraint("due_at <= late_at", name="due"),
        sa.CheckConstraint("unit <> by_unit", name="other"),
        # A body is asked once at a time, and its queue and what is late are few rows of many.
        sa.Index(
            "consultation_open_key",
            *("dossier_id", "visit", "unit"),
            unique=True,
            postgresql_where=OPEN,
        ),
        sa.Index("consultation_queue_idx", "unit", "due_at", postgresql_where=OPEN),
        sa.Index("consultation_late_idx", "late_at", postgresql_where=OPEN),
    )

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    n: int = Field(primary_key=True)
    visit: int  # 0: of a dossier taken over, which has none
    unit: str  # that is asked
    agency: str  # whose unit that is
    by_unit: str  # that asks
    asked_by: str
    role: Role = Field(sa_type=word(Role))
    asked_at: datetime = Field(sa_type=MOMENT)
    about: str
    term: str
    calendar: str  # of the unit that is asked
    calendar_version: str
    due_at: datetime = Field(sa_type=MOMENT)
    late_at: datetime = Field(sa_type=MOMENT)  # the first minute at which an answer is late
    standing: Standing = Field(sa_type=word(Standing))
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )


class ConsultationEnd(SQLModel, table=True):
    """How a consultation ended: one line, added and never changed. `text` is the opinion's, or why
    the question was withdrawn.
    """

    __tablename__ = "consultation_end"
    __table_args__ = (
        only("ending", End),
        only("role", Role),
        only("opinion", Opinion),
        sa.ForeignKeyConstraint(
            KEY,
            [f"consultation.{each}" for each in KEY],
            name="consultation_end_consultation_fkey",
        ),
        sa.CheckConstraint("(ending = 'answered') = (opinion IS NOT NULL)", name="answered"),
        sa.CheckConstraint("ending <> 'withdrawn' OR text IS NOT NULL", name="withdrawn"),
        sa.CheckConstraint(
            "opinion = 'agrees' OR opinion IS NULL OR text IS NOT NULL", name="said"
        ),
        sa.CheckConstraint("file IS NULL OR opinion IS NOT NULL", name="filed"),
        sa.CheckConstraint("file ~ '^[0-9a-f]{64}$'", name="file_hash"),
        sa.Index("consultation_end_file_idx", "file", postgresql_where=sa.text("file IS NOT NULL")),
    )

    dossier_id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    n: int = Field(primary_key=True)
    ending: End = Field(sa_type=word(End))
    actor: str
    role: Role = Field(sa_type=word(Role))
    at: datetime = Field(sa_type=MOMENT)
    opinion: Opinion | None = Field(default=None, sa_type=word(Opinion))
    text: str | None = None
    file: str | None = None  # SHA-256
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )
