"""Plans with their targets, and the reports that are due, in the catalogue

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KINDS = ("calendar", "organisation", "procedure", "regimes", "rules", "templates")


def upgrade() -> None:
    _kinds((*KINDS, "plans"))


def _kinds(words: tuple[str, ...]) -> None:
    op.drop_constraint("bundle_kind_word", "bundle")
    condition = f"kind IN ({', '.join(repr(each) for each in sorted(words))})"
    op.create_check_constraint(op.f("bundle_kind_word"), "bundle", condition)


def downgrade() -> None:
    op.execute("ALTER TABLE bundle DISABLE TRIGGER bundle_kept")  # what was published goes too
    op.execute("DELETE FROM bundle WHERE kind = 'plans'")
    op.execute("ALTER TABLE bundle ENABLE TRIGGER bundle_kept")
    _kinds(KINDS)
