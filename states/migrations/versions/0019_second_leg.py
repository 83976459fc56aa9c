"""How the result went to the citizen

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossier", sa.Column("delivered_by", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("dossier_delivered_by_word"),
        "dossier",
        "delivered_by IN ('counter', 'online', 'post')",
    )
    op.create_check_constraint(
        op.f("dossier_delivered_by_one"),
        "dossier",
        "delivered_by IS NULL OR delivered_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_column("dossier", "delivered_by")
