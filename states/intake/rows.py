"""The rows: files handed in, imports asked for, and what became of each dossier of theirs."""

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, listed, only, word


class ImportState(StrEnum):
    """How far an import is."""

    queued = auto()
    running = auto()
    done = auto()  # to the end of the file, whatever was refused in it
    failed = auto()  # the file could not be begun, or breaks off


class RowResult(StrEnum):
    """What became of a dossier."""

    taken = auto()
    known = auto()  # it was taken in before, from a file of the same name
    refused = auto()


OPEN = (ImportState.queued, ImportState.running)


class Handed(SQLModel, table=True):
    """Who handed in a file to be imported, and when last. It goes when the file goes."""

    sha256: bytes = Field(
        primary_key=True,
        sa_type=sa.LargeBinary,
        sa_column_args=(sa.ForeignKey("file.sha256", ondelete="CASCADE"),),
    )
    by: str = Field(primary_key=True)
    at: datetime = Field(sa_type=MOMENT)


class Intake(SQLModel, table=True):
    """A file that is taken in by a map. `digest` names the question: asked again, it is the same.

    `agencies`: whose dossiers it may bring; None: everybody's. `read` is in bytes of the file, and
    `items` is how many of its dossiers have their row.
    """

    __table_args__ = (
        only("state", ImportState),
        sa.CheckConstraint("octet_length(digest) = 32", name="digest"),
        sa.CheckConstraint("items = taken + known + refused", name="counted"),
        sa.CheckConstraint("(error IS NOT NULL) = (state = 'failed')", name="failed"),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('done', 'failed'))", name="ended"
        ),
        sa.Index("intake_sha256_idx", "sha256"),
        sa.Index(
            "intake_open_idx", "id", postgresql_where=sa.text(f"state IN {listed(OPEN)}")
        ),
    )  # fmt: skip

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    digest: bytes = Field(sa_type=sa.LargeBinary, unique=True)
    sha256: bytes = Field(foreign_key="file.sha256", sa_type=sa.LargeBinary)
    name: str  # what its dossiers tell as their source
    map: str
    agencies: list[str] | None = Field(default=None, sa_type=ARRAY(sa.String))
    asked_by: str
    asked_at: datetime = Field(sa_type=MOMENT)
    state: ImportState = Field(sa_type=word(ImportState))
    begun_at: datetime | None = Field(default=None, sa_type=MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    read: int = Field(default=0, sa_type=sa.BigInteger)
    items: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0
    activities: int = 0  # of those taken
    noted: int = 0  # what was odd about those taken
    error: str | None = None


class IntakeRow(SQLModel, table=True):
    """What became of the n-th dossier of a file; `row` is where it stands there."""

    __tablename__ = "intake_row"
    __table_args__ = (
        only("result", RowResult),
        sa.CheckConstraint("(why IS NOT NULL) = (result = 'refused')", name="refused"),
    )

    intake_id: int = Field(foreign_key="intake.id", primary_key=True, sa_type=sa.BigInteger)
    n: int = Field(primary_key=True)
    row: int
    code: str | None = None
    result: RowResult = Field(sa_type=word(RowResult))
    why: str | None = None
    activities: int = 0
    notes: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)


handed, intake, intake_row = (
    SQLModel.metadata.tables[name] for name in ("handed", "intake", "intake_row")
)
