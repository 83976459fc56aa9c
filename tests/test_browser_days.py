"""The days of those who use it, walked in a real browser on the pilot year, in both languages.

A dossier goes through all hands: the counter, an officer, two leaders, the counter, its citizen.
The postal clerk receives for two agencies; a manager goes from a number to a deadline's working;
an agency looks at its procedure as a form and as YAML, at its calendar and its people.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from browsing import House, browser, needed, opened, ready
from office import LICENCE
from serving import SECRET

from config.secret import key
from states import tracking

AT = datetime(2024, 1, 2, 8, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
PAPERS = ("don", "dang-ky-kinh-doanh", "phuong-an")
LABOUR, SCHOOLS = "1.000459", "1.004650"  # of two agencies
SECRET_PAPERS = "2.002311"
YEAR = "from=2023-01-01&to=2023-12-31"


@pytest.fixture(scope="module")
def house(request: pytest.FixtureRequest, tmp_path_factory, worker_id: str) -> Iterator[House]:
    needed()
    import pilot_year

    database = pilot_year.copied(request.getfixturevalue("server"), f"days_{worker_id}")
    folder = tmp_path_factory.mktemp("house")
    with browser() as chrome, opened(database, folder, chrome, AT) as house:
        yield house


@pytest.fixture(autouse=True)
def nothing_bad(house: House) -> Iterator[None]:
    yield
    house.settled()


def received(page, procedure: str, name: str) -> str:
    """Received at the counter; its code."""
    page.goto(f"/receive/form?procedure={procedure}")
    page.fill("#f-applicant", name)
    page.click("[data-all]")
    page.click("#receive aside button.main")
    page.wait_for_url("**/receive/done/**")
    return str(page.url.rpartition("/")[2])


def scanned(page, code: str) -> None:
    """A file for each paper, picked beside it."""
    page.goto(f"/dossiers/{code}/digitise")
    pdf = page.request.get(f"/v1/dossiers/{code}/forms/slip")
    assert pdf.headers["content-type"] == "application/pdf"
    for paper in PAPERS:
        place = f"/v1/dossiers/{code}/components/{paper}"
        headers = {"Origin": page.url.split("/dossiers")[0], "Content-Type": "application/pdf"}
        given = page.request.put(place, data=pdf.body(), headers=headers)
        assert given.ok, given.text()


def act(page, code: str, event: str, **typed: str) -> None:
    """One act on the page of a dossier, by its form."""
    page.goto(f"/dossiers/{code}/do/{event}")
    form = page.locator("form.do")
    for name, value in typed.items():
        field = form.locator(f"[name={name}]").first
        if field.evaluate("each => each.type === 'radio'"):
            form.locator(f"[name={name}][value={value}]").check()
        elif field.evaluate("each => each.matches('select')"):
            field.select_option(value)
        else:
            field.fill(value)
    for box in form.locator("input[type=checkbox]").all():
        box.check()
    form.locator("[data-send]").click()
    page.wait_for_url(re.compile(r"/dossiers/[^/]+\?done=\d+"))


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_dossier_through_all_hands(house: House, lang: str) -> None:
    with house.seat("p-reception-01", lang) as counter:
        page = counter.new_page()
        page.goto("/receive")
        page.keyboard.type("giay phep buu chinh")
        page.keyboard.press("Enter")
        page.wait_for_url("**/receive/form?**draft=**")
        code = received(page, LICENCE, f"Nguyễn Thị Ánh {lang}")
        scanned(page, code)
        act(page, code, "digitise")
        act(page, code, "route")
    for person, event, typed in (
        ("p-sci-officer-21", "accept", {}),
        ("p-sci-officer-21", "advance", {}),
        ("p-sci-lead-02", "advance", {}),
        ("p-sci-director", "return_result", {"outcome": "approved"}),
    ):
        with house.seat(person, lang) as context:
            page = context.new_page()
            page.goto("/today")
            ready(page)
            act(page, code, event, **typed)
    with house.seat("p-reception-01", lang) as counter:
        page = counter.new_page()
        page.goto("/dossiers")
        page.fill("#q", code)
        page.press("#q", "Enter")
        page.wait_for_url(f"**/dossiers/{code}")
        act(page, code, "deliver", channel="counter")
    secret = tracking.secret_part(key(SECRET.encode(), "slip"), code)
    with house.seat(None, lang) as phone:
        page = phone.new_page()
        page.goto(f"/track/{code}/{secret}")
        said = {"vi": "Kết quả đã được trả.", "en": "The result was handed over."}
        assert page.inner_text("h1") == said[lang]
        page.locator("[name=stars][value='5']").check()
        page.fill("#words", "Nhanh, cảm ơn")
        page.locator("form[action='/track/say'] button").click()
        assert "Nhanh, cảm ơn" in page.inner_text(".said")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_postal_clerks_day(house: House, lang: str) -> None:
    agencies = {
        "vi": ("Sở Lao động – Thương binh và Xã hội", "Sở Giáo dục và Đào tạo"),
        "en": ("Department of Labour", "Department of Education"),
    }
    with house.seat("p-post-01", lang) as context:
        page = context.new_page()
        for procedure, agency in zip((LABOUR, SCHOOLS), agencies[lang], strict=True):
            code = received(page, procedure, f"Trần Văn Bưu {lang}")
            assert agency in page.inner_text("main")  # for whom it was done
            page.goto(f"/dossiers/{code}")
            assert agency in page.inner_text("main")
        page.goto(f"/receive?q={SECRET_PAPERS}")  # what the post may not carry
        assert SECRET_PAPERS in page.inner_text("main")
        assert page.locator(f"a[href*='procedure={SECRET_PAPERS}']").count() == 0


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_from_a_managers_number_to_a_deadlines_working(house: House, lang: str) -> None:
    with house.seat("p-control-01", lang) as context:
        page = context.new_page()
        page.goto(f"/dashboard?{YEAR}")
        ready(page)
        late = page.locator("main a:visible", has_text=re.compile(r"^\s*21\b")).first
        late.click()
        page.wait_for_load_state()
        rows = page.locator("main tbody tr")
        assert rows.count() == 21
        rows.first.locator("a[href^='/dossiers/']").first.click()
        page.wait_for_url(re.compile(r"/dossiers/H42"))
        assert page.locator("#clock, [id*=clock]").first.is_visible()
        page.goto("/breaches")
        page.locator("main tbody a[href^='/breaches/']").first.click()
        page.wait_for_load_state()
        page.goto("/reports/bieu06?period=2023")
        for number in ("1.479", "1,479"):
            if number in page.inner_text("main"):
                break
        else:
            pytest.fail("the report has no 1,479")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_an_agencys_day(house: House, lang: str) -> None:
    with house.seat("p-sci-director", lang) as context:
        page = context.new_page()
        page.goto("/procedures")
        page.goto(f"/procedures/{LICENCE}/edit")
        ready(page)
        assert page.locator("main form").first.is_visible()
        page.goto(f"/procedures/{LICENCE}/edit?view=yaml")
        ready(page)
        assert LICENCE in page.locator("main textarea").first.input_value()
        page.goto("/calendars/vn?year=2024")
        assert page.locator("a[href*='/days/2024-05-02']").first.is_visible()
        page.goto("/people")
        page.goto("/people/p-sci-officer-21")
        assert "Đỗ Đức Uyên" in page.inner_text("main")
