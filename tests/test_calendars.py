"""Working calendars: the days are the State's, their sources are on file, no file is trusted."""

import csv
import os
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from importlib import resources
from pathlib import Path

import holidays
import pytest

from states import calendars
from states.clock import Facts, Policy, Term, read
from states.errors import BadFile, Unknown

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
