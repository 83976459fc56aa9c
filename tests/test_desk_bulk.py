"""Many dossiers at once at the desk: ticked, looked over, moved, each with its own result."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from office import LEADER, OFFICER, RECEPTION, address, entries, running
from sitting import Page, sitting
from test_desk_today import counting

from api.desk import bulk
from states import batches, drafts, ledger
from states.batches import asked_of
from states.catalogue import load
from states.db import transaction
from states.errors import BadInput
from states.words import Event

SCRIPT = "<script>alert(1)</script>"
MOST = 16  # statements of a page, arrival and all


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def opened(office, count, **body):
    return [await office.code(**body) for _ in range(count)]


async def tick(client, *codes, seq=1, **more):
    """Tick dossiers in a list, and come to the page that looks them over."""
    form: dict[str, Any] = {"pick": [f"{code}@{seq}" for code in codes], "back": "/today"} | more
    answer = await client.post("/bulk/choose", data=form)
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["location"])


def sent(answer, **more):
    """The form that moves them, as the page filled it."""
    found = re.findall(r'name="(pick|all)" value="([^"]+)"', answer.text)
    form: dict[str, Any] = Page(answer).form("/bulk") | {
        name: [value for each, value in found if each == name] for name in ("pick", "all")
    }
    form.pop("made", None)
    return form | more


def words(answer):
    return " ".join(Page(answer).text.split())


async def states(office, codes):
    return [(await office.read(code))["state"] for code in codes]


# Looked over ------------------------------------------------------------------------------


async def test_what_can_be_done_and_what_cannot_is_told_before(office, fresh):
    codes = await opened(office, 3)
    await office.move(codes[2], "digitise", RECEPTION)
    before = await entries(fresh)
    async with sitting(office, "p-reception-01") as client:
        answer = await tick(client, *codes, event="digitise")
        text = words(answer)
        assert "2 can be done 1 cannot be done" in text
        assert "a dossier that is digitised has no such move" in text
        assert "<td>Received</td><td>Digitised" in answer.text  # what it is, and what it becomes
        assert "Nguyễn T. Á." in text
        assert "Thị" not in text
        assert Page(answer).forbidden == []
        assert [each.split("@")[0] for each in sent(answer)["pick"]] == codes[:2]
    assert await entries(fresh) == before  # nothing was written


async def test_the_acts_that_are_open_are_counted(office):
    codes = await opened(office, 3)
    await office.move(codes[2], "digitise", RECEPTION)
    async with sitting(office, "p-reception-01") as client:
        answer = await tick(client, *codes)
        assert "Finish digitising open to 2 / 3" in words(answer)
        assert "Withdraw open to 3 / 3" in words(answer)
        assert "/bulk?event=route" in Page(answer).links
        assert "/bulk?event=reopen" not in Page(answer).links
    async with sitting(office, "p-reception-02") as client:  # what one ticked is theirs alone
        assert "No dossier is ticked" in (await client.get("/bulk")).text


async def test_what_was_ticked_is_there_after_a_lost_session(office):
    codes = await opened(office, 2)
    async with sitting(office, "p-reception-01") as client:
        await tick(client, *codes, event="digitise")
    async with sitting(office, "p-reception-01") as client:
        assert "2 can be done" in words(await client.get("/bulk?event=digitise"))
        today = Page(await client.get("/today"))
        assert "/bulk" in today.links
        assert "Many at once · 2 dossiers" in today.text


async def test_all_of_a_queue_and_all_of_a_list(office):
    codes = await opened(office, 3)
    async with sitting(office, "p-reception-01") as client:
        for every in ({"queue": "to_digitise"}, {"query": "state=received&cursor="}):
            answer = await tick(client, every="1", event="digitise", **every)
            assert "3 can be done" in words(answer)
            assert {each.split("@")[0] for each in sent(answer)["pick"]} == set(codes)
        wrong = {"every": "1", "query": "state=flying"}
        assert (await client.post("/bulk/choose", data=wrong)).status_code == 422
        wrong = {"every": "1", "queue": "to_sign"}
        assert (await client.post("/bulk/choose", data=wrong)).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"pick": ["x"]},
        {"pick": ["@1"]},
        {"pick": ["x@"]},
        {"pick": ["x@1e3"]},
        {"pick": ["x@\u0661"]},
        {"pick": [f"x{n}@1" for n in range(1001)]},
        {"pick": ["x@1"], "event": "fly"},
        {"pick": ["\u202ex@1"]},
    ],
)
async def test_what_no_list_sends_is_refused(office, fresh, form):
    async with sitting(office, "p-reception-01") as client:
        chosen = await client.post("/bulk/choose", data=form | {"key": "a"})
        moved = await client.post("/bulk", data={"event": "route", "key": "b"} | form)
        looked = await client.get("/bulk?event=route")
    assert 422 in {chosen.status_code, looked.status_code}
    assert moved.status_code == 422
    assert await entries(fresh) == 0


# Done -------------------------------------------------------------------------------------


async def test_each_has_its_result_and_the_refused_are_still_ticked(office, fresh):
    codes = await opened(office, 4)
    async with sitting(office, "p-reception-01") as client:
        form = sent(await tick(client, *codes, event="digitise"))
        await office.move(codes[1], "digitise", RECEPTION)  # somebody was faster
        answer = await client.post("/bulk", data=form)
        assert answer.status_code == 200
        assert "3 done 1 refused" in words(answer)
        assert f'value="{codes[1]}@2"' in answer.text
        assert Page(answer).forbidden == []
        assert await states(office, codes) == ["digitised"] * 4
        await office.move(codes[1], "route", RECEPTION)
        retry = Page(answer).form("/bulk/choose") | {"pick": [f"{codes[1]}@2"], "key": "new"}
        again = await client.post("/bulk/choose", data=retry)
        assert "0 can be done 1 cannot be done" in words(
            await client.get(again.headers["location"])
        )
    async with fresh.connect() as db:
        assert (await ledger.verify(db, load())).faults == []


async def test_sent_twice_it_is_done_once(office, fresh):
    codes = await opened(office, 3)
    async with sitting(office, "p-reception-01") as client:
        form = sent(await tick(client, *codes, event="digitise"))
        first = await client.post("/bulk", data=form)
        written = await entries(fresh)
        office.later(minutes=1)
        again = await client.post("/bulk", data=form)
        assert again.content == first.content
        assert await entries(fresh) == written == 6
        assert "No dossier is ticked" in (await client.get("/bulk")).text  # the draft is gone


async def test_a_reason_is_asked_where_the_lifecycle_asks_it(office, fresh):
    codes = await opened(office, 2)
    async with sitting(office, "p-reception-01") as client:
        answer = await tick(client, *codes, event="withdraw")
        assert "2 can be done" in words(answer)
        assert 'name="reason"' in answer.text
        form = sent(answer)
        before = await entries(fresh)
        lacking = await client.post("/bulk", data=form)
        assert lacking.status_code == 422
        assert 'id="e-reason"' in lacking.text
        assert sent(lacking)["pick"] == form["pick"]
        assert await entries(fresh) == before
        reason = f"Công dân xin rút {SCRIPT}"
        done = await client.post("/bulk", data=form | {"reason": reason})
        assert "2 done 0 refused" in words(done)
    async with fresh.connect() as db:
        asked = "SELECT reason FROM entry WHERE event = 'withdraw'"
        assert set((await db.execute(sa.text(asked))).scalars()) == {reason}


async def test_a_typed_reason_comes_back_with_what_is_wrong(office):
    (code,) = await opened(office, 1)
    async with sitting(office, "p-sci-director") as client:
        answer = await tick(client, code, event="stop")
        assert "cannot be done" in words(answer)  # it lies with the centre still
    code = await office.processing()
    async with sitting(office, "p-sci-lead-02") as client:
        form = sent(await tick(client, code, seq=4, event="stop"))
        answer = await client.post("/bulk", data=form | {"reason": f"{SCRIPT} thôi", "ground": ""})
        assert answer.status_code == 422
        assert 'id="e-ground"' in answer.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; thôi" in answer.text
        bidi = await client.post("/bulk", data=form | {"reason": "\u202ethôi", "ground": "x"})
        assert bidi.status_code == 422
        assert 'id="e-reason"' in bidi.text


async def test_the_papers_of_a_stage_are_said_to_be_there(office, fresh):
    codes = [await office.processing() for _ in range(2)]
    async with sitting(office, "p-sci-officer-21") as client:
        form = sent(await tick(client, *codes, seq=4, event="advance"))
        assert (await client.post("/bulk", data=form)).status_code == 422
        done = await client.post("/bulk", data=form | {"made": "on"})
        assert "2 done 0 refused" in words(done)
    async with sitting(office, "p-sci-lead-02") as client:
        answer = await client.get("/today")
        assert all(code in answer.text for code in codes)


async def test_a_result_is_signed_for_many(office):
    codes = [await office.processing() for _ in range(2)]
    for code in codes:
        made = {"produced": ["Phiếu trình giải quyết"]}
        assert (await office.move(code, "advance", OFFICER, **made)).status_code == 200
        assert (await office.move(code, "advance", LEADER)).status_code == 200
    async with sitting(office, "p-sci-director") as client:
        answer = await tick(client, *codes, seq=6, event="return_result")
        form = sent(answer, made="on")
        lacking = await client.post("/bulk", data=form)
        assert 'id="e-outcome"' in lacking.text
        done = await client.post("/bulk", data=form | {"outcome": "approved"})
        assert "2 done 0 refused" in words(done)
    assert await states(office, codes) == ["result_returned"] * 2


async def test_a_postal_clerk_moves_each_for_its_agency(office, fresh):
    science = await office.code()
    school = await office.code(
        procedure="1.005092", components={"don": "0" * 64, "giay-to-tuy-than": "0" * 64}
    )
    async with sitting(office, "p-post-01", "vi") as client:
        answer = await tick(client, science, school, event="digitise")
        for name in ("Thay mặt cơ quan", "Sở Khoa học và Công nghệ", "Sở Giáo dục và Đào tạo"):
            assert name in answer.text
        done = await client.post("/bulk", data=sent(answer))
        assert "2 đã làm" in words(done)
    async with fresh.connect() as db:
        asked = "SELECT on_behalf_of FROM entry WHERE event = 'digitise' ORDER BY dossier_id"
        assert (await db.execute(sa.text(asked))).scalars().all() == ["H42.03", "H42.02"]


async def test_what_is_not_to_be_seen_is_told_as_what_is_not(office, fresh):
    code = await office.processing()
    before = await entries(fresh)
    async with sitting(office, "p-edu-officer-21") as client:
        answer = await tick(client, code, "H42.14-240304-9999", seq=4, event="advance")
        text = words(answer)
        assert "0 can be done 2 cannot be done" in text
        assert "Postal licence" not in text
        form = {"event": "advance", "made": "on", "pick": [f"{code}@4"], "key": "k"}
        assert "1 refused" in words(await client.post("/bulk", data=form))
    async with sitting(office, "p-reception-01") as client:  # seen, and not theirs to move
        answer = await tick(client, code, seq=4, event="advance")
        assert "it is for leader, officer" in words(answer)
    assert await entries(fresh) == before


async def test_what_others_send_is_not_heard(office, fresh):
    (code,) = await opened(office, 1)
    form = {"event": "digitise", "pick": [f"{code}@1"], "key": "k"}
    async with sitting(office, "p-reception-01") as client:
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post("/bulk", data=form, headers=foreign)).status_code == 403
        other = {"Hoso-By": "p-reception-02"}  # whose tab it was typed in
        assert (await client.post("/bulk", data=form, headers=other)).status_code == 401
        client.cookies.clear()
        assert (await client.post("/bulk", data=form)).status_code in {303, 401}
    assert await entries(fresh) == 1


async def test_what_fails_midway_is_told_and_can_be_sent_again(office, fresh, monkeypatch):
    codes = await opened(office, 3)
    monkeypatch.setattr(bulk, "HUNDRED", 2)
    whole, calls = batches.move_hundred, []

    async def breaks(*given):
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionResetError
        return await whole(*given)

    async with sitting(office, "p-reception-01") as client:
        form = sent(await tick(client, *codes, event="digitise"))
        monkeypatch.setattr(batches, "move_hundred", breaks)
        assert "2 done 1 refused" in words(await client.post("/bulk", data=form))
        assert "3 done 0 refused" in words(await client.post("/bulk", data=form))
    assert await entries(fresh) == 6


# What it costs, and what is asked -----------------------------------------------------------


async def test_no_more_statements_for_more_dossiers(office):
    counts = []
    async with sitting(office, "p-reception-01") as client:
        for many in (2, 12):
            codes = await opened(office, many)
            form = sent(await tick(client, *codes, event="digitise"))
            with counting(office.app.state.house.engine) as looked:
                await client.get("/bulk?event=digitise")
            with counting(office.app.state.house.engine) as moved:
                await client.post("/bulk", data=form)
            counts.append((len(looked), len(moved)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= MOST


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (Event.route, []),
        (Event.withdraw, ["reason"]),
        (Event.stop, ["reason", "ground"]),
        (Event.extend, ["reason", "ground", "term"]),
        (Event.advance, ["made"]),
        (Event.return_result, ["outcome", "made"]),
        (Event.deliver, ["channel"]),
        (Event.pay, ["amount"]),
    ],
)
def test_what_each_event_asks_for(event, names):
    assert asked_of(event) == names


async def test_the_draft_keeps_no_more_than_what_was_ticked(office):
    (code,) = await opened(office, 1)
    async with sitting(office, "p-reception-01") as client:
        await tick(client, code, event="digitise", strange="x")
    async with transaction(office.app.state.house.engine) as db:
        kept = await drafts.find(db, "p-reception-01", "bulk")
    assert kept.typed["pick"] == [f"{code}@1"]
    assert "strange" not in kept.typed


@pytest.mark.parametrize("text", ["", "x", "@1", "x@", "x@-1", "x@1234567890"])
def test_a_tick_is_a_code_and_a_number(text):
    with pytest.raises(BadInput):
        bulk.picked(text)


def test_a_code_may_hold_the_sign_itself():
    assert bulk.picked("a@b@3") == ("a@b", 3)
