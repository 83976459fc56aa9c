"""The command line: what it prints, how it ends, and that bad input gets a sentence."""

import asyncio
import csv
import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
import typer
from book import FILE, UNIT, at
from cli import Answer, hoso
from foreign_files import filled, put
from office import address
from sqlalchemy.ext.asyncio import AsyncEngine

from api import cli
from states import catalogue, ledger
from states.breaches.rows import Cause
from states.embedded import Embedded
from states.figures.every import REPORTS
from states.ledger import Act, Lodging
from states.tables import Dossier, Entry
from states.words import Channel, Event, Role

BOOK = catalogue.load()
BY_ITSELF = "2.000033"  # its first stage is taken in without a hand
MARCH = ("--from", "2024-03-01", "--to", "2024-04-01")
MAP = """\
kind: dossiers
zone: Asia/Ho_Chi_Minh
code: Mã
received: Nhận
due: Hẹn
finished: Xong
agency: {default: H42.05}
"""
OTHERS = "other_agencies: true\n"
TABLE = """\
Mã,Nhận,Hẹn,Xong
A-1,2024-03-04T08:00,2024-03-08,2024-03-07
A-2,nothing,2024-03-08,
=A-3,2024-03-05T08:00,2024-03-08,2024-03-05
A-4,2024-03-04T08:00,2024-03-08,2024-03-08
A-5,2024-03-04T08:00,2024-03-08,2024-03-09
A-6,2024-03-04T08:00,2024-03-08,
"""


@pytest.fixture
def here(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Commands find the test's database, and a folder of their own."""
    monkeypatch.setenv("HOSO_DATABASE", address(fresh))
    monkeypatch.setenv("HOSO_DATABASE_OWNER", address(owner))
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return tmp_path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands find no database, and nobody's data."""
    monkeypatch.delenv("HOSO_DATABASE", raising=False)
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    return tmp_path


async def receive(engine: AsyncEngine, count: int = 1) -> list[str]:
    papers = Lodging(unit=UNIT, procedure=BY_ITSELF, channel=Channel.counter, applicant="Ánh")
    brings = {"components": {"don": FILE}}
    act = Act(event=Event.receive, actor="a", role=Role.reception, at=at(0), payload=brings)
    async with engine.begin() as db:
        return [(await ledger.open_(db, BOOK, papers, act)).code for _ in range(count)]


# What there is ------------------------------------------------------------------------------


def commands(of: Any, *before: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(of, "commands"):
        for name, each in of.commands.items():
            yield from commands(each, *before, name)
    else:
        yield before, of


def everything() -> dict[tuple[str, ...], Any]:
    for subject in cli.SUBJECTS:
        import_module(f"api.cli.{subject}").add_to(cli.app)
    return dict(commands(typer.main.get_command(cli.app)))


ALL = everything()


BUNDLE = "import export lint publish"
PROCEDURES = f"list show schema diff retire simulate migrate {BUNDLE}"


def test_the_commands_of_the_design() -> None:
    assert set(ALL) == {
        *((each,) for each in ("up", "demo", "import", "clock", "drive", "sweep", "worker")),
        *((each,) for each in ("migrate", "verify", "draw")),
        *(("report", each) for each in ("list", "freeze", "frozen", "compare", *REPORTS)),
        *((each,) for each in ("classify", "archive")),
        *(("proof", each) for each in ("list", "seen")),
        ("log", "export"),
        *(("procedures", each) for each in PROCEDURES.split()),
        *(("calendars", each) for each in ["list", "show", "versions", "export", "propose"]),
        *(("breaches", each) for each in ("list", "summary", "groups", "compare", "apologies")),
        *(("breaches", each) for each in ("show", "assign", "explain", "close", "reopen")),
        *(("notices", each) for each in ("list", "resend", "try")),
        *(("changes", each) for each in ["list", "show", "approve", "reject", "apply", "undo"]),
        *(("organisation", each) for each in ("show", "queue", *BUNDLE.split())),
        *((of, each) for of in ("regimes", "rules", "plans") for each in ("show", *BUNDLE.split())),
        *(("templates", each) for each in BUNDLE.split()),
        *(("user", each) for each in ("add", "list", "history", "reset", "link", "close", "token")),
        *(("user", "key", each) for each in ("add", "list", "rotate", "revoke")),
    }
    assert {name for names in cli.SUBJECTS.values() for name in names} == {name[0] for name in ALL}


@pytest.mark.parametrize("words", sorted(ALL), ids=" ".join)
async def test_every_command_has_help_and_json(words: tuple[str, ...]) -> None:
    options = {option for each in ALL[words].params for option in each.opts}
    assert "--json" in options
    for asked in ("--help", "-h"):
        answer = await hoso(*words, asked)
        assert (answer.code, answer.err) == (0, "")
        assert "--json" in answer.out
        assert (ALL[words].help or "nothing").split(".")[0].split("\n")[0][:40] in answer.out


async def test_help_names_every_command_and_nothing_is_help() -> None:
    answer = await hoso("--help")
    assert answer.code == 0
    for words in ALL:
        assert f" {words[0]} " in answer.out
    assert (await hoso()).code == 2


# Used wrongly -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "nothing",
        "--nothing",
        "drive --nothing",
        "drive now",
        "report",
        "report bieu07",
        "report bieu06 --policy hour",
        "report bieu06 --format doc",
        "import",
        "import a.csv",
        "import a.csv --map",
        "up --port http",
        "up --port 70000",
        "up --port 0",
        "up --port -1",
        "demo --port 65536",
    ],
)
async def test_used_wrongly_it_says_so(nowhere: Path, words: str) -> None:
    answer = await hoso(*words.split())
    assert answer.code == 2
    said = answer.err + answer.out  # nothing at all is answered with the help
    assert "Usage: " in said or "Error" in said
    assert "Traceback" not in said
    assert not (nowhere / "data").exists()


# Runs ---------------------------------------------------------------------------------------


async def test_drive_and_sweep_are_one_run_each(here: Path, fresh: AsyncEngine) -> None:
    await receive(fresh, 2)
    assert (await hoso("drive", "--json", "--at", "2024-03-01")).json["accept"] == 0
    driven = await hoso("drive", "--json", "--at", "2024-03-04T08:00+07:00")
    assert (driven.code, driven.json) == (0, {"lapse": 0, "digitise": 2, "route": 2, "accept": 2})
    assert (await hoso("drive", "--json")).json["accept"] == 0
    swept = await hoso("sweep", "--at", "2024-03-06")
    assert swept.code == 0
    told = re.findall(r"│ ([a-z-]+) +│ +(\d+) │", swept.out)
    assert {("term-near", "2"), ("term-late", "2"), ("online-late", "0")} <= set(told)
    again = (await hoso("sweep", "--at", "2024-03-06", "--json")).json
    assert set(again.values()) == {0}


async def test_migrate_says_where_the_schema_is(here: Path, owner: AsyncEngine) -> None:
    async with owner.connect() as db:
        known = await db.scalar(sa.text("SELECT version_num FROM alembic_version"))
    answer = await hoso("migrate", "--json")
    assert (answer.code, answer.json) == (0, {"schema": known})
    assert known in (await hoso("migrate")).out


async def test_draw_writes_where_it_is_told(tmp_path: Path) -> None:
    page, none = tmp_path / "page.md", tmp_path / "none.md"
    answer = await hoso("draw", "--json", "--to", page, "--readme", none, "--figures", none)
    assert (answer.code, answer.json) == (0, {"written": [str(page)]})
    assert "stateDiagram-v2" in page.read_text()


# Import -------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return put(tmp_path, "a.csv", TABLE), put(tmp_path, "map.yaml", MAP)


async def test_import_tells_what_came_in_and_why_not(here: Path, files: tuple[Path, Path]) -> None:
    file, by = files
    rows = here / "rows.csv"
    answer = await hoso("import", file, "--map", by, "--json", "--report", rows)
    assert answer.code == 0
    told = answer.json
    assert (told["imported"], told["known"], told["events"]) == (5, 0, 0)
    assert [(each["row"], each["code"]) for each in told["refused"]] == [(3, "A-2")]
    written = list(csv.DictReader(StringIO(rows.read_text(encoding="utf-8-sig"))))
    assert {(each["code"], each["what"]) for each in written} >= {
        ("A-2", "refused"),
        ("'=A-3", "finished_before_receipt"),
    }
    again = await hoso("import", file, "--map", by)
    assert again.code == 0
    assert "0 dossiers imported with 0 events; 5 known already; 1 refused" in again.out
    assert "'nothing' is not a date" in " ".join(again.out.split())


async def test_as_a_program_has_it(here: Path, files: tuple[Path, Path]) -> None:
    """In a process of its own: JSON alone on standard output, and no log beside it."""
    command = [sys.executable, "-W", "error", "-m", "api.cli", "import", files[0], "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, "--map", files[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    assert json.loads(out)["imported"] == 5


async def test_a_proposed_map_can_be_used(here: Path, files: tuple[Path, Path]) -> None:
    table = TABLE.replace("Mã,", "Mã hồ sơ,").replace("Nhận", "Ngày tiếp nhận")
    file = put(here, "b.csv", table.replace("A-2,nothing", "A-2,2024-03-04T08:00"))
    proposed = await hoso("import", file, "--suggest-map")
    assert proposed.code == 0
    by = put(here, "proposed.yaml", proposed.out)
    left = await hoso("import", file, "--map", by)
    assert (left.code, "must be filled in" in left.sentence) == (1, True)
    by = put(here, "proposed.yaml", filled(proposed.out))
    answer = await hoso("import", file, "--map", by, "--json")
    assert answer.json["imported"] == 6
    assert (await hoso("import", file, "--suggest-map", "--json")).json == {"map": proposed.out}


async def test_a_file_that_breaks_is_refused_with_what_was_whole_taken(
    here: Path, fresh: AsyncEngine
) -> None:
    whole = '<trace><string key="concept:name" value="c1"/>'
    whole += '<date key="start" value="2024-03-04T08:00:00+07:00"/></trace>'
    by = put(
        here,
        "log.yaml",
        "kind: log\nzone: Asia/Ho_Chi_Minh\ncode: concept:name\nreceived: start\n"
        "agency: {default: X}\nother_agencies: true\n"
        "event: {name: concept:name, at: time:timestamp}\n",
    )
    answer = await hoso("import", put(here, "a.xes", f"<log>{whole}<tr"), "--map", by, "--json")
    assert answer.code == 1
    assert "a.xes is broken" in answer.sentence
    assert answer.json["imported"] == 1
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(Dossier.code))).scalars().all() == ["c1"]


GARBAGE = bytes(range(256)) * 4_000


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("none.csv", None, "there is no such file"),
        ("empty.csv", b"", "the file is empty"),
        ("a.pdf", GARBAGE, "not a kind of file we read"),
        ("a.xes", GARBAGE, "a.xes"),
        ("a.csv", GARBAGE, "a.csv"),
        ("a.xlsx", GARBAGE, "not a workbook"),
        ("b.xlsx", b"PK\x03\x04" + GARBAGE, "b.xlsx"),
        ("a.xes.gz", b"\x1f\x8b" + GARBAGE, "a.xes.gz"),
        ("b.csv", "Ma,Nhan\n1,2\n".encode("utf-16"), "b.csv"),
        ("c.csv", b"code,when\n1,2\n", "no such column"),
    ],
)
async def test_a_file_that_is_none_gets_a_sentence(
    here: Path, fresh: AsyncEngine, name: str, content: bytes | None, why: str
) -> None:
    by = put(here, "map.yaml", MAP)
    file = here / name if content is None else put(here, name, content)
    for words in (("--map", by), ("--map", by, "--json")):
        answer = await hoso("import", file, *words)
        assert answer.code == 1
        assert why in answer.sentence
    proposed = await hoso("import", file, "--suggest-map")
    assert proposed.code in {0, 1}
    assert "Traceback" not in proposed.err
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(Dossier.id))).all() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "none.yaml"),
        ("", "map.yaml"),
        ("kind: [", "map.yaml, line"),
        (MAP + "colour: red\n", "colour"),
        (MAP.replace("dossiers", "novel"), "map.yaml, line 1, column 1, kind"),
        (MAP.replace("Asia/Ho_Chi_Minh", "Mars"), "must be a time zone"),
        (MAP + "calendar: mars\n", "no calendar 'mars'"),
        ("\x00", "map.yaml"),
        ("!!python/object/apply:os.system [id]", "map.yaml"),
    ],
)
async def test_a_map_that_is_none_gets_a_sentence(
    here: Path, files: tuple[Path, Path], text: str | None, why: str
) -> None:
    by = here / "none.yaml" if text is None else put(here, "map.yaml", text)
    answer = await hoso("import", files[0], "--map", by)
    assert answer.code == 1
    assert why in answer.sentence


@pytest.mark.parametrize("place", ["none/rows.csv", "folder", "a.csv/rows.csv"])
async def test_a_report_that_cannot_be_written_is_told_before_anything_is_done(
    here: Path, files: tuple[Path, Path], fresh: AsyncEngine, place: str
) -> None:
    (here / "folder").mkdir()
    file, by = files
    answer = await hoso("import", file, "--map", by, "--report", here / place)
    assert answer.code == 1
    assert str(here / place) in answer.sentence
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(Dossier.id))).all() == []
    for form in ("csv", "xlsx"):
        answer = await hoso("report", "bieu06", "--format", form, "--output", here / place)
        assert answer.code == 1
        assert str(here / place) in answer.sentence


# Reports ------------------------------------------------------------------------------------


async def imported(files: tuple[Path, Path]) -> None:
    answer = await hoso("import", files[0], "--map", files[1])
    assert answer.code == 0, answer.err


async def test_bieu06_as_a_table(here: Path, files: tuple[Path, Path]) -> None:
    await imported(files)
    answer = await hoso("report", "bieu06", *MARCH)
    assert answer.code == 0
    assert "01/03/2024 – 31/03/2024" in answer.out
    assert "xếp loại như đã chốt / classes as frozen" in answer.out
    [total] = [line.split() for line in answer.out.splitlines() if "Tổng / Total" in line]
    assert total[-11:] == ["5", "0", "5", "0", "4", "2", "1", "1", "1", "0", "1"]
    assert "75.00% of resolved (3 of 4)" in answer.out
    assert "trên tổng tiếp nhận (3 trong 5)" in answer.out
    assert "do not balance" not in answer.out


async def test_bieu06_as_json(here: Path, files: tuple[Path, Path]) -> None:
    await imported(files)
    told = (await hoso("report", "bieu06", *MARCH, "--json")).json
    again = (await hoso("report", "bieu06", *MARCH, "--format", "json")).json
    assert told == again | {"made_at": told["made_at"]}
    assert (told["from"], told["to"]) == ("2024-03-01T00:00:00+07:00", "2024-04-01T00:00:00+07:00")
    assert (told["policy"], told["total"]["received"], told["total"]["balances"]) == (None, 5, True)
    assert [row["agency"] for row in told["rows"]] == ["H42.05"]
    rates = [(each["of"], each["part"], each["whole"]) for each in told["total"]["on_time_rates"]]
    assert rates == [("resolved", 3, 4), ("received", 3, 5)]
    other = (await hoso("report", "bieu06", *MARCH, "--agency", "H42.07", "--json")).json
    assert (other["rows"], other["total"]["received"]) == ([], 0)
    unknown = await hoso("report", "bieu06", *MARCH, "--agency", "H42.99")
    assert unknown.code == 1
    assert "there is no agency H42.99: there are H42.02" in unknown.sentence
    assert (await hoso("report", "bieu06", *MARCH, "--policy", "instant", "--json")).json["policy"]


LINES = [
    ["", "Tổng / Total", "5", "0", "5", "0", "4", "2", "1", "1", "1", "0", "1", "0"],
]


async def test_bieu06_as_csv(here: Path, files: tuple[Path, Path]) -> None:
    await imported(files)
    printed = await hoso("report", "bieu06", *MARCH, "--format", "csv")
    rows = list(csv.reader(StringIO(printed.out)))
    assert rows[0][:4] == ["agency", "name", "received", "online"]
    assert rows[1][0] == "H42.05"
    assert rows[2:] == [[*LINES[0], "75.0", "60.0"]]
    file = here / "form.csv"
    answer = await hoso("report", "bieu06", *MARCH, "--format", "csv", "--output", file)
    assert (answer.code, answer.out) == (0, "")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")  # or Excel reads Vietnamese as Latin
    assert list(csv.reader(StringIO(file.read_text(encoding="utf-8-sig")))) == rows


async def test_bieu06_as_a_workbook(here: Path, files: tuple[Path, Path]) -> None:
    await imported(files)
    file = here / "form.xlsx"
    answer = await hoso("report", "bieu06", *MARCH, "--format", "xlsx", "--output", file)
    assert answer.code == 0
    sheet = openpyxl.load_workbook(file).active
    rows = [[cell.value for cell in row] for row in sheet.rows]
    [total] = [row for row in rows if row[1] == "Tổng / Total"]
    assert [str(value or "") if value != 0 else "0" for value in total[:14]] == LINES[0]
    assert total[14:] == [0.75, 0.6]
    assert "01/03/2024 – 31/03/2024" in rows[0][0]
    [heads] = [n for n, row in enumerate(rows) if row[2] == "Tổng số\nAll"]
    assert rows[heads + 1][:4] == ["(1)", "(2)", "(3)", "(4)"]
    assert sheet.freeze_panes == f"C{heads + 3}"
    assert any("60.00% of received (3 of 5)" in str(row[0]) for row in rows)


async def test_names_that_look_like_formulas_stay_names(
    here: Path, files: tuple[Path, Path]
) -> None:
    evil = OTHERS + MAP.replace("H42.05", "'=HYPERLINK(\"http://evil\")'")
    by = put(here, "evil.yaml", evil)
    assert (await hoso("import", files[0], "--map", by)).code == 0
    printed = (await hoso("report", "bieu06", *MARCH, "--format", "csv")).out
    cells = [cell for row in csv.reader(StringIO(printed)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith("=")]
    table = await hoso("report", "bieu06", *MARCH)
    assert (table.code, "HYPERLINK" in table.out) == (0, True)


async def test_names_that_look_like_markup_are_printed(
    here: Path, files: tuple[Path, Path]
) -> None:
    by = put(here, "odd.yaml", OTHERS + MAP.replace("H42.05", "'[/red] [x](y)'"))
    file = put(here, "odd.csv", TABLE.replace("A-2,nothing", "A-2,[/bold]"))
    assert (answer := await hoso("import", file, "--map", by)).code == 0
    assert "[/bold]" in answer.out
    table = await hoso("report", "bieu06", *MARCH)
    assert table.code == 0
    assert "[/red]" in table.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("report bieu06 --from yesterday", "'yesterday' is no date"),
        ("report bieu06 --from 2024-02-30", "is no date"),
        ("report bieu06 --from 2024-02-01 --to 2024-01-01", "ends before it begins"),
        ("report bieu06 --from 0001-01-01", "0001-01-01"),
        ("report bieu06 --to 9999-12-31T23:59-12:00", "9999-12-31"),
        ("report bieu06 --format xlsx", "name it with --output"),
        ("drive --at noon", "'noon' is no date"),
        ("drive --at 0001-01-01", "0001-01-01"),
        ("sweep --at 9999-12-31T23:59-12:00", "9999-12-31"),
        ("draw --to none/page.md", "no folder none"),
        ("draw --to /", "/"),
    ],
)
async def test_bad_input_gets_a_sentence(here: Path, words: str, why: str) -> None:
    answer = await hoso(*words.split())
    assert answer.code == 1
    assert why in answer.sentence


# Verify -------------------------------------------------------------------------------------


async def test_verify_holds_and_then_names_the_line_that_was_changed(
    here: Path, fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    first, second = await receive(fresh, 2)
    assert (await hoso("drive", "--at", "2024-03-04T08:00+07:00")).code == 0
    holds = await hoso("verify", "--json")
    assert holds.code == 0
    told = holds.json
    assert (told["dossiers"], told["entries"], told["faults"]) == (2, 8, [])
    assert "2 dossiers, 8 entries" in (await hoso("verify")).out
    async with owner.begin() as db:
        mine = sa.select(Dossier.id).where(Dossier.code == second).scalar_subquery()
        line = sa.update(Entry).where(Entry.dossier_id == mine, Entry.seq == 3)
        await db.execute(line.values(actor="somebody else"))
    broken = await hoso("verify", "--json")
    assert broken.code == 1
    faults = [each for each in broken.json["faults"] if not each.startswith("anchor")]
    assert faults == [f"{second}, line 3: its hash is not that of its text: it was altered"]
    assert faults[0] in broken.sentence
    assert first not in broken.out
    told = await hoso("verify")
    assert (told.code, faults[0] in told.out) == (1, True)


async def test_verify_signs_what_holds_and_nothing_else(here: Path, fresh: AsyncEngine) -> None:
    await receive(fresh)

    async def anchors() -> int:
        async with fresh.connect() as db:
            return len((await db.execute(sa.text("SELECT 1 FROM anchor"))).all())

    assert (await hoso("verify", "--no-anchor")).code == 0
    assert await anchors() == 0
    for _ in range(20):  # what is open elsewhere in the cluster is not signed over
        assert (await hoso("verify")).code == 0
        if await anchors():
            break
    assert await anchors() == 1
    assert (here / "data" / "secret").stat().st_mode & 0o077 == 0
    (here / "data" / "anchor.key").write_text("a key of somebody else, as long as ours")
    answer = await hoso("verify")
    assert answer.code == 1
    assert "its signature is not ours" in answer.sentence


# Places -------------------------------------------------------------------------------------

ON_DATA = ["verify", "worker", "drive", "sweep", "report bieu06"]
MAKING = ["migrate", "up --port 18600", "demo --once --port 18600"]


@pytest.mark.parametrize("words", ON_DATA)
async def test_where_there_is_nothing_it_says_how_to_begin(nowhere: Path, words: str) -> None:
    answer = await hoso(*words.split())
    assert answer.code == 1
    assert "start with `hoso up` or `hoso demo`" in answer.sentence
    assert not (nowhere / "data").exists()


@pytest.mark.parametrize("words", MAKING)
async def test_a_folder_of_somebody_else_is_left_alone(nowhere: Path, words: str) -> None:
    letter = put(nowhere, "letter.txt", "dear")
    answer = await hoso(*words.split(), "--data", nowhere)
    assert answer.code == 1
    assert "not a data folder of hoso" in answer.sentence
    answer = await hoso(*words.split(), "--data", letter)
    assert answer.code == 1
    assert "cannot be used as the data folder" in answer.sentence
    assert os.listdir(nowhere) == ["letter.txt"]  # noqa: PTH208  an async test may not use pathlib


async def test_a_port_in_use_is_told_before_anything_starts(nowhere: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for command in ("up", "demo"):
            answer = await hoso(command, "--port", port)
            assert answer.code == 1
            assert f"port {port} of 127.0.0.1 is in use" in answer.sentence
    assert not (nowhere / "data").exists()


async def test_one_that_runs_already_is_told_before_anything_starts(nowhere: Path) -> None:
    folder = nowhere / "data" / "prefect"
    folder.mkdir(parents=True)
    with (folder / "owner").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)  # as a server of ours holds it
        for command in ("up", "demo"):
            answer = await hoso(command, "--data", nowhere / "data")
            assert answer.code == 1
            assert answer.sentence == f"another hoso up is running on {nowhere}/data: stop it first"
    assert os.listdir(nowhere / "data") == ["prefect"]  # noqa: PTH208  as above


async def test_the_causes_of_a_breach_are_all_named() -> None:
    told = " ".join((await hoso("breaches", "explain", "--help")).out.replace("│", " ").split())
    assert f"{', '.join([*Cause][:-1])} or {[*Cause][-1]}." in told


async def test_a_list_of_nothing_says_so(here: Path) -> None:
    assert (await hoso("breaches", "list")).out.endswith("Breaches: không có gì / nothing.\n")
    assert (await hoso("breaches", "list", "--json")).json == []


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"HOSO_PORT": "many"}, "HOSO_PORT"),
        ({"HOSO_DATBASE": "x"}, "did you mean HOSO_DATABASE?"),
        ({"HOSO_DATABASE": "mysql://x/y"}, "HOSO_DATABASE"),
        ({"HOSO_DATABASE": "postgresql://u:secret@127.0.0.1:1/hoso"}, "127.0.0.1:1/hoso"),
        ({"HOSO_DATABASE": "postgresql://u:secret@host.invalid/hoso"}, "host.invalid"),
    ],
)
async def test_a_place_that_is_none_gets_a_sentence(
    nowhere: Path, environment: dict[str, str], why: str
) -> None:
    for words in ("verify", "drive", "migrate", "report bieu06"):
        answer = await hoso(*words.split(), **environment)
        assert answer.code == 1
        assert why in answer.sentence
        assert "secret" not in answer.err


async def test_a_database_that_is_not_there_gets_a_sentence(here: Path, server: Embedded) -> None:
    none = {"HOSO_DATABASE": server.address("no_such_one", "hoso_app")}
    answer = await hoso("verify", **none)
    assert answer.code == 1
    assert "no_such_one" in answer.sentence


@pytest.fixture
async def newer(owner: AsyncEngine) -> AsyncIterator[None]:
    """The database as a newer version of ours would leave it."""
    version = sa.text("UPDATE alembic_version SET version_num = :to")
    async with owner.begin() as db:
        known = await db.scalar(sa.text("SELECT version_num FROM alembic_version"))
        await db.execute(version, {"to": "9999"})
    yield
    async with owner.begin() as db:
        await db.execute(version, {"to": known})


@pytest.mark.usefixtures("newer")
async def test_a_newer_schema_is_said_and_left_alone(
    here: Path, owner: AsyncEngine, files: tuple[Path, Path]
) -> None:
    port = free()
    for words in (*ON_DATA, "migrate", f"up --port {port}", f"demo --port {port}"):
        answer = await hoso(*words.split())
        assert answer.code == 1, words
        assert "schema 9999, which a newer hoso wrote" in answer.sentence
    answer = await hoso("import", files[0], "--map", files[1])
    assert (answer.code, "9999" in answer.sentence) == (1, True)
    async with owner.connect() as db:
        assert await db.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def test_an_empty_database_is_told_and_then_migrated(
    here: Path, owner: AsyncEngine, server: Embedded, database: str
) -> None:
    name = f"empty_{database}"
    async with owner.connect() as db:
        apart = await db.execution_options(isolation_level="AUTOCOMMIT")
        await apart.execute(sa.text(f"CREATE DATABASE {name}"))
    roles = {"HOSO_DATABASE": "hoso_app", "HOSO_DATABASE_OWNER": "postgres"}
    empty = {variable: server.address(name, role) for variable, role in roles.items()}
    answer = await hoso("verify", **empty)
    assert answer.code == 1
    assert "has schema none" in answer.sentence
    assert "run `hoso migrate`" in answer.sentence
    assert (await hoso("migrate", **empty)).code == 0
    assert (await hoso("verify", "--json", **empty)).json["dossiers"] == 0


# A Prefect server that is not what it should be ------------------------------------------------


@pytest.mark.parametrize(
    "note", ["", "[]", "{}", '{"prefect": 1}', '{"prefect": "http://127.0.0.1:1/api"}', "\x00"]
)
async def test_a_stale_note_of_a_server_is_no_server(
    here: Path, fresh: AsyncEngine, note: str
) -> None:
    (here / "data").mkdir()
    put(here / "data", "up.json", note)
    await receive(fresh)
    assert (await hoso("drive", "--json")).json["accept"] == 1


async def test_a_stranger_at_the_noted_port_is_no_server(here: Path, fresh: AsyncEngine) -> None:
    (here / "data").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as stranger:

        def answer() -> None:
            caller, _ = stranger.accept()
            caller.recv(1000)
            caller.sendall(b"SSH-2.0-OpenSSH\r\n")
            caller.close()

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{stranger.getsockname()[1]}/api"
        put(here / "data", "up.json", json.dumps({"prefect": address}))
        told = await hoso("drive", "--json")
        thread.join()
    assert (told.code, told.json["accept"]) == (0, 0)
    assert "PREFECT_API_URL" not in os.environ


def test_an_answer_is_what_a_shell_has() -> None:
    answer: Any = Answer(1, '{"a": 1}', "noise\nhoso: no such thing\n")
    assert (answer.json, answer.sentence) == ({"a": 1}, "no such thing")
