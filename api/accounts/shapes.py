"""What goes in and out of accounts, as the OpenAPI document describes it."""
# ruff: noqa: S105, S106  examples

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.listed import PLAIN
from states.accounts.rows import Became, How
from states.accounts.scopes import Scope
from states.accounts.signing import Tokens
from states.words import Role

ID = r"^[a-z][a-z0-9-]{0,60}$"
Person = Annotated[
    str, StringConstraints(pattern=ID), Field(description="Id of a person of the organisation.")
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PLAIN)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=200)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]
LATER = "2024-03-04T08:15:00+07:00"


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


# In ---------------------------------------------------------------------------------------


class SigningIn(BaseModel):
    """A person and their password."""

    model_config = _like(person="p-reception-01", password="bốn từ nối liền nhau")

    person: Person
    password: Password


class Refreshing(BaseModel):
    """The refresh token of the last answer; it is of use once."""

    model_config = _like(refresh_token="hsr_…")

    refresh_token: Token


class NewPassword(BaseModel):
    """The password, and the one to have instead: 12 characters or more."""

    model_config = _like(old="bốn từ nối liền nhau", new="năm từ khác nối liền nhau")

    old: Password
    new: Password


class NewAccount(BaseModel):
    """An account to be opened. Without a password it comes in by the provider, or by keys."""

    model_config = _like(person="p-sci-officer-21", admin=False, password=True)

    person: Person
    admin: bool = Field(default=False, strict=True, description="Whether it manages accounts.")
    password: bool = Field(
        default=True, strict=True, description="Whether it gets a one-time password."
    )


class Link(BaseModel):
    """Who somebody is to the provider of identities (OpenID Connect)."""

    model_config = _like(issuer="https://id.example.vn", subject="248289761001")

    issuer: Line
    subject: Line


class NewKey(BaseModel):
    """A service key: for what system, as which person it acts, and for what alone."""

    model_config = _like(
        name="Cổng dịch vụ công", person="p-reception-01", scopes=["dossiers:read"], days=365
    )

    name: Line
    person: Person
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)]
    days: int = Field(default=365, strict=True, ge=1, le=731)


class Rotation(BaseModel):
    """How long the old key is good beside the new one."""

    model_config = _like(grace_days=7)

    grace_days: int = Field(default=7, strict=True, ge=0, le=31)


# Out --------------------------------------------------------------------------------------


class Session(BaseModel):
    """What a session goes on by. `must_change`: a one-time password, to be changed first."""

    model_config = _like(
        person="p-reception-01",
        access_token="hsa_…",
        token_type="Bearer",
        access_until=LATER,
        refresh_token="hsr_…",
        refresh_until="2024-03-04T20:00:00+07:00",
        must_change=False,
    )

    person: str
    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"
    access_until: datetime
    refresh_token: str | None = Field(repr=False)
    refresh_until: datetime | None
    must_change: bool

    @classmethod
    def of(cls, new: Tokens) -> "Session":
        return cls(
            person=new.person,
            access_token=new.access,
            access_until=new.access_until,
            refresh_token=new.refresh,
            refresh_until=new.refresh_until,
            must_change=new.must_change,
        )


class Held(BaseModel):
    """A role at a unit, for `Hoso-Role`."""

    unit: str
    role: Role


class Me(BaseModel):
    """Who the caller is, what they hold today, and for which agencies they act (`Hoso-For`)."""

    model_config = _like(
        person="p-post-01",
        name="Đỗ Thị Ngọc",
        positions=[{"unit": "H42.14.03", "role": "postal"}],
        acts_for=["H42.03"],
        admin=False,
        must_change=False,
        how="password",
        scopes=["dossiers:read", "dossiers:write"],
    )

    person: str
    name: str | None = Field(description="None: the organisation has this person no more.")
    positions: list[Held]
    acts_for: list[str]
    admin: bool
    must_change: bool
    how: How | None = Field(description="None: by a service key.")
    scopes: list[Scope]


class Account(BaseModel):
    """An account, as administrators see it."""

    model_config = _like(
        person="p-reception-01",
        admin=False,
        must_change=False,
        issuer=None,
        subject=None,
        failed=0,
        locked_until=None,
        password_at="2024-03-01T08:00:00+07:00",
        closed_at=None,
        created_at="2024-03-01T08:00:00+07:00",
        created_by="p-admin-01",
    )

    person: str
    admin: bool
    must_change: bool
    issuer: str | None
    subject: str | None
    failed: int = Field(description="Wrong passwords in a row.")
    locked_until: datetime | None
    password_at: datetime | None = Field(description="None: it has no password.")
    closed_at: datetime | None
    created_at: datetime
    created_by: str


class Accounts(BaseModel):
    """A page of accounts, by person."""

    items: list[Account]
    next: str | None = Field(description="The cursor of the next page; none: it was the last.")


class AccountEvent(BaseModel):
    """Something that became of an account."""

    model_config = _like(
        id=41,
        what="key_made",
        facts={"key": 7, "scopes": ["dossiers:read"]},
        at="2024-03-04T08:00:00+07:00",
        done_by="p-admin-01",
        door="POST /v1/accounts/keys",
        address="9f2c41d07be35a18",
    )

    id: int
    what: Became
    facts: dict[str, Any]
    at: datetime
    done_by: str | None = Field(description="None: nobody had proved who they are.")
    door: str = Field(description="The call by which it was done, or the command line.")
    address: str | None = Field(
        description="From where, as a keyed hash: alike for one address. None: the command line."
    )


class AccountEvents(BaseModel):
    """A page of what became of an account, the last first."""

    items: list[AccountEvent]
    next: str | None = Field(description="The cursor of the next page; none: it was the last.")


class OneTime(BaseModel):
    """A password that is told this once, good for a week, and to be changed at once."""

    model_config = _like(person="p-sci-officer-21", one_time_password="kR7…")

    person: str
    one_time_password: str | None = Field(
        repr=False, description="None: it has none, or it was told before (Idempotency-Key)."
    )


class Key(BaseModel):
    """A service key, without what it is."""

    model_config = _like(
        id=1,
        name="Cổng dịch vụ công",
        person="p-reception-01",
        scopes=["dossiers:read"],
        expires_at="2025-03-04T08:00:00+07:00",
        revoked_at=None,
        created_at="2024-03-04T08:00:00+07:00",
        created_by="p-admin-01",
        used_on="2024-03-04",
        replaces=None,
    )

    id: int
    name: str
    person: str
    scopes: list[str]
    expires_at: datetime
    revoked_at: datetime | None
    created_at: datetime
    created_by: str
    used_on: date | None = Field(description="The last day (UTC) it was used on.")
    replaces: int | None = Field(description="The key that was rotated into this one.")


class Keys(BaseModel):
    """Service keys, by number."""

    items: list[Key]


class MadeKey(Key):
    """A service key that was made now: `key` is told this once."""

    key: str | None = Field(repr=False, description="None: it was told before (Idempotency-Key).")
