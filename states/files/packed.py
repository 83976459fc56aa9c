"""Documents that are archives: what they say they are, read without unpacking them.

Bounded on every side: an archive can promise a million entries or unpack without end.
"""

import errno
import re
import zlib
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from states.files.refusals import NotTaken

BEGINS = b"PK\x03\x04"
LONGEST_END = 22 + 65_535  # bytes of the record at an archive's end, with its comment
DIRECTORY = 4_000_000  # bytes of the directory of an archive
MANIFEST = 1_000_000  # bytes of what says what an archive is
# Python's `zipfile` raises all of these for archives that are made to be misread.
UNREADABLE = (BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, ValueError)

OPC = "[Content_Types].xml"
MAIN = re.compile(rb"""["']([^"']{1,200})\.main\+xml["']""")
MACROS = ("vbaproject.bin", "basic/", "scripts/")


def main_type(file: Any, size: int, tail: bytes) -> str | None:
    """The media type a document gives itself; None: it is none, or it brings macros.

    Raises `NotTaken` for an archive that cannot be read.
    """
    _check_directory(size, tail)
    try:
        with ZipFile(file) as archive:
            return _main_type(archive)
    except UNREADABLE:
        pass
    except OSError as error:
        if error.errno != errno.EINVAL:  # sought before the beginning
            raise
    raise NotTaken("this archive cannot be read: make the document anew")


def _main_type(archive: ZipFile) -> str | None:
    names = archive.namelist()
    if any(f"/{name.lower()}".endswith(MACROS[0]) for name in names):
        return None
    if any(name.lower().startswith(MACROS[1:]) for name in names):
        return None
    if names[:1] == ["mimetype"]:
        return _read(archive, "mimetype").decode("ascii", "replace").strip()
    if OPC not in names:
        return None
    found = MAIN.search(_read(archive, OPC))
    return found[1].decode("ascii", "replace") if found else None


def _read(archive: ZipFile, name: str) -> bytes:
    # Documents are packed in no other way (ODF 1.3 part 2 §3.1, OPC annex C), and the others raise
    # errors of their own and take memory as the archive says.
    if archive.getinfo(name).compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise BadZipFile
    with archive.open(name) as part:
        text = part.read(MANIFEST + 1)
    if len(text) > MANIFEST:
        raise BadZipFile
    return text


def _check_directory(size: int, tail: bytes) -> None:
    """Before anybody reads the directory: it is of a sane size, and the file ends behind it."""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise NotTaken("this archive has no end: send it again, or make the document anew")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    big = tail[max(at - 20, 0) : max(at - 16, 0)] == b"PK\x06\x07"
    if big or directory > DIRECTORY or at + 22 + comment != len(tail) or size < directory:
        raise NotTaken("this archive is not made as documents are: make the document anew")
