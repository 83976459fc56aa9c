"""Who may act: every role, at its own place and at another's."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from states.catalogue import checking, load
from states.catalogue.organisation import Absence, Organisation
from states.errors import BadInput
from states.people import NotHeld, caller, may
from states.words import Role

BOOK = load()
DAY = date(2024, 3, 4)
CENTRE, SCIENCE, POSTS, SIGNING = "H42.14", "H42.03", "H42.03.02", "H42.03.09"


def staffed(**changed):
    """The sample with an organisation that differs in this."""
    sample = {name: getattr(BOOK.organisation, name) for name in Organisation.model_fields}
    return replace(BOOK, organisation=Organisation(**(sample | changed)))


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
    book = staffed(people=(person.model_copy(update={"positions": (place,)}),))
    assert "no counter" in (
        may(book, caller(book, person.id, None, None, DAY), SCIENCE, POSTS) or ""
    )


@pytest.mark.parametrize(
    ("person", "role", "acts_for", "error", "said"),
    [
        ("p-nobody", None, None, NotHeld, "there is no person"),
        ("p-reception-01", Role.leader, None, NotHeld, "they hold reception"),
        ("p-reception-01", Role.system, None, NotHeld, "they hold reception"),
        ("p-centre-lead", None, None, BadInput, "leader and reception.*`Hoso-Role: leader`"),
        ("p-post-01", None, None, BadInput, "for which agency.*`Hoso-For: "),
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


# In time ------------------------------------------------------------------------------------


def test_a_delegation_holds_in_its_fields_and_until_it_is_revoked():
    one = BOOK.organisation.delegations[0]
    only = one.model_copy(update={"fields": ("khoa-hoc",), "revoked": date(2023, 6, 1)})
    book, day = staffed(delegations=(only,)), date(2023, 5, 31)
    clerk = caller(book, "p-post-01", None, SCIENCE, day)
    assert may(book, clerk, SCIENCE, POSTS, "khoa-hoc") is None
    assert "not in its field thong-tin" in (may(book, clerk, SCIENCE, POSTS, "thong-tin") or "")
    with pytest.raises(NotHeld, match="no delegation in force"):
        caller(book, "p-post-01", None, SCIENCE, day + timedelta(days=1))


def test_who_took_over_moves_what_lies_in_the_unit_that_ended():
    ended = [each for each in BOOK.organisation.units if each.code != POSTS]
    old = BOOK.units[POSTS].model_copy(update={"until": DAY, "successor": SIGNING})
    book = staffed(units=(*ended, old))
    heirs = caller(book, "p-sci-director", None, None, DAY + timedelta(days=1))
    assert may(book, heirs, SCIENCE, POSTS) is None
    assert may(book, caller(book, "p-sci-director", None, None, DAY), SCIENCE, POSTS) is not None
    assert book.organisation.line(SIGNING) == {SIGNING, POSTS}
    assert book.organisation.heir(POSTS, DAY) == POSTS


def test_whoever_is_away_is_stood_in_for():
    away = dict(since=DAY, until=DAY)
    absences = (
        Absence(person="p-sci-officer-21", substitute="p-sci-officer-22", **away),
        Absence(person="p-sci-officer-22", substitute="p-sci-lead-02", **away),
    )
    staff = staffed(absences=absences).organisation
    assert staff.in_place_of("p-sci-officer-21", DAY) == "p-sci-lead-02"
    assert staff.in_place_of("p-sci-officer-21", DAY + timedelta(days=1)) == "p-sci-officer-21"
    round_about = (absences[0], absences[1].model_copy(update={"substitute": "p-sci-officer-21"}))
    assert staffed(absences=round_about).organisation.in_place_of("p-sci-officer-22", DAY) is None


def unit(of, **facts):
    return BOOK.units[of].model_copy(update=facts)


def delegated(**facts):
    return (BOOK.organisation.delegations[0].model_copy(update=facts),)


@pytest.mark.parametrize(
    ("changed", "where", "why"),
    [
        ({"delegations": delegated(until=date(2030, 1, 1))}, "until", "may last 731 days"),
        ({"delegations": delegated(role=Role.leader)}, "role", "deciding is not delegated"),
        ({"delegations": delegated(fields=("tai-chinh", "y-te"))}, "fields", "answers for y-te"),
        ({"delegations": delegated(revoked=DAY)}, "revoked", "document in 'revoked_by'"),
        ({"units": (*BOOK.organisation.units, unit(POSTS, code="H42.03.77", successor=POSTS))},
         "successor", "who stands has no successor"),
        ({"units": tuple(
            unit(each.code, until=DAY, successor=SIGNING if each.code == POSTS else POSTS)
            if each.code in {POSTS, SIGNING} else each for each in BOOK.organisation.units)},
         "successor", "leads back to itself"),
        ({"absences": (Absence(person="p-sci-officer-21", since=DAY, until=DAY,
                               substitute="p-fin-lead-01"),)}, "substitute", "at the same unit"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told(changed, where, why):
    faults = list(checking.organisation_faults(staffed(**changed).organisation))
    assert [True for place, said in faults if where in place and why in said], faults
