"""Dossiers over HTTP: a whole life, same key same answer, two at once, commit before answer."""

import asyncio
import subprocess
import sys

import pytest
import sqlalchemy as sa
from office import (
    CLERK,
    DIRECTOR,
    LEADER,
    OFFICER,
    RECEPTION,
    address,
    entries,
    running,
)

from states import ledger
from states.accounts import Scope, keys
from states.accounts.history import COMMAND
from states.catalogue import load
from states.words import Event


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def test_a_whole_life(office, fresh):
    answer = await office.opened()
    assert answer.status_code == 201
    code = answer.json()["code"]
    assert answer.headers["Location"] == f"/v1/dossiers/{code}"
    assert code == "H42.14-240304-0001"
    for event, who, body, state in (
        ("digitise", RECEPTION, {}, "digitised"),
        ("route", RECEPTION, {}, "routed"),
        ("accept", OFFICER, {}, "processing"),
        ("request_supplement", OFFICER, {"reason": "Thiếu chữ ký"}, "awaiting_supplement"),
        ("supplement", RECEPTION, {}, "processing"),
        ("advance", OFFICER, {"payload": {"produced": ["Phiếu trình giải quyết"]}}, "processing"),
        ("advance", LEADER, {}, "processing"),
        (
            "return_result",
            DIRECTOR,
            {"payload": {"outcome": "approved", "produced": ["Kết quả giải quyết"]}},
            "result_returned",
        ),
        ("deliver", CLERK, {}, "delivered"),
    ):
        office.later(hours=2)
        answer = await office.move(code, event, who, body)
        assert (answer.status_code, answer.json().get("state")) == (200, state), answer.text
    seen = answer.json()
    assert (seen["seq"], answer.headers["ETag"]) == (10, '"10"')
    assert (seen["label"], seen["national_code"]) == ("Đã trả kết quả", 10)
    assert (seen["verdict"], seen["outcome"], seen["overdue"]) == ("early", "approved", False)
    assert seen["dates"]["received"] == "2024-03-04T08:00:00+07:00"
    assert seen["dates"]["delivered"] == "2024-03-05T02:00:00+07:00"
    assert seen["open"] == []
    async with fresh.connect() as db:
        assert (await ledger.verify(db, load())).faults == []


async def test_what_is_open_and_why_the_rest_is_not(office):
    code = await office.processing()
    mine = await office.read(code, **OFFICER)
    assert mine["open"] == ["advance", "request_supplement", "request_payment"]
    assert "no such move" in mine["closed"]["receive"]
    assert mine["closed"]["stop"] == "it is for leader"
    assert {*mine["open"], *mine["closed"]} == set(Event)
    assert mine["stage"] == {
        "n": 0,
        "of": 3,
        "role": "officer",
        "code": "tham-dinh",
        "name": "Thẩm định hồ sơ",
        "term": "18cd",
    }
    elsewhere = await office.read(code, **DIRECTOR)
    assert elsewhere["open"] == []
    assert "lies in H42.03.02" in elsewhere["closed"]["stop"]
    assert elsewhere["applicant"] == "Nguyễn Thị Ánh"
    assert (await office.read(code, **RECEPTION))["open"] == ["withdraw"]


async def test_another_agency_is_told_of_no_such_dossier(office):
    code = await office.processing()
    stranger = {"Hoso-Person": "p-edu-officer-11"}
    nothing = await office.client.get("/v1/dossiers/H42.14-240304-9999", headers=stranger)
    for path in ("", "/history", "/clock"):
        answer = await office.client.get(f"/v1/dossiers/{code}{path}", headers=stranger)
        assert answer.status_code == nothing.status_code == 404
        same = answer.json()["detail"].replace(code, ""), nothing.json()["detail"]
        assert same[0] == same[1].replace("H42.14-240304-9999", "")


async def test_reading_is_kept_and_told_to_who_audits(office):
    code = await office.processing()
    await office.read(code, **OFFICER)
    await office.read(code, "/history", **RECEPTION)
    told = (await office.read(code, "/looks", **DIRECTOR))["looks"]
    assert [(each["person"], each["door"]) for each in told] == [
        ("p-reception-01", "GET /v1/dossiers/{code}/history"),
        ("p-sci-officer-21", "GET /v1/dossiers/{code}"),
    ]
    answer = await office.client.get(f"/v1/dossiers/{code}/looks", headers=OFFICER)
    assert answer.status_code == 403


async def test_the_answer_can_be_left_out(office):
    answer = await office.opened(RECEPTION | {"Prefer": "return=minimal"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Preference-Applied"] == "return=minimal"
    code = answer.headers["Location"].rpartition("/")[2]
    answer = await office.move(code, "digitise", RECEPTION | {"Prefer": "return=minimal"})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (204, b"", '"2"')


async def test_history_tells_who_why_and_what_was_promised(office):
    code = await office.processing()
    office.later(days=1)
    await office.move(code, "request_supplement", OFFICER, {"reason": "Thiếu chữ ký"})
    office.later(days=1)
    await office.move(code, "supplement", CLERK)
    told = await office.read(code, "/history")
    asked, given = told["entries"][-2:]
    assert (asked["event"], asked["reason"], asked["role"]) == (
        "request_supplement",
        "Thiếu chữ ký",
        "officer",
    )
    assert (given["actor"], given["on_behalf_of"]) == ("p-post-01", "H42.03")
    first, *rest = told["entries"]
    assert first["promised"] == "2024-04-03T17:00:00+07:00"
    assert given["promised"] == "2024-04-05T17:00:00+07:00"
    assert first["prev"] is None
    assert [entry["prev"] for entry in rest] == [entry["hash"] for entry in told["entries"][:-1]]
    assert [(visit["stage"], visit["unit"], visit["person"]) for visit in told["visits"]] == [
        (0, "H42.03.02", "p-sci-officer-21")
    ]
    assert told["activities"] == []
    assert "Nguyễn" not in str(told)  # personal data waits for who may read it


async def test_the_clock_tells_its_working(office):
    code = await office.code()
    office.later(days=2)
    read = await office.read(code, "/clock")
    assert (read["verdict"], read["term"], read["policy"]) == ("open", "30cd", "day")
    assert read["due"] == read["due_original"] == "2024-04-03T17:00:00+07:00"
    assert read["used_minutes"] == 960
    assert sum(step["minutes"] for step in read["trace"] if step["counts"]) == read["used_minutes"]
    assert all(step["sentence"] for step in read["trace"])
    late = await office.read(code, "/clock?at=2024-04-05T08:00:00%2B07:00")
    assert late["verdict"] == "overdue"
    beyond = await office.client.get(
        f"/v1/dossiers/{code}/clock?at=2190-01-01T00:00:00Z", headers=RECEPTION
    )
    assert beyond.status_code == 422


async def test_the_clock_before_receipt_has_not_started(office):
    code = await office.code(event="register", channel="online")
    read = await office.read(code, "/clock")
    assert (read["verdict"], read["due"], read["trace"]) == (None, None, [])


# Same key, same answer --------------------------------------------------------------------


async def test_the_same_key_opens_once(office, fresh):
    keyed = RECEPTION | {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(*(office.opened(keyed) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await entries(fresh) == 1
    other = await office.opened(keyed, applicant="Trần Văn Bình")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")


async def test_the_same_key_moves_once_even_when_the_dossier_has_left_the_callers_reach(
    office, fresh
):
    code = await office.processing()
    produced = {"produced": ["Phiếu trình giải quyết"]}
    keyed = OFFICER | {"Idempotency-Key": "k-2", "If-Match": '"4"'}
    assert (await office.move(code, "advance", keyed, **produced)).status_code == 200
    assert (await office.move(code, "advance", LEADER)).status_code == 200  # now at H42.03.09
    again = await office.move(code, "advance", keyed, **produced)
    assert again.status_code == 200
    assert await entries(fresh) == 6
    new = await office.move(code, "advance", keyed | {"Idempotency-Key": "k-3"}, **produced)
    assert (new.status_code, new.json()["type"]) == (403, "/problems/not-yours")
    elsewhere = await office.move(await office.processing(), "advance", keyed, **produced)
    assert elsewhere.json()["type"] == "/problems/key-reused"


# Two at once ------------------------------------------------------------------------------


@pytest.mark.parametrize("if_match", [{}, {"If-Match": '"1"'}])
async def test_of_ten_at_once_one_wins_and_nine_are_told_the_present_state(office, fresh, if_match):
    code = await office.code()
    answers = await asyncio.gather(
        *(office.move(code, "digitise", RECEPTION | if_match) for _ in range(10))
    )
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == 9
    for answer in refused:
        told = answer.json()
        assert answer.status_code in ({412} if if_match else {409})
        assert told["type"] in {"/problems/stale", "/problems/not-open"}
        assert (told["state"], told["seq"]) == ("digitised", 2)
        assert told["open"] == ["route", "withdraw"]
    assert await entries(fresh) == 2


async def test_what_was_seen_must_be_what_is(office):
    code = await office.code()
    stale = await office.move(code, "digitise", RECEPTION | {"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale")
    assert (stale.json()["state"], stale.json()["seq"]) == ("received", 1)
    for seen in ('"1"', "*"):
        moved = await office.move(await office.code(), "digitise", RECEPTION | {"If-Match": seen})
        assert moved.status_code == 200
    for seen in ("1", 'W/"1"', '"1", "2"', "", '"-1"'):
        wrong = await office.move(code, "digitise", RECEPTION | {"If-Match": seen})
        assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/bad-input"), seen
    assert (await office.read(code))["seq"] == 1


# Commit before answer ---------------------------------------------------------------------


async def test_no_answer_of_what_was_not_kept(office, owner):
    """A commit that fails after the handler has returned must not follow a 200."""
    code = await office.code()
    async with owner.begin() as db:
        await db.execute(
            sa.text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'not kept: Nguyễn'; END $$"
            )
        )
        await db.execute(
            sa.text(
                "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    try:
        answer = await office.move(code, "digitise", RECEPTION)
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/broken")
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        assert "not kept" not in answer.text
        assert (await office.read(code))["seq"] == 1
    finally:
        async with owner.begin() as db:
            await db.execute(sa.text("DROP FUNCTION refuse() CASCADE"))
    assert (await office.move(code, "digitise", RECEPTION)).status_code == 200


async def test_connections_that_were_cut_are_made_anew(office, owner):
    """Cut between two requests, nobody notices; cut in the middle of one, its caller is told."""
    code = await office.code()
    async with owner.connect() as db:
        await db.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE usename = 'hoso_app' AND datname = current_database()"
            )
        )
    keyed = RECEPTION | {"Idempotency-Key": "k-4"}
    answers = [(await office.move(code, "digitise", keyed)).status_code for _ in range(3)]
    assert answers[0] in {200, 503}
    assert answers[1:] == [200, 200]
    assert (await office.read(code))["seq"] == 2


def test_the_api_starts_without_prefect():
    told = "import sys, api.app; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


async def test_a_key_for_less_is_not_told_what_another_key_was_answered(office, fresh):
    """The same person, the same Idempotency-Key, the same request: another service key."""
    lodged = {"Idempotency-Key": "once", **RECEPTION}
    assert (await office.opened(lodged)).status_code == 201
    async with fresh.begin() as db:
        now = await db.scalar(sa.select(sa.func.now()))
        given = ("less", "p-reception-01", [Scope.reports_read], COMMAND, now)
        _, key = await keys.make(db, *given)
    narrow = {"Idempotency-Key": "once", "Authorization": f"Bearer {key}"}
    answer = await office.opened(narrow)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/key-reused")
    assert "code" not in answer.json()
