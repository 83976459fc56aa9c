"""A key is replaced by one at most; what became of accounts is kept

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
WORDS = (
    "'closed', 'key_made', 'key_revoked', 'key_rotated', 'linked', 'opened', 'password_changed',"
    " 'refresh_reused', 'refused', 'reset', 'rests', 'signed_in', 'signed_out_everywhere'"
)


def upgrade() -> None:
    op.add_column("service_key", sa.Column("lasts", sa.Interval(), nullable=True))
    op.add_column("service_key", sa.Column("replaces", sa.BigInteger(), nullable=True))
    # Of one that was rotated already the rest of its grace counts: it is replaced, and ends.
    op.execute(
        "UPDATE service_key SET lasts = greatest(expires_at - created_at, interval '1 second')"
    )
    op.alter_column("service_key", "lasts", nullable=False)
    op.create_check_constraint(
        op.f("service_key_lasting"), "service_key", "lasts > interval '0 seconds'"
    )
    op.create_foreign_key(
        op.f("service_key_replaces_fkey"), "service_key", "service_key", ["replaces"], ["id"]
    )
    op.create_index(
        "service_key_replaces_key",
        "service_key",
        ["replaces"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "account_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.CheckConstraint(f"what IN ({WORDS})", name=op.f("account_event_what_word")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("account_event_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("account_event_pkey")),
    )
    op.create_index("account_event_account_idx", "account_event", ["account_id", "id"])
    op.execute(f"GRANT SELECT, INSERT ON account_event TO {ROLE}")


def downgrade() -> None:
    op.drop_table("account_event")
    op.drop_index("service_key_replaces_key", table_name="service_key")
    op.drop_column("service_key", "replaces")
    op.drop_column("service_key", "lasts")
