"""Regimes and codes, chosen by the day of receipt."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.catalogue import load
from states.catalogue.regimes import Numbering, Regimes
from states.errors import Unknown
from states.words import Event

SAMPLE = load().regimes
# Circular 01/2018/TT-VPCP Art. 19, and the shorter codes.
CODE = r"(\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(\.\d{1,3}){1,3})-\d{6}-\d{4,}"
UNITS = ["H42.14", "H42.14.03", "000.17.22.H56"]
DAYS = st.dates(date(2018, 6, 21), date(2068, 12, 31))


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2018, 6, 21), "R2018"),
        (date(2021, 12, 5), "R2018"),
        (date(2021, 12, 6), "R2021"),
        (date(2025, 6, 30), "R2021"),
        (date(2025, 7, 1), "R2025"),
        (date(2026, 6, 30), "R2025"),
        (date(2026, 7, 1), "R2026"),
    ],
)
def test_the_regime_of_a_day(day, code):
    assert SAMPLE.regime_on(day).code == code


def test_no_regime_before_the_first():
    with pytest.raises(Unknown, match="20/06/2018"):
        SAMPLE.regime_on(date(2018, 6, 20))


@given(DAYS)
def test_every_day_has_one_regime(day):
    holding = [e for e in SAMPLE.regimes if e.since <= day and (e.until is None or day <= e.until)]
    assert holding == [SAMPLE.regime_on(day)]


def test_forms_are_those_of_the_regime():
    forms = {each.code: {form.number: form for form in each.forms} for each in SAMPLE.regimes}
    assert [len(each) for each in forms.values()] == [6, 6, 7, 7]
    assert "gia hạn" in forms["R2025"]["04"].name.vi
    assert "hẹn lại" in forms["R2021"]["04"].name.vi
    assert "dừng giải quyết" in forms["R2025"]["05"].name.vi
    for regime in SAMPLE.regimes:  # one word is an event's; anything else is said in several
        assert all(" " in form.on or form.on in set(Event) for form in regime.forms)


def test_what_was_not_read_is_not_called_verified():
    assert [each.code for each in SAMPLE.regimes if each.verified] == ["R2018"]


@given(st.sampled_from(UNITS), DAYS, st.integers(1, 1_000_000))
def test_a_code_says_unit_day_and_number(unit, day, n):
    code = SAMPLE.code_for(unit, day, n)
    assert re.fullmatch(CODE, code)
    at, when, number = code.split("-")
    assert (at, when, int(number)) == (unit, f"{day:%y%m%d}", n)


def test_the_code_of_the_pilot_s_first_dossier():
    assert SAMPLE.code_for("H42.14", date(2023, 1, 3), 1) == "H42.14-230103-0001"
    assert SAMPLE.code_for("H42.14", date(2023, 1, 3), 10_000) == "H42.14-230103-10000"


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{unit}-{yymmdd}",
        "{unit}-{n:04}",
        "{yymmdd}-{n:04}",
        "{unit}-{yymmdd}-{n}",  # fewer than four places
        "{unit}-{yymmdd}-{n:04}-{n:04}",
        "{unit}/{yymmdd}/{n:04}",
        "{unit}-{yymmdd}-{n:04}\n",
        "{unit.__class__}-{yymmdd}-{n:04}",
        "{yymmdd}-{unit}-{n:04}",
    ],
)
def test_a_pattern_that_makes_no_code(pattern):
    with pytest.raises(ValueError, match=r"must|may"):
        numbering(pattern=pattern)


def test_a_pattern_may_be_wider():
    assert numbering(pattern="{unit}-{yymmdd}-{n:05}").pattern


def numbering(**parts):
    kept = SAMPLE.numbering[0].model_dump()
    return Numbering.model_validate(kept | parts)


@pytest.mark.parametrize("days", [-1, 1])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_neither_gap_nor_overlap(at, days):
    rows = list(SAMPLE.regimes)
    since = rows[at].since + timedelta(days=days)
    rows[at] = rows[at].model_copy(update={"since": since})
    assert [place for place, _ in broken(rows)] == [("regimes", at, "since")]


def broken(rows):
    return list(Regimes(regimes=tuple(rows), numbering=SAMPLE.numbering).faults())


def test_in_order_and_without_end():
    rows = list(SAMPLE.regimes)
    assert not broken(rows)
    assert broken(rows[::-1])
    assert [place for place, _ in broken(rows[:3])] == [("regimes", 2, "until")]
    assert [place for place, _ in broken([])] == [("regimes",)]
