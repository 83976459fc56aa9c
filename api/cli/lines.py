"""A line in, a line out: a stream of questions answered in order, in bounded memory."""

import os
from collections.abc import Callable, Iterator
from signal import SIG_IGN, SIGINT, signal
from threading import Event, Semaphore

import typer

from states.errors import HosoError

CHUNK = 1 << 16  # bytes read at a time, at most
LONGEST = 1_000_000  # bytes of one line
CROWD = 2000  # lines after which other cores are worth their start
AHEAD = 16  # chunks read before the first of them is answered

Batch = list[bytes | None]  # lines; None is one too long to be kept
Source = Callable[[int], bytes]  # as `standard_input`
Answers = Callable[[Batch], bytes]


def standard_input(size: int) -> bytes:
    """As much of standard input as has come, up to `size` bytes; none at its end."""
    try:
        return os.read(0, size)
    except OSError as wrong:
        raise HosoError(f"the questions cannot be read: {wrong.strerror}") from wrong


def answer_all(source: Source, answers: Answers) -> None:
    """Write the answers to every line as soon as it is there; to a long file by all cores."""
    lines, answered = batches(source), 0
    for batch in lines:
        write(answers(batch))
        answered += len(batch)
        if answered > CROWD:
            _by_all_cores(lines, answers)


def _by_all_cores(lines: Iterator[Batch], answers: Answers) -> None:
    from multiprocessing import Pool

    ahead, over = Semaphore(AHEAD), Event()

    def paced() -> Iterator[Batch]:  # or the pool would take all there is, at once
        for batch in lines:
            ahead.acquire()
            if over.is_set():
                return
            yield batch

    # An interrupt is for this process to answer, not for each of them.
    with Pool(min(os.cpu_count() or 1, 4), signal, (SIGINT, SIG_IGN)) as pool:
        try:
            for done in pool.imap(answers, paced()):
                write(done)
                ahead.release()
        finally:
            over.set()
            ahead.release()


def batches(source: Source) -> Iterator[Batch]:
    """The lines of a stream, as many at a time as have arrived.

    So whoever writes one line and waits for its answer gets it.
    """
    rest, dropped = bytearray(), False
    while chunk := source(CHUNK):
        head, *others = chunk.split(b"\n")
        rest += head
        if len(rest) > LONGEST:
            rest.clear()
            dropped = True
        if others:
            *whole, last = others
            yield [None if dropped else bytes(rest), *whole]
            rest, dropped = bytearray(last), False
    yield [None if dropped else bytes(rest)]


def write(data: bytes) -> None:
    """To standard output; quietly over when nobody reads it any more."""
    try:
        with open(1, "wb", closefd=False) as output:
            output.write(data)
    except BrokenPipeError:
        raise typer.Exit from None
    except OSError as wrong:
        raise HosoError(f"the answer cannot be written: {wrong.strerror}") from wrong
