"""The store: what goes in comes out, and what does not come in whole leaves nothing."""

import asyncio
import errno
import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from samples import FILES, NOT_TAKEN, pdf

from states.files import store
from states.files.kinds import Kind
from states.files.refusals import FileTooLarge, NotTaken, Spoilt, StoreAway

AT = datetime(2024, 3, 4, 1, tzinfo=UTC)
LARGEST = 5_000_000


@pytest.fixture(params=["folder", "file", "memory"])
def kept(request, tmp_path):
    """Stores at addresses of several kinds; objects have no folders and appear when whole."""
    address = {"folder": None, "file": f"file://{tmp_path}/there", "memory": "memory://files"}
    yield store.opened(address[request.param], tmp_path)
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def disk(tmp_path):
    return store.opened(None, tmp_path)


async def pieces(text: bytes, *sizes: int):
    at = 0
    for size in sizes or (len(text),):
        yield text[at : at + size]
        at += size
    yield text[at:]


async def put(kept, text, *sizes, at=AT, largest=LARGEST):
    async with kept.receiving(pieces(text, *sizes), at, largest) as received:
        await kept.keep(received)
    return received


async def out(kept, sha256, size, span=None) -> bytes:
    return b"".join([piece async for piece in await kept.reading(sha256, size, span)])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def spoil(disk, received, text: bytes) -> None:
    Path(disk.place(received.sha256)).write_bytes(text)


def there(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


# In and out -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
async def test_what_goes_in_comes_out(kept, kind):
    text = FILES[kind]
    received = await put(kept, text)
    assert (received.kind, received.size) == (kind, len(text))
    assert received.sha256 == hashlib.sha256(text).digest()
    assert await out(kept, received.sha256, len(text)) == text
    assert there(kept.waiting) == []


@pytest.mark.parametrize("sizes", [(1,) * 30, (0, 0, 7), (store.PIECE - 1, 2), (3 * store.PIECE,)])
async def test_it_does_not_matter_in_what_pieces_it_comes(kept, sizes):
    text = pdf("x" * (3 * store.PIECE + 5))
    received = await put(kept, text, *sizes)
    assert received.sha256 == hashlib.sha256(text).digest()
    assert await out(kept, received.sha256, received.size) == text
    for span in [(0, 0), (store.PIECE - 2, store.PIECE + 2), (len(text) - 1, len(text) - 1)]:
        assert await out(kept, received.sha256, received.size, span) == text[span[0] : span[1] + 1]


async def test_the_same_bytes_are_one_file(kept):
    first, second = [await put(kept, pdf()) for _ in range(2)]
    assert first.sha256 == second.sha256
    files = kept.fs.find(kept.root)
    assert [each.rpartition("/")[2] for each in files] == [first.sha256.hex()]
    assert files[0].endswith(
        f"/{first.sha256.hex()[:2]}/{first.sha256.hex()[2:4]}/{first.sha256.hex()}"
    )


async def test_what_is_removed_is_away_and_may_be_removed_again(kept):
    received = await put(kept, pdf())
    for _ in range(2):
        await kept.remove(received.sha256)
    with pytest.raises(Spoilt):
        await kept.reading(received.sha256, received.size)


async def test_it_is_on_the_disk_before_it_has_its_name_and_closed_to_others(disk, monkeypatch):
    done = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append("sync"), sync(handle)))
    monkeypatch.setattr(Path, "replace", lambda a, b: (done.append("name"), replace(a, b)))
    received = await put(disk, pdf())
    assert done == ["sync", "name", "sync", "sync", "sync"]  # the file; three folders
    done.clear()
    await put(disk, pdf())
    assert done == ["sync", "name", "sync"]
    place = Path(disk.place(received.sha256))
    assert mode(place) == 0o600
    for folder in (place.parent, place.parent.parent, Path(disk.root), disk.waiting):
        assert mode(folder) == 0o700


# What does not come in --------------------------------------------------------------------


async def test_what_is_too_large_is_counted_as_it_comes(kept):
    pulled = 0

    async def endless():
        nonlocal pulled
        yield b"%PDF-1.7\n"
        while True:
            pulled += 1
            yield b"0" * 65_536

    with pytest.raises(FileTooLarge, match="5,000,000 bytes at most"):
        async with kept.receiving(endless(), AT, LARGEST):
            raise AssertionError
    assert pulled == LARGEST // 65_536 + 1
    assert there(kept.waiting) == []
    assert kept.fs.find(kept.root) == []


@pytest.mark.parametrize("what", NOT_TAKEN)
async def test_what_is_not_taken_leaves_nothing(disk, what):
    with pytest.raises(NotTaken):
        await put(disk, NOT_TAKEN[what], 3, 4)
    assert there(Path(disk.root)) == []


async def test_what_breaks_off_leaves_nothing(kept):
    class Gone(Exception):
        pass

    async def broken():
        yield pdf("x" * 2 * store.PIECE)
        assert len(there(kept.waiting)) == 1
        raise Gone

    with pytest.raises(Gone):
        async with kept.receiving(broken(), AT, LARGEST):
            raise AssertionError
    assert there(kept.waiting) == []
    assert kept.fs.find(kept.root) == []


async def test_who_is_cancelled_leaves_nothing(disk):
    waits = asyncio.Event()

    async def stalled():
        yield pdf("x" * 2 * store.PIECE)
        waits.set()
        await asyncio.Event().wait()

    async def take():
        async with disk.receiving(stalled(), AT, LARGEST):
            raise AssertionError

    task = asyncio.create_task(take())
    await waits.wait()
    assert len(there(disk.waiting)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert there(Path(disk.root)) == []


async def test_what_is_refused_after_it_came_leaves_nothing(disk):
    with pytest.raises(NotTaken):
        async with disk.receiving(pieces(pdf()), AT, LARGEST):
            raise NotTaken
    assert there(Path(disk.root)) == []


@pytest.mark.parametrize("what", ["write", "keep"])
async def test_a_full_store_says_so_and_keeps_nothing(disk, monkeypatch, what):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if what == "write":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreAway):
        await put(disk, pdf())
    assert there(Path(disk.root)) == []


async def test_objects_that_cannot_be_put_are_told(tmp_path, monkeypatch):
    kept = store.opened("memory://files", tmp_path)

    def away(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(MemoryFileSystem, "put_file", away)
    with pytest.raises(StoreAway):
        await put(kept, pdf())
    assert there(tmp_path) == []


# What is not as it was --------------------------------------------------------------------


async def test_an_altered_file_breaks_off_before_its_end(disk):
    text = pdf("x" * 3 * store.PIECE)
    received = await put(disk, text)
    spoil(disk, received, text.replace(b"xxx", b"xyx", 1))
    came = await disk.reading(received.sha256, received.size)
    for _ in range(3):
        assert await anext(came)
    with pytest.raises(Spoilt):
        await anext(came)


@pytest.mark.parametrize("cut", [0, 10])
async def test_a_file_of_another_size_is_not_begun(disk, cut):
    received = await put(disk, pdf())
    spoil(disk, received, pdf()[:cut])
    with pytest.raises(Spoilt):
        await disk.reading(received.sha256, received.size)


async def test_what_a_dead_process_left_is_cleared_and_what_comes_in_is_not(kept):
    kept.waiting.mkdir(parents=True)
    for at in (AT - timedelta(seconds=1), AT):
        (kept.waiting / f"{at:{store.STAMP}}-0").write_bytes(b"x")
    assert await kept.clear(AT) == 1
    assert [each.name for each in there(kept.waiting)] == [f"{AT:{store.STAMP}}-0"]
    assert await kept.clear(AT) == 0


# Where ------------------------------------------------------------------------------------


def test_an_address_that_cannot_be_is_said_at_once(tmp_path):
    with pytest.raises(store.Unusable, match="files cannot be kept at nowhere://x"):
        store.opened("nowhere://x", tmp_path)


@pytest.mark.skipif(find_spec("s3fs") is not None, reason="objects can be kept here")
def test_objects_need_their_library(tmp_path):
    with pytest.raises(store.Unusable, match="s3fs"):
        store.opened("s3://bucket/hoso", tmp_path)
