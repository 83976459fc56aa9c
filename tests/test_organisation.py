"""The organisation on a day: who came after whom, who is there, and for whom they act."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.catalogue import checking, load
from states.catalogue.organisation import Absence, Delegation, Organisation, Place, Point, Unit
from states.errors import Unknown
from states.words import Role

SAMPLE = load().organisation
DAY = date(2024, 3, 4)
END = date(2024, 6, 30)
AFTER = END + timedelta(days=1)
LABOUR, EXTERNAL, SCIENCE = "H42.05.01", "H42.05.02", "H42.03"


def changed(**parts) -> Organisation:
    kept = {name: getattr(SAMPLE, name) for name in Organisation.model_fields}
    return Organisation(**(kept | parts))


def ended(organisation: Organisation = SAMPLE, **successors: str) -> Organisation:
    """The units of that agency, H42_05_02 for H42.05.02, end and pass to their successors."""
    to = {code.replace("_", "."): heir for code, heir in successors.items()}
    units = (
        each.model_copy(update={"until": END, "successor": to[each.code]})
        if each.code in to
        else each
        for each in organisation.units
    )
    return changed(units=tuple(units))


def said(organisation: Organisation) -> dict:
    return dict(checking.organisation_faults(organisation))


# Succession ---------------------------------------------------------------------------------


def test_a_merged_unit_passes_to_its_heir_on_the_day_after():
    merged = ended(H42_05_02=LABOUR)
    assert (merged.heir(EXTERNAL, END), merged.heir(EXTERNAL, AFTER)) == (EXTERNAL, LABOUR)
    assert merged.line(LABOUR) == {LABOUR, EXTERNAL}
    assert merged.line(EXTERNAL) == {EXTERNAL}
    assert merged.agency_of(EXTERNAL) == "H42.05"
    assert not said(merged)


@given(st.permutations([each.code for each in SAMPLE.units]), st.integers(1, 20))
def test_everything_in_a_chain_is_found_under_its_last_heir(codes, length):
    chain = codes[: length + 1]
    first = date(2024, 1, 1)
    follows = {
        code: {"until": first + timedelta(days=n), "successor": heir}
        for n, (code, heir) in enumerate(pairwise(chain))
    }
    units = tuple(each.model_copy(update=follows.get(each.code, {})) for each in SAMPLE.units)
    merged = changed(units=units)
    later = first + timedelta(days=length)
    assert {merged.heir(code, later) for code in chain} == {chain[-1]}
    assert merged.line(chain[-1]) == set(chain)
    assert not any("successor" in place for place in said(merged))


@pytest.mark.parametrize(
    ("successors", "why"),
    [
        ({"H42_05_02": "H42.05.77"}, "no such body"),
        ({"H42_05_02": EXTERNAL}, "back to itself"),
        ({"H42_05_02": LABOUR, "H42_05_01": EXTERNAL}, "back to itself"),
    ],
)
def test_a_successor_that_leads_nowhere(successors, why):
    broken = ended(**successors)
    assert any(why in each for each in said(broken).values())
    assert broken.heir(EXTERNAL, AFTER) in {EXTERNAL, LABOUR, "H42.05.77"}  # and comes to an end


def test_a_code_of_another_system_is_its_own_heir():
    assert SAMPLE.heir("X99.01", DAY) == "X99.01"
    assert SAMPLE.line("X99.01") == {"X99.01"}
    assert SAMPLE.calendar_of("X99.01") == SAMPLE.calendar
    with pytest.raises(Unknown, match=r"X99\.01"):
        SAMPLE.body("X99.01")


def test_the_calendar_is_the_nearest_one():
    agencies = tuple(
        each.model_copy(update={"calendar": "province"}) if each.code == "H42.05" else each
        for each in SAMPLE.agencies
    )
    units = tuple(
        each.model_copy(update={"calendar": "saturdays"}) if each.code == LABOUR else each
        for each in SAMPLE.units
    )
    here = changed(agencies=agencies, units=units)
    found = [here.calendar_of(each) for each in (LABOUR, EXTERNAL, "H42.05", "H42.03.01")]
    assert found == ["saturdays", "province", "province", SAMPLE.calendar]


# People -------------------------------------------------------------------------------------


def away(person, substitute=None, since=DAY, until=DAY):
    return Absence(
        person=person, since=since, until=until, substitute=substitute, reason="nghỉ phép"
    )


def test_whoever_is_away_is_substituted():
    first, second = "p-labour-officer-11", "p-labour-officer-12"
    alone = changed(absences=(away(first, second),))
    assert not alone.present(first, DAY)
    assert alone.present(first, DAY + timedelta(days=1))
    assert alone.in_place_of(first, DAY) == second
    assert alone.in_place_of(second, DAY) == second
    assert not said(alone)
    assert changed(absences=(away(first),)).in_place_of(first, DAY) is None
    both = changed(absences=(away(first, second), away(second, first)))
    assert both.in_place_of(first, DAY) is None


@pytest.mark.parametrize(
    ("absence", "key", "why"),
    [
        (away("p-nobody"), "person", "no person"),
        (away("p-edu-officer-11", "p-nobody"), "substitute", "no person"),
        (away("p-edu-officer-11", "p-fin-officer-11"), "substitute", "same unit"),
        (away("p-edu-officer-11", "p-edu-lead-01"), "substitute", "no role"),
        (away("p-edu-officer-11", until=DAY - timedelta(days=1)), "until", "before 'since'"),
    ],
)
def test_an_absence_that_cannot_be(absence, key, why):
    assert why in said(changed(absences=(absence,)))["absences", 0, key]


def test_positions_hold_on_their_days():
    people = tuple(
        each.model_copy(
            update={"positions": (each.positions[0].model_copy(update={"until": END}),)}
        )
        if each.id == "p-labour-officer-11"
        else each
        for each in SAMPLE.people
    )
    left = changed(people=people)
    there = [[each.id for each in left.holders(LABOUR, Role.officer, on)] for on in (END, AFTER)]
    assert there == [["p-labour-officer-11", "p-labour-officer-12"], ["p-labour-officer-12"]]


# Delegations --------------------------------------------------------------------------------


def delegated(**parts) -> Organisation:
    return changed(
        delegations=(
            Delegation(
                **{
                    "person": "p-post-01",
                    "role": Role.postal,
                    "agencies": (SCIENCE,),
                    "document": "Văn bản giả định",
                    "document_verified": False,
                    "since": DAY,
                    "until": END,
                }
                | parts
            ),
        )
    )


def acts(organisation, on=DAY, field=None, agency=SCIENCE):
    return organisation.may_act_for("p-post-01", agency, on, field=field)


def test_a_delegation_is_for_agencies_and_fields():
    every, one = delegated(), delegated(fields=("khoa-hoc",))
    assert acts(every, field="khoa-hoc")
    assert acts(every, field="thong-tin")
    assert acts(one)
    assert acts(one, field="khoa-hoc")
    assert not acts(one, field="thong-tin")
    assert not acts(one, agency="H42.02")
    assert not said(one)


@given(st.integers(-3, 130), st.integers(0, 118))
def test_a_delegation_holds_on_its_days_until_it_is_revoked(day, revoked):
    on, gone = DAY + timedelta(days=day), DAY + timedelta(days=revoked)
    assert acts(delegated(), on) == (DAY <= on <= END)
    assert acts(delegated(revoked=gone, revoked_by="QĐ"), on) == (DAY <= on <= END and on < gone)


@pytest.mark.parametrize(
    ("parts", "key", "why"),
    [
        ({"until": DAY + timedelta(days=731)}, "until", "732 days long"),
        ({"until": DAY - timedelta(days=1)}, "until", "before 'since'"),
        ({"role": Role.leader}, "role", "deciding is not delegated"),
        ({"person": "p-reception-01"}, "role", "does not hold"),  # not by a delegation either
        ({"person": "p-nobody"}, "person", "no person"),
        ({"revoked": DAY}, "revoked", "revoked_by"),
        ({"revoked_by": "QĐ"}, "revoked", "revoked_by"),
    ],
)
def test_a_delegation_that_may_not_be(parts, key, why):
    assert why in said(delegated(**parts))["delegations", 0, key]


def test_a_delegation_names_what_is_there():
    assert (
        "none of its agencies"
        in said(delegated(fields=("giao-duc",)))["delegations", 0, "fields", 0]
    )
    assert (
        "no agency H42.77" in said(delegated(agencies=("H42.77",)))["delegations", 0, "agencies", 0]
    )


def test_the_longest_delegation_is_allowed():
    assert not said(delegated(until=DAY + timedelta(days=730)))


def test_the_sample_s_clerks_act_without_a_gap():
    for person, first in (("p-post-01", date(2023, 1, 1)), ("p-post-02", date(2023, 1, 1))):
        for n in range((date(2027, 12, 31) - first).days + 1):
            assert SAMPLE.may_act_for(person, SCIENCE, first + timedelta(days=n))


# The parts ----------------------------------------------------------------------------------


def test_the_sample_contradicts_nothing():
    assert not said(SAMPLE)


@pytest.mark.parametrize("code", ["H42", "h42.01", "H42.", "H42.01\n", "H42.01.1.2.3", "٤42.01"])
def test_no_code_of_a_unit(code):
    with pytest.raises(ValueError, match="pattern"):
        Unit.model_validate({**SAMPLE.units[0].model_dump(), "code": code})


def test_points_and_places():
    name = SAMPLE.fields[0].name
    place = Place(code="bien", name=name, region="island")
    point = Point(code="buu-cuc", name=name, kind="post", unit="H42.14.03", place="bien")
    assert not said(changed(places=(place,), points=(point,)))
    assert point.eligible
