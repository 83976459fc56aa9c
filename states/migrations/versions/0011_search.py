"""What dossiers are found by

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
UNFINISHED, FINISHED = sa.text("finished_at IS NULL"), sa.text("finished_at IS NOT NULL")
AT_COUNTER = sa.text("state IN ('registered', 'result_returned')")

# IMMUTABLE is a promise of ours: `unaccent` is only stable because its dictionary might be edited.
# What is no letter and no digit parts words; so a folded name has no sign that LIKE would read.
FOLDED = r"""
CREATE FUNCTION hoso_folded(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(public.unaccent('public.unaccent'::regdictionary, normalize($1, NFKC))),
        '[\s!-/:-@\[-`{-~]+', ' ', 'g'
    ))
$$
"""
DIALLED = r"""
CREATE FUNCTION hoso_dialled(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace($1, '[^0-9]', '', 'g'), '^(00)?84([1-9][0-9]{8,9})$', '0\2')
$$
"""
# The one place that knows by what a dossier is found.
TERMS = """
CREATE FUNCTION hoso_terms(code text, procedure text, applicant text, phone text, citizen text)
RETURNS TABLE (kind text, term text) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DISTINCT each.kind, left(each.term, 100) FROM (
        VALUES ('code', upper(code)), ('procedure', procedure), ('phone', hoso_dialled(phone)),
            ('citizen', citizen)
        UNION ALL
        SELECT 'applicant', array_to_string(words[n:], ' ')
        FROM (SELECT string_to_array(hoso_folded(applicant), ' ')) AS folded (words),
            generate_series(1, least(cardinality(words), 12)) AS n
    ) AS each (kind, term)
    WHERE each.term <> ''
$$
"""


def upgrade() -> None:
    # Trusted: who may create in the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public")
    for function in (FOLDED, DIALLED, TERMS):
        op.execute(function)
    op.add_column("dossier", sa.Column("citizen", sa.String()))
    op.create_table(
        "sought",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("term", sa.String(collation="C"), primary_key=True),
        sa.Column("dossier_id", sa.BigInteger(), sa.ForeignKey("dossier.id"), primary_key=True),
        sa.CheckConstraint(
            "kind IN ('applicant', 'citizen', 'code', 'phone', 'procedure')", name="kind_word"
        ),
    )
    op.execute(
        "INSERT INTO sought (kind, term, dossier_id) SELECT t.kind, t.term, d.id FROM dossier d,"
        " hoso_terms(d.code, d.procedure, d.applicant, d.phone, d.citizen) t"
    )
    op.create_index("sought_dossier_idx", "sought", ["dossier_id", "kind"])
    op.execute(f"GRANT SELECT, INSERT ON sought TO {ROLE}")
    _indexes()


def _indexes() -> None:
    op.drop_index("dossier_late_idx", "dossier")
    op.create_index(
        "dossier_due_idx",
        "dossier",
        ["due_at", "id"],
        postgresql_include=["late_at", "state", "agency", "field", "unit"],
        postgresql_where=UNFINISHED,
    )
    op.create_index("dossier_was_due_idx", "dossier", ["due_at"], postgresql_where=FINISHED)
    op.create_index("dossier_finished_idx", "dossier", ["finished_at"], postgresql_where=FINISHED)
    op.create_index("dossier_unit_idx", "dossier", ["unit", "state", "id"])
    op.create_index(
        "dossier_counter_idx", "dossier", ["state", "moved_at", "id"], postgresql_where=AT_COUNTER
    )
    op.create_index("visit_person_idx", "visit", ["person", "dossier_id"])
    op.create_index("visit_unit_idx", "visit", ["unit", "dossier_id"])
    # A province has more units and more names than a sample of the usual size tells of.
    for table, column in WIDE:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS 1000")
    op.execute("CREATE STATISTICS dossier_places ON agency, field, unit FROM dossier")


WIDE = (
    *(("dossier", name) for name in ("agency", "field", "unit")),
    *(("visit", name) for name in ("unit", "person")),
    ("sought", "term"),
)


def downgrade() -> None:
    op.execute("DROP STATISTICS dossier_places")
    for table, column in WIDE:
        op.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS -1")
    op.drop_index("visit_unit_idx", "visit")
    op.drop_index("visit_person_idx", "visit")
    for name in ("counter", "unit", "finished", "was_due", "due"):
        op.drop_index(f"dossier_{name}_idx", "dossier")
    op.create_index("dossier_late_idx", "dossier", ["late_at"], postgresql_where=UNFINISHED)
    op.drop_table("sought")
    op.drop_column("dossier", "citizen")
    op.execute("DROP FUNCTION hoso_terms(text, text, text, text, text)")
    op.execute("DROP FUNCTION hoso_dialled(text)")
    op.execute("DROP FUNCTION hoso_folded(text)")
    # The extension stays: somebody else may use it.
