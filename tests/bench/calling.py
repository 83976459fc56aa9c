"""A process full of callers: each on a connection of their own, moving their own dossiers by HTTP.

It speaks the little of HTTP that this takes by itself: a client library would take more of the
machine than the server that is measured.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle
from multiprocessing.connection import Connection

from apart import asked

FORTH = ("advance", {"payload": {"produced": ["Phiếu trình giải quyết"]}})
BACK = ("send_back", {"reason": "again"})


def callers(
    line: Connection, port: int, tokens: Mapping[str, str], codes: Sequence[str], many: int
) -> None:
    """Asked for a number of seconds, answers how long each move in that time took. Seconds."""
    asyncio.run(_callers(line, port, tokens, codes, many))


async def _callers(
    line: Connection, port: int, tokens: Mapping[str, str], codes: Sequence[str], many: int
) -> None:
    ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(many)]
    todo = [_todo(codes[n::many], tokens) for n in range(many)]
    for seconds in asked(line):
        end = time.perf_counter() + seconds
        each = (_caller(*its, mine, end) for its, mine in zip(ends, todo, strict=True))
        line.send([one for took in await asyncio.gather(*each) for one in took])
    for _, writer in ends:
        writer.close()


def _todo(codes: Sequence[str], tokens: Mapping[str, str]) -> Iterator[bytes]:
    """Every dossier to its second stage, every one back, and again."""
    keys = count()
    for event, asks in cycle((FORTH, BACK)):
        body = json.dumps(asks).encode()
        for code in codes:
            head = (
                f"POST /v1/dossiers/{code}/events/{event} HTTP/1.1\r\nHost: bench\r\n"
                f"Authorization: Bearer {tokens[event]}\r\nContent-Type: application/json\r\n"
                f"Idempotency-Key: {code}-{next(keys)}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            yield head.encode() + body


async def _caller(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, todo: Iterator[bytes], end: float
) -> list[float]:
    took = []
    while (begin := time.perf_counter()) < end:
        writer.write(next(todo))
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        assert head.startswith("http/1.1 200"), body
        took.append(time.perf_counter() - begin)
    return took
