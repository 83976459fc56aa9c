"""Who looked at what; answers given to a key

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "look",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.func.clock_timestamp(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("acts_for", sa.String(), nullable=True),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("dossiers", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(
            "role IN ('citizen', 'control', 'leader', 'officer', 'postal', 'reception', 'system')",
            name=op.f("look_role_word"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("look_pkey")),
    )
    op.create_index("look_dossiers_idx", "look", ["dossiers"], postgresql_using="gin")
    op.create_index("look_person_idx", "look", ["person", "at"])
    op.execute(f"GRANT SELECT, INSERT ON look TO {ROLE}")
    op.create_table(
        "answer",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.func.clock_timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("person", "key", name=op.f("answer_pkey")),
    )
    op.create_index("answer_at_idx", "answer", ["at"])
    op.execute(f"GRANT SELECT, INSERT, DELETE ON answer TO {ROLE}")
    # A sweep that first runs days after a database was made tells what was missed before it.
    op.execute(
        "INSERT INTO reader (name, xact, last) VALUES"
        f" ('sweep', pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, {2**63 - 1})"
        " ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.drop_table("answer")
    op.drop_table("look")
