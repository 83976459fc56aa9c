"""Pages of the desk among a million dossiers, beside the look-up of one by its code.

What is told is the 95th percentile of the server's time for a page, whole: who asks, what they see,
the queries, the template. Only the wire is left out. A move is told from the click to the new page:
what the form sends, and the page that follows.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from statistics import quantiles

import httpx
import pytest
import sqlalchemy as sa
from measures import ROUNDS, Figure, Figures, Pair
from province import settled

from api.app import create_app
from config.settings import Settings
from states.accounts import tokens
from states.accounts.rows import account, session
from states.db import transaction
from states.embedded import Embedded
from states.ledger.statements import d

pytestmark = pytest.mark.bench

MANY = 1_000_000
ASKED = 40  # a round
HERE = "http://desk"
OURS = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
PAGES: dict[str, tuple[str, str]] = {  # who asks for what; {code}: another one each time
    "Today, counter": ("p-reception-01", "/today"),
    "Today, officer": ("p-sci-officer-21", "/today"),
    "Today, postal clerk": ("p-post-01", "/today"),
    "Dossiers": ("p-reception-01", "/dossiers"),
    "Dossiers by a name": ("p-reception-01", "/dossiers?q=nguyen+thi+anh"),
    "Dossiers of an agency": ("p-sci-director", "/dossiers?state=processing"),
    "A dossier": ("p-reception-01", "/dossiers/{code}"),
    "Digitise": ("p-reception-01", "/dossiers/{code}/digitise"),
    "Receive": ("p-reception-01", "/receive"),
    "Palette": ("p-reception-01", "/palette?at=/today"),
    "Dashboard": ("p-control-01", "/dashboard"),
    "Dashboard of an agency": ("p-sci-director", "/dashboard"),
    "Breaches": ("p-control-01", "/breaches"),
    "Reports": ("p-control-01", "/reports"),
    "Procedures": ("p-sci-director", "/procedures"),
    "Calendar": ("p-sci-director", "/calendars/vn"),
    "People": ("p-sci-director", "/people"),
}


def by(person: str) -> dict[str, str]:
    """The cookie of their browser."""
    return {"Cookie": f"hoso={person}"}


class Sitting:
    """Somebody at the desk of an application that holds a million dossiers."""

    def __init__(self, client: httpx.AsyncClient, codes: Sequence[str]) -> None:
        self.client, self.codes, self.chance = client, codes, Random(7)
        self.lived = list[str]()  # those that have a history; the million were made by SQL

    async def page(self, person: str, path: str) -> float:
        """Milliseconds until the page is whole."""
        asked = path.replace("{code}", self.chance.choice(self.lived))
        begin = time.perf_counter()
        answer = await self.client.get(asked, headers=by(person))
        took = 1000 * (time.perf_counter() - begin)
        assert answer.status_code == 200, (asked, answer.status_code, answer.text[:500])
        return took

    async def received(self) -> str:
        """A dossier that may be moved: its code."""
        body = {"event": "receive", "procedure": "1.003659", "channel": "counter"}
        body |= {"applicant": "Nguyễn Thị Ánh"}
        body["components"] = dict.fromkeys(("don", "dang-ky-kinh-doanh", "phuong-an"), "0" * 64)
        opened = await self.client.post(
            "/v1/dossiers", json=body, headers=by("p-reception-01") | OURS
        )
        assert opened.status_code == 201, opened.text
        return str(opened.json()["code"])

    async def moved(self, code: str, event: str) -> float:
        """Milliseconds from the click to the new page."""
        headers = by("p-reception-01")
        page = (await self.client.get(f"/dossiers/{code}/do/{event}", headers=headers)).text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        begin = time.perf_counter()
        answer = await self.client.post(
            f"/dossiers/{code}/do/{event}", data=fields, headers=headers | OURS
        )
        assert answer.status_code == 303, answer.text[:2000]
        after = await self.client.get(answer.headers["location"], headers=headers)
        took = 1000 * (time.perf_counter() - begin)
        assert after.status_code == 200
        return took


async def percentile(ask: Callable[[], Awaitable[float]]) -> float:
    return quantiles([await ask() for _ in range(ASKED)], n=20)[-1]


async def measured(address: str, folder: Path) -> dict[str, Sequence[Pair]]:
    app = create_app(Settings(database=address, data=folder, calls=0))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=HERE) as client,
    ):
        connections = app.state.house.engine
        async with transaction(connections) as db:
            await _signed_in(db)
            some = sa.select(d.code).where(d.id % 4999 == 0)
            codes = (await db.execute(some)).scalars().all()
        sitting = Sitting(client, codes)
        sitting.lived = [await sitting.received() for _ in range(ASKED)]
        rounds: dict[str, list[Pair]] = {name: [] for name in (*PAGES, "A move, to the new page")}
        for person, path in PAGES.values():  # what is asked for often is in memory
            await sitting.page(person, path)
        for _ in range(ROUNDS):
            plain = await percentile(lambda: _looked_up(connections, sitting))
            for name, (person, path) in PAGES.items():
                took = await percentile(lambda who=person, to=path: sitting.page(who, to))  # type: ignore[misc]
                rounds[name].append((took, plain))
            fresh = iter([await sitting.received() for _ in range(ASKED)])
            took = await percentile(lambda new=fresh: sitting.moved(next(new), "digitise"))  # type: ignore[misc]
            rounds["A move, to the new page"].append((took, plain))
    return dict(rounds)


async def _looked_up(connections: sa.ext.asyncio.AsyncEngine, sitting: Sitting) -> float:
    begin = time.perf_counter()
    async with transaction(connections) as db:
        one = sa.select(d).where(d.code == sitting.chance.choice(sitting.codes))
        (await db.execute(one)).one()
    return 1000 * (time.perf_counter() - begin)


async def _signed_in(db: sa.ext.asyncio.AsyncConnection) -> None:
    """A session each, whose token is the person's id."""
    now = sa.func.clock_timestamp()
    for person in {person for person, _ in PAGES.values()}:
        row = {"person": person, "must_change": False, "admin": False, "failed": 0}
        new = sa.insert(account).values(row | {"created_at": now, "created_by": "bench"})
        number = await db.scalar(new.returning(account.c.id))
        kept = {"account_id": number, "how": "command", "created_at": now}
        kept |= {"access": tokens.digest(person), "access_until": now + sa.text("interval '1 day'")}
        await db.execute(sa.insert(session).values(kept))


def test_the_desk_among_a_million(durable: Embedded, figures: Figures, tmp_path: Path) -> None:
    settled(durable.owner, MANY)
    for name, rounds in asyncio.run(measured(durable.application, tmp_path)).items():
        most = 150 if name.startswith("A move") else 100
        figures.add(
            Figure(
                row=12,
                what=f"{name}: p95 of the page among {MANY:,} dossiers",
                unit="ms",
                beside="p95 of one looked up by its code",
                rounds=rounds,
                target=f"< {most} ms",
                reached=lambda figure, most=most: figure.measured < most,  # type: ignore[misc]
            )
        )
