"""Columns nobody reads go; messages are found by their way; transactions are counted on elsewhere

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
QUEUED = sa.text("sending = 'queued'")

# What is added to a server's own count of transactions: it begins anew on each, the ledger's does
# not. Written over when a dump was loaded into another server (`states.ledger.outbox.count_on`);
# its body is a constant, so that Postgres puts it into each plan and no line pays for it.
BASE = """
CREATE FUNCTION ledger_base() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
AS 'SELECT 0::bigint'
"""


def upgrade() -> None:
    op.drop_index("dossier_warn_idx", table_name="dossier")
    op.drop_column("dossier", "warn_at")
    op.execute(BASE)
    op.execute(
        "ALTER TABLE ONLY entry ALTER COLUMN xact"
        " SET DEFAULT ledger_base() + pg_current_xact_id()::text::bigint"
    )
    op.drop_index("message_queue_idx", table_name="message")
    op.create_index("message_queue_idx", "message", ["way", "next_at"], postgresql_where=QUEUED)
    op.execute(f"GRANT DELETE ON message TO {ROLE}")


def downgrade() -> None:
    op.execute(f"REVOKE DELETE ON message FROM {ROLE}")
    op.drop_index("message_queue_idx", table_name="message")
    op.create_index("message_queue_idx", "message", ["next_at"], postgresql_where=QUEUED)
    op.execute(
        "ALTER TABLE ONLY entry ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint"
    )
    op.execute("DROP FUNCTION ledger_base")
    op.add_column("dossier", sa.Column("warn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "dossier_warn_idx",
        "dossier",
        ["warn_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )
