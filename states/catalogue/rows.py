"""The catalogue in the database: every version of every bundle, as text and as what it says.

`text` is the file to the byte, comments included. Once published a version never changes but by
being retired: a trigger sees to it, whoever asks.
"""

from datetime import date, datetime
from enum import StrEnum, auto

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word


class Kind(StrEnum):
    """What a bundle is of."""

    organisation = auto()
    calendar = auto()
    procedure = auto()
    regimes = auto()
    rules = auto()
    templates = auto()
    plans = auto()


class Status(StrEnum):
    """Where a version stands between its author and the counter."""

    draft = auto()  # may be written again
    checked = auto()  # the checker found no error in it
    published = auto()  # binds what is received under it
    retired = auto()  # binds what was received under it, and nothing new


class Dates(StrEnum):
    """What a corrected calendar does to dates already promised."""

    keep = auto()  # nothing: the printed date stands
    move = auto()  # they are read anew
    later = auto()  # read anew, but none comes nearer


class Bundle(SQLModel, table=True):
    """One version of one bundle. `valid_until` is included; None: until a successor."""

    __table_args__ = (
        only("kind", Kind),
        only("status", Status),
        only("dates", Dates),
        sa.CheckConstraint(
            "(published_at IS NOT NULL) = (status IN ('published', 'retired'))", name="published"
        ),
        sa.Index("bundle_status_idx", "status"),
    )

    kind: Kind = Field(sa_type=word(Kind), primary_key=True)
    code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    status: Status = Field(sa_type=word(Status))
    text: str = Field(sa_type=sa.Text)
    data: str = Field(sa_type=sa.Text)  # what it says, as JSON; of a calendar, its days
    digest: str  # of the text; of a calendar, its version
    valid_from: date
    valid_until: date | None = None
    dates: Dates | None = Field(default=None, sa_type=word(Dates))
    document: str | None = None  # the decision it was published by
    drafted_by: str
    drafted_at: datetime = Field(sa_type=MOMENT)
    checked_by: str | None = None
    checked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    published_by: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=MOMENT)
    retired_by: str | None = None
    retired_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Edition(SQLModel, table=True):
    """How often the published catalogue has changed: one row. Who remembers less reads it again."""

    __table_args__ = (sa.CheckConstraint("one", name="one"),)

    one: bool = Field(default=True, primary_key=True)
    n: int = 0
