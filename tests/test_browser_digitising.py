"""A counter's first dossier by keys alone, and its scans in a real browser: matched, turned, bound
into one file, sent once whatever the network does.
"""

from collections.abc import Iterator
from io import BytesIO

import pytest
from browsing import OFFICE, House, axe, browser, needed, opened
from databases import alone, run_as_owner
from office import LICENCE
from samples import pdf

RECEPTION, CLERK = "p-reception-01", "p-post-01"
CARD = "035093001234|111222333|Nguyễn Thị Ánh|01011993|Nữ|Hà Nam|01012021"
PDF = {"name": "phuong-an.pdf", "mimeType": "application/pdf", "buffer": pdf("phương án")}
PROGRAM = {"name": "quet.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + b"\0" * 9_000}
HUGE = 120_000_000


@pytest.fixture(scope="module")
def house(request, tmp_path_factory, worker_id) -> Iterator[House]:
    needed()
    server, name = request.getfixturevalue("server"), f"scans_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    folder = tmp_path_factory.mktemp("house")
    with browser() as chrome, opened(server.address(name, "hoso_app"), folder, chrome) as house:
        yield house


@pytest.fixture(autouse=True)
def nothing_bad(house) -> Iterator[None]:
    yield
    house.settled()


@pytest.fixture
def page(house):
    with house.seat(RECEPTION, viewport=OFFICE) as context:
        yield context.new_page()


@pytest.fixture
def scans(page) -> list[dict[str, object]]:
    """Two sheets as a scanner gives them."""
    made = []
    page.set_viewport_size({"width": 413, "height": 585})
    for n in (1, 2):
        page.set_content(f"<h1>{n}</h1>")
        image = page.screenshot(type="jpeg")
        made.append({"name": f"scan-{n}.jpg", "mimeType": "image/jpeg", "buffer": image})
    page.set_viewport_size(OFFICE)
    return made


def on(code: str) -> str:
    return f"/dossiers/{code}/digitise"


def code_of(page) -> str:
    return page.url.rpartition("/")[2]


@pytest.fixture
def code(page) -> str:
    """A dossier whose papers are all on the desk, and none in the house."""
    page.goto(f"/receive/form?procedure={LICENCE}")
    page.fill("#f-applicant", "Trần Văn Bảo")
    page.click("[data-all]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/receive/done/**")
    return code_of(page)


def given(page, code: str, component: str):
    return page.request.get(f"/v1/dossiers/{code}/components/{component}")


def queued(page, n: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#queue li")).to_have_count(n)


# The first dossier ------------------------------------------------------------------------


def test_the_first_dossier_takes_a_few_keys_and_no_mouse(page):
    page.goto("/receive")
    page.keyboard.type("giay phep buu chinh")
    page.keyboard.press("Enter")
    page.wait_for_url("**/receive/form?**draft=**")
    page.keyboard.type(CARD)
    page.keyboard.press("Enter")  # as a scanner ends what it reads
    assert page.input_value("#f-applicant") == "Nguyễn Thị Ánh"
    assert page.input_value("#f-citizen_id") == "035093001234"
    page.locator("#known p").wait_for()  # nobody came with it before
    page.focus("[name=handed]")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/receive/done/**")
    assert code_of(page) in page.inner_text("h1")
    axe(page)
    page.keyboard.press("d")
    page.wait_for_url("**/digitise")


def test_who_came_before_is_taken_over(page):
    for phone in ("0912345678", ""):
        page.goto(f"/receive/form?procedure={LICENCE}")
        page.fill("#f-citizen_id", "035093005678")
        page.keyboard.press("Enter")
        page.locator("#known p").wait_for()
        if not phone:
            page.click("[data-take]")
            assert page.input_value("#f-applicant") == "Lê Thị Như"
            assert page.input_value("#f-phone") == "0912345678"
        page.fill("#f-applicant", "Lê Thị Như")
        page.fill("#f-phone", phone or "0987654321")
        page.click("[data-all]")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/receive/done/**")


def test_the_promise_follows_the_channel(page):
    asked = []
    page.goto(f"/receive/form?procedure={LICENCE}")
    page.on("request", lambda each: asked.append(each.url) if "/promise" in each.url else None)
    with page.expect_response("**/receive/promise?**") as answer:
        page.check("[name=channel][value=post]")
    assert answer.value.status == 200
    assert "channel=post" in asked[0]
    assert page.locator("#promise time").count() == 1


def test_arrows_choose_a_procedure(page):
    page.goto("/receive")
    first = page.locator("#matches a b").nth(1).inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/receive/form?**")
    assert page.inner_text("h1") == first


# Scans ------------------------------------------------------------------------------------


def test_images_of_one_paper_become_one_file_and_a_turned_one_is_turned(page, code, scans):
    import pypdf

    page.goto(on(code))
    page.set_input_files("#pick", [*scans, PDF])
    queued(page, 3)
    assert page.locator("#queue select").nth(2).input_value() == "phuong-an"  # by its name
    page.keyboard.press("1")
    page.keyboard.press("1")
    page.locator("#queue li").nth(1).press("r")
    axe(page)
    page.click("#send")
    queued(page, 0)
    bound = pypdf.PdfReader(BytesIO(given(page, code, "don").body()), strict=True)
    sizes = [(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in bound.pages]
    assert sizes == [(595, 842), (842, 595)]
    assert given(page, code, "phuong-an").body() == PDF["buffer"]


def test_what_is_not_turned_is_sent_as_it_came_and_one_key_ends_it(page, code, scans):
    page.goto(on(code))
    page.set_input_files("#pick", [*scans, PDF])
    page.click("#order")
    page.click("#send")
    queued(page, 0)
    assert given(page, code, "don").body() == scans[0]["buffer"]
    page.keyboard.press("f")
    page.wait_for_url(f"**/dossiers/{code}")
    assert page.request.get(f"/v1/dossiers/{code}").json()["state"] == "digitised"


def test_what_is_dropped_on_a_paper_is_of_it(page, code):
    page.goto(on(code))
    page.evaluate(
        """() => {
          const held = new DataTransfer(), type = "application/pdf";
          held.items.add(new File(["%PDF-1.7\\nkéo\\n%%EOF\\n"], "x.pdf", { type }));
          const how = { dataTransfer: held, bubbles: true, cancelable: true };
          document.querySelector("[data-component=don]").dispatchEvent(new DragEvent("drop", how));
        }"""
    )
    queued(page, 1)
    assert page.locator("#queue select").input_value() == "don"
    page.keyboard.press("u")
    queued(page, 0)
    assert given(page, code, "don").body().startswith(b"%PDF-1.7\nk")


def test_what_is_refused_says_so_in_its_place_and_is_sent_no_more_than_begun(page, code, tmp_path):
    heavy = tmp_path / "nang.pdf"
    with heavy.open("wb") as file:
        file.truncate(HUGE)
    sent = []
    page.on("request", lambda asked: sent.append(asked) if asked.method == "PUT" else None)
    page.goto(on(code))
    page.set_input_files("#pick", PROGRAM)
    page.keyboard.press("1")
    page.click("#send")
    page.locator("#queue .fault", has_text="PDF, ảnh").wait_for()
    page.set_input_files("#pick", heavy)
    queued(page, 2)
    assert "quá 100 MB" in page.locator("#queue .fault").nth(1).inner_text()
    assert len(sent) == 1
    assert given(page, code, "don").status == 404


def test_a_lost_network_is_waited_for_and_the_file_comes_once(house, page, code):
    page.goto(on(code))
    house.away.add(page.context)
    page.set_input_files("[data-component=don] [data-pick]", PDF)
    page.context.set_offline(True)
    page.click("#send")
    page.locator("#queue [data-state]", has_text="Mất kết nối").wait_for()
    page.context.set_offline(False)
    queued(page, 0)
    told = page.request.get(f"/v1/dossiers/{code}/components").json()["components"][0]
    assert told["file"]["n"] == 1
    assert told["earlier"] == []


def test_an_answer_that_was_lost_is_asked_for_again_and_changes_nothing(house, page, code):
    page.goto(on(code))
    house.away.add(page.context)
    lost = []

    def lose(route):
        lost.append(route.fetch())  # it arrived, and its answer does not
        route.abort()

    page.route("**/components/**", lose, times=1)
    page.set_input_files("[data-component=don] [data-pick]", PDF)
    page.click("#send")
    queued(page, 0)
    assert lost[0].status == 201
    told = page.request.get(f"/v1/dossiers/{code}/components").json()["components"][0]
    assert (told["file"]["n"], told["earlier"]) == (1, [])


def test_a_postal_clerk_sends_them_for_the_agency(house):
    with house.seat(CLERK, viewport=OFFICE) as context:
        page = context.new_page()
        page.goto(f"/receive/form?procedure={LICENCE}")
        page.fill("#f-applicant", "Đặng Hữu Phước")
        page.click("[data-all]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/receive/done/**")
        code = code_of(page)
        page.keyboard.press("d")
        page.wait_for_url("**/digitise")
        page.set_input_files("[data-component=phuong-an] [data-pick]", PDF)
        page.click("#send")
        queued(page, 0)
        assert given(page, code, "phuong-an").body() == PDF["buffer"]
