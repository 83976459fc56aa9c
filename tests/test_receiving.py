"""Taking dossiers in: what may be received by whom, and the date that will be promised."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import LICENCE, RECEPTION, address, running

from states import db, people
from states.catalogue import load
from states.errors import NotYours
from states.finding.searching import citizen
from states.letters import plain
from states.receiving import before
from states.receiving.lodging import check
from states.receiving.offering import Bar, bar, check_receives, lacking, offers
from states.receiving.promising import promise
from states.sight import sight
from states.words import Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = date(2024, 3, 4)
BOOK = load()
CLERK = people.seated(BOOK, "p-post-01", None, DAY)
RECEIVER = people.seated(BOOK, "p-reception-01", None, DAY)
CODES = sorted(BOOK.procedures)
FINANCE = {"Hoso-Person": "p-post-01", "Hoso-For": "H42.07"}


def trusting(**said):
    """The sample's catalogue with other delegations of the postal clerk."""
    staff = BOOK.organisation
    theirs = [e for e in staff.delegations if e.person == "p-post-01" and e.holds("H42.03", DAY)]
    others = tuple(each.model_copy(update=said) for each in theirs)
    return replace(BOOK, organisation=staff.model_copy(update={"delegations": others}))


# Who may what -----------------------------------------------------------------------------


def test_what_may_not_go_by_post_is_barred_to_the_post_alone():
    secret = BOOK.procedure("2.002311")
    assert bar(BOOK, CLERK, secret) is Bar.post
    assert bar(BOOK, RECEIVER, secret) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"agencies": ("H42.02",)}, Bar.agency),
        ({"revoked": date(2024, 3, 4)}, Bar.agency),
        ({"fields": ("dat-dai",)}, Bar.field),
        ({"fields": (BOOK.procedure(LICENCE).field,)}, None),
        ({"fields": ()}, None),
    ],
)
def test_an_agency_trusts_the_post_by_field(said, why):
    assert bar(trusting(**said), CLERK, BOOK.procedure(LICENCE)) is why


@pytest.mark.parametrize("said", [{"agencies": ("H42.02",)}, {"fields": ("dat-dai",)}])
def test_what_is_barred_is_refused_as_well(said):
    book = trusting(**said)
    who = people.Caller(CLERK.person, Role.postal, DAY, "H42.03")
    if "fields" not in said:
        who = replace(who, acts_for="H42.02")
    with pytest.raises(NotYours):
        check(book, who, LICENCE)


def test_what_the_post_may_not_carry_is_refused_whatever_the_delegation():
    of = BOOK.procedure("2.002311")
    with pytest.raises(NotYours, match="may not carry"):
        check(BOOK, people.Caller(CLERK.person, Role.postal, DAY, of.agency), of.code)


@pytest.mark.parametrize("person", ["p-sci-officer-21", "p-control-01", "p-sci-director"])
def test_others_receive_nothing(person):
    with pytest.raises(NotYours, match="receives no dossiers"):
        check_receives(BOOK, people.seated(BOOK, person, None, DAY))


# What is offered --------------------------------------------------------------------------


def test_what_is_received_often_comes_first_and_what_is_barred_last():
    often = ["1.005435", LICENCE]
    found = offers(BOOK, CLERK, DAY, "", often)
    assert [each.of.code for each in found[:2]] == often
    assert [each.bar for each in found[-2:]] == [Bar.post, Bar.post]
    assert len(found) == len(CODES)


@given(st.sampled_from(CODES), st.data())
def test_a_few_letters_of_any_word_find_it(code, data):
    of = BOOK.procedure(code)
    words = plain(of.name.vi).split()
    text = " ".join(data.draw(st.sampled_from(words))[:3] for _ in range(2))
    assert code in {each.of.code for each in offers(BOOK, RECEIVER, DAY, text)}
    assert code in {each.of.code for each in offers(BOOK, RECEIVER, DAY, code)}


def test_what_is_there_from_before_is_handed_in_by_nobody():
    of = BOOK.procedure(LICENCE)
    assert [each.code for each in lacking(of, ())] == ["don", "phuong-an"]
    assert lacking(of, ("don", "phuong-an")) == []


# The promise ------------------------------------------------------------------------------

OPENED = st.datetimes(datetime(2024, 1, 2), datetime(2024, 11, 1), timezones=st.just(HANOI))


@given(st.sampled_from(CODES), OPENED, st.integers(0, 3))
def test_a_promise_is_told_by_its_clock_and_tells_how_it_comes_about(code, at, n):
    of = BOOK.procedure(code)
    channel = of.channels.come[n % len(of.channels.come)]
    made = promise(BOOK, code, channel, None, at)
    assert str(made.term) == str(of.term_for(channel))
    assert made.trace[0].rule == "term"
    told = [line.rule for line in made.trace]
    assert ("due" in told) is (made.due is not None)
    assert made.due is None or made.due > at
    assert "standing" not in told


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.mark.parametrize("code", [LICENCE, "1.005435", "1.000459"])
async def test_the_date_that_is_shown_is_the_date_that_is_promised(office, code):
    for hours in (0, 4, 26, 80):
        office.at += timedelta(hours=hours)
        shown = promise(BOOK, code, "counter", None, office.at)
        opened = await office.opened(procedure=code, components={})
        dates = opened.json()["dates"]
        assert datetime.fromisoformat(dates["due"]) == shown.due
        assert datetime.fromisoformat(dates["due_original"]) == shown.due


# Before -----------------------------------------------------------------------------------


async def test_the_counters_own_come_first_then_what_comes_most(office):
    for code in (LICENCE, LICENCE, "1.005435"):
        await office.code(procedure=code, components={})
    for _ in range(3):
        taken = await office.opened(FINANCE, procedure="2.002206", channel="post", components={})
        assert taken.status_code == 201, taken.text
    async with db.transaction(office.app.state.house.engine) as connection:
        mine = await before.often(connection, RECEIVER.unit)
        theirs = await before.often(connection, CLERK.unit)
        assert await before.often(connection, None, most=1) == ["2.002206"]
    assert mine == [LICENCE, "1.005435", "2.002206"]
    assert theirs == ["2.002206", LICENCE, "1.005435"]


async def test_who_came_before_is_told_once_and_only_to_who_may_see_it(office):
    number = "035093001234"
    for phone in ("0912345678", "0912345678", "0987654321"):
        await office.code(citizen_id=number, phone=phone, components={})
    await office.code(citizen_id="035093009999", components={})
    hashed = citizen(office.app.state.house.key("citizen"), number)
    async with db.transaction(office.app.state.house.engine) as connection:
        found = await before.applicants(connection, sight(BOOK, RECEIVER), hashed)
        stranger = people.seated(BOOK, "p-fin-director", None, DAY)
        assert await before.applicants(connection, sight(BOOK, stranger), hashed) == []
    assert [each.phone for each in found] == ["0987654321", "0912345678"]
    assert {each.applicant for each in found} == {"Nguyễn Thị Ánh"}


async def test_a_key_leads_to_what_it_opened(office):
    body = {"event": "receive", "procedure": LICENCE, "channel": "counter", "applicant": "Ánh"}
    headers = RECEPTION | {"Idempotency-Key": "receive-0a0a0a0a"}
    opened = await office.client.post("/v1/dossiers", json=body, headers=headers)
    async with db.transaction(office.app.state.house.engine) as connection:
        there = await before.opened(connection, "p-reception-01", "receive-0a0a0a0a")
        assert there == opened.json()["code"]
        assert await before.opened(connection, "p-post-01", "receive-0a0a0a0a") is None
