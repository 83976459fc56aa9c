"""What `hoso up` does while it serves: keeps its children alive, and takes them with it.

Postgres, Prefect and the worker are looked at every other second; one that died is begun again, and
the log says so. The worker holds the other end of a pipe of ours: however we end, it ends too.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import structlog

from flows.server import Server
from states import embedded
from states.errors import HosoError

log = structlog.get_logger()

LOOK = 2.0  # seconds between two looks
GRACE = 15.0  # seconds a child has to end
LONGEST = 60.0  # seconds between two tries to begin again what does not stay up


class Prefect:
    """The Prefect server, begun again when it died."""

    def __init__(self, serving: Callable[[], AbstractContextManager[Server]]) -> None:
        self._serving, self._stack = serving, ExitStack()

    def __enter__(self) -> Server:
        self.server = self._stack.enter_context(self._serving())
        return self.server

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self) -> None:
        """Begin it again if it died. Raises what hinders that."""
        if (code := self.server.process.poll()) is not None:
            log.error("prefect.ended", code=code)
            self._stack.close()
            self.__enter__()


class Worker:
    """A worker beside us, begun again when it died."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603  our own command

    def look(self) -> None:
        """Begin it again if it died."""
        if (code := self._process.poll()) is not None:
            log.error("worker.ended", code=code)
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = self._begin()

    def close(self) -> None:
        """End it, and wait until it has: by the pipe first, for a signal would break off a run."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def postgres(data: Path) -> None:
    """Begin the embedded server again if it died; nothing happens while it lives."""
    with embedded.running(data):
        pass


@contextmanager
def kept(looks: dict[str, Callable[[], None]]) -> Iterator[None]:
    """Look at each child every other second, as long as the block lasts."""
    over = threading.Event()
    watching = [
        threading.Thread(target=_watch, args=(name, look, over), daemon=True)
        for name, look in looks.items()
    ]
    for each in watching:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in watching:
            each.join(GRACE)


def _watch(name: str, look: Callable[[], None], over: threading.Event) -> None:
    """Look until it is over; what cannot be begun is tried again, less and less often."""
    pause = LOOK
    while not over.wait(pause):
        since = time.monotonic()
        try:
            look()
        except (HosoError, OSError) as error:
            log.error("child.not_begun", child=name, reason=str(error))  # noqa: TRY400  it is told
            pause = min(2 * pause, LONGEST)
        else:
            pause = LOOK if time.monotonic() - since < LOOK else min(2 * pause, LONGEST)
