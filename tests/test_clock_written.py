"""A calendar written down and read again: the same days, the same answers."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states import calendars, clock
from states.clock import Facts, Policy, Term


@pytest.mark.parametrize("name", ["vn", "nl"])
def test_what_is_written_is_read_again_as_it_was(name):
    was = calendars.load(name)
    text = clock.dump(was)
    again = clock.restore(text)
    assert clock.dump(again) == text
    same = ("name", "version", "zone", "first", "last", "standard_day")
    assert all(getattr(again, each) == getattr(was, each) for each in same)
    span = was.first.toordinal(), was.last.toordinal()
    assert again.special(*span) == was.special(*span)
    assert list(again.worked()) == list(was.worked())


VN = calendars.load("vn")
AGAIN = clock.restore(clock.dump(VN))


@given(
    st.integers(0, 2500),
    st.integers(0, 1439),
    st.sampled_from(["5wd", "10cd", "8wh", "2.5wd", "sameday", "none"]),
)
def test_the_clock_reads_both_alike(day, minute, term):
    received = VN.when((VN.first.toordinal() + day) * 1440 + minute)
    asked = Term.parse(term), Facts(received), Policy.session, received + timedelta(days=3)
    one, other = (clock.read(asked[0], each, *asked[1:]) for each in (VN, AGAIN))
    assert (one.due, one.verdict, one.trace) == (other.due, other.verdict, other.trace)


def test_hours_that_recur_are_written_once():
    said = json.loads(clock.dump(VN))
    assert len(said["patterns"]) == 1
    assert len(clock.dump(VN)) < 60_000


def test_sessions_of_a_day():
    monday = next(day for day, _ in VN.worked())
    assert [str(edge) for part in VN.sessions(monday) for edge in part] == [
        "07:30:00", "11:30:00", "13:00:00", "17:00:00",
    ]  # fmt: skip
    assert VN.sessions(VN.first.toordinal() - 1) == ()
