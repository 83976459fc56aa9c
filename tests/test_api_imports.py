"""Files of other systems over HTTP: a first map, and a trial that writes nothing."""

import gzip
import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from foreign_files import filled, mapped
from office import Office, address, entries, running, told

from states.errors import BadFile
from states.intake import Limits
from states.intake.trial import CLOSE, suggested, tried

OURS = {"H42.03"}
LEAD, OFFICER = "p-sci-lead-02", "p-sci-officer-21"
TABLE = """\
Mã hồ sơ,Ngày tiếp nhận,Ngày hẹn trả,Ngày trả,Cơ quan
h1,2023-01-03 08:00,2023-01-09 17:00,2023-01-06 10:00,H42.03
h2,2023-01-03 09:00,2023-01-01 17:00,,H42.03
h3,ngày mai,,,H42.05
h1,2023-01-03 08:00,,,H42.05
h4,2023-01-04 08:00,,,Sở X
h5,2023-01-04 08:00,,,
"""
MAP = """\
kind: dossiers
zone: Asia/Ho_Chi_Minh
code: Mã hồ sơ
received: Ngày tiếp nhận
due: Ngày hẹn trả
finished: Ngày trả
agency: Cơ quan
"""


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


async def send(
    office: Office, what: str, content: bytes, name: str = "a.csv", by: str = LEAD, **more: Any
) -> Any:
    body = {"name": name, "content": b64encode(content).decode(), **more}
    return await office.client.post(f"/v1/imports/{what}", json=body, headers={"Hoso-Person": by})


async def test_a_trial_tells_what_would_be_read_and_writes_nothing(office, fresh):
    answer = await send(office, "trial", TABLE.encode(), map=MAP)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["whole"], found["dossiers"], found["refused"]) == (True, 2, 4)
    assert [(each["row"], each["code"]) for each in found["faults"]] == [
        (4, "h3"), (5, "h1"), (6, "h4"), (7, "h5"),
    ]  # fmt: skip
    assert "stands in row 2" in found["faults"][1]["why"]
    assert "there is no agency 'Sở X'" in found["faults"][2]["why"]
    assert "names no agency" in found["faults"][3]["why"]
    assert found["noted"] == {"due_before_receipt": 1}
    assert (found["notes"][0]["row"], found["notes"][0]["code"]) == (3, "h2")
    assert found["agencies"] == {"H42.03": 2, "Sở X": 1}
    assert found["unknown_agencies"] == ["Sở X"]
    assert await entries(fresh) == 0


async def test_a_map_that_is_suggested_is_one_that_reads(office):
    clean = "\n".join(line for line in TABLE.splitlines() if "ngày mai" not in line)
    answer = await send(office, "map", clean.encode())
    assert answer.status_code == 200, answer.text
    by = answer.json()["map"]
    assert by.startswith("# A guess from the first")
    told(await send(office, "trial", TABLE.encode(), map=by), 422, "bad-file")
    by = filled(by) + "other_agencies: true\n"
    told(await send(office, "trial", TABLE.encode(), map=by), 403, "not-yours")
    found = (await send(office, "trial", TABLE.encode(), by="p-control-01", map=by)).json()
    assert (found["dossiers"], found["noted"]) == (3, {"due_before_receipt": 1})


@pytest.mark.parametrize("name", ["a.csv.gz", "A.CSV.GZ", "../../a.csv.gz"])
async def test_a_name_says_the_kind_and_nothing_else(office, name):
    found = await send(office, "trial", gzip.compress(TABLE.encode()), name, map=MAP)
    assert found.json()["dossiers"] == 2, found.text


async def test_a_workbook(office):
    book, kept = openpyxl.Workbook(), io.BytesIO()
    for line in TABLE.splitlines():
        book.active.append(line.split(","))
    book.save(kept)
    found = await send(office, "trial", kept.getvalue(), "a.xlsx", map=MAP)
    assert found.json()["dossiers"] == 2, found.text


async def test_a_trial_refuses_what_the_import_would_of_other_agencies(office):
    table = "Mã,Nhận,Phòng\nh1,2023-01-03,H42.05.02\nh2,2023-01-03,H42.03.02\n"
    by = (
        "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\nunit: Phòng\n"
        "agency: {default: H42.03}\n"
    )
    found = (await send(office, "trial", table.encode(), map=by)).json()
    assert (found["dossiers"], [each["code"] for each in found["faults"]]) == (1, ["h1"])
    found = (await send(office, "trial", table.encode(), by="p-control-01", map=by)).json()
    assert (found["dossiers"], found["faults"]) == (2, [])


@pytest.mark.parametrize(
    ("content", "name", "by", "why"),
    [
        (b"", "a.csv", MAP, "String should have at least 1 character"),
        (b"a,b\n1,2\n", "a.csv", MAP, "a.csv, line 1, Mã hồ sơ: no such column"),
        (TABLE.encode(), "a.exe", MAP, "a.exe: not a kind of file we read"),
        (TABLE.encode(), "a.xlsx", MAP, "a.xlsx: named .xlsx but not a workbook"),
        (TABLE.encode(), "a.csv", "kind: dossiers", "map, line 1"),
        (TABLE.encode(), "a.csv", "a: [", "map, line "),
        (TABLE.encode(), "a.csv", MAP + "calendar: moon\n", "moon"),
        (b"<log>", "a.xes", MAP, "a.xes"),
        (TABLE.encode(), "a.csv", MAP + "dates: ['%d%m%Y%d']\n", "must be a date format such as"),
    ],
)
async def test_what_cannot_be_begun_is_refused_by_the_name_it_has(office, content, name, by, why):
    answer = await send(office, "trial", content, name, map=by)
    assert answer.status_code in {404, 422}, answer.text
    detail = answer.json()["detail"]
    assert why in detail
    assert "/tmp" not in detail


async def test_only_by_who_brings_dossiers_in(office):
    told(await send(office, "map", TABLE.encode(), by=OFFICER), 403, "not-yours")
    told(await send(office, "trial", TABLE.encode(), by=OFFICER, map=MAP), 403, "not-yours")
    body = {"name": "a.csv", "content": "kein base64!"}
    answer = await office.client.post(
        "/v1/imports/map", json=body, headers={"Hoso-Person": LEAD}
    )  # fmt: skip
    told(answer, 422, "bad-input")


# Limits -------------------------------------------------------------------------------------


def test_a_trial_ends_after_so_many(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = (f"h{n},2023-01-03" for n in range(50))
    path.write_text("\n".join(["Mã,Nhận", *rows]))
    by = mapped(agency={"default": "H42.03"})
    assert (tried(path, by, OURS, most=50).dossiers, tried(path, by, OURS, most=50).whole) == (
        50,
        True,
    )
    assert (tried(path, by, OURS, most=49).dossiers, tried(path, by, OURS, most=49).whole) == (
        49,
        False,
    )


def test_a_file_that_breaks_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress("\n".join(["Mã,Nhận", *["h,2023-01-03"] * 20_000]).encode())
    path.write_bytes(whole[: len(whole) // 2])
    found = tried(path, mapped(agency={"default": "H42.03"}), OURS, most=10**6)
    assert not found.whole
    assert (found.dossiers, len(found.faults)) == (1, 200)


def test_what_unpacks_to_too_much_is_not_guessed_from(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"\n" * (CLOSE.unpacked + 1)))
    with pytest.raises(BadFile, match="unpacks to more than"):
        suggested(path)
    book = openpyxl.Workbook()
    book.active["ZZ99999"] = "far"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(BadFile, match="cells"):
        suggested(tmp_path / "a.xlsx", Limits(cells=1000))
