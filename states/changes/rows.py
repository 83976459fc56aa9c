"""Change sets: what moves running dossiers, who proposed it and who approved it."""

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, listed, only, word


class Kind(StrEnum):
    """What changed under the dossiers."""

    calendar = auto()  # its days were corrected
    version = auto()  # they go on under another version of their procedure


class Status(StrEnum):
    """Where a change set stands."""

    proposed = auto()
    approved = auto()  # to be applied, or being applied
    applied = auto()
    rejected = auto()
    undoing = auto()  # to be taken back, or being taken back
    undone = auto()


RUNNING = (Status.proposed, Status.approved, Status.undoing)


class Change(SQLModel, table=True):
    """One change set. `subject` is the calendar or the procedure; `says` the rest of it."""

    __table_args__ = (
        only("kind", Kind),
        only("status", Status),
        sa.CheckConstraint("(decided_by IS NULL) = (status = 'proposed')", name="decided"),
        sa.CheckConstraint(
            "status IN ('proposed', 'rejected') OR decided_by <> proposed_by", name="second"
        ),
        sa.Index(
            "change_running_idx",
            "kind",
            "subject",
            unique=True,
            postgresql_where=sa.text(f"status IN {listed(RUNNING)}"),
        ),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    kind: Kind = Field(sa_type=word(Kind))
    subject: str
    says: dict[str, Any] = Field(sa_type=sa.JSON)
    reason: str
    ground: str  # the deciding document
    status: Status = Field(sa_type=word(Status))
    proposed_by: str
    proposed_at: datetime = Field(sa_type=MOMENT)
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=MOMENT)
    undone_by: str | None = None
    moved: int = 0  # this and the two below: by the last way it went, forth or back
    stayed: int = 0
    refused: int = 0
    applied_at: datetime | None = Field(default=None, sa_type=MOMENT)
