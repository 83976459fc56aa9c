"""What is done about a breach, line by line; what is recorded of one does not change

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
KEY = ("dossier_id", "rule", "visit", "deadline")
# All that may be written on a breach once it was entered.
WRITTEN = (
    *("ended_at", "minutes", "attribution", "apology_seq"),
    *("standing", "assigned_to", "cause", "explanation", "explained_by", "explained_at"),
)
KEPT = """
CREATE FUNCTION breach_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a breach is kept for ever';
    END IF;
    IF (NEW.dossier_id, NEW.rule, NEW.visit, NEW.deadline, NEW.agency, NEW.unit, NEW.person,
        NEW.due_at, NEW.recorded_at)
       IS DISTINCT FROM
       (OLD.dossier_id, OLD.rule, OLD.visit, OLD.deadline, OLD.agency, OLD.unit, OLD.person,
        OLD.due_at, OLD.recorded_at) THEN
        RAISE EXCEPTION 'what was missed, when and by whom does not change';
    END IF;
    IF OLD.ended_at IS NOT NULL
       AND (NEW.ended_at, NEW.minutes, NEW.attribution::text, NEW.apology_seq)
       IS DISTINCT FROM (OLD.ended_at, OLD.minutes, OLD.attribution::text, OLD.apology_seq) THEN
        RAISE EXCEPTION 'how late it was and whose time that was does not change';
    END IF;
    IF OLD.apology_seq IS NOT NULL AND NEW.apology_seq IS DISTINCT FROM OLD.apology_seq THEN
        RAISE EXCEPTION 'an apology that was given stays given';
    END IF;
    IF OLD.standing = 'closed' THEN
        RAISE EXCEPTION 'a closed breach does not change';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "breach_line",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("assigned_to", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.CheckConstraint(
            "step IN ('assign', 'close', 'explain')", name=op.f("breach_line_step_word")
        ),
        sa.CheckConstraint(
            "cause IN ('absence', 'complex_case', 'incomplete_dossier', 'other', 'system',"
            " 'waiting_for_other', 'workload')",
            name=op.f("breach_line_cause_word"),
        ),
        sa.CheckConstraint(
            "(step = 'assign') = (assigned_to IS NOT NULL)", name=op.f("breach_line_assigned")
        ),
        sa.CheckConstraint(
            "(step = 'explain') = (explanation IS NOT NULL)", name=op.f("breach_line_explained")
        ),
        sa.CheckConstraint(
            "(explanation IS NULL) = (cause IS NULL)", name=op.f("breach_line_caused")
        ),
        sa.ForeignKeyConstraint(
            list(KEY), [f"breach.{name}" for name in KEY], name=op.f("breach_line_breach_fkey")
        ),
        sa.PrimaryKeyConstraint(*KEY, "n", name=op.f("breach_line_pkey")),
    )
    op.create_index("alert_breach_idx", "alert", KEY, postgresql_where=sa.text("what = 'breach'"))
    op.execute(f"GRANT SELECT, INSERT ON breach_line TO {ROLE}")
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER breach_kept BEFORE UPDATE OR DELETE ON breach"
        " FOR EACH ROW EXECUTE FUNCTION breach_kept()"
    )
    op.execute(f"REVOKE UPDATE ON breach FROM {ROLE}")
    op.execute(f"GRANT UPDATE ({', '.join(WRITTEN)}) ON breach TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE ({', '.join(WRITTEN)}) ON breach FROM {ROLE}")
    op.execute(f"GRANT UPDATE ON breach TO {ROLE}")
    op.execute("DROP TRIGGER breach_kept ON breach")
    op.execute("DROP FUNCTION breach_kept()")
    op.drop_index("alert_breach_idx", "alert")
    op.drop_table("breach_line")
