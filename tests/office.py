"""The API as its callers have it: the real application on a real database, with a clock to set."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from config.settings import Settings
from states import db
from states.accounts import signing, tokens
from states.accounts.rows import account
from states.catalogue import Catalogue

MORNING = datetime(2024, 3, 4, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))  # a Monday
FILE = "0" * 64
LICENCE = "1.003659"  # three stages: an officer and a leader of H42.03.02, a leader of H42.03.09
PAPERS = {"don": FILE, "dang-ky-kinh-doanh": FILE, "phuong-an": FILE}
RECEPTION = {"Hoso-Person": "p-reception-01"}
OFFICER = {"Hoso-Person": "p-sci-officer-21"}
LEADER = {"Hoso-Person": "p-sci-lead-02"}
DIRECTOR = {"Hoso-Person": "p-sci-director"}
CLERK = {"Hoso-Person": "p-post-01", "Hoso-For": "H42.03"}


class Signing(httpx.Auth):
    """`Hoso-Person` in a test's request stands for a token of theirs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine, self.of, self.alone = engine, dict[str, str](), asyncio.Lock()

    async def async_auth_flow(self, request):
        person = request.headers.pop("Hoso-Person", None)
        if person is not None and "Authorization" not in request.headers:
            async with self.alone:
                token = self.of.get(person) or await self.token(person)
            request.headers["Authorization"] = f"Bearer {token}"
        yield request

    async def token(self, person: str, admin: bool = False) -> str:
        """Of a session in an account of theirs, which is made if there is none."""
        async with db.transaction(self.engine) as connection:
            now = await connection.scalar(sa.select(sa.func.now()))
            row = {"person": person, "must_change": False, "admin": admin, "failed": 0}
            new = insert(account).values(row | {"created_at": now, "created_by": "test"})
            said = {"admin": admin} if admin else {"failed": 0}
            again = new.on_conflict_do_update(index_elements=["person"], set_=said)
            number = await connection.scalar(again.returning(account.c.id))
            self.of[person] = tokens.made(tokens.ACCESS)
            session = {"account_id": number, "how": "command", "created_at": now}
            session |= {"access": tokens.digest(self.of[person])}
            session |= {"access_until": now + timedelta(hours=1)}
            await connection.execute(sa.insert(signing.session).values(session))
        return self.of[person]


@dataclass
class Office:
    """A client that signs for whom it says, the application behind it, and a clock to set."""

    client: httpx.AsyncClient
    app: FastAPI
    folder: Path
    at: datetime = MORNING

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)

    async def opened(self, who: dict[str, str] = RECEPTION, **body: Any) -> httpx.Response:
        lodged = {
            "event": "receive",
            "procedure": LICENCE,
            "channel": "counter",
            "applicant": "Nguyễn Thị Ánh",
            "components": PAPERS,
        }
        return await self.client.post("/v1/dossiers", json=lodged | body, headers=who)

    async def code(self, **body: Any) -> str:
        answer = await self.opened(**body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["code"])

    async def move(
        self, code: str, event: str, who: dict[str, str], body: Any = None, **payload: Any
    ) -> httpx.Response:
        body = ({"payload": payload} if payload else {}) if body is None else body
        path = f"/v1/dossiers/{code}/events/{event}"
        if isinstance(body, bytes):
            headers = who | {"Content-Type": "application/json"}
            return await self.client.post(path, content=body, headers=headers)
        return await self.client.post(path, json=body, headers=who)

    async def read(self, code: str, part: str = "", **headers: str) -> Any:
        answer = await self.client.get(f"/v1/dossiers/{code}{part}", headers=RECEPTION | headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def processing(self) -> str:
        """A dossier in its first stage."""
        code = await self.code()
        for event, who in (("digitise", RECEPTION), ("route", RECEPTION), ("accept", OFFICER)):
            answer = await self.move(code, event, who)
            assert answer.status_code == 200, answer.text
        return code


def address(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=False)


@cache
def routed() -> FastAPI:
    """An application that is never started: its routes and its document are those of all.

    A sixth of a second and a whole one, which each test would pay.
    """
    return create_app(Settings(database="postgresql+asyncpg://nobody@nowhere/none"))


def application(settings: Settings, book: Catalogue | None = None, **shown: str) -> FastAPI:
    """As `create_app` makes it: middleware, lifespan and state are its own."""
    app, made = create_app(settings, book, **shown), routed()
    app.router.routes[:] = made.router.routes
    app.dependency_overrides = made.dependency_overrides  # where the routes look for them
    app.dependency_overrides.clear()
    app.openapi = made.openapi
    return app


@asynccontextmanager
async def running(
    database: str, folder: Path, book: Catalogue | None = None, **shown: str
) -> AsyncIterator[Office]:
    app = application(Settings(database=database, data=folder), book, **shown)
    # What fails inside is answered, and not raised into the test.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://office") as client,
    ):
        client.auth = Signing(app.state.house.engine)
        office = Office(client, app, folder)

        app.state.house.clock = lambda: office.at
        yield office


def told(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document, after what all of them have in common was checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"/problems/{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert unquote(problem["instance"]) == answer.request.url.path
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem


async def entries(engine: AsyncEngine) -> int:
    """How many lines there are."""
    async with engine.connect() as db:
        return int(await db.scalar(sa.text("SELECT count(*) FROM entry")))
