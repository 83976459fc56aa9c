"""Whether what was recorded of deadlines fits the dossiers it is about. Set-based, and cheap."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.proof.findings import Finding

GRACE = timedelta(days=2)  # a sweep may have been down so long

# Each finds dossiers by code, with a sentence.
CHECKS = (
    """
    SELECT d.code, format('its watch was reckoned after line %s, and it has %s', w.seq, d.seq)
    FROM watch w JOIN dossier d ON d.id = w.dossier_id WHERE w.seq NOT BETWEEN 1 AND d.seq
    """,
    """
    SELECT d.code, format('alert %s is about line %s, and it has %s', a.rule, a.deadline, d.seq)
    FROM alert a JOIN dossier d ON d.id = a.dossier_id WHERE a.deadline NOT BETWEEN 1 AND d.seq
    """,
    """
    SELECT d.code, format('alert %s is about visit %s, and there is none', a.rule, a.visit)
    FROM alert a JOIN dossier d ON d.id = a.dossier_id
    WHERE a.visit > 0 AND NOT EXISTS (
        SELECT FROM visit v WHERE v.dossier_id = a.dossier_id AND v.visit = a.visit
    )
    """,
    """
    SELECT d.code, format('alert %s has another due moment than the deadline it is about', a.rule)
    FROM alert a JOIN dossier d ON d.id = a.dossier_id AND d.deadline = a.deadline
    WHERE a.watched = 'term' AND a.visit = 0 AND d.finished_at IS NULL AND a.due_at <> d.due_at
    """,
    """
    SELECT d.code, format('breach %s has another due moment than its alert', b.rule)
    FROM breach b JOIN alert a USING (dossier_id, rule, visit, deadline)
    JOIN dossier d ON d.id = b.dossier_id WHERE b.due_at <> a.due_at
    """,
    """
    SELECT d.code, format('breach %s ended before it began', b.rule)
    FROM breach b JOIN dossier d ON d.id = b.dossier_id
    WHERE b.ended_at < b.due_at OR b.minutes < 0
    """,
    """
    SELECT d.code, format('breach %s is excused by line %s, which extends nothing', b.rule,
        b.apology_seq)
    FROM breach b JOIN dossier d ON d.id = b.dossier_id
    WHERE b.apology_seq IS NOT NULL AND NOT EXISTS (
        SELECT FROM entry e WHERE e.dossier_id = b.dossier_id AND e.seq = b.apology_seq
          AND e.event = 'extend'
    )
    """,
    """
    SELECT d.code, format('breach %s still runs, and the dossier has ended', b.rule)
    FROM breach b JOIN dossier d ON d.id = b.dossier_id
    WHERE b.ended_at IS NULL AND d.finished_at < CAST(:since AS timestamptz)
    """,
)


async def misfits(db: AsyncConnection, at: datetime) -> list[Finding]:
    """Watches, alerts and breaches that cannot be of their dossier."""
    found = []
    for check in CHECKS:
        given = {"since": at - GRACE} if ":since" in check else {}
        rows = await db.execute(sa.text(check), given)
        found += [Finding(code, what) for code, what in rows]
    return found
