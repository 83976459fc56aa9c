"""Papers in every form: what is written is read again by somebody else's library."""

import asyncio
import csv
import errno
import io
import json
import os
import re
import resource
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from api import papers
from api.papers import comma, drawing, pdf, screen, words
from api.papers.saved import NoRoom, NotWritten, whole_file
from states.errors import BadInput
from states.figures.bieu06.form import FORM
from states.figures.counting import named
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Shape, Sheet

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2024, 4, 1, 9, tzinfo=HANOI)
HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\t=1", "#eval(1+1) *đậm* $x$ \\",
    "[/red] [bold]", "<script>alert(1)</script>&amp;", 'a"b,c;d', "]]>", "{{7*7}}",
)  # fmt: skip
NUMBERS = {
    "online": 1200, "direct": 34, "carried": 5, "early": 900, "on_time": 200, "late": 30,
    "in_time": 100, "overdue": 9, "unclassed": 7,
}  # fmt: skip


def form(*names: str, faults: tuple[Both, ...] = (), provisional: bool = False) -> Paper:
    """Biểu 06 of some agencies, each with the same numbers."""
    row = FORM.reckoned(NUMBERS)
    total = FORM.totalled([row] * len(names))
    columns = (Column("agency", Both("Cơ quan", "Agency"), Kind.called), *FORM.columns)
    keys = [each.key for each in FORM.columns]
    sheet = Sheet(
        "bieu06", Both("Biểu 06/VPCP/KSTT", "Form 06/VPCP/KSTT"), columns,
        tuple([Called(name, name), *(row[key] for key in keys)] for name in names),
        ["Tổng / Total", *(total[key] for key in keys)], tuple(each.told for each in FORM.figures),
        Chart(Shape.stacked, "agency", ("early", "on_time", "late")), 1,
    )  # fmt: skip
    begin = datetime(2024, 1, 1, tzinfo=HANOI)
    end = datetime(2024, 4, 1, tzinfo=HANOI)
    return Paper(
        "bieu06", sheet.title, Both("Thông tư 01", "Circular 01"), begin, end, NOW, (sheet,),
        faults=faults, provisional=provisional,
    )  # fmt: skip


KINDS: dict[Kind, Any] = {
    Kind.text: "chữ", Kind.code: "2.000205", Kind.integer: 5, Kind.decimal: 1234.56,
    Kind.percent: 75.125, Kind.minutes: 615, Kind.money: 1_500_000, Kind.day: date(2024, 1, 2),
    Kind.moment: NOW.astimezone(ZoneInfo("UTC")), Kind.yes: True, Kind.called: Called("Tên", "C1"),
}  # fmt: skip


def every_kind() -> Paper:
    columns = tuple(named(kind, f"Cột {kind}", f"Column {kind}", kind=kind) for kind in Kind)
    sheet = Sheet(
        "kinds", Both("Mọi kiểu", "Every kind"), columns,
        ([KINDS[kind] for kind in Kind], [None] * len(Kind)),
    )  # fmt: skip
    return replace(form(), report="kinds", title=sheet.title, sheets=(sheet,))


async def had(paper: Paper, what: papers.Form, tmp_path: Path) -> bytes:
    file = tmp_path / f"paper.{what}"
    await papers.written(paper, what, file)
    assert {each.name for each in tmp_path.iterdir()} == {file.name}  # noqa: ASYNC240
    return file.read_bytes()


def printed(paper: Paper, width: int = 100, *, notes: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    screen.show(console, paper, notes=notes)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# On a screen --------------------------------------------------------------------------------


def test_a_form_fits_a_terminal() -> None:
    text = printed(form("Sở Khoa học và Công nghệ", "Sở Nông nghiệp và Phát triển nông thôn"))
    assert max(map(len, text.splitlines())) <= 100
    [total] = [line.split() for line in text.splitlines() if "Tổng / Total" in line]
    assert total[3:] == [
        "2.478",
        "2.400",
        "68",
        "10",
        "2.260",
        "1.800",
        "400",
        "60",
        "218",
        "200",
        "18",
    ]
    assert "97,35\N{NO-BREAK SPACE}% trên số đã giải quyết (2.200 trong 2.260)" in text
    assert "97.35% of resolved (2,200 of 2,260)" in text
    assert "(10) Late" in text


def test_faults_stand_on_top_and_what_is_provisional_is_said() -> None:
    fault = Both("không cân", "does not balance")
    text = printed(form("a", faults=(fault,), provisional=True))
    assert text.startswith("không cân / does not balance")
    assert "Provisional" in text
    assert "Provisional" not in printed(form("a"))
    assert "Resolved in the period, late" in printed(form("a"), notes=True)
    assert "Resolved in the period, late" not in printed(form("a"))


def test_what_is_too_wide_goes_on_beneath() -> None:
    columns = tuple(named(f"n{n}", f"Số lượng {n}", f"Quantity {n}") for n in range(30))
    rows = ([Called("Sở", "H"), *range(30)],)
    wide = Sheet(
        "wide", Both("Rộng", "Wide"), (form().sheets[0].columns[0], *columns), rows, dims=1
    )
    text = printed(replace(form(), sheets=(wide,)))
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("Sở") > 2
    assert all(re.search(rf"\b{n}\b", text) for n in range(30))


# As data ------------------------------------------------------------------------------------


async def test_csv_has_codes_names_and_values(tmp_path: Path) -> None:
    text = (await had(every_kind(), papers.Form.csv, tmp_path)).decode("utf-8-sig")
    head, row, empty = csv.reader(io.StringIO(text))
    assert dict(zip(head, row, strict=True)) == {
        "text": "chữ", "code": "2.000205", "integer": "5", "decimal": "1234.56",
        "percent": "75.12", "minutes": "615", "money": "1500000", "day": "2024-01-02",
        "moment": "2024-04-01T09:00:00+07:00", "yes": "true", "called": "C1", "called_name": "Tên",
    }  # fmt: skip
    assert set(empty) == {""}


async def test_several_sheets_stand_under_their_keys(tmp_path: Path) -> None:
    paper = replace(form("a"), sheets=form("a").sheets * 2)
    text = (await had(paper, papers.Form.csv, tmp_path)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [n for n, row in enumerate(rows) if row == ["bieu06"]] == [0, 5]
    assert rows[4] == []


async def test_json_tells_where_numbers_are_opened(tmp_path: Path) -> None:
    told = json.loads(await had(form("H42.05"), papers.Form.json, tmp_path))
    [sheet] = told["sheets"]
    assert sheet["rows"][0]["open"] == (
        "/v1/reports/bieu06/dossiers?figure={figure}&from=2024-01-01T00:00:00%2B07:00"
        "&to=2024-04-01T00:00:00%2B07:00&where=agency=H42.05"
    )
    assert "where" not in sheet["total"]["open"]
    assert told["total"]["balances"] is True
    assert told["rows"][0]["on_time_rates"][0] == {
        "percent": pytest.approx(110_000 / 1130), "of": "resolved", "part": 1100, "whole": 1130,
    }  # fmt: skip
    anew = json.loads(papers.rendered(replace(form("a"), policy="instant"), papers.Form.json))
    assert "open" not in anew["sheets"][0]["rows"][0]


# As a workbook ------------------------------------------------------------------------------


async def test_cells_of_a_workbook_are_typed(tmp_path: Path) -> None:
    content = await had(every_kind(), papers.Form.xlsx, tmp_path)
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    rows = list(page.rows)
    [at] = [n for n, row in enumerate(rows) if row[0].value == "chữ"]
    values = [cell.value for cell in rows[at]]
    assert values == [
        "chữ", "2.000205", 5, 1234.56, 0.75125, timedelta(minutes=615), 1_500_000,
        datetime(2024, 1, 2), datetime(2024, 4, 1, 9), "có", "C1", "Tên",
    ]  # fmt: skip
    assert rows[at][4].number_format == "0.00%"
    assert rows[at][1].data_type == "s"
    assert page.freeze_panes == f"A{at + 1}"


async def test_an_official_form_is_laid_out_as_it_is_signed(tmp_path: Path) -> None:
    content = await had(form("Sở A", provisional=True), papers.Form.xlsx, tmp_path)
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    rows = [[cell.value for cell in row] for row in page.rows]
    text = "\n".join(str(cell) for row in rows for cell in row if cell)
    assert "01/01/2024 – 31/03/2024" in rows[0][0]
    assert [f"({n})" for n in range(1, 14)] in [row[:13] for row in rows]
    assert "Thủ trưởng cơ quan" in text
    assert "(ký, ghi rõ họ tên)" in text
    assert "Provisional" in text
    assert page.title == "Biểu 06-VPCP-KSTT"
    [at] = [n for n, row in enumerate(rows, 1) if row[0] == "STT\nNo."]
    assert rows[at - 1][2] == "Số hồ sơ nhận giải quyết\nTaken in"
    assert rows[at][2:6] == [
        "Tổng số\nAll", "Trực tuyến\nOnline", "Trực tiếp, bưu chính\nDirect, by post",
        "Kỳ trước chuyển\nCarried over",
    ]  # fmt: skip
    merged = {str(each) for each in page.merged_cells.ranges}
    assert merged >= {f"C{at}:F{at}", f"G{at}:J{at}", f"K{at}:M{at}", f"A{at}:A{at + 1}"}
    assert (rows[at + 2][0], rows[at + 2][1]) == (1, "Sở A")
    assert "Đơn vị nhận báo cáo" in text
    assert "Thông tư 01; lập lúc 01/04/2024 09:00" in text


def parted() -> Paper:
    """Biểu 06 by quarter and agency, with what each quarter makes."""
    sheet = form("Sở A", "Sở B").sheets[0]
    quarters = [f"2024-Q{n}" for n in (1, 2)]
    rows = tuple([quarter, *row] for quarter in quarters for row in sheet.rows)
    total = sheet.total or ()
    parts = {each: [each, f"Tổng kỳ {each}", *total[1:]] for each in quarters}
    columns = (named("period", "Kỳ", "Period", kind=Kind.code), *sheet.columns)
    whole = replace(
        sheet, columns=columns, rows=rows, parts=parts, total=[None, *total], dims=2,
        chart=None,
    )  # fmt: skip
    return replace(form(), sheets=(whole,), whose="Sở Công Thương")


async def test_a_part_is_totalled_behind_its_rows(tmp_path: Path) -> None:
    order = ["Sở A", "Sở B", "Tổng kỳ 2024-Q1", "Sở A", "Sở B", "Tổng kỳ 2024-Q2", "Tổng / Total"]
    text = printed(parted())
    assert [line.count("2024-Q1") for line in text.splitlines()].count(1) == 2  # a row and a total
    assert re.findall("|".join(sorted(set(order))), text) == order
    told = (await had(parted(), papers.Form.csv, tmp_path)).decode("utf-8-sig")
    assert [row[2] for row in csv.reader(io.StringIO(told))][1:] == order
    (tmp_path / "paper.csv").unlink()
    content = await had(parted(), papers.Form.xlsx, tmp_path)
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    bold = [row[2].font.b for row in page.rows if row[2].value in order]
    assert bold == [False, False, True, False, False, True, True]
    assert "Sở Công Thương" in str(page["A2"].value)
    [sheet] = json.loads(papers.rendered(parted(), papers.Form.json))["sheets"]
    assert [row["received"] for row in sheet["parts"]] == [2478, 2478]


def test_a_page_has_numbers_and_headings_as_the_form_has_them() -> None:
    [sheet] = pdf._told(parted())["sheets"]
    wide = [(each["vi"], each["wide"], each["high"]) for each in sheet["columns"]]
    assert wide[:5] == [
        ("Kỳ", 1, 2), ("Cơ quan", 1, 2), ("Số hồ sơ nhận giải quyết", 4, 1),
        ("Số hồ sơ đã giải quyết", 4, 1), ("Số hồ sơ đang giải quyết", 3, 1),
    ]  # fmt: skip
    assert (len(sheet["rows"]), sheet["bold"]) == (6, [2, 5])
    assert sheet["total"][2] == "2.478"
    assert pdf.rendered(parted()).startswith(b"%PDF-")


async def test_a_worksheet_is_not_named_by_half_a_word(tmp_path: Path) -> None:
    long = Both("Vi phạm thời hạn theo người giữ khi quá hạn", "Long")
    sheets = tuple(replace(each, title=long) for each in form("a").sheets * 2)
    content = await had(replace(form(), sheets=sheets), papers.Form.xlsx, tmp_path)
    names = openpyxl.load_workbook(io.BytesIO(content)).sheetnames
    assert names == ["Vi phạm thời hạn theo người giữ", "Vi phạm thời hạn theo người 2"]


async def test_what_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    content = await had(form(*HOSTILE), papers.Form.xlsx, tmp_path / "a")
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    cells = {cell.value: cell for row in page.rows for cell in row if cell.value is not None}
    assert not [cell for cell in cells.values() if cell.data_type == "f"]
    for name in HOSTILE:
        assert cells[name].data_type == "s"
        assert cells[name].quotePrefix == (name[0] in "=+-@\t")
    text = (await had(form(*HOSTILE), papers.Form.csv, tmp_path / "b")).decode("utf-8-sig")
    told = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in told if cell[:1] in {*"=+-@\t\r\n"}]


@given(st.text(max_size=40))
def test_no_text_begins_a_formula(text: str) -> None:
    sheet = Sheet("x", Both("x", "x"), (named("x", "x", "x", kind=Kind.text),), ())
    [cell] = comma.cells(sheet, [text])
    assert cell[:1] not in {*"=+-@\t\r\n"} or cell == ""
    assert cell.removeprefix("'") == text.removeprefix("'")


# On paper, and drawn ------------------------------------------------------------------------


async def test_a_page_of_names_that_would_be_markup(tmp_path: Path) -> None:
    content = await had(form(*HOSTILE, provisional=True), papers.Form.pdf, tmp_path)
    assert content.startswith(b"%PDF-")
    assert b"/JavaScript" not in content
    assert b"/URI" not in content


def test_what_nobody_would_print_is_refused() -> None:
    many = form(*["a"] * (pdf.MOST + 1))
    with pytest.raises(BadInput, match="too many to print"):
        pdf.rendered(many)
    [sheet] = form().sheets
    for rows in (
        [["a", *[0] * (len(sheet.columns) - 1)]] * (pdf.CELLS // len(sheet.columns) + 1),
        [["a" * pdf.SIGNS, *[0] * (len(sheet.columns) - 1)]],
    ):
        with pytest.raises(BadInput, match="too much to print"):
            pdf.rendered(replace(form(), sheets=(replace(sheet, rows=tuple(rows)),)))


# Of itself alone: what a process used at most is, until it uses more, what its parent did.
LARGEST = """
from pathlib import Path
from datetime import UTC, datetime
from api.papers import pdf
from states.figures.sheets import Both, Column, Kind, Paper, Sheet

said, at = Both("a", "b"), datetime(2024, 1, 1, tzinfo=UTC)
columns = tuple(Column(f"c{n}", said, Kind.text) for n in range(20))
rows = tuple([("từ ngữ " * 3)[: pdf.SIGNS // pdf.CELLS - 5]] * 20 for _ in range(pdf.CELLS // 20))
pdf.rendered(Paper("x", said, said, None, at, at, (Sheet("x", said, columns, rows),)))
said = Path("/proc/self/status").read_text()
print(int(said.partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells of it so")
def test_the_most_that_is_printed_takes_no_more_memory_than_there_is() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LARGEST], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 400, "MB"


def drawn(paper: Paper) -> ET.Element:
    return ET.fromstring(drawing.rendered(paper))


@pytest.mark.parametrize("shape", Shape)
def test_a_drawing_holds_no_script_and_nothing_of_elsewhere(shape: Shape) -> None:
    sheet = form(*HOSTILE).sheets[0]
    series = ("late",) if shape is Shape.waterfall else ("early", "late")
    paper = replace(form(), sheets=(replace(sheet, chart=Chart(shape, "agency", series)),))
    root = drawn(paper)
    tags = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert not tags & {"script", "image", "foreignObject", "use", "a"}
    for each in root.iter():
        assert not any("href" in key or key.startswith("on") for key in each.attrib)
        assert "url(" not in (each.text or "").replace("url(#", "")
        assert "@import" not in (each.text or "")
    assert root.attrib["role"] == "img"
    said = {each.attrib["id"]: each.text for each in root if "id" in each.attrib}
    assert "Biểu 06/VPCP/KSTT" in str(said["title"])
    assert "Quá hạn 30" in str(said["desc"])


def test_what_falls_has_a_base_that_is_not_seen() -> None:
    sheet = replace(form("a", "b").sheets[0], chart=Chart(Shape.waterfall, "agency", ("late",)))
    style = "".join(each.text or "" for each in drawn(replace(form(), sheets=(sheet,))).iter())
    assert re.search(r"\.color-0[^}]*fill:transparent", style)


def test_what_falls_ends_with_its_total() -> None:
    sheet = replace(form("a", "b").sheets[0], chart=Chart(Shape.waterfall, "agency", ("late",)))
    said = [each.text for each in drawn(replace(form(), sheets=(sheet,))).iter() if each.text]
    assert said.index("a") < said.index("b") < said.index("Tổng / Total")
    bare = replace(form(), sheets=(replace(sheet, total=None),))
    assert "Tổng / Total" not in [each.text for each in drawn(bare).iter()]


def test_a_report_without_a_chart_says_so() -> None:
    with pytest.raises(BadInput, match="nothing that is drawn"):
        drawing.rendered(every_kind())


def test_drawing_leaves_imports_as_they_were() -> None:
    assert "PluginImportFixer" not in {type(each).__name__ for each in sys.meta_path}


# Long lists ---------------------------------------------------------------------------------


def long(lines: int, size: int = 100) -> Paper:
    async def more() -> AsyncIterator[Sequence[Sequence[Any]]]:
        for begin in range(0, lines, size):
            yield [[n] for n in range(begin, min(lines, begin + size))]

    sheet = Sheet("long", Both("Dài", "Long"), (named("n", "Số", "Number"),), (), more=more())
    return replace(form(), report="long", sheets=(sheet,))


async def test_a_long_list_is_written_as_it_comes(tmp_path: Path) -> None:
    text = (await had(long(1_050), papers.Form.csv, tmp_path)).decode("utf-8-sig")
    assert text.split() == ["n", *map(str, range(1_050))]


async def test_a_long_list_is_not_held() -> None:
    with pytest.raises(BadInput, match="more than 200 lines"):
        await papers.held(long(1_000), 200)
    cut = await papers.held(long(1_000), 200, cut=True)
    assert len(cut.sheets[0].rows) == 200
    assert "first 200 lines" in cut.sheets[0].notes[0].en
    assert len((await papers.held(long(200), 200)).sheets[0].rows) == 200


# Files --------------------------------------------------------------------------------------


def fail(part: Path, error: Exception) -> None:
    """In the middle."""
    part.write_text("half")
    raise error


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old")
    file.chmod(0o640)
    with pytest.raises(ZeroDivisionError), whole_file(file) as part:
        fail(part, ZeroDivisionError())
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]
    assert file.read_text() == "old"
    with whole_file(file) as part:
        part.write_text("new")
        assert file.read_text() == "old"
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with whole_file(tmp_path / "link") as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_what_is_no_file_is_written_itself() -> None:
    with whole_file(Path(os.devnull)) as to:
        to.write_text("x")
    assert not Path(os.devnull).is_file()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    for number in (errno.ENOSPC, errno.EDQUOT):
        with pytest.raises(NoRoom, match="no room on the disk"), whole_file(tmp_path / "a") as part:
            fail(part, OSError(number, os.strerror(number)))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotWritten, match="name another file"), whole_file(tmp_path / "no" / "a"):
        pass


FILLING = """
import asyncio, resource, sys
from pathlib import Path
sys.path[:0] = {path!r}
from api import papers
from api.papers.saved import NoRoom, whole_file
from test_papers import long
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
file = Path({file!r})
try:
    with whole_file(file) as part:
        asyncio.run(papers.written(long(100_000, 5_000), papers.Form({form!r}), part))
except NoRoom as error:
    print(error)
"""


@pytest.mark.parametrize("what", ["csv", "xlsx"])
def test_a_file_larger_than_there_is_room_for(tmp_path: Path, what: str) -> None:
    """The kernel refuses it in the middle, as a full disk does."""
    here = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    file = tmp_path / f"a.{what}"
    program = FILLING.format(path=here, file=str(file), form=what)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "there is no room on the disk" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.minutes, -75, "-1h15"), (Kind.minutes, 61.0, "1h01"),
        (Kind.percent, 100.0, "100,00\N{NO-BREAK SPACE}%"),
        (Kind.yes, False, "không"), (Kind.integer, 1_234, "1.234"), (Kind.day, None, ""),
        (Kind.moment, NOW, "01/04/2024 09:00"), (Kind.decimal, 1.25, "1,2"),
    ],
)  # fmt: skip
def test_cells_as_people_read_them(kind: Kind, value: Any, expected: str) -> None:
    assert words.shown(kind, value) == expected


def test_a_period_is_told_by_its_last_day() -> None:
    assert words.span(form()) == "01/01/2024 – 31/03/2024"
    noon = replace(form(), since=None, until=NOW)
    assert words.span(noon) == "… – 01/04/2024 09:00"


def test_rendering_waits_for_nobody() -> None:
    """What is made in one piece is made beside the loop."""
    import threading

    seen: list[str] = []
    real = papers.rendered

    def rendered(*args: Any) -> bytes:
        seen.append(threading.current_thread().name)
        return real(*args)

    papers.rendered = rendered  # type: ignore[assignment]
    try:
        asyncio.run(papers.written(form("a"), papers.Form.svg, Path(os.devnull)))
    finally:
        papers.rendered = real
    assert seen != ["MainThread"]


@pytest.mark.parametrize("sign", ["\0", "\x0b", "\x1b", "\ufffe", "\uffff", "\ud800"])
def test_a_chart_of_names_that_no_xml_may_hold_is_drawn(sign: str) -> None:
    """Older files brought such names in."""
    paper = form(f"Sở{sign}X")
    column = Column("early", Both(f"Sớm{sign}", "Early"), Kind.integer)
    for sheet in (paper.sheets[0], replace(paper.sheets[0], title=Both(f"a{sign}", "b"))):
        columns = [column if each.key == "early" else each for each in sheet.columns]
        drawn = drawing.rendered(replace(paper, sheets=(replace(sheet, columns=tuple(columns)),)))
        texts = "".join(ET.fromstring(drawn).itertext())
        assert "Sở\N{REPLACEMENT CHARACTER}X" in texts
        assert sign not in texts


async def test_nor_is_a_report_of_too_many_rows() -> None:
    """Six dimensions by as many months are rows, and no list."""
    rows = tuple([n] for n in range(papers.MOST + 1))
    sheet = Sheet("rows", Both("Dòng", "Rows"), (named("n", "Số", "Number"),), rows)
    many = replace(form(), sheets=(sheet,))
    with pytest.raises(BadInput, match="fewer dimensions"):
        await papers.held(many, papers.MOST)
    assert len((await papers.held(many, 200, cut=True)).sheets[0].rows) == papers.MOST
    one_less = replace(form(), sheets=(replace(sheet, rows=rows[1:]),))
    assert (await papers.held(one_less, 200)).sheets[0].rows == rows[1:]
