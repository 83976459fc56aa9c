"""A file on its way in: hashed and counted as it comes, looked at when it is whole. It blocks."""

import hashlib
import os
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from states.files.kinds import HEAD
from states.files.refusals import BrokenOff

K = TypeVar("K", bound=StrEnum)
Of_co = TypeVar("Of_co", bound=StrEnum, covariant=True)


class Look(Protocol[Of_co]):
    """What looks at a file as it comes: `states.files.kinds` does for those of components."""

    def check_start(self, head: bytes) -> None:
        """Raises `NotTaken` for a beginning that is of no kind."""

    def kind_of(self, file: Any, size: int) -> Of_co:
        """What an open file is. Raises `NotTaken`."""


class Incoming(Generic[K]):
    """Under a name of its own on this machine, readable by its owner, until it is put in its place.

    The methods wait for one another: what was cancelled may be at work in a thread still.
    """

    def __init__(self, path: Path, look: Look[K]) -> None:
        self.path, self.look = path, look
        self.hash, self.size = hashlib.sha256(), 0
        self._file: BinaryIO | None = None
        self._gone = False
        self._turn = threading.Lock()

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises `NotTaken` for a beginning that is of no kind, and writes nothing."""
        with self._turn:
            self._write(piece)

    def finish(self, piece: bytes) -> K:
        """Add the last piece, have it on the disk, and say what it all is. Raises `NotTaken`."""
        with self._turn:
            file = self._write(piece)
            file.flush()
            os.fsync(file.fileno())
            kind = self.look.kind_of(file, self.size)
            file.close()
            return kind

    def discard(self) -> None:
        """Leave nothing here: what was kept is not here any more."""
        with self._turn:
            self._gone = True
            if self._file is not None:
                self._file.close()
                with suppress(FileNotFoundError):
                    self.path.unlink()

    def _write(self, piece: bytes) -> BinaryIO:
        if self._gone:
            raise BrokenOff
        if self._file is None:
            self.look.check_start(piece[:HEAD])
            self._file = _created(self.path)
        self.hash.update(piece)
        self.size += len(piece)
        self._file.write(piece)
        return self._file


def make(folder: Path) -> None:
    """Make a folder, and those above it that are not there, closed to everybody else."""
    if not folder.exists():
        make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _created(path: Path) -> BinaryIO:
    make(path.parent)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
