"""Dossiers and event logs in tables of other systems: CSV and XLSX."""

import unicodedata
import zipfile
from dataclasses import replace
from datetime import date, datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from foreign_files import filled, mapped, put, read_all

from states.errors import BadFile, BadInput
from states.intake import Limits, Record, Refused, admitting, load, read, suggest

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")

# CSV ------------------------------------------------------------------------------------------


def windows_1258(text: str) -> bytes:
    """Windows-1258 writes the five tones as marks after their letter."""
    parts = []
    for letter in text:
        bare = [each for each in unicodedata.normalize("NFD", letter) if each not in TONES]
        tone = [each for each in unicodedata.normalize("NFD", letter) if each in TONES]
        parts.append(unicodedata.normalize("NFC", "".join(bare)) + "".join(tone))
    return "".join(parts).encode("windows-1258")


TONES = "\u0300\u0301\u0303\u0309\u0323"
TYPED = "Mã,Nhận,Nộp\nh1,2023-01-03 08:00,Trực tuyến\n"
ENCODED = {
    "utf-8": TYPED.encode(),
    "decomposed": unicodedata.normalize("NFD", TYPED).encode(),
    "utf-8-sig": TYPED.encode("utf-8-sig"),
    "utf-16": TYPED.encode("utf-16"),
    "windows-1258": windows_1258(TYPED),
}
CHANNEL = {"from": "Nộp", "words": {"Trực tuyến": "online"}}


@pytest.mark.parametrize("encoding", ENCODED)
def test_csv_encodings_composed(tmp_path: Path, encoding: str) -> None:
    path = put(tmp_path, "a.csv", ENCODED[encoding])
    named = {"encoding": encoding} if encoding == "windows-1258" else {}
    records, refused = read_all(path, mapped(channel=CHANNEL, **named))
    assert not refused
    assert (records[0].code, records[0].channel) == ("h1", "online")
    assert records[0].received == datetime(2023, 1, 3, 8, tzinfo=SAIGON)


def test_a_byte_of_another_encoding_is_placed_never_replaced(tmp_path: Path) -> None:
    head = "Mã,Nhận\nh1,2023-01-03\n".encode()
    path = put(tmp_path, "a.csv", head + "h2é,2023-01-03\n".encode("latin-1"))
    records, refused = read_all(path, mapped())
    assert [each.code for each in records] == ["h1"]
    assert refused[0].ends
    assert f"line 3: byte {len(head) + 2} (0xe9) is not utf-8" in refused[0].why


def test_the_wrong_encoding_in_the_map_fails_at_the_header(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "Mã,Nhận\nh1,2023-01-03\n".encode("utf-16-le"))
    with pytest.raises(BadFile, match="utf-16-le"):
        read(path, mapped())
    assert len(read_all(path, mapped(encoding="utf-16-le"))[0]) == 1


def test_ragged_rows_nulls_and_formulas(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "a.csv",
        "Mã;Nhận;Phòng;X\n"
        "h1;2023-01-03;NULL;=1+1\n"
        "h2;2023-01-03\n"
        "\n"
        "h3;2023-01-03;a;b;c\n"
        'h4;2023-01-03;"a"b;c\n'
        "h5;2023-01-03;\0;c\n"
        f"h6;2023-01-03;{'x' * 10_001};c\n"
        "h7;03/01/2023;a;c\n"
        "null;2023-01-03;a;c\n"
        "h9;2023-01-03",
    )
    records, refused = read_all(path, mapped(unit="Phòng", keep=["X"]))
    assert [(each.code, each.unit, dict(each.data)) for each in records] == [
        ("h1", None, {"X": "=1+1"}),
        ("h2", None, {}),
    ]
    assert [note.what for each in records for note in each.mended] == ["null_text", "short_row"]
    reasons = [
        "5 cells under 4",
        "quote",
        "NUL byte",
        "10,001",
        "not a date",
        "no code",
        "cut short",
    ]
    assert [each.row for each in refused] == [5, 6, 7, 8, 9, 10, 11]
    for each, reason in zip(refused, reasons, strict=True):
        assert reason in each.why


def test_a_quote_never_closed_ends_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", 'Mã,Nhận\nh1,2023-01-03\nh2,"2023-01-03\nh3,2023-01-03\n')
    records, refused = read_all(path, mapped())
    assert [each.code for each in records] == ["h1"]
    assert refused[0].ends
    assert "lines 3 to 4: a quote is opened and never closed" in refused[0].why


def test_columns_missing_and_doubled(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "Mã,Ngày nhận,Ghi chú,Ghi chú\nh1,2023-01-03,a,b\n")
    with pytest.raises(BadFile, match=r"Nhận: no such column.*There are: Mã, Ngày nhận, Ghi chú"):
        read(path, mapped())
    # Nobody needs the doubled one: no harm. Somebody does: which?
    assert len(read_all(path, mapped(received="Ngày nhận"))[0]) == 1
    with pytest.raises(BadFile, match="columns 3 and 4 share it"):
        read(path, mapped(received="Ngày nhận", keep=["Ghi chú"]))


EVENTS = {"name": "Việc", "at": "Lúc"}
SCATTERED = (
    "Mã,Nhận,Việc,Lúc\nb,2023-01-03,one,2023-01-03 08:00\na,2023-01-04,one,2023-01-04 08:00\n"
    "b,2023-01-03,two,2023-01-05 08:00\nb,2023-01-06,three,2023-01-04 08:00\n"
)


def test_an_event_log_in_a_table_is_gathered_by_dossier(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", SCATTERED)
    by = mapped(kind="log", event=EVENTS, finished={"event": "last", "named": ["TWO"]})
    (b, a), refused = read_all(path, by)
    assert not refused
    assert [each.name for each in b.activities] == ["one", "three", "two"]
    assert b.finished == datetime(2023, 1, 5, 8, tzinfo=SAIGON)
    assert a.finished is None
    assert [note.what for note in b.mended] == ["differing_values", "unsorted_events"]
    assert (b.row, a.row) == (2, 3)
    # Broken off, no dossier is known to be whole. A bad row takes only its own dossier with it.
    records, refused = read_all(put(tmp_path, "b.csv", SCATTERED + 'a,"'), by)
    assert (records, refused[0].ends) == ([], True)
    records, refused = read_all(put(tmp_path, "c.csv", SCATTERED + "b,,four,4,5\n"), by)
    assert ([each.code for each in records], refused[0].code) == (["a"], "b")


# XLSX -----------------------------------------------------------------------------------------


def workbook(path: Path, rows: list[list[Any]], cell: str | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Hồ sơ"
    for row in rows:
        sheet.append(row)
    if cell:
        sheet[cell] = 1
    book.save(path)
    return path


def test_xlsx_dates_as_dates_and_as_text(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["BÁO CÁO"],
        ["Mã", "Nhận", "Hẹn trả"],
        ["h1", datetime(2023, 1, 3, 8, 30), date(2023, 1, 9)],
        ["h2", "03/01/2023 08:30", "09/01/2023"],
        ["h3", datetime(2023, 1, 4), None],
        [3, 45000.5, None],  # a number that nobody formatted as a date
    ]
    path = workbook(tmp_path / "a.xlsx", rows)
    by = mapped(due="Hẹn trả", header=2, dates=["%d/%m/%Y %H:%M", "%d/%m/%Y"], sheet="Hồ sơ")
    (first, second, third), refused = read_all(path, by)
    assert (first.row, second.row) == (3, 4)
    assert replace(first, row=4, code="h2") == second
    assert first.received == datetime(2023, 1, 3, 8, 30, tzinfo=SAIGON)
    # Promised for a day: until that day is over.
    assert first.due == datetime(2023, 1, 9, 23, 59, tzinfo=SAIGON)
    assert (third.received, third.due) == (datetime(2023, 1, 4, tzinfo=SAIGON), None)
    assert (refused[0].code, refused[0].row) == ("3", 6)
    with pytest.raises(BadFile, match="no sheet 'X'; there are: Hồ sơ"):
        read(path, mapped(sheet="X"))
    path = workbook(tmp_path / "b.xlsx", rows[:-1])
    again = load(put(tmp_path, "map.yaml", filled(suggest(path))))
    assert (again.header, again.code, len(read_all(path, again)[0])) == (2, "Mã", 3)


def test_xlsx_that_would_cost_too_much(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Mã", "Nhận"]], cell="XFD1048576")
    with pytest.raises(BadFile, match="spans 17,179,869,184 cells"):
        read(path, mapped())
    path = workbook(tmp_path / "b.xlsx", [["Mã", "Nhận"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/more.xml", b" " * 3_000_000)
    with pytest.raises(BadFile, match="unpacks to more than 1,000,000"):
        read(path, mapped(), Limits(workbook=1_000_000))
    broken = put(tmp_path, "c.xlsx", path.read_bytes()[:900])
    with pytest.raises(BadFile, match="damaged"):
        read(broken, mapped())


# Maps -----------------------------------------------------------------------------------------

BAD_MAPS = {
    "zone: Mars": ("zone", "time zone"),
    "agnecy: x": ("agnecy", "not a key known here"),
    "encoding: base64": ("encoding", "text encoding"),
    "dates: ['%H:%M']": ("dates.0", "day, month and year"),
    "channel: {from: a, words: {Web: onlin}}": ("channel.words.Web", "must be one of"),
    "finished: {event: last}": (None, "needs kind: log"),
    "unit: {words: {a: b}}": ("unit", "must name a column"),
    "agency: {default: '?'}": ("agency.default", "must be filled in"),
    "procedure: {default: ' ? '}": ("procedure.default", "must be filled in"),
    "other_agencies: 1": ("other_agencies", "must be true or false"),
}


@pytest.mark.parametrize("line", BAD_MAPS)
def test_a_bad_map_says_line_and_field(tmp_path: Path, line: str) -> None:
    good = "kind: dossiers\ncode: Mã\nreceived: Nhận\n"
    head = good if line.startswith("zone") else good + "zone: UTC\n"
    with pytest.raises(BadFile) as raised:
        load(put(tmp_path, "map.yaml", head + line + "\n"))
    field, why = BAD_MAPS[line]
    assert raised.value.field == field
    assert why in raised.value.expected
    assert raised.value.line == (head.count("\n") + 1 if field else 1)


def test_a_map_suggested_for_a_vietnamese_table(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "a.csv",
        "STT;Mã hồ sơ;Hình thức nộp;Ngày tiếp nhận;Ngày hẹn trả;Ngày trả kết quả;Cán bộ xử lý\n"
        "1;H42-1;Trực tuyến;03/01/2023 08:00;13/01/2023;12/01/2023 09:00;An\n"
        "2;H42-2;Bưu chính công ích;04/01/2023 08:00;14/01/2023;;Bình\n"
        "3;H42-3;Zalo;05/01/2023 08:00;15/01/2023;;Bình\n",
    )
    text = suggest(path)
    assert "# Zalo: one of online, post, counter; refused until you say" in text
    records, refused = read_all(path, load(put(tmp_path, "map.yaml", filled(text))))
    first = records[0]
    assert (first.code, first.channel, first.person) == ("H42-1", "online", "An")
    assert first.due == datetime(2023, 1, 13, 23, 59, tzinfo=SAIGON)
    assert first.finished == datetime(2023, 1, 12, 9, tzinfo=SAIGON)
    assert (records[1].channel, records[1].finished) == ("post", None)
    assert "'Zalo' is a word the map does not know" in refused[0].why


def test_a_map_suggested_for_an_event_log_in_a_table(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "a.csv",
        "case:concept:name,concept:name,time:timestamp,org:resource\n"
        "1,open,2011-01-03T08:00:00+01:00,x\n2,open,2011-07-03T08:00:00+02:00,x\n"
        "1,close,2011-01-05T08:00:00+01:00,y\n",
    )
    by = load(put(tmp_path, "map.yaml", filled(suggest(path))))
    assert (by.kind, by.zone) == ("log", "Europe/Amsterdam")
    records, _ = read_all(path, by)
    assert [(each.code, len(each.activities), each.received.day) for each in records] == [
        ("1", 2, 3),
        ("2", 1, 3),
    ]


NAMED = ("Họ tên", "Họ và tên", "HỌ VÀ TÊN NGƯỜI NỘP"), ("Số điện thoại", "Điện thoại", "SĐT")


@pytest.mark.parametrize(("name", "phone"), [*product(*NAMED)])
def test_a_person_is_recognised_and_their_telephone(tmp_path: Path, name: str, phone: str) -> None:
    head = f"Mã hồ sơ,{name},{phone},Ngày tiếp nhận,Cán bộ\n"
    path = put(tmp_path, "a.csv", f"{head}H1,Ngô Thị Ánh,0912345678,03/01/2023 08:00,An\n")
    text = suggest(path)
    by = load(put(tmp_path, "map.yaml", filled(text)))
    [record], _ = read_all(path, by)
    assert (record.applicant, record.person, by.keep) == ("Ngô Thị Ánh", "An", ())
    assert (by.phone, record.phone) == (phone, "0912345678")


# Agencies -------------------------------------------------------------------------------------

OURS = {"H42.03", "H42.05"}
BOTH = "Mã,Nhận,Cơ quan\nh1,2023-01-03,H42.03\nh2,2023-01-03,Sở X\nh3,2023-01-03,\n"


@pytest.mark.parametrize(("more", "let_in"), [({}, [1, 3]), ({"other_agencies": True}, [1, 2, 3])])
def test_an_agency_that_there_is_not_is_let_in_by_the_map_alone(
    tmp_path: Path, more: dict[str, Any], let_in: list[int]
) -> None:
    by = mapped(agency="Cơ quan", **more)
    admit = admitting(by, OURS)
    items = [admit(item) for item in read(put(tmp_path, "a.csv", BOTH), by)]
    assert [n for n, each in enumerate(items, 1) if isinstance(each, Record)] == let_in
    for each in items:
        if isinstance(each, Refused):
            assert each.code == "h2"
            assert "there is no agency 'Sở X': name one of H42.03, H42.05" in each.why


def test_an_agency_of_every_dossier_that_there_is_not_is_told_at_once() -> None:
    with pytest.raises(BadInput, match=r"agency.default: there is no agency 'AGENCY'.*H42.03"):
        admitting(mapped(agency={"default": "AGENCY"}), OURS)
    admitting(mapped(agency={"default": "AGENCY"}, other_agencies=True), OURS)
