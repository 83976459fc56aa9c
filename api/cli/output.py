"""What a command prints: a table for people, JSON for programs."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TextIO
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from states.errors import BadInput

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # of moments shown, and of dates given without an offset

# Without a terminal to measure, as wide as a terminal is: a table squeezed into 80 is no table.
console = Console(width=None if sys.stdout.isatty() else 100)


@contextmanager
def quiet(*loggers: str, level: int = logging.WARNING) -> Iterator[None]:
    """Without what a service would log of its work: for commands that tell it themselves."""
    was = {each: each.level for each in map(logging.getLogger, loggers)}
    for each in was:
        each.setLevel(level)
    try:
        yield
    finally:
        for each, before in was.items():
            each.setLevel(before)


def local(at: datetime | None) -> str:
    """A moment as the centre's clocks show it; a dash for none."""
    return f"{at.astimezone(ZONE):%d/%m/%Y %H:%M}" if at else "–"


def as_json(value: Any, to: TextIO | None = None) -> None:
    """One JSON document, on standard output unless told otherwise."""
    to = to or sys.stdout
    to.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")
    to.flush()  # what goes on running is read from a pipe


def check_writable(file: Path | None) -> None:
    """Raises `BadInput` for a file that cannot be written, before anything is done to fill it."""
    if file is None:
        return
    new = not file.exists()
    try:
        with file.open("ab"):
            pass
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}; name another file") from None
    if new:
        file.unlink()


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    """A table whose numbers stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    lines = [[_cell(cell) for cell in row] for row in rows]  # a stranger's text is no markup
    for at, name in enumerate(columns):
        numbers = all(line[at].replace(",", "").lstrip("-").isdigit() for line in lines)
        justify: Literal["right", "left"] = "right" if numbers and lines else "left"
        made.add_column(name, justify=justify, overflow="fold")  # a code cut short is no code
    for line in lines:
        made.add_row(*map(escape, line))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def listed(
    title: str,
    columns: Iterable[str] | Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    *,
    json: bool,
) -> None:
    """Rows as a table of some of their columns, or that there are none; in JSON, all of them.

    `columns`: their names, with the words above them where these are others.
    """
    if json:
        as_json(rows)
        return
    if not rows:
        console.print(f"{title}: không có gì / nothing.", highlight=False, markup=False)
        return
    words = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    console.print(table(title, words.values(), [[row[name] for name in words] for row in rows]))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
