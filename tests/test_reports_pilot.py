"""The pilot year in a real ledger, and what every report says of it. Seed 002's own figures.

Only this file and `test_pilot.py` know what was published; the code may not.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from pilot_year import lived
from sqlalchemy.ext.asyncio import AsyncConnection

from api.papers import Form, written
from states import catalogue
from states.db import engine
from states.errors import BadInput, Unknown
from states.figures import freezing, trend
from states.figures.asking import Question, asked
from states.figures.every import find
from states.figures.opening import behind
from states.figures.periods import Period
from states.figures.sheets import Paper, Sheet
from states.ledger.statements import d, e, v
from states.words import Tally

PUBLISHED = {
    "online": 1_669, "direct": 31, "carried": 0, "received": 1_700,
    "early": 1_479, "on_time": 168, "late": 21, "resolved": 1_668,
    "in_time": 32, "overdue": 0, "in_process": 32, "unclassed": 0,
}  # fmt: skip
CATALOGUE = catalogue.load()
AFTER = datetime(2024, 1, 20, tzinfo=UTC)
YEAR = Question(period="2023")


@pytest.fixture(scope="module")
def address(server) -> str:
    return lived(server)


@pytest.fixture
async def db(address: str) -> AsyncIterator[AsyncConnection]:
    """The year; what a test writes there is undone."""
    connections = engine(address, 1)
    async with connections.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()
    await connections.dispose()


async def made(db: AsyncConnection, name: str, question: Question = YEAR) -> Paper:
    report = find(name)
    return await report.make(await asked(db, CATALOGUE, report, question, AFTER))


def told(sheet: Sheet, cells: Sequence[Any]) -> dict[str, Any]:
    """A row by the keys of its columns."""
    return dict(zip((column.key for column in sheet.columns), cells, strict=True))


async def test_the_form_says_what_was_published(db: AsyncConnection) -> None:
    paper = await made(db, "bieu06")
    (sheet,) = paper.sheets
    total = told(sheet, sheet.total or ())
    assert {key: total[key] for key in PUBLISHED} == PUBLISHED
    assert round(total["of_resolved"], 2) == 98.74
    assert round(total["of_received"], 2) == 96.88
    rows = [told(sheet, row) for row in sheet.rows]
    assert len(rows) == 6
    assert all(sum(row[key] for row in rows) == total[key] for key in PUBLISHED)
    assert (paper.faults, paper.provisional) == ((), False)


@pytest.mark.parametrize(
    "by",
    [
        ("field",),
        ("procedure",),
        ("level",),
        ("agency", "level"),
        ("channel", "agency"),
        ("counter",),
    ],
)
async def test_told_apart_otherwise_it_adds_up_to_the_same(db: AsyncConnection, by: Any) -> None:
    (sheet,) = (await made(db, "bieu06", replace(YEAR, by=by))).sheets
    total = told(sheet, sheet.total or ())
    assert {key: total[key] for key in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("form", [each for each in Form if each is not Form.table])
async def test_every_format_says_the_same(db: AsyncConnection, tmp_path: Path, form: Form) -> None:
    """Each is read again by a reader of its own; of a picture and a print, that they are ones."""
    paper, file = await made(db, "bieu06"), tmp_path / f"form.{form}"
    await written(paper, form, file, None)
    kept = file.read_bytes()
    if form is Form.pdf:
        assert kept.startswith(b"%PDF-")
        return
    if form is Form.svg:
        text = kept.decode()
        assert all(str(row[0]) in text for row in paper.sheets[0].rows)
        return
    if form is Form.json:
        total = json.loads(kept)["sheets"][0]["total"].values()
    elif form is Form.csv:
        total = [int(cell) for cell in list(csv.reader(io.StringIO(kept.decode("utf-8-sig"))))[-1]
                 if cell.isdigit()]  # fmt: skip
    else:
        rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
        total = next(row for row in rows if "Tổng / Total" in row)
    assert {PUBLISHED[key] for key in PUBLISHED} <= set(total)


async def test_levels_are_those_of_the_procedures(db: AsyncConnection) -> None:
    (sheet,) = (await made(db, "bieu06", replace(YEAR, by=("level",)))).sheets
    report, levels = find("bieu06"), {}
    for row in sheet.rows:
        question = await asked(db, CATALOGUE, report, YEAR, AFTER)
        page = await behind(question, report, "late", {"level": row[0].code}, limit=100)
        levels[row[0].code] = {each["procedure"] for each in page.rows}
        assert len(page.rows) == told(sheet, row)["late"]
    assert {CATALOGUE.procedure(code).level for code in levels["province"]} == {"province"}


@pytest.mark.parametrize("each", ["month", "quarter", "half", "year"])
async def test_parts_of_the_year_hand_over_what_they_leave(db: AsyncConnection, each: str) -> None:
    (sheet,) = (await made(db, "bieu06", replace(YEAR, each=each, by=("channel",)))).sheets
    parts: dict[str, Counter[str]] = {}
    for row in sheet.rows:
        numbers = {k: v for k, v in told(sheet, row).items() if isinstance(v, int)}
        parts.setdefault(row[0], Counter()).update(numbers)
    done = [sum(part[key] for part in parts.values()) for key in ("early", "on_time", "late")]
    assert done == [PUBLISHED[key] for key in ("early", "on_time", "late")]
    assert all(a["in_process"] == b["carried"] for a, b in pairwise(parts.values()))
    made_of = {name: told(sheet, row) for name, row in sheet.parts.items()}
    assert {name: row["late"] for name, row in made_of.items()} == {
        name: part["late"] for name, part in parts.items()
    }
    total = told(sheet, sheet.total or ())
    assert [total[key] for key in ("late", "carried", "in_process", "received")] == [21] + [
        None
    ] * 3


async def test_the_province_in_one_row(db: AsyncConnection) -> None:
    (sheet,) = (await made(db, "bieu06", replace(YEAR, by=()))).sheets
    (row,) = sheet.rows
    assert row[0] == "Toàn tỉnh"
    assert {key: told(sheet, row)[key] for key in PUBLISHED} == PUBLISHED
    monthly = (await made(db, "bieu06", replace(YEAR, by=(), each="month"))).sheets[0]
    assert (len(monthly.rows), monthly.parts) == (12, {})


@pytest.mark.parametrize(
    ("name", "asked", "why"),
    [
        ("load", {"by": ("agency",)}, "load is not told apart by agency: leave out --by"),
        ("load", {"each": "month"}, "leave out --each"),
        ("procedures", {"by": ("unit", "agency")}, "is not told apart by unit, agency"),
        ("stages", {"each": "month"}, "stages is of the whole period"),
    ],
)
async def test_what_a_report_cannot_tell_is_refused(
    db: AsyncConnection, name: str, asked: Any, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        await made(db, name, replace(YEAR, **asked))


async def test_units_and_stages_are_told_by_names_that_tell_them_apart(
    db: AsyncConnection,
) -> None:
    (sheet,) = (await made(db, "stages")).sheets
    rows = [told(sheet, row) for row in sheet.rows]
    units = {row["stage_unit"].code: str(row["stage_unit"]) for row in rows}
    assert len(set(units.values())) == len(units)
    assert any(name.startswith("Lãnh đạo Sở – Sở") for name in units.values())
    assert all(row["stage"] != row["stage"].code for row in rows)


async def test_all_online_was_said_and_is_not_so(db: AsyncConnection) -> None:
    (sheet,) = (await made(db, "channels")).sheets
    total = told(sheet, sheet.total or ())
    assert (total["in_all"], total["in_online"]) == (PUBLISHED["received"], PUBLISHED["online"])
    paper = await made(db, "channels", replace(YEAR, options={"stated-online": "100"}))
    (fault,) = paper.faults
    assert "1669 of 1700 = 98.18 %" in fault.en
    assert paper.sheets == (sheet,)  # told, not mended
    assert (
        await made(db, "channels", replace(YEAR, options={"stated-online": "98,18"}))
    ).faults == ()


async def test_one_clerk_for_six_agencies_is_overloaded(db: AsyncConnection) -> None:
    paper = await made(db, "load")
    people = [told(paper.sheets[0], row) for row in paper.sheets[0].rows]
    clerk = people[0]
    assert (clerk["role"].code, clerk["agencies"], clerk["procedures"]) == ("postal", 6, 35)
    assert clerk["of_norm"] > 100
    assert [fault.en.split(":")[0] for fault in paper.faults] == [clerk["person"]]
    none = await made(db, "load", replace(YEAR, options={"norm": "3000", "breadth": "6"}))
    assert none.faults == ()


async def test_stages_are_the_visits_that_closed(db: AsyncConnection) -> None:
    (sheet,) = (await made(db, "stages")).sheets
    rows = [told(sheet, row) for row in sheet.rows]
    closed = (await db.execute(sa.select(v).where(v.closed_at.is_not(None)))).all()
    assert sum(row["visits"] for row in rows) == len(closed)
    assert sum(row["minutes"] for row in rows) == sum(each.used or 0 for each in closed)
    assert sum(row["late"] for row in rows) == sum(each.verdict == Tally.late for each in closed)
    one = rows[0]
    of = dict((await db.execute(sa.select(d.id, d.procedure))).tuples().all())
    key = (one["procedure"].code, one["stage"].code, one["stage_unit"].code)
    used = sorted(e.used for e in closed if (of[e.dossier_id], e.code, e.unit) == key)
    assert one["median"] == used[(len(used) - 1) // 2]


async def test_procedures_without_dossiers_are_listed(db: AsyncConnection) -> None:
    summary, every = (await made(db, "procedures")).sheets
    total = told(summary, summary.total or ())
    assert total["deployed"] == len(every.rows) == len(CATALOGUE.versions)
    unused = [row for row in every.rows if not told(every, row)["received"]]
    assert len(unused) == total["unused"] == 2
    assert sum(told(every, row)["received"] for row in every.rows) == PUBLISHED["received"]


async def test_the_first_index_is_the_mean_of_the_classes(db: AsyncConnection) -> None:
    bodies = (await made(db, "indices")).sheets[0]
    rows = [told(bodies, row) for row in bodies.rows]
    assert sum(row["dossiers"] for row in rows) == PUBLISHED["resolved"]
    mean = (2 * PUBLISHED["early"] + PUBLISHED["on_time"]) / PUBLISHED["resolved"]
    weighted = sum(row["index_1"] * row["dossiers"] for row in rows) / PUBLISHED["resolved"]
    assert weighted == pytest.approx(mean, abs=0.05)
    assert all(0 <= row["points"] <= 6 for row in rows)


async def test_what_was_scanned_is_what_the_lines_name(db: AsyncConnection) -> None:
    dossiers, papers = (await made(db, "digitisation")).sheets
    total = told(dossiers, dossiers.total or ())
    assert (total["received"], total["undigitised"]) == (PUBLISHED["received"], 0)
    named = set()
    for line in (await db.execute(sa.select(e.dossier_id, e.payload))).all():
        named |= {
            (line.dossier_id, of) for of in json.loads(line.payload)["act"].get("components", ())
        }
    assert told(papers, papers.total or ())["papers"] == len(named) > PUBLISHED["received"]


async def test_the_groups_of_766_say_what_is_missing(db: AsyncConnection) -> None:
    (sheet,) = (await made(db, "decision766")).sheets
    rows = [told(sheet, row) for row in sheet.rows]
    in_time = next(row for row in rows if "đã giải quyết" in row["figure"])
    assert (in_time["part"], in_time["whole"]) == (1_479 + 168, PUBLISHED["resolved"])
    assert sum(row["share"] is None for row in rows) == 3


@pytest.mark.parametrize("each", ["half", "year"])
async def test_what_was_cut_is_held_against_nothing_less_than_a_whole(
    db: AsyncConnection, each: str
) -> None:
    """A period that is asked for from its middle on is no measure of the one after it."""
    begin = datetime(2023, 3, 15, tzinfo=trend.ZONE)
    end = datetime(2024, 7, 1, tzinfo=trend.ZONE)
    question = Question(since=begin, until=end, each=each)
    cut = (await made(db, "trend", question)).sheets[0]
    whole = (await made(db, "trend", replace(question, since=Period.parse("2023").since))).sheets[0]
    first, second = (told(cut, row) for row in cut.rows[:2])
    assert first["in_all"] < told(whole, whole.rows[0])["in_all"]
    for key in ("in_all", "in_post", "out_post"):
        assert first[f"{key}_change"] is None  # there is nothing of the year before
        assert second[f"{key}_change"] == told(whole, whole.rows[1])[f"{key}_change"]


def test_a_part_is_held_against_as_much_of_the_whole() -> None:
    """Cut by who asks or by the present moment."""
    may = Period.parse("2024-05")
    assert may.since is not None
    middle = may.since + (may.until - may.since) / 2
    at = datetime(2024, 12, 1, tzinfo=trend.ZONE)
    assert trend.share(replace(may, until=middle), at) == trend.share(may, middle) == 0.5
    assert trend.share(replace(may, since=middle), at) == 0.5
    for part, each, name in (
        (replace(may, since=middle), "month", "2023-05"),
        (Period.parse("2024-Q1"), "quarter", "2023-Q1"),
        (replace(Period.parse("2024-H1"), since=middle), "half", "2023-H2"),
        (replace(Period.parse("2024"), since=middle), "year", "2023"),
    ):
        assert trend.earlier(part, each) == Period.parse(name)


async def test_a_year_alone_falls_from_nothing(db: AsyncConnection) -> None:
    paper = await made(db, "trend")
    assert len(paper.sheets[0].rows) == 12
    assert paper.faults == ()  # no month of the year before to be held against


async def test_the_targets_are_measured_with_both_readings(db: AsyncConnection) -> None:
    paper = await made(db, "targets")
    sheet, bodies = paper.sheets
    rows = {told(sheet, row)["kpi"].code: told(sheet, row) for row in sheet.rows}
    assert list(rows) == ["k1", "k2", "k3", "k4", "k5", "k6", "k7"]
    _, every = (await made(db, "procedures")).sheets
    there = [told(every, row) for row in every.rows]
    served = [row for row in there if row["post"]]
    assert (rows["k1"]["part"], rows["k1"]["whole"]) == (len(served), len(CATALOGUE.versions))
    assert rows["k2"]["whole"] == sum(row["received"] for row in served)
    assert rows["k3"]["part"] == sum(row["out_post"] for row in there) > 0
    other = (await made(db, "targets", replace(YEAR, options={"k1": "with-dossiers"}))).sheets[0]
    assert other.rows[0][other.column("whole")] == len(CATALOGUE.versions) - 2
    assert other.rows[1:] == sheet.rows[1:]
    for row in rows.values():
        if row["reached"] is not None and row["target"] is not None:
            assert row["gap"] == row["reached"] - row["target"]
            assert (row["verdict"].code == "met") == (row["gap"] >= 0)
    assert rows["k5"]["part"] == 6  # those that the pilot's document names
    assert [rows[kpi]["verdict"].code for kpi in ("k4", "k6")] == ["not_in_data"] * 2
    assert rows["k7"]["verdict"].code == "not_met"  # nobody froze the year before 15 January
    assert sum(told(bodies, row)["by_post"] for row in bodies.rows) == len(served)
    assert sum(told(bodies, row)["agreement"] for row in bodies.rows) == 6


@pytest.mark.parametrize("k1", ["", "all"])
async def test_a_reading_that_there_is_not_is_refused(db: AsyncConnection, k1: str) -> None:
    with pytest.raises(BadInput, match="deployed or with-dossiers"):
        await made(db, "targets", replace(YEAR, options={"k1": k1}))


async def test_a_frozen_form_is_a_report_made(db: AsyncConnection) -> None:
    """And one that is not is overdue: said above the figures."""
    before = await made(db, "duties")
    assert "overdue; the longest" in before.faults[0].en
    day = datetime(2024, 1, 14, 9, tzinfo=trend.ZONE)
    apart = await db.begin_nested()  # the year goes on as it was
    await freezing.freeze(db, CATALOGUE, "bieu06", "2023", "test", day)
    await freezing.freeze(db, CATALOGUE, "targets", "2023", "test", day)
    sheet, contents = (await made(db, "duties")).sheets
    rows = [told(sheet, row) for row in sheet.rows]
    stands = {(row["duty"].code, row["period"]): row["standing"].code for row in rows}
    assert (stands["agencies-year", "2023"], stands["post-year", "2023"]) == ("in_time", "overdue")
    by = {(row["duty"].code, row["period"]): row["by"] for row in rows}
    assert by["post-year", "2023"] == "chưa chốt / not frozen: procedures, channels"
    assert stands["post-quarter", "2023-Q4"] == "overdue"
    assert stands["head-month", "2023-12"] == "due"
    assert "không có trong dữ liệu" in {told(contents, row)["told_by"] for row in contents.rows}
    (targets, _) = (await made(db, "targets")).sheets
    assert told(targets, targets.rows[-1])["verdict"].code == "met"
    await apart.rollback()


async def test_all_time_is_somebodys_and_lateness_too(db: AsyncConnection) -> None:
    for question in (YEAR, replace(YEAR, by=("agency", "procedure"), each="month")):
        paper = await made(db, "holders", replace(question, options={"people": "yes"}))
        kinds, lateness, units = paper.sheets
        assert paper.faults == ()
        total = told(kinds, kinds.total or ())
        assert total["dossiers"] == PUBLISHED["resolved"]
        assert f"{PUBLISHED['late']} of them late" in kinds.notes[-1].en
        of_late = [told(lateness, row)["late_minutes"] for row in lateness.rows]
        assert sum(of_late) == total["late_minutes"]
        assert (lateness.total or ())[1:] == [sum(of_late), 100]
        assert of_late[:-1] == sorted(of_late[:-1], reverse=True)
        for sheet in (kinds, units):
            rows = [told(sheet, row) for row in sheet.rows]
            for key in ("minutes", "late_minutes"):
                assert sum(row[key] for row in rows) == total[key] > 0
            assert sum(row["late_share"] for row in rows) == pytest.approx(100)
    assert {row[0] for row in units.rows} <= {f"2023-{n:02}" for n in range(1, 13)}


async def test_one_dossiers_time_is_opened_by_its_code(db: AsyncConnection) -> None:
    late = (await db.execute(sa.select(d).where(d.verdict == Tally.late).limit(1))).one()
    paper = await made(db, "holders", Question(options={"dossier": late.code}))
    total = told(paper.sheets[0], paper.sheets[0].total or ())
    calendar = CATALOGUE.calendar(late.calendar, late.calendar_version)
    due, end = calendar.position(late.due_at), calendar.position(late.finished_at)
    assert total["minutes"] == end - calendar.position(late.received_at)
    assert total["late_minutes"] == end - due > 0
    other = next(each for each in CATALOGUE.agencies if each != late.agency)
    for options in ({"dossier": "H42.14-230101-9999"}, {"dossier": late.code}):
        with pytest.raises(Unknown, match="there is no dossier"):
            await made(db, "holders", Question(agencies=[other], options=options))


# Seed 000: a province's post, year after year ------------------------------------------------


def test_a_fall_is_told_while_the_year_runs() -> None:
    years = [Period.parse(str(year)) for year in (2017, 2018, 2019)]
    volumes = [dict.fromkeys(trend.SERIES, n) for n in (11_700, 9_600, 3_000)]
    half = datetime(2019, 7, 1, tzinfo=trend.ZONE)
    told = trend.changes(years[1:], volumes[1:], volumes[:-1], half)
    found = [each for each in told if each.series == "in_post"]
    assert [round(each.percent or 0) for each in found] == [-18, -37]
    assert all(each.falls(trend.FALL) for each in found)
    assert not found[0].falls(18)
