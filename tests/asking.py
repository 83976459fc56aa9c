"""Every route asked by everybody, each request undone, for the test of permissions."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote, unquote

import httpx
import sqlalchemy as sa
from callers import CALLERS, Caller
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from office import Signing
from permitted import MOVE, ROUTES, About, Ask, Entry
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from two_agencies import EDUCATION, NOW, NOWHERE, SCIENCE, Side, World

from api.doors import Needs
from states.accounts.scopes import Scope
from states.catalogue.bundles import Latest

EVENT = re.compile(re.escape(MOVE).replace(re.escape("{event}"), r"(\w+)"))
YES, NO, GONE = "✓", "✗", "–"  # as docs/permissions.md has them
KEPT = (
    *("dossier", "entry", "visit", "attachment", "file", "breach", "breach_line", "message"),
    *("consultation", "consultation_end", "change", "alert", "frozen", "edition"),
    *("account", "handed", "intake", "intake_row"),
)
"""What a request that was refused leaves as it was; what it keeps of itself is elsewhere."""
PARTLY = (
    "(SELECT kind, code, version, status, digest FROM bundle)",
    "(SELECT id, scopes, expires_at, revoked_at FROM service_key)",
)
ROW = "t::text"
STAND = sa.text(
    " UNION ALL ".join(
        f"SELECT '{each}' AS name, md5(string_agg({ROW}, '' ORDER BY {ROW})) AS held FROM {each} t"
        for each in (*KEPT, *PARTLY)
    )
)


class Undone:
    """An engine of one connection, whose transactions are all parts of one that is undone."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self.connection.begin_nested():
            yield self.connection


@dataclass
class Answer:
    """What a request got, and whether it left everything as it was."""

    route: str
    ask: Ask
    status: int
    body: str
    headers: str
    kind: str | None  # of problem
    unchanged: bool

    @property
    def mark(self) -> str:
        """Whether it was done, refused, or as if there were nothing. Others are no answer here."""
        if self.status < 300 or self.status in ROUTES[self.route].fine:
            return YES
        marks = {401: NO, 403: NO, 404: GONE}
        if self.kind == "not-open" and self.route == MOVE:
            return NO  # it is another role's
        if self.kind == "bad-input" and ROUTES[self.route].about is About.listing:
            return GONE  # there is no such agency
        assert self.status in marks, (self.route, self.ask, self.status, self.body)
        return marks[self.status]

    @property
    def marks(self) -> list[str]:
        """Of many moves in one, each."""
        if self.route != "POST /v1/moves" or self.status not in {200, 409}:
            return [self.mark]
        whys = [each["problem"] for each in json.loads(self.body)["results"]]
        marks = {403: NO, 404: GONE, 409: NO}  # open to another role
        return [YES if why is None else marks[why["status"]] for why in whys]

    @property
    def plain(self) -> tuple[int, str]:
        """Without what is of this one request."""
        told = re.sub(r'"(request_id|instance)":"[^"]*"', "", self.body)
        return self.status, re.sub(r"^(id|retry|:).*\n", "", told, flags=re.MULTILINE)

    def about(self, side: Side) -> tuple[int, str]:
        """As if it had been about nothing at all."""
        status, told = self.plain
        for one, other in (
            *zip(side.codes.values(), NOWHERE.codes.values(), strict=True),
            (str(side.letter), str(NOWHERE.letter)),
            (str(side.intake), str(NOWHERE.intake)),
        ):
            told = re.sub(rf"\b{re.escape(one)}\b", other, told)
        return status, told

    def said(self, what: str) -> bool:
        """Whether it tells something that was not in the question."""
        return what in self.body + self.headers and what not in repr(self.ask)


class Desk:
    """Where requests are made and undone."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.engine: AsyncEngine = app.state.house.engine
        self.transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=self.transport, base_url="http://office")
        self.signing = self.client.auth = Signing(self.engine)
        self.numbers = count()
        self.stands: dict[str, str] = {}
        self.latest = app.state.house.latest
        app.state.house.clock = lambda: NOW

    async def sign_in(self) -> None:
        for each in CALLERS:
            if each.person is not None and each.person not in self.signing.of:
                await self.signing.token(each.person, admin=each.admin)

    async def note(self) -> None:
        """How everything stands: what requests are compared with."""
        async with self.engine.connect() as db:
            self.stands = await _stand(db)

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[AsyncConnection]:
        """All that is asked inside happens, and never has happened afterwards."""
        house = self.app.state.house
        async with self.engine.connect() as db, db.begin() as outer:
            house.engine, house.latest = Undone(db), Latest()
            try:
                yield db
            finally:
                house.engine, house.latest = self.engine, self.latest
                await outer.rollback()

    async def ask(self, route: str, ask: Ask, headers: Mapping[str, str]) -> Answer:
        """Ask, and undo it, unless more is to be undone together."""
        if isinstance(at := self.app.state.house.engine, Undone):
            return await self._answer(at.connection, route, ask, headers)
        async with self.undone() as db:
            self.app.state.house.latest = self.latest
            return await self._answer(db, route, ask, headers)

    async def _answer(
        self, db: AsyncConnection, route: str, ask: Ask, headers: Mapping[str, str]
    ) -> Answer:
        method, _, path = route.partition(" ")
        at = path.format_map({name: quote(str(value)) for name, value in ask.path.items()})
        more: dict[str, Any] = {"json": ask.body} if ask.body is not None else {}
        if ask.content is not None:
            more = {"content": ask.content}
            headers = {"Content-Type": "application/octet-stream"} | headers
        # Another address now and then: how often one of them may ask is tested elsewhere.
        self.transport.client = (f"198.51.100.{next(self.numbers) // 50 % 256}", 1)
        got = await self.client.request(
            method, at, params=ask.query, headers={**ask.headers, **headers}, **more
        )
        safe = method == "GET" or got.status_code < 300
        problem = got.headers.get("content-type", "").startswith("application/problem")
        return Answer(
            route=route,
            ask=ask,
            status=got.status_code,
            body=got.text,
            headers=unquote(repr(sorted(got.headers.multi_items()))),
            kind=got.json()["type"].removeprefix("/problems/") if problem else None,
            unchanged=safe or await _stand(db) == self.stands,
        )


async def _stand(db: AsyncConnection) -> dict[str, str]:
    return {row.name: row.held for row in await db.execute(STAND)}


Observed = dict[tuple[str, str, str], list[Answer]]
"""By route, caller and agency."""


async def observed(desk: Desk, entries: Mapping[str, Entry], *sides: Side) -> Observed:
    """Everything asked by everybody about each agency; the same question only once."""
    seen: Observed = {}
    for route, entry in entries.items():
        for caller in CALLERS:
            known: dict[str, Answer] = {}
            for side in sides:
                for asking in entry.asks:
                    ask = asking(side)
                    if (same := repr(ask)) not in known:
                        known[same] = await desk.ask(route, ask, caller.said)
                    seen.setdefault((route, caller.name, side.prefix), []).append(known[same])
    return seen


def entries(*about: About) -> dict[str, Entry]:
    return {route: entry for route, entry in ROUTES.items() if entry.about in about}


@dataclass
class Seen:
    """What was answered: by the lists while the agencies came into being, and at last by all."""

    stages: list[Observed]  # before either, with science, with both
    last: Observed

    def of(self, route: str, caller: Caller, side: Side) -> list[Answer]:
        return self.last[route, caller.name, side.prefix]

    def changed(self, route: str, caller: Caller, side: Side) -> list[Ask]:
        """What was answered otherwise when the agency came into being."""
        n = (SCIENCE, EDUCATION).index(side)
        return [
            before.ask
            for each in (SCIENCE, EDUCATION)
            for before, after in zip(
                *(stage[route, caller.name, each.prefix] for stage in self.stages[n : n + 2]),
                strict=True,
            )
            if before.plain != after.plain
        ]


async def everything_asked(desk: Desk, world: World) -> Seen:
    lists, both = entries(About.listing), (SCIENCE, EDUCATION)
    untold = {route: entry for route, entry in lists.items() if entry.token is None}
    await world.common()
    stages = [await observed(desk, untold, *both)]
    for side in both:
        await world.build(side)
        stages.append(await observed(desk, untold, *both))
    await world.freeze()
    await desk.note()
    last = stages[-1] | await observed(desk, entries(About.dossier), *both, NOWHERE)
    others = {*ROUTES} - {*untold} - {*entries(About.dossier)}
    rest = {route: entry for route, entry in ROUTES.items() if route in others}
    return Seen(stages, last | await observed(desk, rest, *both))


# The application's routes ---------------------------------------------------------------------


def contexts(app: FastAPI) -> Iterator[tuple[str, Any]]:
    for each in iter_route_contexts(app.routes):
        for method in sorted(each.methods or ()):
            yield f"{method} {each.path}", each


def documented(app: FastAPI) -> set[str]:
    """The events as the one route that serves them."""
    paths = app.openapi()["paths"]
    told = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    return {MOVE if EVENT.fullmatch(each) else each for each in told}


def events(app: FastAPI) -> set[str]:
    """Those that the document has an address for."""
    found = (EVENT.fullmatch(f"POST {path}") for path in app.openapi()["paths"])
    return {each[1] for each in found if each}


def scopes(dependant: Any) -> Iterator[Scope]:
    for each in dependant.dependencies:
        if isinstance(each.call, Needs):
            yield each.call.scope
        yield from scopes(each)
