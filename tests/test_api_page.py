"""The one page: the figures of the form, in two languages, with nothing from elsewhere."""

import re
from html.parser import HTMLParser

import pytest
from office import DIRECTOR, LEADER, LICENCE, OFFICER, RECEPTION, address, running

from api.doors import language
from api.home import Voice
from states.clock.words import Lang


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path, prefect_ui="http://prefect.example") as office:
        yield office


class Read(HTMLParser):
    """The table's cells by row, every address, and whatever a strict policy would block."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.forbidden: list[str] = []
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.cell = True
        for name, value in attrs:
            if name in {"href", "src"}:
                self.addresses.append(value)
            if name == "style" or name.startswith("on"):
                self.forbidden.append(name)
        if tag in {"script", "style", "iframe"}:
            self.forbidden.append(tag)

    def handle_endtag(self, tag):
        self.cell = self.cell and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data.strip()

    def row(self, name: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == name)


async def finish(office, code: str) -> None:
    for event, who, payload in (
        ("advance", OFFICER, {"produced": ["Phiếu trình giải quyết"]}),
        ("advance", LEADER, {}),
        ("return_result", DIRECTOR, {"outcome": "approved", "produced": ["Kết quả giải quyết"]}),
    ):
        answer = await office.move(code, event, who, **payload)
        assert answer.status_code == 200, answer.text


async def test_the_figures_of_the_form(office):
    await finish(office, await office.processing())
    await office.code(channel="online", applicant="Trần Văn Kín", procedure=LICENCE)
    await office.code(event="register", channel="online")  # not received: in no column
    withdrawn = await office.code()
    await office.move(withdrawn, "withdraw", RECEPTION, {"reason": "xin rút"})
    late = await office.processing()
    office.later(days=60)
    await finish(office, late)
    office.later(minutes=1)
    page = await office.client.get("/", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    read = Read(page.text)
    of_agency = read.row("Department of Science and Technology")[1:]
    assert of_agency == ["3", "1", "2", "0", "2", "1", "0", "1", "1", "0", "1", "50.00 %"]
    assert read.row("Total")[1:] == of_agency
    assert "33.33 %" in page.text
    assert "1 / 2 resolved" in page.text
    assert "1 / 3 received" in page.text
    assert "Not in the form: 1 dossiers withdrawn" in page.text
    assert "Kín" not in page.text
    assert "240304" not in page.text  # no dossier's code either


async def test_a_period_is_of_whole_days_both_included(office):
    await office.code()
    for query, received in (
        ("from=2024-03-04&to=2024-03-04", "1"),
        ("to=2024-03-04", "1"),
        ("from=2024-03-04&to=2030-01-01", "1"),
        ("", "1"),
        ("from=2023-01-01&to=2024-03-03", None),
    ):
        office.at = office.at.replace(day=6)
        page = await office.client.get(f"/?lang=en&{query}")
        assert page.status_code == 200
        rows = Read(page.text).rows
        assert (rows[-1][1] if rows else None) == received, query
    # Received within the period or carried into it.
    carried = Read((await office.client.get("/?lang=en&from=2024-03-05")).text).row("Total")
    assert carried[1:5] == ["1", "0", "0", "1"]


@pytest.mark.parametrize(
    "query",
    [
        "from=2024-03-05&to=2024-03-01",
        "from=2031-01-01",
        "from=yesterday",
        "to=2024-02-30",
        "from=0001-01-01",
        "to=%3Cscript%3E",
    ],
)
async def test_a_period_that_cannot_be_is_said_on_the_page(office, query):
    page = await office.client.get(f"/?{query}")
    assert page.status_code == 422
    assert "Hãy kiểm tra hai ngày" in page.text
    assert Read(page.text).forbidden == []


async def test_it_speaks_vietnamese_first(office):
    page = await office.client.get("/")
    assert page.headers["Content-Language"] == "vi"
    assert '<html lang="vi">' in page.text
    assert "Chưa có hồ sơ nào" in page.text
    english = await office.client.get("/?lang=en")
    assert "There is no dossier in this period" in english.text


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("", "vi"),
        ("fr", "vi"),
        ("*", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.5, vi;q=0.9", "vi"),
        ("en;q=0.9,vi;q=0.1", "en"),
        ("en;q=x", "vi"),
        ("en,vi", "vi"),
    ],
)
async def test_the_better_liked_language(header, spoken):
    assert await language(header) == spoken


async def test_numbers_are_written_as_the_reader_writes_them():
    assert (Voice(Lang.vi).count(1668), Voice(Lang.vi).percent(98.7410)) == ("1.668", "98,74 %")
    assert (Voice(Lang.en).count(1668), Voice(Lang.en).percent(98.7410)) == ("1,668", "98.74 %")
    assert Voice(Lang.vi).percent(None) == "–"


async def test_nothing_comes_from_elsewhere_and_nothing_is_inline(office):
    await office.code()
    page = await office.client.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    read = Read(page.text)
    assert read.forbidden == []
    elsewhere = [each for each in read.addresses if re.match(r"[a-z]+:|//", each)]
    assert elsewhere == ["http://prefect.example"]  # a link, not a part of the page
    for each in read.addresses:
        if each.startswith("/"):
            assert (await office.client.get(each)).status_code in {200, 303}, each
    style = (await office.client.get("/static/desk.css")).text
    assert "url(" not in style
    assert "@import" not in style


async def test_every_answer_is_sealed(office):
    for path in ("/", "/health", "/openapi.json", "/static/desk.css", "/v1/dossiers/x", "/nowhere"):
        headers = (await office.client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "same-origin"
        assert (headers.get("Cache-Control") == "no-store") == path.startswith("/v1")
