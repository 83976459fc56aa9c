"""Many rows, few dossiers: what does not fit in memory goes through a temporary database.

SQLite's unnamed database keeps 2 MB in memory, the rest in a file that nobody else can open and
that vanishes with it (in `SQLITE_TMPDIR`, else the system's place for such files).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing

from states.errors import HosoError
from states.intake.cells import tidy
from states.intake.source import Break, Row

TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE dossier (code TEXT PRIMARY KEY, first INTEGER) WITHOUT ROWID;
    CREATE TABLE line (code TEXT, row INTEGER, fault TEXT, cells TEXT);
"""
IN_ORDER = "SELECT first, code, row, fault, cells FROM line JOIN dossier USING (code) ORDER BY 1, 3"


class Codes:
    """The codes of a file as they pass, and the row each first stood in."""

    def __init__(self) -> None:
        # A stream may be drawn from several threads, one at a time.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(TABLES)

    def close(self) -> None:
        self._db.close()

    def first(self, code: str, row: int) -> int:
        """The row in which this code stood first: `row` itself if it is new."""
        new = self._db.execute("INSERT OR IGNORE INTO dossier VALUES (?, ?)", (code, row))
        if new.rowcount:
            return row
        found = self._db.execute("SELECT first FROM dossier WHERE code = ?", (code,)).fetchone()
        return int(found[0])

    def put(self, code: str, row: Row, columns: tuple[str, ...]) -> None:
        cells = {name: row.cells[name] for name in columns if row.cells.get(name)}
        values = (code, row.number, row.fault, json.dumps(cells, ensure_ascii=False))
        self.first(code, row.number)
        self._db.execute("INSERT INTO line VALUES (?, ?, ?, ?)", values)

    def rows(self) -> Iterator[tuple[int, str, int, str | None, str]]:
        yield from self._db.execute(IN_ORDER)


def by_dossier(
    rows: Iterator[Row | Break],
    code: str,
    columns: tuple[str, ...],
    own: tuple[str, ...],
    limit: int,
) -> Iterator[Row | Break]:
    """One row per dossier out of one row per event, in the order in which dossiers first appear.

    `columns`: what to keep of a row; `own`: those that speak of the dossier, of which the first
    value is believed and others are told. A row at fault takes its dossier with it: a history with
    a hole is not a history. If the file breaks, no dossier is known to be whole: none comes.
    """
    try:
        with closing(Codes()) as codes:
            for row in rows:
                if isinstance(row, Break):
                    why = f"{row.why}; the rest of any dossier may lie behind it, so none was read"
                    yield Break(row.number, why, row.line)
                    return
                if key := tidy(row.cells.get(code, "")):
                    codes.put(key, row, columns)
                else:
                    yield row if row.fault else Row(row.number, row.cells, fault=f"no {code}")
            yield from _gathered(codes, own, limit)
    except sqlite3.OperationalError as error:
        raise HosoError(
            "The temporary folder cannot hold this file while it is sorted ({error}); make room"
            " there or set SQLITE_TMPDIR to a folder that has it.",
            error=error,
        ) from error


def _gathered(codes: Codes, own: tuple[str, ...], limit: int) -> Iterator[Row]:
    at: int | None = None
    gathered: _Dossier | None = None
    for first, _, number, fault, cells in codes.rows():
        if first != at or gathered is None:
            if gathered:
                yield gathered.row()
            at, gathered = first, _Dossier(first, own, limit)
        gathered.add(number, fault, cells)
    if gathered:
        yield gathered.row()


class _Dossier:
    """The rows of one dossier, as they come together."""

    def __init__(self, first: int, own: tuple[str, ...], limit: int) -> None:
        self.first, self.own, self.limit, self.size = first, own, limit, 0
        self.cells: dict[str, str] = {}
        self.events: list[Mapping[str, str]] = []
        self.fault: str | None = None
        self.differing: dict[str, None] = {}

    def add(self, number: int, fault: str | None, cells: str) -> None:
        self.size += len(cells)
        if self.size > self.limit:
            self.events.clear()
            self.fault = f"its rows hold more than {self.limit:,} characters"
            return
        event: dict[str, str] = json.loads(cells)
        self.events.append(event)
        if fault and not self.fault:
            self.fault = f"row {number}: {fault}"
        for name in self.own:
            value = event.get(name)
            if value and self.cells.setdefault(name, value) != value:
                self.differing[name] = None

    def row(self) -> Row:
        found = tuple(self.differing)
        return Row(self.first, self.cells, tuple(self.events), self.fault, differing=found)
