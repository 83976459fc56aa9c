"""Many moves in one request over HTTP: a result for each, hundreds at a time, or all together."""

from typing import Any

import pytest
import sqlalchemy as sa
from office import CLERK, LEADER, OFFICER, RECEPTION, Office, address, entries, running, told
from sqlalchemy.ext.asyncio import AsyncEngine

from api import bulk
from api.app import ROUTERS
from states import ledger
from states.catalogue import load

LABOUR = {"Hoso-Person": "p-labour-officer-11"}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        if bulk.router not in ROUTERS:
            office.app.include_router(bulk.router)
        yield office


async def send(office: Office, who: dict[str, str], *moves: Any, **more: Any) -> Any:
    return await office.client.post("/v1/moves", json={"moves": list(moves), **more}, headers=who)


def each(codes: list[str], event: str, **more: Any) -> list[dict[str, Any]]:
    return [{"code": code, "event": event, **more} for code in codes]


async def opened(office: Office, count: int) -> list[str]:
    return [await office.code() for _ in range(count)]


async def test_each_has_its_own_result_in_the_order_sent(office, fresh):
    one, other = await opened(office, 2)
    moves = [
        {"code": one, "event": "digitise"},
        {"code": "H42.14-240304-9999", "event": "digitise"},
        {"code": other, "event": "deliver"},
        {"code": one, "event": "route", "seq": 2},
        {"code": one, "event": "withdraw", "seq": 2, "reason": "Công dân xin rút"},
        {"code": other, "event": "digitise", "payload": {"strange": 1}},
        {"code": other, "event": "advance"},
    ]
    answer = await send(office, RECEPTION, *moves)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["done"], seen["refused"]) == (2, 5)
    assert [(r["n"], r["code"]) for r in seen["results"]] == [
        (n, move["code"]) for n, move in enumerate(moves)
    ]
    assert [
        (r["status"], r["state"], r["seq"], r["problem"] and r["problem"]["type"])
        for r in seen["results"]
    ] == [
        ("done", "digitised", 2, None),
        ("refused", None, None, "/problems/unknown"),
        ("refused", "received", 1, "/problems/not-open"),
        ("done", "routed", 3, None),
        ("refused", "routed", 3, "/problems/stale"),
        ("refused", "received", 1, "/problems/bad-input"),
        ("refused", "received", 1, "/problems/not-open"),
    ]
    alone = await office.move(other, "deliver", RECEPTION)
    problem = seen["results"][2]["problem"]
    assert problem == {name: alone.json()[name] for name in problem}
    async with fresh.connect() as db:
        assert (await ledger.verify(db, load())).faults == []


async def test_what_is_not_to_be_seen_is_not_told_from_what_is_not(office):
    codes = await opened(office, 1)
    told_ = (await send(office, LABOUR, *each([*codes, "H42.14-240304-9999"], "accept"))).json()
    there, missing = told_["results"]
    assert {
        name: value for name, value in there.items() if name not in {"n", "code", "problem"}
    } == {name: value for name, value in missing.items() if name not in {"n", "code", "problem"}}
    assert there["problem"]["detail"] == missing["problem"]["detail"].replace("9999", codes[0][-4:])


async def test_only_by_who_may(office):
    code = await office.processing()
    made = {"payload": {"produced": ["Phiếu trình giải quyết"]}}
    move = {"code": code, "event": "advance", **made}
    colleague = {"Hoso-Person": "p-sci-lead-01"}  # of the agency, not of the unit
    result = (await send(office, colleague, move)).json()["results"][0]
    assert result["problem"]["type"] == "/problems/not-yours"
    assert (result["state"], result["seq"]) == ("processing", 4)
    result = (await send(office, OFFICER, move)).json()["results"][0]
    assert (result["status"], result["seq"]) == ("done", 5)
    told(await send(office, {"Hoso-Person": "p-post-01"}, move), 422, "bad-input")
    told(await send(office, CLERK | {"Hoso-For": "H42.99"}, move), 403, "not-held")
    told(await send(office, {}, move), 401, "unidentified")


async def test_a_hundred_are_one_transaction(office, fresh):
    codes = await opened(office, 3)
    moves = []
    for code in codes:
        moves += each([code], "digitise") + each(["H42.14-1"], "digitise") * 99
    answer = await send(office, RECEPTION, *moves)
    assert (answer.json()["done"], answer.json()["refused"]) == (3, 297)
    async with fresh.connect() as db:
        asked = "SELECT count(DISTINCT xact) FROM entry WHERE event = 'digitise'"
        assert await db.scalar(sa.text(asked)) == 3


async def test_the_whole_answer_again_for_the_same_key(office, fresh):
    codes = await opened(office, 3)
    moves = [*each(codes, "digitise"), *each(codes[:1], "deliver")]
    keyed = RECEPTION | {"Idempotency-Key": "k"}
    first = await send(office, keyed, *moves)
    kept = await entries(fresh)
    office.later(hours=1)
    assert (await office.move(codes[0], "route", RECEPTION)).status_code == 200
    again = await send(office, keyed, *moves)
    assert again.content == first.content
    assert await entries(fresh) == kept + 1
    told(await send(office, keyed, *moves[:2]), 422, "key-reused")


async def test_a_key_of_ones_own_is_that_moves(office, fresh):
    code = await office.code()
    move = {"code": code, "event": "digitise", "key": "mine"}
    first = await send(office, RECEPTION, move, move)
    assert [r["seq"] for r in first.json()["results"]] == [2, 2]
    route = {"code": code, "event": "route", "key": "mine"}
    results = (await send(office, RECEPTION, move, route)).json()["results"]
    assert [r["problem"] and r["problem"]["type"] for r in results] == [
        None, "/problems/key-reused",
    ]  # fmt: skip
    assert await entries(fresh) == 2


async def test_together_or_not_at_all(office, fresh):
    codes = await opened(office, 3)
    before = await entries(fresh)
    bad = [*each(codes, "digitise"), *each(["H42.14-1", codes[0]], "deliver")]
    keyed = RECEPTION | {"Idempotency-Key": "k"}
    problem = told(await send(office, keyed, *bad, together=True), 409, "not-together")
    assert [(r["n"], r["problem"]["type"]) for r in problem["results"]] == [
        (3, "/problems/unknown"), (4, "/problems/not-open"),
    ]  # fmt: skip
    assert await entries(fresh) == before
    answer = await send(office, RECEPTION, *each(codes, "digitise"), together=True)
    assert (answer.json()["done"], await entries(fresh)) == (3, before + 3)


async def test_what_fails_midway_is_told_and_the_rest_can_be_sent_again(
    office, fresh: AsyncEngine, monkeypatch
):
    codes = await opened(office, 2)
    moves = each(codes[:1], "digitise") + each(["H42.14-1"], "digitise") * 99
    moves += each(codes[1:], "digitise")
    keyed = RECEPTION | {"Idempotency-Key": "k"}
    whole, calls = bulk.move_each, []

    async def breaks(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionResetError
        return await whole(*given)

    monkeypatch.setattr(bulk, "move_each", breaks)
    seen = (await send(office, keyed, *moves)).json()
    assert (seen["done"], seen["results"][100]["problem"]["type"]) == (1, "/problems/away")
    assert seen["results"][100]["problem"]["status"] == 503
    seen = (await send(office, keyed, *moves)).json()
    assert (seen["done"], seen["results"][0]["seq"], seen["results"][100]["seq"]) == (2, 2, 2)
    monkeypatch.setattr(bulk, "move_each", whole)
    assert await entries(fresh) == 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"moves": []},
        {"moves": [{"code": "a", "event": "digitise"}] * 1001},
        {"moves": [{"code": "a", "event": "fly"}]},
        {"moves": [{"code": "a\0", "event": "digitise"}]},
        {"moves": [{"code": "a", "event": "digitise", "seq": 0}]},
        {"moves": [{"code": "a", "event": "digitise", "key": "có dấu"}]},
        {"moves": [{"code": "a", "event": "digitise", "more": 1}]},
        {"moves": [{"code": "a", "event": "digitise"}], "more": 1},
        [],
    ],
)
async def test_what_is_not_as_described_is_refused_whole(office, fresh, body):
    answer = await office.client.post("/v1/moves", json=body, headers=RECEPTION)
    told(answer, 422, "invalid")
    assert await entries(fresh) == 0


async def test_a_thousand(office, fresh):
    """By one who holds them all, on dossiers of which some are there."""
    codes = await opened(office, 12)
    moves = each(codes, "digitise") + each(codes, "route")
    moves += each([f"H42.14-{n}" for n in range(1000 - len(moves))], "route")
    seen = (await send(office, RECEPTION, *moves)).json()
    assert (seen["done"], seen["refused"]) == (24, 976)
    assert [r["n"] for r in seen["results"]] == list(range(1000))
    moves = each(codes, "accept")
    assert (await send(office, LEADER, *moves)).json()["done"] == 12
