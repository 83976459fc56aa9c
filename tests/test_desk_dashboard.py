"""The dashboard: its numbers, the dossiers behind each, who sees whose."""

import re
from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from book import HANOI
from office import address, running
from pilot_year import lived
from sitting import Page, sitting
from test_breaches import CONTROL, DIRECTOR, OFFICER, april, licence

from api.desk import dashboard
from api.desk.reports.choosing import Choice
from states import db
from states.catalogue import bundles
from states.figures import standing
from states.figures.bieu06 import bieu06
from states.figures.standing import Now, Stand

OTHERS = "p-labour-director"  # leads another agency


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
async def book(fresh):
    async with fresh.begin() as connection:
        return await bundles.read(connection)


@pytest.fixture
async def three(fresh, book):
    """Due on Wednesday 3 April: one finished a day late, one running, one received two weeks on."""
    done = await licence(fresh, book)
    await done.finish(april(4, 15))
    return [
        done.paper.code,
        (await licence(fresh, book)).paper.code,
        (await licence(fresh, book, datetime(2024, 3, 18, 8, tzinfo=HANOI))).paper.code,
    ]


async def text(client, path, status=200):
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    page = Page(answer)
    assert page.forbidden == []
    return page


def numbers(page):
    """The big numbers of the moment, by the address each leads to."""
    return [each for each in page.links if each.startswith("/dashboard/dossiers")]


async def counted(office, book, at, agencies=None):
    async with db.transaction(office.app.state.house.engine) as connection:
        now = Now.of(book, at, agencies)
        found = await standing.counts(connection, now)
        lists = {}
        for stand in Stand:
            codes, cursor = [], None
            while True:
                page = await standing.behind(connection, now, stand, cursor, 1)
                codes += [row["code"] for row in page.rows]
                if (cursor := page.next) is None:
                    break
            lists[stand] = codes
        form = await bieu06(connection, book, None, at, agencies)
    return found, lists, form.total


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2024, 3, 20, 9, tzinfo=HANOI), (3, 0, 0, 0)),
        (april(2), (3, 2, 0, 0)),
        (april(3, 18), (3, 2, 0, 0)),
        (april(4, 9), (1, 0, 2, 2)),
        (april(5, 9), (1, 0, 1, 0)),
    ],
)
async def test_each_number_is_as_long_as_its_list(fresh, office, book, at, expected):
    """At each moment, of what had happened by then; (12) and (13) of the form say the same."""
    done = await licence(fresh, book)
    await licence(fresh, book)
    await licence(fresh, book, datetime(2024, 3, 18, 8, tzinfo=HANOI))
    if at >= april(5):
        await done.finish(april(4, 15))
    found, lists, form = await counted(office, book, at)
    assert {stand: len(codes) for stand, codes in lists.items()} == found
    assert tuple(found.values()) == expected
    assert (found[Stand.in_time], found[Stand.overdue]) == (form.in_time, form.overdue)


async def test_what_ended_late_today_was_breached_today(office, book, three):
    """Though it is overdue no more."""
    found, lists, _ = await counted(office, book, april(4, 16))
    assert set(lists[Stand.breached_today]) == set(three[:2])
    assert lists[Stand.overdue] == [three[1]]
    assert found[Stand.breached_today] == 2


async def test_the_page_tells_them_and_leads_to_them(office, three):
    office.at = april(4, 16)
    async with sitting(office, DIRECTOR) as client:
        page = await text(client, "/dashboard")
        links = numbers(page)
        assert len(links) == len(Stand)
        for link in links:
            (which,) = parse_qs(urlsplit(link).query)["which"]
            behind = await text(client, link)
            codes = {each for each in three if f"/dossiers/{each}" in behind.links}
            told = int(re.search(r": (\d+)", behind.text)[1])
            assert len(codes) == told, which
        overdue = await text(client, "/dashboard/dossiers?which=overdue")
        assert f"/dossiers/{three[1]}#clock" in overdue.links


async def test_another_agencys_leader_sees_none_of_it(office, three):
    office.at = april(4, 16)
    async with sitting(office, OTHERS) as client:
        page = await text(client, "/dashboard")
        assert not any(code in page.text for code in three)
        for which in Stand:
            behind = await text(client, f"/dashboard/dossiers?which={which}")
            assert ": 0" in behind.text
        for path in ("/dashboard", "/dashboard/dossiers"):
            asked = await client.get(f"{path}?agency=H42.03")
            assert asked.status_code >= 400
            assert "there is no agency" in asked.text
        for part in dashboard.PARTS:
            inner = Page(await client.get(f"/dashboard/{part}?period=2024"))
            assert "Nguyễn" not in inner.text or "H42.03" not in inner.text
    async with sitting(office, CONTROL) as client:
        page = await text(client, "/dashboard?agency=H42.03&period=2024")
        assert "/dashboard/dossiers?which=overdue&agency=H42.03" in page.links


async def test_a_clerk_has_no_dashboard(office):
    async with sitting(office, OFFICER) as client:
        for path in ("/dashboard", "/dashboard/load", "/dashboard/dossiers?which=soon"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert "leaders and the control unit" in answer.text


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_every_part_is_a_page_and_a_part(office, three, lang):
    office.at = april(8)
    async with sitting(office, CONTROL, lang) as client:
        for part in dashboard.PARTS:
            alone = await text(client, f"/dashboard/{part}?period=2024")
            assert "</html>" not in alone.text
            inner = await client.get(f"/dashboard/{part}?period=2024", headers={"HX-Request": "1"})
            assert inner.status_code == 200
            assert "<html" not in inner.text
            assert Page(inner).forbidden == []
        drawn = await client.get("/dashboard/trend.svg?period=2024")
        assert drawn.headers["content-type"].startswith("image/svg+xml")
        assert "prefers-color-scheme" in drawn.text
        assert "var(--card)" in drawn.text


async def test_what_is_wrong_in_the_choice_is_said_on_the_page(office):
    async with sitting(office, CONTROL) as client:
        for asked, why in (
            ("period=2023-13", "is no period"),
            ("from=2024-02-30", "is no day"),
            ("from=2024-03-01&to=2024-02-01", "ends before it begins"),
            ("agency=H42.99", "there is no agency"),
            ("agency=%3Cscript%3E", "there is no agency"),
            ("period=0999", "is no period"),
        ):
            answer = await client.get(f"/dashboard?{asked}")
            assert answer.status_code in {400, 422}, asked
            assert why in answer.text, asked
            assert "<script>" not in answer.text
        for path in ("/dashboard/nothing", "/dashboard/dossiers?which=nothing"):
            assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("choice", "first", "last"),
    [
        (Choice("2023"), date(2023, 1, 1), date(2023, 12, 31)),
        (Choice("2023-Q1"), date(2022, 4, 1), date(2023, 3, 31)),
        (Choice("2024-02"), date(2023, 3, 1), date(2024, 2, 29)),
        (Choice("", date(2024, 1, 5), date(2024, 3, 15)), date(2023, 4, 1), date(2024, 3, 15)),
    ],
)
def test_twelve_months_end_with_the_period(choice, first, last):
    year = dashboard._year(choice)
    assert (year.first, year.last) == (first, last)


# The pilot year ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year(server):
    return lived(server)


@pytest.fixture
async def pilot(year, tmp_path):
    async with running(year, tmp_path) as office:
        office.at = datetime(2024, 1, 20, 9, tzinfo=HANOI)
        yield office


async def test_the_pilot_year(pilot):
    async with sitting(pilot, CONTROL) as client:
        page = await text(client, "/dashboard?period=2023")
        for number in ("1,700", "1,479", "168", "21", "32"):
            assert number in page.text
        assert "98.74% of resolved (1,647 of 1,668)" in page.text
        assert "96.88% of received (1,647 of 1,700)" in page.text
        late = next(each for each in page.links if each.endswith("figure=late"))
        behind = await text(client, late)
        assert "21 dossiers, all there are" in behind.text
        loads = await text(client, "/dashboard/load?period=2023")
        assert "likely overloaded" in loads.text
        assert loads.text.count("likely overloaded") == 2  # the sentence, and the row
        targets = await text(client, "/dashboard/targets?period=2023")
        for number in ("91.89", "0.29", "28.89"):
            assert number in targets.text
        heated = await client.get("/dashboard/heat?period=2023")
        assert 'class="number heat h5"' in heated.text
        trend = await text(client, "/dashboard/trend?period=2023")
        assert sum(each.count("figure=late&") for each in trend.links) >= 8


async def test_twelve_months_add_up_to_the_year(pilot):
    async with sitting(pilot, CONTROL) as client:
        trend = await text(client, "/dashboard/trend?period=2023")
        months = [each for each in trend.links if "figure=late" in each and "where=" in each]
        found = 0
        for link in months:
            behind = await text(client, link)
            found += int(re.search(r"(\d+) dossiers, all", behind.text)[1])
        assert found == 21
