"""Plans and duties as data: what is wrong in the file is told at its line; when a report is due."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from bundled import SAMPLE
from hypothesis import given
from hypothesis import strategies as st

from states import catalogue
from states.catalogue import publishing
from states.catalogue.plans import Every, Kpi
from states.catalogue.rows import Kind
from states.figures.duties import Due, Standing, due, due_on
from states.figures.every import REPORTS
from states.figures.periods import ZONE, Period
from states.figures.procedures import Deployed
from states.figures.targets import BY_PROCEDURE, Measured, of_procedures, verdict

BOOK = catalogue.load()
TEXT = (SAMPLE / "plans.yaml").read_text(encoding="utf-8")
DUTIES = {each.code: each for each in BOOK.plans.duties}
AT = datetime(2024, 1, 12, 9, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("line", "wrong", "field", "why"),
    [
        ("{kpi: k1, year: 2020, percent: 50}", "{kpi: k1, year: 2019, percent: 50}",
         "plans.0.targets.7.kpi", "k1 2019 is there twice"),
        ("{kpi: k1, year: 2020, percent: 50}", "{kpi: k1, year: 2020, percent: 150}",
         "plans.0.targets.7.percent", "must be at most 100"),
        ("{kpi: k1, year: 2020, percent: 50}", "{kpi: k8, year: 2020, percent: 50}",
         "plans.0.targets.7.kpi", "must be one of"),
        ("{kpi: k1, year: 2020, percent: 50}",
         "{kpi: k1, year: 2020, percent: 50, done: {on: 2020-01-01, document: A}}",
         "plans.0.targets.7.done", "must be left out"),
        ("code: sample-2023", "code: vinh-phuc-125", "plans.1.code", "is there twice"),
        ("only: H1", "only: Q1", "duties.1.only", "a part of the year of that length"),
        ("every: month", "every: week", "duties.4.every", "must be one of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(line: str, wrong: str, field: str, why: str) -> None:
    assert TEXT.count(line) == 1
    text = TEXT.replace(line, wrong)
    linted = publishing.lint(Kind.plans, "plans.yaml", text.encode(), BOOK)
    first = linted.findings[0]
    assert first.line == TEXT[: TEXT.index(line)].count("\n") + 1
    assert (first.field, why in first.why) == (field, True)


def test_a_report_made_elsewhere_is_of_the_length_it_is_due_for() -> None:
    made = "    made:\n      - {period: '2023', on: 2023-04-01, document: A}\n"
    text = TEXT.replace("    day: 10\n", "    day: 10\n" + made, 1)
    (first,) = publishing.lint(Kind.plans, "plans.yaml", text.encode(), BOOK).findings
    assert (first.field, first.severity) == ("duties.0.made.0.period", "error")
    assert "must be a period of the report's length" in first.why


def test_the_sample_names_reports_that_there_are() -> None:
    for duty in BOOK.plans.duties:
        assert duty.report is None or duty.report in REPORTS
        assert {each.report for each in duty.contents if each.report} <= REPORTS.keys()


def test_the_plan_of_seed_001() -> None:
    table = {(each.kpi, each.year): each.percent for each in BOOK.plans.plans[0].targets}
    assert [table[Kpi.k2, year] for year in (2019, 2020, 2021)] == [15, 20, 25]
    assert [table[Kpi.k3, year] for year in (2019, 2020, 2021)] == [15, 20, 25]
    assert [table[Kpi.k4, year] for year in (2019, 2020, 2021)] == [80, 95, 100]


# When a report is due -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "period", "on"),
    [
        ("post-quarter", "2023-Q1", date(2023, 4, 10)),
        ("post-quarter", "2023-Q4", date(2024, 1, 10)),
        ("post-half", "2023-H1", date(2023, 7, 10)),
        ("post-year", "2023", date(2024, 1, 10)),
        ("agencies-year", "2023", date(2024, 1, 14)),
        ("head-month", "2023-01", date(2023, 2, 28)),
        ("head-month", "2023-12", date(2024, 1, 31)),
    ],
)
def test_the_days_of_circular_17_and_of_the_plan(code: str, period: str, on: date) -> None:
    assert due_on(DUTIES[code], Period.parse(period)) == on


def test_what_is_due_of_a_year() -> None:
    frozen = {
        ("procedures", "2023-Q1"): date(2023, 4, 3), ("channels", "2023-Q1"): date(2023, 4, 10),
        ("procedures", "2023-Q2"): date(2023, 7, 3), ("channels", "2023-Q2"): date(2023, 7, 11),
        ("procedures", "2023-Q3"): date(2023, 10, 3), ("bieu06", "2023-Q3"): date(2023, 10, 3),
    }  # fmt: skip
    found = due([*DUTIES.values()], Period.parse("2023"), frozen, AT, AT.date())
    assert len(found) == 4 + 1 + 1 + 1 + 12
    stands = {(e.duty.code, e.period.name): e.standing(AT.date()) for e in found}
    assert stands["post-quarter", "2023-Q1"] is Standing.in_time
    assert stands["post-quarter", "2023-Q2"] is Standing.late
    assert stands["post-quarter", "2023-Q3"] is Standing.overdue
    (third,) = [e for e in found if (e.duty.code, e.period.name) == ("post-quarter", "2023-Q3")]
    assert third.unfrozen == ("channels",)
    assert stands["post-year", "2023"] is Standing.overdue
    assert stands["agencies-year", "2023"] is Standing.due
    assert stands["head-month", "2023-12"] is Standing.due
    assert [e.on for e in found] == sorted(e.on for e in found)


def test_what_was_made_elsewhere_is_made() -> None:
    quarter = DUTIES["post-quarter"].model_validate(
        DUTIES["post-quarter"].model_dump()
        | {"made": ({"period": "2023-Q1", "on": date(2023, 4, 3), "document": "BC 12"},)}
    )
    found = due([quarter], Period.parse("2023-Q1"), {}, AT, AT.date())
    assert [(e.standing(AT.date()), e.by, e.days(AT.date())) for e in found] == [
        (Standing.in_time, "BC 12", -7)
    ]
    (before,) = due([quarter], Period.parse("2023-Q1"), {}, AT, date(2023, 4, 2))
    assert before.made is None


@given(
    st.sampled_from([*DUTIES.values()]),
    st.dates(date(2001, 1, 1), date(2090, 1, 1)),
    st.integers(0, 2_000),
)
def test_every_whole_period_within_is_due_once(duty, first: date, days: int) -> None:
    since = datetime.combine(first, datetime.min.time(), ZONE)
    within = Period("", since, since + timedelta(days=days + 1))
    today = within.until + timedelta(days=400)
    found = due([duty], within, {}, today, today.date())
    names = [each.period.name for each in found]
    assert len(set(names)) == len(names)
    for each in found:
        assert each.period == Period.parse(each.period.name)
        assert since <= each.period.since
        assert each.period.until <= within.until
        assert each.on >= each.period.until.date()
        assert each.standing(each.on) is Standing.due
        assert each.standing(each.on + timedelta(days=1)) is Standing.overdue
        assert each.standing(each.period.until.date() - timedelta(days=1)) is Standing.coming
        assert replace(each, made=each.on).standing(today.date()) is Standing.in_time
    if duty.every is Every.month:
        months = {(each.period.since.year, each.period.since.month) for each in found}
        assert len(months) == len(found) >= days // 31 - 1


def test_what_is_late_says_by_how_many_days() -> None:
    period = Period.parse("2023")
    report = Due(DUTIES["post-year"], period, date(2024, 1, 10))
    assert report.days(date(2024, 1, 12)) == 2
    assert replace(report, made=date(2024, 1, 8)).days(date(2024, 2, 1)) == -2


# Targets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reached", "target", "over", "code"),
    [
        (None, 100.0, True, "not_in_data"), (50.0, None, True, "no_target"),
        (50.0, 50.0, False, "met"), (50.0, 50.0, True, "met"),
        (49.999, 50.0, True, "not_met"), (49.999, 50.0, False, "not_yet"),
    ],
)  # fmt: skip
def test_a_target_is_met_missed_or_unknown(
    reached: float | None, target: float | None, over: bool, code: str
) -> None:
    assert verdict(reached, target, over=over).code == code


def test_both_readings_of_k1_and_what_k2_and_k3_are_of() -> None:
    """Four deployed: two served by post, one with dossiers of no post, one with none."""
    keys = ("received", "in_post", "returned", "out_post", "post")
    counts = [(10, 3, 8, 0, 3), (6, 0, 5, 2, 2), (100, 0, 90, 0, 0), (0, 0, 0, 0, 0)]
    some = next(iter(BOOK.procedures.values()))
    found = [Deployed(some, dict(zip(keys, each, strict=True))) for each in counts]
    told = [of_procedures(kpi, found, used_only=False) for kpi in BY_PROCEDURE]
    assert told == [Measured(2, 4), Measured(3, 16), Measured(2, 13)]
    assert of_procedures(Kpi.k1, found, used_only=True) == Measured(2, 3)
    assert of_procedures(Kpi.k2, [], used_only=True).percent is None
