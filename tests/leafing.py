"""Whoever looks at pages of the desk: by a browser's cookie, each request undone."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import httpx
import pytest
import sqlalchemy as sa
from asking import Desk
from callers import ADMINISTRATOR, CALLERS, NOBODY, Caller, everything
from databases import alone, run_as_owner
from leaves import Ask, asks
from sitting import FORM, Page
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel
from two_agencies import NOWHERE, Side, World

import states.migrations.every  # noqa: F401  so that the metadata is full
from api.app import create_app
from config.settings import Settings

POSTAL = Caller("postal", "p-post-01", everything)  # at the desk, for all whom they act for
KEEPER = Caller("keeper", "p-reception-02", everything, admin=True)  # of accounts, in a role
READERS = (POSTAL, KEEPER, *(each for each in CALLERS if "postal" not in each.name))
SEATED = tuple(each for each in READERS if each not in (NOBODY, ADMINISTRATOR))
BY_NAME = {each.name: each for each in READERS}
OWN = {"look", "session", "draft", "answer"}
"""What a page may keep though it refuses: that it was read, and what was typed."""
NOT_NOW = {"POST /account/password", "POST /dossiers/{code}/digitise"}
"""What these two agencies have nothing for: an account with a password, a dossier just received."""
SEND = "application/x-www-form-urlencoded"
STAND = " UNION ALL ".join(
    f"SELECT '{each}' AS name, md5(string_agg(t::text, '' ORDER BY t::text)) AS held FROM {each} t"
    for each in sorted(SQLModel.metadata.tables)
)
LOOKED = "SELECT d.code FROM look l, dossier d WHERE d.id = ANY(l.dossiers) AND l.id > :after"
ONCE = re.compile(r'name="key" value="[^"]*"|draft=[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f-]{27}')
"""What each making of a page has of its own."""


@dataclass(frozen=True, slots=True)
class Got:
    """A page as somebody got it. `kept`: how each table stood afterwards; `looked`: the codes of
    the dossiers whose reading it put on record.
    """

    ask: Ask
    reader: Caller
    answer: httpx.Response
    kept: Mapping[str, str]
    looked: frozenset[str]

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        return self.answer.text

    @property
    def page(self) -> Page:
        return Page(self.answer)

    @property
    def is_page(self) -> bool:
        return self.answer.headers.get("Content-Type", "").startswith("text/html")

    @property
    def told(self) -> str:
        """All of it, without what it has of its own."""
        where = self.answer.headers.get("Location", "")
        return ONCE.sub("", f"{self.status} {where}\n{self.text}")

    def as_of_none(self, side: Side) -> str:
        """As if it had been about nothing at all."""
        told = self.told
        for one, other in zip(side.codes.values(), NOWHERE.codes.values(), strict=True):
            told = re.sub(rf"\b{re.escape(one)}\b", other, told)
        return told

    def said(self, what: str) -> bool:
        """Whether it tells something that was not in the question."""
        told = unquote(self.text + repr(self.answer.headers.multi_items()))
        return what in told and what not in unquote(repr(self.ask))


def who(by: str, side: Side) -> Caller:
    """Whoever holds that place, in that agency where there is one in each."""
    return BY_NAME.get(by) or BY_NAME[f"{by} {side.prefix}"]


class Visits:
    """Requests of pages, each of which is undone."""

    def __init__(self, desk: Desk, owner: str) -> None:
        self.desk, self.owner, self.count = desk, owner, 0
        self.client = httpx.AsyncClient(transport=desk.transport, base_url="http://office")

    def world(self) -> World:
        """Where the two agencies are built."""
        house = self.desk.app.state.house
        return World(self.desk.engine, self.owner, house.settings.data, house.key("citizen"))

    async def sign_in(self) -> None:
        for each in READERS:
            if each.person is not None and each.person not in self.desk.signing.of:
                await self.desk.signing.token(each.person, admin=each.admin)

    def brought(self, reader: Caller, lang: str = "en") -> dict[str, str]:
        """The headers of their browser."""
        jar = {"hoso-lang": lang}
        if reader.person is not None:
            jar["hoso"] = self.desk.signing.of[reader.person]
        if role := reader.headers.get("Hoso-Role"):
            jar["hoso-role"] = role
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}

    async def get(self, reader: Caller, ask: Ask, lang: str = "en") -> Got:
        async with self.desk.undone() as db:
            self.desk.app.state.house.latest = self.desk.latest
            last = await db.scalar(sa.text("SELECT coalesce(max(id), 0) FROM look"))
            answer = await self.send("GET", ask.at, self.brought(reader, lang))
            looked = await db.scalars(sa.text(LOOKED), {"after": last})
            return Got(ask, reader, answer, {}, frozenset(looked))

    async def send(
        self, method: str, at: str, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Response:
        """A request as it is, from another address now and then."""
        self.count += 1
        self.desk.transport.client = (f"198.51.100.{self.count // 20 % 256}", 1)
        path, _, query = at.partition("?")
        at = quote(path, safe="/%") + (f"?{quote(query, safe='=&%+/@')}" if query else "")
        return await self.client.request(method, at, headers=headers, content=content or None)

    async def filled(self, reader: Caller, ask: Ask, lang: str = "en") -> dict[str, Any]:
        """The fields of its form, as the page has it, with what is typed into it."""
        fields: dict[str, Any] = {}
        if ask.on is not None:
            answer = await self.send("GET", ask.on, self.brought(reader, lang))
            assert answer.status_code == 200, (ask, answer.status_code, answer.text[:3000])
            fields = dict(form_of(Page(answer), ask))
        return fields | dict(ask.said)

    async def post(
        self, reader: Caller, ask: Ask, fields: Mapping[str, Any], headers: Mapping[str, str] = FORM
    ) -> Got:
        """What a form sends, in a transaction that goes on: within `desk.undone()`."""
        body = urlencode(fields, doseq=True).encode()
        sent = {"Content-Type": SEND} | self.brought(reader) | dict(headers)
        answer = await self.send("POST", ask.at, sent, body)
        return Got(ask, reader, answer, {}, frozenset())


def form_of(page: Page, ask: Ask) -> dict[str, Any]:
    """The form that is sent there; of several, the first. An editor has its buttons for more."""
    path = ask.at.partition("?")[0]
    for each in page.forms:
        if each["action"] == path or path in each["sends"]:
            return {name: value for name, value in each["whole"].items() if value is not None}
    raise AssertionError(f"{ask.on} has no form for {path}: {[f['action'] for f in page.forms]}")


async def stand(db: AsyncConnection, *, own: bool = False) -> dict[str, str]:
    """How every table stands; `own`: those too that a refusal may write."""
    rows = await db.execute(sa.text(STAND))
    return {row.name: row.held for row in rows if own or row.name not in OWN}


def hidden(reader: Caller, side: Side) -> Iterator[str]:
    """What is to be told to them nowhere of an agency's dossiers."""
    for name in side.codes:
        if not reader.sees(side, name):
            yield from side.secrets(name)


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name, held in after.items() if before[name] != held}


async def prepared(visits: Visits, route: str, side: Side) -> None:
    """What a form is about that is not there by itself."""
    if not route.startswith("POST /people/draft"):
        return
    drafting = next(ask for _, ask in asks(side, method="POST /people/{person}/change"))
    drafter = who("leader", side)
    await visits.post(drafter, drafting, await visits.filled(drafter, drafting))
    if route.endswith("publish"):
        await visits.post(who("leader", side), Ask(at="/people/draft/check"), {})


@pytest.fixture(scope="module")
def addresses(server: Any, worker_id: str, request: Any) -> dict[str, str]:
    """By role, of a database of the test's own: what is published in it stays in it."""
    name = f"{request.module.__name__.rpartition('.')[2]}_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    return {role: server.address(name, role) for role in ("hoso_app", "postgres")}


@pytest.fixture(scope="module")
async def visits(addresses: dict[str, str], tmp_path_factory: Any) -> AsyncIterator[Visits]:
    """The application as it is, but that anybody may ask as often as they like."""
    folder = tmp_path_factory.mktemp("visits")
    app = create_app(Settings(database=addresses["hoso_app"], data=folder, calls=0))
    async with app.router.lifespan_context(app):
        visits = Visits(Desk(app), addresses["postgres"])
        async with visits.desk.client, visits.client:
            await visits.sign_in()
            yield visits
