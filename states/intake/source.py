"""A file from outside, read in pieces of bounded size whatever it turns out to be."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from states.errors import BadFile
from states.sentences import Sentence

CHUNK = 1 << 16
GZIP = b"\x1f\x8b"
Kind = Literal["xes", "text", "workbook"]
KINDS: dict[str, Kind] = {
    ".xes": "xes",
    ".xml": "xes",
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".xlsx": "workbook",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost us. Generous for a true file; memory follows the largest of them."""

    unpacked: int = 16 << 30  # bytes out of a gzip
    workbook: int = 512 << 20  # bytes out of a spreadsheet, which cannot be streamed
    cells: int = 5_000_000  # of a spreadsheet, empty ones inside its rectangle counted
    row: int = 1_000_000  # characters in one row of a CSV
    dossier: int = 10_000_000  # characters in one dossier with all its events
    cell: int = 10_000  # characters in one cell that the map asks for


def nobody(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file and what the map says about its form. `watch` hears how many bytes of the file on
    disk have been read, for a progress bar.
    """

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: int = 1
    limits: Limits = field(default_factory=Limits)
    watch: Callable[[int], None] = nobody


@dataclass(frozen=True, slots=True)
class Header:
    """The names a file declares: of columns in order, empty and repeated ones too, or of the
    attributes an XES log promises.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row or one trace, everything still text. `fault`: why it cannot be imported, if so."""

    number: int
    cells: Mapping[str, str]
    events: tuple[Mapping[str, str], ...] = ()
    fault: str | None = None
    short: int = 0  # cells missing at the end of the row
    differing: tuple[str, ...] = ()  # columns in which the rows of one dossier disagree


@dataclass(frozen=True, slots=True)
class Break:
    """The file cannot be read further. Always the last thing a reader yields."""

    number: int
    why: str
    line: int | None = None


class Cut(Exception):
    """A file breaks: raised deep in a reader, which turns it into a Break. Never leaves here."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.why, self.line = why, line


def kind(path: Path) -> Kind:
    """Which reader a file needs, by its name, else by its first bytes. BadFile if there is no file,
    it is empty, or no reader fits.
    """
    head = _head(path)
    name = path.name.lower().removesuffix(".gz")
    found = KINDS.get(Path(name).suffix)
    if head.startswith(GZIP):
        if found == "workbook":
            raise BadFile(str(path), None, None, "a spreadsheet inside a gzip; unpack it first")
    elif head.startswith(b"PK"):
        found = "workbook"
    elif found == "workbook":
        raise BadFile(
            str(path), None, None, "named .xlsx but not a workbook; save it again as .xlsx or CSV"
        )
    if found is None:
        raise BadFile(
            str(path), None, None, "not a kind of file we read: .xes, .csv (plain or .gz) or .xlsx"
        )
    return found


def _head(path: Path) -> bytes:
    name = str(path)
    try:
        if path.is_dir():
            raise BadFile(name, None, None, "a folder; name one file in it")
        if not path.exists():
            raise BadFile(name, None, None, "there is no such file")
        # A pipe or a device has no end that we could count on.
        if not path.is_file():
            raise BadFile(name, None, None, "not a regular file")
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise BadFile(
            name, None, None, Sentence("cannot be read: {why}", why=error.strerror or error)
        ) from error
    except ValueError as error:  # a NUL in the name
        raise BadFile(
            name, None, None, Sentence("not the name of a file: {error}", error=error)
        ) from error
    if not head:
        raise BadFile(name, None, None, "the file is empty")
    return head


def chunks(source: Source) -> Iterator[bytes]:
    """The bytes of a file, unpacked if they are a gzip. Raises Cut where it breaks, after all that
    was whole.
    """
    total = 0
    try:
        with source.path.open("rb") as raw:
            packed = raw.peek(2).startswith(GZIP)
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            # read1, because read would drop what it had gathered when the gzip breaks off.
            while chunk := stream.read1(CHUNK):
                total += len(chunk)
                if packed and total > source.limits.unpacked:
                    raise Cut(f"unpacks to more than {source.limits.unpacked:,} bytes")
                source.watch(raw.tell())
                yield chunk
    except EOFError as error:
        raise Cut(f"the gzip is cut short after {total:,} unpacked bytes") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Cut(f"the gzip is damaged after {total:,} unpacked bytes") from error
    except OSError as error:
        raise Cut(f"cannot be read after {total:,} bytes: {error.strerror or error}") from error
