"""Digitising at the desk: what there is, who may add to it, and the move that ends it."""

import pytest
from handing_in import path
from office import CLERK, RECEPTION, address, entries, running
from samples import pdf
from sitting import Page, sitting

POSTAL = {"Hoso-Role": "postal", "Hoso-For": "H42.03"}
PAPERS = ("don", "dang-ky-kinh-doanh", "phuong-an")


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
async def desk(office):
    async with sitting(office, "p-reception-01") as client:
        yield client


@pytest.fixture
async def code(office):
    return await office.code(components={})


async def put(client, code, component="don", body=None, **headers):
    """As the page's script does it: by the cookie, from a page of ours."""
    address = path(code, component, name=f"{component}.pdf", provenance="scanned")
    headers = {"Content-Type": "application/pdf", "Hoso-Role": "reception"} | headers
    return await client.put(address, content=body or pdf(component), headers=headers)


async def finish(client, code, **more):
    page = Page(await client.get(f"/dossiers/{code}/digitise"))
    fields = page.form(f"/dossiers/{code}/digitise")
    return await client.post(f"/dossiers/{code}/digitise", data=fields | more)


async def test_what_lacks_is_said_and_the_move_stays_shut(office, desk, code, fresh):
    page = await desk.get(f"/dossiers/{code}/digitise")
    assert page.text.count("No file yet") == 3
    assert "Lacking: Application on the prescribed form; Copy of the enterprise" in page.text
    assert 'data-finish disabled aria-describedby="closed"' in page.text
    assert Page(page).forbidden == []
    before = await entries(fresh)
    refused = await finish(desk, code)
    assert refused.status_code == 409
    assert "a required component still has no file" in refused.text
    assert await entries(fresh) == before


async def test_files_come_by_the_cookie_and_the_dossier_goes_on_with_them(office, desk, code):
    for component in PAPERS:
        assert (await put(desk, code, component)).status_code == 201
    part = await desk.get(f"/dossiers/{code}/digitise/files")
    assert part.text.lstrip().startswith("<ol")
    assert "All that is required is here." in part.text
    assert f"/v1/dossiers/{code}/components/don" in Page(part).links
    told = await office.read(code, "/components")
    assert told["components"][0]["file"]["sha256"][:8] in part.text
    done = await finish(desk, code)
    assert (done.status_code, done.headers["location"]) == (303, f"/dossiers/{code}")
    after = await office.read(code)
    assert (after["state"], after["missing"]) == ("digitised", 0)
    bound = {
        each["component"]: each["bound"]
        for each in (await office.read(code, "/components"))["components"]
    }
    assert all(bound.values())


async def test_twice_clicked_is_once_moved_and_a_stale_page_is_told(office, desk, code, fresh):
    for component in PAPERS:
        await put(desk, code, component)
    page = Page(await desk.get(f"/dossiers/{code}/digitise"))
    fields = page.form(f"/dossiers/{code}/digitise")
    first = await desk.post(f"/dossiers/{code}/digitise", data=fields)
    again = await desk.post(f"/dossiers/{code}/digitise", data=fields)
    assert first.status_code == again.status_code == 303
    assert await entries(fresh) == 2
    late = await desk.post(f"/dossiers/{code}/digitise", data=fields | {"key": "another"})
    assert late.status_code in {409, 412}
    assert "moved by somebody else" in late.text or "is not open" in late.text
    assert await entries(fresh) == 2


async def test_a_replaced_file_stays_to_be_had(office, desk, code):
    await put(desk, code, "don")
    assert (await put(desk, code, "don", pdf("anew"))).status_code == 200
    page = Page(await desk.get(f"/dossiers/{code}/digitise"))
    assert "Replaced (1)" in page.text
    assert f"/v1/dossiers/{code}/components/don/1" in page.links


async def test_another_agencys_people_do_not_know_of_it(office, code):
    async with sitting(office, "p-fin-director") as client:
        for at in ("digitise", "digitise/files"):
            assert (await client.get(f"/dossiers/{code}/{at}")).status_code == 404
        answer = await client.post(f"/dossiers/{code}/digitise", data={"key": "k"})
        assert answer.status_code == 404


async def test_who_may_only_read_is_offered_no_field(office, code):
    async with sitting(office, "p-control-01") as client:
        page = await client.get(f"/dossiers/{code}/digitise")
        assert page.status_code == 200
        assert "data-pick" not in page.text
        assert "No file may be added" in page.text
        refused = await client.post(f"/dossiers/{code}/digitise", data={"key": "k"})
        assert refused.status_code == 403


async def test_a_postal_clerk_puts_files_for_the_agency_of_the_dossier(office):
    opened = await office.opened(CLERK, channel="post", components={})
    code = opened.json()["code"]
    async with sitting(office, "p-post-01") as client:
        assert 'data-for="H42.03"' in (await client.get(f"/dossiers/{code}/digitise")).text
        for component in PAPERS:
            answer = await put(client, code, component, **POSTAL)
            assert answer.status_code == 201, answer.text
        assert (await finish(client, code)).status_code == 303
    line = (await office.read(code, "/history"))["entries"][-1]
    assert (line["role"], line["on_behalf_of"]) == ("postal", "H42.03")


async def test_a_finished_dossier_takes_no_more(office, desk):
    code = await office.code(event="register", components={})
    await office.move(code, "decline", RECEPTION, {"reason": "sai nơi"})
    page = await desk.get(f"/dossiers/{code}/digitise")
    assert "its files change no more" in page.text
    assert "data-pick" not in page.text


async def test_that_it_was_read_is_kept(office, desk, code):
    await desk.get(f"/dossiers/{code}/digitise")
    answer = await office.client.get(
        f"/v1/dossiers/{code}/looks", headers={"Hoso-Person": "p-control-01"}
    )
    assert [each["door"] for each in answer.json()["looks"]] == ["GET /dossiers/{code}/digitise"]


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_both_languages_and_who_has_no_script_is_told(office, code, lang):
    words = {
        "vi": ("Hoàn tất số hóa", "Gửi tệp cần JavaScript"),
        "en": ("Finish digitising", "needs JavaScript"),
    }
    async with sitting(office, "p-reception-01", lang) as client:
        text = (await client.get(f"/dossiers/{code}/digitise")).text
        assert all(each in text for each in words[lang])


async def test_hostile_names_are_text(office, desk):
    code = await office.code(applicant="<script>alert(1)</script>", components={})
    page = Page(await desk.get(f"/dossiers/{code}/digitise"))
    assert "<script>alert(1)</script>" in page.text
    assert page.forbidden == []
