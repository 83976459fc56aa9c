"""What is scraped: what was asked and how long it took, what stands, and nothing of anybody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from book import NINE, at, process, receive
from horizon import settled
from office import RECEPTION, Office, address, running
from office import told as problem
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine

from api import live, metrics
from api.live import opening
from states.accounts import keys
from states.accounts.history import COMMAND
from states.accounts.scopes import Scope
from states.db import transaction
from states.live import measuring
from states.live.measuring import measured, standing

Labels = dict[str, str]


@pytest.fixture
async def office(fresh: AsyncEngine, tmp_path: Path) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(running(address(fresh), tmp_path))
        if not hasattr(office.app.state, "meters"):
            office.app.middleware_stack = None
            metrics.add_to(office.app)
        if opening.HELD not in office.app.state.house.held:
            await stack.enter_async_context(live.open_to_listeners(office.app.state.house))
        yield office


async def scraped(office: Office, **headers: str) -> dict[str, list[tuple[Labels, float]]]:
    answer = await office.client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return values(answer.text)


def values(text: str) -> dict[str, list[tuple[Labels, float]]]:
    found: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def test_requests_are_counted_by_route(office: Office) -> None:
    code = await office.code()
    await office.read(code)
    await office.client.get("/v1/dossiers/H42.14-999999-0001", headers=RECEPTION)
    await office.client.get(f"/nowhere/{code}")
    await office.client.request("BREW", f"/v1/dossiers/{code}")
    found = await scraped(office)
    counted = {
        (labels["route"], labels["method"], labels["status"]): n
        for labels, n in found["hoso_http_requests_total"]
    }
    route = "/v1/dossiers/{code}"
    assert counted[route, "GET", "200"] == 1
    assert counted[route, "GET", "404"] == 1
    assert counted[route, "other", "405"] == 1
    assert counted["none", "GET", "404"] == 1
    took = found["hoso_http_request_seconds_count"]
    assert ({"route": route, "method": "GET"}, 2) in took


async def test_no_code_and_no_name_is_told(office: Office) -> None:
    code = await office.code()
    await office.read(code)
    text = (await office.client.get("/metrics")).text
    assert code not in text
    assert "Nguyễn" not in text
    assert "p-reception-01" not in text


async def test_the_ledger_is_measured(office: Office, fresh: AsyncEngine) -> None:
    await scraped(office)  # from here on moves are counted
    await office.processing()
    await office.code()
    await settled(fresh)
    found = await scraped(office)
    moves = {labels["event"]: n for labels, n in found["hoso_ledger_moves_total"]}
    assert moves == {"receive": 2, "digitise": 1, "route": 1, "accept": 1}
    again = await scraped(office)
    assert again["hoso_ledger_moves_total"] == found["hoso_ledger_moves_total"]
    assert sum(n for _, n in found["hoso_dossiers_open"]) == 2
    assert found["hoso_ledger_read"] == [({}, 1)]
    assert found["hoso_live_listeners"] == [({}, 0)]
    assert found["hoso_pool_size"][0][1] >= 1
    assert found["hoso_build_info"][0][0]["version"]
    assert found["process_resident_memory_bytes"][0][1] > 1e6


async def test_without_the_ledger_the_rest_is_told(
    office: Office, owner: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer in time does not take the other figures with it."""
    await scraped(office)
    limited = "SELECT set_config('statement_timeout', '50', true)"
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "LIMITED", limited)
        async with owner.begin() as db:
            await db.execute(sa.text("LOCK TABLE entry IN ACCESS EXCLUSIVE MODE"))
            found = await scraped(office)
    assert found["hoso_ledger_read"] == [({}, 0)]
    assert "hoso_dossiers_open" not in found
    assert found["hoso_http_requests_total"]
    assert (await scraped(office))["hoso_ledger_read"] == [({}, 1)]


# Who may ---------------------------------------------------------------------------------


async def elsewhere(office: Office, **headers: str) -> httpx.Response:
    """Asked from another machine."""
    transport = httpx.ASGITransport(office.app, client=("10.1.2.3", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://office") as client:
        return await client.get("/metrics", headers=headers)


async def test_from_elsewhere_only_with_a_token(office: Office) -> None:
    problem(await elsewhere(office), 401, "unidentified")
    problem(await elsewhere(office, Authorization="Bearer hsk_wrong"), 401, "unidentified")
    await office.code()
    token = await office.client.auth.token("p-reception-01")
    answer = await elsewhere(office, Authorization=f"Bearer {token}")
    assert "hoso_http_requests_total" in answer.text


async def test_a_key_opens_it_if_it_was_made_for_it(office: Office) -> None:
    await office.code()
    made: list[str] = []
    async with transaction(office.app.state.house.engine) as db:
        for scope in (Scope.metrics_read, Scope.dossiers_read):
            now = datetime.now(UTC)
            _, key = await keys.make(db, scope, "p-reception-01", [scope], COMMAND, now)
            made.append(f"Bearer {key}")
    assert (await elsewhere(office, Authorization=made[0])).status_code == 200
    problem(await elsewhere(office, Authorization=made[1]), 403, "out-of-scope")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_a_proxy_on_this_machine_is_not_this_machine(office: Office, header: str) -> None:
    problem(await office.client.get("/metrics", headers={header: "10.1.2.3"}), 401, "unidentified")


# The statement ---------------------------------------------------------------------------


async def test_open_dossiers_are_told_by_their_deadline(fresh: AsyncEngine) -> None:
    async with transaction(fresh) as db:
        await process(db)  # due on day 7
        await process(db)
        await receive(db, when=at(10))
    since = await standing(fresh)
    before = await measured(fresh, since, NINE)
    assert (before.overdue, before.due, before.undated) == (0, 3, 0)
    after = await measured(fresh, since, at(8))
    assert (after.overdue, after.due, after.undated) == (2, 1, 0)


async def test_moves_are_counted_from_a_place_on_and_once(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction(fresh) as db:
        await process(db)
    await settled(fresh)
    since = await standing(fresh)
    assert (await measured(fresh, since, NINE)).moves == {}
    async with transaction(fresh) as db:
        await process(db)
    await settled(fresh)
    few = measuring.MEASURE.replace(f"LIMIT {measuring.MOST}", "LIMIT 3")
    assert few != measuring.MEASURE
    monkeypatch.setattr(measuring, "MEASURE", few)
    some = await measured(fresh, since, NINE)
    rest = await measured(fresh, some.place, NINE)
    none = await measured(fresh, rest.place, NINE)
    assert some.moves == {"receive": 1, "digitise": 1, "route": 1}
    assert (rest.moves, none.moves, none.place) == ({"accept": 1}, {}, rest.place)


async def test_readers_that_are_behind_are_told(fresh: AsyncEngine) -> None:
    async with transaction(fresh) as db:
        await db.execute(sa.text("INSERT INTO reader (name, xact, last) VALUES ('lame', 0, 0)"))
        await db.execute(
            sa.text("INSERT INTO reader (name, xact, last) VALUES ('quick', :most, 0)"),
            {"most": 2**62},
        )
        await db.execute(sa.text("INSERT INTO reader VALUES ('notify-alerts', 0, 17)"))
        # Migrations have put it there; who emptied the tables since has taken it away.
        sweep = "INSERT INTO reader (name, xact, last) VALUES ('sweep', 1, 0)"
        await db.execute(sa.text(f"{sweep} ON CONFLICT DO NOTHING"))
    async with transaction(fresh) as db:
        await receive(db)
    later = datetime.now(UTC) + timedelta(minutes=1)
    await settled(fresh)
    found = await measured(fresh, await standing(fresh), later)
    late = pytest.approx(60, abs=30)
    assert found.behind == {"lame": late, "quick": 0, "sweep": late}
    assert found.held == 0


async def test_what_holds_readers_up_is_told(fresh: AsyncEngine) -> None:
    since = await standing(fresh)
    later = datetime.now(UTC) + timedelta(minutes=1)
    async with transaction(fresh) as slow:
        await slow.execute(sa.select(sa.func.pg_current_xact_id()))
        async with transaction(fresh) as db:
            await receive(db)
        found = await measured(fresh, since, later)
        assert found.moves == {}
        assert found.held == pytest.approx(60, abs=30)
    await settled(fresh)
    found = await measured(fresh, since, later)
    assert (found.moves, found.held) == ({"receive": 1}, 0)
