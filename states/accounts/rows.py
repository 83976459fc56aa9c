"""Accounts, what their holders came in by, and the keys of other systems."""

from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import MOMENT, only, word


class How(StrEnum):
    """What a session began with."""

    password = auto()
    oidc = auto()
    command = auto()  # by whoever has the database


class Account(SQLModel, table=True):
    """Somebody of the organisation who may come in.

    `issuer`, `subject`: who they are to a provider of identities (OpenID Connect). With neither
    that nor a password an account only has keys. `admin`: manages accounts, and nothing else by it.
    """

    __table_args__ = (
        sa.UniqueConstraint("person"),
        sa.UniqueConstraint("issuer", "subject"),
        sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="identity"),
        sa.CheckConstraint("(password IS NULL) = (password_at IS NULL)", name="password_dated"),
        sa.CheckConstraint("password IS NOT NULL OR NOT must_change", name="password_due"),
        sa.CheckConstraint("failed >= 0", name="failed_count"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    person: str
    password: str | None = None  # as argon2id has it
    password_at: datetime | None = Field(default=None, sa_type=MOMENT)
    must_change: bool  # the password is a one-time one: of use for changing it
    issuer: str | None = None
    subject: str | None = None
    admin: bool
    failed: int  # wrong passwords in a row
    locked_until: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    created_at: datetime = Field(sa_type=MOMENT)
    created_by: str


class Session(SQLModel, table=True):
    """One sign-in, with the hashes of its tokens. Without a refresh token it ends with its access.

    `family` is the hash of what all its refresh tokens begin with: whoever shows one of them that
    is not the last has what was used already.

    `ends`: of a browser's session, which its holder keeps open by using it, until then at most.
    """

    __table_args__ = (
        only("how", How),
        sa.UniqueConstraint("access"),
        sa.UniqueConstraint("family"),
        sa.CheckConstraint(
            "num_nulls(family, refresh, refresh_until) IN (0, 3)", name="refreshable"
        ),
        sa.CheckConstraint("ends IS NULL OR refresh IS NULL", name="browser"),
        sa.Index("session_account_idx", "account_id"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    account_id: int = Field(sa_type=sa.BigInteger, foreign_key="account.id")
    access: bytes
    access_until: datetime = Field(sa_type=MOMENT)
    family: bytes | None = None
    refresh: bytes | None = None
    refresh_until: datetime | None = Field(default=None, sa_type=MOMENT)
    how: How = Field(sa_type=word(How))
    created_at: datetime = Field(sa_type=MOMENT)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    ends: datetime | None = Field(default=None, sa_type=MOMENT)


class ServiceKey(SQLModel, table=True):
    """What another system comes in by, as the holder of the account and no further than its scopes.

    `lasts`: how long it was made for, whatever became of it. `replaces`: the key that was rotated
    into this one; of those that were not revoked one at most replaces it, so keys do not multiply.
    `used_on`: the last day (UTC) on which it was.
    """

    __tablename__ = "service_key"
    __table_args__ = (
        sa.UniqueConstraint("hash"),
        sa.CheckConstraint("cardinality(scopes) > 0", name="scoped"),
        sa.CheckConstraint("lasts > interval '0 seconds'", name="lasting"),
        sa.Index("service_key_account_idx", "account_id"),
        sa.Index(
            "service_key_replaces_key",
            "replaces",
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    account_id: int = Field(sa_type=sa.BigInteger, foreign_key="account.id")
    name: str
    hash: bytes
    scopes: list[str] = Field(sa_type=sa.ARRAY(sa.String))
    expires_at: datetime = Field(sa_type=MOMENT)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    created_at: datetime = Field(sa_type=MOMENT)
    created_by: str
    used_on: date | None = None
    lasts: timedelta = Field(sa_type=sa.Interval)
    replaces: int | None = Field(default=None, sa_type=sa.BigInteger, foreign_key="service_key.id")


class Became(StrEnum):
    """What became of an account."""

    opened = auto()  # for the first time, or again
    reset = auto()
    closed = auto()
    linked = auto()  # to an identity at a provider
    password_changed = auto()
    key_made = auto()
    key_rotated = auto()
    key_revoked = auto()
    signed_in = auto()
    signed_out_everywhere = auto()
    refused = auto()  # a wrong password
    rests = auto()  # another one, after which nobody may try for a while
    refresh_reused = auto()  # a token was in two hands: the session ended


class AccountEvent(SQLModel, table=True):
    """Something became of an account; never changed, never removed.

    `done_by`: None, where nobody had proved who they are. `address`: from where it was asked, as
    a keyed hash: alike for one address, and no address.
    """

    __tablename__ = "account_event"
    __table_args__ = (
        only("what", Became),
        sa.Index("account_event_account_idx", "account_id", "id"),
    )

    id: int | None = Field(
        default=None, sa_type=sa.BigInteger, sa_column_args=(sa.Identity(),), primary_key=True
    )
    account_id: int = Field(sa_type=sa.BigInteger, foreign_key="account.id")
    what: Became = Field(sa_type=word(Became))
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    at: datetime = Field(sa_type=MOMENT)
    done_by: str | None = None
    door: str  # method and address, without what was asked; or the command line
    address: str | None = None


class UsedState(SQLModel, table=True):
    """A sign-in elsewhere that was completed here: it is not completed twice."""

    __tablename__ = "used_state"

    state: bytes = Field(primary_key=True)  # its hash
    until: datetime = Field(sa_type=MOMENT)  # after that it would be refused anyway


account = SQLModel.metadata.tables["account"]
session = SQLModel.metadata.tables["session"]
service_key = SQLModel.metadata.tables["service_key"]
account_event = SQLModel.metadata.tables["account_event"]
used_state = SQLModel.metadata.tables["used_state"]
