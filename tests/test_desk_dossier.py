"""The page of a dossier: what it tells, to whom, and what may be done by it."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from office import CLERK, LEADER, OFFICER, RECEPTION, address, running
from sitting import Page, sitting

from api.desk.dossier import telling, timeline, words
from api.desk.dossier.offer import KEYS, offers
from states import db, ledger
from states.breaches.attribution import Kind as Holder
from states.breaches.rows import Cause
from states.catalogue.rules import What
from states.consultations.rows import Opinion, Standing
from states.files.rows import Provenance
from states.ledger import Act, Taken
from states.ledger.acts import OF_CHANGES
from states.ledger.routing import QUEUE
from states.notices.queued import message
from states.notices.rows import Audience, Sending, Way
from states.sentences import Sentence
from states.tracking import feedback
from states.words import Event, Role

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@contextmanager
def counting(engine):
    """The statements that are sent meanwhile, but for those that save and keep a place."""
    sent = []

    def hear(conn, cursor, statement, *rest):
        if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE")):
            sent.append(statement)

    sa.event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        sa.event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def seen(office, code, person, lang="en"):
    async with sitting(office, person, lang) as client:
        answer = await client.get(f"/dossiers/{code}")
        assert answer.status_code == 200, answer.text
        return answer


async def test_all_that_answers_the_citizen_is_there(office):
    code = await office.processing()
    answer = await seen(office, code, "p-sci-officer-21")
    page = Page(answer)
    for said in (
        *(code, "Nguyễn Thị Ánh", "Postal licence", "In process", "In time"),
        *("The dossier is being processed.", "Appraisal", "Signature", "Business plan"),
        *("Received Monday 4 March 2024 08:00", "What to tell the citizen", "30 days"),
    ):
        assert said in page.text, said
    assert page.forbidden == []
    assert f"/v1/dossiers/{code}/clock/proof" in page.links
    assert f"/v1/dossiers/{code}/forms/slip" in page.links
    assert f"/dossiers/{code}/digitise" in page.links


async def test_it_speaks_vietnamese_too(office):
    code = await office.processing()
    page = Page(await seen(office, code, "p-sci-officer-21", "vi"))
    for said in ("Đang xử lý", "Trả lời công dân", "Tiếp nhận 08:00 thứ Hai 04/03/2024"):
        assert said in page.text, said
    assert "Received" not in page.text
    assert page.forbidden == []


async def test_who_looked_is_kept_and_told_to_leaders(office):
    code = await office.processing()
    await seen(office, code, "p-sci-officer-21")
    async with sitting(office, "p-sci-officer-21") as client:
        assert (await client.get(f"/dossiers/{code}/looks")).status_code == 403
    async with sitting(office, "p-sci-lead-02") as client:
        page = Page(await client.get(f"/dossiers/{code}/looks"))
    assert "GET /dossiers/{code}" in page.text
    assert "p-sci-officer-21" in page.text


async def test_a_stranger_gets_the_page_of_no_dossier(office):
    code = await office.processing()
    async with sitting(office, "p-edu-officer-11") as client:
        for path in ("", "/do/advance", "/changes?seen=1", "/looks"):
            answer = await client.get(f"/dossiers/{code}{path}")
            assert answer.status_code == 404, path
            assert "Ánh" not in answer.text
        answer = await client.post(f"/dossiers/{code}/do/advance", data={"seq": "4"})
        assert answer.status_code == 404
        for path in ("", "/1/answer", "/1/withdraw"):
            answer = await client.post(f"/dossiers/{code}/consultations{path}", data={})
            assert answer.status_code == 404, path


async def test_a_postal_clerk_acts_for_the_agency_of_each_dossier(office):
    code = await office.code()
    page = Page(await seen(office, code, "p-post-01"))
    assert "On behalf of: Department of Science and Technology" in " ".join(page.text.split())
    async with sitting(office, "p-post-01") as client:
        form = page.form(f"/dossiers/{code}/do/digitise")
        answer = await client.post(f"/dossiers/{code}/do/digitise", data=form)
        assert answer.status_code == 303, answer.text
    line = (await office.read(code, "/history"))["entries"][-1]
    assert (line["actor"], line["on_behalf_of"]) == ("p-post-01", "H42.03")
    assert "on behalf of" in (await seen(office, code, "p-reception-01")).text


async def test_what_is_open_is_a_button_and_what_is_closed_says_why(office):
    code = await office.processing()
    told = (await office.read(code, **OFFICER))["closed"]
    page = Page(await seen(office, code, "p-sci-officer-21"))
    assert page.form(f"/dossiers/{code}/do/advance")["seq"] == "4"
    assert f"/dossiers/{code}/do/request_supplement" in page.links
    for event in ("extend", "deliver", "return_result", "send_back"):
        assert told[event] in page.text, event
    other = Page(await seen(office, code, "p-reception-01"))
    assert f"/dossiers/{code}/do/withdraw" in other.links
    assert f"/dossiers/{code}/do/request_supplement" not in other.links


async def test_what_was_sent_and_what_became_of_it(office):
    code = await office.processing()
    other = await office.code()
    async with db.transaction(office.app.state.house.engine) as connection:
        ids = dict((await connection.execute(sa.text("SELECT code, id FROM dossier"))).all())
        told = {"template": "received", "audience": "citizen", "subject": "Đã tiếp nhận"}
        told |= {"body": SCRIPT, "law": True, "tries": 5, "next_at": office.at}
        told |= {"made_at": office.at, "recipient": "anh@example.vn", "way": "email"}
        rows = [
            {"fact": f"entry/{ids[code]}/1", "sending": "dead", "error": "không có hộp thư này"},
            {"fact": f"entry/{ids[code]}/10", "sending": "dead", "error": "another line's"},
            {"fact": f"entry/{ids[other]}/1", "sending": "dead", "error": "another dossier's"},
        ]
        await connection.execute(sa.insert(message), [told | row for row in rows])
    page = Page(await seen(office, code, "p-sci-officer-21"))
    for words_ in ("Đã tiếp nhận", SCRIPT, "Could not be sent", "không có hộp thư này", "5 tries"):
        assert words_ in page.text, words_
    assert "a***@example.vn" in page.text
    assert "anh@example.vn" not in page.text
    assert "another line's" not in page.text
    assert "another dossier's" not in page.text


async def test_hostile_words_are_words(office):
    code = await office.code(applicant=SCRIPT)
    for event, who in (("digitise", RECEPTION), ("route", RECEPTION), ("accept", OFFICER)):
        await office.move(code, event, who)
    await office.move(code, "request_supplement", OFFICER, body={"reason": SCRIPT})
    async with db.transaction(office.app.state.house.engine) as connection:
        number = await connection.scalar(sa.text("SELECT id FROM dossier"))
        await feedback.say(connection, number, 1, SCRIPT, office.at)
    answer = await seen(office, code, "p-sci-officer-21")
    assert SCRIPT not in answer.text
    page = Page(answer)
    assert page.forbidden == []
    assert page.text.count(SCRIPT) >= 4  # head, reason, what is asked, feedback


async def test_every_stage_of_life_has_its_badge_and_its_words(office):
    code = await office.processing()
    office.later(days=29)
    assert "Due soon" in (await seen(office, code, "p-sci-lead-02")).text
    office.later(days=5)
    late = Page(await seen(office, code, "p-sci-lead-02"))
    assert "Overdue" in late.text
    assert "4 days over" in late.text
    assert "We apologise" in late.text
    body = {"reason": "thiếu bản sao"}
    assert (await office.move(code, "request_supplement", OFFICER, body)).status_code == 200
    held = Page(await seen(office, code, "p-sci-lead-02"))
    assert "Held" in held.text
    assert "none while it is held" in held.text
    assert "thiếu bản sao" in held.text
    await office.move(code, "withdraw", RECEPTION, {"reason": "thôi"})
    assert "Not counted" in (await seen(office, code, "p-sci-lead-02")).text


async def test_the_trace_and_each_move_of_the_date(office):
    code = await office.processing()
    office.later(days=1)
    await office.move(code, "request_supplement", OFFICER, {"reason": "thiếu bản sao"})
    office.later(days=3)
    assert (await office.move(code, "supplement", RECEPTION)).status_code == 200
    clock = await office.read(code, "/clock", **{"Accept-Language": "en"})
    page = Page(await seen(office, code, "p-sci-officer-21"))
    for step in clock["trace"]:
        assert step["sentence"] in page.text, step
    assert "The supplement came, and the date was set anew." in page.text


async def test_what_others_did_since_is_told_by_name(office):
    code = await office.processing()
    async with sitting(office, "p-reception-01") as client:
        page = Page(await client.get(f"/dossiers/{code}/changes?seen=3"))
        assert "p-sci-officer-21" in page.text
        assert "Take in" in page.text
        assert "Route" not in page.text.replace("Routed", "")
        none = await client.get(f"/dossiers/{code}/changes?seen=4")
        assert none.text.strip() == ""
        assert (await client.get(f"/dossiers/{code}/changes?seen=x")).status_code == 422


async def test_its_statements_do_not_grow_with_its_life(office):
    code = await office.processing()
    engine = office.app.state.house.engine
    async with sitting(office, "p-sci-officer-21") as client:
        await client.get(f"/dossiers/{code}")
        with counting(engine) as first:
            await client.get(f"/dossiers/{code}")
        office.later(hours=1)
        await office.move(code, "advance", OFFICER, produced=["Phiếu trình giải quyết"])
        for _ in range(5):
            office.later(hours=1)
            await office.move(code, "send_back", LEADER, {"reason": "sửa"})
            await office.move(code, "advance", OFFICER, produced=["Phiếu trình giải quyết"])
        with counting(engine) as later:
            await client.get(f"/dossiers/{code}")
    assert len(first) == len(later) <= 16


async def test_a_move_and_the_page_after_it_take_few_statements(office):
    code = await office.processing()
    engine = office.app.state.house.engine
    async with sitting(office, "p-sci-officer-21") as client:
        page = Page(await client.get(f"/dossiers/{code}"))
        form = page.form(f"/dossiers/{code}/do/advance")
        with counting(engine) as sent:
            answer = await client.post(f"/dossiers/{code}/do/advance", data=form)
            assert answer.status_code == 303, answer.text
            assert (await client.get(answer.headers["location"])).status_code == 200
    assert len(sent) <= 22


async def test_an_opinion_is_asked_given_and_withdrawn_on_the_page(office):
    code = await office.code(
        procedure="9.000301", components={"don": "0" * 64, "dang-ky-kinh-doanh": "0" * 64}
    )
    holder = {"Hoso-Person": "p-sci-officer-11"}
    for event, who, payload in (
        *(("digitise", RECEPTION, {}), ("route", RECEPTION, {}), ("accept", holder, {})),
        ("advance", holder, {"stage": 1}),
    ):
        assert (await office.move(code, event, who, **payload)).status_code == 200
    here = f"/dossiers/{code}/consultations"
    async with sitting(office, "p-sci-officer-11") as client:
        page = Page(await client.get(f"/dossiers/{code}"))
        body = "Prices and Public Assets Division – Department of Finance"
        assert f"{body} was not asked" in page.text  # why the stage may not be left
        wrong = await client.post(here, data={"to": "H42.07.02", "term": "5wd", "key": "k0"})
        assert wrong.status_code == 422
        assert "leave the term out" in wrong.text
        for n, to in enumerate(("H42.07.02", "H42.04.01")):
            asked = {"to": to, "about": "Đơn giá", "key": f"k{n + 1}"}
            answer = await client.post(here, data=asked)
            assert answer.headers["location"] == f"/dossiers/{code}#opinions", answer.text
        again = await client.post(f"{here}/2/withdraw", data={"reason": "thôi", "key": "k5"})
        assert again.status_code == 303
    async with sitting(office, "p-fin-officer-21") as client:
        page = Page(await client.get(f"/dossiers/{code}"))
        assert f"{here}/1/answer" in {form["action"] for form in page.forms}
        wordless = await client.post(f"{here}/1/answer", data={"opinion": "disagrees"})
        assert wordless.status_code == 422
        said = {"opinion": "disagrees", "text": SCRIPT, "key": "k9"}
        answer = await client.post(f"{here}/1/answer", data=said)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/today"  # it is theirs to see no more
    page = Page(await seen(office, code, "p-sci-officer-11"))
    assert SCRIPT in page.text
    assert "Disagrees" in page.text
    assert page.forbidden == []


@pytest.mark.parametrize("procedure", ["2.000205", "other"])
async def test_one_taken_over_from_another_system(office, procedure):
    taken = Taken(
        source="log.xes",
        code="OLD-7",
        agency="H42.05",
        unit="H42.05.01",
        procedure=procedure,
        channel="counter",
        applicant="Trần Văn Cũ",
        calendar="vn",
        policy="day",
        received=office.at,
        promised=office.at,
        kept={"Ghi chú": SCRIPT},
    )
    act = Act(event=Event.adopt, actor="system", role=Role.system, at=office.at)
    told = [{"n": 1, "name": "Nhận", "at": office.at, "person": "x", "unit": None, "data": {}}]
    async with db.transaction(office.app.state.house.engine) as connection:
        book = await office.app.state.house.latest(connection)
        await ledger.adopt(connection, book, taken, act, told)
    office.later(days=2)
    page = Page(await seen(office, "OLD-7", "p-labour-officer-11"))
    for words_ in ("Trần Văn Cũ", "Overdue", "Ghi chú", SCRIPT, "What the former system told"):
        assert words_ in page.text, words_
    assert page.forbidden == []
    async with sitting(office, "p-labour-officer-11") as client:
        form = Page(await client.get("/dossiers/OLD-7/do/return_result"))
        assert "Not stated" in form.text
        said = form.form("/dossiers/OLD-7/do/return_result")
        said |= {"outcome": "unstated", "key": "k1"}
        answer = await client.post("/dossiers/OLD-7/do/return_result", data=said)
        assert answer.status_code == 303, Page(answer).text


def test_a_change_set_is_told_with_both_its_people():
    line = {"event": Event.recompute, "payload": json.dumps({"act": {"change": 3}})}
    change = {"proposed_by": "p-a", "decided_by": "p-b", "reason": "bão số 5", "ground": "CV 12"}
    [(head, told)] = timeline._changed(SimpleNamespace(changes={3: change}), line)
    assert head == "change"
    assert told.en == "3: proposed by p-a, approved by p-b — bão số 5 (CV 12)"
    assert list(timeline._changed(SimpleNamespace(changes={}), line)) == []


def test_who_may_only_read_is_told_why():
    closed = offers(None, None, None, None, Sentence("no delegation in force"))
    assert closed.open == []
    assert closed.alike == [("no delegation in force", closed.alike[0][1])]
    assert set(closed.alike[0][1]) == set(KEYS)


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        *((words.WAYS, Way), (words.SENDINGS, Sending), (words.AUDIENCES, Audience)),
        *((words.STANDINGS, Standing), (words.OPINIONS, Opinion), (words.PROVENANCES, Provenance)),
        *((words.FOUND, What), (words.CAUSES, Cause), (words.HOLDERS, Holder)),
    ],
)
def test_everything_has_its_name(table, kind):
    assert set(table) == set(kind)


def test_a_key_is_one_act_and_no_other_page_has_it():
    assert len(set(KEYS.values())) == len(KEYS)
    assert not {"a", "g", "j", "/", "?"} & set(KEYS.values())
    assert set(KEYS) == set(Event) - OF_CHANGES - {Event.register, Event.adopt, Event.lapse}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (QUEUE, "hàng chờ của cơ quan"),
        ("no rule caught it: the stage's own unit", "về đơn vị của bước"),
        ("rule 2 of the stage: 3 in hand, least of 4", "quy tắc 2 của bước: đang giữ 3"),
        ("rule 2 of the stage: p-x is absent, and nobody stands in", "p-x vắng"),
        ("rule 2 of the stage, in place of p-x who is absent", "thay p-x vắng mặt"),
        *(("rule 2 of the stage", "quy tắc 2 của bước"), ("another reason", "another reason")),
        *(("named by who moved it", "do người chuyển chọn"), ("", "")),
        ("taken from the agency's queue", "lấy từ hàng chờ"),
    ],
)
def test_why_it_was_sent_there_is_said_in_vietnamese(why, said):
    assert said in timeline._why(why).vi
    assert why in timeline._why(why).en


@given(minutes=st.integers(0, 10**6), day=st.integers(60, 1440))
def test_working_time_is_in_days_or_in_hours(minutes, day):
    told = telling.worked(minutes, day).en
    if minutes < 2 * day:
        assert told == f"{minutes // 60} h {minutes % 60:02} of working time"
    else:
        assert told == f"{minutes // day} working days"


async def test_papers_and_what_was_made(office):
    code = await office.processing()
    await office.move(code, "advance", OFFICER, produced=["Phiếu trình giải quyết"])
    page = Page(await seen(office, code, "p-sci-lead-02"))
    assert "Documents produced" in page.text
    assert "Phiếu trình giải quyết" in page.text
    kept = await office.read(code, "/history")
    assert json.dumps(kept)  # what is told there is told here
    for line in kept["entries"]:
        assert line["actor"] in page.text or line["role"] == "system"


async def test_a_clerk_of_the_post_reads_a_delivered_one(office):
    code = await office.processing()
    made = ["Phiếu trình giải quyết"]
    await office.move(code, "advance", OFFICER, produced=made)
    await office.move(code, "advance", LEADER)
    director = {"Hoso-Person": "p-sci-director"}
    said = {"outcome": "approved", "produced": ["Kết quả giải quyết"]}
    assert (await office.move(code, "return_result", director, **said)).status_code == 200
    assert (await office.move(code, "deliver", CLERK, channel="post")).status_code == 200
    page = Page(await seen(office, code, "p-post-01"))
    assert "Public post" in page.text
    assert "before its date" in page.text
    assert "Early" in page.text
