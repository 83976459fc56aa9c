"""The audit of breaches: until when one is explained, findings, reopening; seldom lines are found

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
WHAT = ("alert", "breach", "escalation")
STEPS = ("assign", "close", "explain")
SELDOM = sa.text(
    "event IN ('extend', 'migrate', 'recompute', 'reopen', 'request_payment',"
    " 'request_supplement', 'restate')"
)
STILL = """
CREATE OR REPLACE FUNCTION breach_kept() RETURNS trigger LANGUAGE plpgsql AS $$
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
        {closed}
    END IF;
    RETURN NEW;
END $$
"""
NEVER = "RAISE EXCEPTION 'a closed breach does not change';"
# Its last line says so, and nothing else of it changes.
REOPENED = """
        IF NEW.standing <> 'explained' OR NEW.finding IS NOT NULL
           OR (NEW.cause, NEW.explanation, NEW.explained_by, NEW.explained_at, NEW.assigned_to)
           IS DISTINCT FROM
           (OLD.cause, OLD.explanation, OLD.explained_by, OLD.explained_at, OLD.assigned_to)
           OR 'reopen' IS DISTINCT FROM (
               SELECT step FROM breach_line l
               WHERE (l.dossier_id, l.rule, l.visit, l.deadline)
                   = (OLD.dossier_id, OLD.rule, OLD.visit, OLD.deadline)
               ORDER BY n DESC LIMIT 1) THEN
            RAISE EXCEPTION 'a closed breach does not change';
        END IF;"""


def _words(table: str, column: str, words: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"{table}_{column}_word"), table, type_="check")
    said = ", ".join(f"'{each}'" for each in sorted(words))
    op.create_check_constraint(op.f(f"{table}_{column}_word"), table, f"{column} IN ({said})")


def upgrade() -> None:
    _words("alert", "what", (*WHAT, "reminder"))
    _words("breach_line", "step", (*STEPS, "reopen"))
    op.add_column("breach", sa.Column("explain_by", MOMENT, nullable=True))
    op.add_column("breach", sa.Column("finding", sa.String(), nullable=True))
    op.add_column("breach_line", sa.Column("until", MOMENT, nullable=True))
    op.add_column("breach_line", sa.Column("finding", sa.String(), nullable=True))
    op.add_column("breach_line", sa.Column("reason", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("breach_found"), "breach", "finding IS NULL OR standing = 'closed'"
    )
    for name, holds in (
        ("bounded", "until IS NULL OR step = 'assign'"),
        ("found", "finding IS NULL OR step = 'close'"),
        ("reasoned", "(step = 'reopen') = (reason IS NOT NULL)"),
    ):
        op.create_check_constraint(op.f(f"breach_line_{name}"), "breach_line", holds)
    op.create_index("breach_due_idx", "breach", ["due_at", "dossier_id"])
    op.create_index(
        "breach_explain_idx",
        "breach",
        ["explain_by"],
        postgresql_where=sa.text("standing = 'assigned'"),
    )
    for table in ("entry", "entry_cold"):
        op.create_index(f"{table}_seldom_idx", table, ["event", "at"], postgresql_where=SELDOM)
    op.execute(f"GRANT UPDATE (explain_by, finding) ON breach TO {ROLE}")
    op.execute(STILL.replace("{closed}", REOPENED.strip()))


def downgrade() -> None:
    op.execute(STILL.replace("{closed}", NEVER))
    for table in ("entry", "entry_cold"):
        op.drop_index(f"{table}_seldom_idx", table_name=table)
    op.drop_index("breach_explain_idx", table_name="breach")
    op.drop_index("breach_due_idx", table_name="breach")
    for name in ("bounded", "found", "reasoned"):
        op.drop_constraint(op.f(f"breach_line_{name}"), "breach_line", type_="check")
    op.drop_constraint(op.f("breach_found"), "breach", type_="check")
    op.execute("DELETE FROM breach_line WHERE step = 'reopen'")
    for name in ("reason", "finding", "until"):
        op.drop_column("breach_line", name)
    for name in ("finding", "explain_by"):
        op.drop_column("breach", name)
    op.execute("DELETE FROM alert WHERE what = 'reminder'")
    _words("breach_line", "step", STEPS)
    _words("alert", "what", WHAT)
