"""By which rules the open dossiers are watched, and how far they were gone through

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = "hoso_app"


def upgrade() -> None:
    op.create_table(
        "survey",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("one", name=op.f("survey_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("survey_pkey")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON survey TO {ROLE}")


def downgrade() -> None:
    op.drop_table("survey")
