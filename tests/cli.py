"""The command line in this process: `hoso` as the shell has it, without the second of a new one."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from json import loads
from typing import Any

import structlog

from api import cli
from config import log
from config.settings import settings


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return loads(self.out)

    @property
    def sentence(self) -> str:
        """Why it was refused: the last thing on standard error, in one line."""
        assert "Traceback" not in self.err + self.out, self.err
        return self.err.strip().rsplit("hoso: ", 1)[-1]


@contextmanager
def turned(*words: str, **environment: str | None) -> Iterator[None]:
    """This process as it would be at the start of that command, and afterwards as it was."""
    was, arguments, configure = dict(os.environ), sys.argv, log.configure
    for name, value in environment.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    settings.cache_clear()
    for registered in (cli.app.registered_commands, cli.app.registered_groups):
        registered.clear()  # as in a new process: `main` registers them, once each
    sys.argv = ["hoso", *words]
    log.configure = to_stderr  # as there, and undone afterwards
    try:
        yield
    finally:
        structlog.reset_defaults()
        log.configure, sys.argv = configure, arguments
        os.environ.clear()
        os.environ.update(was)
        settings.cache_clear()


def to_stderr(style: str = "auto") -> None:
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))


def run(*words: str, **environment: str | None) -> Answer:
    out, err = StringIO(), StringIO()
    with turned(*words, **environment), redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Answer(code, out.getvalue(), err.getvalue())


async def hoso(*words: object, **environment: str | None) -> Answer:
    """In a thread: commands run loops of their own."""
    return await asyncio.to_thread(run, *map(str, words), **environment)
