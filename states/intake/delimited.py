"""CSV and its relatives. No byte is ever replaced, and nothing longer than a row may be is held."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain

from states.intake.cells import tidy
from states.intake.source import Break, Cut, Header, Row, Source, chunks

DELIMITERS = (",", ";", "\t", "|")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def rows(source: Source) -> Iterator[Header | Row | Break]:
    """A Header, then the rows under it, numbered as a spreadsheet numbers them."""
    number = source.header
    try:
        lines = _lines(_text(source), source.limits.row)
        for _ in range(source.header - 1):
            next(lines, None)
        first = next(lines, "")
        feed = _Feed(chain([first], lines), source.limits.row)
        reader = csv.reader(feed, delimiter=source.delimiter or _delimiter(first), strict=True)
        names = names_of(next(reader, []))
        yield Header(names)
        while True:
            number, feed.size, begun = number + 1, 0, reader.line_num + source.header
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield _unread(number, begun, reader.line_num + source.header - 1, error)
                continue
            if cells is None:
                return
            if any(cells):
                yield row(number, names, cells, whole=feed.whole)
    except csv.Error as error:
        yield Break(number, f"the header cannot be read: {error}", source.header)
    except Cut as cut:
        yield Break(number, cut.why, cut.line)


def names_of(cells: list[str]) -> tuple[str, ...]:
    """The header. Raises Cut if it is none."""
    if any("\0" in cell for cell in cells):
        raise Cut("NUL bytes in the header; if it is UTF-16, name it: `encoding: utf-16-le`", 1)
    names = tuple(tidy(cell) for cell in cells)
    if not any(names):
        raise Cut("no names of columns where the header should be")
    return names


def row(number: int, names: tuple[str, ...], cells: list[str], *, whole: bool = True) -> Row:
    """Cells under their names. A row may be short, as spreadsheets drop empty cells at the end when
    they write CSV, unless it is the last and unended; one with cells beyond the header is refused,
    because nobody can tell which of its cells moved.
    """
    named = dict(zip(names, cells, strict=False))
    missing = len(names) - len(cells)
    fault = None
    if any(cells[len(names) :]):
        fault = f"{len(cells)} cells under {len(names)} names; an unquoted delimiter?"
    elif missing > 0 and not whole:
        fault = "the last row ends early: the file is cut short"
    return Row(number, named, fault=fault, short=max(missing, 0))


def _unread(number: int, begun: int, ended: int, error: csv.Error) -> Row:
    where = f"line {begun}" if begun >= ended else f"lines {begun} to {ended}"
    if "expected after" in str(error):
        return Row(number, {}, fault=f"{where}: a quote closes in the middle of a cell ({error})")
    # A quote left open has swallowed an unknown number of rows: nothing after it can be trusted.
    why = f"{where}: a quote is opened and never closed, or a cell is far too long ({error})"
    raise Cut(why, begun)


def _delimiter(header: str) -> str:
    """The one that makes the most of the header."""

    def count(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=count)


class _Feed:
    """Lines for csv.reader, which would gather one row for ever if its quotes never closed."""

    def __init__(self, lines: Iterator[str], limit: int) -> None:
        self.size = 0
        self.whole = True
        self._lines, self._limit = lines, limit

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.size += len(line)
        self.whole = line.endswith("\n")
        if self.size > self._limit:
            raise Cut(f"a row longer than {self._limit:,} characters; a quote left open?")
        return line


def _lines(pieces: Iterator[str], limit: int) -> Iterator[str]:
    number, tail = 1, ""
    for piece in pieces:
        *whole, tail = (tail + piece).split("\n")
        for line in whole:
            yield line + "\n"
        number += len(whole)
        if len(tail) > limit:
            raise Cut(f"a line longer than {limit:,} characters; not a table of text", number)
    if tail:
        yield tail


def _text(source: Source) -> Iterator[str]:
    """The file decoded, line ends made one. Raises Cut at the first byte that is not of the
    encoding, after the text before it.
    """
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    decoder: codecs.IncrementalDecoder | None = None
    encoding, offset, line = "", 0, 1
    for chunk in chain(chunks(source), [b""]):
        data = chunk
        if decoder is None:
            encoding, mark = _encoding(chunk, source.encoding)
            decoder = codecs.getincrementaldecoder(encoding)()
            data, offset = chunk[mark:], mark
        try:
            text = newlines.decode(decoder.decode(data, final=not data))
        except UnicodeDecodeError as error:
            text = newlines.decode(error.object[: error.start].decode(encoding))
            yield text
            at = offset + len(data) - len(error.object) + error.start
            line += text.count("\n")
            raise Cut(_undecodable(error, encoding, at), line) from error
        yield text
        offset += len(data)
        line += text.count("\n")


def _encoding(head: bytes, named: str | None) -> tuple[str, int]:
    """The encoding and the length of its mark. The file's own mark is believed before the map."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return named or "utf-8", 0


def _undecodable(error: UnicodeDecodeError, encoding: str, at: int) -> str:
    byte = error.object[error.start]
    likely = "utf-16-le" if b"\0" in error.object[:100] else "windows-1258"
    return (
        f"byte {at} (0x{byte:02x}) is not {encoding}; name the file's encoding in the map, "
        f"for example `encoding: {likely}`"
    )
