"""Bytes under their SHA-256, on a disk or in an object store. Never executed, never altered.

A file comes in under a name of its own, is hashed and counted on the way, looked at, and put in its
place in one step: what lies at `ab/cd/abcd…` is whole. Whatever blocks does so in a thread.
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from states.errors import HosoError
from states.files import kinds
from states.files.incoming import Incoming, K, Look, make
from states.files.refusals import FileTooLarge, Spoilt, StoreAway

log = structlog.get_logger()

T = TypeVar("T")
PIECE = 1 << 20  # bytes that go through a thread at once
PART = 5 << 20  # bytes that are read ahead of an object
STAMP = "%Y%m%dT%H%M%SZ"


class Unusable(HosoError):
    """Files cannot be kept at that address."""


def opened(address: str | None, data: Path) -> "Store":
    """The store at an address such as s3://bucket/hoso or a folder; None: below the data folder.

    Raises `Unusable`.
    """
    try:
        fs, root = url_to_fs(address or str(data / "files"))
    except (ImportError, ValueError) as error:
        raise Unusable(
            "files cannot be kept at {address}: {error}", address=address, error=error
        ) from error
    if isinstance(fs, LocalFileSystem):
        return Disk(fs, root, Path(root) / "incoming")
    return Store(fs, root, data / "incoming")


@dataclass(frozen=True, slots=True)
class Received(Generic[K]):
    """A file that is whole and looked at; it waits at `path` to be kept."""

    sha256: bytes
    size: int
    kind: K
    path: Path


@dataclass(frozen=True)
class Store:
    """A folder of a file system of fsspec; files that come in wait on this machine."""

    fs: Any
    root: str
    waiting: Path

    @asynccontextmanager
    async def receiving(
        self,
        chunks: AsyncIterator[bytes],
        at: datetime,
        largest: int,
        look: Look[K] = kinds,  # type: ignore[assignment]  # of components, unless said
    ) -> AsyncIterator[Received[K]]:
        """Take a file in; it is gone at the end of the block, unless it was kept.

        Raises `FileTooLarge` as soon as it is, `NotTaken` and `StoreAway`.
        """
        stamp = f"{at.astimezone(UTC):{STAMP}}"
        incoming = Incoming(self.waiting / f"{stamp}-{secrets.token_hex(8)}", look)
        try:
            kind = await _taken(incoming, chunks, largest)
            yield Received(incoming.hash.digest(), incoming.size, kind, incoming.path)
        finally:  # done to its end, even if whoever waits for it is cancelled
            await asyncio.shield(_thread(incoming.discard))

    async def keep(self, received: Received[Any]) -> None:
        """Put it in its place. Where the same bytes lie already, they do so again."""
        await _thread(self._put, received.path, self.place(received.sha256))

    async def reading(
        self, sha256: bytes, size: int, span: tuple[int, int] | None = None
    ) -> AsyncIterator[bytes]:
        """The file, or its bytes from the first to the last named; opened before this returns.

        A whole one is hashed on the way: what is not as it was handed in breaks off before its end.
        Raises `StoreAway`, and `Spoilt` for what is not there.
        """
        file = await _thread(self._open, sha256, size)
        return _pieces(file, span or (0, size - 1), sha256 if span is None else None)

    async def remove(self, sha256: bytes) -> None:
        """Remove a file; one that is not there is removed."""
        await _thread(self._remove, self.place(sha256))

    async def clear(self, before: datetime) -> int:
        """Remove what came in before that and was never kept, of processes that died; how many."""
        return await _thread(self._clear, f"{before.astimezone(UTC):{STAMP}}")

    def place(self, sha256: bytes) -> str:
        name = sha256.hex()
        return f"{self.root.rstrip('/')}/{name[:2]}/{name[2:4]}/{name}"

    def _put(self, path: Path, place: str) -> None:
        self.fs.put_file(str(path), place)

    def _open(self, sha256: bytes, size: int) -> Any:
        try:
            file = self.fs.open(self.place(sha256), "rb", block_size=PART)
        except FileNotFoundError:
            raise _spoilt(sha256, "missing") from None
        if file.seek(0, os.SEEK_END) != size:
            file.close()
            raise _spoilt(sha256, "of another size")
        return file

    def _remove(self, place: str) -> None:
        with suppress(FileNotFoundError):
            self.fs.rm_file(place)

    def _clear(self, stamp: str) -> int:
        left = self.waiting.iterdir() if self.waiting.exists() else ()
        old = [each for each in left if each.name[: len(stamp)] < stamp]
        for each in old:
            each.unlink(missing_ok=True)
        return len(old)


class Disk(Store):
    """A folder of this machine, or one that it has mounted: closed to everybody else."""

    def _put(self, path: Path, place: str) -> None:
        folder = Path(place).parent
        new = not folder.exists()
        make(folder)
        path.replace(place)
        # What was acknowledged is there after the power failed, and so are the folders above it.
        for each in (folder, folder.parent, folder.parent.parent)[: 3 if new else 1]:
            _settle(each)


async def _taken(incoming: Incoming[K], chunks: AsyncIterator[bytes], largest: int) -> K:
    piece, had = bytearray(), 0
    async for chunk in chunks:
        had += len(chunk)
        check_size(had, largest)
        piece += chunk
        if len(piece) >= PIECE:
            await _thread(incoming.write, bytes(piece))
            piece.clear()
    return await _thread(incoming.finish, bytes(piece))


def check_size(size: int, largest: int) -> None:
    """Raises `FileTooLarge`."""
    if size > largest:
        raise FileTooLarge(
            "a file may have {largest:,} bytes at most: scan it in fewer dots, or in parts",
            largest=largest,
        )


async def _pieces(
    file: Any, span: tuple[int, int], whole: bytes | None
) -> AsyncIterator[bytes]:  # fmt: skip
    first, last = span
    left, found = last - first + 1, hashlib.sha256()
    try:
        await _thread(file.seek, first)
        while left:
            piece = await _thread(file.read, min(PIECE, left))
            left -= len(piece)
            if whole is not None:
                found.update(piece)
                if not left and found.digest() != whole:
                    raise _spoilt(whole, "altered")
            if not piece:
                raise _spoilt(whole or b"", "cut off")
            yield piece
    finally:
        file.close()


def _spoilt(sha256: bytes, how: str) -> Spoilt:
    log.error("file.spoilt", sha256=sha256.hex(), how=how)
    return Spoilt()


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _thread(work: Callable[..., T], *given: Any) -> T:
    """Done in a thread. Whatever the store raises is `StoreAway`, and told to the log."""
    try:
        return await asyncio.to_thread(work, *given)
    except HosoError:
        raise
    except Exception as error:  # each store has errors of its own
        log.error("files.away", why=type(error).__name__, said=str(error)[:200])  # noqa: TRY400
        raise StoreAway from error
