"""The API as an operator runs it: processes of their own, on a port of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

SECRET = "a secret of the tests, of no other use"


@contextmanager
def serving(
    database: str,
    folder: Path,
    processes: int = 1,
    factory: str = "api.app:create_app",
    **environment: str,
) -> Iterator[tuple[str, list[int]]]:
    """Its address, and the numbers of its processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {"HOSO_DATABASE": database, "HOSO_DATA": str(folder), "HOSO_SECRET": SECRET}
    ours |= {"HOSO_LOG_FORMAT": "json", "HOSO_CALLS": "0", **environment}
    command = [sys.executable, "-m", "uvicorn", "--factory", factory]
    command += ["--port", str(port), "--workers", str(processes), "--log-level", "warning"]
    command += ["--http", "api.heads:Heads", "--limit-concurrency", "5000"]
    address = f"http://127.0.0.1:{port}"
    with (folder / "api.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | ours, stdout=log, stderr=log)
        try:
            _ready(address, process)
            yield address, _children(process.pid) or [process.pid]
        finally:
            process.terminate()
            process.wait()


def _ready(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "it ended: see api.log"
        with suppress(OSError), urlopen(f"{address}/ready") as answer:
            assert answer.status == 200
            return
        time.sleep(0.1)
    raise TimeoutError(address)


def _children(parent: int) -> list[int]:
    told = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(each) for each in told.read_text().split()] if told.exists() else []
