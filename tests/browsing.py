"""A real browser at the real desk: Debian's Chromium by Playwright, a server, and axe.

One browser a process; each test has contexts of its own, and fails for whatever the browser said:
an error in the console, a breach of the policy, a request to another house.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
NONE = (
    "there is no Chromium: apt-get install chromium, or name one in HOSO_TEST_CHROMIUM"
    " (the pages are not tried in a browser)"
)
PASSWORD = "mot cua 2024"
OFFICE = {"width": 1366, "height": 768}
ZOOMED = {"width": 1093, "height": 614}  # the same screen at 125 %
PHONE = {"width": 390, "height": 844}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def chromium() -> str | None:
    """Where one is."""
    named = os.environ.get("HOSO_TEST_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def needed() -> str:
    """Where one is; who has none skips, and is told how to get one."""
    found = chromium()
    if found is None:
        pytest.skip(NONE)
    return found


@contextmanager
def browser() -> Iterator["Browser"]:
    """A Chromium of this process, which asks nobody outside for anything."""
    from playwright.sync_api import sync_playwright

    where = needed()
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    quiet += ["--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=where, args=quiet)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class House:
    """A server of the desk, seen from its browsers. `bad`: what no page may make a browser say."""

    browser: "Browser"
    address: str
    database: str
    bad: list[str] = field(default_factory=list)
    away: set["BrowserContext"] = field(default_factory=set)  # their network is gone on purpose
    tokens: dict[str, str] = field(default_factory=dict)
    kept: dict[tuple[str | None, str], "BrowserContext"] = field(default_factory=dict)

    @contextmanager
    def seat(
        self, person: str | None = None, lang: str = "vi", **how: Any
    ) -> Iterator["BrowserContext"]:
        """A browser of somebody's, signed in by their cookie; `how` as Playwright has it."""
        context = self.sit(person, lang, **how)
        try:
            yield context
        finally:
            context.close()

    @contextmanager
    def page(self, person: str | None, lang: str = "vi") -> Iterator["Page"]:
        """A page in a browser that is kept open, with what it has cached, for who only looks."""
        if (person, lang) not in self.kept:
            self.kept[person, lang] = self.sit(person, lang)
        page = self.kept[person, lang].new_page()
        try:
            yield page
        finally:
            page.close()

    def sit(self, person: str | None, lang: str, **how: Any) -> "BrowserContext":
        context = self.browser.new_context(base_url=self.address, **{"viewport": OFFICE} | how)
        context.set_default_timeout(15_000)
        cookies = {"hoso-lang": lang} | ({"hoso": self.token(person)} if person else {})
        context.add_cookies(
            [{"name": name, "value": said, "url": self.address} for name, said in cookies.items()]
        )
        context.on("console", lambda said: self._console(context, said))
        context.on("weberror", lambda error: self.bad.append(f"script: {error.error}"))
        context.on("request", self._requested)
        return context

    def token(self, person: str) -> str:
        if person not in self.tokens:
            self.tokens[person] = aside(_signed_in(self.database, person))
        return self.tokens[person]

    def _console(self, context: "BrowserContext", said: Any) -> None:
        refused = said.text.startswith("Failed to load resource: the server responded")
        if said.type == "error" and not refused and context not in self.away:
            self.bad.append(f"console: {said.text}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.address, "blob:", "data:", "about:")):
            self.bad.append(f"asked elsewhere: {request.url}")

    def settled(self) -> None:
        """Nothing of what a browser may not say was said."""
        said, self.bad[:] = list(self.bad), []
        assert not said, "\n".join(said)


def aside(work: Any) -> Any:
    """What is awaited, in a thread of its own: Playwright has a loop running in this one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _signed_in(address: str, person: str) -> str:
    """A session of an account of theirs, made if there is none, with the tests' password."""
    from sqlalchemy.dialects.postgresql import insert

    from states import db
    from states.accounts import passwords, signing, tokens
    from states.accounts.rows import account

    engine, token = db.engine(address, 1), tokens.made(tokens.ACCESS)
    async with db.transaction(engine) as connection:
        now = await connection.scalar(sa.select(sa.func.now()))
        row = {"person": person, "password": await passwords.hashed(PASSWORD), "password_at": now}
        row |= {"must_change": False, "admin": False, "failed": 0}
        new = insert(account).values(row | {"created_at": now, "created_by": "test"})
        again = new.on_conflict_do_update(index_elements=["person"], set_={"failed": 0})
        number = await connection.scalar(again.returning(account.c.id))
        session = {"account_id": number, "how": "command", "created_at": now}
        session |= {"access": tokens.digest(token), "access_until": now + timedelta(hours=9)}
        await connection.execute(sa.insert(signing.session).values(session))
    await engine.dispose()
    return token


@contextmanager
def opened(
    database: str, folder: Path, chrome: "Browser", at: datetime | None = None
) -> Iterator[House]:
    """The desk on this database; `at`: when it is."""
    from serving import serving

    clock = {}
    if at is not None:
        paths = (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))
        clock = {"factory": "clocked:create_app", "HOSO_TEST_AT": at.isoformat()}
        clock["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with serving(database, folder, **clock) as (address, _):
        yield House(chrome, address, database)


def ready(page: "Page") -> "Page":
    """With all that it fetches by itself after it has come."""
    page.wait_for_load_state("load")
    page.locator(".htmx-request, [aria-busy=true]").first.wait_for(state="detached")
    return page


def sign_in(page: "Page", person: str, password: str = PASSWORD) -> None:
    """By the form, as anybody does."""
    page.goto("/sign-in")
    page.fill("[name=person]", person)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url, wait_until="commit")


def wrong(page: "Page") -> list[str]:
    """What axe finds, a line for each place."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {each['help']}\n  {node['target']}: {node['html'][:200]}"
        for each in found
        for node in each["nodes"][:5]
    ]


def axe(page: "Page", where: str = "") -> None:
    found = wrong(page)
    assert not found, "\n".join([where or page.url, *found])


def too_wide(page: "Page") -> Sequence[str]:
    """What makes the page scroll sideways; a table in its own scroller does not."""
    return page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= wide) return [];
          return [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > wide + 1)
            .filter((each) => !each.closest(".scroll"))
            .slice(0, 5).map((each) => each.outerHTML.slice(0, 160));
        }"""
    )
