"""Work in processes of their own: what is measured shares no interpreter with who measures."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import structlog

Work = Callable[..., None]  # takes its end of the line first; is over when the questions are


@contextmanager
def apart(work: Work, *facts: Any) -> Iterator[Connection]:
    """The line to a fresh interpreter that does this work, once it is ready to be asked."""
    ours, theirs = (spawning := get_context("spawn")).Pipe()
    process = spawning.Process(target=_quietly, args=(work, theirs, *facts), daemon=True)
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


def quiet() -> None:
    """No lines of the log: they are the door's to pay for, and would stand in the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _quietly(work: Work, *facts: Any) -> None:
    quiet()
    work(*facts)
