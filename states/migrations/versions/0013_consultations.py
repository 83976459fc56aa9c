"""What other agencies are asked, and answer

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
KEY = ("dossier_id", "n")
ROLES = "('citizen', 'control', 'leader', 'officer', 'postal', 'reception', 'system')"
OPEN = sa.text("standing = 'open'")

KEPT = """
CREATE FUNCTION consultation_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a consultation is kept for ever';
    END IF;
    IF (to_jsonb(NEW) - 'standing') <> (to_jsonb(OLD) - 'standing') THEN
        RAISE EXCEPTION 'what was asked, of whom and by when does not change';
    END IF;
    IF OLD.standing <> 'open' THEN
        RAISE EXCEPTION 'a consultation ends once';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "consultation",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("by_unit", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("calendar_version", sa.String(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("late_at", MOMENT, nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("recorded_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("consultation_role_word")),
        sa.CheckConstraint(
            "standing IN ('answered', 'open', 'overtaken', 'withdrawn')",
            name=op.f("consultation_standing_word"),
        ),
        sa.CheckConstraint("n >= 1 AND visit >= 0", name=op.f("consultation_numbers")),
        sa.CheckConstraint("due_at <= late_at", name=op.f("consultation_due")),
        sa.CheckConstraint("unit <> by_unit", name=op.f("consultation_other")),
        sa.ForeignKeyConstraint(
            ["dossier_id"], ["dossier.id"], name=op.f("consultation_dossier_id_fkey")
        ),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("consultation_pkey")),
    )
    op.create_index(
        "consultation_open_key",
        "consultation",
        ["dossier_id", "visit", "unit"],
        unique=True,
        postgresql_where=OPEN,
    )
    op.create_index(
        "consultation_queue_idx", "consultation", ["unit", "due_at"], postgresql_where=OPEN
    )
    op.create_index("consultation_late_idx", "consultation", ["late_at"], postgresql_where=OPEN)
    _ends()
    op.execute(f"GRANT SELECT, INSERT ON consultation, consultation_end TO {ROLE}")
    op.execute(f"GRANT UPDATE (standing) ON consultation TO {ROLE}")
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER consultation_kept BEFORE UPDATE OR DELETE ON consultation"
        " FOR EACH ROW EXECUTE FUNCTION consultation_kept()"
    )


def _ends() -> None:
    op.create_table(
        "consultation_end",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("opinion", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("recorded_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "ending IN ('answered', 'overtaken', 'withdrawn')",
            name=op.f("consultation_end_ending_word"),
        ),
        sa.CheckConstraint(f"role IN {ROLES}", name=op.f("consultation_end_role_word")),
        sa.CheckConstraint(
            "opinion IN ('agrees', 'comments', 'disagrees')",
            name=op.f("consultation_end_opinion_word"),
        ),
        sa.CheckConstraint(
            "(ending = 'answered') = (opinion IS NOT NULL)", name=op.f("consultation_end_answered")
        ),
        sa.CheckConstraint(
            "ending <> 'withdrawn' OR text IS NOT NULL", name=op.f("consultation_end_withdrawn")
        ),
        sa.CheckConstraint(
            "opinion = 'agrees' OR opinion IS NULL OR text IS NOT NULL",
            name=op.f("consultation_end_said"),
        ),
        sa.CheckConstraint(
            "file IS NULL OR opinion IS NOT NULL", name=op.f("consultation_end_filed")
        ),
        sa.CheckConstraint("file ~ '^[0-9a-f]{64}$'", name=op.f("consultation_end_file_hash")),
        sa.ForeignKeyConstraint(
            list(KEY),
            [f"consultation.{name}" for name in KEY],
            name=op.f("consultation_end_consultation_fkey"),
        ),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("consultation_end_pkey")),
    )
    op.create_index(
        "consultation_end_file_idx",
        "consultation_end",
        ["file"],
        postgresql_where=sa.text("file IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("consultation_end")
    op.drop_table("consultation")
    op.execute("DROP FUNCTION consultation_kept()")
