"""One deployment's environment: read once at a door, passed inwards."""

import os
import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

import platformdirs
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "HOSO_"
TESTS = "HOSO_TEST_"  # ours to leave alone: the tests speak to their workers by these
SCHEMES = {"postgresql", "postgres", "postgresql+asyncpg"}
MAILING = {"smtp", "smtps", "smtp+starttls"}
MAILBOX = re.compile(r"[^<>@,\s]+@[^<>@,\s]+|[^<>@,\r\n]+ <[^<>@,\s]+@[^<>@,\s]+>")


class BadSettings(Exception):
    """The environment cannot be understood: a sentence for each variable that is wrong."""


def postgres(address: str) -> str:
    """The same address for SQLAlchemy with asyncpg.

    Not pydantic's PostgresDsn: that refuses sockets, which have no host before the query.
    """
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES:
        raise ValueError("write postgresql://user:password@host:port/database")
    if not parts.path.strip("/"):
        raise ValueError("the address names no database: write postgresql://…/database")
    if "sslmode" in parse_qs(parts.query):
        raise ValueError("asyncpg calls it ssl: write ?ssl=require instead of ?sslmode=require")
    return "postgresql+asyncpg" + address[len(parts.scheme) :]


def mail_server(address: str) -> str:
    """The address of a server that takes mail."""
    parts = urlsplit(address)
    try:
        known = parts.scheme in MAILING and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is none
        known = False
    if not known:
        raise ValueError("write smtp+starttls://user:password@host:port, or smtps:// or smtp://")
    return address


def mailbox(text: str) -> str:
    """An address, with a name before it or not."""
    if not MAILBOX.fullmatch(text):
        raise ValueError("write noreply@example.vn or Một cửa <noreply@example.vn>")
    return text


def data_folder() -> Path:
    """Root's is not in its home: that is closed to the account which runs Postgres for it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/hoso")
    return platformdirs.user_data_path("hoso", appauthor=False)


Address = Annotated[str, AfterValidator(postgres)]
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
MailServer = Annotated[str, AfterValidator(mail_server)]
Mailbox = Annotated[str, AfterValidator(mailbox)]


class Settings(BaseSettings):
    """Each field is the variable HOSO_ and its name in capitals; an empty variable is none."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    #: As the application's role. None: the embedded Postgres.
    database: Address | None = Field(default=None, repr=False)
    #: As the role that owns the tables, for migrations.
    database_owner: Address | None = Field(
        default_factory=lambda earlier: earlier.get("database"), repr=False
    )
    #: What `hoso up` keeps on this machine.
    data: Folder = Field(default_factory=data_folder)
    #: The folder whose catalogue a new database begins with. None: the sample.
    catalogue: Folder | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8600, ge=1, le=65534)  # Prefect takes the next one
    #: Somebody else's Prefect server, such as http://prefect.example/api. None: `hoso up` runs one.
    prefect_api: HttpUrl | None = None
    log_format: Literal["auto", "console", "json"] = "auto"

    # The API, and who it lets in.
    #: What is signed and hashed with; the same on every machine. None: a file in the data folder.
    secret: Annotated[SecretStr, Field(min_length=32)] | None = Field(default=None, repr=False)
    #: As people and other systems reach it, such as https://hoso.example.vn.
    url: HttpUrl | None = None
    #: The pages of others that may ask the API, such as ["https://desk.example.vn"]; none.
    cors: tuple[HttpUrl, ...] = ()
    #: How often a token may ask in a minute; 0: no limit.
    calls: int = Field(default=600, ge=0)
    #: How many live streams a person may have open at a process; 0: no limit.
    streams: int = Field(default=8, ge=0)
    #: Where files are kept, such as s3://bucket/hoso. None: a folder in the data folder.
    files: str | None = None
    largest_file: int = Field(default=100_000_000, ge=1_000_000)  # bytes
    #: Somebody else's accounts (OpenID Connect): who issues them, and as what we are known there.
    oidc_issuer: HttpUrl | None = None
    oidc_client: str | None = None
    oidc_secret: SecretStr | None = Field(default=None, repr=False)

    # Notices go only by the ways that are named here.
    #: The mail server, such as smtp+starttls://user:password@mail.example.vn:587.
    smtp: MailServer | None = Field(default=None, repr=False)
    #: Whose mail it is; needed with a mail server.
    mail_from: Mailbox | None = None
    #: Where SMS are handed in by HTTP, and the token for that.
    sms_gateway: HttpUrl | None = Field(default=None, repr=False)
    sms_token: SecretStr | None = None
    #: The same for chat (Zalo and others).
    chat_gateway: HttpUrl | None = Field(default=None, repr=False)
    chat_token: SecretStr | None = None
    #: A YAML file with the webhooks and their secrets.
    webhooks: Folder | None = None

    @model_validator(mode="before")
    @classmethod
    def no_misspelling(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A variable that nobody reads would be a setting that silently does nothing."""
        known = [PREFIX + name.upper() for name in cls.model_fields]
        for name in sorted(map(str.upper, os.environ)):
            if name.startswith(PREFIX) and not name.startswith(TESTS) and name not in known:
                meant = get_close_matches(name, known, n=1)
                hint = f"did you mean {meant[0]}?" if meant else f"there are {', '.join(known)}."
                raise ValueError(f"{name} is no setting: {hint}")
        return given

    @model_validator(mode="after")
    def no_issuer_without_client(self) -> "Settings":
        """Nobody can be sent to an issuer that does not know who sends them."""
        if self.oidc_issuer is not None and (self.oidc_client is None or self.url is None):
            raise ValueError("HOSO_OIDC_ISSUER needs HOSO_OIDC_CLIENT and HOSO_URL")
        return self

    @model_validator(mode="after")
    def no_mail_from_nobody(self) -> "Settings":
        """A mail without a sender is refused everywhere."""
        if self.smtp is not None and self.mail_from is None:
            raise ValueError("HOSO_SMTP needs HOSO_MAIL_FROM: say whose mail it is")
        return self


@cache
def settings() -> Settings:
    """Raises BadSettings. Values are not repeated in it: they may hold a password."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings(
            "\n".join(
                ": ".join(
                    [*(PREFIX + str(name).upper() for name in wrong["loc"][:1]), wrong["msg"]]
                )
                for wrong in error.errors(include_input=False)
            )
        ) from None
