"""`hoso user`: accounts and service keys, by whoever has the database.

No password is an argument: arguments are in the shell's history and in the list of processes.
"""

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.account_history import history
from api.cli.bundles import Data, Json, Work, catalogued
from api.cli.output import as_json, console, listed
from states.errors import BadInput

if TYPE_CHECKING:
    from states.accounts.keeping import Secret

ONE_TIME = "One-time password, good for a week, to be changed at once:"

ACCOUNTS = {
    "person": "person",
    "admin": "admin",
    "must_change": "must change",
    "issuer": "provider",
    "failed": "failed",
    "locked_until": "rests until",
    "closed_at": "closed",
}
KEYS = {
    "id": "ID",
    "name": "system",
    "person": "person",
    "scopes": "scopes",
    "expires_at": "good until",
    "used_on": "last used",
    "replaces": "replaces",
    "revoked_at": "revoked",
}

Person = Annotated[str, typer.Argument(help="Id of a person of the organisation.")]
Admin = Annotated[bool, typer.Option("--admin", help="The account manages accounts.")]
Typed = Annotated[bool, typer.Option("--ask", help="Ask for the password, twice.")]
Piped = Annotated[
    bool, typer.Option("--password-stdin", help="The password is the first line of the input.")
]
Without = Annotated[
    bool, typer.Option("--no-password", help="It comes in by OpenID Connect, or by keys.")
]
Number = Annotated[int, typer.Argument(metavar="ID", help="As `hoso user key list` has it.")]
Scopes = Annotated[list[str], typer.Option("--scope", help="Such as dossiers:read; repeatable.")]
Days = Annotated[int, typer.Option(help="How long it is good.")]
Grace = Annotated[int, typer.Option("--grace", help="Days for which the old key is good still.")]
Revoked = Annotated[bool, typer.Option("--revoked", help="Also those that were revoked.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="Accounts and service keys.", no_args_is_help=True)
    for command in (add, list_, history, reset, link, close, token):
        group.command(command.__name__.rstrip("_"))(command)
    keys = typer.Typer(help="Service keys: what other systems come in by.", no_args_is_help=True)
    for each in (key_add, key_list, key_rotate, key_revoke):
        keys.command(each.__name__.removeprefix("key_"))(each)
    group.add_typer(keys, name="key")
    app.add_typer(group, name="user")


# Accounts ---------------------------------------------------------------------------------


def add(
    person: Person,
    admin: Admin = False,
    ask: Typed = False,
    password_stdin: Piped = False,
    no_password: Without = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Open an account; unless told otherwise with a one-time password, printed this once."""
    if ask + password_stdin + no_password > 1:
        raise BadInput("choose one of --ask, --password-stdin and --no-password")
    given = _given(ask=ask, piped=password_stdin)

    async def work(db: Any, book: Any, at: datetime) -> "Secret":
        from states.accounts import keeping
        from states.accounts.history import COMMAND

        secret = keeping.NONE if no_password else await _secret(given, person)
        await keeping.add(db, book, person, secret, COMMAND, at, admin=admin)
        return secret

    _told(person, catalogued(data, work, make=True), f"{person} has an account.", json=json)


def reset(
    person: Person,
    ask: Typed = False,
    password_stdin: Piped = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Another password for who lost theirs; all sessions end, and the account rests no more."""
    if ask and password_stdin:
        raise BadInput("choose one of --ask and --password-stdin")
    given = _given(ask=ask, piped=password_stdin)

    async def work(db: Any, book: Any, at: datetime) -> "Secret":
        from states.accounts import keeping
        from states.accounts.history import COMMAND

        secret = await _secret(given, person)
        await keeping.reset(db, person, secret, COMMAND, at)
        return secret

    done = f"The password of {person} is another; all sessions ended."
    _told(person, catalogued(data, work), done, json=json)


def _given(*, ask: bool, piped: bool) -> str | None:
    """What was typed or sent; None: one is to be made."""
    if ask:
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n") if piped else None


async def _secret(given: str | None, person: str) -> "Secret":
    from states.accounts import keeping

    return await (keeping.one_time() if given is None else keeping.chosen(given, person))


def _told(person: str, secret: "Secret", done: str, *, json: bool) -> None:
    if json:
        as_json({"person": person, "one_time_password": secret.one_time})
    elif secret.one_time is None:
        _say(done)
    else:
        _say(f"{done} {ONE_TIME}", to=sys.stderr)
        typer.echo(secret.one_time)


def list_(data: Data = None, json: Json = False) -> None:
    """All accounts, closed ones among them."""

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        from states.accounts import keeping

        return await keeping.listed(db)

    listed("Tài khoản / Accounts", ACCOUNTS, catalogued(data, work), json=json)


def link(
    person: Person,
    issuer: Annotated[str, typer.Option(help="As HOSO_OIDC_ISSUER names the provider.")],
    subject: Annotated[str, typer.Option(help="What the provider knows them by.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Say who somebody is to the provider of identities (OpenID Connect)."""

    async def work(db: Any, book: Any, at: datetime) -> None:
        from states.accounts import keeping
        from states.accounts.history import COMMAND

        await keeping.link(db, person, issuer, subject, COMMAND, at)

    _done(work, {"person": person, "issuer": issuer, "subject": subject}, data, json=json)


def close(person: Person, data: Data = None, json: Json = False) -> None:
    """Close an account: its sessions and its keys end."""

    async def work(db: Any, book: Any, at: datetime) -> None:
        from states.accounts import keeping
        from states.accounts.history import COMMAND

        await keeping.close(db, person, COMMAND, at)

    _done(work, {"closed": person}, data, json=json)


def token(person: Person, data: Data = None, json: Json = False) -> None:
    """Begin a session of an hour, and print its access token: for scripts."""

    async def work(db: Any, book: Any, at: datetime) -> Any:
        from states.accounts import keeping, signing
        from states.accounts.history import COMMAND
        from states.accounts.rows import How

        row = await keeping.one(db, person)
        who = signing.Holder(row.id, person)
        return await signing.begin(db, who, How.command, at, COMMAND)

    new = catalogued(data, work)
    if json:
        as_json({"person": person, "access_token": new.access, "access_until": new.access_until})
    else:
        typer.echo(new.access)


# Keys -------------------------------------------------------------------------------------


def key_add(
    name: Annotated[str, typer.Argument(help="What system it is for.")],
    person: Annotated[str, typer.Option(help="Whose account it acts as.")],
    scope: Scopes,
    days: Days = 365,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a service key, and print it this once."""

    async def work(db: Any, book: Any, at: datetime) -> tuple[Any, str]:
        from states.accounts import keys
        from states.accounts.history import COMMAND

        return await keys.make(db, name, person, _scopes(scope), COMMAND, at, timedelta(days=days))

    _shown(*catalogued(data, work), json=json)


def _scopes(words: list[str]) -> list[Any]:
    from states.accounts.scopes import Scope

    for word in words:
        if word not in set(Scope):
            raise BadInput(f"'{word[:40]}' is no scope: there are {', '.join(Scope)}")
    return [Scope(word) for word in words]


def key_rotate(number: Number, grace: Grace = 7, data: Data = None, json: Json = False) -> None:
    """Make another key for the same, and print it; the old one is good for the grace only."""

    async def work(db: Any, book: Any, at: datetime) -> tuple[Any, str]:
        from states.accounts import keys
        from states.accounts.history import COMMAND

        return await keys.rotate(db, number, COMMAND, at, timedelta(days=grace))

    _shown(*catalogued(data, work), json=json)


def _shown(row: Any, key: str, *, json: bool) -> None:
    if json:
        as_json({"id": row.id, "key": key, "expires_at": row.expires_at})
        return
    _say(f"Service key {row.id} of {row.person}, until {row.expires_at:%d/%m/%Y}:", to=sys.stderr)
    typer.echo(key)


def key_list(revoked: Revoked = False, data: Data = None, json: Json = False) -> None:
    """Service keys, and when each was used last."""

    async def work(db: Any, book: Any, at: datetime) -> list[dict[str, Any]]:
        from states.accounts import keys

        rows = await keys.listed(db, revoked=revoked)
        return [dict(row._mapping) for row in rows]  # noqa: SLF001  public

    listed("Khóa dịch vụ / Service keys", KEYS, catalogued(data, work), json=json)


def key_revoke(number: Number, data: Data = None, json: Json = False) -> None:
    """End a service key."""

    async def work(db: Any, book: Any, at: datetime) -> None:
        from states.accounts import keys
        from states.accounts.history import COMMAND

        await keys.revoke(db, number, COMMAND, at)

    _done(work, {"revoked": number}, data, json=json)


def _done(work: Work[None], told: dict[str, Any], data: Any, *, json: bool) -> None:
    catalogued(data, work)
    if json:
        as_json(told)
    else:
        _say("Done.")


def _say(sentence: str, to: Any = None) -> None:
    """What goes with a secret goes to standard error: so that the secret alone can be piped."""
    if to is None:
        console.print(sentence, markup=False, highlight=False)
    else:
        typer.echo(sentence, file=to)
