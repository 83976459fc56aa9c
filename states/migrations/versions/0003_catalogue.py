"""The catalogue as versions in the database; what a dossier's stage may lead to

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
EVENTS = (
    "accept",
    "adopt",
    "advance",
    "decline",
    "deliver",
    "digitise",
    "extend",
    "lapse",
    "migrate",
    "pay",
    "receive",
    "recompute",
    "register",
    "reopen",
    "request_payment",
    "request_supplement",
    "restate",
    "return_result",
    "route",
    "send_back",
    "stop",
    "supplement",
    "withdraw",
)
BEFORE = tuple(each for each in EVENTS if each not in {"migrate", "recompute", "restate"})

# Published is published: only its end may be written on it.
KEPT = """
CREATE FUNCTION bundle_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status IN ('published', 'retired') THEN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'a published version is kept for ever';
        END IF;
        IF NEW.status NOT IN ('published', 'retired')
           OR (OLD.status = 'retired' AND NEW.status <> 'retired')
           OR (to_jsonb(NEW) - ARRAY['status', 'valid_until', 'retired_by', 'retired_at'])
              <> (to_jsonb(OLD) - ARRAY['status', 'valid_until', 'retired_by', 'retired_at']) THEN
            RAISE EXCEPTION 'a published version does not change';
        END IF;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "bundle",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("dates", sa.String(), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("drafted_by", sa.String(), nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("checked_by", sa.String(), nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("published_by", sa.String(), nullable=True),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("retired_by", sa.String(), nullable=True),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "kind IN ('calendar', 'organisation', 'procedure', 'regimes')",
            name=op.f("bundle_kind_word"),
        ),
        sa.CheckConstraint(
            "status IN ('checked', 'draft', 'published', 'retired')",
            name=op.f("bundle_status_word"),
        ),
        sa.CheckConstraint("dates IN ('keep', 'later', 'move')", name=op.f("bundle_dates_word")),
        sa.CheckConstraint(
            "(published_at IS NOT NULL) = (status IN ('published', 'retired'))",
            name=op.f("bundle_published"),
        ),
        sa.PrimaryKeyConstraint("kind", "code", "version", name=op.f("bundle_pkey")),
    )
    op.create_index("bundle_status_idx", "bundle", ["status"])
    op.execute(
        "ALTER TABLE bundle ADD CONSTRAINT bundle_validity EXCLUDE USING gist (code WITH =,"
        " daterange(valid_from, valid_until + 1, '[)') WITH &&)"
        " WHERE (kind = 'procedure' AND status IN ('published', 'retired'))"
    )
    op.execute(KEPT)
    op.execute(
        "CREATE TRIGGER bundle_kept BEFORE UPDATE OR DELETE ON bundle"
        " FOR EACH ROW EXECUTE FUNCTION bundle_kept()"
    )
    op.create_table(
        "edition",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.CheckConstraint("one", name=op.f("edition_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("edition_pkey")),
    )
    op.execute("INSERT INTO edition VALUES (true, 0)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON bundle TO {ROLE}")
    op.execute(f"GRANT SELECT, UPDATE ON edition TO {ROLE}")
    _dossier()
    _events(EVENTS)


def _dossier() -> None:
    op.add_column("dossier", sa.Column("counter", sa.String(), nullable=True))
    op.add_column("dossier", sa.Column("place", sa.String(), nullable=True))
    op.add_column("dossier", sa.Column("leads", sa.Boolean(), nullable=True))
    op.add_column("dossier", sa.Column("ends", sa.Boolean(), nullable=True))
    # What the lines of these dossiers say under the rules of this version. The regime was the
    # procedure's then; it is that of the day of receipt now.
    op.execute(
        "UPDATE dossier SET counter = coalesce("
        " (SELECT payload::json #>> '{lodging,unit}' FROM entry"
        "  WHERE dossier_id = dossier.id AND seq = 1),"
        " (SELECT payload::json #>> '{taken,unit}' FROM entry"
        "  WHERE dossier_id = dossier.id AND seq = 1), unit),"
        " leads = stage >= 0 AND stage < stages - 1, ends = stage >= 0 AND stage = stages - 1,"
        " regime = CASE WHEN source IS NOT NULL THEN regime"
        " WHEN coalesce(received_at, registered_at) < '2021-12-06 00:00+07' THEN 'R2018'"
        " WHEN coalesce(received_at, registered_at) < '2025-07-01 00:00+07' THEN 'R2021'"
        " WHEN coalesce(received_at, registered_at) < '2026-07-01 00:00+07' THEN 'R2025'"
        " ELSE 'R2026' END"
    )
    for name in ("counter", "leads", "ends"):
        op.alter_column("dossier", name, nullable=False)


def _events(words: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{each}'" for each in words)
    op.drop_constraint("entry_event_word", "entry")
    op.create_check_constraint(op.f("entry_event_word"), "entry", f"event IN ({listed})")


def downgrade() -> None:
    _events(BEFORE)
    for name in ("counter", "place", "leads", "ends"):
        op.drop_column("dossier", name)
    op.drop_table("edition")
    op.drop_table("bundle")
    op.execute("DROP FUNCTION bundle_kept")
    op.execute("DROP EXTENSION IF EXISTS btree_gist")
