"""Public tracking over HTTP: what a citizen is told, and how little anybody else learns."""

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from office import DIRECTOR, FILE, LEADER, OFFICER, RECEPTION, address, running

from api.tracking import BOUNDED, printed
from states.catalogue import load
from states.tracking import secret_part

DEPARTMENT = "Sở Khoa học và Công nghệ"
CENTRE = "Trung tâm Phục vụ hành chính công – Kiểm soát thủ tục hành chính"
APPRAISED = {"produced": ["Phiếu trình giải quyết"]}
GROUND = "61/2018/NĐ-CP Điều 19"
INTERNAL = "chuyện riêng của phòng"


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


def secret(office, code):
    return secret_part(office.app.state.house.key("slip"), code)


async def ask(office, code, **by):
    headers = by.pop("headers", {})
    return await office.client.get(f"/v1/track/{code}", params=by, headers=headers)


async def tracked(office, code, **more):
    answer = await ask(office, code, secret=secret(office, code), **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def moved(office, code, event, who, body=None, **payload):
    answer = await office.move(code, event, who, body, **payload)
    assert answer.status_code == 200, answer.text


async def to_signature(office):
    code = await office.processing()
    await moved(office, code, "advance", OFFICER, **APPRAISED)
    await moved(office, code, "advance", LEADER)
    return code


def result(outcome, reason=None):
    payload = {"outcome": outcome, "produced": ["Kết quả giải quyết"]}
    return {"payload": payload, "reason": reason, "ground": GROUND}


# What is told -----------------------------------------------------------------------------


async def test_received(office):
    code = await office.code()
    told = await tracked(office, code)
    clock = await office.read(code, "/clock")
    assert told["code"] == code
    assert told["language"] == "vi"
    assert told["procedure"] == {"code": "1.003659", "name": "Cấp giấy phép bưu chính"}
    assert told["agency"] == {"code": "H42.03", "name": DEPARTMENT}
    assert told["state"] == "received"
    assert told["sentence"] == "Hồ sơ đã được tiếp nhận; thời hạn giải quyết đã bắt đầu."
    assert told["registered"] == told["received"] == "2024-03-04T08:00:00+07:00"
    assert told["due"] == clock["due"] == "2024-04-03T17:00:00+07:00"
    assert not told["held"]
    assert told["promises"] == [
        {
            "at": told["received"],
            "due": told["due"],
            "event": "receive",
            "sentence": "Ngày hẹn trả kết quả khi tiếp nhận.",
            "reason": None,
            "ground": None,
        }
    ]
    assert told["place"]["at"] == "counter"
    assert (told["asked"], told["ended"], told["late"]) == (None, None, None)


async def test_lodged_online_and_something_is_missing(office):
    papers = {"don": FILE, "dang-ky-kinh-doanh": FILE}
    code = await office.code(event="register", channel="online", components=papers)
    told = await tracked(office, code)
    assert (told["received"], told["due"], told["promises"]) == (None, None, [])
    body = {"reason": "Thiếu phương án\nkinh doanh", "ground": GROUND}
    await moved(office, code, "request_supplement", RECEPTION, body)
    told = await tracked(office, code, lang="en")
    assert told["held"]
    assert told["place"]["at"] == "counter"
    asked = told["asked"]
    assert asked["what"] == "supplement"
    assert asked["reason"] == "Thiếu phương án kinh doanh"  # a line that turns no direction
    assert asked["missing"] == ["Business plan"]
    standing = await office.read(code)
    assert asked["until"] == standing["dates"]["lapses"]
    assert "Wednesday 3 April 2024" in asked["sentence"]


async def test_every_date_and_why_it_moved(office):
    code = await office.processing()
    first = await tracked(office, code)
    assert first["place"]["sentence"] == f"Hồ sơ đang ở {DEPARTMENT}."
    office.later(days=2)
    asked = {"reason": "Thiếu bản sao chứng thực", "ground": GROUND}
    await moved(office, code, "request_supplement", OFFICER, asked)
    held = await tracked(office, code)
    assert (held["held"], held["due"], held["asked"]["missing"]) == (True, None, [])
    office.later(days=5)
    await moved(office, code, "supplement", RECEPTION, {"reason": INTERNAL})
    office.later(days=1)
    body = {"payload": {"term": "5cd"}, "reason": "Cần xác minh", "ground": GROUND}
    await moved(office, code, "extend", LEADER, body)
    told = await tracked(office, code, lang="en")
    assert [(each["event"], each["reason"], each["ground"]) for each in told["promises"]] == [
        ("receive", None, None),
        ("request_supplement", "Thiếu bản sao chứng thực", GROUND),
        ("supplement", None, None),
        ("extend", "Cần xác minh", GROUND),
    ]
    dues = [each["due"] for each in told["promises"]]
    assert dues[0] == first["due"]
    assert dues[1] is None
    assert dues[0] < dues[2] < dues[3] == told["due"]
    assert told["due"] == (await office.read(code, "/clock"))["due"]
    assert told["promises"][-1]["sentence"] == "We apologise, and promise another date."
    assert told["late"] is None
    assert not told["held"]


async def test_a_payment(office):
    code = await office.processing()
    await moved(office, code, "request_payment", OFFICER, amount=1_250_000)
    asked = (await tracked(office, code))["asked"]
    assert (asked["what"], asked["amount"], asked["missing"]) == ("payment", 1_250_000, [])
    assert "1.250.000 đồng" in asked["sentence"]
    await moved(office, code, "pay", RECEPTION, amount=1_250_000)
    told = await tracked(office, code)
    assert (told["asked"], told["held"]) == (None, False)


async def test_a_result_and_where_to_fetch_it(office):
    code = await to_signature(office)
    await moved(office, code, "return_result", DIRECTOR, result("approved", INTERNAL))
    told = await tracked(office, code)
    assert told["ended"]["outcome"] == "approved"
    assert told["ended"]["fetch_at"] == {"code": "H42.14", "name": CENTRE}
    assert (told["ended"]["reason"], told["ended"]["ground"]) == (None, None)
    assert told["place"]["sentence"] == f"Kết quả đang ở {CENTRE}."
    await moved(office, code, "reopen", DIRECTOR, {"reason": INTERNAL, "ground": GROUND})
    again = await tracked(office, code)
    assert (again["state"], again["ended"]) == ("processing", None)
    assert INTERNAL not in str(again)


async def test_a_refusal_is_explained_and_handed_over(office):
    code = await to_signature(office)
    await moved(office, code, "return_result", DIRECTOR, result("refused", "Không đủ điều kiện"))
    office.later(hours=1)
    await moved(office, code, "deliver", RECEPTION, {"reason": INTERNAL})
    told = await tracked(office, code)
    assert told["ended"]["outcome"] == "refused"
    assert (told["ended"]["reason"], told["ended"]["ground"]) == ("Không đủ điều kiện", GROUND)
    assert told["ended"]["delivered"] == "2024-03-04T09:00:00+07:00"
    assert told["ended"]["fetch_at"] is None
    assert told["place"]["at"] == "citizen"


@pytest.mark.parametrize(
    ("event", "who", "state", "reason"),
    [
        ("stop", LEADER, "stopped", "Hồ sơ giả mạo"),
        ("withdraw", RECEPTION, "withdrawn", None),
    ],
)
async def test_ended_without_a_result(office, event, who, state, reason):
    code = await office.processing()
    await moved(office, code, event, who, {"reason": "Hồ sơ giả mạo", "ground": GROUND})
    told = await tracked(office, code)
    assert (told["state"], told["due"], told["late"]) == (state, None, None)
    assert told["ended"]["outcome"] is None
    assert told["ended"]["reason"] == reason
    assert told["place"]["at"] == "ended"


async def test_late_is_said_with_an_apology_and_the_new_date(office):
    code = await office.processing()
    due = (await tracked(office, code))["due"]
    office.at = datetime.fromisoformat(due).replace(hour=23)
    assert (await tracked(office, code))["late"] is None
    office.later(days=1)
    late = (await tracked(office, code))["late"]
    assert (late["promised"], late["new"]) == (due, None)
    assert "xin lỗi" in late["sentence"]
    body = {"payload": {"term": "10cd"}, "reason": "Cần xác minh", "ground": GROUND}
    await moved(office, code, "extend", LEADER, body)
    told = await tracked(office, code, lang="en")
    assert told["late"]["promised"] == due
    assert told["late"]["new"] == told["due"] > due
    assert "the new date is Monday 15 April 2024" in told["late"]["sentence"]
    office.later(days=60)
    await moved(office, code, "advance", OFFICER, **APPRAISED)
    await moved(office, code, "advance", LEADER)
    await moved(office, code, "return_result", DIRECTOR, result("approved"))
    late = (await tracked(office, code))["late"]
    assert (late["promised"], late["new"]) == (told["due"], None)
    assert "đã kết thúc sau ngày hẹn" in late["sentence"]


async def test_nothing_of_people_is_told(office):
    facts = {"phone": "0912345678", "email": "anh@example.vn", "place": "phu-ly"}
    code = await office.code(**facts)
    for event, who in (("digitise", RECEPTION), ("route", RECEPTION), ("accept", OFFICER)):
        await moved(office, code, event, who)
    await moved(office, code, "advance", OFFICER, **APPRAISED)
    await moved(office, code, "send_back", LEADER, {"reason": INTERNAL})
    answer = await ask(office, code, phone="5678")
    assert answer.status_code == 200, answer.text
    people = load().organisation.people
    for secret_fact in (
        *("Nguyễn Thị Ánh", "0912345678", "5678", "anh@example.vn", INTERNAL),
        *(person.id for person in people),
        *(person.name for person in people),
        *(unit.code for unit in load().organisation.units if unit.code.startswith("H42.03")),
        secret(office, code),
    ):
        assert secret_fact not in answer.text, secret_fact


async def test_it_is_found_by_no_machine_and_kept_by_none(office):
    code = await office.code()
    answer = await ask(office, code, secret=secret(office, code), headers={"Accept-Language": "en"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Content-Language"] == "en"
    assert answer.json()["sentence"] == "The dossier is received; its term has begun."
    typed = printed(office.app.state.house, code).lower()
    assert typed != secret(office, code)
    assert (await ask(office, code, secret=typed)).status_code == 200
    assert (await ask(office, f"%20{code}%20", secret=typed)).status_code == 200


# What is not told -------------------------------------------------------------------------


class Wire:
    """What went over every connection to the database."""

    def __init__(self, engine):
        self.heard = []
        sa.event.listen(engine.sync_engine, "checkout", self._listen)
        sa.event.listen(engine.sync_engine, "before_cursor_execute", self._prepared)

    def _listen(self, connection, *_):
        connection.driver_connection.add_query_logger(self._direct)

    def _direct(self, record):
        self.heard.append(record.query)

    def _prepared(self, connection, cursor, statement, *_):
        self.heard.append(statement)

    def since(self):
        heard, self.heard = self.heard, []
        return heard


async def test_whatever_is_wrong_is_answered_alike(office):
    with_phone, without = await office.code(phone="0912345678"), await office.code()
    await tracked(office, without)
    wire = Wire(office.app.state.house.engine)
    nowhere = "H42.14-240304-0999"
    answers, statements = [], []
    for code, by in (
        (nowhere, {"secret": secret(office, nowhere)}),
        (nowhere, {"secret": "00000000"}),
        (nowhere, {"phone": "5678"}),
        (with_phone, {"secret": "00000000"}),
        (with_phone, {"secret": secret(office, without)}),
        (with_phone, {"secret": "short"}),
        (with_phone, {"phone": "5679"}),
        (without, {"phone": "5678"}),
        ("hồ sơ lạ", {"secret": "00000000"}),
    ):
        answer = await ask(office, code, **by)
        assert answer.status_code == 404, answer.text
        problem = answer.json()
        del problem["request_id"], problem["instance"]
        headers = {name: answer.headers[name] for name in answer.headers if name != "x-request-id"}
        del headers["content-length"]  # the address is repeated in the problem
        answers.append((problem, headers))
        statements.append(wire.since())
    assert all(each == answers[0] for each in answers)
    assert all(each == statements[0] for each in statements)
    assert answers[0][0]["type"] == "/problems/unknown"
    # Who asks and when, that nothing is written, and the one question: nothing else is asked.
    inside = [each for each in statements[0] if each not in {"BEGIN;", "ROLLBACK;"}]
    assert len(inside) == 3
    assert sum("JOIN dossier" in each for each in inside) == 1
    assert not any(re.search(r"\b(INSERT|UPDATE|DELETE)\b", each) for each in statements[0])


async def test_it_can_write_nothing_and_hold_nothing_up(office):
    code = await office.code()
    wire = Wire(office.app.state.house.engine)
    await tracked(office, code)
    heard = wire.since()
    bounded = [n for n, each in enumerate(heard) if "transaction_read_only" in each]
    assert len(bounded) == 1
    assert "statement_timeout" in heard[bounded[0]]
    about = [n for n, each in enumerate(heard) if "dossier" in each]
    assert len(about) == 3
    assert bounded[0] < min(about)
    async with office.app.state.house.engine.connect() as db:
        await db.execute(BOUNDED)
        with pytest.raises(sa.exc.DBAPIError, match="read-only transaction"):
            await db.execute(sa.text("INSERT INTO reader (name, xact, last) VALUES ('x', 0, 0)"))
    async with office.app.state.house.engine.connect() as db:  # and only that transaction
        assert await db.scalar(sa.text("SHOW transaction_read_only")) == "off"


@pytest.mark.parametrize(
    "by",
    [
        {},
        {"secret": "a", "phone": "5678"},
        {"phone": "567"},
        {"phone": "５６７８"},
        {"secret": "a" * 21},
    ],
)
async def test_a_question_that_cannot_be_is_said(office, by):
    assert (await ask(office, "x", **by)).status_code == 422


async def test_wrong_digits_are_few_a_day_and_the_slip_opens_still(office):
    code = await office.code(phone="0912345678")
    for _ in range(3):
        assert (await ask(office, code, phone="5678")).status_code == 200  # none of them counts
    for n in range(5):
        # However the code is typed, it is one code.
        typed = code if n % 2 else f"%20{code}"
        assert (await ask(office, typed, phone=f"000{n}")).status_code == 404
    for digits in ("5678", "0000"):
        answer = await ask(office, code, phone=digits)
        assert answer.status_code == 429, answer.text
        problem = answer.json()
        assert problem["type"] == "/problems/too-many"
        assert "the secret part on the slip" in problem["detail"]
        assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    assert (await ask(office, code, secret=secret(office, code))).status_code == 200
    nowhere = "H42.14-240304-0999"
    wrong = [(await ask(office, nowhere, phone="5678")).status_code for _ in range(6)]
    assert wrong == [404] * 5 + [429]


async def test_an_address_asks_thirty_times_a_minute(office):
    codes = [f"H42.14-240304-{n:04}" for n in range(32)]
    answers = [await ask(office, code, secret="00000000") for code in codes]
    assert [each.status_code for each in answers] == [404] * 30 + [429] * 2
    assert answers[-1].json()["type"] == "/problems/too-many"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].headers["X-Content-Type-Options"] == "nosniff"
    assert (await office.client.get("/health")).status_code == 200


async def test_the_openapi_document_tells_it(office):
    document = (await office.client.get("/openapi.json")).json()
    told = document["paths"]["/v1/track/{code}"]["get"]
    assert "security" not in told
    assert {"200", "404", "422", "429", "503"} <= set(told["responses"])
    assert document["components"]["schemas"]["Tracked"]["examples"]
