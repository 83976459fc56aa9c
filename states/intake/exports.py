"""Files of other systems as the store takes them: what they are by their first bytes, and by name.

Whether one can be read to its end is seen when it is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from states.errors import BadFile
from states.files.kinds import PLAIN
from states.files.refusals import NotTaken
from states.files.rows import Medium
from states.intake.source import GZIP, KINDS
from states.sentences import Sentence

TAKEN = Sentence("send XES, CSV (plain or in a gzip) or XLSX")
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of Unicode, before the text
DOCUMENTS = tuple(start for sign in PLAIN.values() for start in sign.begins)


def check_start(head: bytes) -> None:
    """Refuse what no reader could begin. Raises `NotTaken`."""
    if not head:
        raise NotTaken("the file is empty: {taken}", taken=TAKEN)
    if head.startswith(DOCUMENTS):
        raise NotTaken("this is a document or an image, and no table: {taken}", taken=TAKEN)


def kind_of(file: Any, size: int) -> Medium:
    """What an open file begins as. Raises `NotTaken`."""
    file.seek(0)
    head: bytes = file.read(min(size, 1000))
    check_start(head)
    if head.startswith(GZIP):
        return Medium.gzip
    if head.startswith(b"PK"):
        return Medium.xlsx
    for mark in MARKS:
        head = head.removeprefix(mark)
    return Medium.xml if head.lstrip(b"\0 \t\r\n").startswith(b"<") else Medium.csv


def placed(folder: Path, name: str) -> Path:
    """Where a file may lie that a stranger named: its name says the kind, and nothing else."""
    lower = name.lower()
    kind = Path(lower.removesuffix(".gz").replace("\0", "")).suffix
    ending = f"{kind if kind in KINDS else ''}{'.gz' if lower.endswith('.gz') else ''}"
    return folder / f"file{ending}"


@contextmanager
def called(name: str) -> Iterator[None]:
    """Faults of a file are told by the name that its sender knows."""
    try:
        yield
    except BadFile as error:
        raise BadFile(name, error.line, error.field, error.expected, error.column) from None
