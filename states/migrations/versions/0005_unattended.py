"""What happens by itself: watches, alerts by rule and whom they concern, breaches, messages, frozen
reports, discrepancies; how to reach an applicant

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLE = "hoso_app"
MOMENT = sa.DateTime(timezone=True)
KINDS = ("calendar", "organisation", "procedure", "regimes")
WATCHED = ("apology", "online_answer", "stage", "supplement_notice", "term", "transfer")


def upgrade() -> None:
    _kinds((*KINDS, "rules", "templates"))
    op.add_column("dossier", sa.Column("email", sa.String(), nullable=True))
    op.add_column("dossier", sa.Column("phone", sa.String(), nullable=True))
    _alerts()
    _breaches()
    _messages()
    _reports()
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON watch TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON breach, message, discrepancy TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON frozen TO {ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")


def _kinds(words: tuple[str, ...]) -> None:
    op.drop_constraint("bundle_kind_word", "bundle")
    op.create_check_constraint(op.f("bundle_kind_word"), "bundle", _in("kind", words))


def _in(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(each) for each in words)})"


def _alerts() -> None:
    # What was told before there were rules: the dossier's own term came near, or was missed.
    op.add_column("alert", sa.Column("visit", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alert", sa.Column("watched", sa.String(), nullable=False, server_default="term"))
    op.add_column("alert", sa.Column("what", sa.String(), nullable=False, server_default="alert"))
    op.add_column("alert", sa.Column("person", sa.String(), nullable=True))
    op.add_column("alert", sa.Column("concerns", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE alert SET what = 'breach' WHERE rule = 'breached'")
    op.execute(
        "UPDATE alert SET rule = CASE rule WHEN 'breached' THEN 'term-late'"
        " WHEN 'warned' THEN 'term-near' ELSE rule END"
    )
    for name in ("visit", "watched", "what", "concerns"):
        op.alter_column("alert", name, server_default=None)
    op.drop_constraint("alert_pkey", "alert")
    op.create_primary_key("alert_pkey", "alert", ["dossier_id", "rule", "visit", "deadline"])
    op.create_check_constraint(op.f("alert_watched_word"), "alert", _in("watched", WATCHED))
    op.create_check_constraint(
        op.f("alert_what_word"), "alert", _in("what", ("alert", "breach", "escalation"))
    )
    op.create_index("alert_recorded_idx", "alert", ["recorded_at"])
    op.create_table(
        "watch",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("watch_dossier_id_fkey")),
        sa.PrimaryKeyConstraint("dossier_id", name=op.f("watch_pkey")),
    )
    op.create_index("watch_at_idx", "watch", ["at"], postgresql_where=sa.text("at IS NOT NULL"))


def _breaches() -> None:
    op.create_table(
        "breach",
        sa.Column("dossier_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("attribution", sa.JSON(), nullable=True),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("assigned_to", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.Column("explained_by", sa.String(), nullable=True),
        sa.Column("explained_at", MOMENT, nullable=True),
        sa.Column("apology_seq", sa.Integer(), nullable=True),
        sa.Column("recorded_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "cause IN ('absence', 'complex_case', 'incomplete_dossier', 'other', 'system',"
            " 'waiting_for_other', 'workload')",
            name=op.f("breach_cause_word"),
        ),
        sa.CheckConstraint(
            "standing IN ('assigned', 'closed', 'explained', 'open')",
            name=op.f("breach_standing_word"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (minutes IS NULL)", name=op.f("breach_ended")),
        sa.CheckConstraint(
            "(explanation IS NULL) = (explained_at IS NULL)", name=op.f("breach_explained")
        ),
        sa.ForeignKeyConstraint(
            ["dossier_id", "rule", "visit", "deadline"],
            ["alert.dossier_id", "alert.rule", "alert.visit", "alert.deadline"],
            name="breach_alert_fkey",
        ),
        sa.PrimaryKeyConstraint(
            "dossier_id", "rule", "visit", "deadline", name=op.f("breach_pkey")
        ),
    )
    op.create_index("breach_standing_idx", "breach", ["standing", "unit"])
    op.create_index(
        "breach_open_idx", "breach", ["dossier_id"], postgresql_where=sa.text("ended_at IS NULL")
    )


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("dossier_id", sa.BigInteger(), nullable=True),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("law", sa.Boolean(), nullable=False),
        sa.Column("sending", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "audience IN ('citizen', 'staff', 'system')", name=op.f("message_audience_word")
        ),
        sa.CheckConstraint(
            "way IN ('chat', 'email', 'sms', 'webhook')", name=op.f("message_way_word")
        ),
        sa.CheckConstraint(
            "sending IN ('dead', 'queued', 'sent')", name=op.f("message_sending_word")
        ),
        sa.CheckConstraint("(sent_at IS NOT NULL) = (sending = 'sent')", name=op.f("message_sent")),
        sa.ForeignKeyConstraint(
            ["dossier_id"], ["dossier.id"], name=op.f("message_dossier_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("message_pkey")),
        sa.UniqueConstraint(
            "fact",
            "audience",
            "way",
            "recipient",
            name=op.f("message_fact_audience_way_recipient_key"),
        ),
    )
    op.create_index(
        "message_queue_idx", "message", ["next_at"], postgresql_where=sa.text("sending = 'queued'")
    )
    op.create_index(
        "message_dead_idx", "message", ["id"], postgresql_where=sa.text("sending = 'dead'")
    )


def _reports() -> None:
    op.create_table(
        "frozen",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("known_at", MOMENT, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("restates", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.CheckConstraint("since IS NULL OR since < until", name=op.f("frozen_period")),
        sa.ForeignKeyConstraint(["restates"], ["frozen.id"], name=op.f("frozen_restates_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("frozen_pkey")),
    )
    op.create_index(
        "frozen_first_key",
        "frozen",
        ["report", "period"],
        unique=True,
        postgresql_where=sa.text("restates IS NULL"),
    )
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("seen_by", sa.String(), nullable=True),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("discrepancy_pkey")),
        sa.UniqueConstraint("day", "code", "what", name=op.f("discrepancy_day_code_what_key")),
    )


def downgrade() -> None:
    for name in ("discrepancy", "frozen", "message", "breach", "watch"):
        op.drop_table(name)
    op.drop_index("alert_recorded_idx", "alert")
    op.execute(
        "DELETE FROM alert WHERE watched <> 'term' OR rule NOT IN ('term-near', 'term-late')"
    )
    op.execute(
        "UPDATE alert SET rule = CASE rule WHEN 'term-late' THEN 'breached' ELSE 'warned' END"
    )
    op.drop_constraint("alert_pkey", "alert")
    op.create_primary_key("alert_pkey", "alert", ["dossier_id", "rule", "deadline"])
    for name in ("visit", "watched", "what", "person", "concerns"):
        op.drop_column("alert", name)
    for name in ("email", "phone"):
        op.drop_column("dossier", name)
    op.execute("ALTER TABLE bundle DISABLE TRIGGER bundle_kept")  # what was published goes too
    op.execute("DELETE FROM bundle WHERE kind IN ('rules', 'templates')")
    op.execute("ALTER TABLE bundle ENABLE TRIGGER bundle_kept")
    _kinds(KINDS)
