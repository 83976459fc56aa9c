"""Messages on their way out: one per fact, audience, channel and recipient."""

from datetime import datetime
from enum import StrEnum, auto

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word


class Audience(StrEnum):
    """For whom."""

    citizen = auto()
    staff = auto()
    system = auto()  # another system, by webhook


class Way(StrEnum):
    """By what."""

    email = auto()
    sms = auto()
    chat = auto()
    webhook = auto()


class Sending(StrEnum):
    """Where it stands."""

    queued = auto()
    sent = auto()
    dead = auto()  # given up after so many tries: to be seen, and sent again by hand


class Message(SQLModel, table=True):
    """One message. `fact` names what it tells (`entry/12/3`, `alert/12/term-late/0/4`).

    `law`: prescribed, so that no quiet hours hold it back (Decree 224/2026/NĐ-CP Art. 15(1)(g)).
    """

    __table_args__ = (
        only("audience", Audience),
        only("way", Way),
        only("sending", Sending),
        sa.UniqueConstraint("fact", "audience", "way", "recipient"),
        sa.CheckConstraint("(sent_at IS NOT NULL) = (sending = 'sent')", name="sent"),
        sa.Index(
            "message_queue_idx", "way", "next_at", postgresql_where=sa.text("sending = 'queued'")
        ),
        sa.Index("message_dead_idx", "id", postgresql_where=sa.text("sending = 'dead'")),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    fact: str
    template: str
    dossier_id: int | None = Field(default=None, sa_type=sa.BigInteger, foreign_key="dossier.id")
    audience: Audience = Field(sa_type=word(Audience))
    way: Way = Field(sa_type=word(Way))
    recipient: str
    subject: str
    body: str = Field(sa_type=sa.Text)
    law: bool
    sending: Sending = Field(sa_type=word(Sending))
    tries: int
    next_at: datetime = Field(sa_type=MOMENT)
    error: str | None = None
    made_at: datetime = Field(sa_type=MOMENT)
    sent_at: datetime | None = Field(default=None, sa_type=MOMENT)
