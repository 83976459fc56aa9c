"""Files that are there whole or not at all: written beside, brought to the disk, then renamed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from states.errors import HosoError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NoRoom(HosoError):
    """There is no room for the file: free some, or name another disk."""


class NotWritten(HosoError):
    """The file could not be written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written, which takes its place in the end; no part of it is left
    of one that failed. What is no file of the disk (a pipe, a terminal) is written itself.

    Raises `NoRoom` and `NotWritten`.
    """
    to = path.resolve()
    with _told(path):
        if to.exists() and not to.is_file():
            yield to
            return
        part = to.with_name(f".{to.name[:200]}.{os.getpid()}.part")
        try:
            part.open("xb").close()
            if to.exists():
                part.chmod(stat.S_IMODE(to.stat().st_mode))
            yield part
            _to_disk(part)
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the disk says, as sentences; also where a library has wrapped it."""
    try:
        yield
    except Exception as error:
        told = said(error)
        if told is None or not (told.errno in FULL or told.filename):
            raise
        if told.errno in FULL:
            raise NoRoom(
                "there is no room on the disk for {file}, and nothing of it was kept: free some,"
                " ask for less, or name a file on another disk",
                file=str(path),
            ) from error
        why = told.strerror or str(told)
        raise NotWritten(
            "{file} cannot be written: {why}; name another file", file=str(path), why=why
        ) from error


def said(error: BaseException | None) -> OSError | None:
    """The disk's own error behind one."""
    while error is not None:
        for each in (error, *error.args):
            if isinstance(each, OSError):
                return each
        error = error.__cause__ or error.__context__
    return None


def _to_disk(part: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())
