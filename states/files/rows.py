"""The rows: what is in the store, and of which component it is or was the file."""

from datetime import datetime
from enum import StrEnum, auto

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word
from states.files.kinds import Kind


class Provenance(StrEnum):
    """How a file came."""

    scanned = auto()  # at the counter
    uploaded = auto()
    portal = auto()  # taken over from the national portal
    agency = auto()  # handed over by an agency's own software


class Medium(StrEnum):
    """What the store holds: the kinds of components' files, and of other systems' files."""

    pdf = Kind.pdf.value
    jpeg = Kind.jpeg.value
    png = Kind.png.value
    tiff = Kind.tiff.value
    webp = Kind.webp.value
    docx = Kind.docx.value
    xlsx = Kind.xlsx.value
    odt = Kind.odt.value
    ods = Kind.ods.value
    csv = "text/csv"
    gzip = "application/gzip"
    xml = "application/xml"


class File(SQLModel, table=True):
    """What the store holds, or is about to. `at` and `by`: when and by whom it last came in.

    A row is there before the bytes are, so that whatever lies in the store is found by its row.
    """

    __table_args__ = (
        only("type", Medium),
        sa.CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        sa.CheckConstraint("size > 0", name="size"),
    )

    sha256: bytes = Field(primary_key=True, sa_type=sa.LargeBinary)
    size: int = Field(sa_type=sa.BigInteger)  # bytes
    type: Medium = Field(sa_type=word(Medium))
    at: datetime = Field(sa_type=MOMENT)
    by: str


class Attachment(SQLModel, table=True):
    """The n-th file of a component. The present one has no `replaced_at`; nothing else changes."""

    __table_args__ = (
        only("provenance", Provenance),
        sa.CheckConstraint("n >= 1", name="n"),
        sa.Index(
            "attachment_present_idx",
            "dossier_id",
            "component",
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
        ),
        sa.Index("attachment_sha256_idx", "sha256"),
    )

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    component: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    sha256: bytes = Field(foreign_key="file.sha256", sa_type=sa.LargeBinary)
    name: str
    provenance: Provenance = Field(sa_type=word(Provenance))
    by: str
    at: datetime = Field(sa_type=MOMENT)
    replaced_at: datetime | None = Field(default=None, sa_type=MOMENT)


file, attachment = (SQLModel.metadata.tables[name] for name in ("file", "attachment"))
