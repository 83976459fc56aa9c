"""Imports and what became of each of their dossiers; files of other systems in the store

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
DOCUMENTS = (
    "'application/pdf'",
    "'application/vnd.oasis.opendocument.spreadsheet'",
    "'application/vnd.oasis.opendocument.text'",
    "'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'",
    "'application/vnd.openxmlformats-officedocument.wordprocessingml.document'",
    "'image/jpeg'",
    "'image/png'",
    "'image/tiff'",
    "'image/webp'",
)
EXPORTS = ("'application/gzip'", "'application/xml'", "'text/csv'")
GOES_ON = (
    *("state", "begun_at", "ended_at", "read", "items", "taken", "known", "refused"),
    *("activities", "noted", "error"),
)


def _types(*types: str) -> None:
    op.drop_constraint(op.f("file_type_word"), "file", type_="check")
    op.create_check_constraint(
        op.f("file_type_word"), "file", f"type IN ({', '.join(sorted(types))})"
    )


def upgrade() -> None:
    _types(*DOCUMENTS, *EXPORTS)
    op.create_table(
        "intake",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("map", sa.String(), nullable=False),
        sa.Column("agencies", ARRAY(sa.String()), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("read", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("items", "taken", "known", "refused", "activities", "noted")
        ),
        sa.Column("error", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('done', 'failed', 'queued', 'running')", name=op.f("intake_state_word")
        ),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("intake_digest")),
        sa.CheckConstraint("items = taken + known + refused", name=op.f("intake_counted")),
        sa.CheckConstraint("(error IS NOT NULL) = (state = 'failed')", name=op.f("intake_failed")),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('done', 'failed'))", name=op.f("intake_ended")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["file.sha256"], name=op.f("intake_sha256_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("intake_pkey")),
        sa.UniqueConstraint("digest", name=op.f("intake_digest_key")),
    )
    op.create_index("intake_sha256_idx", "intake", ["sha256"])
    op.create_index(
        "intake_open_idx",
        "intake",
        ["id"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "intake_row",
        sa.Column("intake_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("activities", sa.Integer(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "result IN ('known', 'refused', 'taken')", name=op.f("intake_row_result_word")
        ),
        sa.CheckConstraint(
            "(why IS NOT NULL) = (result = 'refused')", name=op.f("intake_row_refused")
        ),
        sa.ForeignKeyConstraint(
            ["intake_id"], ["intake.id"], name=op.f("intake_row_intake_id_fkey")
        ),
        sa.PrimaryKeyConstraint("intake_id", "n", name=op.f("intake_row_pkey")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({', '.join(GOES_ON)}) ON intake TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON intake_row TO {ROLE}")


def downgrade() -> None:
    op.drop_table("intake_row")
    op.drop_table("intake")
    op.execute(f"DELETE FROM file WHERE type IN ({', '.join(EXPORTS)})")
    _types(*DOCUMENTS)
