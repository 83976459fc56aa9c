"""What no import takes: others' units and people, what is no text, a map that reads no date."""

import re
from pathlib import Path
from typing import Any

import pytest
from foreign_files import mapped, put

from states import catalogue
from states.errors import BadFile
from states.intake import Record, Refused, read
from states.intake.agencies import within
from states.intake.cells import Unreadable
from states.intake.dossier import Telling
from states.intake.source import Row

# Agencies -------------------------------------------------------------------------------------

STAFF = catalogue.load().organisation
LEADS = "Mã,Nhận,Cơ quan,Phòng,Người,Xong\n"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("H42.03,H42.03.02,p-sci-officer-21", None),
        ("H42.03,H42.03,", None),
        ("H42.03,H42.14.01,p-reception-01", None),  # the centre's, where it was handed in
        (",Phòng Bưu chính,Bà Hai", None),  # words of the file's own
        ("H42.05,,", "it is of 'H42.05', and who asked for this brings in dossiers of H42.03 only"),
        ("H42.03,H42.05.02,", "its unit H42.05.02 is one of H42.05: the control unit"),
        ("H42.03,H42.05,", "its unit H42.05 is one of H42.05: the control unit"),
        (",H42.03.02,p-labour-director", "p-labour-director, who finished it, is of H42.05: the"),
    ],
)
def test_of_another_agency_no_unit_and_nobody_is_brought_in(
    tmp_path: Path, row: str, why: str | None
) -> None:
    by = mapped(agency="Cơ quan", unit="Phòng", person="Người", finished="Xong")
    file = put(tmp_path, "a.csv", f"{LEADS}h1,2023-01-03,{row},2023-01-04\n")
    [item] = map(within({"H42.03"}, STAFF), read(file, by))
    [free] = map(within(None, STAFF), read(file, by))
    assert isinstance(free, Record)
    assert isinstance(item, Record) == (why is None), item
    if isinstance(item, Refused):
        assert (item.row, item.code) == (2, "h1")
        assert why is not None
        assert why in item.why


# What no text has -----------------------------------------------------------------------------

NO_TEXT = {
    "\0": "a NUL byte", "\x1b": "U+001B", "\x0b": "U+000B", "\x7f": "U+007F", "\x9b": "U+009B",
    "\u202e": "U+202E", "\u2066": "U+2066", "\u200f": "U+200F", "\u061c": "U+061C",
    "\ufffe": "U+FFFE", "\ud800": "U+D800", "\u0301" * 31: "more than 30 marks on a letter",
}  # fmt: skip


@pytest.mark.parametrize("sign", NO_TEXT)
def test_a_sign_that_no_text_has_or_that_shows_another_text_refuses_its_dossier(sign: str) -> None:
    by = mapped(applicant="Tên", keep=["Ghi chú"])
    for name in ("Mã", "Tên", "Ghi chú"):
        cells = {"Mã": "h1", "Nhận": "2023-01-03", "Tên": "An", "Ghi chú": "x"}
        telling = Telling(Row(2, cells | {name: f"a{sign}b"}), by, 10_000)
        with pytest.raises(Unreadable, match=re.escape(f"{name}: ")) as error:
            _, _ = telling.code(), telling.record()
        assert NO_TEXT[sign] in str(error.value)
        assert str(error.value).isprintable()


def test_a_name_is_one_line_composed_and_a_note_keeps_its_lines() -> None:
    by = mapped(applicant="Tên", unit="Phòng", keep=["Ghi chú"])
    cells = {"Mã": "h\t1", "Nhận": "2023-01-03", "Tên": "Ngo\u0302\nBa", "Phòng": " P\r\n 1 "}
    telling = Telling(Row(2, cells | {"Ghi chú": "một\nhai"}), by, 10_000)
    assert telling.code() == "h 1"
    record = telling.record()
    assert (record.applicant, record.unit, record.data) == (
        "Ngô Ba", "P 1", {"Ghi chú": "một\nhai"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "part",
    [
        {"unit": {"from": "Phòng", "default": "a\u202eb"}},
        {"unit": {"from": "Phòng", "words": {"x": "a\x1bb"}}},
        {"keep": ["Ghi\u202e chú"]},
    ],
)
def test_what_no_cell_may_say_the_map_may_not_either(part: dict[str, Any]) -> None:
    with pytest.raises(BadFile, match="may not hold the sign U"):
        mapped(**part)


@pytest.mark.parametrize(
    "form", ["%d%m%Y%d", "%d%m%Y" + "%d" * 30_000, "%d/%m/%Y" + " " * 100], ids=len
)
def test_a_date_format_that_is_none_or_endless_is_a_fault_of_the_map(form: str) -> None:
    with pytest.raises(BadFile, match=r"must be a date format|at most 100 characters"):
        mapped(dates=[form])


def test_a_map_has_few_date_formats() -> None:
    assert mapped(dates=["%d/%m/%Y"] * 20)
    with pytest.raises(BadFile, match="at most 20 items"):
        mapped(dates=["%d/%m/%Y"] * 21)
