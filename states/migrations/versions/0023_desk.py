"""Sessions of a browser, drafts, saved filters, and what citizens say of their dossier

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
STATES = (
    "awaiting_payment",
    "awaiting_supplement",
    "declined",
    "delivered",
    "digitised",
    "processing",
    "received",
    "registered",
    "result_returned",
    "routed",
    "stopped",
    "withdrawn",
)


def upgrade() -> None:
    op.add_column("session", sa.Column("ends", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("session_browser"), "session", "ends IS NULL OR refresh IS NULL"
    )
    op.create_table(
        "draft",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("typed", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", "form", name=op.f("draft_pkey")),
    )
    op.create_index("draft_at_idx", "draft", ["at"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE (typed, at), DELETE ON draft TO {ROLE}")
    op.create_table(
        "saved_filter",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", "name", name=op.f("saved_filter_pkey")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE (query, at), DELETE ON saved_filter TO {ROLE}")
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("stars", sa.SmallInteger(), nullable=True),
        sa.Column("words", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            f"state IN {STATES}",
            name=op.f("feedback_state_word"),
        ),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("feedback_stars")),
        sa.CheckConstraint("num_nonnulls(stars, words) > 0", name=op.f("feedback_said")),
        sa.ForeignKeyConstraint(
            ["dossier_id"], ["dossier.id"], name=op.f("feedback_dossier_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("feedback_pkey")),
    )
    op.create_index("feedback_dossier_idx", "feedback", ["dossier_id"])
    op.create_index("feedback_at_idx", "feedback", ["at"])
    op.execute(f"GRANT SELECT, INSERT ON feedback TO {ROLE}")


def downgrade() -> None:
    op.drop_table("feedback")
    op.drop_table("saved_filter")
    op.drop_table("draft")
    op.drop_constraint(op.f("session_browser"), "session", type_="check")
    op.drop_column("session", "ends")
