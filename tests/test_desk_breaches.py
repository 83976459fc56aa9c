"""Breaches at the desk: found, counted, explained by whom they concern, closed; suspicions."""

import re
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import pytest
import sqlalchemy as sa
from book import HANOI
from office import address, running
from sitting import Page, sitting
from test_breaches import (
    COLLEAGUE,
    CONTROL,
    DIRECTOR,
    LEAD,
    OFFICER,
    STRANGER,
    april,
    four_cases,
    licence,
)

from api.desk.breaches.one import fallen
from states.breaches import explaining, listing
from states.breaches.listing import Named
from states.breaches.rows import Step
from states.catalogue import bundles
from states.db import transaction
from states.words import Event, Role

OTHERS = "p-labour-director"
HOSTILE = "<script>alert('x')</script>"
PAGES = ("", "/tally", "/groups", "/compare?before=2023&after=2024", "/apologies", "/suspicions",
         "/suspicions/counts", "/suspicions/holds-at-expiry")  # fmt: skip


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        office.at = april(8)
        yield office


@pytest.fixture
async def book(fresh):
    async with fresh.begin() as connection:
        return await bundles.read(connection)


@pytest.fixture
async def four(fresh, book):
    """Late and ended; late with an apology; late still, by two rules; stopped while late."""
    return [each.paper.code for each in await four_cases(fresh, book)]


async def text(client, path, status=200):
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    page = Page(answer)
    assert page.forbidden == []
    return page


async def place(office, code, rule="term-late"):
    async with transaction(office.app.state.house.engine) as connection:
        rows = await listing.of_dossier(connection, code)
    row = next(each for each in rows if each["rule"] == rule)
    return f"/breaches/{code}/{rule}/{row['visit']}/{row['deadline']}"


async def act(client, where, step, **said):
    return await client.post(f"{where}/{step}", data={"key": key(step, said)} | said)


def key(step, said):
    """The same for the same form, as on a page that was opened once."""
    return sha256(f"{step} {sorted(said.items())}".encode()).hexdigest()[:16]


def links_of(page, start):
    return [each for each in page.links if each.startswith(start)]


async def test_each_count_is_as_long_as_its_list(office, four):
    async with sitting(office, CONTROL) as client:
        answer = await client.get("/breaches/tally")
        counts = re.findall(r'<a href="(/breaches\?[^"]*)"[^>]*><b>(\d+)</b>', answer.text)
        assert len(counts) >= 7
        assert counts[0][1] == "5"
        for link, number in counts:
            listed = await text(client, link.replace("&amp;", "&"))
            assert len(set(links_of(listed, "/breaches/H"))) == int(number), link


@pytest.mark.parametrize("by", ["unit", "rule", "cause", "agency", "procedure", "person", "month"])
async def test_each_groups_number_is_as_long_as_its_list(office, four, by):
    async with sitting(office, CONTROL) as client:
        answer = await client.get(f"/breaches/groups?by={by}")
        found = re.findall(r'<a href="(/breaches\?[^"]+)">(\d+)</a>', answer.text)
        assert found or by == "cause"
        for link, number in found:
            listed = await text(client, link.replace("&amp;", "&"))
            assert len(set(links_of(listed, "/breaches/H"))) == int(number), link


async def test_filters_are_kept_and_refused_on_the_page(office, four):
    async with sitting(office, CONTROL) as client:
        for asked, expected in (
            ("rule=stage-late", 1),
            ("year=2024&part=04", 5),
            ("year=2023", 0),
            ("from=2024-04-03&to=2024-04-03", 5),
            ("unit=H42.03.09", 1),
            ("over=100000", 0),
            ("unapologised=yes", 2),
            ("agency=H42.05", 0),
        ):
            listed = await text(client, f"/breaches?{asked}")
            assert len(set(links_of(listed, "/breaches/H"))) == expected, asked
        for asked, why in (
            ("standing=forgotten", "standing must be one of"),
            ("cause=luck", "cause must be one of"),
            ("over=-1", "no number of working hours"),
            ("from=tomorrow", "is no day"),
            ("cursor=zzz", "the cursor is none of this list"),
        ):
            answer = await client.get(f"/breaches?{asked}")
            assert answer.status_code == 422, asked
            assert why in answer.text
            assert 'action="/breaches"' in answer.text


async def test_one_breach_from_assigning_to_reopening(office, four):
    where = await place(office, four[0])
    async with (
        sitting(office, LEAD) as lead,
        sitting(office, OFFICER) as officer,
        sitting(office, CONTROL) as control,
    ):
        assert "Assign" in (await text(lead, where)).text
        done = await act(lead, where, "assign", to=OFFICER, until="2024-04-12")
        assert (done.status_code, done.headers["location"]) == (303, where)
        own = await text(officer, f"/breaches?assigned_to={OFFICER}")
        assert where in own.links
        mistyped = await act(officer, where, "explain", explanation="Hai người nghỉ")
        assert mistyped.status_code == 422
        assert "Hai người nghỉ" in mistyped.text
        said = {"cause": "workload", "explanation": f"Hai người nghỉ {HOSTILE}"}
        for _ in range(2):  # a double click
            assert (await act(officer, where, "explain", **said)).status_code == 303
        shown = await control.get(where)
        assert HOSTILE not in shown.text
        assert "&lt;script&gt;alert" in shown.text
        assert shown.text.count("Hai người nghỉ") == 2  # how it stands, and the line
        empty = await act(control, where, "close", finding=" ")
        assert empty.status_code == 422
        assert (await act(control, where, "close", finding="Phù hợp")).status_code == 303
        closed = await text(officer, where)
        assert not [each for each in closed.forms if (each["action"] or "").startswith(where)]
        again = await act(officer, where, "explain", cause="other", explanation="khác")
        assert again.status_code == 409
        assert "changes no more" in again.text
        assert (await act(control, where, "reopen", reason="Khiếu nại")).status_code == 303
        told = await text(control, where)
        for step in ("Assigned", "Explained", "Closed", "Reopened"):
            assert step in told.text


async def test_a_draft_of_an_explanation_is_found_again(office, four):
    where = await place(office, four[0])
    async with sitting(office, OFFICER) as client:
        answer = await client.get(where)
        (name,) = re.findall(r'data-draft="([^"]+)"', answer.text)
        kept = {"cause": "absence", "explanation": "đang viết dở"}
        saved = await client.post("/drafts", params={"form": name}, data=kept)
        assert saved.status_code == 204
        assert "đang viết dở" in (await client.get(where)).text
        assert (await act(client, where, "explain", **kept)).status_code == 303
        assert "The draft you were writing" not in (await client.get(where)).text


async def test_what_may_be_done_is_what_is_offered(office, book, four):
    """To whoever it is: what is offered is taken, what is not is refused."""
    where = await place(office, four[0])
    named = Named(four[0], "term-late")
    said = {
        Step.assign: {"to": OFFICER},
        Step.explain: {"cause": "other", "explanation": "x"},
        Step.close: {"finding": "x"},
        Step.reopen: {"reason": "x"},
    }
    for who in (OFFICER, COLLEAGUE, LEAD, DIRECTOR, CONTROL):
        async with transaction(office.app.state.house.engine) as connection:
            row = await listing.one(connection, named)
        may = explaining.steps(book, row, who, office.at)
        async with sitting(office, who) as client:
            forms = {each["action"] for each in (await text(client, where)).forms}
            assert {f"{where}/{step}" for step in may} == {
                each for each in forms if each and each.startswith(where)
            }
            for step in Step:
                if step not in may:
                    answer = await act(client, where, step, **said[step])
                    assert answer.status_code in {403, 409}, (who, step)


async def test_a_stranger_is_told_of_none(office, four):
    where = await place(office, four[0])
    for who in (STRANGER, OTHERS):
        async with sitting(office, who) as client:
            listed = await text(client, "/breaches")
            assert not any(code in listed.text for code in four)
            tally = await client.get("/breaches/tally")
            assert set(re.findall(r"<b>(\d+)</b>", tally.text)) == {"0"}
            for path in ("/breaches/groups?by=person", "/breaches/apologies"):
                page = await text(client, path)
                assert not any(code in page.text for code in four)
            assert (await client.get(where)).status_code == 404
            answer = await act(client, where, "explain", cause="other", explanation="x")
            assert answer.status_code == 404
            nowhere = await client.get(where.replace(four[0], "H42.14-991231-0001"))
            assert nowhere.status_code == 404
    async with sitting(office, OFFICER) as client:
        refused = await client.get("/breaches/suspicions?year=2024")
        assert refused.status_code == 403
        assert "no suspicions" in refused.text


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_every_page_in_both_languages(office, four, lang):
    where = await place(office, four[1])
    async with sitting(office, CONTROL, lang) as client:
        for path in PAGES:
            page = await text(client, f"/breaches{path}{'&' if '?' in path else '?'}year=2024")
            assert page.text.strip()
        one = await text(client, where)
        assert ("promised" if lang == "en" else "hẹn lại") in one.text


async def test_suspicions_open_to_their_cases(fresh, book, office):
    """A hold that began four working hours before the date."""
    case = await licence(fresh, book)
    await case.move(Event.request_supplement, april(3, 16), OFFICER, Role.officer)
    async with sitting(office, CONTROL) as client:
        counts = await client.get("/breaches/suspicions/counts?year=2024")
        assert "/breaches/suspicions/holds-at-expiry?period=2024" in counts.text
        page = await text(client, "/breaches/suspicions/holds-at-expiry?year=2024")
        assert "1 cases of 1" in page.text
        assert f"/dossiers/{case.paper.code}" in page.links
        (link,) = {each for each in page.links if "of-unit=" in each}
        assert f"/dossiers/{case.paper.code}" in (await text(client, link)).links
        none = await text(client, link.replace("H42.03.02", "H42.03.09"))
        assert f"/dossiers/{case.paper.code}" not in none.links
        long = await client.get("/breaches/suspicions/counts?from=2020-01-01&to=2024-04-01")
        assert "longer than two years" in long.text
    async with sitting(office, OTHERS) as client:
        page = await text(client, "/breaches/suspicions/holds-at-expiry?year=2024")
        assert "0 cases of 0" in page.text


def share(minutes, late=0):
    return {"kind": "unit", "unit": "u", "person": None, "minutes": minutes, "late_minutes": late}


@pytest.mark.parametrize("minutes", [[1], [281, 244, 2095, 839, 681], [1, 100_000], [0, 5]])
def test_each_step_goes_on_where_the_one_before_ended(minutes):
    held = fallen([share(each) for each in minutes])
    assert held[0].begin == 0
    for one, after in pairwise(held):
        assert after.begin in {one.begin + one.width, one.begin + one.width - 1,
                               one.begin + one.width - 2}  # fmt: skip
    assert sum(each.minutes for each in held) == sum(minutes)


def test_nothing_falls_where_nobody_had_it():
    assert fallen([]) == []


async def test_counts_are_of_what_is_seen_alone(fresh, book, four):
    async with fresh.connect() as connection:
        none = await listing.tallied(
            connection, book, listing.Only(), sa.false(), datetime(2024, 4, 8, tzinfo=HANOI)
        )
    assert set(none.values()) == {0}
