"""How a deadline stands in a list, and what comes next of a dossier: rules without a database."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states import lifecycle
from states.catalogue import load
from states.clock import Policy, late_from
from states.clock.words import Lang
from states.finding.left import left, remaining
from states.finding.work import fair
from states.hands import ONWARD, Hands
from states.lifecycle import Now
from states.people import seated
from states.words import Event, Role, State

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BOOK = load()
CALENDAR = BOOK.calendar(BOOK.keeps)
MONDAY = datetime(2024, 3, 4, 8, tzinfo=ZONE)
DAY = timedelta(days=1)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)).map(
    lambda at: at.replace(tzinfo=ZONE)
)


@pytest.mark.parametrize(
    ("due", "at", "vi", "en"),
    [
        (4, 0, "còn 4 ngày làm việc", "4 working days left"),
        (1, 0, "còn 1 ngày làm việc", "1 working day left"),
        (7, 0, "còn 5 ngày làm việc", "5 working days left"),  # over a Saturday and a Sunday
        (0, 0, "hôm nay, còn 7 giờ 30", "today, 7 h 30 left"),
        (0, 1, "quá 1 ngày làm việc", "1 working day over"),
        (0, 7, "quá 5 ngày làm việc", "5 working days over"),
    ],
)
def test_days_are_those_on_which_one_works(due, at, vi, en):
    due_at = MONDAY.replace(hour=17) + due * DAY
    late_at = late_from(CALENDAR, Policy.day, due_at)
    for lang, words in ((Lang.vi, vi), (Lang.en, en)):
        assert remaining(CALENDAR, due_at, late_at, MONDAY + at * DAY, lang) == words


def test_after_the_hour_and_before_it_is_late():
    due = MONDAY.replace(hour=10)
    late_at = late_from(CALENDAR, Policy.day, due)
    assert remaining(CALENDAR, due, late_at, MONDAY.replace(hour=15), Lang.en) == "late after today"
    instant = late_from(CALENDAR, Policy.instant, due)
    said = remaining(CALENDAR, due, instant, MONDAY.replace(hour=11), Lang.en)
    assert said == "over by 1 h 00"


def test_past_what_the_calendar_knows_days_are_counted_as_they_pass():
    due = MONDAY.replace(hour=17)
    said = remaining(CALENDAR, due, due, MONDAY + 40_000 * DAY, Lang.en)
    assert said == "39999 days over"


@given(moments, moments)
def test_over_is_said_of_what_is_late_and_of_nothing_else(due, at):
    late_at = late_from(CALENDAR, Policy.day, due)
    said = remaining(CALENDAR, due, late_at, at, Lang.en)
    assert ("over" in said) is (late_at <= at)
    assert "-" not in said  # nothing is left of a negative time


def row(**more):
    known = {
        "finished_at": None,
        "verdict": None,
        "state": State.processing,
        "lapse_at": None,
        "due_at": MONDAY + 9 * DAY,
        "late_at": MONDAY + 10 * DAY,
        "moved_at": MONDAY,
        "calendar": CALENDAR.name,
        "calendar_version": CALENDAR.version,
        "stage_due": None,
    }
    return known | more


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "open"),
        ({"due_at": MONDAY + DAY}, "soon"),
        ({"due_at": MONDAY - DAY, "late_at": MONDAY}, "overdue"),
        ({"due_at": None, "late_at": None}, "none"),
        ({"state": State.awaiting_payment, "lapse_at": MONDAY + DAY, "due_at": None}, "held"),
        ({"finished_at": MONDAY, "verdict": "late"}, "late"),
        ({"finished_at": MONDAY}, "none"),
    ],
)
def test_the_badge_of_each(more, kind):
    assert left(BOOK, row(**more), MONDAY, Lang.vi).kind == kind


def test_whose_turn_it_is_does_not_ask_what_queue_it_lies_in():
    old = row(due_at=None, moved_at=MONDAY - 20 * DAY)
    near = row(due_at=MONDAY + DAY)
    done = row(finished_at=MONDAY, due_at=MONDAY - 90 * DAY)  # its date is no matter any more
    assert sorted((done, near, old), key=fair) == [old, near, done]


# What comes next ----------------------------------------------------------------------------


def paper(**more):
    known = {
        "state": State.digitised,
        "seq": 2,
        "stage": -1,
        "leads": False,
        "ends": False,
        "stage_role": None,
        "takes_in": False,
        "missing": 0,
        "received_at": MONDAY,
        "lapse_at": None,
        "supplements_left": 1,
        "extensions_left": 1,
        "supplement_restarts": False,
        "agency": "H42.03",
        "unit": "H42.14",
        "field": "buu-chinh",
        "procedure": "1.003659",
        "version": 1,
    }
    return SimpleNamespace(**(known | more))


def hands(person):
    return Hands(BOOK, seated(BOOK, person, None, MONDAY.date()), MONDAY)


def test_what_needs_nothing_is_done_in_the_row():
    clerk, officer = hands("p-reception-01"), hands("p-sci-officer-21")
    assert clerk.onward(paper()).plain
    assert officer.onward(paper()) is None
    lies = {"state": State.routed, "unit": "H42.03.02"}
    assert officer.onward(paper(**lies)).plain
    lost = paper(state=State.routed, unit="H42.03")  # a unit must be named
    assert not hands("p-sci-lead-02").onward(lost).plain
    here = {"state": State.processing, "unit": "H42.03.02", "stage": 0, "leads": True}
    first = officer.onward(paper(**here, stage_role=Role.officer))
    assert (first.event, first.plain) == (Event.advance, False)  # it must name what it produced
    second = hands("p-sci-lead-02").onward(paper(**here | {"stage": 1}, stage_role=Role.leader))
    assert (second.event, second.plain) == (Event.advance, True)
    there = paper(state=State.received, missing=2)
    assert (clerk.onward(there).event, clerk.onward(there).plain) == (Event.digitise, False)


@given(st.sampled_from(State), st.sampled_from(Role), st.integers(0, 3))
def test_what_comes_next_is_open_by_the_lifecycle(state, role, missing):
    of = {Role.reception: "p-reception-01", Role.officer: "p-sci-officer-21"}
    of |= {Role.leader: "p-sci-lead-02", Role.postal: "p-post-01", Role.control: "p-control-01"}
    if role not in of:
        return
    mine = hands(of[role])
    held = paper(state=state, missing=missing, unit="H42.03.02", stage=0, stage_role=Role.officer)
    held.leads = True
    for event in mine.open_on(held):
        assert lifecycle.why_not(held, event, Now(MONDAY, role)) is None
    if (found := mine.onward(held)) is not None:
        assert found.event in {*ONWARD.values(), Event.advance, Event.return_result}
        if found.plain:
            assert found.event in mine.open_on(held)


def test_a_postal_clerk_moves_for_those_that_trust_them():
    clerk = hands("p-post-01")
    assert clerk.act(paper(), Event.route).on_behalf_of == "H42.03"
    assert clerk.act(paper(agency="H42.02"), Event.route).on_behalf_of == "H42.02"
    strange = paper(agency="H42.99")
    assert clerk.may_not(strange)
    assert clerk.open_on(strange) == []
    assert clerk.onward(strange) is None
