"""Requests drawn from the OpenAPI document, valid and not, sent to a real server by many callers.

Whatever is asked, no answer is a failure of the server, and each is as the document says: status,
media type, headers and body. `HOSO_TEST_FUZZ=200` draws as many for each operation; `make fuzz`.
"""

import asyncio
import copy
import os
from collections.abc import Iterator, Sequence
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
from office import Signing, routed
from permitted import MOVE, ROUTES, Asking
from requests import Session
from schemathesis import checks
from serving import SECRET, serving
from two_agencies import EDUCATION, SCIENCE, World

from config import secret
from states import db
from states.files.rows import Medium

DRAWN = int(os.environ.get("HOSO_TEST_FUZZ", "0"))
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# The server's own, below the application; and what is hardly ever right, and refuses the rest.
FRAMING = ("content-length", "transfer-encoding", "connection", "host", "expect", "upgrade")
IN_THE_WAY = ("hoso-role", "hoso-for", "if-match", "idempotency-key", "last-event-id")
CONFIG = schemathesis.Config.from_dict(
    {
        "phases": {"coverage": {"enabled": bool(DRAWN)}, "stateful": {"enabled": False}},
        "generation": {"database": "none", "allow-x00": False},  # NUL goes no further than the door
    }
)
APP = routed()
PEOPLE = ("p-reception-01", "p-control-01", "p-sci-officer-21", "p-sci-lead-02", "p-edu-director")
ADMIN, LEAVER = "p-admin", "p-fin-director"
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, -(10**30), [], {}, [[]], {"a": {}}, ["x"] * 500),
    *("", " ", "0", "x" * 250, "x" * 2500, "\uffff", "\U0010ffff", "e\u0301", "../../etc/passwd"),
    *("%s%n", "'; --", "\\", "_", "H42.03", "term-late", "1.003659", "don", "5wd", "none", "*"),
    *("0001-01-01", "9999-12-31", "2024-02-30", "2024-03-04", "2024-03-04T08:00:00+07:00"),
)


@schemathesis.serializer("application/octet-stream", *Medium)
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
    with alone(server.data):  # made anew where this process comes back to the file
        run_as_owner(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
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


def known(method: str, path: str) -> Sequence[Asking]:
    """How it is asked. Each event has an address of its own in the document."""
    _, events, event = path.partition("/events/")
    if not events:
        return ROUTES[route].asks if (route := f"{method} {path}") in ROUTES else ()
    return [each for each in ROUTES[MOVE].asks if each(SCIENCE).path["event"] == event]


def led_to_something(case: Any, draw: Random) -> None:
    """What the path names is drawn, and hardly ever there: let it be, every other time."""
    if not (asks := known(case.method, case.path)):
        return  # another method than it has
    ask = draw.choice(asks)(draw.choice((SCIENCE, EDUCATION)))
    for name in case.path_parameters:
        if name in ask.path and draw.random() < 0.6:
            case.path_parameters[name] = ask.path[name]
    if ask.body is not None and draw.random() < 0.5:
        case.body, case.media_type = but_for_one_thing(ask.body, draw), "application/json"


def but_for_one_thing(body: Any, draw: Random) -> Any:
    """A body that is fine, with something else where one of its values was."""
    changed = copy.deepcopy(body)
    if places := [*leaves(changed)]:
        inside, where = draw.choice(places)
        inside[where] = draw.choice(STRANGE)
    return changed


def leaves(body: Any) -> Iterator[tuple[Any, Any]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body)
    for where, value in [*inner]:
        yield body, where
        if isinstance(value, dict | list):
            yield from leaves(value)


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
    for each in (*FRAMING, *(IN_THE_WAY if draw.random() < 0.8 else ())):
        case.headers.pop(each, None)
    headers = town.said(caller(case.path, draw))
    headers["X-Forwarded-For"] = f"198.51.{draw.randrange(256)}.{draw.randrange(256)}"
    headers["Accept-Language"] = draw.choice(("vi", "en"))
    case.call_and_validate(
        base_url=town.address, session=town.session, headers=headers, checks=CHECKS, timeout=30
    )


def test_the_document_is_the_one_that_is_served(town: Town) -> None:
    assert town.session.get(f"{town.address}/openapi.json").json() == APP.openapi()
