"""Dossiers found at the desk: by code, slip, name; filtered; filters of one's own; the palette."""

import re

import pytest
import sqlalchemy as sa
from office import LICENCE, RECEPTION, address, running
from sitting import Page, sitting
from test_desk_today import counting, rows

from api.desk import finding, sought
from states.db import transaction
from states.seeing import look

SCRIPT = "<script>alert(1)</script>"
MOST = 12  # statements of a page, arrival and all


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def seen(office, path, person="p-reception-01", lang="en", status=200, **headers):
    async with sitting(office, person, lang) as client:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer


async def looks(engine):
    async with transaction(engine) as db:
        return (await db.execute(sa.select(look.c.door, look.c.dossiers).order_by(look.c.id))).all()


# By what is on the slip -------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["{}", " {} ", "{lower}", "http://office/track/{}/7K3M-9QXD", "/track/{}/7K3M-9QXD?x=1"],
)
async def test_a_code_or_a_slip_leads_to_the_dossier(office, fresh, typed):
    code = await office.code()
    async with sitting(office, "p-reception-01") as client:
        text = typed.format(code, lower=code.lower())
        answer = await client.get("/dossiers", params={"q": text})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dossiers/{code}")
    assert await looks(fresh) == []  # nothing was shown yet


async def test_a_slip_of_none_that_they_may_see_is_said_to_be_unknown(office):
    code = await office.processing()
    there = await seen(office, f"/dossiers?q=/track/{code}/X", "p-edu-officer-21", status=404)
    missing = await seen(office, "/dossiers?q=/track/H42.14-1-9/X", "p-edu-officer-21", status=404)
    said = [re.sub(r"\s+", " ", Page(each).text) for each in (there, missing)]
    assert said[0].replace(code, "") == said[1].replace("H42.14-1-9", "")
    found = await seen(office, f"/dossiers?q={code}", "p-edu-officer-21")
    assert rows(found) == []


# By whose it is ---------------------------------------------------------------------------


async def test_a_name_without_accents_is_found_masked_and_on_record(office, fresh):
    code = await office.code(phone="0912345678")
    await office.code(applicant="Trần Văn Bảo")
    answer = await seen(office, "/dossiers?q=nguyen%20thi")
    assert rows(answer) == [code]
    text = Page(answer).text
    assert "Nguyễn T. Á." in text
    assert "…678" in text
    assert "Thị Ánh" not in text
    assert "0912345678" not in text
    ((door, dossiers),) = await looks(fresh)
    assert door == "GET /dossiers"
    assert len(dossiers) == 1
    assert rows(await seen(office, "/dossiers?q=0912345678")) == [code]


async def test_whoever_wants_names_whole_is_on_record(office, fresh):
    await office.code()
    assert "Nguyễn T. Á." in (await seen(office, "/dossiers")).text
    assert await looks(fresh) == []
    assert "Nguyễn Thị Ánh" in (await seen(office, "/dossiers?full=true")).text
    assert [door for door, _ in await looks(fresh)] == ["GET /dossiers"]


async def test_as_it_is_typed_only_what_was_found_is_sent(office):
    code = await office.code()
    part = await seen(office, "/dossiers?q=nguyen", **{"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section id="found"')
    assert rows(part) == [code]
    await seen(office, f"/dossiers?q={code}", **{"HX-Request": "true"})  # leads nowhere yet
    few = await seen(office, "/dossiers?q=n", status=422, **{"HX-Request": "true"})
    assert "two letters" in few.text


async def test_a_script_for_a_name_is_text_and_so_is_what_was_typed(office):
    await office.code(applicant=f"{SCRIPT} Ánh")
    for path in ("/dossiers?full=true", f"/dossiers?q={SCRIPT}", f"/dossiers?procedure={SCRIPT}"):
        async with sitting(office, "p-reception-01") as client:
            answer = await client.get(path)
        assert SCRIPT not in answer.text
        assert Page(answer).forbidden == []


# Filters ----------------------------------------------------------------------------------


async def test_filters_narrow_the_list(office):
    first = await office.code()
    await office.move(first, "digitise", RECEPTION)
    office.later(days=1)
    second = await office.code(channel="online")
    every = {
        "": [second, first],
        "state=digitised": [first],
        "state=digitised&state=received": [second, first],
        "channel=online": [second],
        "agency=H42.02": [],
        f"procedure={LICENCE}&agency=H42.03": [second, first],
        "received_until=2024-03-04": [first],  # the day itself is in it
        "received_since=2024-03-05": [second],
        "received_since=2024-03-04T08:00:00%2B07:00&received_until=2024-03-05": [second, first],
        "overdue=true": [],
        "order=due": [first, second],
        "person=p-sci-officer-21": [],
        "state=": [second, first],  # the form sends what is empty, too
        "unknown=1": [second, first],
    }
    for query, codes in every.items():
        assert rows(await seen(office, f"/dossiers?{query}")) == codes, query


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("due_since=tomorrow", "due_since"),
        ("due_until=2024-02-30", "due_until"),
        ("received_since=0001-01-01", "received_since"),
        ("received_until=9999-12-31", "received_until"),
        ("due_since=2024-03-04T08:00:00", "due_since"),
    ],
)
async def test_a_day_that_is_none_is_shown_at_its_field(office, query, name):
    answer = await seen(office, f"/dossiers?{query}", status=422)
    assert f'id="e-{name}"' in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "state=flying",
        "order=up",
        "cursor=x",
        "full=perhaps",
        "q=%FF",
        "q=" + "a" * 201,
        "q=%E2%80%AEx",
    ],
)
async def test_what_no_list_can_be_asked_for_is_refused_as_a_page(office, query):
    answer = await seen(office, f"/dossiers?{query}", status=422)
    assert 'role="alert"' in answer.text


async def test_pages_are_one_list(office, monkeypatch):
    monkeypatch.setattr(finding, "SHOWN", 2)
    made = [await office.code() for _ in range(5)]
    found, path = [], "/dossiers?state=received"
    while path:
        answer = await seen(office, path)
        found += rows(answer)
        links = Page(answer).links
        path = next((each for each in links if "cursor=" in each), "")
        assert not path or "state=received" in path
    assert found == made[::-1]


async def test_filters_are_kept_by_name(office):
    async with sitting(office, "p-reception-01") as client:
        page = Page(await client.get("/dossiers?state=received&q=nguyen&cursor="))
        form = page.form("/dossiers/filters") | {"name": f"Mới {SCRIPT}"}
        answer = await client.post("/dossiers/filters", data=form)
        assert answer.headers["location"] == "/dossiers?state=received"  # nobody's name is kept
        there = await client.get(answer.headers["location"])
        assert "Mới &lt;script&gt;" in there.text
        assert "/dossiers?state=received" in Page(there).links
        empty = form | {"name": " ", "key": "other"}
        assert (await client.post("/dossiers/filters", data=empty)).status_code == 422
        nothing = form | {"query": "q=nguyen", "key": "third"}
        assert (await client.post("/dossiers/filters", data=nothing)).status_code == 422
        drop = Page(there).form("/dossiers/filters/drop")
        assert (await client.post("/dossiers/filters/drop", data=drop)).status_code == 303
        assert "Mới" not in Page(await client.get("/dossiers")).text
    assert "Mới" not in (await seen(office, "/dossiers", "p-reception-02", "en")).text


def test_one_filter_less():
    query = "state=received&state=routed&agency=H42.03"
    assert sought.without(query, "state", "routed") == "state=received&agency=H42.03"
    assert sought.without(query, "agency") == "state=received&state=routed"
    assert sought.canonical("state=&q=&cursor=x&full=true&agency=H42.03") == "agency=H42.03"


async def test_each_sees_their_own_and_both_languages(office):
    code = await office.processing()
    for person, codes in (
        ("p-post-01", [code]),
        ("p-sci-director", [code]),
        ("p-edu-officer-21", []),
    ):
        assert rows(await seen(office, "/dossiers", person)) == codes, person
    answer = await seen(office, "/dossiers", "p-sci-officer-21", "vi")
    assert Page(answer).forbidden == []
    assert "Chuyển bước tiếp" in answer.text
    assert f"/dossiers/{code}/do/advance" in Page(answer).links


async def test_no_more_statements_for_more_rows(office, monkeypatch):
    counts = []
    for shown in (2, 10):
        for _ in range(shown + 1):
            await office.code()
        monkeypatch.setattr(finding, "SHOWN", shown)
        async with sitting(office, "p-reception-01") as client:
            await client.get("/dossiers")
            with counting(office.app.state.house.engine) as sent:
                await client.get("/dossiers?state=received&order=due")
        counts.append(len(sent))
    assert counts[0] == counts[1] <= MOST


# The palette ------------------------------------------------------------------------------


async def test_the_palette_has_pages_and_what_is_open_here(office):
    code = await office.processing()
    path = f"/palette?at=/dossiers/{code}"
    page = Page(await seen(office, path, "p-sci-officer-21"))
    assert {"/today", f"/dossiers/{code}/do/advance"} <= set(page.links)
    assert f"/dossiers/{code}/do/deliver" not in page.links
    assert page.forbidden == []
    other = Page(await seen(office, path, "p-edu-officer-21"))
    assert not [each for each in other.links if code in each]


async def test_the_palette_finds_by_letters_without_accents(office, fresh):
    code = await office.code()
    found = Page(await seen(office, "/palette/found?q=tiep nhan", lang="vi"))
    assert "/receive" in found.links
    found = Page(await seen(office, "/palette/found?q=giay buu chinh"))
    assert found.links == [f"/receive/form?procedure={LICENCE}"]
    found = Page(await seen(office, f"/palette/found?q={code}"))
    assert f"/dossiers/{code}" in found.links
    before = len(await looks(fresh))
    found = Page(await seen(office, "/palette/found?q=nguyen thi"))
    assert found.links == [f"/dossiers/{code}"]
    assert "Nguyễn T. Á." in found.text
    assert len(await looks(fresh)) == before + 1
    nothing = await seen(office, "/palette/found?q=zzzz")
    assert "Nothing was found" in nothing.text
    officer = Page(await seen(office, "/palette/found?q=giay buu chinh", "p-sci-officer-21"))
    assert officer.links == []  # who receives nothing is offered nothing to receive


async def test_the_palette_has_what_was_opened_last(office):
    first, second = await office.code(), await office.code()
    async with sitting(office, "p-reception-01") as client:
        for code in (first, second, first):
            assert (await client.get(f"/dossiers/{code}")).status_code == 200
            office.later(minutes=1)
        links = Page(await client.get("/palette")).links
    assert [each for each in links if each.startswith("/dossiers/")] == [
        f"/dossiers/{first}", f"/dossiers/{second}",
    ]  # fmt: skip
    others = Page(await seen(office, "/palette", "p-reception-02")).links
    assert not [each for each in others if each.startswith("/dossiers/")]


async def test_how_many_there_are_is_told_up_to_as_many_as_can_be_moved(office, monkeypatch):
    monkeypatch.setattr(finding, "SHOWN", 2)
    monkeypatch.setattr(finding, "MOST", 3)
    for n, said in ((2, "Found 2 dossiers"), (1, "Found 3 dossiers"), (1, "Found 3+ dossiers")):
        for _ in range(n):
            await office.code()
        assert said in " ".join(Page(await seen(office, "/dossiers")).text.split())
