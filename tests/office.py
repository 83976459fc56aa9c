"""The API as its callers have it: the real application on a real database, with a clock to set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from api import doors
from api.app import create_app
from config.settings import Settings
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


@dataclass
class Office:
    """A client that has the token, the application behind it, and the clock on its wall."""

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


@asynccontextmanager
async def running(
    database: str, folder: Path, book: Catalogue | None = None, **shown: str
) -> AsyncIterator[Office]:
    app = create_app(Settings(database=database, data=folder), book, **shown)
    # What fails inside is answered, and not raised into the test.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://office") as client,
    ):
        client.headers["Authorization"] = f"Bearer {doors.token(folder).decode()}"
        office = Office(client, app, folder)

        async def now() -> datetime:
            return office.at

        app.dependency_overrides[doors.now] = now
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
    assert unquote(problem["instance"]) == unquote(answer.request.url.raw_path.decode())
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem


async def entries(engine: AsyncEngine) -> int:
    """How many lines there are."""
    async with engine.connect() as db:
        return int(await db.scalar(sa.text("SELECT count(*) FROM entry")))
