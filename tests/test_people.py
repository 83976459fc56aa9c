"""Who may act: every role, at its own place and at another's."""

from datetime import date

import pytest

from states.catalogue import load
from states.errors import BadInput
from states.people import NotHeld, caller, may
from states.words import Role

BOOK = load()
DAY = date(2024, 3, 4)
CENTRE, SCIENCE, POSTS, SIGNING = "H42.14", "H42.03", "H42.03.02", "H42.03.09"


def who(person: str, role: Role | None = None, acts_for: str | None = None, on: date = DAY):
    return caller(BOOK, person, role, acts_for, on)


@pytest.mark.parametrize(
    ("person", "role", "acts_for", "agency", "unit"),
    [
        ("p-reception-01", None, None, SCIENCE, CENTRE),
        ("p-reception-01", None, None, SCIENCE, SIGNING),  # handed out wherever it was decided
        ("p-centre-lead", Role.reception, None, SCIENCE, POSTS),
        ("p-centre-lead", Role.leader, None, SCIENCE, CENTRE),  # not routed yet
        ("p-post-01", None, SCIENCE, SCIENCE, SIGNING),
        ("p-sci-officer-21", None, None, SCIENCE, POSTS),
        ("p-sci-lead-02", None, None, SCIENCE, POSTS),
        ("p-sci-director", None, None, SCIENCE, SIGNING),
    ],
)
def test_may(person, role, acts_for, agency, unit):
    assert may(BOOK, who(person, role, acts_for), agency, unit) is None


@pytest.mark.parametrize(
    ("person", "role", "acts_for", "agency", "unit", "why"),
    [
        ("p-post-01", None, "H42.02", SCIENCE, SIGNING, "is for H42.03, and p-post-01 acts for"),
        ("p-sci-officer-21", None, None, SCIENCE, SIGNING, "lies in H42.03.09"),
        ("p-sci-officer-21", None, None, SCIENCE, CENTRE, "lies in H42.14"),
        ("p-sci-officer-11", None, None, SCIENCE, POSTS, "is no officer"),
        ("p-edu-officer-11", None, None, SCIENCE, POSTS, "is no officer"),
        ("p-sci-director", None, None, SCIENCE, POSTS, "is no leader"),
        ("p-centre-lead", Role.leader, None, SCIENCE, POSTS, "is no leader"),
        ("p-control-01", None, None, SCIENCE, CENTRE, "moves no dossier"),
    ],
)
def test_may_not(person, role, acts_for, agency, unit, why):
    assert why in (may(BOOK, who(person, role, acts_for), agency, unit) or "")


def test_reception_elsewhere_is_no_counter_of_the_centre():
    person = BOOK.person("p-reception-01")
    place = person.positions[0].model_copy(update={"unit": POSTS})
    moved = person.model_copy(update={"positions": (place,)})
    book = BOOK.model_copy(update={"people": {person.id: moved}})
    assert "no counter" in (
        may(book, caller(book, person.id, None, None, DAY), SCIENCE, POSTS) or ""
    )


@pytest.mark.parametrize(
    ("person", "role", "acts_for", "error", "said"),
    [
        ("p-nobody", None, None, NotHeld, "there is no person"),
        ("p-reception-01", Role.leader, None, NotHeld, "they hold reception"),
        ("p-reception-01", Role.system, None, NotHeld, "they hold reception"),
        ("p-centre-lead", None, None, BadInput, "leader and reception"),
        ("p-post-01", None, None, BadInput, "for which agency"),
        ("p-post-01", None, CENTRE, NotHeld, "no delegation in force"),
        ("p-reception-01", None, SCIENCE, BadInput, "only a postal clerk"),
    ],
)
def test_a_capacity_that_is_not_theirs(person, role, acts_for, error, said):
    with pytest.raises(error, match=said):
        who(person, role, acts_for)


def test_a_delegation_holds_on_its_days_and_no_others():
    assert who("p-post-01", None, SCIENCE, date(2023, 1, 1)).acts_for == SCIENCE
    for day in (date(2022, 12, 31), date(2028, 1, 1)):
        with pytest.raises(NotHeld, match=str(day)):
            who("p-post-01", None, SCIENCE, day)
