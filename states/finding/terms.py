"""Dossiers by the terms they are found by."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

import states.finding.rows  # noqa: F401  so that the metadata is full
from states.finding.rows import Kind
from states.ledger.statements import d

sought = SQLModel.metadata.tables["sought"]
s = sought.c


def found(kind: Kind, *terms: Any) -> Any:
    """Whether a dossier has one of these terms, as a condition."""
    return _having(kind, s.term.in_([sa.cast(each, sa.String) for each in terms]))


def beginning(kind: Kind, term: Any) -> Any:
    """Whether it has a term that begins so; `term` holds no sign that LIKE reads."""
    return _having(kind, s.term.like(sa.cast(term, sa.String).concat("%")))


def _having(kind: Kind, holds: Any) -> Any:
    of: Any = sa.literal_column(f"'{kind}'")  # a constant: with it the index is found at planning
    return d.id.in_(sa.select(s.dossier_id).where(s.kind == of, holds))
