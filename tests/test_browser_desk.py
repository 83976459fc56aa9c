"""What goes wrong between a clerk and the desk, in a real browser: nothing typed is lost, and what
was sent is done once.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from browsing import PASSWORD, PHONE, House, aside, axe, browser, needed, opened, sign_in
from databases import alone, run_as_owner
from office import LICENCE

from states.accounts import tokens

RECEPTION, OFFICER = "p-reception-01", "p-sci-officer-21"
SEND = "#receive aside button.main"
NAME = "#f-applicant"


@pytest.fixture(scope="module")
def house(request, tmp_path_factory, worker_id) -> Iterator[House]:
    needed()
    server, name = request.getfixturevalue("server"), f"browser_{worker_id}"
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


def asked(house: House, said: str, **given: object) -> list[tuple]:
    """What the database says to this."""
    return aside(_asked(house.database, said, given))


async def _asked(address: str, said: str, given: dict[str, object]) -> list[tuple]:
    from states import db

    engine = db.engine(address, 1)
    try:
        async with db.transaction(engine) as connection:
            answer = await connection.execute(sa.text(said), given)
            return [tuple(row) for row in answer] if answer.returns_rows else []
    finally:
        await engine.dispose()


def received(house: House, name: str) -> int:
    """How many dossiers somebody of this name has."""
    return asked(house, "SELECT count(*) FROM dossier WHERE applicant = :name", name=name)[0][0]


def end_session(house: House, person: str) -> None:
    """As half an hour of doing nothing does."""
    access = tokens.digest(house.tokens.pop(person))
    ended = "UPDATE session SET access_until = now() - interval '1 s' WHERE access = :access"
    asked(house, ended, access=access)


@contextmanager
def receiving(house: House, name: str, person: str = RECEPTION, **how: object) -> Iterator:
    """A receipt that is filled in and not sent."""
    with house.seat(person, **how) as context:
        page = context.new_page()
        page.goto(f"/receive/form?procedure={LICENCE}")
        fill(page, name)
        yield context, page


def fill(page, name: str) -> None:
    page.fill(NAME, name)
    for box in page.locator("input[data-must]").all():
        box.check()


def done(page) -> str:
    """The code of what was received."""
    page.wait_for_url(re.compile("/receive/done/"))
    return str(page.url.rsplit("/", 1)[1])


def unlock(page, password: str = PASSWORD) -> None:
    page.locator("#lock[open]").wait_for()
    page.keyboard.type(password)
    page.keyboard.press("Enter")


# Signing in -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_somebody_signs_in_and_out(house, lang):
    house.token(RECEPTION)  # that there is an account
    with house.seat(lang=lang) as context:
        page = context.new_page()
        page.goto("/sign-in?next=/account")
        page.fill("[name=person]", RECEPTION)
        page.fill("[name=password]", "sai mật khẩu")
        page.keyboard.press("Enter")
        page.locator(".refusal").wait_for()
        assert page.input_value("[name=person]") == RECEPTION
        assert page.input_value("[name=password]") == ""
        axe(page)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/account")
        page.locator("form[action='/session/end'] button").click()
        page.wait_for_url("**/sign-in")
        page.goto("/account")
        assert "/sign-in" in page.url


# The lock ---------------------------------------------------------------------------------------


def test_a_session_that_ends_while_somebody_types_loses_nothing(house):
    with receiving(house, "Khóa Giữa Chừng") as (_, page):
        end_session(house, RECEPTION)
        page.locator(SEND).click()
        page.locator("#lock[open]").wait_for()
        axe(page, "the lock")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.locator("#lock[open]").wait_for()  # the second shuts it, and it opens anew at once
        unlock(page, "sai")
        page.locator("#lock .fault:not([hidden])").wait_for()
        assert received(house, "Khóa Giữa Chừng") == 0
        unlock(page)
        done(page)
    assert received(house, "Khóa Giữa Chừng") == 1


def test_the_draft_is_saved_after_the_lock_is_opened(house):
    with receiving(house, "Nháp") as (_, page):
        page.get_by_text("Đã lưu nháp").wait_for()
        end_session(house, RECEPTION)
        page.locator(NAME).press("End")
        page.keyboard.type(" Sau Khóa")
        unlock(page)
        page.locator("#lock[open]").wait_for(state="hidden")
        assert page.input_value(NAME) == "Nháp Sau Khóa"
        page.get_by_text("Đã lưu nháp").wait_for()
        page.reload()
        assert page.input_value(NAME) == "Nháp Sau Khóa"


def test_idle_for_half_an_hour_the_page_locks_itself(house):
    with house.seat(RECEPTION) as context:
        page = context.new_page()
        page.clock.install()
        page.goto("/account")
        page.clock.fast_forward("28:00")
        page.clock.run_for(11_000)
        assert page.locator("#lock[open]").count() == 0
        page.clock.fast_forward("02:00")
        page.clock.run_for(11_000)
        page.locator("#lock[open]").wait_for()


def test_another_tab_is_somebody_elses_by_now(house):
    """What one typed is not signed by the other."""
    house.token(OFFICER)
    with receiving(house, "Hai Người") as (context, page):
        page.get_by_text("Đã lưu nháp").wait_for()  # or it locks by itself when it is saved
        other = context.new_page()
        other.goto("/account")
        other.locator("form[action='/session/end'] button").click()
        other.wait_for_url("**/sign-in")
        house.tokens.pop(RECEPTION)
        sign_in(other, OFFICER)
        page.bring_to_front()
        page.locator(SEND).click()
        unlock(page)
        code = done(page)
    by = "SELECT actor FROM entry JOIN dossier d ON d.id = dossier_id WHERE d.code = :code"
    assert asked(house, by, code=code) == [(RECEPTION,)]


# Once -------------------------------------------------------------------------------------------


def test_a_double_click_receives_once(house):
    with receiving(house, "Bấm Hai Lần") as (_, page):
        page.locator(SEND).dblclick()
        done(page)
    assert received(house, "Bấm Hai Lần") == 1


def test_without_a_network_it_is_kept_said_and_sent_once(house):
    with receiving(house, "Mất Mạng") as (context, page):
        house.away.add(context)
        context.set_offline(True)
        page.locator(SEND).click()
        page.get_by_text("Mất kết nối").wait_for()
        assert page.input_value(NAME) == "Mất Mạng"
        assert received(house, "Mất Mạng") == 0
        context.set_offline(False)
        done(page)
    assert received(house, "Mất Mạng") == 1


def test_an_answer_that_was_lost_on_its_way_is_asked_for_again(house):
    """The house has it, the browser does not know: it is sent again and done once."""
    with receiving(house, "Mất Câu Trả Lời") as (context, page):
        house.away.add(context)
        tries = []

        def lose(route):
            tries.append(route.request.post_data)
            if len(tries) == 1:
                route.fetch()
                route.abort("connectionreset")
            else:
                route.continue_()

        page.route("**/receive/form", lose)
        page.locator(SEND).click()
        done(page)
        assert len(tries) == 2
        assert tries[0] == tries[1]
    assert received(house, "Mất Câu Trả Lời") == 1


def test_going_back_to_what_was_sent_sends_nothing_twice(house):
    with receiving(house, "Quay Lại") as (_, page):
        page.locator(SEND).click()
        code = done(page)
        page.go_back()
        page.wait_for_load_state()
        assert page.url.endswith(code)  # what was sent is no form any more
    assert received(house, "Quay Lại") == 1


# Refused ----------------------------------------------------------------------------------------


def test_what_is_to_be_mended_is_shown_in_place(house):
    with receiving(house, "") as (_, page):
        page.goto("/account")
        page.goto(f"/receive/form?procedure={LICENCE}")
        page.fill("#f-phone", "không phải số")
        address = page.url
        page.locator(SEND).click()
        page.locator("[aria-invalid]").first.wait_for()
        assert page.url == address
        assert page.input_value("#f-phone") == "không phải số"
        assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
        axe(page)
        page.go_back()
        page.wait_for_url("**/account")


def test_a_refusal_leaves_the_form_where_it_is(house):
    with house.seat(RECEPTION, lang="en") as context:
        page = context.new_page()
        page.goto("/design")
        page.evaluate(
            """() => { const form = document.querySelector("main form");
              form.method = "post"; form.action = "/account/role"; }"""
        )
        page.fill("#f-note", "typed before")
        page.locator("main form button.main").click()
        page.locator("main > .refusal").wait_for()
        assert "role" in page.inner_text("main > .refusal")
        assert page.input_value("#f-note") == "typed before"
        assert page.evaluate("document.activeElement.className") == "refusal"


# Drafts -----------------------------------------------------------------------------------------


def test_a_draft_is_found_after_the_browser_is_gone(house):
    with receiving(house, "Trần Thị Nháp") as (_, page):
        page.get_by_text("Đã lưu nháp").wait_for()
        address = page.url
    with house.seat(RECEPTION) as context:
        page = context.new_page()
        page.goto(address)
        assert page.input_value(NAME) == "Trần Thị Nháp"
        for box in page.locator("input[data-must]").all():
            assert box.is_checked()
        page.locator("form[action^='/drafts/drop'] button").click()
        page.locator("form[action^='/drafts/drop']").wait_for(state="detached")
        assert page.input_value(NAME) == ""


def test_what_could_not_be_saved_is_offered_again(house):
    with receiving(house, "Trước") as (context, page):
        page.get_by_text("Đã lưu nháp").wait_for()
        house.away.add(context)
        context.route("**/drafts?*", lambda route: route.abort())
        page.fill(NAME, "Sau Khi Mất Mạng")
        page.get_by_text("nháp được giữ trong trình duyệt").wait_for()
        page.reload()
        assert page.input_value(NAME) == "Trước"
        axe(page)
        context.unroute("**/drafts?*")
        page.get_by_role("button", name="Lấy lại").click()
        assert page.input_value(NAME) == "Sau Khi Mất Mạng"
        page.get_by_text("Đã lưu nháp").wait_for()
        page.reload()
        assert page.input_value(NAME) == "Sau Khi Mất Mạng"
        assert page.get_by_role("button", name="Lấy lại").count() == 0


def test_what_was_sent_is_no_draft_any_more(house):
    with receiving(house, "Không Còn Nháp") as (_, page):
        page.locator(NAME).press_sequentially("!", delay=1)
        page.locator(SEND).click()  # while the last of it is still being saved
        done(page)
    drafts = "SELECT 1 FROM draft WHERE typed::text LIKE '%Không Còn Nháp%'"
    assert asked(house, drafts) == []


# Keys -------------------------------------------------------------------------------------------


def test_a_dossier_is_received_by_the_keyboard_alone(house):
    with house.seat(RECEPTION) as context:
        page = context.new_page()
        page.goto("/account")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("g")
        page.keyboard.press("n")
        page.wait_for_url("**/receive")
        page.locator("#f-q").focus()
        page.keyboard.type(LICENCE)
        page.locator(f"#matches a[href*='{LICENCE}']").first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/receive/form**")
        page.locator("#f-citizen_id").focus()
        page.keyboard.press("Tab")
        page.keyboard.type("Bàn Phím")
        while not page.evaluate("document.activeElement.matches('input[name=handed]')"):
            page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.matches('input[name=handed]')"):
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
        page.keyboard.press("Control+Enter")
        done(page)
    assert received(house, "Bàn Phím") == 1


def test_keys_search_and_the_palette(house):
    with house.seat(RECEPTION) as context:
        page = context.new_page()
        page.goto("/account")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("g n /")  # is typed, and does nothing else
        assert page.input_value("#q") == "g n /"
        page.keyboard.press("Control+k")
        page.locator("#palette[open]").wait_for()
        axe(page, "the palette")
        page.keyboard.press("Escape")
        assert page.locator("#palette[open]").count() == 0


def test_single_keys_can_be_turned_off(house):
    with house.seat(RECEPTION) as context:
        page = context.new_page()
        page.goto("/account")
        page.locator("[data-single-keys]").uncheck()
        page.reload()
        assert not page.locator("[data-single-keys]").is_checked()
        page.locator("#main").focus()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "main"


def test_on_a_phone_the_pages_are_in_a_menu(house):
    with house.seat(RECEPTION, viewport=PHONE) as context:
        page = context.new_page()
        page.goto("/account")
        ways = page.locator("#ways")
        assert not ways.is_visible()
        page.locator(".menu-button").press("Enter")
        ways.wait_for()
        axe(page, "the menu of a phone")
        page.keyboard.press("Escape")
        ways.wait_for(state="hidden")


def test_without_script_a_form_still_works(house):
    with receiving(house, "Không Script", java_script_enabled=False) as (_, page):
        page.locator(SEND).click()
        done(page)
    assert received(house, "Không Script") == 1
