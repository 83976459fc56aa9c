"""XLSX. A workbook cannot be streamed, so it is weighed before it is opened: what it unpacks to,
and the rectangle its cells span, for one cell in the last corner would otherwise claim them all.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice

import python_calamine

from states.intake.delimited import names_of, row
from states.intake.source import CHUNK, Break, Cut, Header, Row, Source

# Any r="B7" or r="7" attribute: too many rather than too few.
PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})(\d{1,7})["']""")
STRING = re.compile(rb"<(?:\w+:)?si\b")
# A part that is encrypted or packed in a way zipfile does not know is a RuntimeError.
BROKEN = (
    python_calamine.CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
OVERLAP = 32  # bytes kept of the piece before, for a match across the seam


def rows(source: Source) -> Iterator[Header | Row | Break]:
    """A Header, then the rows of one sheet: the one the map names, else the first. A cell that is a
    date becomes ISO text without offset, a whole number text without `.0`.
    """
    number = source.header
    try:
        _weigh(source)
        with python_calamine.CalamineWorkbook.from_path(source.path) as book:
            lines = _sheet(book, source.sheet).iter_rows()
            head = next(islice(lines, source.header - 1, None), [])
            names = names_of([_text(cell) for cell in head])
            yield Header(names)
            for number, line in enumerate(lines, source.header + 1):
                cells = [_text(cell) for cell in line]
                if any(cells):
                    yield row(number, names, cells)
        source.watch(source.path.stat().st_size)
    except Cut as cut:
        yield Break(number, cut.why)
    except python_calamine.PasswordError:
        yield Break(number, "the workbook is locked with a password")
    except BROKEN as error:
        yield Break(number, f"the workbook is damaged: {str(error)[:200]}")


def _sheet(
    book: python_calamine.CalamineWorkbook, name: str | None
) -> python_calamine.CalamineSheet:
    if name is None and book.sheet_names:
        return book.get_sheet_by_index(0)
    if name not in book.sheet_names:
        have = ", ".join(book.sheet_names[:20])
        raise Cut(f"there is no sheet {name!r}; there are: {have}")
    return book.get_sheet_by_name(name)


def _text(cell: object) -> str:
    match cell:
        case str():
            return cell
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case int() | float() | timedelta():
            return str(cell)
    return "" if cell is None else str(cell)


def _weigh(source: Source) -> None:
    total = strings = 0
    with zipfile.ZipFile(source.path) as packed:
        for part in packed.infolist():
            # The size a part declares may be a lie; with this one zipfile reads to its true end.
            part.file_size = 1 << 62
            width = height = 0
            for piece in _pieces(packed, part):
                total += len(piece)
                strings += len(STRING.findall(piece))
                for column, line in PLACE.findall(piece):
                    width = max(width, _column(column))
                    height = max(height, int(line))
                if total > source.limits.workbook:
                    most = f"{source.limits.workbook:,}"
                    raise Cut(f"unpacks to more than {most} bytes; save the sheet as CSV")
            if max(width * height, strings) > source.limits.cells:
                raise Cut(
                    f"spans {max(width * height, strings):,} cells, more than "
                    f"{source.limits.cells:,}; save the sheet as CSV, which has no limit"
                )


def _pieces(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    tail = b""
    with packed.open(part) as stream:
        while piece := stream.read(CHUNK):
            yield tail + piece
            tail = piece[-OVERLAP:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
