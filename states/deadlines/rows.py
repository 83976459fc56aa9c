"""What is watched of each open dossier, and what was found: once per rule and deadline."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.catalogue.rules import On, What
from states.columns import MOMENT, only, word


class Alert(SQLModel, table=True):
    """What a sweep found, once per dossier, rule, visit of a stage and version of the deadline.

    `visit` 0: the dossier itself. `deadline`: the line that set what was watched. `concerns`: whom,
    each with unit, role, person (None: nobody is named) and why.
    """

    __table_args__ = (
        only("watched", On),
        only("what", What),
        sa.Index("alert_recorded_idx", "recorded_at"),
    )

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    rule: str = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    deadline: int = Field(primary_key=True)
    watched: On = Field(sa_type=word(On))
    what: What = Field(sa_type=word(What))
    due_at: datetime = Field(sa_type=MOMENT)
    at: datetime = Field(sa_type=MOMENT)  # the rule's own moment
    unit: str
    person: str | None = None  # who had it at that moment
    concerns: list[dict[str, Any]] = Field(sa_type=sa.JSON)
    recorded_at: datetime = Field(
        sa_type=MOMENT, sa_column_kwargs={"server_default": sa.func.now()}
    )


class Watch(SQLModel, table=True):
    """When an open dossier is to be looked at next; an index finds what is due. Made of its lines.

    `at` None: nothing of it is watched until its next line. `seq`: the line it was reckoned after.
    """

    __table_args__ = (sa.Index("watch_at_idx", "at", postgresql_where=sa.text("at IS NOT NULL")),)

    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
    at: datetime | None = Field(default=None, sa_type=MOMENT)
    seq: int


class Survey(SQLModel, table=True):
    """By which rules the open dossiers are watched: one row.

    `edition`: of the catalogue that brought those rules. `last`: up to which dossier all open ones
    were looked at since; None: to the end.
    """

    __table_args__ = (sa.CheckConstraint("one", name="one"),)

    one: bool = Field(default=True, primary_key=True)
    rules: str
    edition: int | None = None
    last: int | None = Field(default=None, sa_type=sa.BigInteger)
