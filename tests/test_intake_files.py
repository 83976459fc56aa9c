"""Files of other systems, well-formed and not. A file that cannot be begun raises BadFile at once;
one that breaks later gives what was whole, then one Refused that ends.
"""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from foreign_files import filled, mapped, put, read_all

from states.errors import BadFile
from states.intake import Record, load, read, suggest

ROOT = Path(__file__).parent.parent
RECEIPT = ROOT.parent / "shared/data/receipt.xes.gz"
SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")

XES_MAP = {
    "kind": "log",
    "zone": "Asia/Ho_Chi_Minh",
    "code": "concept:name",
    "received": "start",
    "event": {"name": "concept:name", "at": "time:timestamp"},
}


def trace(code: str, *events: str, **own: str) -> str:
    dates = "".join(f'<date key="{key}" value="{value}"/>' for key, value in own.items())
    done = "".join(
        f'<event><date key="time:timestamp" value="{at}"/><string key="concept:name" value="e"/>'
        "</event>"
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
    by = load(put(tmp_path, "map.yaml", filled(suggest(RECEIPT))))
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
    with pytest.raises(BadFile, match=r"strat: no dossier has .* did you mean start\?"):
        read(path, mapped(**XES_MAP | {"received": "strat"}))
    # Declared by the log, it may be absent from all of them.
    declared = WHOLE.replace("<log>", '<log><global scope="trace"><date key="end"/></global>')
    path = put(tmp_path, "b.xes", declared + "</log>")
    assert len(read_all(path, mapped(**XES_MAP, finished="end"))[0]) == 3


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


# Garbage ----------------------------------------------------------------------------------------

READ = """
import re, sys
from pathlib import Path
from states.errors import BadFile
from states.intake import Map, Record, read
by = Map.model_validate_json(sys.argv[1])
def most():  # ru_maxrss would begin with what the parent had
    return int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])
before = most()
for name in sys.argv[2:]:
    try:
        items = list(read(Path(name), by))
        print(sum(isinstance(each, Record) for each in items), items[-1].why)
    except BadFile as error:
        print("bad", error)
print(most() - before)
"""
MEGABYTE = 1 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to measure by")
def test_fifty_megabytes_of_garbage_cost_little(tmp_path: Path) -> None:
    noise = os.urandom(MEGABYTE)
    nothing = gzip.compress(b" " * MEGABYTE, 1)  # a member of a gzip, as often as you like
    event = '<event><string key="k" value="v"/></event>' * 1000
    whole = WHOLE.replace("</trace>\n", "</trace>")
    files = {
        "a.csv": noise * 50,
        "b.csv": b"x" * 50 * MEGABYTE,
        "c.csv": b'a,"\n' + b'b,","\n' * MEGABYTE,
        "d.xes": noise * 9,
        "e.xes": b"<log><trace><string key='" + b"x" * 20 * MEGABYTE,
        "f.xlsx": b"PK\x03\x04" + noise * 9,
        "g.xes": (whole + "<trace>" + event * 120).encode(),  # 5 MB
        "h.xes.gz": gzip.compress(whole.encode()) + nothing * 50,
    }
    paths = [str(put(tmp_path, name, content)) for name, content in files.items()]
    by = json.dumps(XES_MAP | {"zone": "Asia/Ho_Chi_Minh"})
    told = subprocess.run(
        [sys.executable, "-c", READ, by, *paths],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    *lines, grown = told.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["bad"] * 6 + ["3", "3"]
    assert int(grown) < 60 * 1024  # kilobytes
