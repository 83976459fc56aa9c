"""A paper laid out as tables of a page, each number of dossiers a link to them; of any report."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from api.desk.reports import naming
from api.desk.voice import Voice
from api.papers import words
from states.catalogue import Catalogue
from states.figures import every
from states.figures.counting import DIMENSIONS, Rate
from states.figures.levels import LEVEL
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet

BY_ROW = {*DIMENSIONS, LEVEL, "period"}
Code = tuple[str, ...]
TALL = 20  # rows of which a chart is shown when it is asked for


class Head(NamedTuple):
    """A cell of the headings."""

    text: str
    wide: int = 1
    high: int = 1
    number: bool = False


class Cell(NamedTuple):
    """A cell. `href`: the dossiers behind it. `beside`: the change since the other period."""

    text: str
    number: bool = False
    href: str | None = None
    beside: str = ""
    grows: bool = False


class Line(NamedTuple):
    """A row. `dims`: how many of its cells say what it is of. `kind`: "", "part" or "total"."""

    cells: list[Cell]
    dims: int = 1
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet as a page shows it. `numbers`: how an official form counts its columns."""

    key: str
    title: str
    heads: list[list[Head]]
    numbers: list[str]
    lines: list[Line]
    notes: list[str]
    drawn: bool
    official: bool
    tall: bool


@dataclass(frozen=True, slots=True)
class Showing:
    """For whom, and by which question: `query` is the address's, which its numbers open with.

    `other`: the same report of another period, beside which it is shown.
    """

    book: Catalogue
    voice: Voice
    query: Sequence[tuple[str, str]]
    other: Paper | None = None
    opens: bool = field(default=True)

    def tables(self, paper: Paper) -> list[Table]:
        """Each sheet."""
        others = {each.key: each for each in self.other.sheets} if self.other else {}
        return [self._table(paper, each, others.get(each.key)) for each in paper.sheets]

    def only(self, paper: Paper, sheet: Sheet, keys: Collection[str]) -> Table:
        """One sheet with some of its columns."""
        return self._table(paper, sheet, None, keys)

    def _table(
        self, paper: Paper, sheet: Sheet, other: Sheet | None, keys: Collection[str] | None = None
    ) -> Table:
        voice, numbered = self.voice, words.official(sheet)
        places = (
            [at for at, _ in words.in_table(sheet)]
            if keys is None
            else [at for at, each in enumerate(sheet.columns) if each.key in keys]
        )
        columns = [sheet.columns[at] for at in places]
        figures = self._figures(paper, sheet)
        was = _values(other) if other is not None else None
        dims = max(1, sum(at < sheet.dims for at in places))
        rows = [(row, "part" if makes else "") for row, makes in sheet.lines(sheet.rows)]
        if (total := words.last(sheet)) is not None:
            rows.append((total, "total"))
        lines = [
            Line([cells[at] for at in places], dims, kind)
            for row, kind in rows
            for cells in [self._cells(paper, sheet, row, figures, was, kind)]
        ]
        return Table(
            sheet.key, voice.called(sheet.title), self._heads(columns, plain=keys is not None),
            [words.counting(sheet.dims, n, each) for n, each in enumerate(columns)]
            if numbered and keys is None else [],
            lines, [voice.called(each) for each in sheet.notes],
            drawn=_drawn(sheet), official=numbered and keys is None, tall=len(sheet.rows) > TALL,
        )  # fmt: skip

    def _heads(self, columns: Sequence[Column], *, plain: bool = False) -> list[list[Head]]:
        told = self.voice.called
        if plain or not any(each.group for each in columns):
            return [[Head(told(each.head), number=each.kind in words.RIGHT) for each in columns]]
        upper, at = list[Head](), 0
        for group, many in words.headings(columns):
            one = columns[at].head if group is None else group
            upper.append(Head(told(one), many, 2 if group is None else 1, number=True))
            at += many
        lower = [Head(told(each.within or each.head), number=True)
                 for each in columns if each.group]  # fmt: skip
        return [upper, lower]

    def _figures(self, paper: Paper, sheet: Sheet) -> frozenset[str]:
        """The columns whose numbers open: all of a form's own, but its rates."""
        report = every.REPORTS.get(paper.report)
        if not self.opens or report is None or report.form is None:
            return frozenset()
        if paper.policy is not None or paper.known_at is not None:
            return frozenset()
        its = {each.column.key for each in report.form.figures}
        if not its <= {each.key for each in sheet.columns}:
            return frozenset()
        return frozenset(
            each.column.key for each in report.form.figures if not isinstance(each, Rate)
        )

    def _cells(
        self,
        paper: Paper,
        sheet: Sheet,
        row: Sequence[Any],
        figures: frozenset[str],
        was: Mapping[tuple[Code, str], Any] | None,
        kind: str,
    ) -> list[Cell]:
        total, part = kind == "total", kind == "part"
        where = list(_where(sheet, row, part=part)) if not total else []
        code = _code(sheet, row, part=part) if not total else ()
        return [
            self._cell(paper, column, value, figures, where, (was, code))
            for column, value in zip(sheet.columns, row, strict=True)
        ]

    def _cell(
        self,
        paper: Paper,
        column: Column,
        value: Any,
        figures: frozenset[str],
        where: Sequence[tuple[str, str]],
        before: tuple[Mapping[tuple[Code, str], Any] | None, Code],
    ) -> Cell:
        text = naming.shown(self.book, self.voice, column, value)
        href = None
        if column.key in figures and value:
            asked = [*self.query, ("figure", column.key), *where]
            href = f"/reports/{paper.report}/dossiers?{urlencode(asked)}"
        elif column.key == "code" and column.kind is Kind.code and value:
            href = f"/dossiers/{quote(str(value), safe='')}"
        number = column.kind in words.RIGHT
        was, code = before
        beside, grows = "", False
        if was is not None and number:
            beside, grows = self._beside(column, value, was.get((code, column.key)))
        return Cell(text, number, href, beside, grows)

    def _beside(self, column: Column, value: Any, was: Any) -> tuple[str, bool]:
        """The change since the other period."""
        if value is None and was is None:
            return "", False
        if column.kind is Kind.percent and (value is None or was is None):
            return "", False
        change = (value or 0) - (was or 0)
        told = naming.number(self.voice, column.kind, abs(change))
        if column.kind is Kind.percent:
            told = told.replace(" %", self.voice.say(" điểm", " pts"))
        return ("=" if not change else ("+" if change > 0 else "−") + told), change > 0


def _drawn(sheet: Sheet) -> bool:
    """Whether its chart can be read: of what is told apart in every period, it cannot."""
    crowded = sheet.dims > 1 and sheet.columns[0].key == "period"
    return sheet.chart is not None and bool(sheet.rows) and not crowded


def _where(sheet: Sheet, row: Sequence[Any], *, part: bool) -> Iterator[tuple[str, str]]:
    """What a row is of, as the list behind its numbers is asked; of a part, its period alone."""
    dims = 1 if part else sheet.dims
    for column, value in zip(sheet.columns[:dims], row, strict=False):
        if column.key in BY_ROW:
            yield "where", f"{column.key}={_plain(value)}"


def _code(sheet: Sheet, row: Sequence[Any], *, part: bool = False) -> Code:
    """What a row is of, but for the year: so that rows of two years are held against each other."""
    dims = 1 if part else sheet.dims
    pairs = zip(sheet.columns[:dims], row, strict=False)
    return tuple(
        _plain(value)[4:] if column.key == "period" else _plain(value) for column, value in pairs
    )


def _plain(value: Any) -> str:
    return (value.code or "") if isinstance(value, Called) else str(value or "")


def _values(sheet: Sheet) -> dict[tuple[Code, str], Any]:
    rows = [(_code(sheet, row), row) for row in sheet.rows]
    rows += [(_code(sheet, row, part=True), row) for row in sheet.parts.values()]
    if sheet.total is not None:
        rows.append(((), sheet.total))
    return {
        (code, column.key): value
        for code, row in rows
        for column, value in zip(sheet.columns, row, strict=True)
    }


def lead(paper: Paper, voice: Voice) -> dict[str, Any]:
    """What stands round the tables: of when, by what, what is doubted, what each rate is of."""
    of, made = words.classed(paper), words.made(paper)
    doubts: list[Both] = list(paper.faults)
    return {
        "title": voice.called(paper.title),
        "span": words.span(paper),
        "classed": None if of is None else voice.called(of),
        "made": voice.called(made),
        "faults": [voice.called(each) for each in doubts],
        "provisional": voice.called(words.PROVISIONAL) if paper.provisional else None,
        "beneath": [voice.called(each) for each in words.beneath(paper)],
        "whose": paper.whose,
        "official": any(words.official(each) for each in paper.sheets),
        "reporting": voice.called(words.REPORTING),
        "receiving": voice.called(words.RECEIVING),
        "signed": [voice.called(each) for each in words.SIGNED],
    }
