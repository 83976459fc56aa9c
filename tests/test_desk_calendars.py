"""Calendars at the desk: a year, a day decided otherwise, and change sets of two persons."""

from datetime import date

import pytest
import sqlalchemy as sa
from office import address, running
from sitting import Page, sitting

from api.calendar_year import days_of
from api.desk.calendars.year import months
from states import calendars, db
from states.calendars import hours
from states.errors import BadInput

CONTROL, DIRECTOR, OFFICER = "p-control-01", "p-centre-lead", "p-sci-officer-21"
DAY = "/calendars/vn/days/2024-12-24"
SAID = {"what": "off", "reason": "Nghỉ", "document": "Thông báo 1", "dates": "later"}


@pytest.fixture
async def office(apart, tmp_path):
    async with running(address(apart), tmp_path) as office:
        yield office


async def changes(office):
    async with db.transaction(office.app.state.house.engine) as connection:
        asked = sa.text("SELECT id, status, says FROM change ORDER BY id")
        return (await connection.execute(asked)).all()


async def dropped(office, client):
    """No change set waits any more: not for a second person, and not for a worker."""
    for row in await changes(office):
        if row.status == "proposed":
            where = f"/calendars/changes/{row.id}/reject"
            await client.post(where, data={"why": "x", "key": f"drop{row.id}"})
    async with db.transaction(office.app.state.house.engine) as connection:
        done = "UPDATE change SET status = 'applied' WHERE status = 'approved'"
        await connection.execute(sa.text(done))


@pytest.mark.parametrize(("lang", "word"), [("vi", "Tháng 2"), ("en", "February")])
async def test_a_year_is_seen_at_a_glance_with_its_sources(office, lang, word):
    async with sitting(office, OFFICER, lang) as client:
        assert (await client.get("/calendars")).headers["location"] == "/calendars/vn"
        answer = await client.get("/calendars/vn?year=2024")
        page = Page(answer)
        assert word in page.text
        assert "Thông báo 1570/TB-BLĐTBXH" in page.text
        assert page.forbidden == []
        days = [each for each in page.links if each.startswith("/calendars/vn/days/")]
        assert len(set(days)) == 366
        assert 'class="day made_up"' in answer.text
        assert (await client.get("/calendars/none")).status_code == 404
        assert (await client.get("/calendars/vn?year=2100")).status_code == 200  # the last there is


async def test_a_day_says_who_decided_it(office):
    async with sitting(office, OFFICER) as client:
        page = Page(await client.get("/calendars/vn/days/2024-05-04"))
        assert "works by decision" in page.text
        assert "Make-up day for Monday 29/04/2024" in page.text
        assert (await client.get("/calendars/vn/days/2024-13-01")).status_code == 422


async def test_a_day_is_proposed_seen_and_approved_by_a_second_person(office):
    code = await office.code()
    async with sitting(office, CONTROL) as client, sitting(office, DIRECTOR) as second:
        await dropped(office, client)
        said = SAID | {"key": "p"}
        done = await client.post("/calendars/vn/days/2024-04-03", data=said)
        again = await client.post("/calendars/vn/days/2024-04-03", data=said)
        one = done.headers["location"]
        assert again.headers["location"] == one
        page = Page(await client.get(one))
        assert "03/04/2024" in page.text
        assert "Nghỉ" in page.text
        part = await client.get(f"{one}/foreseen", headers={"HX-Request": "true"})
        assert code in part.text
        assert "<html" not in part.text
        assert Page(await client.get(f"{one}/foreseen")).forbidden == []
        other = await client.post(DAY, data=SAID | {"key": "q"})
        assert other.status_code == 409
        assert "approve, reject or apply that one first" in other.text
        own = await client.post(f"{one}/approve", data={"key": "a"})
        assert own.status_code == 409
        assert "a second person approves it" in own.text
        good = await second.post(f"{one}/approve", data={"key": "a"})
        assert good.status_code == 303, good.text
        assert (await changes(office))[-1].status == "approved"
        year = await client.get("/calendars/vn?year=2024")
        assert 'data-day="2024-04-03" aria-label="3: off by law or decision"' in year.text


async def test_a_proposal_is_rejected_with_its_reason(office):
    async with sitting(office, CONTROL) as client, sitting(office, DIRECTOR) as second:
        await dropped(office, client)
        done = await client.post("/calendars/vn/days/2024-12-24", data=SAID | {"key": "r"})
        assert done.status_code == 303, done.text
        one = done.headers["location"]
        bare = await second.post(f"{one}/reject", data={"key": "r1"})
        assert bare.status_code == 422
        await second.post(f"{one}/reject", data={"why": "<b>Sai ngày</b>", "key": "r2"})
        row = (await changes(office))[-1]
        assert (row.status, row.says["rejected"]) == ("rejected", "<b>Sai ngày</b>")
        page = await client.get(one)
        assert "&lt;b&gt;Sai ngày&lt;/b&gt;" in page.text
        assert "rejected" in Page(await client.get("/calendars/changes")).text


async def test_hours_of_a_day_are_typed(office):
    async with sitting(office, CONTROL) as client:
        await dropped(office, client)
        said = SAID | {"what": "hours", "sessions": "8 to 11", "reason": "Họp <i>toàn</i> cơ quan"}
        wrong = await client.post("/calendars/vn/days/2024-12-23", data=said | {"key": "h"})
        assert wrong.status_code == 422
        assert "must be hours such as" in wrong.text
        assert 'value="8 to 11"' in wrong.text
        assert "<i>toàn" not in wrong.text
        said |= {"sessions": "08:00 – 11:00", "key": "h2"}
        right = await client.post("/calendars/vn/days/2024-12-23", data=said)
        assert "08:00–11:00" in (await client.get(right.headers["location"])).text


async def test_a_decided_day_is_overruled_only_when_that_is_said(office):
    async with sitting(office, CONTROL) as client:
        await dropped(office, client)
        where = "/calendars/vn/days/2024-04-29"
        await client.post("/drafts?form=calendar/vn/2024-04-29", data={"reason": "Đang nhập"})
        assert 'value="Đang nhập"' in (await client.get(where)).text
        refused = await client.post(where, data=SAID | {"what": "work", "key": "o"})
        assert refused.status_code in {409, 422}
        assert 'value="Nghỉ"' in refused.text


@pytest.mark.parametrize("person", [OFFICER, "p-sci-director", "p-post-01"])
async def test_who_is_not_of_the_control_unit_proposes_nothing(office, person):
    async with sitting(office, person) as client:
        before = await changes(office)
        refused = await client.post(DAY, data=SAID | {"key": person})
        assert refused.status_code == 403
        assert 'value="Thông báo 1"' in refused.text
        assert await changes(office) == before


async def test_who_may_not_decide_is_refused(office):
    async with sitting(office, CONTROL) as client, sitting(office, "p-sci-director") as stranger:
        await dropped(office, client)
        done = await client.post("/calendars/vn/days/2024-12-20", data=SAID | {"key": "d"})
        one = done.headers["location"]
        assert (await stranger.get(one)).status_code == 200
        assert (await stranger.post(f"{one}/approve", data={"key": "d"})).status_code == 403
        assert (await stranger.get("/calendars/changes/99999")).status_code == 404


def test_months_hold_every_day_once_weeks_beginning_on_monday():
    days = days_of(calendars.load("vn"), 2024)
    made = list(months(days))
    cells = [each for month in made for week in month.weeks for each in week if each]
    assert cells == days
    for month in made:
        for week in month.weeks:
            assert len(week) == 7
            assert all(each.date.weekday() == n for n, each in enumerate(week) if each)
    assert made[1].first == date(2024, 2, 1)


@pytest.mark.parametrize(
    "text", ["", "8-11", "11:00-08:00", "07:00-12:00, 11:00-13:00", "24:00-25:00"]
)
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(BadInput):
        hours.typed(text)
