"""Files of other systems, well-formed and not. A file that cannot be begun raises BadFile at once;
one that breaks later gives what was whole, then one Refused that ends.
"""

import gzip
import os
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from states import yaml_files
from states.errors import BadFile
from states.intake import Limits, Map, Record, Refused, load, read, suggest

ROOT = Path(__file__).parent.parent
RECEIPT = ROOT.parent / "shared/data/receipt.xes.gz"
SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")

TABLE = {"kind": "dossiers", "zone": "Asia/Ho_Chi_Minh", "code": "Mã", "received": "Nhận"}
EVENTS = {"name": "Việc", "at": "Lúc"}
XES_MAP = {
    "kind": "log",
    "zone": "Asia/Ho_Chi_Minh",
    "code": "concept:name",
    "received": "start",
    "event": {"name": "concept:name", "at": "time:timestamp"},
}


def mapped(**parts: Any) -> Map:
    return yaml_files.validate(Map, yaml_files.Document("map.yaml", TABLE | parts))


def read_all(path: Path, by: Map, **limits: int) -> tuple[list[Record], list[Refused]]:
    items = list(read(path, by, Limits(**limits)))
    return (
        [each for each in items if isinstance(each, Record)],
        [each for each in items if isinstance(each, Refused)],
    )


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def trace(code: str, *events: str, **own: str) -> str:
    dates = "".join(f'<date key="{key}" value="{value}"/>' for key, value in own.items())
    done = "".join(
        f'<event><string key="concept:name" value="e"/><date key="time:timestamp" value="{at}"/></event>'
        for at in events
    )
    return f'<trace><string key="concept:name" value="{code}"/>{dates}{done}</trace>\n'


WHOLE = "<log>\n" + "".join(
    trace(f"c{n}", "2023-01-03T09:00:00", start="2023-01-03T08:00:00+07:00") for n in range(3)
)


# The real log ---------------------------------------------------------------------------------


def verdict(record: Record, zone: ZoneInfo) -> str:
    if record.finished is None or record.due is None:
        return "open"
    finished, due = (at.astimezone(zone).date() for at in (record.finished, record.due))
    return "early" if finished < due else "late" if finished > due else "on time"


@pytest.mark.skipif(not RECEIPT.exists(), reason="../shared/data/receipt.xes.gz is not here")
def test_the_real_log_gives_the_known_figures() -> None:
    by = load(ROOT / "config/sample/receipt-map.yaml")
    records, refused = read_all(RECEIPT, by)
    assert not refused
    assert Counter(verdict(each, ZoneInfo("Europe/Amsterdam")) for each in records) == {
        "early": 937,
        "on time": 70,
        "late": 322,
        "open": 105,
    }
    assert sum(len(each.activities) for each in records) == 8577
    assert Counter(each.channel for each in records) == {"online": 1271, "counter": 110, "post": 53}
    assert Counter(note.what for each in records for note in each.mended) == {
        "event_after_finish": 145,
        "event_before_receipt": 2,
        "finished_before_receipt": 2,
    }


@pytest.mark.skipif(not RECEIPT.exists(), reason="../shared/data/receipt.xes.gz is not here")
def test_the_map_suggested_for_the_real_log_imports_all_of_it(tmp_path: Path) -> None:
    by = load(put(tmp_path, "map.yaml", suggest(RECEIPT)))
    records, refused = read_all(RECEIPT, by)
    assert (len(records), refused) == (1434, [])
    assert sum(verdict(each, ZoneInfo("Europe/Amsterdam")) == "late" for each in records) == 322


# XES ------------------------------------------------------------------------------------------


def test_truncated_xes_gives_what_was_whole_and_where_it_broke(tmp_path: Path) -> None:
    records, refused = read_all(put(tmp_path, "a.xes", WHOLE + "<trace><string"), mapped(**XES_MAP))
    assert [each.code for each in records] == ["c0", "c1", "c2"]
    assert [(each.row, each.ends) for each in refused] == [(4, True)]
    assert "line 5" in refused[0].why
    assert "Nothing from here on" in refused[0].why


def test_broken_xes_ends_at_the_line_of_the_break(tmp_path: Path) -> None:
    content = WHOLE + "<trace></event></trace></log>"
    records, refused = read_all(put(tmp_path, "a.xes", content), mapped(**XES_MAP))
    assert len(records) == 3
    assert "mismatch" in refused[0].why
    assert "line 5" in refused[0].why


def test_truncated_gzip(tmp_path: Path) -> None:
    packed = gzip.compress((WHOLE + os.urandom(4000).hex()).encode())
    records, refused = read_all(put(tmp_path, "a.xes.gz", packed[:-3000]), mapped(**XES_MAP))
    assert len(records) == 3
    assert refused[-1].ends
    # Cut in its last eight bytes, the checksum: all dossiers are there, and still it is said.
    packed = gzip.compress((WHOLE + "</log>").encode())
    records, refused = read_all(put(tmp_path, "b.xes.gz", packed[:-4]), mapped(**XES_MAP))
    assert len(records) == 3
    assert "gzip is cut short" in refused[0].why


def test_gzip_bomb_stops_at_its_limit(tmp_path: Path) -> None:
    bomb = put(tmp_path, "a.xes.gz", gzip.compress(WHOLE.encode() + b" " * 5_000_000))
    records, refused = read_all(bomb, mapped(**XES_MAP), unpacked=1_000_000)
    assert len(records) == 3
    assert "more than 1,000,000 bytes" in refused[0].why


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
DOCTYPES = [
    f'<!DOCTYPE log [<!ENTITY e0 "ha">{BOMB}]><log><x k="&e11;"/></log>',
    '<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>',
    '<?xml version="1.0"?>\n<!DOCTYPE log><log/>',
]


@pytest.mark.parametrize("content", DOCTYPES)
def test_a_doctype_is_refused_before_any_entity(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadFile, match="DOCTYPE"):
        read(put(tmp_path, "a.xes", content), mapped(**XES_MAP))


def test_what_is_odd_is_kept_and_told(tmp_path: Path) -> None:
    late = trace(
        "a", "2023-01-09T09:00:00", "2023-01-02T09:00:00", start="2023-01-03", end="2023-01-04"
    )
    same_day = trace("b", start="2023-01-03T08:00:00", end="2023-01-03T00:00:00")
    day_before = trace("c", start="2023-01-03T00:00:00", end="2023-01-02T23:00:00")
    path = put(tmp_path, "a.xes", f"<log>{late}{same_day}{day_before}</log>")
    records, refused = read_all(path, mapped(**XES_MAP, finished="end"))
    assert [[note.what for note in each.mended] for each in records] == [
        ["unsorted_events", "event_before_receipt", "event_after_finish"],
        ["finished_before_receipt"],
    ]
    assert records[1].finished == datetime(2023, 1, 3, tzinfo=SAIGON)
    assert [each.at.day for each in records[0].activities] == [2, 9]
    assert (refused[0].code, refused[0].ends) == ("c", False)


def test_one_bad_event_refuses_its_dossier_and_no_other(tmp_path: Path) -> None:
    content = (
        WHOLE + trace("bad", "yesterday", start="2023-01-03") + trace("c1", start="2023-01-03")
    )
    records, refused = read_all(put(tmp_path, "a.xes", content + "</log>"), mapped(**XES_MAP))
    assert len(records) == 3
    assert "'yesterday' is not a date" in refused[0].why
    assert refused[1].why == "the code stands in row 2 already"


def test_an_attribute_that_no_dossier_has(tmp_path: Path) -> None:
    path = put(tmp_path, "a.xes", WHOLE + "</log>")
    with pytest.raises(
        BadFile, match="strat: no dossier has .* did you mean start\\? There are: conc"
    ):
        read(path, mapped(**XES_MAP | {"received": "strat"}))
    # Declared by the log, it may be absent from all of them.
    declared = WHOLE.replace("<log>", '<log><global scope="trace"><date key="end"/></global>')
    path = put(tmp_path, "b.xes", declared + "</log>")
    assert len(read_all(path, mapped(**XES_MAP, finished="end"))[0]) == 3


# CSV ------------------------------------------------------------------------------------------

# Windows-1258 writes some letters as a letter and a mark: Tr ư + dot below c.
DECOMPOSED = "Mã,Nhận,Nộp\nh1,2023-01-03 08:00,Tr\u01b0\u0323c tuy\u00ea\u0301n\n".replace(
    "ậ", "\u00e2\u0323"
)
CHANNEL = {"from": "Nộp", "words": {"Trực tuyến": "online"}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1258"])
def test_csv_encodings_composed(tmp_path: Path, encoding: str) -> None:
    text = DECOMPOSED.replace("Nộp", "N\u00f4\u0323p")
    path = put(tmp_path, "a.csv", text.encode(encoding))
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
    with pytest.raises(BadFile, match="Nhận: no such column.*There are: Mã, Ngày nhận, Ghi chú"):
        read(path, mapped())
    # Nobody needs the doubled one: no harm. Somebody does: which?
    assert len(read_all(path, mapped(received="Ngày nhận"))[0]) == 1
    with pytest.raises(BadFile, match="columns 3 and 4 share it"):
        read(path, mapped(received="Ngày nhận", keep=["Ghi chú"]))


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
        [3, 45000.5, None],
    ]
    path = workbook(tmp_path / "a.xlsx", rows)
    by = mapped(due="Hẹn trả", header=2, dates=["%d/%m/%Y %H:%M", "%d/%m/%Y"], sheet="Hồ sơ")
    (first, second), refused = read_all(path, by)
    assert (first.row, second.row) == (3, 4)
    assert replace(first, row=4, code="h2") == second
    assert first.received == datetime(2023, 1, 3, 8, 30, tzinfo=SAIGON)
    # Promised for a day: until that day is over.
    assert first.due == datetime(2023, 1, 9, 23, 59, tzinfo=SAIGON)
    assert (refused[0].code, refused[0].row) == ("3", 5)
    with pytest.raises(BadFile, match="no sheet 'X'; there are: Hồ sơ"):
        read(path, mapped(sheet="X"))
    again = load(put(tmp_path, "map.yaml", suggest(path)))
    assert (again.header, again.code, len(read_all(path, again)[0])) == (2, "Mã", 2)


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


# No file at all ---------------------------------------------------------------------------------

NO_FILES: Mapping[str, tuple[bytes | None, str]] = {
    "none.csv": (None, "there is no such file"),
    "empty.csv": (b"", "the file is empty"),
    "empty.csv.gz": (gzip.compress(b""), "no names of columns"),
    "image.xes.gz": (gzip.compress(b"\x89PNG\r\n\x1a\n"), "'<' not found"),
    "image.png": (b"\x89PNG\r\n\x1a\n", "not a kind of file we read"),
    "page.xes": (b"<html></html>", "begins with <html>"),
    "book.xlsx.gz": (gzip.compress(b"PK"), "unpack it first"),
    "text.xlsx": (b"M\xc3\xa3", "not a workbook"),
    "broken.csv.gz": (b"\x1f\x8b garbage", "gzip is damaged"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_of_ours_is_said_at_once(tmp_path: Path, name: str) -> None:
    content, why = NO_FILES[name]
    path = tmp_path / name if content is None else put(tmp_path, name, content)
    with pytest.raises(BadFile, match=why):
        read(path, mapped(**XES_MAP))
    with pytest.raises(BadFile):
        suggest(path)


def test_a_folder_and_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="a folder"):
        read(tmp_path, mapped())
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(BadFile, match="not a regular file"):
        read(tmp_path / "a.csv", mapped())
