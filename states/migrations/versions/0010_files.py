"""Files and the components they are of

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
TYPES = (
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
# BY is a word of PL/pgSQL, so the column is in quotes there.
KEPT = """
CREATE FUNCTION attachment_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'what was attached is kept';
    END IF;
    IF OLD.replaced_at IS NOT NULL THEN
        RAISE EXCEPTION 'a file that was replaced stays so';
    END IF;
    IF (NEW.dossier_id, NEW.component, NEW.n, NEW.sha256, NEW.name, NEW.provenance, NEW."by", NEW.at)
       IS DISTINCT FROM
       (OLD.dossier_id, OLD.component, OLD.n, OLD.sha256, OLD.name, OLD.provenance, OLD."by", OLD.at)
    THEN
        RAISE EXCEPTION 'what was attached, when and by whom does not change';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.CheckConstraint(f"type IN ({', '.join(TYPES)})", name=op.f("file_type_word")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("file_sha256")),
        sa.CheckConstraint("size > 0", name=op.f("file_size")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("file_pkey")),
    )
    op.create_table(
        "attachment",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("provenance", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "provenance IN ('agency', 'portal', 'scanned', 'uploaded')",
            name=op.f("attachment_provenance_word"),
        ),
        sa.CheckConstraint("n >= 1", name=op.f("attachment_n")),
        sa.ForeignKeyConstraint(
            ["dossier_id"], ["dossier.id"], name=op.f("attachment_dossier_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["file.sha256"], name=op.f("attachment_sha256_fkey")),
        sa.PrimaryKeyConstraint("dossier_id", "component", "n", name=op.f("attachment_pkey")),
    )
    op.create_index(
        "attachment_present_idx",
        "attachment",
        ["dossier_id", "component"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index("attachment_sha256_idx", "attachment", ["sha256"])
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER attachment_kept BEFORE UPDATE OR DELETE ON attachment"
        " FOR EACH ROW EXECUTE FUNCTION attachment_kept()"
    )
    # A row of a file goes when nothing refers to it: the foreign key sees to that.
    op.execute(f"GRANT SELECT, INSERT, DELETE, UPDATE (at, by) ON file TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE (replaced_at) ON attachment TO {ROLE}")


def downgrade() -> None:
    op.drop_table("attachment")
    op.execute("DROP FUNCTION attachment_kept()")
    op.drop_table("file")
