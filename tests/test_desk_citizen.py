"""What anybody may read: a dossier by its slip, and the two lists of procedures."""

import gzip

import httpx
import pytest
from office import LICENCE, MORNING, address, running
from sitting import FORM, HERE, Page

from api.envelope import logged
from states.catalogue import load
from states.catalogue.matching import matching
from states.tracking import secret_part

LIGHT = 50_000  # bytes of a page with all that it needs


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
async def phone(office):
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False)
    cookies = {"hoso-lang": "en"}
    async with httpx.AsyncClient(
        transport=transport, base_url=HERE, headers=FORM, cookies=cookies
    ) as client:
        yield client


def slip(office, code):
    return secret_part(office.app.state.house.key("slip"), code)


async def test_the_address_on_the_slip_tells_the_dossier_and_nobody(office, phone):
    code = await office.code(applicant="Trần Văn Kín", phone="0912345678")
    answer = await phone.get(f"/track/{code}/{slip(office, code)}")
    assert answer.status_code == 200
    page = Page(answer)
    assert "its term has begun" in page.text
    assert "Promised for" in page.text
    assert "The date promised at receipt." in page.text
    assert "Kín" not in answer.text
    assert "0912345678" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cache-control"] == "no-store"
    assert page.forbidden == []


@pytest.mark.parametrize("by", ["secret", "phone"])
async def test_it_may_be_typed_too(office, phone, by):
    code = await office.code(phone="0912345678")
    proof = {"secret": slip(office, code).lower(), "phone": "5678"}
    answer = await phone.post("/track", data={"code": f" {code} ", by: proof[by]})
    assert answer.status_code == 200, answer.text
    assert "its term has begun" in answer.text


@pytest.mark.parametrize(
    "proof",
    [{}, {"secret": "00000000"}, {"phone": "0000"}, {"secret": "00000000", "phone": "5678"}],
)
async def test_a_wrong_proof_is_told_on_the_page_with_the_code_still_there(office, phone, proof):
    code = await office.code(phone="0912345678")
    answer = await phone.post("/track", data={"code": code} | proof)
    assert answer.status_code in {404, 422}
    assert f'value="{code}"' in answer.text
    assert "its term has begun" not in answer.text
    assert (await phone.get(f"/track/{code}/00000000")).status_code == 404


async def test_stars_and_words_are_kept_once_and_shown_to_its_holder(office, phone):
    code = await office.code()
    secret = slip(office, code)
    said = {"code": code, "secret": secret, "stars": "4", "words": "<script>alert(1)</script> tốt"}
    for _ in range(2):
        answer = await phone.post("/track/say", data=said)
        assert answer.status_code == 200, answer.text
        assert "It is on record" in answer.text
    page = (await phone.get(f"/track/{code}/{secret}")).text
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; tốt") == 1
    assert page.count("★★★★☆") == 1
    nothing = await phone.post("/track/say", data={"code": code, "secret": secret})
    assert nothing.status_code == 422
    assert "choose from one to five stars" in nothing.text
    stranger = await phone.post("/track/say", data=said | {"secret": "00000000"})
    assert stranger.status_code == 404


async def test_what_lacks_is_said_in_the_readers_language(office, phone):
    code = await office.code(phone="0912345678")
    for lang, unproved, unsaid in (
        ("vi", "hãy nhập mã tra cứu trên giấy tiếp nhận", "hãy chấm điểm từ 1 đến 5"),
        ("en", "give the secret part on the slip", "choose from one to five stars"),
    ):
        phone.cookies.set("hoso-lang", lang)
        answer = await phone.post("/track", data={"code": code})
        assert (answer.status_code, unproved in answer.text) == (422, True), answer.text
        answer = await phone.post("/track/say", data={"code": code, "phone": "5678"})
        assert (answer.status_code, unsaid in answer.text) == (422, True), answer.text


async def test_nothing_at_an_address_is_a_page_to_a_browser_alone(phone):
    answer = await phone.get("/nowhere", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert "nothing is at this address" in Page(answer).text
    for address_, accept in (("/nowhere", "application/json"), ("/v1/nowhere", "text/html")):
        answer = await phone.get(address_, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_page_from_elsewhere_says_nothing_for_a_citizen(office, phone):
    code = await office.code()
    said = {"code": code, "secret": slip(office, code), "stars": "1"}
    answer = await phone.post("/track/say", data=said, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_it_is_light(office, phone):
    code = await office.code()
    whole = 0
    paths = [f"/track/{code}/{slip(office, code)}", "/static/desk.css", "/static/mark.svg"]
    for path in paths:
        whole += len(gzip.compress((await phone.get(path)).content))
    assert whole < LIGHT
    assert "<script" not in (await phone.get(paths[0])).text


async def test_no_log_holds_a_secret():
    assert logged("/track/H42.14-240304-0001/7K3M9QXD") == "/track/H42.14-240304-0001/…"
    assert logged("/track") == "/track"


async def test_both_lists_are_whole_and_say_why(office, phone):
    answer = await phone.get("/public/procedures")
    book = load()
    day = book.day(office.at)
    everything = matching(book, day)
    for each in everything:
        assert each.code in answer.text
    may, may_not = answer.text.split('id="may-not"')
    for each in everything:
        assert each.code in (may if each.post.eligible else may_not)
        if each.post.reason:
            assert each.post.reason.en in may_not
    found = Page(await phone.get("/public/procedures?q=buu chinh"))
    assert LICENCE in found.text


def test_procedures_are_found_by_the_beginnings_of_words_without_accents():
    book = load()
    everything = matching(book, book.day(MORNING))
    assert len(everything) > 30
    for each in everything:
        letters = each.name.vi.split()
        typed = " ".join(word[:4] for word in letters[:4])
        assert each in matching(book, book.day(MORNING), typed)
