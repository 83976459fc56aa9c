"""Today: the queues, the one dossier to take next and why, and the act that is done in its row."""

import re
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from office import OFFICER, RECEPTION, address, entries, running
from sitting import Page, sitting

from api.desk import today
from states import drafts
from states.db import transaction

SCRIPT = "<script>alert(1)</script>"
MOST = 14  # statements of a page, arrival and all


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@contextmanager
def counting(engine):
    """The statements that are sent meanwhile."""
    sent = []

    def hear(conn, cursor, statement, *rest):
        sent.append(statement)

    sa.event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        sa.event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def seen(office, person, path="/today", lang="en"):
    async with sitting(office, person, lang) as client:
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer


def rows(answer):
    """The codes in the table, in its order."""
    return re.findall(r'data-row data-code="([^"]+)"', answer.text)


def next_up(answer):
    """The code on the card that says what to do next; None without a card."""
    found = re.search(r'data-next>.*?/dossiers/([^"]+)"', answer.text, re.DOTALL)
    return found and found[1]


def row_form(answer, code):
    """The fields of the form in the row of a dossier."""
    forms = [each["fields"] for each in Page(answer).forms if each["action"] == "/today/move"]
    return next(each for each in forms if each["code"] == code)


async def digitised(office, **body):
    code = await office.code(**body)
    assert (await office.move(code, "digitise", RECEPTION)).status_code == 200
    return code


# What is there ----------------------------------------------------------------------------


async def test_what_is_next_is_told_with_why_and_until_when(office):
    code = await office.code(components={})
    answer = await seen(office, "p-reception-01")
    page = Page(answer)
    assert (next_up(answer), rows(answer)) == (code, [code])
    words = " ".join(page.text.split())
    for said in ("Do this next", "Because: due", "To digitise 1", "22 working days left"):
        assert said in words, said
    assert f"/dossiers/{code}/digitise" in page.links
    assert page.forbidden == []
    answer = await seen(office, "p-reception-01", lang="vi")
    words = " ".join(Page(answer).text.split())
    for said in ("Việc tiếp theo", "Vì: hạn", "Chờ số hóa 1", "còn 22 ngày làm việc"):
        assert said in words, said


async def test_no_queue_waits_for_another_to_be_empty(office):
    """What came first is next, though it lies in a queue that is worked later."""
    first = await digitised(office)
    office.later(days=1)
    later = await office.code()
    answer = await seen(office, "p-reception-01")
    assert next_up(answer) == first
    assert rows(answer) == [first]  # of the queue in which it lies
    assert rows(await seen(office, "p-reception-01", "/today?queue=to_digitise")) == [later]


async def test_what_is_overdue_says_by_how_much(office):
    code = await office.processing()
    office.later(days=90)
    answer = await seen(office, "p-sci-officer-21")
    assert next_up(answer) == code
    words = Page(answer).text
    assert "Overdue" in words
    assert re.search(r"\d+ working days over", words)
    assert f"/dossiers/{code}/do/advance" in Page(answer).links


async def test_who_waits_for_nobody_is_told_what_to_do(office):
    answer = await seen(office, "p-reception-01")
    assert next_up(answer) is None
    assert "No dossier is here" in answer.text
    assert "/receive" in Page(answer).links


async def test_another_agency_sees_nothing_of_it(office):
    await office.processing()
    answer = await seen(office, "p-edu-officer-21")
    assert rows(answer) == []
    assert "H42.14-" not in answer.text


async def test_a_queue_of_another_role_is_not_there(office):
    async with sitting(office, "p-sci-officer-21") as client:
        assert (await client.get("/today?queue=to_route")).status_code == 404
        assert (await client.get("/today?queue=to_take_in&cursor=x")).status_code == 422


async def test_a_script_for_a_name_is_text(office):
    await office.code(applicant=f"{SCRIPT} Ánh")
    answer = await seen(office, "p-reception-01")
    assert SCRIPT not in answer.text
    assert Page(answer).forbidden == []


async def test_pages_go_on_where_the_one_before_ended(office, monkeypatch):
    monkeypatch.setattr(today, "SHOWN", 2)
    made = [await office.code() for _ in range(5)]
    found, path = [], "/today"
    for _ in range(3):
        answer = await seen(office, "p-reception-01", path)
        found += rows(answer)
        path = next((each for each in Page(answer).links if "cursor=" in each), "")
    assert found == made
    assert path == ""


async def test_what_was_begun_is_found_again(office):
    kept = {"procedure": ["1.003659"], "applicant": ["Nguyễn Thị Ánh"]}
    async with transaction(office.app.state.house.engine) as db:
        await drafts.save(db, "p-reception-01", "receive/0a1b2c3d", kept, office.at)
        await drafts.save(db, "p-reception-01", "dossier/H42.14-1/stop", {}, office.at)
        await drafts.save(db, "p-reception-01", "dossier/H42.14-3/answer-1", {}, office.at)
        await drafts.save(db, "p-reception-01", "strange", {}, office.at)
        await drafts.save(db, "p-reception-02", "dossier/H42.14-2/stop", {}, office.at)
    page = Page(await seen(office, "p-reception-01"))
    assert "/receive/form?procedure=1.003659&draft=0a1b2c3d" in page.links
    assert "/dossiers/H42.14-1/do/stop" in page.links
    assert "/dossiers/H42.14-3" in page.links
    assert "/dossiers/H42.14-2/do/stop" not in page.links
    assert "Nguyễn T. Á." in page.text
    assert "Nguyễn Thị Ánh" not in page.text


async def test_no_more_statements_for_more_rows(office, fresh):
    counts = []
    for more in (2, 10):
        for _ in range(more):
            await office.code()
        async with sitting(office, "p-reception-01") as client:
            await client.get("/today")
            with counting(office.app.state.house.engine) as sent:
                answer = await client.get("/today")
        counts.append((len(rows(answer)), len(sent)))
    assert [n for n, _ in counts] == [2, 12]
    assert counts[0][1] == counts[1][1] <= MOST


# What is done -----------------------------------------------------------------------------


async def test_the_next_act_is_done_in_its_row_once(office, fresh):
    code = await digitised(office)
    async with sitting(office, "p-reception-01") as client:
        form = row_form(await client.get("/today"), code)
        before = await entries(fresh)
        for _ in range(2):  # clicked twice
            answer = await client.post("/today/move", data=form)
            assert answer.status_code == 303
            back = answer.headers["location"]
        assert await entries(fresh) == before + 1
        page = await client.get(back)
        assert f"Done: Route · {code}" in " ".join(Page(page).text.split())
        assert rows(page) == []
    assert (await office.read(code))["state"] == "routed"


async def test_who_comes_second_is_told_and_nothing_is_done(office, fresh):
    code = await digitised(office)
    async with sitting(office, "p-reception-01") as client:
        form = row_form(await client.get("/today"), code)
        assert (await office.move(code, "route", RECEPTION)).status_code == 200
        before = await entries(fresh)
        answer = await client.post("/today/move", data=form)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert await entries(fresh) == before


async def test_nobody_moves_what_is_not_theirs(office, fresh):
    code = await office.code()
    for event, who in (("digitise", RECEPTION), ("route", RECEPTION)):
        await office.move(code, event, who)
    before = await entries(fresh)
    form = {"code": code, "seq": "3", "event": "accept", "back": "/today", "key": "k"}
    for person, status in (("p-edu-officer-21", 404), ("p-reception-02", 403)):
        async with sitting(office, person) as client:
            assert (await client.post("/today/move", data=form)).status_code == status, person
    async with sitting(office, "p-sci-officer-21") as client:
        for wrong in ({"event": "stop"}, {"seq": "x"}, {"code": ""}):
            assert (await client.post("/today/move", data=form | wrong)).status_code == 422
        assert await entries(fresh) == before
        away = await client.post("/today/move", data=form | {"back": "https://evil.example/"})
        assert away.headers["location"].startswith("/?done=")
    assert await entries(fresh) == before + 1


async def test_a_postal_clerk_acts_for_the_agency_of_each(office, fresh):
    science = await digitised(office)
    school = await digitised(
        office, procedure="1.005092", components={"don": "0" * 64, "giay-to-tuy-than": "0" * 64}
    )
    async with sitting(office, "p-post-01", "vi") as client:
        answer = await client.get("/today?queue=to_route")
        text = Page(answer).text
        assert "Sở Khoa học và Công nghệ" in text
        assert "Sở Giáo dục và Đào tạo" in text
        for code in (science, school):
            told = await client.post("/today/move", data=row_form(answer, code))
            assert told.status_code == 303
    async with fresh.connect() as db:
        asked = "SELECT on_behalf_of FROM entry WHERE event = 'route' ORDER BY id"
        assert (await db.execute(sa.text(asked))).scalars().all() == ["H42.03", "H42.02"]


async def test_one_advance_takes_one_key_where_nothing_must_be_said(office):
    """Accepted in the row; the next act of the stage asks for its papers on a page of its own."""
    code = await digitised(office)
    await office.move(code, "route", RECEPTION)
    async with sitting(office, "p-sci-officer-21") as client:
        answer = await client.get("/today")
        assert row_form(answer, code)["event"] == "accept"
        told = await client.post("/today/move", data=row_form(answer, code))
        page = Page(await client.get(told.headers["location"]))
        assert f"/dossiers/{code}/do/advance" in page.links
    assert (await office.move(code, "advance", OFFICER)).status_code == 422
