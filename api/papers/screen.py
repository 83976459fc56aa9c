"""A paper on a terminal: faults on top, headings in both languages, rates beneath."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.papers.words import (
    PROVISIONAL,
    RIGHT,
    about,
    beneath,
    both,
    in_table,
    official,
    shown,
)
from states.figures.sheets import Column, Kind, Paper, Sheet

GAP = 1  # between columns
WORD, NAME = 14, 22  # the most that a heading may ask for; the least that a name is given
SHORT = 3  # notes that are shown unasked
NAMES = {Kind.text, Kind.called}
Places = list[tuple[int, Column]]


def show(console: Console, paper: Paper, *, notes: bool = False) -> None:
    """`notes`: also the definition of every figure."""
    for fault in paper.faults:
        console.print(both(fault), style="red bold", markup=False, highlight=False)
    console.print(
        f"{both(paper.title)}  {about(paper)}", style="bold", markup=False, highlight=False
    )
    if paper.provisional:
        console.print(both(PROVISIONAL), style="yellow", markup=False, highlight=False)
    for sheet in paper.sheets:
        if len(paper.sheets) > 1:
            console.print()
            console.print(both(sheet.title), style="bold", markup=False, highlight=False)
        _sheet(console, sheet, notes=notes)
    for text in beneath(paper):
        console.print(text, markup=False, highlight=False)


def _sheet(console: Console, sheet: Sheet, *, notes: bool) -> None:
    if not sheet.rows:
        console.print("không có gì / nothing", style="dim", highlight=False)
    columns = in_table(sheet)
    dims, rest = columns[: sheet.dims], columns[sheet.dims :]
    english = _fits(console, sheet, columns, english=True)
    if english or _fits(console, sheet, columns, english=False):
        console.print(_table(console, sheet, columns, english=english), highlight=False)
        if not english:
            legend = (
                f"{each.number} {each.head.en}" if each.number else both(each.head, " = ")
                for _, each in rest
            )
            console.print("; ".join(legend), style="dim", markup=False, highlight=False)
    else:
        for some in _blocks(console, sheet, dims, rest):
            console.print(_table(console, sheet, [*dims, *some], english=True), highlight=False)
    if notes or len(sheet.notes) <= SHORT:
        for note in sheet.notes:
            console.print(both(note), style="dim", markup=False, highlight=False)
    elif sheet.notes:
        console.print(f"--notes: {len(sheet.notes)} định nghĩa / definitions", style="dim")
    console.print()


def _table(console: Console, sheet: Sheet, columns: Places, *, english: bool) -> Table:
    made = Table(
        box=box.SIMPLE_HEAD, padding=0, show_edge=False, show_footer=sheet.total is not None
    )  # fmt: skip
    counted, widths = official(sheet), _widths(console, sheet, columns, english=english)
    for (at, column), width in zip(columns, widths, strict=True):
        right = column.kind in RIGHT
        head = _head(column, english=english) + (f"\n{column.number}" if counted else "")
        total = shown(column.kind, sheet.total[at]) if sheet.total is not None else ""
        made.add_column(
            escape(head), escape(total), justify="right" if right else "left",
            vertical="bottom" if right else "top", overflow="fold", width=width,
        )  # fmt: skip
    for row in sheet.rows:
        made.add_row(*(escape(shown(column.kind, row[at])) for at, column in columns))
    return made


def _widths(console: Console, sheet: Sheet, columns: Places, *, english: bool) -> list[int]:
    """Of each column: what it needs, and of what is left as much as the names can use."""
    needed = [_width(sheet, at, column, english=english) for at, column in columns]
    left = console.width - sum(needed) - GAP * (len(needed) - 1)
    for n, (at, column) in enumerate(columns):
        if column.kind in NAMES and left > 0:
            longest = max((len(shown(column.kind, row[at])) for row in _rows(sheet)), default=0)
            more = min(left, max(0, longest - needed[n]))
            needed[n] += more
            left -= more
    return needed


def _head(column: Column, *, english: bool) -> str:
    return both(column.head, "\n") if english else column.head.vi


def _width(sheet: Sheet, at: int, column: Column, *, english: bool) -> int:
    """What a column needs: its longest value, and the longest word above it."""
    words = _head(column, english=english).split()
    values = [shown(column.kind, row[at]) for row in _rows(sheet)]
    most = max((len(each) for each in (*values, column.number)), default=1)
    if column.kind in NAMES:
        most = min(most, NAME)
    elif column.kind is Kind.code:
        most = min(most, 2 * NAME)
    return max(most, min(WORD, max(map(len, words), default=1)))


def _rows(sheet: Sheet) -> Iterator[Sequence[object]]:
    yield from sheet.rows
    if sheet.total is not None:
        yield sheet.total


def _fits(console: Console, sheet: Sheet, columns: Places, *, english: bool) -> bool:
    needed = [_width(sheet, at, column, english=english) + GAP for at, column in columns]
    return sum(needed) <= console.width


def _blocks(console: Console, sheet: Sheet, dims: Places, rest: Places) -> Iterator[Places]:
    """The columns that stand beside those that name the rows, as many at once as there is room."""
    room = console.width - sum(_width(sheet, at, c, english=True) + GAP for at, c in dims)
    block: Places = []
    left = room
    for at, column in rest:
        needed = _width(sheet, at, column, english=True) + GAP
        if block and needed > left:
            yield block
            block, left = [], room
        block.append((at, column))
        left -= needed
    if block:
        yield block
