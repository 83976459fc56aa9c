"""Who handed in which file to be imported: each of them may ask for it

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = "hoso_app"


def upgrade() -> None:
    op.create_table(
        "handed",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["file.sha256"], name=op.f("handed_sha256_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sha256", "by", name=op.f("handed_pkey")),
    )
    op.execute("INSERT INTO handed (sha256, by, at) SELECT sha256, by, at FROM file")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (at) ON handed TO {ROLE}")


def downgrade() -> None:
    op.drop_table("handed")
