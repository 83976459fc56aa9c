"""Templates by which agencies print forms otherwise than the house does

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
FORMS = ("apology", "control", "refusal", "register", "slip", "stop", "supplement")


def upgrade() -> None:
    op.create_table(
        "form_template",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.CheckConstraint(
            f"form IN ({', '.join(repr(each) for each in FORMS)})",
            name=op.f("form_template_form_word"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("form_template_pkey")),
    )
    op.create_index("form_template_newest_idx", "form_template", ["agency", "form", "id"])
    op.execute(f"GRANT SELECT, INSERT ON form_template TO {ROLE}")


def downgrade() -> None:
    op.drop_table("form_template")
