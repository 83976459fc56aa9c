"""What became of an account is kept: by whom, by which door, from where; and told to two."""

from typing import Any

import sqlalchemy as sa
from cli import hoso
from office import told
from sqlalchemy.ext.asyncio import AsyncEngine
from test_accounts import DAY, GOOD, HAND, MINUTE, NINE, ONE, OTHER, TWO, opened
from test_accounts_api import BOSS, Desk, desk
from test_accounts_commands import here

from api.rates import UNPROVED
from states.accounts import history, lockout, signing
from states.accounts.history import By
from states.accounts.refusals import WrongCredentials
from states.accounts.rows import account_event
from states.db import transaction

__all__ = ["desk", "here"]
ACCOUNTS = "/v1/accounts"


async def events(desk: Desk, token: str, person: str = ONE) -> list[dict[str, Any]]:
    answer = await desk.get(f"/{person}/events", token)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_everything_that_becomes_of_an_account_is_told_with_its_door(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    headers = {"Authorization": f"Bearer {boss}"}
    assert (await desk.post("", boss, person=TWO, admin=True)).status_code == 201
    one_time = (await desk.post(f"/{TWO}/reset", boss)).json()["one_time_password"]
    await desk.post("/sign-in", person=TWO, password=OTHER)
    first = await desk.signed_in(TWO, one_time)
    mine = first["access_token"]
    assert (await desk.post("/password", mine, old=one_time, new=OTHER)).status_code == 204
    refreshed = await desk.post("/refresh", refresh_token=first["refresh_token"])
    assert refreshed.status_code == 200
    await desk.post("/refresh", refresh_token=first["refresh_token"])  # in two hands
    mine = (await desk.signed_in(TWO, OTHER))["access_token"]
    assert (await desk.post("/sign-out-everywhere", mine)).status_code == 204
    said = {"issuer": "https://id.example.vn", "subject": "1"}
    await desk.client.put(f"{ACCOUNTS}/{TWO}/identity", json=said, headers=headers)
    made = {"name": "x", "person": TWO, "scopes": ["dossiers:read"]}
    key = (await desk.post("/keys", boss, **made)).json()
    new = (await desk.post(f"/keys/{key['id']}/rotate", key["key"])).json()
    await desk.delete(f"/keys/{new['id']}", boss)
    await desk.delete(f"/{TWO}", boss)

    kept = (await events(desk, boss, TWO))[::-1]
    assert [(each["what"], each["done_by"], each["door"]) for each in kept] == [
        ("opened", BOSS, f"POST {ACCOUNTS}"),
        ("reset", BOSS, f"POST {ACCOUNTS}/{{person}}/reset"),
        ("refused", None, f"POST {ACCOUNTS}/sign-in"),
        ("signed_in", TWO, f"POST {ACCOUNTS}/sign-in"),
        ("password_changed", TWO, f"POST {ACCOUNTS}/password"),
        ("refresh_reused", None, f"POST {ACCOUNTS}/refresh"),
        ("signed_in", TWO, f"POST {ACCOUNTS}/sign-in"),
        ("signed_out_everywhere", TWO, f"POST {ACCOUNTS}/sign-out-everywhere"),
        ("linked", BOSS, f"PUT {ACCOUNTS}/{{person}}/identity"),
        ("key_made", BOSS, f"POST {ACCOUNTS}/keys"),
        ("key_rotated", TWO, f"POST {ACCOUNTS}/keys/{{key}}/rotate"),
        ("key_revoked", BOSS, f"DELETE {ACCOUNTS}/keys/{{key}}"),
        ("closed", BOSS, f"DELETE {ACCOUNTS}/{{person}}"),
    ]
    assert kept[0]["facts"] == {"admin": True}
    assert kept[10]["facts"]["replaces"] == key["id"]
    assert kept[12]["facts"] == {"keys": [key["id"]]}
    [address] = {each["address"] for each in kept}
    assert len(address) == 16
    told_of = repr(kept)
    assert "127.0.0.1" not in told_of
    for secret in (one_time, OTHER, key["key"], new["key"], first["access_token"]):
        assert secret not in told_of


async def test_it_is_for_administrators_and_for_whose_account_it_is(desk: Desk) -> None:
    boss, mine = [(await desk.signed_in(each))["access_token"] for each in (BOSS, ONE)]
    assert [each["what"] for each in await events(desk, mine)] == ["signed_in", "opened"]
    assert await events(desk, boss) == await events(desk, mine)
    told(await desk.get(f"/{BOSS}/events", mine), 403, "not-held")
    told(await desk.get(f"/{TWO}/events", boss), 404, "unknown")
    first = (await desk.get(f"/{ONE}/events?limit=1", mine)).json()
    last = (await desk.get(f"/{ONE}/events?limit=1&cursor={first['next']}", mine)).json()
    assert [each["items"][0]["what"] for each in (first, last)] == ["signed_in", "opened"]
    assert last["next"] is None


async def test_what_was_not_done_is_not_kept(desk: Desk) -> None:
    """The event is of the transaction that does it."""
    boss = (await desk.signed_in(BOSS))["access_token"]
    before = await events(desk, boss)
    told(await desk.post("", boss, person=ONE), 409, "account-exists")
    blank = {"name": "x", "person": TWO, "scopes": ["dossiers:read"]}
    told(await desk.post("/keys", boss, **blank), 404, "unknown")
    assert await events(desk, boss) == before


async def test_strangers_write_but_a_few_lines(fresh: AsyncEngine) -> None:
    """A thousand tries of one account, and as many of one that there is not."""
    stranger = By(None, "POST /v1/accounts/sign-in", "9f2c41d07be35a18")
    async with transaction(fresh) as db:
        await opened(db)

    async def tried(person: str, at: Any) -> None:
        for _ in range(3):
            try:
                await signing.sign_in(fresh, person, OTHER, at, stranger)
            except WrongCredentials:
                continue
            raise AssertionError

    for n in range(lockout.ALLOWED + 4):
        await tried(ONE, NINE + n * MINUTE)
        await tried(TWO, NINE + n * MINUTE)
    async with transaction(fresh) as db:
        kept = await history.listed(db, ONE, None)
        assert [each["what"] for each in kept[::-1]][:10] == [
            "opened",
            *["refused"] * 7,
            "rests",
            "rests",
        ]
        assert len(kept) < 16
        assert {each["address"] for each in kept[:-1]} == {stranger.address}
        assert kept[0]["facts"]["until"] > (NINE + 11 * MINUTE).isoformat()
        every = await db.scalar(sa.select(sa.func.count()).select_from(account_event))
        assert every == len(kept)
    assert await signing.sign_in(fresh, ONE, GOOD, NINE + DAY, HAND)


async def test_who_signs_in_where_others_guess_does_not_wait(desk: Desk) -> None:
    """And who goes on with a session there."""
    for n in range(UNPROVED.limit.amount):
        told(await desk.get("/me", f"hsa_guess{n}"), 401, "unidentified")
    told(await desk.get("/me", "hsa_guess"), 429, "too-many")
    mine = await desk.signed_in(ONE)
    assert (await desk.get("/me", mine["access_token"])).status_code == 200
    later = (await desk.post("/refresh", refresh_token=mine["refresh_token"])).json()
    assert (await desk.get("/me", later["access_token"])).status_code == 200
    told(await desk.get("/me", "hsa_guess"), 429, "too-many")


async def test_a_command_tells_the_history(here: AsyncEngine) -> None:
    await hoso("user", "add", ONE, "--admin")
    await hoso("user", "key", "add", "Cổng", "--person", ONE, "--scope", "dossiers:read")
    shown = await hoso("user", "history", ONE)
    assert shown.code == 0, shown.err
    assert all(len(line) <= 100 for line in shown.out.splitlines())
    assert shown.out.index("key made") < shown.out.index("opened")
    assert "admin yes" in shown.out
    rows = (await hoso("user", "history", ONE, "--json")).json
    assert [(each["what"], each["done_by"]) for each in rows] == [
        ("key_made", "command"),
        ("opened", "command"),
    ]
    none = await hoso("user", "history", TWO)
    assert (none.code, "never had an account" in none.err) == (1, True)
