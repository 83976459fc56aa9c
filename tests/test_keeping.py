"""What `hoso up` does for its children."""

import sys
import time
from pathlib import Path

from api.cli.keeping import Worker, kept

# Ends when its standard input does, as a worker does, and tells where it began.
CHILD = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x'); sys.stdin.read()"


def begun(log: Path, times: int) -> bool:
    """Whether the child began so many times, within a while."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if log.exists() and len(log.read_text()) >= times:
            return True
        time.sleep(0.05)
    return False


def test_a_worker_that_died_is_begun_again_and_ends_with_us(tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = Worker([sys.executable, "-c", CHILD, str(log)])
    with kept({"worker": worker.look}):
        assert begun(log, 1)
        worker._process.kill()
        assert begun(log, 2)
    worker.close()
    assert worker._process.poll() == 0  # by the pipe, not by a signal
    time.sleep(0.1)
    assert log.read_text() == "xx"
