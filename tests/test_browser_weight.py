"""How much comes over the line: a first visit under 150 kB, a later one under 30, as sent."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from office import address, running
from sitting import HERE, sitting

FIRST, LATER = 150_000, 30_000  # bytes, compressed


class Assets(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found = set[str]()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        link = {"script": "src", "link": "href", "img": "src", "use": "href"}.get(tag)
        if link and said.get(link):
            self.found.add(said[link].split("#")[0])


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def sent(client: httpx.AsyncClient, path: str) -> tuple[int, str, httpx.Headers]:
    """The bytes of an answer as they are on the line, and what they unpack to."""
    asked = client.build_request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = await client.send(asked, stream=True)
    size = sum([len(each) async for each in answer.aiter_raw()])
    whole = await client.get(path)
    assert whole.status_code == 200, (path, whole.status_code)
    assert size < len(whole.content) or len(whole.content) < 1000, f"{path} is not compressed"
    return size, whole.text, whole.headers


@pytest.mark.parametrize("path", ["/sign-in", "/today", "/dossiers/{code}", "/receive", "/track"])
@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_a_visit_is_light(office, path, lang):
    path = path.format(code=await office.processing())
    async with sitting(office, "p-reception-01", lang) as client:
        if path == "/sign-in":
            client.cookies.clear()
        later, text, _ = await sent(client, path)
        first = later
        for asset in sorted(Assets(text).found):
            where = urljoin(HERE + path, asset)
            assert where.startswith(HERE), f"{asset} is of another house"
            size, _, headers = await sent(client, where)
            assert "immutable" in headers["cache-control"], f"{asset} is asked for every time"
            first += size
    assert later < LATER, f"{path}: {later:,} bytes of HTML"
    assert first < FIRST, f"{path}: {first:,} bytes on a first visit"


async def test_a_style_asks_for_nothing_else(office):
    """What a style sheet loads would be weighed by nobody."""
    async with sitting(office, "p-reception-01") as client:
        _, text, _ = await sent(client, "/account")
        for sheet in (each for each in Assets(text).found if ".css" in each):
            assert not re.search(r"@import|url\(", (await client.get(sheet)).text), sheet
