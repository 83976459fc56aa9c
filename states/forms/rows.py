"""Templates by which an agency prints a form otherwise than the house does."""

from datetime import datetime
from enum import StrEnum, auto

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word


class FormName(StrEnum):
    """The forms, as addresses and files name them."""

    slip = auto()
    supplement = auto()
    refusal = auto()
    apology = auto()
    stop = auto()
    control = auto()
    register = auto()


class FormTemplate(SQLModel, table=True):
    """What an agency's form was printed by from a moment on: the newest counts, an empty one is
    the house's again. Lines are added and never changed.
    """

    __tablename__ = "form_template"
    __table_args__ = (
        only("form", FormName),
        sa.Index("form_template_newest_idx", "agency", "form", "id"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    agency: str
    form: FormName = Field(sa_type=word(FormName))
    body: str = Field(sa_type=sa.Text)
    since: datetime = Field(sa_type=MOMENT)
    by: str
