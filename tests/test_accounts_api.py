"""Accounts over HTTP: sessions, administrators, service keys."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from office import address, application, told
from sqlalchemy.ext.asyncio import AsyncEngine
from test_accounts import GOOD, ONE, OTHER, TWO, opened

from config.settings import Settings
from states.accounts import Scope, keys, lockout
from states.accounts.history import COMMAND
from states.accounts.rows import account, session
from states.db import transaction

BOSS = "p-sci-director"
ROOT = "/v1/accounts"


@dataclass
class Desk:
    app: FastAPI
    client: httpx.AsyncClient
    engine: AsyncEngine

    async def post(self, path: str, token: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.post(ROOT + path, json=body, headers=headers)

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.client.get(ROOT + path, headers={"Authorization": f"Bearer {token}"})

    async def delete(self, path: str, token: str) -> httpx.Response:
        return await self.client.delete(ROOT + path, headers={"Authorization": f"Bearer {token}"})

    async def signed_in(self, person: str, password: str = GOOD) -> dict[str, Any]:
        answer = await self.post("/sign-in", person=person, password=password)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def key(self, *scopes: Scope, person: str = BOSS) -> tuple[int, str]:
        async with transaction(self.engine) as db:
            now = datetime.now(UTC)
            row, key = await keys.make(db, "test", person, scopes, COMMAND, now)
            return row.id, key


@pytest.fixture
async def desk(fresh: AsyncEngine, tmp_path: Path) -> AsyncIterator[Desk]:
    """ONE has an account, and BOSS one that manages accounts."""
    app = application(Settings(database=address(fresh), data=tmp_path))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://desk") as client,
    ):
        async with transaction(fresh) as db:
            await opened(db)
            await opened(db, BOSS, admin=True)
        yield Desk(app, client, fresh)


# Sessions -----------------------------------------------------------------------------------


async def test_a_session_from_beginning_to_end(desk: Desk) -> None:
    first = await desk.signed_in(ONE)
    assert first["token_type"] == "Bearer"
    me = (await desk.get("/me", first["access_token"])).json()
    assert me["positions"] == [{"unit": "H42.14.01", "role": "reception"}]
    assert (me["person"], me["admin"], me["how"]) == (ONE, False, "password")
    assert set(me["scopes"]) == set(Scope)

    second = (await desk.post("/refresh", refresh_token=first["refresh_token"])).json()
    told(await desk.get("/me", first["access_token"]), 401, "unidentified")
    assert (await desk.get("/me", second["access_token"])).status_code == 200

    told(await desk.post("/refresh", refresh_token=first["refresh_token"]), 401, "session-ended")
    told(await desk.get("/me", second["access_token"]), 401, "unidentified")  # it was committed
    told(await desk.post("/refresh", refresh_token=second["refresh_token"]), 401, "session-ended")

    third, fourth = [(await desk.signed_in(ONE))["access_token"] for _ in range(2)]
    assert (await desk.post("/sign-out", third)).status_code == 204
    told(await desk.get("/me", third), 401, "unidentified")
    assert (await desk.post("/sign-out-everywhere", fourth)).status_code == 204
    told(await desk.get("/me", fourth), 401, "unidentified")


async def test_a_postal_clerk_is_told_for_whom_they_act(desk: Desk) -> None:
    async with transaction(desk.engine) as db:
        await opened(db, "p-post-01")
    token = (await desk.signed_in("p-post-01"))["access_token"]
    me = (await desk.get("/me", token)).json()
    assert [each["role"] for each in me["positions"]] in ([], ["postal"])
    assert isinstance(me["acts_for"], list)


async def test_whatever_is_wrong_is_told_in_the_same_words(desk: Desk) -> None:
    wrong = told(await desk.post("/sign-in", person=ONE, password=OTHER), 401, "wrong-credentials")
    none = told(await desk.post("/sign-in", person=TWO, password=GOOD), 401, "wrong-credentials")
    for problem in (wrong, none):
        problem.pop("request_id")
    assert wrong == none
    for _ in range(lockout.ALLOWED - 1):
        await desk.post("/sign-in", person=ONE, password=OTHER)
    rests = told(await desk.post("/sign-in", person=ONE, password=GOOD), 401, "wrong-credentials")
    rests.pop("request_id")
    assert rests == wrong
    async with desk.engine.connect() as db:
        assert await db.scalar(sa.select(account.c.failed).where(account.c.person == ONE)) == 8
        assert await db.scalar(sa.select(sa.func.count()).select_from(session)) == 0


NO_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("/sign-in", {}),
    ("/sign-in", {"person": ONE}),
    ("/sign-in", {"person": ONE, "password": GOOD, "admin": True}),
    ("/sign-in", {"person": ONE, "password": "x" * 201}),
    ("/sign-in", {"person": ONE, "password": ""}),
    ("/sign-in", {"person": "p\x00", "password": GOOD}),
    ("/sign-in", {"person": "P; DROP TABLE account", "password": GOOD}),
    ("/sign-in", {"person": [ONE], "password": {"$ne": 1}}),
    ("/refresh", {"refresh_token": 7}),
    ("/refresh", {"refresh_token": "x" * 201}),
]


async def test_what_is_no_request_is_told_so_and_not_sent_back(desk: Desk) -> None:
    for path, body in NO_REQUESTS:
        answer = await desk.post(path, **body)
        told(answer, 422, "invalid")
        assert GOOD not in answer.text


async def test_any_text_may_be_tried(desk: Desk) -> None:
    for text in ("\ufffd" * 12 + "nul", "\u200bkhông thấy chữ", "😀" * 20):
        told(await desk.post("/sign-in", person=ONE, password=text), 401, "wrong-credentials")
        told(await desk.post("/refresh", refresh_token=text), 401, "session-ended")


async def test_a_token_that_is_none_opens_nothing(desk: Desk) -> None:
    for token in ("", "x", "hsa_" + "A" * 43, "x" * 5000, "Ā", "a b", "hsk_\x7f"):
        headers = {"Authorization": f"Bearer {token}".encode()}
        told(await desk.client.get(f"{ROOT}/me", headers=headers), 401, "unidentified")


async def test_a_refresh_token_opens_nothing_and_an_access_token_does_not_go_on(
    desk: Desk,
) -> None:
    new = await desk.signed_in(ONE)
    told(await desk.get("/me", new["refresh_token"]), 401, "unidentified")
    told(await desk.post("/refresh", refresh_token=new["access_token"]), 401, "session-ended")
    assert (await desk.get("/me", new["access_token"])).status_code == 200


async def test_one_refreshes_at_once_as_often_as_one_likes_and_once_it_counts(desk: Desk) -> None:
    new = await desk.signed_in(ONE)
    again = [desk.post("/refresh", refresh_token=new["refresh_token"]) for _ in range(5)]
    answers = await asyncio.gather(*again)
    [won] = [each.json() for each in answers if each.status_code == 200]
    told(await desk.get("/me", won["access_token"]), 401, "unidentified")


async def test_a_password_is_changed_by_who_knows_it(desk: Desk) -> None:
    here = (await desk.signed_in(ONE))["access_token"]
    there = (await desk.signed_in(ONE))["access_token"]
    told(await desk.post("/password", here, old=OTHER, new=OTHER), 422, "wrong-password")
    told(await desk.post("/password", here, old=GOOD, new="ngắn"), 422, "weak-password")
    told(await desk.post("/password", here, old=GOOD, new=GOOD), 422, "weak-password")
    told(await desk.post("/password", old=GOOD, new=OTHER), 401, "unidentified")
    assert (await desk.post("/password", here, old=GOOD, new=OTHER)).status_code == 204
    assert (await desk.get("/me", here)).status_code == 200
    told(await desk.get("/me", there), 401, "unidentified")
    await desk.signed_in(ONE, OTHER)


# Administrators -----------------------------------------------------------------------------


async def test_an_account_is_added_used_reset_and_closed(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    made = await desk.post("", boss, person=TWO)
    assert made.status_code == 201
    told(await desk.post("", boss, person=TWO), 409, "account-exists")
    told(await desk.post("", boss, person="p-nobody"), 404, "unknown")

    new = await desk.signed_in(TWO, made.json()["one_time_password"])
    assert new["must_change"]
    token = new["access_token"]
    assert (await desk.get("/me", token)).json()["must_change"]
    told(await desk.get("", token), 403, "password-due")
    changing = {"old": made.json()["one_time_password"], "new": OTHER}
    assert (await desk.post("/password", token, **changing)).status_code == 204
    told(await desk.get("", token), 403, "not-held")

    reset = await desk.post(f"/{TWO}/reset", boss)
    assert reset.status_code == 200
    told(await desk.get("/me", token), 401, "unidentified")
    again = (await desk.signed_in(TWO, reset.json()["one_time_password"]))["access_token"]
    assert (await desk.delete(f"/{TWO}", boss)).status_code == 204
    told(await desk.get("/me", again), 401, "unidentified")
    told(await desk.delete(f"/{TWO}", boss), 404, "unknown")
    told(await desk.delete(f"/{BOSS}", boss), 409, "not-open")


async def test_accounts_are_seen_page_by_page_and_without_secrets(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    first = (await desk.get("?limit=1", boss)).json()
    assert [each["person"] for each in first["items"]] == [ONE]
    answer = await desk.get(f"?limit=1&cursor={first['next']}", boss)
    assert [each["person"] for each in answer.json()["items"]] == [BOSS]
    assert answer.json()["next"] is None
    told(await desk.get("?cursor=x", boss), 422, "bad-input")
    assert "argon2" not in answer.text


async def test_who_administers_nothing_is_refused_all_of_it(desk: Desk) -> None:
    token = (await desk.signed_in(ONE))["access_token"]
    key = {"name": "x", "person": ONE, "scopes": ["dossiers:read"]}
    for refused in (
        await desk.get("", token),
        await desk.post("", token, person=TWO, admin=True),
        await desk.post(f"/{BOSS}/reset", token),
        await desk.delete(f"/{BOSS}", token),
        await desk.get("/keys", token),
        await desk.get(f"/{BOSS}/events", token),
        await desk.post("/keys", token, **key),
        await desk.delete("/keys/1", token),
        await desk.post("/keys/1/rotate", token),
    ):
        told(refused, 403, "not-held")


async def test_an_identity_is_linked_to_one_account(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    headers = {"Authorization": f"Bearer {boss}"}
    link = {"issuer": "https://id.example.vn", "subject": "1"}

    async def linked(person: str, **body: Any) -> httpx.Response:
        return await desk.client.put(f"{ROOT}/{person}/identity", json=body, headers=headers)

    assert (await linked(ONE, **link)).status_code == 204
    told(await linked(BOSS, **link), 409, "account-exists")
    told(await linked(TWO, **link), 404, "unknown")
    told(await linked(ONE, issuer="x", subject="\x00"), 422, "invalid")


# Keys ---------------------------------------------------------------------------------------


async def test_a_key_is_made_shown_once_rotated_and_revoked(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    asked = {"name": "Cổng dịch vụ công", "person": ONE, "scopes": ["dossiers:read"], "days": 30}
    made = (await desk.post("/keys", boss, **asked)).json()
    me = (await desk.get("/me", made["key"])).json()
    assert (me["person"], me["how"], me["scopes"]) == (ONE, None, ["dossiers:read"])
    [shown] = (await desk.get("/keys", boss)).json()["items"]
    assert "key" not in shown
    assert (shown["name"], shown["created_by"]) == (asked["name"], BOSS)
    assert shown["used_on"] == datetime.now(UTC).date().isoformat()

    told(await desk.post("/sign-out", made["key"]), 422, "bad-input")
    told(await desk.post("/sign-out-everywhere", made["key"]), 422, "bad-input")
    new = (await desk.post(f"/keys/{made['id']}/rotate", made["key"], grace_days=1)).json()
    assert {(await desk.get("/me", key)).status_code for key in (made["key"], new["key"])} == {200}
    ends = datetime.fromisoformat((await desk.get("/keys", boss)).json()["items"][0]["expires_at"])
    assert ends < datetime.now(UTC) + timedelta(days=1)
    assert (await desk.delete(f"/keys/{new['id']}", boss)).status_code == 204
    told(await desk.get("/me", new["key"]), 401, "unidentified")
    told(await desk.delete(f"/keys/{new['id']}", boss), 404, "unknown")


async def test_a_key_does_what_it_was_made_for_and_makes_no_keys(desk: Desk) -> None:
    _, reads = await desk.key(Scope.accounts_read)
    _, writes = await desk.key(Scope.accounts_write)
    number, other = await desk.key(Scope.dossiers_read)
    assert (await desk.get("", reads)).status_code == 200
    told(await desk.get("", writes), 403, "out-of-scope")
    told(await desk.post("", reads, person=TWO), 403, "out-of-scope")
    assert (await desk.post("", writes, person=TWO)).status_code == 201
    made = {"name": "x", "person": BOSS, "scopes": ["accounts:write"]}
    told(await desk.post("/keys", writes, **made), 403, "out-of-scope")
    told(await desk.post(f"/keys/{number}/rotate", writes), 403, "out-of-scope")
    told(await desk.post(f"/keys/{number}/rotate", reads), 403, "out-of-scope")
    assert (await desk.post(f"/keys/{number}/rotate", other)).status_code == 201
    told(await desk.post("/password", writes, old=GOOD, new=OTHER), 422, "bad-input")


NO_KEYS: list[dict[str, Any]] = [
    {"scopes": []},
    {"scopes": ["moon:write"]},
    {"days": 0},
    {"days": 732},
    {"name": ""},
    {"name": "a\nb"},
    {"key": "hsk_mine"},
]


async def test_what_is_no_key_is_not_made(desk: Desk) -> None:
    boss = (await desk.signed_in(BOSS))["access_token"]
    for wrong in NO_KEYS:
        asked = {"name": "x", "person": ONE, "scopes": ["dossiers:read"]} | wrong
        told(await desk.post("/keys", boss, **asked), 422, "invalid")
    assert (await desk.get("/keys", boss)).json()["items"] == []


@pytest.mark.parametrize("path", ["/keys", "", f"/{ONE}/reset"])
async def test_what_is_shown_once_is_not_kept_with_the_answer(desk: Desk, path: str) -> None:
    """Asked again by the same key, it is the same answer without the secret; nothing is written."""
    boss = (await desk.signed_in(BOSS))["access_token"]
    bodies = {"/keys": {"name": "x", "person": ONE, "scopes": ["dossiers:read"]}}
    body = bodies.get(path, {"person": TWO} if not path else {})
    secret = "key" if path == "/keys" else "one_time_password"
    headers = {"Authorization": f"Bearer {boss}", "Idempotency-Key": "once"}
    first = await desk.client.post(ROOT + path, json=body, headers=headers)
    again = await desk.client.post(ROOT + path, json=body, headers=headers)
    assert first.status_code == again.status_code
    assert first.json()[secret]
    assert again.json() == first.json() | {secret: None}
    async with desk.engine.connect() as db:
        [kept] = (await db.execute(sa.text("SELECT body FROM answer"))).scalars()
        assert first.json()[secret].encode() not in kept
