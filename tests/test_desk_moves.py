"""Moving a dossier from its page: the form of each act, two clerks, drafts, keys."""

import pytest
import sqlalchemy as sa
from office import LEADER, OFFICER, RECEPTION, address, entries, running
from sitting import Page, sitting

from states import db

MADE = "Phiếu trình giải quyết"
RESULT = "Kết quả giải quyết"
LONG = "Nguyễn" * 400  # more than a reason may have
BIDI = "lý do \u202e ngược"


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


def at(code, event):
    return f"/dossiers/{code}/do/{event}"


async def do(client, code, event, **said):
    """As a page sends it; `seq` as the dossier stands, unless it is said."""
    if "seq" not in said:
        page = Page(await client.get(at(code, event)))
        found = [form for form in page.forms if form["action"] == at(code, event)]
        said |= {"seq": found[0]["fields"]["seq"]} if found else {}
    return await client.post(at(code, event), data=said)


async def state(office, code):
    return (await office.read(code))["state"]


async def last(office, code):
    return (await office.read(code, "/history"))["entries"][-1]


async def drafted(office):
    async with db.transaction(office.app.state.house.engine) as connection:
        return list(await connection.scalars(sa.text("SELECT form FROM draft ORDER BY form")))


async def test_a_dossier_goes_its_whole_way_by_forms(office):
    code = await office.code()
    counter, officer, leader = "p-reception-01", "p-sci-officer-21", "p-sci-lead-02"
    director, made = "p-sci-director", {"produced": MADE}
    why, running = {"reason": "xin lỗi", "ground": "Đ.19(9)"}, "processing"
    refused = {"outcome": "refused", "reason": "không đủ", "produced": RESULT}
    way = (
        (counter, "digitise", {}, "digitised"),
        (counter, "route", {}, "routed"),
        (officer, "accept", {}, running),
        (officer, "request_payment", {"amount": "10.750.000"}, "awaiting_payment"),
        (counter, "pay", {"amount": "10750000"}, running),
        (
            officer,
            "request_supplement",
            {"asked": "don", "reason": "chưa ký"},
            "awaiting_supplement",
        ),
        (counter, "supplement", {}, running),
        (officer, "advance", made | {"more": "Công văn\nBiên bản"}, running),
        (leader, "send_back", {"reason": "sửa số"}, running),
        (officer, "advance", made | {"person": leader}, running),
        (leader, "extend", why | {"term": "2cd"}, running),
        (leader, "advance", {}, running),
        (director, "return_result", refused | {"outcome": "approved"}, "result_returned"),
        (director, "reopen", why, running),
        (director, "return_result", refused, "result_returned"),
        (counter, "deliver", {"channel": "post"}, "delivered"),
    )
    for person, event, said, then in way:
        office.later(minutes=5)
        async with sitting(office, person) as client:
            answer = await do(client, code, event, **said)
        assert answer.status_code == 303, (event, Page(answer).text)
        told = await last(office, code)
        assert (told["event"], told["actor"]) == (event, person)
        assert answer.headers["location"] == f"/dossiers/{code}?done={told['seq']}"
        assert await state(office, code) == then
    kept = (await office.read(code, "/history"))["entries"]
    by = {line["event"]: line for line in kept}
    assert by["pay"]["brought"] == {"amount": 10_750_000}
    asked = "chưa ký.\nĐề nghị bổ sung: Đơn hoặc tờ khai theo mẫu."
    assert by["request_supplement"]["reason"] == asked
    assert by["extend"]["brought"] == {"term": "2cd"}
    assert by["extend"]["ground"] == "Đ.19(9)"
    assert by["deliver"]["brought"] == {"channel": "post"}
    produced = [line["brought"].get("produced") for line in kept if line["event"] == "advance"]
    assert produced == [[MADE, "Công văn", "Biên bản"], [MADE], None]


async def test_the_other_ends(office):
    for event, person, said, end in (
        ("withdraw", "p-reception-01", {"reason": "thôi"}, "withdrawn"),
        ("stop", "p-sci-lead-02", {"reason": "hết hiệu lực", "ground": "Đ.20"}, "stopped"),
    ):
        code = await office.processing()
        async with sitting(office, person) as client:
            nothing = await do(client, code, event)
            assert nothing.status_code == 422
            assert "this is needed" in nothing.text
            assert (await do(client, code, event, **said)).status_code == 303
        assert await state(office, code) == end
    answer = await office.opened(event="register", channel="online")
    code = answer.json()["code"]
    async with sitting(office, "p-reception-01") as client:
        assert (await do(client, code, "decline", reason="ngoài thẩm quyền")).status_code == 303
    assert await state(office, code) == "declined"


async def test_one_click_where_nothing_is_to_be_said(office):
    code = await office.code()
    async with sitting(office, "p-reception-01") as client:
        page = Page(await client.get(f"/dossiers/{code}"))
        said = page.form(at(code, "digitise"))
        answer = await client.post(at(code, "digitise"), data=said, headers={"Hoso-Sent": "1"})
    assert answer.status_code == 204
    assert answer.headers["hoso-go"] == f"/dossiers/{code}?done=2"


async def test_what_was_done_is_said_and_the_next_is_a_link(office):
    code = await office.code()
    async with sitting(office, "p-reception-01") as client:
        answer = await do(client, code, "digitise")
        page = Page(await client.get(answer.headers["location"]))
        assert "Done: Finish digitising" in page.text
        assert "/today" in page.links
        assert "Done:" not in Page(await client.get(f"/dossiers/{code}?done=1")).text


async def test_a_double_click_is_one_move(office):
    code = await office.code()
    async with sitting(office, "p-reception-01") as client:
        said = Page(await client.get(f"/dossiers/{code}")).form(at(code, "digitise"))
        first, again = [await client.post(at(code, "digitise"), data=said) for _ in range(2)]
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert await entries(office.app.state.house.engine) == 2


async def test_the_second_of_two_clerks_keeps_what_was_typed_and_sees_what_changed(office):
    code = await office.processing()
    said = {"reason": "thiếu bản sao", "seq": "4", "key": "k1"}
    assert (await office.move(code, "request_payment", LEADER, amount=5)).status_code == 200
    assert (await office.move(code, "pay", RECEPTION, amount=5)).status_code == 200
    async with sitting(office, "p-sci-officer-21") as client:
        answer = await client.post(at(code, "request_supplement"), data=said)
        page = Page(answer)
        assert answer.status_code == 409
        assert "moved by somebody else" in page.text
        for told in ("p-sci-lead-02", "Ask for payment", "p-reception-01", "Note the payment"):
            assert told in page.text, told
        assert "thiếu bản sao" in answer.text
        assert "Send it anyway, on the new state" in page.text
        assert page.forbidden == []
        fresh = page.form(at(code, "request_supplement"))
        assert fresh["seq"] == "6"
        assert fresh["key"] != "k1"
        sent = await client.post(
            at(code, "request_supplement"), data=said | {"seq": "6", "key": fresh["key"]}
        )
        assert sent.status_code == 303
    assert (await last(office, code))["reason"] == "thiếu bản sao"


async def test_where_it_is_not_open_any_more_the_reason_is_said_and_nothing_lost(office):
    code = await office.processing()
    await office.move(code, "withdraw", RECEPTION, {"reason": "thôi"})
    before = await entries(office.app.state.house.engine)
    async with sitting(office, "p-sci-officer-21") as client:
        said = {"reason": "thiếu bản sao", "seq": "4", "key": "k1"}
        answer = await client.post(at(code, "request_supplement"), data=said)
    page = Page(answer)
    assert answer.status_code == 409
    assert "This is not open: a dossier that is withdrawn has no such move" in page.text
    assert "thiếu bản sao" in page.text
    assert at(code, "request_supplement") not in {form["action"] for form in page.forms}
    assert await entries(office.app.state.house.engine) == before


async def test_what_is_not_theirs_is_refused_on_the_page(office):
    code = await office.processing()
    async with sitting(office, "p-sci-officer-21") as client:
        answer = await do(client, code, "extend", reason="x", ground="y", term="1cd", seq="4")
        assert answer.status_code == 403
        assert "it is for leader" in answer.text
        changed = await do(client, code, "recompute", calendar="vn@12345678", reason="x", seq="4")
        assert "only a change set does it" in changed.text
    async with sitting(office, "p-reception-01") as client:
        answer = await do(client, code, "advance", produced=MADE, seq="4")
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"reason": LONG}, "reason"),
        ({"reason": BIDI}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "ok", "stage": "7", "produced": BIDI}, "produced"),
    ],
)
async def test_what_cannot_be_kept_is_said_beside_its_field(office, said, field):
    code = await office.processing()
    async with sitting(office, "p-sci-officer-21") as client:
        answer = await do(client, code, "request_supplement", **said)
    assert answer.status_code == 422
    assert await state(office, code) == "processing"
    if field == "reason":
        assert 'id="e-reason"' in answer.text
        assert 'aria-invalid="true"' in answer.text


async def test_numbers_and_choices_that_are_none(office):
    code = await office.processing()
    async with sitting(office, "p-sci-officer-21") as client:
        for amount in ("", "nhiều", "-5", "0", "1" * 40, "1.5đ"):
            answer = await do(client, code, "request_payment", amount=amount)
            assert answer.status_code == 422, amount
            assert 'id="e-amount"' in answer.text, amount
        for person in ("p-none", "p-edu-lead-01"):
            answer = await do(client, code, "advance", produced=MADE, person=person)
            assert answer.status_code == 422, person
        assert (await do(client, code, "advance", produced="khác")).status_code == 422
        assert (await client.get(f"/dossiers/{code}/do/fly")).status_code == 422
        assert (await do(client, code, "advance", produced=MADE, seq="x")).status_code == 303


async def test_a_refusal_has_its_reason(office):
    code = await office.processing()
    await office.move(code, "advance", OFFICER, produced=[MADE])
    await office.move(code, "advance", LEADER)
    async with sitting(office, "p-sci-director") as client:
        answer = await do(client, code, "return_result", outcome="refused", produced=RESULT)
    assert answer.status_code == 422
    assert "say why it is refused" in answer.text


async def test_an_extension_says_the_date_it_promises(office):
    code = await office.processing()
    async with sitting(office, "p-sci-lead-02") as client:
        page = Page(await client.get(at(code, "extend")))
        assert "10 days → promised for 15/04/2024" in page.text
        said = {"reason": "xin lỗi", "ground": "Đ.19(9)", "term": "10cd"}
        assert (await do(client, code, "extend", **said)).status_code == 303
    assert (await office.read(code))["dates"]["due"].startswith("2024-04-15")


async def test_the_form_alone_for_who_puts_it_on_the_page(office):
    code = await office.processing()
    async with sitting(office, "p-sci-officer-21") as client:
        part = await client.get(at(code, "request_supplement"), headers={"HX-Request": "true"})
        assert "<html" not in part.text
        assert Page(part).form(at(code, "request_supplement"))["seq"] == "4"
        shut = await client.get(at(code, "deliver"), headers={"HX-Request": "true"})
        assert "This is not open" in shut.text


async def test_a_form_that_is_fetched_later_says_what_has_changed_meanwhile(office):
    code = await office.processing()
    await office.move(code, "request_payment", LEADER, amount=5)
    await office.move(code, "pay", RECEPTION, amount=5)
    async with sitting(office, "p-sci-officer-21") as client:
        there = at(code, "request_supplement") + "?seen=4"
        part = Page(await client.get(there, headers={"HX-Request": "true"}))
    assert "The dossier has changed since you looked" in part.text
    assert "Note the payment" in part.text
    assert part.form(at(code, "request_supplement"))["seq"] == "6"


async def test_a_draft_is_found_again_and_goes_with_the_act(office):
    code = await office.processing()
    form = f"dossier/{code}/request_supplement"
    async with sitting(office, "p-sci-officer-21") as client:
        saved = await client.post(f"/drafts?form={form}", data={"reason": "thiếu <b>bản</b> sao"})
        assert saved.status_code == 204
        assert "có nháp" in (await client.get(f"/dossiers/{code}?lang=vi")).text
        again = await client.get(at(code, "request_supplement"))
        assert "thiếu &lt;b&gt;bản&lt;/b&gt; sao" in again.text
        assert "A draft of" in again.text
        refused = await do(client, code, "request_supplement", reason="")
        assert refused.status_code == 422
        assert await drafted(office) == [form]
        assert (await do(client, code, "request_supplement", reason="thiếu")).status_code == 303
    assert await drafted(office) == []


async def test_files_that_were_handed_in_open_the_way(office):
    code = await office.code(components={})
    async with sitting(office, "p-reception-01") as client:
        page = Page(await client.get(f"/dossiers/{code}"))
        assert "a required component still has no file" in page.text
        assert "No file yet of: Application on the prescribed form" in page.text
        assert page.links.count(f"/dossiers/{code}/digitise") == 2
        for part in ("don", "dang-ky-kinh-doanh", "phuong-an"):
            put = await client.put(
                f"/v1/dossiers/{code}/components/{part}",
                content=b"%PDF-1.7\n" + part.encode() + b"\n%%EOF\n",
                headers={"Content-Type": "application/pdf"},
            )
            assert put.status_code in {200, 201}, put.text
        answer = await do(client, code, "digitise")
        assert answer.status_code == 303, Page(answer).text
    assert len((await last(office, code))["brought"]["components"]) == 3
