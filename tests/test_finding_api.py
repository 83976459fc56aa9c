"""Lists, search and work over HTTP."""

import pytest
import sqlalchemy as sa
from office import CLERK, DIRECTOR, LEADER, LICENCE, OFFICER, RECEPTION, address, running, told

from states.db import transaction
from states.seeing import look

EDUCATION = {"Hoso-Person": "p-edu-officer-21"}
CONTROL = {"Hoso-Person": "p-control-01"}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def got(office, path, who=RECEPTION, **asked):
    answer = await office.client.get(path, params=asked, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def looks(engine):
    async with transaction(engine) as db:
        return (await db.execute(sa.select(look.c.door, look.c.dossiers).order_by(look.c.id))).all()


def codes(told_):
    return [each["code"] for each in told_["items"]]


# Lists ------------------------------------------------------------------------------------


async def test_pages_are_one_list(office):
    made = [await office.code() for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = await got(office, "/v1/dossiers", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += codes(page)
        if (cursor := page["next"]) is None:
            break
        made.append(await office.code())  # behind the reader's back
    assert seen == made[:5][::-1]


async def test_a_row_is_told_masked_and_in_the_time_of_its_calendar(office):
    await office.code()
    (row,) = (await got(office, "/v1/dossiers"))["items"]
    assert row["applicant"] == "Nguyễn T. Á."
    assert row["registered"] == "2024-03-04T08:00:00+07:00"
    assert row["state"] == "received"
    assert not row["overdue"]


async def test_whoever_reads_whole_names_is_on_record(office, fresh):
    code = await office.code(phone="0912345678")
    await got(office, "/v1/dossiers")
    assert await looks(fresh) == []
    (row,) = (await got(office, "/v1/dossiers", full="true"))["items"]
    assert (row["applicant"], row["phone"]) == ("Nguyễn Thị Ánh", "0912345678")
    await got(office, "/v1/dossiers/search", code=code)
    assert [door for door, _ in await looks(fresh)] == ["GET /v1/dossiers"]
    assert codes(await got(office, "/v1/dossiers/search", name="anh")) == [code]
    assert [door for door, _ in await looks(fresh)][1:] == ["GET /v1/dossiers/search"]


async def test_nobody_lists_counts_or_finds_what_is_another_agencys(office):
    code = await office.processing()
    for who, sees in ((RECEPTION, 1), (OFFICER, 1), (CLERK, 1), (DIRECTOR, 1), (EDUCATION, 0)):
        page = await got(office, "/v1/dossiers", who, count="capped")
        assert page["total"] == {"count": sees, "exact": True}, who
        assert codes(page) == [code] * sees
        assert codes(await got(office, "/v1/dossiers/search", who, q=code)) == [code] * sees
        assert codes(await got(office, "/v1/dossiers/search", who, q="Anh")) == [code] * sees
    told(await office.client.get("/v1/dossiers/search"), 401, "unidentified")


async def test_filters_and_what_is_no_filter(office):
    code = await office.processing()
    assert codes(await got(office, "/v1/dossiers", state=["processing", "routed"])) == [code]
    assert codes(await got(office, "/v1/dossiers", state="registered")) == []
    since = "2024-03-04T08:00:00+07:00"
    assert codes(await got(office, "/v1/dossiers", received_since=since)) == [code]
    assert codes(await got(office, "/v1/dossiers", received_until=since)) == []
    assert codes(await got(office, "/v1/dossiers", order="due", procedure=LICENCE)) == [code]
    for asked in (
        {"state": "lost"},
        {"received_since": "2024-03-04T08:00:00"},
        {"received_since": since, "received_until": since},
        {"limit": "201"},
        {"limit": "0"},
        {"cursor": "made-up"},
        {"agency": "a\0b"},
        {"person": "a\0b"},
        {"count": "all"},
    ):
        answer = await office.client.get("/v1/dossiers", params=asked, headers=RECEPTION)
        assert answer.status_code == 422, asked


# Search -----------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"q": "a"}, {"q": "..."}, {"citizen_id": "12"}, {"phone": "x"}])
async def test_what_cannot_be_looked_for_is_told(office, wrong):
    answer = await office.client.get("/v1/dossiers/search", params=wrong, headers=RECEPTION)
    told(answer, 422, "bad-input")


# Work -------------------------------------------------------------------------------------


async def test_a_dossier_goes_from_queue_to_queue(office):
    async def queues(who, lang="en"):
        answer = await office.client.get("/v1/work", headers=who | {"Accept-Language": lang})
        return {each["name"]: each["count"] for each in answer.json()["queues"] if each["count"]}

    code = await office.code()
    assert await queues(RECEPTION) == {"to_digitise": 1}
    await office.move(code, "digitise", RECEPTION)
    assert await queues(CLERK) == {"to_route": 1}
    await office.move(code, "route", RECEPTION)
    assert await queues(OFFICER) == {"to_take_in": 1}
    assert await queues(EDUCATION) == {}
    await office.move(code, "accept", OFFICER)
    assert await queues(OFFICER) == {"in_hands": 1}
    assert await queues(LEADER) == {}
    answer = await office.client.get("/v1/queues/in_hands", headers=OFFICER)
    (row,) = answer.json()["items"]
    assert row["person"] == "p-sci-officer-21"
    assert row["reason"].startswith("hạn ")
    office.later(days=300)
    assert (await queues(CONTROL)) == {"overdue": 1}
    (row,) = (await got(office, "/v1/queues/overdue", CONTROL))["items"]
    assert row["overdue"]
    assert row["reason"].startswith("quá hạn từ ")


async def test_a_queue_of_another_role_is_none(office):
    problem = told(await office.client.get("/v1/queues/overdue", headers=OFFICER), 404, "unknown")
    assert "who is officer has no queue overdue" in problem["detail"]
