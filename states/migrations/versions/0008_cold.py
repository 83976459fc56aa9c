"""Lines of long-closed dossiers lie in a table of their own, and are read with the others

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROLE = "hoso_app"

# `chosen` locks each dossier: nobody moves it meanwhile, and one that somebody is moving is left
# for the next time. What a reader of the outbox has not read yet stays where it looks first.
ARCHIVE = """
CREATE FUNCTION archive_entries(before timestamptz, since bigint, most integer)
RETURNS TABLE (dossiers bigint, entries bigint, last bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH chosen AS (
        SELECT d.id FROM dossier d
        WHERE d.id > since AND d.finished_at < before AND d.moved_at < before
          AND EXISTS (SELECT FROM ONLY entry e WHERE e.dossier_id = d.id)
          AND NOT EXISTS (
            SELECT FROM ONLY entry e JOIN reader r ON (e.xact, e.id) > (r.xact, r.last)
            WHERE e.dossier_id = d.id
          )
        ORDER BY d.id LIMIT most FOR UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM ONLY entry e USING chosen WHERE e.dossier_id = chosen.id RETURNING e.*
    ), kept AS (
        INSERT INTO entry_cold SELECT * FROM taken RETURNING dossier_id
    )
    SELECT count(DISTINCT dossier_id), count(*), max(dossier_id) FROM kept
$$
"""


def upgrade() -> None:
    # A child of `entry`: whoever reads that reads both, and a column or a CHECK added to it is
    # added here. Keys and indexes are not inherited.
    op.execute("CREATE TABLE entry_cold () INHERITS (entry)")
    op.execute("ALTER TABLE entry_cold ALTER COLUMN xact DROP DEFAULT")
    op.create_primary_key("entry_cold_pkey", "entry_cold", ["dossier_id", "seq"])
    op.create_foreign_key(
        "entry_cold_dossier_id_fkey", "entry_cold", "dossier", ["dossier_id"], ["id"]
    )
    op.create_index(
        "entry_cold_key_key",
        "entry_cold",
        ["actor", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_index("entry_cold_outbox_idx", "entry_cold", ["xact", "id"])
    op.execute("REVOKE ALL ON entry_cold FROM PUBLIC")
    op.execute(f"GRANT SELECT ON entry_cold TO {ROLE}")
    op.execute(ARCHIVE)
    op.execute("REVOKE ALL ON FUNCTION archive_entries FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION archive_entries TO {ROLE}")


def downgrade() -> None:
    op.execute("DROP FUNCTION archive_entries")
    op.execute("INSERT INTO entry SELECT * FROM entry_cold")
    op.drop_table("entry_cold")
