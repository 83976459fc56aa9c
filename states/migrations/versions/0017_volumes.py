"""What figures are counted by: each dossier as it was rolled up, and how many are alike

Revision ID: 0017
Revises: 0016
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
DIMENSIONS = ("agency", "field", "channel")
MOMENTS = ("received_at", "finished_at", "late_at")


def columns() -> list["sa.Column[Any]"]:
    return [
        *(sa.Column(name, sa.String(), nullable=False) for name in DIMENSIONS),
        *(sa.Column(name, MOMENT, nullable=True) for name in MOMENTS),
        sa.Column("verdict", sa.String(), nullable=True),
    ]


def upgrade() -> None:
    op.create_table(
        "counted",
        sa.Column("dossier_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns(),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name="counted_dossier_id_fkey"),
        sa.PrimaryKeyConstraint("dossier_id", name="counted_pkey"),
    )
    for moment in MOMENTS:
        op.create_index(f"counted_{moment.removesuffix('_at')}_idx", "counted", [moment])
    op.create_table(
        "volume",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *columns(),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="volume_pkey"),
    )
    op.create_index(
        "volume_key",
        "volume",
        [*DIMENSIONS, *MOMENTS, "verdict"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON counted, volume TO {ROLE}")


def downgrade() -> None:
    op.drop_table("volume")
    op.drop_table("counted")
