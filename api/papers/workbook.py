"""A paper as a workbook: typed cells, frozen headings, an official form as it is laid out.

Rows are written in their order and leave memory at once. Every text is written as text, marked so
that none becomes a formula where somebody edits it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter

from api.papers.words import (
    DOTS,
    PROVISIONAL,
    RECEIVING,
    REPORTING,
    RIGHT,
    SERIAL,
    SIGNED,
    beneath,
    both,
    classed,
    counting,
    headings,
    last,
    made,
    official,
    serial,
    shown,
    span,
)
from states.errors import BadInput
from states.figures.periods import ZONE
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet, plain

MOST = 1_048_000  # rows of a worksheet, but for what stands above and below them
NAMED = 31  # characters of a worksheet's name
LONGEST = 32_767  # characters of a cell
FIRST = 1900  # the year in which a workbook's days begin
WIDTHS = {
    Kind.text: 40, Kind.called: 44, Kind.code: 22, Kind.day: 12, Kind.moment: 17, Kind.money: 16,
}  # fmt: skip
NUMBERS = {
    Kind.integer: "#,##0", Kind.money: "#,##0", Kind.decimal: "#,##0.0", Kind.percent: "0.00%",
    Kind.minutes: "[h]:mm", Kind.day: "dd/mm/yyyy", Kind.moment: "dd/mm/yyyy hh:mm",
}  # fmt: skip
EDGED = {"border": 1, "border_color": "#9aa0a6", "valign": "top"}
FONT = {"font_name": "Times New Roman", "font_size": 11}


class Writing:
    """A paper on its way into a workbook. `folder`: for what is put aside until the end."""

    def __init__(self, paper: Paper, file: Path, folder: Path) -> None:
        self.paper = paper
        self.book = xlsxwriter.Workbook(
            str(file),
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
             "tmpdir": str(folder), "default_date_format": "dd/mm/yyyy"},
        )  # fmt: skip
        self.formats: dict[str, Any] = {}
        self.names: set[str] = set()

    def look(self, key: str, **how: Any) -> Any:
        """A format, made once."""
        if key not in self.formats:
            self.formats[key] = self.book.add_format(FONT | how)
        return self.formats[key]

    # A sheet ------------------------------------------------------------------------------

    def begin(self, sheet: Sheet) -> None:
        """What stands above its rows."""
        self.sheet, self.at = sheet, 0
        self.numbered: int | None = 0
        self.columns = list(_columns(sheet))
        self.page = self.book.add_worksheet(self._name(sheet))
        for n, (column, coded) in enumerate(self.columns):
            width = (6 if serial(sheet) else 16) if coded else WIDTHS.get(column.kind, 12)
            self.page.set_column(n, n, width)
        self._above(sheet)
        self._heads(official(sheet))
        self.page.freeze_panes(self.at, sum(at < sheet.dims for at in self._places()))
        self.page.repeat_rows(self.at - 1)
        self.page.set_landscape()
        self.page.set_paper(9)
        self.page.fit_to_pages(1, 0)
        self.page.set_footer("&C&P / &N")

    def _above(self, sheet: Sheet) -> None:
        paper = self.paper
        red = self.look("fault", bold=True, font_color="#a3161c")
        for fault in paper.faults:
            self._line(both(fault), red)
        title = paper.title if len(paper.sheets) == 1 else sheet.title
        self._line(f"{both(title)}  {span(paper)}", self.look("title", bold=True, font_size=14))
        soft = self.look("soft", italic=True)
        if official(sheet):
            for who, name in ((REPORTING, paper.whose or DOTS), (RECEIVING, DOTS)):
                self._line(f"{both(who)}: {name}", self.look("plain"))
        for told in filter(None, (made(paper), classed(paper))):
            self._line(both(told), soft)
        if paper.provisional:
            self._line(both(PROVISIONAL), red)

    def _heads(self, counted: bool) -> None:
        head = self.look("head", bold=True, text_wrap=True, align="center", bg_color="#f1efe9",
                         **EDGED | {"valign": "vcenter"})  # fmt: skip
        columns = [self._head(column, coded=coded) for column, coded in self.columns]
        self.grouped = any(each.group for each in columns)
        if self.grouped:
            self._groups(columns, head)
        self.page.set_row(self.at, 48)
        for n, each in enumerate(columns):
            if self.grouped and each.group is None:
                self.page.write_blank(self.at, n, None, head)
            else:
                self.page.write_string(self.at, n, both(each.within or each.head, "\n"), head)
        self.at += 1
        if counted:
            first = sum(at < self.sheet.dims for at in self._places())
            for n, (column, _) in enumerate(self.columns):
                self.page.write_string(self.at, n, counting(first, n, column), head)
            self.at += 1

    def _head(self, column: Column, *, coded: bool) -> Column:
        """Of a code beside a name, or of the number of a row."""
        if not coded:
            return column
        vi, en = column.head
        code = SERIAL if serial(self.sheet) else Both(f"Mã {vi.lower()}", f"{en} code")
        return column._replace(head=code)

    def _groups(self, columns: Sequence[Column], head: Any) -> None:
        """The headings that columns share; what has none is as high as both rows."""
        at = 0
        self.page.set_row(self.at, 32)
        for group, many in headings(columns):
            said = columns[at].head if group is None else group
            self.page.write_string(self.at, at, both(said, "\n"), head)
            for n in range(at + 1, at + many):
                self.page.write_blank(self.at, n, None, head)
            # Not `merge_range`, which writes the row below before this one is done.
            self.page.merge.append([self.at, at, self.at + (group is None), at + many - 1])
            at += many
        self.at += 1

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Some rows of the sheet begun."""
        for row, makes in self.sheet.lines(list(rows)):
            self._row(row, bold=makes)
            if self.at > MOST:
                raise BadInput(
                    "a worksheet has no room for more than {most} lines: ask for csv, or for a"
                    " shorter period",
                    most=MOST,
                )

    def end(self) -> None:
        """The total, what stands beneath it, and where a form is signed."""
        if (total := last(self.sheet)) is not None:
            self.numbered = None
            self._row(total, bold=True)
        self.at += 1
        if self.sheet is self.paper.sheets[-1]:
            for text in beneath(self.paper):
                self._line(both(text), self.look("plain"))
        if official(self.sheet):
            self._signed()
        for note in self.sheet.notes:
            self._line(both(note), self.look("soft", italic=True))

    def close(self) -> None:
        """All of it to the file."""
        self.book.close()

    def _signed(self) -> None:
        bold = self.look("signed", bold=True, align="center", text_wrap=True)
        places = (1, max(3, len(self.columns) - 3))
        self.at += 1
        self.page.set_row(self.at, 34)
        for n, who in zip(places, SIGNED, strict=True):
            self.page.write_string(self.at, n, both(who, "\n"), bold)
        self.at += 1
        italic = self.look("under", italic=True, align="center")
        for n in places:
            self.page.write_string(self.at, n, "(ký, ghi rõ họ tên)", italic)
        self.at += 5

    # Cells --------------------------------------------------------------------------------

    def _line(self, text: str, look: Any) -> None:
        self.page.write_string(self.at, 0, text[:LONGEST], look)
        self.at += 1

    def _row(self, row: Sequence[Any], *, bold: bool) -> None:
        at = 0
        for column, value in zip(self.sheet.columns, row, strict=True):
            if column.kind is Kind.called:
                self._code(at, value, bold=bold)
                at += 1
            self._cell(at, column.kind, value, bold=bold)
            at += 1
        self.at += 1

    def _code(self, at: int, value: Any, *, bold: bool) -> None:
        """The code of what is named beside it; in an official form the number of the row."""
        if not serial(self.sheet):
            code = (value.code or "") if isinstance(value, Called) else ""
            self._text(at, code, bold=bold)
        elif self.numbered is None:
            self._text(at, "", bold=bold)
        else:
            self.numbered += 1
            self._cell(at, Kind.integer, self.numbered, bold=bold)

    def _cell(self, at: int, kind: Kind, value: Any, *, bold: bool) -> None:
        look = self._look(kind, bold=bold)
        if value is None:
            self.page.write_blank(self.at, at, None, look)
        elif isinstance(value, bool | str):
            self._text(at, shown(kind, value), bold=bold)
        elif isinstance(value, datetime) and value.year > FIRST:
            self.page.write_datetime(self.at, at, value.astimezone(ZONE).replace(tzinfo=None), look)
        elif isinstance(value, date) and value.year > FIRST:
            self.page.write_datetime(self.at, at, datetime.combine(value, time()), look)
        elif isinstance(value, int | float):
            share = {Kind.percent: 100, Kind.minutes: 24 * 60}.get(kind, 1)
            self.page.write_number(self.at, at, value / share if share != 1 else value, look)
        else:
            self._text(at, shown(kind, value), bold=bold)

    def _text(self, at: int, value: str, *, bold: bool) -> None:
        guarded = plain(value) != value
        how = {"text_wrap": True, "bold": bold, "quote_prefix": guarded, "num_format": "@"}
        look = self.look(f"text {bold} {guarded}", **EDGED, **how)
        self.page.write_string(self.at, at, value[:LONGEST], look)

    def _look(self, kind: Kind, *, bold: bool) -> Any:
        how: dict[str, Any] = {"num_format": NUMBERS.get(kind, "General"), "bold": bold}
        if kind in RIGHT:
            how["align"] = "right"
        return self.look(f"{kind} {bold}", **EDGED, **how)

    def _places(self) -> list[int]:
        """For each column of the page, which of the sheet it is of."""
        return [
            at
            for at, column in enumerate(self.sheet.columns)
            for _ in range(1 + (column.kind is Kind.called))
        ]

    def _name(self, sheet: Sheet) -> str:
        """A worksheet's name, as a workbook takes it; none is there twice."""
        title = self.paper.title if len(self.paper.sheets) == 1 else sheet.title
        clean = "".join("-" if each in r"[]:*?/\'" else each for each in title.vi).strip()
        if len(clean) > NAMED:  # not in the middle of a word
            clean = clean[: NAMED + 1].rpartition(" ")[0].rstrip(" ,:–-") or clean[:NAMED]
        name, n = clean or sheet.key[:NAMED], 2
        while name.lower() in self.names:
            name, n = f"{clean[: NAMED - 3].rstrip()} {n}", n + 1
        self.names.add(name.lower())
        return name


def _columns(sheet: Sheet) -> Iterable[tuple[Column, bool]]:
    """The columns of the page; whether one has the codes of what the next one names."""
    for column in sheet.columns:
        if column.kind is Kind.called:
            yield column, True
        yield column, False
