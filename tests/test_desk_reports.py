"""Reports at the desk: seen, opened to their dossiers, downloaded, frozen; by whom they may be."""

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from book import HANOI
from office import address, running
from pilot_year import lived
from sitting import Page, sitting
from test_breaches import CONTROL, DIRECTOR, OFFICER, april, licence

from api.desk.reports import naming, showing
from api.desk.voice import Voice
from states import catalogue
from states.clock.words import Lang
from states.figures import every
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet

OTHERS = "p-labour-director"
CATALOGUE = catalogue.load()
LIMIT = 8  # of links that are followed


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        office.at = april(20)
        yield office


@pytest.fixture
async def book(fresh):
    from states.catalogue import bundles

    async with fresh.begin() as connection:
        return await bundles.read(connection)


@pytest.fixture
async def two(fresh, book):
    """One finished late, one still running."""
    done, left = await licence(fresh, book), await licence(fresh, book)
    await done.finish(april(4, 15))
    return [done.paper.code, left.paper.code]


async def text(client, path, status=200):
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    page = Page(answer)
    assert page.forbidden == []
    return page


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_every_report_is_a_page_in_both_languages(office, two, lang):
    async with sitting(office, CONTROL, lang) as client:
        for name, report in every.REPORTS.items():
            answer = await client.get(f"/reports/{name}?period=2024")
            assert answer.status_code == 200, name
            page = Page(answer)
            assert page.forbidden == []
            assert (report.title.vi if lang == "vi" else report.title.en) in page.text
            downloads = [each for each in page.links if each.startswith(f"/v1/reports/{name}?")]
            assert len(downloads) >= 4
            assert all("period=2024" in each for each in downloads)
            if f"/reports/{name}/chart.svg" in answer.text:
                drawn = await client.get(f"/reports/{name}/chart.svg?period=2024")
                assert drawn.headers["content-type"].startswith("image/svg+xml")


NUMBER = re.compile(r'<a href="(/reports/\w+/dossiers\?[^"]+)">([\d,]+)</a>')
OPENED = (
    "/reports/bieu06?period=2024",
    "/reports/bieu06?period=2024&by=procedure&by=channel",
    "/reports/bieu06?period=2024&by=-",
    "/reports/bieu06?period=2024&by=agency&each=quarter",
    "/reports/bieu06?from=2024-03-01&to=2024-04-10&by=unit",
    "/reports/bieu06?period=2024&by=level",
    "/reports/procedures?period=2024",
    "/reports/channels?period=2024&agency=H42.03",
    "/reports/pace?period=2024",
    "/reports/apologies?period=2024",
)


async def test_each_number_opens_to_as_many_dossiers(office, two):
    async with sitting(office, CONTROL) as client:
        for path in OPENED:
            answer = await client.get(path)
            links = re.findall(
                r'<a href="(/reports/\w+/dossiers\?[^"]+)">([\d,]+)</a>', answer.text
            )
            assert links, path
            for link, number in links[:LIMIT]:
                behind = await text(client, link.replace("&amp;", "&"))
                told = re.search(r"(\d+) dossiers, all there are", behind.text)
                assert int(told[1]) == int(number.replace(",", "")), link


async def test_downloads_are_of_the_same_question(office, two):
    async with sitting(office, DIRECTOR) as client:
        asked = "from=2024-03-01&to=2024-04-30&by=agency&by=channel&agency=H42.03"
        page = await text(client, f"/reports/bieu06?{asked}")
        for form in ("xlsx", "csv", "pdf", "svg", "json"):
            (link,) = (each for each in page.links if each.endswith(f"format={form}")
                       or f"format={form}&" in each)  # fmt: skip
            answer = await client.get(link)
            assert answer.status_code == 200, answer.text
        rows = answer.json()["sheets"][0]["rows"]
        assert {row["agency"] for row in rows} == {"H42.03"}
        assert {row["channel"] for row in rows} == {"counter"}


async def test_figures_are_told_to_whom_v1_tells_them(office, two):
    async with sitting(office, OTHERS) as client:
        page = await text(client, "/reports/bieu06?period=2024")
        assert "H42.03" not in page.text
        assert not [each for each in page.links if "/dossiers?" in each and "figure=" in each]
        wrong = await client.get("/reports/bieu06?period=2024&agency=H42.03")
        assert (wrong.status_code, "there is no agency" in wrong.text) == (422, True)
        behind = await text(client, "/reports/bieu06/dossiers?period=2024&figure=late")
        assert two[0] not in behind.text
    async with sitting(office, OFFICER) as client:
        listed = await text(client, "/reports")
        assert "Figures are of whole agencies" in listed.text
        assert "/reports/bieu06" not in listed.links
        for path in ("/reports/bieu06", "/reports/bieu06/dossiers?figure=late", "/reports/frozen"):
            assert (await client.get(path)).status_code == 403
    async with sitting(office, "p-reception-01") as client:
        listed = await text(client, "/reports")
        assert "/reports/bieu06" in listed.links
        assert "/reports/load" not in listed.links
        people = await client.get("/reports/load?period=2024")
        assert people.status_code == 403
        assert "looks at people" in people.text


async def test_what_cannot_be_asked_is_said_beside_what_was(office):
    async with sitting(office, CONTROL) as client:
        for asked, why in (
            ("period=2024&by=colour", "not told apart by"),
            ("period=2024&each=fortnight", "divides no period"),
            ("period=2024&policy=never", "classes are read anew by one of"),
            ("period=2099", "has not begun"),
            ("period=2024&o-as_known=%3Cscript%3Ealert(1)%3C/script%3E", "is no date"),
            ("period=2024&with=2024-Q9", "is no period"),
            ("from=" + "9" * 300, "at most"),
            ("period=2024&agency=%E2%80%AEH42.03", "agency"),
        ):
            answer = await client.get(f"/reports/bieu06?{asked}")
            assert answer.status_code in {400, 422}, asked
            assert why in answer.text, asked
            assert "<script>alert" not in answer.text
            assert 'action="/reports/bieu06"' in answer.text or "%E2%80%AE" in asked
        assert (await client.get("/reports/nothing")).status_code == 404
        opened = await client.get("/reports/load/dossiers?figure=late&period=2024")
        assert "open to none" in opened.text


async def test_beside_another_period(office, two):
    """Rows of the same agency and the same part of the year."""
    async with sitting(office, CONTROL) as client:
        page = await text(client, "/reports/bieu06?period=2024&with=2023")
        assert "beside 01/01/2023" in page.text
        assert "+2" in page.text
        same = await text(client, "/reports/bieu06?period=2024&with=2024&each=month&by=agency")
        assert not re.search(r"[+−]\d", same.text)


# Frozen --------------------------------------------------------------------------------------


async def freeze(client, **said):
    form = {"report": "bieu06", "period": "2024-03", "reason": "", "key": "one"} | said
    return await client.post("/reports/frozen", data=form)


async def test_frozen_once_restated_with_a_reason_compared(fresh, office, book, two):
    async with sitting(office, CONTROL) as client:
        first, again = await freeze(client), await freeze(client)
        assert first.status_code == again.status_code == 303
        place = first.headers["location"]
        assert again.headers["location"] == place  # the same form, clicked twice
        twice = await freeze(client, key="two")
        assert "is frozen already" in twice.text
        nothing = await freeze(client, key="three", reason="Vì sao không")
        assert "there is nothing to restate" in nothing.text
        assert "Vì sao không" in nothing.text
        one = await text(client, place)
        assert "SHA-256" in one.text
        late = await licence(fresh, book, datetime(2024, 3, 25, 8, tzinfo=HANOI))
        compared = await text(client, f"{place}/compare")
        assert f"/dossiers/{late.paper.code}" in compared.links
        second = await freeze(client, key="four", reason="<script>nhập sau</script>")
        assert second.status_code == 303
        restated = await client.get(second.headers["location"])
        assert "&lt;script&gt;nhập sau" in restated.text
        assert "<script>nhập" not in restated.text
        listed = await text(client, "/reports/frozen")
        assert {place, second.headers["location"]} <= set(listed.links)
        open_ = await freeze(client, key="five", period="2024-04")
        assert "can be frozen from then on" in open_.text
    async with fresh.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM frozen")) == 2


async def test_who_sees_one_agency_freezes_nothing_and_reads_its_own(office, two):
    async with sitting(office, CONTROL) as client:
        place = (await freeze(client)).headers["location"]
        load = (await freeze(client, key="2", report="load")).headers["location"]
        assert "Nguyễn" in (await client.get(load)).text or (await client.get(load)).is_success
    async with sitting(office, DIRECTOR) as client:
        refused = await freeze(client, period="2024-02")
        assert refused.status_code == 403
        assert "is no leader of" in refused.text
        listed = await text(client, "/reports/frozen")
        assert place in listed.links
        assert load not in listed.links
        assert (await client.get(load)).status_code == 404
        own = await text(client, place)
        assert "Department of Science" in own.text
    async with sitting(office, OTHERS) as client:
        other = await text(client, place)
        assert "Department of Science" not in other.text
        compared = await text(client, f"{place}/compare")
        assert not any(code in compared.text for code in two)


# Words ---------------------------------------------------------------------------------------


def paper(cell, column):
    sheet = Sheet("s", Both("s", "s"), (column,), ((cell,),), dims=1)
    now = datetime(2024, 1, 1, tzinfo=HANOI)
    return Paper("load", Both("t", "t"), Both("", ""), None, now, now, (sheet,))


@pytest.mark.parametrize(
    ("cell", "column", "vi", "en"),
    [
        (1700, Column("n", Both("n", "n")), "1.700", "1,700"),
        (98.7410, Column("n", Both("n", "n"), Kind.percent), "98,74 %", "98.74 %"),
        (1234, Column("n", Both("n", "n"), Kind.minutes), "20h34", "20h34"),
        (-61, Column("n", Both("n", "n"), Kind.minutes), "-1h01", "-1h01"),
        (1234.56, Column("n", Both("n", "n"), Kind.decimal), "1.234,6", "1,234.6"),
        (True, Column("n", Both("n", "n"), Kind.yes), "có", "yes"),
        (None, Column("n", Both("n", "n")), "", ""),
        ("Tổng / Total", Column("agency", Both("n", "n"), Kind.called), "Tổng", "Total"),
        (Called("Toàn tỉnh", None), Column("whole", Both("n", "n"), Kind.called),
         "Toàn tỉnh", "The province"),
        (Called("lãnh đạo", "leader"), Column("role", Both("n", "n"), Kind.called),
         "Lãnh đạo", "Leader"),
        (Called("đạt", "met"), Column("verdict", Both("n", "n"), Kind.called), "đạt", "met"),
        ("=cmd|x", Column("person", Both("n", "n"), Kind.text), "=cmd|x", "=cmd|x"),
    ],
)  # fmt: skip
def test_a_cell_in_both_languages(cell, column, vi, en):
    for lang, expected in ((Lang.vi, vi), (Lang.en, en)):
        voice = Voice(lang)
        (table,) = showing.Showing(CATALOGUE, voice, ()).tables(paper(cell, column))
        assert table.lines[0].cells[0].text == expected


def test_every_name_of_the_catalogue_has_an_english_one():
    voice = Voice(Lang.en)
    for code, body in CATALOGUE.organisation.bodies.items():
        assert naming.bodies(CATALOGUE, voice)(code).startswith(body.name.en)
    for code in CATALOGUE.procedures:
        assert naming.procedures(CATALOGUE, voice)(code) == CATALOGUE.procedures[code].name.en


# The pilot year ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def year(server):
    return lived(server)


async def test_the_form_as_it_is_printed(year, tmp_path):
    async with running(year, tmp_path) as office:
        office.at = datetime(2024, 1, 20, 9, tzinfo=HANOI)
        async with sitting(office, CONTROL, "vi") as client:
            page = await text(client, "/reports/bieu06?period=2023")
    for number in ("1.700", "1.669", "31", "1.668", "1.479", "168", "21", "32"):
        assert number in page.text
    for of_the_form in ("(3)", "(13)", "Đơn vị báo cáo", "Người lập biểu", "98,74"):
        assert of_the_form in page.text
