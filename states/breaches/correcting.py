"""Lateness that a correction on the record undid: derived from the lines at reading, never written.

A breach stays as it was entered, with what was said of it: that was what was known. Where the
calendar was corrected since, and the deadline by the corrected one was not missed, the line that
says so sets the breach aside: it is counted apart, and nobody is asked to explain it.
"""

from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

import states.breaches.rows
import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.catalogue.rules import On
from states.columns import MOMENT
from states.ledger.statements import d, entry
from states.words import Event, Tally

b, t = (SQLModel.metadata.tables[name].c for name in ("breach", "alert"))
IN_TIME = (Tally.early, Tally.on_time)
OF_TERM = (On.term, On.apology)


def _by() -> Any:
    """The number of the line that undid a breach; none where it stands.

    A closed dossier was classed anew, late before and in time since, and is so still: that is of
    the deadline it was closed under. An open one was promised for later, by a recompute of the
    deadline that was missed: what it is late by after that is another deadline's, a breach of its
    own. Stages keep the dates they were closed under, so theirs stand.
    """
    line = entry.alias("corrects")
    told = sa.cast(line.c.payload, sa.JSON)["clock"]
    was = told[("was", "due")].as_string()
    restated = sa.and_(
        line.c.event == Event.restate,
        t.watched.in_(OF_TERM),
        d.verdict.in_(IN_TIME),
        b.deadline == d.deadline,
        told[("was", "verdict")].as_string() == Tally.late,
        told["verdict"].as_string().in_(IN_TIME),
    )
    moved = sa.and_(
        line.c.event == Event.recompute,
        t.watched == On.term,
        sa.cast(was, MOMENT) == b.due_at,
        sa.cast(told["due"].as_string(), MOMENT) > b.due_at,
    )
    asked = sa.select(sa.func.max(line.c.seq)).where(
        line.c.dossier_id == b.dossier_id, line.c.seq > b.deadline, sa.or_(restated, moved)
    )
    return asked.scalar_subquery()


CORRECTED = _by()
CORRECTED_SEQ: Any = CORRECTED.label("corrected_seq")
STANDS_STILL: sa.ColumnElement[bool] = CORRECTED.is_(None)
"""Whether a breach is one still."""
