"""Stages and consultations over HTTP."""

import asyncio
from typing import Any

import pytest
from office import CLERK, LEADER, OFFICER, RECEPTION, address, running, told

CONSULTING = "9.000301"  # its second stage names H42.07.02 and H42.04.01, each with 3wd
PAPERS = {"don": "0" * 64, "dang-ky-kinh-doanh": "0" * 64}
HOLDER = {"Hoso-Person": "p-sci-officer-11"}
PRICER, PRICER_2 = {"Hoso-Person": "p-fin-officer-21"}, {"Hoso-Person": "p-fin-officer-22"}
BUDGET, TRADER = {"Hoso-Person": "p-fin-officer-11"}, {"Hoso-Person": "p-trade-officer-11"}
HIGH = {"opinion": "disagrees", "text": "Đơn giá cao", "file": "a" * 64}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
async def code(office):
    """A dossier in the stage that consults."""
    code = await office.code(procedure=CONSULTING, components=PAPERS)
    for event, who, payload in (
        ("digitise", RECEPTION, {}),
        ("route", RECEPTION, {}),
        ("accept", HOLDER, {}),
        ("advance", HOLDER, {"stage": 1}),
    ):
        answer = await office.move(code, event, who, **payload)
        assert answer.status_code == 200, answer.text
    return code


def at(code: str, *parts: Any) -> str:
    return "/".join([f"/v1/dossiers/{code}/consultations", *map(str, parts)])


async def put(office, code, who=HOLDER, **body):
    return await office.client.post(at(code), json={"to": "H42.07.02"} | body, headers=who)


async def give(office, code, who=PRICER, n=1, body=HIGH, **headers):
    there = at(code, n, "answer")
    return await office.client.post(there, json=body, headers=who | headers)


async def listed(office, code, who=HOLDER):
    answer = await office.client.get(at(code), headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def queue(office, who=PRICER, **asked):
    answer = await office.client.get("/v1/consultations", headers=who, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_way_of_a_dossier(office, code):
    await put(office, code)
    there = f"/v1/dossiers/{code}/stages"
    seen = (await office.client.get(there, headers=HOLDER | {"Accept-Language": "en"})).json()
    assert (seen["present"], [each["code"] for each in seen["stages"]]) == (
        1,
        ["kiem-tra", "tham-dinh", "xem-xet", "ky-duyet"],
    )
    appraisal, review = seen["stages"][1], seen["stages"][2]
    assert (appraisal["name"], appraisal["term"], appraisal["onward"]) == ("Appraisal", "7wd", [2])
    assert (review["onward"], review["ends"], review["back"]) == ([3], True, [0, 1])
    assert appraisal["consults"] == [
        {"unit": "H42.07.02", "term": "3wd", "about": "Prices of the equipment"},
        {"unit": "H42.04.01", "term": "3wd", "about": None},
    ]
    assert [(each["visit"], each["stage"], each["consultations"]) for each in seen["visits"]] == [
        (1, 0, []),
        (2, 1, [1]),
    ]
    plain = (await office.client.get(there, headers=HOLDER)).json()
    assert plain["stages"][1]["name"] == "Thẩm định hồ sơ"


async def test_asked_answered_and_read(office, code):
    before = await listed(office, code)
    assert [each["unit"] for each in before["unasked"]] == ["H42.07.02", "H42.04.01"]
    assert (before["consultations"], before["ask"]) == ([], None)
    answer = await put(office, code)
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    assert (asked["n"], asked["standing"], asked["open"]) == (1, "open", ["withdraw"])
    assert (asked["due"], asked["late_at"]) == (
        "2024-03-07T17:00:00+07:00",
        "2024-03-08T00:00:00+07:00",
    )
    assert asked["about"] == "Đơn giá thiết bị"
    office.later(hours=2)
    answered = (await give(office, code)).json()
    assert (answered["standing"], answered["opinion"], answered["late"]) == (
        "answered",
        "disagrees",
        False,
    )
    assert (answered["ended_by"], answered["ended_at"]) == (
        "p-fin-officer-21",
        "2024-03-04T10:00:00+07:00",
    )
    after = await listed(office, code)
    assert after["consultations"] == [answered | {"open": []}]
    assert [each["unit"] for each in after["unasked"]] == ["H42.04.01"]


async def test_who_is_asked_sees_the_dossier_until_they_have_answered(office, code):
    there = f"/v1/dossiers/{code}"
    for part in ("", "/stages", "/consultations"):
        told(await office.client.get(there + part, headers=PRICER), 404, "unknown")
    told(await give(office, code), 404, "unknown")
    await put(office, code)
    for part in ("", "/stages", "/history", "/clock"):
        seen = await office.client.get(there + part, headers=PRICER)
        assert seen.status_code == 200, seen.text
    seen = await listed(office, code, PRICER)
    assert seen["consultations"][0]["open"] == ["answer"]
    assert "is no officer" in seen["ask"]
    for who in (BUDGET, TRADER):
        told(await office.client.get(there, headers=who), 404, "unknown")
        told(await give(office, code, who), 404, "unknown")
    assert (await give(office, code)).status_code == 200
    told(await office.client.get(there, headers=PRICER), 404, "unknown")


async def test_the_queue_is_that_of_who_asks_for_it(office, code):
    assert await queue(office) == {"consultations": [], "next": None}
    await put(office, code)
    await put(office, code, to="H42.07", about="Ngân sách", term="1wd")
    seen = (await queue(office))["consultations"]
    assert [(each["code"], each["unit"]) for each in seen] == [
        (code, "H42.07"),
        (code, "H42.07.02"),
    ]
    assert [each["open"] for each in seen] == [["answer"], ["answer"]]
    assert [e["unit"] for e in (await queue(office, BUDGET))["consultations"]] == ["H42.07"]
    for who in (TRADER, HOLDER, RECEPTION, CLERK):
        assert (await queue(office, who))["consultations"] == []
    first = await queue(office, limit=1)
    second = await queue(office, limit=1, cursor=first["next"])
    assert first["consultations"] + second["consultations"] == seen
    assert second["next"] is None
    there = "/v1/consultations"
    wrong = await office.client.get(there, headers=PRICER, params={"cursor": "WzFd"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/bad-input")


async def test_late_is_told(office, code):
    await put(office, code)
    office.later(days=4)
    assert (await queue(office))["consultations"][0]["late"] is True
    answered = (await give(office, code)).json()
    assert (answered["standing"], answered["late"]) == ("answered", True)


async def test_two_at_once_and_the_same_again(office, code):
    await put(office, code)
    both = await asyncio.gather(give(office, code), give(office, code, PRICER_2))
    assert sorted(each.status_code for each in both) == [200, 409]
    lost = next(each for each in both if each.status_code == 409)
    assert "was answered by p-fin-officer-2" in told(lost, 409, "not-open")["detail"]
    won = next(n for n, each in enumerate(both) if each.status_code == 200)
    again = await give(office, code, (PRICER, PRICER_2)[won])
    assert (again.status_code, again.json()) == (200, both[won].json())


async def test_the_same_key_gets_the_same_answer(office, code):
    key = {"Idempotency-Key": "a-question"}
    first, again = [await put(office, code, HOLDER | key) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    told(await put(office, code, HOLDER | key, about="Khác"), 422, "key-reused")
    assert len((await listed(office, code))["consultations"]) == 1


async def test_withdrawn_with_the_reason(office, code):
    await put(office, code)
    there = at(code, 1, "withdraw")
    told(await office.client.post(there, json={}, headers=HOLDER), 422, "invalid")
    said = {"reason": "Đã có văn bản"}
    told(await office.client.post(there, json=said, headers=PRICER), 403, "not-yours")
    done = (await office.client.post(there, json=said, headers=HOLDER)).json()
    assert (done["standing"], done["text"], done["open"]) == ("withdrawn", "Đã có văn bản", [])
    told(await put(office, code, term="1wd"), 422, "bad-input")
    assert (await put(office, code)).json()["n"] == 2


async def test_a_dossier_that_ends_waits_for_no_opinion(office, code):
    await put(office, code)
    office.later(hours=1)
    said = {"reason": "Công dân đề nghị"}
    assert (await office.move(code, "withdraw", RECEPTION, said)).status_code == 200
    seen = (await listed(office, code))["consultations"][0]
    assert (seen["standing"], seen["ended_at"]) == ("overtaken", "2024-03-04T09:00:00+07:00")
    assert (await queue(office))["consultations"] == []
    told(await put(office, code), 409, "not-open")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"to": "H42.05.01", "about": "x"}, 422, "bad-input"),  # no term
        ({"to": "H42.05.01", "about": "x", "term": "2 days"}, 422, "bad-input"),
        ({"to": "H42.99", "about": "x", "term": "2wd"}, 422, "bad-input"),
        ({"to": "H42.05.01", "about": "\0", "term": "2wd"}, 422, "invalid"),
        ({"to": "H42.05.01", "about": "x" * 2001, "term": "2wd"}, 422, "invalid"),
        ({"to": 7}, 422, "invalid"),
        ({"to": "H42.07.02", "by": "tomorrow"}, 422, "invalid"),
    ],
)
async def test_a_question_that_is_none_is_refused(office, code, body, status, kind):
    told(await office.client.post(at(code), json=body, headers=HOLDER), status, kind)
    assert (await listed(office, code))["consultations"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"opinion": "maybe"},
        {"opinion": "agrees", "file": "not a hash"},
        {"opinion": "agrees", "text": 7},
        {"opinion": "agrees", "more": True},
        {},
    ],
)
async def test_an_answer_that_is_none_is_refused(office, code, body):
    await put(office, code)
    told(await give(office, code, body=body), 422, "invalid")
    assert (await listed(office, code))["consultations"][0]["standing"] == "open"


async def test_who_may_not_ask_is_told_why(office, code):
    told(await put(office, code, RECEPTION), 403, "not-yours")
    told(await put(office, code, LEADER), 403, "not-yours")  # of another unit of the agency
    told(await put(office, code, OFFICER), 404, "unknown")  # who does not see what it has
    await put(office, code)
    told(await give(office, code, HOLDER), 403, "not-yours")
    told(await give(office, code, HOLDER, n=9), 404, "unknown")
    told(await give(office, code, n=9), 404, "unknown")
