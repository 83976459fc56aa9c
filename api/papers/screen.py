"""A paper on a terminal: faults on top, headings in both languages, rates beneath."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.papers.words import (
    PROVISIONAL,
    RIGHT,
    beneath,
    both,
    classed,
    headings,
    in_table,
    last,
    official,
    shown,
    span,
)
from states.figures.sheets import Column, Kind, Paper, Sheet

GAP = 1  # between columns
WORD, NAME = 14, 22  # the most that a heading may ask for; the least that a name is given
LINES = 3  # of a heading, where there is room for that
PERIOD = "period"  # told once for all its rows
SHORT = 3  # notes that are shown unasked
NAMES = {Kind.text, Kind.called}
Places = list[tuple[int, Column]]


def show(console: Console, paper: Paper, *, notes: bool = False) -> None:
    """`notes`: also the definition of every figure."""
    for fault in paper.faults:
        console.print(both(fault), style="red bold", markup=False, highlight=False)
    title = f"{both(paper.title)}  {span(paper)}"
    console.print(title, style="bold", markup=False, highlight=False)
    if (by := classed(paper)) is not None:
        console.print(both(by), style="dim", markup=False, highlight=False)
    if paper.provisional:
        console.print(both(PROVISIONAL), style="yellow", markup=False, highlight=False)
    for sheet in paper.sheets:
        if len(paper.sheets) > 1:
            console.print()
            console.print(both(sheet.title), style="bold", markup=False, highlight=False)
        _sheet(console, sheet, notes=notes)
    for text in beneath(paper):
        console.print(text.vi, markup=False, highlight=False)
        console.print(text.en, style="dim", markup=False, highlight=False)


def _sheet(console: Console, sheet: Sheet, *, notes: bool) -> None:
    if not sheet.rows:
        console.print("không có gì / nothing", style="dim", highlight=False)
    columns = in_table(sheet)
    dims, rest = columns[: sheet.dims], columns[sheet.dims :]
    grouped = any(each.group for _, each in columns)
    english = not grouped and _fits(console, sheet, columns, english=True)
    if english or _fits(console, sheet, columns, english=False):
        if grouped:
            _groups(console, sheet, columns)
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


def _groups(console: Console, sheet: Sheet, columns: Places) -> None:
    """The headings that columns share, above them."""
    widths, at, line = _widths(console, sheet, columns, english=False), 0, ""
    for group, many in headings([each for _, each in columns]):
        room = sum(widths[at : at + many]) + GAP * (many - 1)
        name = "" if group is None else group.vi.removeprefix("Số hồ sơ ").capitalize()
        told = f" {name} " if len(name) + 2 <= room else name[:room]
        line += (told.center(room, "─") if name else " " * room) + " " * GAP
        at += many
    console.print(line.rstrip(), style="bold", markup=False, highlight=False)


def _table(console: Console, sheet: Sheet, columns: Places, *, english: bool) -> Table:
    made = Table(
        box=box.SIMPLE_HEAD, padding=0, show_edge=False, show_footer=last(sheet) is not None
    )  # fmt: skip
    whole = last(sheet)
    counted, widths = official(sheet), _widths(console, sheet, columns, english=english)
    for (at, column), width in zip(columns, widths, strict=True):
        right = column.kind in RIGHT
        head = _head(column, english=english) + (f"\n{column.number}" if counted else "")
        total = shown(column.kind, whole[at]) if whole is not None else ""
        made.add_column(
            escape(head), escape(total), justify="right" if right else "left",
            vertical="bottom" if right else "top", overflow="fold", width=width,
        )  # fmt: skip
    before: object = None
    for row, makes in sheet.lines(sheet.rows):
        told = [shown(column.kind, row[at]) for at, column in columns]
        if sheet.columns[0].key == PERIOD:
            told[0], before = "" if row[0] == before else told[0], row[0]
        made.add_row(*map(escape, told), style="bold" if makes else None)
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
    return both(column.head, "\n") if english else (column.within or column.head).vi


def _narrowest(head: str) -> int:
    """The least that a heading needs to stand in no more than so many lines."""
    longest = max(map(len, head.split()), default=1)
    wider = range(longest, max(longest, WORD) + 1)
    return next((each for each in wider if len(wrap(head, each)) <= LINES), longest)


def _width(sheet: Sheet, at: int, column: Column, *, english: bool) -> int:
    """What a column needs: its longest value, and the longest word above it."""
    values = [shown(column.kind, row[at]) for row in _rows(sheet)]
    most = max((len(each) for each in (*values, column.number)), default=1)
    if column.kind in NAMES:
        most = min(most, NAME)
    elif column.kind is Kind.code:
        most = min(most, 2 * NAME)  # codes never wrap, unless they are lists of them
    heads = _head(column, english=english).split("\n")
    return max(most, min(WORD, max(map(_narrowest, heads), default=1)))


def _rows(sheet: Sheet) -> Iterator[Sequence[object]]:
    yield from (row for row, _ in sheet.lines(sheet.rows))
    if (whole := last(sheet)) is not None:
        yield whole


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
