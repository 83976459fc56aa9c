"""The stream as its listeners have it: over a real socket, from sign-in to the server's stop."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from horizon import LIMIT
from office import CLERK, LEADER, OFFICER, RECEPTION, Office, address, running
from office import told as problem
from sqlalchemy.ext.asyncio import AsyncEngine

from api import live
from api.live import opening, stream
from states.live import Hub

Event = dict[str, str]


@asynccontextmanager
async def open_office(engine: AsyncEngine, folder: Path) -> AsyncIterator[tuple[Office, Any]]:
    """The API on a socket, where the office's client speaks to it, and the task that serves it."""
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(running(address(engine), folder))
        complete(office)
        if opening.HELD not in office.app.state.house.held:
            await stack.enter_async_context(live.open_to_listeners(office.app.state.house))
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(office.app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        office.client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
                auth=office.client.auth,
                timeout=LIMIT,
            )
        )
        try:
            yield office, serving
        finally:
            hub(office).close()
            server.should_exit = True
            await serving


def complete(office: Office) -> None:
    if "/v1/live" not in office.app.openapi()["paths"]:
        office.app.openapi_schema = None
        office.app.include_router(live.router)


def hub(office: Office) -> Hub:
    found: Hub = office.app.state.house.held[opening.HELD]
    return found


@asynccontextmanager
async def listening(
    office: Office, who: dict[str, str], **asked: Any
) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a stream that is open; those without a name too."""
    since = asked.pop("since", None)
    headers = who | ({} if since is None else {"Last-Event-ID": since})
    async with office.client.stream("GET", "/v1/live", headers=headers, params=asked) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        found = parsed(answer)
        first = await anext(found)
        assert 1_000 <= int(first["retry"]) <= 5_000
        assert first["id"]
        yield found


async def parsed(answer: httpx.Response) -> AsyncIterator[Event]:
    event: Event = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        else:
            yield event
            event = {}


async def heard(events: AsyncIterator[Event], many: int) -> list[Any]:
    """The data of so many events that have some."""
    found: list[Any] = []
    while len(found) < many:
        found.append(json.loads((await with_data(events))["data"]))
    return found


async def with_data(events: AsyncIterator[Event]) -> Event:
    """The next that tells something, and not only that all goes on."""
    async with asyncio.timeout(LIMIT):
        while "data" not in (event := await anext(events)):
            pass
    return event


async def test_who_listens_hears_of_a_move(fresh: AsyncEngine, tmp_path: Path) -> None:
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION) as events:
            code = await office.processing()
            told = await heard(events, 4)
        assert [each["seq"] for each in told] == [1, 2, 3, 4]
        assert {each["code"] for each in told} == {code}
        assert told[-1]["state"] == "processing"
        assert "Nguyễn Thị Ánh" not in json.dumps(told, ensure_ascii=False)


async def test_each_hears_what_they_may_see(fresh: AsyncEngine, tmp_path: Path) -> None:
    """An officer of the agency from when it lies there, another agency's never."""
    async with open_office(fresh, tmp_path) as (office, _):
        stranger = next(
            {"Hoso-Person": each.id}
            for each in (await book(office)).organisation.people
            for held in each.positions
            if held.role == "officer" and not held.unit.startswith("H42.03")
        )
        async with (
            listening(office, OFFICER) as officers,
            listening(office, LEADER) as leaders,
            listening(office, CLERK) as clerks,
            listening(office, stranger, seconds=4) as strangers,
        ):
            await office.processing()
            assert [each["seq"] for each in await heard(leaders, 4)] == [1, 2, 3, 4]
            assert [each["seq"] for each in await heard(clerks, 4)] == [1, 2, 3, 4]
            assert (await heard(officers, 1))[0]["agency"] == "H42.03"
            assert [each async for each in strangers if "data" in each] == []


async def book(office: Office) -> Any:
    house = office.app.state.house
    async with house.engine.connect() as db:
        return await house.latest(db)


async def test_what_was_missed_is_told_first(fresh: AsyncEngine, tmp_path: Path) -> None:
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION) as events:
            code = await office.code()
            since = (await with_data(events))["id"]
        await office.move(code, "digitise", RECEPTION)
        async with listening(office, RECEPTION, since=since) as events:
            assert [each["seq"] for each in await heard(events, 1)] == [2]
            await office.move(code, "route", RECEPTION)
            assert [each["seq"] for each in await heard(events, 1)] == [3]


async def test_a_stream_ends_when_it_was_asked_to(fresh: AsyncEngine, tmp_path: Path) -> None:
    """Without ears of its own, a program asks now and then and hears what it has missed."""
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION, seconds=0) as events:
            rest = [each async for each in events]
        assert [set(each) for each in rest] == [{"retry"}]
        since = await place(office)
        await office.code()
        async with asyncio.timeout(LIMIT):
            while not (found := await asked(office, since)):
                pass
        assert [each["event"] for each in found] == ["receive"]


async def place(office: Office) -> str:
    headers = dict(RECEPTION)
    answer = await office.client.get("/v1/live", headers=headers, params={"seconds": 0})
    return next(line[4:] for line in answer.text.splitlines() if line.startswith("id: "))


async def asked(office: Office, since: str) -> list[Any]:
    headers = RECEPTION | {"Last-Event-ID": since}
    answer = await office.client.get("/v1/live", headers=headers, params={"seconds": 0})
    lines = answer.text.splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


async def test_counts_of_queues_are_told(
    fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from states.live import loops

    monkeypatch.setattr(loops, "COUNTS", 0.05)
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION, queues=True) as events:
            assert (await heard(events, 1))[0]["to_digitise"] == 0
            await office.code()
            told = await heard(events, 2)
        assert [each["to_digitise"] for each in told if "to_digitise" in each] == [1]


# Refused, and ended -----------------------------------------------------------------------


async def test_who_is_unknown_hears_nothing(fresh: AsyncEngine, tmp_path: Path) -> None:
    async with open_office(fresh, tmp_path) as (office, _):
        problem(await office.client.get("/v1/live"), 401, "unidentified")
        wrong = RECEPTION | {"Last-Event-ID": "yesterday"}
        said = problem(await office.client.get("/v1/live", headers=wrong), 422, "bad-input")
        assert "Last-Event-ID" in said["detail"]
        assert len(hub(office)) == 0


async def test_a_person_has_a_few_streams_and_takes_none_from_others(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    async with open_office(fresh, tmp_path) as (office, _), AsyncExitStack() as eight:
        most = office.app.state.house.settings.streams
        for _ in range(most - 1):
            await eight.enter_async_context(listening(office, RECEPTION))
        async with listening(office, RECEPTION):
            refused = await office.client.get("/v1/live", headers=RECEPTION)
            said = problem(refused, 429, "too-many")["detail"]
            assert said.startswith(f"p-reception-01 has {most} streams open")
            assert int(refused.headers["Retry-After"]) > 0
            async with listening(office, LEADER):
                pass
        while len(hub(office)) > most - 1:  # noqa: ASYNC110  it hung up: that is noticed soon
            await asyncio.sleep(0.01)
        async with listening(office, RECEPTION):
            assert len(hub(office)) == most


async def test_the_end_of_a_session_ends_its_stream(
    fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RENEWED", 0.2)
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION) as events:
            async with fresh.begin() as db:
                await db.execute(sa.text("UPDATE session SET revoked_at = now()"))
            async with asyncio.timeout(10):
                rest = [each async for each in events]
        assert [each for each in rest if each.get("event") == "end"] == [
            {"event": "end", "data": '{"why":"the token has ended: sign in again"}'}
        ]
        assert len(hub(office)) == 0


async def test_silence_is_broken_now_and_then(
    fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the place from where to go on, also for who sees next to nothing."""
    monkeypatch.setattr(live, "HEARTBEAT", 0.1)
    async with (
        open_office(fresh, tmp_path) as (office, _),
        listening(office, OFFICER) as events,
        asyncio.timeout(LIMIT),
    ):
        first = await anext(events)
        assert first[""] == "still here"
        await office.code()
        later = await anext(events)
        while later["id"] == first["id"]:
            later = await anext(events)


async def test_who_hangs_up_is_forgotten(fresh: AsyncEngine, tmp_path: Path) -> None:
    async with open_office(fresh, tmp_path) as (office, _):
        async with listening(office, RECEPTION):
            assert len(hub(office)) == 1
        async with asyncio.timeout(10):
            while len(hub(office)):
                await office.client.get("/health")


async def test_a_stop_lets_listeners_go_at_once(fresh: AsyncEngine, tmp_path: Path) -> None:
    """The server waits for its answers, and these end; each is told when to come again."""
    stopped: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    try:
        async with (
            open_office(fresh, tmp_path) as (office, serving),
            listening(office, RECEPTION) as events,
            asyncio.timeout(5),
        ):
            with opening.ended_by_signals(hub(office)):
                signal.raise_signal(signal.SIGTERM)
                rest = [each async for each in events]
                await serving
        assert "retry" in rest[-1]
        assert stopped == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_what_is_not_taken_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that does not read: the server's buffers are full, and nobody waits for ever."""
    monkeypatch.setattr(stream, "TAKES", 0.01)
    closed = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b": here\n\n"
        finally:
            closed.set()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 4:
            await asyncio.Event().wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    await stream.Stream(pieces())({"type": "http"}, receive, send)  # type: ignore[arg-type]
    assert len(sent) == 4
    assert closed.is_set()
