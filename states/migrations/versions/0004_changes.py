"""Change sets: what moves running dossiers, with who proposed and who approved it

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "hoso_app"

# Published is published: it may be retired once, and no version ends later than it was said to.
KEPT = """
CREATE OR REPLACE FUNCTION bundle_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('published', 'retired') THEN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a published version is kept for ever';
        END IF;
        IF OLD.status = 'retired' OR NEW.status <> 'retired'
           OR (OLD.valid_until IS NOT NULL
               AND (NEW.valid_until IS NULL OR NEW.valid_until > OLD.valid_until))
           OR (to_jsonb(NEW) - ARRAY['status', 'valid_until', 'retired_by', 'retired_at'])
              <> (to_jsonb(OLD) - ARRAY['status', 'valid_until', 'retired_by', 'retired_at']) THEN
            RAISE EXCEPTION 'a published version does not change';
        END IF;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$
"""
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("says", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("stayed", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('calendar', 'version')", name=op.f("change_kind_word")),
        sa.CheckConstraint(
            "status IN ('applied', 'approved', 'proposed', 'rejected', 'undoing', 'undone')",
            name=op.f("change_status_word"),
        ),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (status = 'proposed')", name=op.f("change_decided")
        ),
        sa.CheckConstraint(
            "status IN ('proposed', 'rejected') OR decided_by <> proposed_by",
            name=op.f("change_second"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("change_pkey")),
    )
    op.create_index(
        "change_running_idx",
        "change",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("status IN ('approved', 'proposed', 'undoing')"),
    )
    op.execute(KEPT)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON change TO {ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")


def downgrade() -> None:
    op.drop_table("change")
