"""A file that is there whole or not at all: what is too large for its disk leaves nothing."""

import gzip
import os
import tempfile
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from states.errors import HosoError


class NoRoom(HosoError):
    """A file could not be written whole."""


async def keep(file: Path, pieces: AsyncIterable[bytes]) -> int:
    """Write the pieces to a file, packed if it is named `.gz`; how many bytes it has.

    They go to another name beside it first, so that whoever looks finds the file of before or the
    new one. Raises `NoRoom`, and what the pieces raise.
    """
    with _told(file):
        to = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed below, whatever comes of it
            dir=file.parent, prefix=f".{file.name[:100]}.", delete=False
        )
    beside = Path(to.name)
    try:
        await _fill(to.file, file, pieces)
        with _told(file):
            to.flush()
            os.fsync(to.fileno())
            size = os.fstat(to.fileno()).st_size
            to.close()
            _named(beside, file)
    finally:
        with suppress(OSError):  # what could not be written cannot be flushed at the end, either
            to.close()
        _gone(beside)
    return size


async def _fill(to: IO[bytes], file: Path, pieces: AsyncIterable[bytes]) -> None:
    packed = file.suffix == ".gz"
    into = gzip.GzipFile(fileobj=to, mode="wb", filename="", mtime=0) if packed else to
    async for piece in pieces:
        with _told(file):
            into.write(piece)
    if packed:
        with _told(file):
            into.close()


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Raises `NoRoom` for what the system says."""
    try:
        yield
    except OSError as error:
        raise NoRoom(
            "{file} could not be written whole ({why}), and nothing of it was left: make room, or"
            " name a file on another disk",
            file=str(file),
            why=error.strerror or str(error),
        ) from None


def _named(beside: Path, file: Path) -> None:
    """By its own name from now on, with the mode that a new file has here, after a crash too."""
    mask = os.umask(0o077)
    os.umask(mask)
    beside.chmod(0o666 & ~mask)
    beside.replace(file)
    with suppress(OSError):  # not every system can be told of folders
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _gone(beside: Path) -> None:
    beside.unlink(missing_ok=True)  # it has its own name by now, if all went well
