"""A picture of a page with 256 colours: a third of the bytes, and nobody sees it."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
TRUE, WITH_PALETTE = 2, 3  # as PNG numbers its kinds


def lean(png: bytes) -> bytes:
    """The same picture, each colour by the nearest of those that are most frequent in it."""
    parts = list(_parts(png))
    width, height, depth, kind = struct.unpack(">IIBB", parts[0][1][:10])
    assert (depth, kind) == (8, TRUE), "a picture in full colours, as a browser makes it"
    packed = b"".join(data for name, data in parts if name == b"IDAT")
    rows = [
        [row[at : at + 3] for at in range(0, len(row), 3)]
        for row in _rows(zlib.decompress(packed), width * 3)
    ]
    found = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in found.most_common(COLOURS)]
    index = {colour: at for at, colour in enumerate(palette)}
    for colour in found.keys() - index.keys():
        index[colour] = min(range(len(palette)), key=lambda at: _far(palette[at], colour))
    drawn = b"".join(b"\0" + bytes([index[pixel] for pixel in row]) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, WITH_PALETTE, 0, 0, 0)
    made = ((b"IHDR", head), (b"PLTE", b"".join(palette)))
    made += ((b"IDAT", zlib.compress(drawn, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_part(name, data) for name, data in made)


def _far(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _parts(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rows(drawn: bytes, length: int) -> Iterator[bytes]:
    """Each row without the filter that it was packed with."""
    above = bytearray(length)
    for at in range(0, len(drawn), length + 1):
        kind, row = drawn[at], bytearray(drawn[at + 1 : at + 1 + length])
        if kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, above, strict=True))
        elif kind:
            for i in range(length):
                left, corner = (row[i - 3], above[i - 3]) if i >= 3 else (0, 0)
                row[i] = (row[i] + _guess(kind, left, above[i], corner)) & 255
        yield bytes(row)
        above = row


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))
