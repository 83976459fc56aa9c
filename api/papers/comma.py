"""A paper as CSV: a header of keys, values as programs read them, no text a formula."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from states.figures.periods import ZONE
from states.figures.sheets import Called, Kind, Paper, Sheet, plain


def header(sheet: Sheet) -> list[str]:
    """The keys of the columns; what has a name has its code, and the name behind it."""
    keys: list[str] = []
    for column in sheet.columns:
        keys.append(column.key)
        if column.kind is Kind.called:
            keys.append("name" if column.key == "agency" else f"{column.key}_name")
    return keys


def cells(sheet: Sheet, row: Sequence[Any]) -> Iterator[Any]:
    """One row, a code and a name for what has both."""
    for column, value in zip(sheet.columns, row, strict=True):
        if column.kind is Kind.called:
            yield plain((value.code or "") if isinstance(value, Called) else "")
        yield _cell(column.kind, value)


def _cell(kind: Kind, value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(ZONE).isoformat()
    if isinstance(value, float):
        return round(value, 2 if kind is Kind.percent else 4)
    return plain(value) if isinstance(value, str) else value


class Writing:
    """A paper on its way into a text file. Several sheets stand one below the other, each under its
    key.
    """

    def __init__(self, paper: Paper, to: TextIO) -> None:
        self.several, self.begun = len(paper.sheets) > 1, False
        self.to = csv.writer(to)
        self.sheet: Sheet | None = None

    def begin(self, sheet: Sheet) -> None:
        """Its header."""
        if self.several:
            self.to.writerows([*([[]] if self.begun else []), [plain(sheet.key)]])
        self.to.writerow(header(sheet))
        self.sheet, self.begun = sheet, True

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Some rows of the sheet begun."""
        assert self.sheet is not None
        lines = self.sheet.lines(list(rows))
        self.to.writerows(list(cells(self.sheet, row)) for row, _ in lines)

    def end(self) -> None:
        """Its total."""
        assert self.sheet is not None
        if self.sheet.total is not None:
            self.to.writerow(list(cells(self.sheet, self.sheet.total)))


def table(to: TextIO, rows: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> None:
    """Rows by their keys."""
    named = list(keys)
    lines = csv.writer(to)
    lines.writerow(named)
    lines.writerows([_cell(Kind.text, row[key]) for key in named] for row in rows)
