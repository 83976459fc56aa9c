"""`hoso user`: as whoever has the database uses it."""

import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli import Answer, hoso
from office import address
from sqlalchemy.ext.asyncio import AsyncEngine
from test_accounts import GOOD, ONE, OTHER, TWO, arrival

from api import cli
from api.cli import users
from config.settings import settings
from states.accounts import Identity, Scope, signing
from states.accounts.history import COMMAND
from states.accounts.refusals import WrongCredentials
from states.accounts.rows import How
from states.db import transaction


@pytest.fixture
def here(fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncEngine:
    """Commands find this database; as its application, and no migration is due."""
    for name, value in {"DATABASE": address(fresh), "DATA": str(tmp_path)}.items():
        monkeypatch.setenv(f"HOSO_{name}", value)
    settings.cache_clear()
    return fresh


async def typed(text: str, *words: object, monkeypatch: pytest.MonkeyPatch) -> Answer:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return await hoso("user", *words)


async def came(engine: AsyncEngine, token: str) -> Identity | None:
    async with transaction(engine) as db:
        return await arrival(db, token, datetime.now(UTC))


async def signed_in(engine: AsyncEngine, person: str, password: str) -> signing.Tokens:
    return await signing.sign_in(engine, person, password, datetime.now(UTC), COMMAND)


async def test_the_first_administrator_has_a_password_of_nobodys_choosing(
    here: AsyncEngine,
) -> None:
    made = await hoso("user", "add", ONE, "--admin")
    assert made.code == 0, made.err
    [password] = made.out.split()  # the password alone: it can be piped
    assert "to be changed" in made.err
    new = await signed_in(here, ONE, password)
    assert new.must_change
    who = await came(here, new.access)
    assert who is not None
    assert who.admin
    other = (await hoso("user", "add", TWO, "--json")).json
    assert other["person"] == TWO
    assert other["one_time_password"] != password

    again = await hoso("user", "add", ONE)
    assert again.code == 1
    assert again.sentence == f"{ONE} has an account already: reset it, or close it first"
    stranger = await hoso("user", "add", "p-stranger")
    assert stranger.code == 1
    assert "no person p-stranger" in stranger.sentence


async def test_a_password_comes_by_the_input_and_never_as_an_argument(
    here: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = ("add", ONE, "--password-stdin")
    weak = await typed("ngắn\n", *piped, monkeypatch=monkeypatch)
    assert weak.code == 1
    assert "12 to 200 characters" in " ".join(weak.sentence.split())
    made = await typed(GOOD + "\n", *piped, monkeypatch=monkeypatch)
    assert made.code == 0, made.err
    assert GOOD not in made.out + made.err
    assert not (await signed_in(here, ONE, GOOD)).must_change
    reset = await typed(OTHER + "\r\n", "reset", ONE, "--password-stdin", monkeypatch=monkeypatch)
    assert (reset.code, reset.out.split()[:2]) == (0, ["The", "password"])
    await signed_in(here, ONE, OTHER)
    with pytest.raises(WrongCredentials):
        await signed_in(here, ONE, GOOD)
    for command in ("add", "reset"):
        assert "--password " not in (await hoso("user", command, "--help")).out
        assert (await hoso("user", command, ONE, "--password", GOOD)).code == 2
        both = await hoso("user", command, ONE, "--ask", "--password-stdin")
        assert (both.code, both.sentence[:10]) == (1, "choose one")


async def test_a_typed_password_is_asked_for_twice(
    here: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def prompt(text: str, **how: object) -> str:
        asked.append(how)
        return GOOD

    monkeypatch.setattr(users.typer, "prompt", prompt)
    assert (await hoso("user", "add", ONE, "--ask")).code == 0
    assert asked == [{"hide_input": True, "confirmation_prompt": True, "err": True}]
    await signed_in(here, ONE, GOOD)


async def test_accounts_are_listed_linked_and_closed(here: AsyncEngine) -> None:
    await hoso("user", "add", ONE, "--no-password")
    linking = ("--issuer", "https://id.example.vn/", "--subject", "7")
    assert (await hoso("user", "link", ONE, *linking)).code == 0
    [shown] = (await hoso("user", "list", "--json")).json
    assert (shown["person"], shown["issuer"]) == (ONE, "https://id.example.vn")
    assert shown["password_at"] is None
    assert "password" not in shown
    table = (await hoso("user", "list")).out
    assert ONE in table
    assert "must change" in table
    assert " no " in table
    token = (await hoso("user", "token", ONE, "--json")).json["access_token"]
    assert (await hoso("user", "close", ONE, "--json")).json == {"closed": ONE}
    assert await came(here, token) is None
    gone = await hoso("user", "close", ONE)
    assert (gone.code, gone.sentence) == (
        1,
        f"{ONE} has no account that is open; open one: `hoso user add {ONE}`",
    )
    assert (await hoso("user", "reset", ONE)).code == 1
    assert (await hoso("user", "token", ONE)).code == 1


async def test_a_token_for_a_script_is_all_that_is_printed(here: AsyncEngine) -> None:
    await hoso("user", "add", ONE)
    printed = await hoso("user", "token", ONE)
    who = await came(here, printed.out.strip())
    assert who is not None
    assert (who.person, who.how, who.must_change) == (ONE, How.command, False)
    told = (await hoso("user", "token", ONE, "--json")).json
    until = datetime.fromisoformat(told["access_until"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < until <= timedelta(hours=1)


async def test_keys_are_made_listed_rotated_and_revoked(here: AsyncEngine) -> None:
    await hoso("user", "add", ONE, "--no-password")
    asked = ("--person", ONE, "--scope", "dossiers:read", "--scope", "reports:read")
    made = await hoso("user", "key", "add", "the portal", *asked)
    assert made.code == 0, made.err
    who = await came(here, made.out.strip())
    assert who is not None
    assert who.scopes == {Scope.dossiers_read, Scope.reports_read}
    [shown] = (await hoso("user", "key", "list", "--json")).json
    assert shown["name"] == "the portal"
    assert not {"key", "hash"} & shown.keys()
    assert "the portal" in (await hoso("user", "key", "list")).out

    other = (await hoso("user", "key", "rotate", shown["id"], "--grace", 0, "--json")).json
    assert await came(here, made.out.strip()) is None
    assert await came(here, other["key"]) is not None
    assert (await hoso("user", "key", "revoke", other["id"], "--json")).json == {
        "revoked": other["id"]
    }
    assert await came(here, other["key"]) is None
    assert len((await hoso("user", "key", "list", "--revoked", "--json")).json) == 2
    assert (await hoso("user", "key", "revoke", other["id"])).code == 1


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("--scope", "moon:write"), "no scope: there are dossiers:read"),
        (("--scope", "dossiers:read", "--days", "0"), "1 to 731 days"),
        (("--scope", "dossiers:read", "--person", TWO), "has no account"),
    ],
)
async def test_what_is_no_key(here: AsyncEngine, wrong: tuple[str, ...], why: str) -> None:
    await hoso("user", "add", ONE, "--no-password")
    answer = await hoso("user", "key", "add", "x", "--person", ONE, *wrong)
    assert answer.code == 1
    assert why in " ".join(answer.sentence.split())
    assert (await hoso("user", "key", "list", "--json")).json == []


def test_only_its_own_command_loads_it() -> None:
    assert cli.SUBJECTS["users"] == {"user"}
