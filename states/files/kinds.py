"""What a file is, by its bytes alone: neither by its name nor by what the sender calls it.

A short list of kinds that an office can open in twenty years, and that run nothing. Each is asked
for its beginning, and for as much of its structure as tells a broken or disguised one.
"""

from collections.abc import Callable
from enum import StrEnum
from io import SEEK_END
from typing import Any, NamedTuple

from states.files import packed
from states.files.refusals import NotTaken
from states.sentences import Sentence

HEAD = 4096  # bytes by which it is told what a file begins as


class Kind(StrEnum):
    """The kinds that are taken, as they are served."""

    pdf = "application/pdf"
    jpeg = "image/jpeg"
    png = "image/png"
    tiff = "image/tiff"
    webp = "image/webp"
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    odt = "application/vnd.oasis.opendocument.text"
    ods = "application/vnd.oasis.opendocument.spreadsheet"


#: The endings of their names; the first is given to a name that has none of them.
ENDINGS: dict[Kind, tuple[str, ...]] = {
    Kind.pdf: ("pdf",),
    Kind.jpeg: ("jpg", "jpeg", "jpe", "jfif"),
    Kind.png: ("png",),
    Kind.tiff: ("tif", "tiff"),
    Kind.webp: ("webp",),
    Kind.docx: ("docx",),
    Kind.xlsx: ("xlsx",),
    Kind.odt: ("odt",),
    Kind.ods: ("ods",),
}
TAKEN = Sentence(
    "send a PDF, an image (JPEG, PNG, TIFF, WebP) or a document (DOCX, XLSX, ODT, ODS)"
)


class Parts(NamedTuple):
    """The first and the last bytes of a file, and how many it has."""

    head: bytes
    tail: bytes
    size: int


def _tiff(parts: Parts) -> bool:
    """Its first directory lies in the file."""
    order = "little" if parts.head[:2] == b"II" else "big"
    return 8 <= int.from_bytes(parts.head[4:8], order) < parts.size  # type: ignore[arg-type]


def _webp(parts: Parts) -> bool:
    length = int.from_bytes(parts.head[4:8], "little")
    return parts.head[8:12] == b"WEBP" and length + 8 <= parts.size


class Sign(NamedTuple):
    """What a kind begins with, and what else holds of a whole one."""

    begins: tuple[bytes, ...]
    whole: Callable[[Parts], bool]


PLAIN: dict[Kind, Sign] = {
    Kind.pdf: Sign((b"%PDF-",), lambda parts: b"%%EOF" in parts.tail),
    Kind.jpeg: Sign((b"\xff\xd8\xff",), lambda parts: 0xC0 <= parts.head[3:4][0] < 0xFF),
    Kind.png: Sign((b"\x89PNG\r\n\x1a\n",), lambda parts: b"IEND\xaeB`\x82" in parts.tail),
    Kind.tiff: Sign((b"II*\0", b"MM\0*"), _tiff),
    Kind.webp: Sign((b"RIFF",), _webp),
}
SHORTEST = 16  # bytes of a file that can be any of these


def check_start(head: bytes) -> None:
    """Refuse what begins as none that is taken, before all of it came. Raises `NotTaken`."""
    if not head:
        raise NotTaken("the file is empty: {taken}", taken=TAKEN)
    begins = (start for sign in PLAIN.values() for start in sign.begins)
    if not head.startswith((*begins, packed.BEGINS)):
        raise NotTaken("this {looks_like}: {taken}", looks_like=looks_like(head), taken=TAKEN)


def kind_of(file: Any, size: int) -> Kind:
    """What an open file is. Raises `NotTaken`."""
    file.seek(0)
    parts = Parts(file.read(HEAD), _tail(file, size, HEAD), size)
    check_start(parts.head)
    if parts.head.startswith(packed.BEGINS):
        found = packed.main_type(file, size, _tail(file, size, packed.LONGEST_END))
        if found in set(Kind) - PLAIN.keys():
            return Kind(found)
        raise NotTaken(
            "this is an archive, and none of a document without macros: {taken}", taken=TAKEN
        )
    kind = next(kind for kind, sign in PLAIN.items() if parts.head.startswith(sign.begins))
    if size < SHORTEST or not PLAIN[kind].whole(parts):
        raise NotTaken(
            "this begins as {name} and is not a whole one: make it anew", name=kind.name.upper()
        )
    return kind


def check_claim(kind: Kind, name: str, claimed: str | None) -> None:
    """Refuse a file that is called another kind than it is. Raises `NotTaken`.

    What is called none that is taken (`application/octet-stream`, `01.2024`) claims nothing.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    called = next((each for each, known in ENDINGS.items() if ending in known), None)
    if called is None and claimed is not None:
        media = claimed.partition(";")[0].strip().lower()
        called = Kind(media) if media in set(Kind) else None
    if called not in {None, kind}:
        raise NotTaken(
            "it is called {name} and is {what}: name it as it is",
            name=called.name.upper(),
            what=kind.name.upper(),
        )


def looks_like(head: bytes) -> Sentence:
    """A guess for the sentence of a refusal, and for nothing else."""
    import puremagic

    try:
        guesses = puremagic.magic_string(head[:HEAD])
    except (puremagic.PureError, ValueError):
        return Sentence("is of no kind that is known")
    best = max(guesses, key=lambda guess: guess.confidence)
    return Sentence("looks like {name}", name=(best.name or best.extension)[:109])


def _tail(file: Any, size: int, length: int) -> bytes:
    file.seek(-min(size, length), SEEK_END)
    tail: bytes = file.read(length)
    return tail
