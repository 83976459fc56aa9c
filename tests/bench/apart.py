"""Work in processes of their own: what is measured must not share an interpreter with the measurer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

Work = Callable[..., None]  # takes its end of the line first; ends when it hears None


@contextmanager
def apart(work: Work, *facts: Any) -> Iterator[Connection]:
    """The line to a fresh interpreter that does this work. It says `ready` when it is."""
    ours, theirs = (spawning := get_context("spawn")).Pipe()
    process = spawning.Process(target=work, args=(theirs, *facts), daemon=True)
    process.start()
    theirs.close()
    with ours:
        assert ours.recv() == "ready"
        yield ours
        ours.send(None)
        process.join()


def asked(line: Connection) -> Iterator[Any]:
    """The questions that come down the line, until there are no more."""
    line.send("ready")
    yield from iter(line.recv, None)
