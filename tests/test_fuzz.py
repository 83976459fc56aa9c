"""Requests drawn from the OpenAPI document, valid and not, sent to a real server by many callers.

Whatever is asked, no answer is a failure of the server, and each is as the document says: status,
media type, headers and body. `HOSO_TEST_FUZZ=200` draws as many for each operation; `make fuzz`.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest
import schemathesis
import sqlalchemy as sa
from databases import alone, run_as_owner
from hypothesis import HealthCheck, settings
from office import Signing
from permitted import ROUTES
from requests import Session
from schemathesis import checks
from serving import SECRET, serving
from two_agencies import EDUCATION, SCIENCE, World

from api.app import create_app
from config import secret
from config.settings import Settings
from states import db
from states.files.kinds import Kind

DRAWN = int(os.environ.get("HOSO_TEST_FUZZ", "0"))
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FRAMING = ("content-length", "transfer-encoding", "connection", "host", "expect", "upgrade")
CONFIG = schemathesis.Config.from_dict(
    {
        "phases": {"coverage": {"enabled": bool(DRAWN)}, "stateful": {"enabled": False}},
        "generation": {"database": "none"},
    }
)
APP = create_app(Settings(database="postgresql+asyncpg://nobody@nowhere/none"))
PEOPLE = ("p-reception-01", "p-control-01", "p-sci-officer-21", "p-sci-lead-02", "p-edu-director")
ADMIN, LEAVER = "p-admin", "p-fin-director"


@schemathesis.serializer("application/octet-stream", *Kind)
def file(ctx: Any, value: Any) -> bytes:
    """A body that is a file."""
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_dict(APP.openapi(), config=CONFIG)


@dataclass(frozen=True)
class Town:
    """A server with two agencies behind it, and who asks."""

    address: str
    tokens: dict[str, str]
    session: Session

    def said(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"Authorization": f"Bearer {self.tokens[who]}"}


@pytest.fixture(scope="module")
def town(server: Any, worker_id: str, tmp_path_factory: Any) -> Iterator[Town]:
    """A database of its own: what is published in it stays in it."""
    name, folder = f"fuzz_{worker_id}", tmp_path_factory.mktemp("fuzz")
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    ours, owners = (server.address(name, role) for role in ("hoso_app", "postgres"))
    tokens = asyncio.run(_built(ours, owners, folder))
    with serving(ours, folder) as (address, _), Session() as session:
        session.trust_env = False
        yield Town(address, tokens, session)


async def _built(ours: str, owners: str, folder: Path) -> dict[str, str]:
    engine = db.engine(ours, size=4)
    world = World(engine, owners, folder, secret.key(SECRET.encode(), "citizen"))
    await world.common()
    for side in (SCIENCE, EDUCATION):
        await world.build(side)
    await world.freeze()
    signing = Signing(engine)
    for each in (*PEOPLE, ADMIN, LEAVER):
        await signing.token(each, admin=each == ADMIN)
    async with engine.begin() as connection:  # a long run is longer than an hour
        far = sa.text("UPDATE session SET access_until = access_until + interval '7 hours'")
        await connection.execute(far)
    await engine.dispose()
    return signing.of


def caller(path: str, draw: Random) -> str | None:
    if path.startswith("/v1/accounts/sign-out"):
        return LEAVER
    if path.startswith("/v1/accounts"):
        return draw.choice((ADMIN, ADMIN, None))
    return draw.choice((*PEOPLE, *PEOPLE, ADMIN, None))


def led_to_something(case: Any, draw: Random) -> None:
    """What the path names is drawn, and hardly ever there: let it be, every other time."""
    if (entry := ROUTES.get(f"{case.method} {case.path}")) is None:
        return  # another method than it has
    ask = draw.choice(entry.asks)(draw.choice((SCIENCE, EDUCATION)))
    for name in case.path_parameters:
        if name in ask.path and draw.random() < 0.6:
            case.path_parameters[name] = ask.path[name]
    if ask.body is not None and draw.random() < 0.3:
        case.body = ask.body
        case.media_type = "application/json"


@schema.parametrize()
@settings(
    max_examples=DRAWN or 4,
    deadline=None,
    derandomize=not DRAWN,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_the_document_says(case: Any, town: Town) -> None:
    draw = Random(crc32(repr(case).encode("utf-8", "surrogatepass")))
    led_to_something(case, draw)
    if case.path == "/v1/live":
        case.query["seconds"] = 0
    for each in FRAMING:  # the server's own, below the application
        case.headers.pop(each, None)
    headers = town.said(caller(case.path, draw))
    headers["X-Forwarded-For"] = f"198.51.{draw.randrange(256)}.{draw.randrange(256)}"
    headers["Accept-Language"] = draw.choice(("vi", "en"))
    case.call_and_validate(
        base_url=town.address, session=town.session, headers=headers, checks=CHECKS, timeout=30
    )
