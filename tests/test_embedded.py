"""What `hoso up` starts, really started: some of it only shows when it is killed."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from flows.server import environment, serving
from states.embedded import Embedded, NotOurs, NotStarted, program, running
from states.embedded.cluster import LONGEST, SOCKET


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Not pytest's folder: that is closed to the account which runs Postgres for root."""
    with tempfile.TemporaryDirectory(prefix="hoso-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def ask(address: str, sql: str) -> object:
    async def answer() -> object:
        connection = await asyncpg.connect(address.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(answer())


def postmaster(server: Embedded) -> int:
    return int((server.data / "postgres" / "postmaster.pid").read_text().split()[0])


def stopped(data: Path) -> bool:
    """Not by the pid: in a container nobody may have buried the dead."""
    return not (data / "postgres" / "postmaster.pid").exists()


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(NotOurs, match=r"holds no hoso\.json"), running(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_no_data_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotOurs, match="cannot be used"), running(tmp_path / "file"):
        pass


@pytest.mark.parametrize("marker", ['{"layout": 2}', '{"layout": "1"}', '{"layout": null}'])
def test_another_layout_is_refused(tmp_path, marker):
    (tmp_path / "hoso.json").write_text(marker)
    with pytest.raises(NotOurs, match="has layout"), running(tmp_path):
        pass
    assert not (tmp_path / "postgres").exists()
    assert (tmp_path / "hoso.json").read_text() == marker


@pytest.mark.parametrize("marker", ["", "[1]", "{}", "3", "layout"])
def test_a_marker_that_says_nothing_is_refused(tmp_path, marker):
    (tmp_path / "hoso.json").write_text(marker)
    with pytest.raises(NotOurs, match="says no layout"), running(tmp_path):
        pass
    assert not (tmp_path / "postgres").exists()


def test_a_new_folder_gets_both_databases_and_durable_settings(data):
    with running(data) as server:
        assert json.loads((data / "hoso.json").read_text()) == {"layout": 1}
        settings = "synchronous_commit fsync full_page_writes jit max_connections max_wal_size"
        shown = [ask(server.owner, f"show {name}") for name in settings.split()]
        assert shown == ["on", "on", "on", "off", "200", "2GB"]
        assert ask(server.owner, "show listen_addresses") == ""
        assert ask(server.owner, "select unaccent('Đỗ Thị Ấn')") == "Do Thi An"
        assert ask(server.owner, "select lower('ĐỖ THỊ ẤN')") == "đỗ thị ấn"
        assert ask(server.owner, "select similarity('Đỗ', 'đỗ')") == 1.0
        assert ask(server.prefect, "select similarity('Đỗ', 'đỗ')") == 1.0
        assert ask(server.prefect, "select current_database()") == "prefect"
        assert "hoso_app@/hoso" in server.application


def test_nobody_else_enters(data):
    with running(data) as server:
        assert server.socket.stat().st_mode & 0o077 == 0


def test_what_was_written_is_there_after_a_stop(data):
    with running(data) as server:
        ask(server.owner, "create table kept as select 42 as figure")
    assert stopped(data)
    with running(data) as server:
        assert ask(server.owner, "select figure from kept") == 42


def test_the_last_one_out_stops_the_server(data):
    with running(data) as first:
        with running(data) as second:
            assert first == second
        assert not stopped(data)
        assert ask(first.owner, "select 1") == 1
    assert stopped(data)


OTHER = """
import sys
from pathlib import Path
from states.embedded import running
with running(Path(sys.argv[1])) as server:
    print("in", flush=True)
    sys.stdin.read()
"""


def other(data: Path) -> subprocess.Popen[str]:
    """A second process that uses the folder until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", OTHER, data],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def test_a_second_process_shares_the_server_and_keeps_it(data):
    with running(data):
        process = other(data)
    with process:
        assert not stopped(data)
        process.communicate()
    assert stopped(data)


def test_a_killed_user_does_not_count(data):
    with running(data):
        with other(data) as process:
            process.kill()
        assert not stopped(data)
    assert stopped(data)


def test_a_server_that_outlived_its_users_is_found_and_stopped(data):
    with other(data) as process:
        process.kill()
    with running(data) as server:
        assert ask(server.owner, "select 1") == 1
    assert stopped(data)


def test_what_was_acknowledged_outlives_a_kill(data):
    with running(data) as server:
        ask(server.owner, "create table sworn as select 7 as figure")
        os.kill(postmaster(server), signal.SIGKILL)
    with running(data) as server:
        assert ask(server.owner, "select figure from sworn") == 7


def test_a_recycled_pid_does_not_stop_the_start(data):
    """After a kill another process of the same account may have the old server's number."""
    with running(data) as server:
        killed = postmaster(server)
        os.kill(killed, signal.SIGKILL)
    account = (data / "postgres").stat()
    with subprocess.Popen(
        ["/bin/sleep", "60"], user=account.st_uid if os.geteuid() == 0 else None
    ) as stranger:
        for name in ("postmaster.pid", f"{SOCKET}.lock"):
            left = data / "postgres" / name
            left.write_text(left.read_text().replace(str(killed), str(stranger.pid)))
        with running(data) as server:
            assert postmaster(server) != stranger.pid
            assert ask(server.owner, "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_a_path_too_long_for_a_socket(data):
    deep = data / ("d" * LONGEST)
    with running(deep) as server:
        assert len(os.fsencode(server.socket / SOCKET)) <= LONGEST
        assert server.socket.stat().st_mode & 0o077 == 0
        assert ask(server.owner, "select 1") == 1
    assert not server.socket.exists()


def test_a_path_with_spaces_and_quotes(data):
    with running(data / "hồ sơ của ta's") as server:
        assert ask(server.owner, "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_opens_no_folder_of_anybody_else(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(NotStarted, match="cannot reach"), running(closed / "data"):
        pass
    assert closed.stat().st_mode & 0o777 == 0o700


def test_the_programs_of_the_wheel_are_found():
    assert os.access(program("pgbench"), os.X_OK)


def test_a_port_in_use_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NotStarted, match=f"Port {port}"), serving(tmp_path, "", port):
            pass


# Prefect's beat of an async run outlives it: on a slow machine the first comes when the process is
# at its end already, and complains. It is waited for, as Prefect itself does for a run that is not.
RUN = """
import asyncio
import threading
from prefect import flow

@flow(persist_result=False)
async def live(at: str) -> int:
    return 1

before = set(threading.enumerate())
assert asyncio.run(live("2025-04-21")) == 1
for thread in set(threading.enumerate()) - before:
    if thread.daemon and "heartbeat" in repr(getattr(thread, "_args", "")):
        thread.join()
"""


@pytest.mark.prefect
def test_a_run_shows_in_prefect_and_on_no_console(data):
    with running(data) as database, serving(data, database.prefect, 0) as server:
        done = subprocess.run(
            [sys.executable, "-c", RUN],
            env=os.environ | environment(server.api, server.home),
            capture_output=True,
            text=True,
            check=True,
        )
        # On a slow machine Prefect's events are still on their way at the exit, and it says so.
        said = [line for line in done.stderr.splitlines() if "EventsWorker - Still" not in line]
        assert (done.stdout, said) == ("", [])
        assert [run["state_name"] for run in runs(server.api)] == ["Completed"]
        with urllib.request.urlopen(server.ui) as page:
            assert b"Prefect" in page.read()
        with pytest.raises(NotStarted, match="another hoso up"), serving(data, "", 0):
            pass
        process = server.process
    assert process.returncode is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port)).close()


def runs(api: str) -> list[dict[str, object]]:
    asking = urllib.request.Request(
        f"{api}/flow_runs/filter", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asking) as answer:
        return json.load(answer)


UP = """
import sys
from pathlib import Path
from config.log import configure
from flows.server import serving
configure("json")
with serving(Path(sys.argv[1]), sys.argv[2], 0) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


@pytest.mark.prefect
def test_an_orphan_is_ended_and_a_death_is_noticed(data):
    with running(data) as database:
        killed = subprocess.Popen(
            [sys.executable, "-c", UP, data, database.prefect],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with killed:
            port = int(killed.stdout.readline())
            killed.kill()
        socket.create_connection(("127.0.0.1", port)).close()  # it outlived its owner
        with serving(data, database.prefect, port) as server:
            with pytest.raises(TimeoutError):
                asyncio.run(asyncio.wait_for(server.death(), 0.1))
            server.process.kill()
            assert "ended with -9" in str(asyncio.run(server.death()))
