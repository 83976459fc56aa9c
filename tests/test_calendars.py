"""Working calendars: the days are the State's, their sources are on file, no file is trusted."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from importlib import resources
from io import StringIO
from pathlib import Path

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from api import calendar_year
from states import calendars
from states.calendars import Difference, Override
from states.calendars.editing import with_exception
from states.clock import Facts, Policy, Term, read
from states.clock.words import Lang
from states.errors import BadFile, BadInput, Unknown

SAMPLE = Path(str(resources.files("config"))) / "sample"
DUE_DATES = Path(__file__).parents[2] / "shared" / "data" / "due_dates.csv"


def works(calendar, day):
    return calendar.works(day.toordinal())


def days(first, last):
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def notes(calendar, day):
    return [note for _, note in calendar.special(day.toordinal(), day.toordinal())]


# The days -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 250), (2026, 249)])
def test_working_days_of_a_year(year, count):
    vn = calendars.load("vn")
    assert vn.ordinal(date(year, 12, 31)) - vn.ordinal(date(year - 1, 12, 31)) == count


@pytest.mark.skipif(not DUE_DATES.exists(), reason="the shared folder is not beside this checkout")
def test_known_due_dates():
    rows = list(csv.DictReader(DUE_DATES.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 12
    vn = calendars.load("vn")
    for row in rows:
        received = datetime.combine(date.fromisoformat(row["received"]), time(10), vn.zone)
        reading = read(Term.parse(row["term"]), vn, Facts(received), Policy.day, received)
        assert reading.due.date().isoformat() == row["due_date"], row["trap"]


def test_only_the_overrides_differ_from_the_package():
    vn, file = calendars.load("vn"), calendars.describe("vn")
    package = holidays.VN(years=range(2019, 2028))
    reach = days(vn.first, vn.last)
    differ = {day for day in reach if works(vn, day) != package.is_working_day(day)}
    assert differ == {date(2026, 1, 2), date(2026, 1, 10)}
    assert differ < set(file.overrides)
    assert all(file.overrides[day].source for day in file.overrides)


def test_every_swap_of_the_package_has_its_source_on_file():
    file = calendars.describe("vn")
    package = holidays.VN(years=range(2019, 2028), language="vi")
    swaps = {day for day, name in package.items() if name.startswith("Ngày nghỉ (thay cho")}
    made_up = {day for day in days(file.first, file.last) if day in package.weekend_workdays}
    assert len(swaps) == 4
    assert len(made_up) == 5  # the first of them for a Monday before the reach
    assert swaps | made_up <= set(file.overrides)
    assert {day for day in swaps | made_up if file.overrides[day].works} == made_up


def test_a_bridge_that_was_not_confirmed_is_a_working_day():
    vn = calendars.load("vn")
    assert works(vn, date(2026, 11, 23))
    assert not works(vn, date(2026, 11, 24))


def test_a_make_up_saturday_works_a_weekday_s_hours():
    vn = calendars.load("vn")
    morning, evening = (datetime(2026, 1, 10, hour, tzinfo=vn.zone) for hour in (0, 23))
    assert vn.position(evening) - vn.position(morning) == 480
    assert vn.position(datetime(2026, 1, 10, 12, tzinfo=vn.zone)) - vn.position(morning) == 240


def test_a_day_tells_its_source():
    vn = calendars.load("vn")
    (made_up,) = notes(vn, date(2026, 1, 10))
    assert made_up.startswith("Làm bù cho thứ Sáu 02/01/2026 / Make-up day for Friday 02/01/2026")
    assert made_up.endswith("(Công văn 12729/VPCP-KGVX, 25/12/2025)")
    assert notes(vn, date(2024, 9, 2)) == ["Quốc khánh / National Day"]
    assert notes(vn, date(2024, 9, 4)) == []
    assert notes(vn, date(2024, 2, 10)) == []  # Tet, on a Saturday that is off anyway


def test_notes_do_not_follow_the_machine_s_language(monkeypatch):
    for language in ("en_US.UTF-8", "th_TH.UTF-8", "vi_VN.UTF-8"):
        monkeypatch.setenv("LANG", language)
        monkeypatch.setenv("LANGUAGE", language.partition(".")[0])
        vn = calendars.build(calendars.describe("vn"))
        assert notes(vn, date(2024, 9, 2)) == ["Quốc khánh / National Day"]


def test_the_dutch_municipality():
    nl = calendars.load("nl")
    assert str(nl.zone) == "Europe/Amsterdam"
    assert not works(nl, date(2012, 4, 30))  # Queen's Day
    assert works(nl, date(2013, 4, 29))
    morning, evening = (datetime(2011, 3, 28, hour, tzinfo=nl.zone) for hour in (0, 23))
    assert nl.position(evening) - nl.position(morning) == 420


# The file -----------------------------------------------------------------------------------


def copied(tmp_path, *edits, name="vn"):
    """A folder with the sample's calendar, edited; the text as it was written."""
    text = (SAMPLE / "calendars" / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    (tmp_path / "calendars").mkdir(exist_ok=True)
    (tmp_path / "calendars" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return text


def built(tmp_path, *edits, name="vn"):
    copied(tmp_path, *edits, name=name)
    return calendars.build(calendars.describe(name, tmp_path))


def test_the_version_is_a_digest_of_the_days(tmp_path):
    version = calendars.load("vn").version
    assert len(version) == 8
    assert built(tmp_path).version == version
    assert built(tmp_path, ("Hoán đổi", "Đổi")).version == version
    assert built(tmp_path, ("friday: [07:30", "friday: [07:00")).version != version
    assert built(tmp_path, ("standard_day: 480", "standard_day: 450")).version != version
    assert built(tmp_path, ("replaces: 2026-08-31", "sessions: [08:00-12:00]")).version != version


def test_a_season_has_its_own_hours(tmp_path):
    season = """\
seasons:
  - from: 2026-04-16
    to: 2026-10-15
    weekly:
      monday: [07:00-11:30, 13:30-17:00]
      tuesday: [07:00-11:30, 13:30-17:00]

overrides:
"""
    vn = built(tmp_path, ("overrides:\n", season))
    opening = vn.session(vn.stamp(datetime(2026, 4, 20, 7, 10, tzinfo=vn.zone)))
    assert opening[0] % 1440 == 7 * 60
    assert not works(vn, date(2026, 4, 22))  # a Wednesday without hours in that season
    assert works(vn, date(2026, 4, 15))
    assert works(vn, date(2026, 8, 22))  # made up for a Monday, with that season's Monday hours
    made_up = vn.session(vn.stamp(datetime(2026, 8, 22, 7, 10, tzinfo=vn.zone)))
    assert made_up[0] % 1440 == 7 * 60


def test_a_calendar_needs_no_country(tmp_path):
    vn = built(tmp_path, ("holidays: VN\n", ""))
    assert works(vn, date(2026, 9, 2))
    assert not works(vn, date(2026, 1, 2))


def test_which_calendars_there_are(tmp_path):
    assert calendars.names() == ["nl", "vn"]
    assert calendars.names(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["", "de", "../vn", "vn.yaml", "VN", "/etc/passwd", "vn\n", "x" * 99]
)
def test_no_such_calendar(name):
    with pytest.raises(Unknown, match="known are nl, vn"):
        calendars.load(name)


FAULTS = [  # what is written instead of what, on which line it then stands, and in which field
    ("name: vn\n", "name: xx\n", "name: xx", "name", "file's name"),
    ("zone: Asia/Ho_Chi_Minh", "zone: Asia/Hochiminh", "zone:", "zone", "time zone"),
    ("zone: Asia/Ho_Chi_Minh", "zone: ../../etc/passwd", "zone:", "zone", "time zone"),
    ("zone: Asia/Ho_Chi_Minh", "zone: Asia", "zone:", "zone", "time zone"),
    ("from: 2019, to: 2027", "from: 2019, to: 2018", "reach:", "reach.to", "between 2019"),
    ("from: 2019, to: 2027", "from: 1, to: 2027", "reach:", "reach.from", "between 1950"),
    ("from: 2019, to: 2027", "from: 2019, to: true", "reach:", "reach.to", "whole number"),
    ("holidays: VN", "holidays: XX", "holidays:", "holidays", "holidays package"),
    ("standard_day: 480\n", "standard_day: 8h\n", "standard_day:", "standard_day", "whole number"),
    ("  monday: [07:30-11:30", "  monday: [7h30-11h30", "  monday:", "weekly.monday.0", "07:30"),
    ("monday: [07:30-11:30", "monday: [11:30-07:30", "  monday", "weekly.monday.0", "before it"),
    ("day: [07:30-11:30, 13", "day: [07:30-13:30, 13", "  monday", "weekly.monday.1", "begin"),
    ("monday: [07:30-11:30, 13:00-17:00]", "monday: []", "  monday", "weekly.monday", "session"),
    ("  monday:", "  moonday:", "  moonday", "weekly.moonday", "not a key"),
    ("title:\n  vi:", "title:\n  vn:", "  vn: Lịch", "title.vn", "not a key"),
    ("- date: 2024-05-04", "- date: 2024-04-29", "", "overrides.4.date", "twice"),
    ("- date: 2026-01-02", "- date: 2026-02-30", "2026-02-30", "overrides.7.date", "date such as"),
    ("- date: 2026-01-02", "- date: 2031-01-02", "2031-01-02", "overrides.7.date", "reach"),
    ("    day: work", "    day: holiday", "day: holiday", "overrides.0.day", "work, off"),
    ("verified: false", "verified: no", "verified: no", "overrides.0.verified", "true or false"),
    ("    day: off\n", "    day: off\n    replaces: 2019-01-01\n", "replaces: 2019-01-01",
     "overrides.1.replaces", "day that works"),
    ("    source: Công văn 6519/VPCP-KGVX năm 2018 (theo gói holidays 0.109)\n", "",
     "- date: 2019-01-05", "overrides.0.source", "required"),
    ("issued: 2024-12-03", "issued: 2024-12-03\n    recorded: 2024-12-02", "recorded: 2024-12-02",
     "overrides.5.recorded", "before 'issued'"),
    ("  friday: [07:30-11:30, 13:00-17:00]\n", "\n", "replaces: 2025-05-02", "overrides.5.replaces",
     "needs 'sessions': this calendar has no hours on a Friday"),
    ("holidays: VN\n", "inherits: ../vn\n", "inherits:", "inherits", "name of a calendar"),
    ("holidays: VN\n", "inherits: vn\n", "inherits:", "inherits", "circle, vn → vn"),
    ("holidays: VN\n", "inherits: tw\n", "inherits:", "inherits", "no calendar 'tw'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "mark", "field", "says"), FAULTS)
def test_a_fault_is_told_with_its_line(tmp_path, old, new, mark, field, says):
    text = copied(tmp_path, (old, new))
    lines = text.splitlines()
    if mark:
        line = next(n for n, each in enumerate(lines, 1) if mark in each)
    else:  # the second of two
        line = [n for n, each in enumerate(lines, 1) if "date: 2024-04-29" in each][1]
    with pytest.raises(BadFile, match=says) as refused:
        calendars.load("vn", tmp_path)
    assert refused.value.file == str(tmp_path / "calendars" / "vn.yaml")
    assert (refused.value.line, refused.value.field) == (line, field)


def test_seasons_must_not_overlap(tmp_path):
    week = "weekly: {monday: [08:00-12:00]}"
    season = (
        "seasons:\n"
        f"  - {{from: 2026-04-16, to: 2026-10-15, {week}}}\n"
        f"  - {{from: 2026-10-15, to: 2026-10-20, {week}}}\n"
        "overrides:\n"
    )
    copied(tmp_path, ("overrides:\n", season))
    with pytest.raises(BadFile, match="overlap") as refused:
        calendars.load("vn", tmp_path)
    assert refused.value.field == "seasons.1.from"


def test_an_exception_tells_when_it_was_recorded(tmp_path):
    copied(tmp_path, ("issued: 2025-12-25", "issued: 2025-12-25\n    recorded: 2025-12-26"))
    override = calendars.describe("vn", tmp_path).overrides[date(2026, 1, 2)]
    assert (override.issued, override.recorded) == (date(2025, 12, 25), date(2025, 12, 26))
    assert built(tmp_path).version == calendars.load("vn").version


# What is inherited --------------------------------------------------------------------------

WEEK = "weekly: {monday: [07:30-11:30, 13:00-17:00], tuesday: [07:30-11:30]}\n"
ROOT = f"zone: Asia/Ho_Chi_Minh\nreach: {{from: 2026, to: 2026}}\nstandard_day: 480\n{WEEK}"


def said(name, parent=None, more="", overrides=()):
    """A calendar's text: a root of one year, or an heir with what more it says."""
    inherits = f"inherits: {parent}\n" if parent else ROOT
    text = f"name: {name}\ntitle: {{vi: a, en: {name}}}\n{inherits}{more}".encode()
    return reduce(lambda raw, each: with_exception(raw, *each), overrides, text)


def decided(sessions, source="QĐ 1"):
    return Override(works=bool(sessions), vi="Lý do", en="Reason", source=source, sessions=sessions)


HALF, EARLY = ((time(8), time(12)),), ((time(6), time(9)), (time(10), time(11)))
of_2026 = st.dates(date(2026, 1, 1), date(2026, 12, 31))
exceptions = st.dictionaries(of_2026, st.sampled_from([(), HALF, EARLY]).map(decided), max_size=6)
weeks = st.dictionaries(
    st.integers(0, 6), st.sampled_from(["08:00-12:00", "06:00-09:00"]), min_size=1
)
seasons = st.tuples(of_2026, of_2026).map(sorted)


@st.composite
def generations(draw):
    """Unit, agency, province and nation, each with what it says by itself."""
    texts, own = {}, []
    for name, parent in (("n", None), ("p", "n"), ("a", "p"), ("u", "a")):
        overrides = draw(exceptions)
        week = draw(st.none() | weeks) if parent else None
        season = draw(st.none() | st.tuples(seasons, weeks))
        more = f"weekly: {written(week)}\n" if week else ""
        if season:
            (first, last), weekly = season
            more += f"seasons: [{{from: {first}, to: {last}, weekly: {written(weekly)}}}]\n"
        texts[name] = said(name, parent, more, overrides.items())
        own.insert(0, (overrides, week, season))
    return texts, own


def written(week):
    return "{" + ", ".join(f"{calendars.files.WEEKDAYS[n]}: [{at}]" for n, at in week.items()) + "}"


def sessions_of(week, day):
    named = {"08:00-12:00": HALF, "06:00-09:00": EARLY[:1]}
    return named[week[day.weekday()]] if day.weekday() in week else ()


def asked_in_turn(own, day):
    """The sessions of a day, from the unit up: who decides it, whose season it is, whose week."""
    for overrides, _, _ in own:
        if day in overrides:
            return overrides[day].sessions
    for _, _, season in own:
        if season and season[0][0] <= day <= season[0][1]:
            return sessions_of(season[1], day)
    for _, week, _ in own:
        if week:
            return sessions_of(week, day)
    whole = ((time(7, 30), time(11, 30)), (time(13), time(17)))
    return {0: whole, 1: whole[:1]}.get(day.weekday(), ())


@settings(max_examples=15)
@given(generations())
def test_an_heir_has_its_own_and_else_its_parent_s(family):
    texts, own = family
    calendar = calendars.built("u", texts)
    for day in days(date(2026, 1, 1), date(2026, 12, 31)):
        assert calendar.sessions(day.toordinal()) == asked_in_turn(own, day), day


@settings(max_examples=15)
@given(generations())
def test_a_line_of_descent_may_be_joined_from_either_end(family):
    texts, _ = family
    nation, province, agency, unit = (calendars.parse(text) for text in texts.values())
    inherit = calendars.inherit
    from_above = inherit(unit, inherit(agency, inherit(province, nation)))
    from_below = inherit(inherit(inherit(unit, agency), province), nation)
    assert from_above == from_below == calendars.resolve("u", lambda n: calendars.parse(texts[n]))
    assert (from_above.name, from_above.inherits, from_above.zone) == ("u", None, nation.zone)


@settings(max_examples=15)
@given(generations(), of_2026, st.sampled_from([(), HALF, EARLY]))
def test_heirs_follow_what_the_nation_decides(family, day, sessions):
    texts, own = family
    decided_below = any(day in overrides for overrides, _, _ in own[:-1])
    anew = {**texts, "n": with_exception(texts["n"], day, decided(sessions), overrule=True)}
    was, now = calendars.built("u", texts), calendars.built("u", anew)
    changed = [each.day for each in calendars.differences(was, now)]
    assert changed == (
        [day] if not decided_below and was.sessions(day.toordinal()) != sessions else []
    )
    if not decided_below:
        assert now.sessions(day.toordinal()) == sessions


def heir_of_vn(more):
    text = (SAMPLE / "calendars" / "vn.yaml").read_bytes()
    return {"vn": text, "x": said("x", "vn", more)}


def test_an_heir_that_says_nothing_is_its_parent_by_another_name(tmp_path):
    texts = heir_of_vn("")
    vn, x = calendars.load("vn"), calendars.built("x", texts)
    assert (x.name, x.version, calendars.differences(vn, x)) == ("x", vn.version, [])
    copied(tmp_path)
    (tmp_path / "calendars" / "x.yaml").write_bytes(texts["x"])
    assert calendars.load("x", tmp_path).version == vn.version
    assert calendars.describe("x", tmp_path).en == "x"
    assert calendars.names(tmp_path) == ["vn", "x"]


def test_an_heir_reaches_no_further_than_its_parent():
    shorter = calendars.built("x", heir_of_vn("reach: {from: 2025, to: 2026}\n"))
    assert (shorter.first, shorter.last) == (date(2025, 1, 1), date(2026, 12, 31))
    for reach, field in (
        ("from: 2018, to: 2026", "reach.from"),
        ("from: 2020, to: 2028", "reach.to"),
    ):
        with pytest.raises(BadFile, match="outside the reach of vn, 2019 to 2027") as refused:
            calendars.built("x", heir_of_vn(f"zone: Asia/Ho_Chi_Minh\nreach: {{{reach}}}\n"))
        assert (refused.value.file, refused.value.line, refused.value.field) == ("x.yaml", 5, field)


def test_an_heir_decides_no_day_beyond_its_reach():
    late = with_exception(said("x", "vn"), date(2031, 1, 6), decided(HALF))
    with pytest.raises(BadFile, match="between 2019-01-01 and 2027-12-31") as refused:
        calendars.built("x", {**heir_of_vn(""), "x": late})
    assert (refused.value.line, refused.value.field) == (5, "overrides.0.date")


def test_a_day_made_up_for_one_without_hours_stays_as_it_is():
    thursdays = "weekly: {thursday: [07:30-11:30], saturday: [08:00-10:00]}\n"
    x = calendars.built("x", heir_of_vn(thursdays))
    saturday = date(2026, 1, 10)  # the nation makes up for a Friday, on which this office is closed
    assert x.sessions(saturday.toordinal()) == ((time(8), time(10)),)
    assert notes(x, saturday) == []
    assert not works(x, date(2026, 1, 2))


def test_who_inherits_from_whom():
    names = {"n": None, "b": "n", "a": "b", "u": "a", "c": "n", "z": None, "y": "z"}
    texts = {name: said(name, parent) for name, parent in names.items()}
    assert calendars.heirs("n", texts) == ["b", "c", "a", "u"]
    assert calendars.heirs("a", texts) == ["u"]
    assert calendars.heirs("u", texts) == []
    texts["n"] = said("n", "u")
    assert calendars.heirs("n", texts) == ["b", "c", "a", "u"]


def test_a_descent_without_a_beginning_is_refused():
    texts = {name: said(name, parent) for name, parent in (("a", "b"), ("b", "c"), ("c", "b"))}
    with pytest.raises(BadFile, match="circle, b → c → b") as refused:
        calendars.built("a", texts)
    assert (refused.value.file, refused.value.line) == ("c.yaml", 3)
    with pytest.raises(BadFile, match="no calendar 'c': known are a, b") as refused:
        calendars.built("a", {"a": texts["a"], "b": texts["b"]})
    assert (refused.value.file, refused.value.line) == ("b.yaml", 3)
    with pytest.raises(Unknown):
        calendars.built("d", texts)
    with pytest.raises(BadFile, match="must be resolved"):
        calendars.build(calendars.parse(texts["a"]))


# What changes -------------------------------------------------------------------------------


def test_a_calendar_does_not_differ_from_itself():
    assert calendars.differences(calendars.load("vn"), calendars.load("vn")) == []


@settings(max_examples=40)
@given(exceptions, exceptions)
def test_every_day_that_differs_is_told_and_no_other(before, after):
    old, new = (
        calendars.built("n", {"n": said("n", overrides=each.items())}) for each in (before, after)
    )
    told = calendars.differences(old, new)
    whole = days(date(2026, 1, 1), date(2026, 12, 31))
    pairs = [(day, old.sessions(day.toordinal()), new.sessions(day.toordinal())) for day in whole]
    assert [(each.day, each.was, each.now) for each in told] == [
        (day, was, now) for day, was, now in pairs if was != now
    ]
    assert all(each.note == "".join(notes(new, each.day)) for each in told)


def test_what_holds_for_all_days_is_told_once():
    old = calendars.built("n", {"n": said("n")})
    text = said("n").replace(b"to: 2026", b"to: 2027").replace(b"480", b"450")
    new = calendars.built("n", {"n": text.replace(b"Ho_Chi_Minh", b"Bangkok")})
    told = calendars.differences(old, new)
    assert {(each.day, each.was, each.now) for each in told} == {(None, (), ())}
    assert [each.note.partition(" / ")[2] for each in told] == [
        "Reach: was 01/01/2026–31/12/2026, is 01/01/2026–31/12/2027",
        "Time zone: was Asia/Ho_Chi_Minh, is Asia/Bangkok",
        "Standard day (minutes): was 480, is 450",
    ]
    assert told[1] == Difference(
        None,
        (),
        (),
        "Múi giờ: trước là Asia/Ho_Chi_Minh, nay là Asia/Bangkok"
        " / Time zone: was Asia/Ho_Chi_Minh, is Asia/Bangkok",
    )


def test_a_year_must_be_left():
    vn = calendars.load("vn")
    calendars.check_reach(vn, date(2026, 12, 31))
    with pytest.raises(
        BadInput, match="would end on 2027-12-31, less than a year after 2027-01-01"
    ):
        calendars.check_reach(vn, date(2027, 1, 1))
    week = "weekly: {tuesday: [08:00-12:00], saturday: [08:00-12:00]}\n"
    two = calendars.built("x", heir_of_vn(week))
    with pytest.raises(BadInput, match="would have 100 working days from 2024-01-01 to 2024-12-30"):
        calendars.check_reach(two, date(2024, 1, 1))


def spared(closed):
    """The nation's calendar with these days closed."""
    vn = calendars.describe("vn")
    closed = dict.fromkeys(closed, decided(()))
    return calendars.build(replace(vn, overrides={**vn.overrides, **closed}))


def test_a_closed_season_to_come_is_found_and_one_that_is_past_is_not():
    season = days(date(2024, 2, 1), date(2024, 5, 31))
    for on in (date(2022, 6, 1), date(2024, 2, 5)):
        with pytest.raises(BadInput, match="at least 190 in any twelve months"):
            calendars.check_reach(spared(season), on)
    calendars.check_reach(spared(season), date(2024, 6, 1))
    calendars.check_reach(spared(season[:60]), date(2022, 6, 1))


# The year on the terminal -------------------------------------------------------------------


def shown(calendar, year, width=100, **more):
    out = StringIO()
    Console(file=out, width=width).print(calendar_year.render(calendar, year, **more))
    return out.getvalue()


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 250), (2026, 249)])
def test_the_year_as_json(year, count):
    vn = calendars.load("vn")
    told = calendar_year.year_json(vn, year)
    assert told["working_days"] == count
    assert told["working_minutes"] == count * 480
    assert sum(month["working_days"] for month in told["months"]) == count
    off = [day for month in told["months"] for day in month["days_off"]]
    whole = days(date(year, 1, 1), date(year, 12, 31))
    assert off == [str(day) for day in whole if not works(vn, day)]
    special = [(each["date"], each["note"]) for each in told["special"]]
    assert special == [(str(day), note) for day in whole for note in notes(vn, day)]


def test_the_json_of_an_exception_tells_what_decided_it():
    vn = calendars.load("vn")
    told = calendar_year.year_json(vn, 2026, calendars.describe("vn").overrides)
    (made_up,) = [each for each in told["special"] if each["date"] == "2026-01-10"]
    assert made_up == {
        "date": "2026-01-10",
        "kind": "made_up",
        "sessions": ["07:30-11:30", "13:00-17:00"],
        "note": notes(vn, date(2026, 1, 10))[0],
        "source": "Công văn 12729/VPCP-KGVX",
        "issued": "2025-12-25",
        "recorded": None,
        "verified": True,
    }


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_year_fits_its_width_and_has_every_day(width, lang):
    lines = shown(calendars.load("vn"), 2026, width, lang=lang).splitlines()
    assert max(map(len, lines)) <= width
    grid = " ".join(
        lines[: next(n for n, line in enumerate(lines) if "* " in line and "+ " in line)]
    )
    numbers = [int(each.rstrip("·*+<")) for each in grid.split() if each.rstrip("·*+<").isdigit()]
    for day in range(1, 32):
        assert numbers.count(day) >= (12 if day < 29 else 11 if day < 31 else 7)
    assert (grid.count("*"), grid.count("+")) == (14, 2)


def test_the_year_of_an_office_that_closes_early_once():
    early = Override(
        works=True,
        vi="Họp toàn tỉnh",
        en="Meeting of all staff",
        source="Công văn 7/UBND",
        issued=date(2026, 12, 1),
        recorded=date(2026, 12, 2),
        sessions=((time(7, 30), time(11, 30)),),
    )
    file = calendars.describe("vn")
    file = replace(file, overrides={**file.overrides, date(2026, 12, 24): early})
    text = shown(calendars.build(file), 2026, exceptions=file.overrides, lang=Lang.en, width=160)
    assert " 24< " in text
    line = next(line for line in text.splitlines() if "Th 24/12" in line)
    assert line.lstrip().startswith("<")
    assert "07:30–11:30" in line
    assert "Meeting of all staff" in line
    assert "Công văn 7/UBND, 01/12/2026; recorded 02/12/2026 (not verified)" in line


def test_a_special_day_is_told_in_one_language_with_its_document():
    vn = calendars.load("vn")
    vi, en = (shown(vn, 2026, 140, lang=lang) for lang in Lang)
    (line,) = [line for line in vi.splitlines() if "T7 10/01" in line]
    assert "Làm bù cho thứ Sáu 02/01/2026" in line
    assert line.rstrip().endswith("Công văn 12729/VPCP-KGVX, 25/12/2025")
    assert "Make-up" not in vi
    (line,) = [line for line in en.splitlines() if "Mo 27/04" in line]
    assert "Hung Kings' Commemoration Day (observed)" in line
    assert "Giỗ Tổ" not in en


def test_a_stranger_s_text_is_no_markup():
    vn = calendars.describe("vn")
    odd = Override(works=False, vi="[red]đỏ[/red]", en="[/bold]", source="[link=x]y")
    vn = replace(vn, overrides={**vn.overrides, date(2026, 3, 2): odd})
    text = shown(calendars.build(vn), 2026, exceptions=vn.overrides)
    assert "[red]đỏ[/red]" in text
    assert "[link=x]y" in text


@pytest.mark.parametrize("year", [0, 2018, 2028, 10_000])
def test_a_year_beyond_the_reach(year):
    with pytest.raises(BadInput, match="reaches from 2019 to 2027"):
        calendar_year.days_of(calendars.load("vn"), year)


def test_ordinary_hours_are_those_of_the_season():
    summer = "seasons: [{from: 2026-04-01, to: 2026-09-30, weekly: {monday: [08:00-11:00]}}]\n"
    monday = date(2026, 6, 1)
    for sessions, kind in (
        (((time(8), time(10)),), "short"),
        (((time(8), time(11)),), "made_up"),
        ((), "holiday"),
    ):
        text = said("n", more=summer, overrides=[(monday, decided(sessions))])
        told = calendar_year.year_json(calendars.built("n", {"n": text}), 2026)
        assert [(each["date"], each["kind"]) for each in told["special"]] == [(str(monday), kind)]


# The start ----------------------------------------------------------------------------------


def test_to_load_a_calendar_is_light():
    code = (
        "import sys; from states import calendars; calendars.load('vn');"
        "heavy = {'pydantic', 'sqlmodel', 'sqlalchemy', 'holidays.countries'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout.strip() == "[]"
