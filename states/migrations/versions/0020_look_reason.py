"""Why somebody looked, where they had to say so

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("look", sa.Column("reason", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("look", "reason")
