"""Every page in a real browser: nothing for axe to find, nothing wider than its screen, no error.

In Vietnamese by day on an office screen at 125 %, in English by night on a phone. A page that is in
no table here fails: give it an address, and somebody who may see it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from browsing import PHONE, ZOOMED, House, aside, axe, browser, needed, opened, ready, too_wide
from fastapi.routing import iter_route_contexts
from office import LICENCE, PAPERS, routed
from serving import SECRET

from config.secret import key
from states import tracking
from states.figures.every import REPORTS

RECEPTION, CLERK, OFFICER = "p-reception-01", "p-post-01", "p-sci-officer-21"
LEADER, DIRECTOR, CONTROL = "p-sci-lead-02", "p-sci-director", "p-control-01"
AT = datetime(2024, 1, 2, 8, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))  # the first working day
MANY = 4
Scheme = Literal["light", "dark"]
YEAR = "from=2023-01-01&to=2023-12-31"


class Visit(NamedTuple):
    """An address with the pilot year's own names in it, and who goes there.

    `link`: which link of that page is followed to what is meant.
    """

    address: str
    person: str | None = None
    link: str = ""


V = Visit
PAGES: dict[str, list[Visit]] = {
    "/": [V(f"/?{YEAR}"), V("/?from=tomorrow")],
    "/account": [V("/account", RECEPTION), V("/account", CONTROL)],
    "/account/password": [V("/account/password", CLERK)],
    "/breaches": [V("/breaches", CONTROL), V("/breaches", LEADER)],
    "/breaches/apologies": [V("/breaches/apologies", CONTROL)],
    "/breaches/compare": [V("/breaches/compare", CONTROL)],
    "/breaches/groups": [V("/breaches/groups", CONTROL)],
    "/breaches/suspicions": [V("/breaches/suspicions", CONTROL)],
    "/breaches/suspicions/counts": [V("/breaches/suspicions/counts", CONTROL)],
    "/breaches/suspicions/{rule}": [
        V("/breaches/suspicions", CONTROL, "main a[href^='/breaches/suspicions/']")
    ],
    "/breaches/tally": [V("/breaches/tally", CONTROL)],
    "/breaches/{code}/{rule}/{visit}/{deadline}": [
        V("/breaches", CONTROL, "main tbody a[href^='/breaches/']")
    ],
    "/bulk": [V("/bulk?code={received}&event=digitise", RECEPTION)],
    "/calendars": [V("/calendars", LEADER)],
    "/calendars/changes": [V("/calendars/changes", CONTROL)],
    "/calendars/changes/{number}": [
        V("/calendars/changes/{change}", who) for who in (CONTROL, LEADER)
    ],
    "/calendars/changes/{number}/foreseen": [V("/calendars/changes/{change}/foreseen", LEADER)],
    "/calendars/{name}": [V("/calendars/vn?year=2024", CONTROL)],
    "/calendars/{name}/days/{day}": [V("/calendars/vn/days/2024-05-02", CONTROL)],
    "/dashboard": [V("/dashboard", CONTROL), V("/dashboard", LEADER)],
    "/dashboard/dossiers": [V("/dashboard/dossiers?which=overdue", CONTROL)],
    "/dashboard/{part}": [V("/dashboard/load", CONTROL)],
    "/design": [V("/design")],
    "/dossiers": [V("/dossiers", LEADER), V("/dossiers?q=nguyen", RECEPTION)],
    "/dossiers/{code}": [
        V("/dossiers/{open}", OFFICER),
        V("/dossiers/{closed}", LEADER),
        V("/dossiers/{received}", RECEPTION),
        V("/dossiers/{open}", CLERK),
    ],
    "/dossiers/{code}/changes": [V("/dossiers/{open}/changes?seen=1", OFFICER)],
    "/dossiers/{code}/digitise": [V("/dossiers/{received}/digitise", RECEPTION)],
    "/dossiers/{code}/digitise/files": [V("/dossiers/{received}/digitise/files", RECEPTION)],
    "/dossiers/{code}/do/{event}": [V("/dossiers/{received}/do/digitise", RECEPTION)],
    "/dossiers/{code}/looks": [V("/dossiers/{open}/looks", LEADER)],
    "/palette": [V("/palette?at=/today", RECEPTION)],
    "/palette/found": [V("/palette/found?q=ho so", RECEPTION)],
    "/people": [V("/people", CONTROL), V("/people", RECEPTION)],
    "/people/draft": [V("/people/draft", CONTROL)],
    "/people/{person}": [V("/people/p-sci-officer-21", CONTROL)],
    "/people/{person}/change/{what}": [
        V("/people/p-sci-officer-21", CONTROL, "main a[href*='/change/']")
    ],
    "/procedures": [V("/procedures", LEADER), V("/procedures?q=giay phep", CONTROL)],
    "/procedures/{code}": [V(f"/procedures/{LICENCE}", LEADER)],
    "/procedures/{code}/difference": [V(f"/procedures/{LICENCE}/difference?one=1&other=1", LEADER)],
    "/procedures/{code}/edit": [V(f"/procedures/{LICENCE}/edit", CONTROL)],
    "/procedures/{code}/versions/{version}": [V(f"/procedures/{LICENCE}/versions/1", LEADER)],
    "/public/procedures": [V("/public/procedures")],
    "/receive": [V("/receive", RECEPTION), V("/receive?q=giay phep", CLERK)],
    "/receive/done/{code}": [V("/receive/done/{received}", RECEPTION)],
    "/receive/form": [
        V(f"/receive/form?procedure={LICENCE}", RECEPTION),
        V(f"/receive/form?procedure={LICENCE}", CLERK),
    ],
    "/receive/matches": [V("/receive/matches?q=giay", RECEPTION)],
    "/receive/promise": [V(f"/receive/promise?procedure={LICENCE}&channel=counter", RECEPTION)],
    "/reports": [V("/reports", CONTROL), V("/reports", RECEPTION)],
    "/reports/frozen": [V("/reports/frozen", CONTROL)],
    "/reports/frozen/{number}": [V("/reports/frozen/{frozen}", CONTROL)],
    "/reports/frozen/{number}/compare": [V("/reports/frozen/{frozen}/compare", CONTROL)],
    "/reports/{name}": [V(f"/reports/{each}?period=2023", CONTROL) for each in sorted(REPORTS)],
    "/reports/{name}/dossiers": [
        V("/reports/bieu06?period=2023", CONTROL, "main td a[href*='/dossiers?']")
    ],
    "/sign-in": [V("/sign-in"), V("/sign-in?next=/today")],
    "/today": [V("/today", who) for who in (RECEPTION, CLERK, OFFICER, LEADER)],
    "/track": [V("/track"), V("/track?code={received}")],
    "/track/{code}/{secret}": [V("/track/{received}/{secret}")],
}
"""What a browser may ask for and people read; what htmx puts into a page is tried in one."""
ELSEWHERE = {
    "/dashboard/trend.svg": "is a drawing",
    "/desk": "sends on to the page where the day begins",
    "/language/{lang}": "sends back to the page",
    "/metrics": "is no page",
    "/openapi.json": "is no page",
    "/people/text": "is no page",
    "/procedures/{code}/versions/{version}/text": "is no page",
    "/reports/{name}/chart.svg": "is a drawing",
    "/session/oidc": "sends on to the provider of identities",
}
REFUSED = (  # pages that say no
    Visit("/dossiers/H42.03-240101-9999", LEADER),
    Visit("/language/fr", LEADER),
    Visit("/track/H42.14-240101-9999/wrong"),
)


def pages() -> set[str]:
    """The paths that a browser may ask for and people read."""
    return {
        each.path
        for each in iter_route_contexts(routed().routes)
        if "GET" in (each.methods or ())
        and not getattr(each.original_route, "include_in_schema", True)
    }


def test_no_page_escapes() -> None:
    known = PAGES.keys() | ELSEWHERE.keys()
    assert pages() - known == set(), "give it an address above"
    assert known - pages() == set(), "there is no such page any more"


# In the browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest, tmp_path_factory, worker_id: str) -> Iterator[House]:
    """The desk on the pilot year, on the morning after it."""
    needed()  # before anything is lived through for nothing
    import pilot_year

    database = pilot_year.copied(request.getfixturevalue("server"), f"pages_{worker_id}")
    folder = tmp_path_factory.mktemp("house")
    with browser() as chrome, opened(database, folder, chrome, AT) as house:
        yield house


@pytest.fixture(scope="module")
def names(house: House) -> dict[str, str]:
    """What addresses name: dossiers of the pilot year and the like."""
    return aside(_names(house.database)) | _made(house)


async def _names(address: str) -> dict[str, str]:
    from states import db

    engine = db.engine(address, 1)
    first = (
        "SELECT code FROM dossier WHERE agency = 'H42.03' AND state = :state ORDER BY id LIMIT 1"
    )
    try:
        async with engine.connect() as connection:
            found = {
                name: await connection.scalar(sa.text(first), {"state": state})
                for name, state in (("open", "processing"), ("closed", "delivered"))
            }
    finally:
        await engine.dispose()
    assert all(found.values()), found
    return found


def _made(house: House) -> dict[str, str]:
    """What the pilot year has not: a dossier of just now, a frozen report, a day to decide."""
    lodged = {"event": "receive", "procedure": LICENCE, "channel": "counter"}
    lodged |= {"applicant": "Nguyễn Thị Ánh", "components": PAPERS}
    with house.seat(RECEPTION) as context:
        headers = {"Origin": house.address, "Sec-Fetch-Site": "same-origin"}
        answer = context.request.post("/v1/dossiers", data=lodged, headers=headers)
        assert answer.status == 201, answer.text()
        code = answer.json()["code"]
    with house.seat(CONTROL) as context:
        form = {"report": "bieu06", "period": "2023"}
        answer = context.request.post("/reports/frozen", form=form, headers=headers)
        assert answer.status == 200, answer.text()
        day = {"off": ["2024-05-03"], "dates": "keep", "reason": "Bão", "document": "Công điện 1"}
        answer = context.request.post("/v1/calendars/vn/changes", data=day, headers=headers)
        assert answer.status == 201, answer.text()
        change = str(answer.json()["change"])
    secret = tracking.grouped(tracking.secret_part(key(SECRET.encode(), "slip"), code))
    return {"received": code, "secret": secret, "frozen": "1", "change": change}


def meant(page: Any, visit: Visit, names: dict[str, str]) -> str:
    """The address, with its names; where it is behind a link, that link's."""
    address = visit.address.format_map(names)
    if not visit.link:
        return address
    ready_at(page, address)
    link = page.locator(visit.link).first
    return str(link.get_attribute("href"))


def ready_at(page: Any, address: str) -> None:
    """There, with all of it. A part of a page is put into a page."""
    with page.expect_response(lambda said: said.request.is_navigation_request()) as first:
        page.goto(address)
    status = first.value.status
    text = "" if 300 <= status < 400 else first.value.text()
    assert status in {200, 303, 422}, (address, status)
    if text and "<!doctype html" not in text[:200].lower():
        page.goto("/account")
        page.evaluate(INSERT, text)
    ready(page)


INSERT = """(text) => {
  document.querySelector("main").innerHTML = "<h1>Part</h1>" + text;
  window.htmx.process(document.querySelector("main"));
}"""


SEEN: dict[str, tuple[Scheme, Any, Any]] = {
    "vi": ("light", PHONE, ZOOMED),
    "en": ("dark", ZOOMED, PHONE),
}
"""In which colours a page is seen, how wide it is first, and how wide when axe looks at it."""


@pytest.mark.parametrize("lang", sorted(SEEN))
@pytest.mark.parametrize("route", sorted(PAGES))
def test_pages(house: House, names: dict[str, str], route: str, lang: str) -> None:
    scheme, other, mine = SEEN[lang]
    many = len(PAGES[route]) > MANY  # of one template: every second one in the other language
    for visit in PAGES[route][lang == "en" :: 2] if many else PAGES[route]:
        with house.page(visit.person, lang) as page:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(other)
            address = meant(page, visit, names)
            ready_at(page, address)
            assert page.title().removesuffix("· Hồ Sơ").strip()
            assert page.locator("html").get_attribute("lang") == lang
            assert too_wide(page) == [], f"{address} {other}"
            page.set_viewport_size(mine)
            assert too_wide(page) == [], f"{address} {mine}"
            axe(page, f"{address} in {lang}, {scheme}, {mine}")
        house.settled()


@pytest.mark.parametrize("visit", REFUSED, ids=lambda visit: visit.address)
def test_a_page_that_says_no(house: House, visit: Visit) -> None:
    for lang, size in (("vi", PHONE), ("en", ZOOMED)):
        with house.page(visit.person, lang) as page:
            page.set_viewport_size(size)
            answer = page.goto(visit.address)
            assert answer is not None
            assert answer.status in {404, 422}
            assert too_wide(page) == []
            axe(page)
        house.settled()
