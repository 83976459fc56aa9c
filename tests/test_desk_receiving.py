"""Receiving at the desk: choosing, the form with its draft, one dossier however it is sent."""

import re

import pytest
import sqlalchemy as sa
from office import LICENCE, address, entries, running
from sitting import Page, sitting

from states import db
from states.ledger.statements import dossier, entry

NUMBER = "0a1b2c3d"
ALL = ["don", "phuong-an"]
TYPED = {
    "procedure": LICENCE,
    "draft": NUMBER,
    "key": f"receive-{NUMBER}",
    "channel": "counter",
    "applicant": "Nguyễn Thị Ánh",
    "handed": ALL,
    "said": "receive",
}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
async def desk(office):
    async with sitting(office, "p-reception-01") as client:
        yield client


def form(**said):
    return {name: value for name, value in (TYPED | said).items() if value is not None}


async def receive(client, **said):
    return await client.post("/receive/form", data=form(**said))


async def received(client, **said):
    answer = await receive(client, **said)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/receive/done/")
    return answer.headers["location"].removeprefix("/receive/done/")


async def row(office, code):
    async with db.transaction(office.app.state.house.engine) as connection:
        asked = sa.select(dossier).where(dossier.c.code == code)
        return (await connection.execute(asked)).one()


async def lines(office, code):
    async with db.transaction(office.app.state.house.engine) as connection:
        asked = sa.select(entry).join(dossier, dossier.c.id == entry.c.dossier_id)
        found = await connection.execute(asked.where(dossier.c.code == code).order_by(entry.c.seq))
        return found.all()


# Choosing ---------------------------------------------------------------------------------


async def test_a_few_letters_without_accents_find_a_procedure(desk):
    page = Page(await desk.get("/receive/matches?q=buu chinh giay phep"))
    assert f"/receive/form?procedure={LICENCE}" in page.links
    assert page.forbidden == []
    assert "There is no such procedure" in (await desk.get("/receive/matches?q=xyzxyz")).text


async def test_what_is_not_the_posts_is_listed_with_the_reason_and_leads_nowhere(office):
    async with sitting(office, "p-post-01") as client:
        page = Page(await client.get("/receive?q=2.002311"))
        assert "The post may not take it: The dossier may hold state secrets" in page.text
        assert not [each for each in page.links if "2.002311" in each]
        answer = await client.get("/receive/form?procedure=2.002311&draft=" + NUMBER)
        assert answer.status_code == 403
    async with sitting(office, "p-reception-01") as client:
        assert (
            "/receive/form?procedure=2.002311"
            in Page(await client.get("/receive?q=2.002311")).links
        )


@pytest.mark.parametrize(
    "path", ["/receive", "/receive/matches", "/receive/done/H42.14-240304-0001"]
)
async def test_who_receives_nothing_is_told_so(office, path):
    async with sitting(office, "p-sci-officer-21") as client:
        answer = await client.get(path)
        assert answer.status_code == 403
        assert "receives no dossiers" in answer.text


async def test_an_officer_cannot_open_one_by_sending_the_form(office, fresh):
    async with sitting(office, "p-sci-officer-21") as client:
        assert (await receive(client)).status_code == 403
    assert await entries(fresh) == 0


# The form ---------------------------------------------------------------------------------


async def test_a_form_gets_a_number_so_that_it_is_found_again(desk):
    answer = await desk.get(f"/receive/form?procedure={LICENCE}")
    assert answer.status_code == 303
    assert re.fullmatch(
        rf"/receive/form\?procedure={LICENCE}&draft=[0-9a-f]{{8}}", answer.headers["location"]
    )
    page = Page(await desk.get(answer.headers["location"]))
    number = answer.headers["location"][-8:]
    assert page.form("/receive/form")["key"] == f"receive-{number}"
    assert "Application on the prescribed form" in page.text
    assert "03/04/2024 17:00" in page.text  # 30 calendar days from the morning of 4 March
    assert page.forbidden == []


@pytest.mark.parametrize("draft", ["x", "0A1B2C3D", "0a1b2c3d4", "../etc"])
async def test_no_other_number_is_taken(desk, draft):
    answer = await desk.get("/receive/form", params={"procedure": LICENCE, "draft": draft})
    assert answer.status_code == 422


async def test_a_dossier_is_received_with_its_slip_and_its_promise(office, desk):
    code = await received(
        desk, phone="0912 345.678", email="anh@example.vn", citizen_id="035093001234"
    )
    kept = await row(office, code)
    assert (kept.state, kept.channel, kept.applicant) == ("received", "counter", "Nguyễn Thị Ánh")
    assert (kept.phone, kept.email, kept.counter) == ("0912345678", "anh@example.vn", "H42.14.01")
    assert kept.citizen is not None
    assert "035093001234" not in str(kept)
    page = Page(await desk.get(f"/receive/done/{code}"))
    assert code in page.text
    assert "03/04/2024 17:00" in page.text
    assert f"/v1/dossiers/{code}/forms/slip" in page.links
    assert f"/dossiers/{code}/digitise" in page.links
    assert page.forbidden == []
    opened = await office.client.get(f"/v1/track/{code}", params={"secret": secret(page)})
    assert opened.status_code == 200


def secret(page):
    return re.search(r"printed on the slip([0-9A-Z]{4}-[0-9A-Z]{4})", page.text)[1]


async def test_a_scanned_card_is_its_number(office, desk):
    card = "035093001234|111222333|Nguyễn Thị Ánh|01011993|Nữ|Hà Nam|01012021"
    first = await row(office, await received(desk, citizen_id=card))
    other = "0a1b2c3e"
    again = await received(desk, citizen_id="035 093 001 234", draft=other, key=f"receive-{other}")
    assert (await row(office, again)).citizen == first.citizen


# Once -------------------------------------------------------------------------------------


async def test_sent_twice_from_two_tabs_or_after_going_back_it_is_one_dossier(office, desk, fresh):
    code = await received(desk)
    assert await received(desk) == code
    assert await entries(fresh) == 1
    back = await desk.get(f"/receive/form?procedure={LICENCE}&draft={NUMBER}")
    assert back.headers["location"] == f"/receive/done/{code}"
    other = await receive(desk, applicant="Trần Văn Bảo")
    assert other.status_code == 422
    assert "Trần Văn Bảo" in other.text  # to be copied
    assert await entries(fresh) == 1


async def test_whatever_key_is_sent_a_drafts_number_makes_one_dossier(desk, fresh):
    code = await received(desk)
    assert await received(desk, key="another") == code
    assert await received(desk, key=None) == code
    assert await entries(fresh) == 1


async def test_a_draft_is_found_again_and_goes_with_the_dossier(office, desk):
    draft = {
        "applicant": "Ánh <b>",
        "handed": ["don"],
        "procedure": LICENCE,
        "citizen_id": "035093001234",
    }
    saved = await desk.post(f"/drafts?form=receive/{NUMBER}", data=draft)
    assert saved.status_code == 204
    listed = Page(await desk.get("/receive"))
    assert f"/receive/form?procedure={LICENCE}&draft={NUMBER}" in listed.links
    assert "Ánh <b>" in listed.text
    answer = await desk.get(f"/receive/form?procedure={LICENCE}&draft={NUMBER}")
    assert 'value="Ánh &lt;b&gt;"' in answer.text
    assert re.search(r'value="don"[^>]* checked', answer.text)
    assert "035093001234" not in answer.text  # kept nowhere, so in no draft
    assert "Begin anew" in answer.text
    await received(desk)
    assert "Begun and not sent" not in (await desk.get("/receive")).text


async def test_nobody_finds_anothers_draft(office, desk):
    await desk.post(
        f"/drafts?form=receive/{NUMBER}", data={"applicant": "Ánh", "procedure": LICENCE}
    )
    async with sitting(office, "p-post-01") as other:
        assert "Ánh" not in (await other.get("/receive")).text
        answer = await other.get(f"/receive/form?procedure={LICENCE}&draft={NUMBER}")
        assert 'value="Ánh"' not in answer.text


# What is lacking --------------------------------------------------------------------------


async def test_what_is_not_ticked_is_said_and_nothing_is_written(desk, fresh):
    answer = await receive(desk, handed=["don"], phone="0912345678")
    assert answer.status_code == 422
    page = Page(answer)
    assert "Required papers are not ticked" in page.text
    assert page.text.count("Business plan") == 2  # in the list, and as what is lacking
    assert 'value="0912345678"' in answer.text
    assert "Chưa nộp: Phương án kinh doanh." in answer.text
    assert await entries(fresh) == 0


async def test_it_may_be_received_anyway_and_the_line_says_without_what(office, desk):
    code = await received(desk, handed=None, said="anyway")
    (line,) = await lines(office, code)
    assert line.event == "receive"
    assert line.reason == "Chưa nộp: Đơn hoặc tờ khai theo mẫu; Phương án kinh doanh."


@pytest.mark.parametrize(
    ("said", "event", "state", "form_"),
    [
        ("ask", "request_supplement", "awaiting_supplement", "supplement"),
        ("decline", "decline", "declined", "refusal"),
    ],
)
async def test_it_may_be_sent_back_or_declined_with_a_form(
    office, desk, fresh, said, event, state, form_
):
    code = await received(desk, handed=None, said=said, reason="Thiếu phương án")
    assert await received(desk, handed=None, said=said, reason="Thiếu phương án") == code
    assert await entries(fresh) == 2
    first, second = await lines(office, code)
    assert (first.event, second.event, second.reason) == ("register", event, "Thiếu phương án")
    assert (await row(office, code)).state == state
    page = Page(await desk.get(f"/receive/done/{code}"))
    assert f"/v1/dossiers/{code}/forms/{form_}" in page.links


@pytest.mark.parametrize("said", ["ask", "decline"])
async def test_without_a_reason_it_is_neither(desk, fresh, said):
    answer = await receive(desk, handed=None, said=said)
    assert answer.status_code == 422
    assert "is needed: the citizen is told why" in answer.text
    assert "data-open" in answer.text
    assert await entries(fresh) == 0


async def test_what_is_only_registered_has_no_date(office, desk):
    code = await received(desk, handed=None, said="register", channel="online")
    kept = await row(office, code)
    assert (kept.state, kept.due_at) == ("registered", None)
    page = Page(await desk.get(f"/receive/done/{code}"))
    assert "No clock yet" in page.text
    assert f"/v1/dossiers/{code}/forms/slip" not in page.links


# The post ---------------------------------------------------------------------------------


async def test_a_postal_clerk_acts_for_the_agency_of_the_procedure(office):
    async with sitting(office, "p-post-01") as client:
        page = await client.get(f"/receive/form?procedure={LICENCE}&draft={NUMBER}")
        assert "You act for" in page.text
        assert re.search(r'value="post" checked', page.text)
        assert "Decline" not in page.text
        code = await received(client, channel="post")
        assert (await client.get(f"/receive/done/{code}")).status_code == 200
    (line,) = await lines(office, code)
    assert (line.role, line.on_behalf_of) == ("postal", "H42.03")
    async with sitting(office, "p-post-01") as client:
        other = {"draft": "0a1b2c3e", "key": "receive-0a1b2c3e"}
        refused = await receive(client, said="decline", reason="x", **other)
        assert refused.status_code == 403


# What was known ---------------------------------------------------------------------------


async def test_who_came_before_is_offered_and_the_look_is_kept(office, desk):
    code = await office.code(citizen_id="035093001234", phone="0912345678", components={})
    answer = await desk.post("/receive/known", data={"citizen_id": "035093001234"})
    assert 'data-phone="0912345678"' in answer.text
    assert "Nguyễn Thị Ánh" in answer.text
    looks = await office.client.get(
        f"/v1/dossiers/{code}/looks", headers={"Hoso-Person": "p-control-01"}
    )
    assert [each["door"] for each in looks.json()["looks"]] == ["POST /receive/known"]
    none = await desk.post("/receive/known", data={"citizen_id": "035093000000"})
    assert "No dossier came with this number before" in none.text
    assert (await desk.post("/receive/known", data={"citizen_id": "?"})).status_code == 422


async def test_the_date_is_told_as_it_will_be(desk):
    asked = {"procedure": LICENCE, "channel": "counter"}
    answer = await desk.get("/receive/promise", params=asked)
    assert "03/04/2024 17:00" in answer.text
    assert "the day of receipt is not counted" in answer.text
    assert (await desk.get("/receive/promise", params=asked | {"channel": "x"})).status_code == 422


# What is wrong ----------------------------------------------------------------------------

BAD = [
    ("applicant", "", "applicant"),
    ("applicant", "a" * 201, "applicant"),
    ("applicant", "Ánh\u202e", "applicant"),
    ("phone", "123", "phone"),
    ("phone", "<script>alert(1)</script>", "phone"),
    ("email", "no", "email"),
    ("citizen_id", "12", "citizen_id"),
    ("citizen_id", "<script>", "citizen_id"),
    ("place", "b" * 201, "place"),
]


@pytest.mark.parametrize(("name", "value", "at"), BAD)
async def test_what_is_wrong_is_said_beside_its_field_with_all_that_was_typed(
    desk, fresh, name, value, at
):
    answer = await receive(desk, **{"place": "Hà Nam", name: value})
    assert answer.status_code in {400, 422}
    assert f'id="e-{at}"' in answer.text
    assert re.search(rf'id="f-{at}"[^>]*aria-invalid="true"', answer.text)
    assert "<script>alert" not in answer.text
    assert name == "applicant" or 'value="Nguyễn Thị Ánh"' in answer.text
    assert await entries(fresh) == 0


async def test_script_in_every_field_is_text(office, desk):
    hostile = '"><script>alert(1)</script>'
    code = await received(desk, applicant=hostile, place=hostile, said="anyway", reason=hostile)
    page = Page(await desk.get(f"/receive/done/{code}"))
    assert hostile in page.text
    assert page.forbidden == []


@pytest.mark.parametrize(
    "said", [{"procedure": "9.999999"}, {"channel": "pigeon"}, {"said": "steal"}, {"draft": "?"}]
)
async def test_what_no_form_of_ours_says_is_refused(desk, fresh, said):
    answer = await receive(desk, **said)
    assert answer.status_code in {400, 404, 422}
    assert await entries(fresh) == 0


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_both_languages(office, lang):
    async with sitting(office, "p-reception-01", lang) as client:
        form_ = (await client.get(f"/receive/form?procedure={LICENCE}&draft={NUMBER}")).text
        words = {
            "vi": ("Giấy tờ đã nộp", "không tính ngày tiếp nhận"),
            "en": ("Papers handed in", "is not counted"),
        }
        assert all(each in form_ for each in words[lang])
        refused = (await receive(client, handed=None, said="ask")).text
        assert {"vi": "để trả lời công dân", "en": "the citizen is told why"}[lang] in refused
