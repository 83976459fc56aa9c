"""Accounts, sessions, service keys

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
# All that may be written on an account once it is there: whose it is and who made it stays.
WRITTEN = (
    *("password", "password_at", "must_change", "issuer", "subject", "admin"),
    *("failed", "locked_until", "closed_at"),
)
RENEWED = ("access", "access_until", "refresh", "refresh_until", "revoked_at")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("password_at", MOMENT, nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name=op.f("account_identity")),
        sa.CheckConstraint(
            "(password IS NULL) = (password_at IS NULL)", name=op.f("account_password_dated")
        ),
        sa.CheckConstraint(
            "password IS NOT NULL OR NOT must_change", name=op.f("account_password_due")
        ),
        sa.CheckConstraint("failed >= 0", name=op.f("account_failed_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("person", name=op.f("account_person_key")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("account_issuer_subject_key")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("access", sa.LargeBinary(), nullable=False),
        sa.Column("access_until", MOMENT, nullable=False),
        sa.Column("family", sa.LargeBinary(), nullable=True),
        sa.Column("refresh", sa.LargeBinary(), nullable=True),
        sa.Column("refresh_until", MOMENT, nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint("how IN ('command', 'oidc', 'password')", name=op.f("session_how_word")),
        sa.CheckConstraint(
            "num_nulls(family, refresh, refresh_until) IN (0, 3)",
            name=op.f("session_refreshable"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("session_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("session_pkey")),
        sa.UniqueConstraint("access", name=op.f("session_access_key")),
        sa.UniqueConstraint("family", name=op.f("session_family_key")),
    )
    op.create_index("session_account_idx", "session", ["account_id"])
    op.create_table(
        "service_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("service_key_scoped")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("service_key_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("service_key_pkey")),
        sa.UniqueConstraint("hash", name=op.f("service_key_hash_key")),
    )
    op.create_index("service_key_account_idx", "service_key", ["account_id"])
    op.create_table(
        "used_state",
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("used_state_pkey")),
    )
    op.execute(f"GRANT SELECT, INSERT ON account, session, service_key, used_state TO {ROLE}")
    op.execute(f"GRANT UPDATE ({', '.join(WRITTEN)}) ON account TO {ROLE}")
    op.execute(f"GRANT UPDATE ({', '.join(RENEWED)}), DELETE ON session TO {ROLE}")
    op.execute(f"GRANT UPDATE (expires_at, revoked_at, used_on) ON service_key TO {ROLE}")
    op.execute(f"GRANT DELETE ON used_state TO {ROLE}")


def downgrade() -> None:
    for table in ("used_state", "service_key", "session", "account"):
        op.drop_table(table)
