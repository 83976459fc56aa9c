"""Which dossiers are looked at, as a condition in SQL on the dossier `d`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from states.columns import MOMENT
from states.errors import BadInput
from states.logs.reading import happenings

TEXTS = sa.ARRAY(sa.String)
PARAMETERS = (
    sa.bindparam("since", type_=MOMENT),
    sa.bindparam("until", type_=MOMENT),
    sa.bindparam("agencies", type_=TEXTS),
    sa.bindparam("procedures", type_=TEXTS),
)
WHOSE = """
    (CAST(:agencies AS text[]) IS NULL OR d.agency = ANY(:agencies))
    AND (CAST(:procedures AS text[]) IS NULL OR d.procedure = ANY(:procedures))
"""
# The name of what was done; of a stage of ours, with the stage.
NAME = "CASE WHEN kind = 1 AND stage IS NOT NULL THEN activity || ' ' || stage ELSE activity END"


def within(moment: str) -> str:
    """A condition on a moment: in [since, until)."""
    return f"(CAST(:since AS timestamptz) IS NULL OR {moment} >= :since) AND {moment} < :until"


@dataclass(frozen=True, slots=True)
class Scope:
    """What ended in [since, until): dossiers by their finish, visits and activities by their end.

    `since` None: from the beginning. `unfinished`: also the dossiers that were registered before
    the end and are not finished by then.
    """

    since: datetime | None
    until: datetime
    agencies: Sequence[str] | None = None
    procedures: Sequence[str] | None = None
    unfinished: bool = False

    def __post_init__(self) -> None:
        if self.since is not None and self.since >= self.until:
            raise BadInput("the period ends before it begins: --from must lie before --to")

    @property
    def values(self) -> dict[str, Any]:
        """Of the parameters."""
        agencies = None if self.agencies is None else list(self.agencies)
        procedures = None if self.procedures is None else list(self.procedures)
        return {
            "since": self.since,
            "until": self.until,
            "agencies": agencies,
            "procedures": procedures,
        }

    @property
    def which(self) -> str:
        """The dossiers."""
        ended = within("d.finished_at")
        if self.unfinished:
            left = "d.finished_at IS NULL OR d.finished_at >= :until"
            ended = f"({ended} OR ((({left})) AND d.registered_at < :until))"
        return f"{ended} AND {WHOSE}"

    @property
    def happened(self) -> str:
        """What happened to them, as a table of `telling.Happening`s."""
        return f"({happenings(self.which)})"


def statement(sql: str) -> sa.TextClause:
    """With its parameters, those that it has."""
    return sa.text(sql).bindparams(*(each for each in PARAMETERS if f":{each.key}" in sql))
