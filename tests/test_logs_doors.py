"""The event log as people get it: by the command line, over HTTP, and back again."""

import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from book import at
from cli import hoso
from databases import alone, run_as_owner
from log_schemas import checked_ocel
from office import LEADER, LICENCE, OFFICER, RECEPTION, Office, address, running, told
from sqlalchemy.ext.asyncio import AsyncEngine
from test_intake_files import RECEIPT
from test_logs import rows, traces

from states import catalogue, logs
from states.db import engine as db_engine
from states.intake import load, read
from states.intake.taking import take
from states.seeing import look

CONTROL = {"Hoso-Person": "p-control-01"}
NAME = "Nguyễn Thị Ánh"
SAMPLE = Path(catalogue.__file__).parents[2] / "config/sample"
real = pytest.mark.skipif(
    not RECEIPT.exists(), reason="the real log, ../shared/data/receipt.xes.gz, is not here"
)


@pytest.fixture
async def office(fresh: AsyncEngine, tmp_path: Path) -> AsyncIterator[Office]:
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
def here(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("HOSO_DATABASE", address(fresh))
    monkeypatch.setenv("HOSO_DATABASE_OWNER", address(owner))
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    return tmp_path


# Over HTTP ------------------------------------------------------------------------------------


async def log(office: Office, who: dict[str, str], **asked: Any) -> Any:
    answer = await office.client.get("/v1/reports/log", params=asked, headers=who)
    assert answer.status_code == 200, answer.text
    return answer


async def test_each_form_is_a_file_of_its_kind(office: Office) -> None:
    code = await office.processing()
    answer = await log(office, CONTROL)
    assert list(traces(answer.content)) == [code]
    assert answer.headers["Content-Type"] == "application/xml"
    assert 'filename="hoso.xes"' in answer.headers["Content-Disposition"]
    answer = await log(office, CONTROL, format="csv")
    assert [row["activity"] for row in rows(answer.content)] == [
        "receive", "digitise", "route", "accept",
    ]  # fmt: skip
    answer = await log(office, CONTROL, format="ocel")
    assert answer.headers["Content-Type"] == "application/json"
    assert len(checked_ocel(answer.json())["events"]) == 4


async def test_everybody_has_a_log_of_what_they_see(office: Office) -> None:
    code = await office.processing()
    for who in (LEADER, OFFICER, RECEPTION):
        assert list(traces((await log(office, who)).content)) == [code]
    elsewhere = {"Hoso-Person": "p-labour-director"}
    assert traces((await log(office, elsewhere)).content) == {}


async def test_a_period_an_agency_and_a_procedure(office: Office) -> None:
    code = await office.processing()
    later = {"from": "2024-03-04T08:00:00+07:00", "to": "2024-03-04T08:00:01+07:00"}
    for asked, found in (
        ({"agency": "H42.03", "procedure": LICENCE}, [code]),
        ({"agency": "H42.02"}, []),
        ({"procedure": "1.000000"}, []),
        (later, [code]),
        ({"to": "2024-03-04T08:00:00+07:00"}, []),
    ):
        assert list(traces((await log(office, CONTROL, **asked)).content)) == found
    answer = await office.client.get(
        "/v1/reports/log", params={"from": later["to"], "to": later["from"]}, headers=CONTROL
    )
    assert "ends before it begins" in told(answer, 422, "bad-input")["detail"]


async def test_people_for_a_reason_that_is_kept(office: Office, fresh: AsyncEngine) -> None:
    code = await office.processing()
    plain = (await log(office, CONTROL)).text
    assert NAME not in plain
    assert "p-sci-officer-21" not in plain
    answer = await office.client.get("/v1/reports/log", params={"people": "true"}, headers=CONTROL)
    assert "say why" in told(answer, 422, "bad-input")["detail"]
    async with fresh.connect() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(look)) == 0
    whole = (await log(office, CONTROL, people="true", reason="Thanh tra 12/2024")).text
    assert NAME in whole
    assert "p-sci-officer-21" in whole
    async with fresh.connect() as db:
        (kept,) = (await db.execute(sa.select(look))).mappings().all()
    assert (kept["person"], kept["reason"]) == ("p-control-01", "Thanh tra 12/2024")
    assert kept["door"] == "GET /v1/reports/log"
    looks = await office.client.get(f"/v1/dossiers/{code}/looks", headers=CONTROL)
    assert [each["reason"] for each in looks.json()["looks"]] == ["Thanh tra 12/2024"]


async def test_a_log_holds_no_transaction_while_it_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches there is none that a vacuum or another request would wait for."""
    for _ in range(3):
        await office.code()
    monkeypatch.setattr("states.logs.reading.BATCH", 1)
    pool = office.app.state.house.engine.pool
    source = logs.Source(office.app.state.house.engine)
    held = [(len(chapters), pool.checkedout()) async for chapters in source.chapters()]
    assert held == [(1, 0)] * 3


async def test_a_database_that_goes_away_ends_the_connection(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything was sent it is said; after, the file is not to be taken for whole."""
    for _ in range(3):
        await office.code()
    monkeypatch.setattr("states.logs.reading.BATCH", 1)
    true = logs.Source._cases
    asked = []

    def failing(after: int) -> Any:
        async def cases(self: Any, db: Any, where: Any) -> Any:
            asked.append(1)
            if len(asked) > after:
                raise ConnectionResetError
            return await true(self, db, where)

        return cases

    monkeypatch.setattr(logs.Source, "_cases", failing(0))
    answer = await office.client.get("/v1/reports/log", headers=CONTROL)
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        503, "application/problem+json",
    )  # fmt: skip
    asked.clear()
    monkeypatch.setattr(logs.Source, "_cases", failing(2))
    from api.logs import Cut, _told

    export = logs.Export(
        logs.Source(office.app.state.house.engine), logs.Form.csv, logs.as_they_are, at(0).tzinfo
    )
    sent: list[bytes] = []

    async def read_on() -> None:
        async for piece in _told(export):
            sent.append(piece)  # noqa: PERF401  what came before it broke off is looked at

    with pytest.raises(Cut):
        await read_on()
    assert len(rows(b"".join(sent))) == 2


# By the command line ---------------------------------------------------------------------------


async def test_a_log_in_a_file(here: Path, office: Office) -> None:
    code = await office.processing()
    for form in logs.Form:
        file = here / f"log.{form}"
        answer = await hoso("log", "export", "--format", form, "--output", file)
        assert (answer.code, answer.err) == (0, "")
        assert "1 dossiers, 4 events" in answer.out
        assert "pseudonyms" in answer.out
        assert code.encode() in file.read_bytes()
    packed = here / "log.xes.gz"
    answer = await hoso("log", "export", "--output", packed, "--json")
    assert (answer.json["dossiers"], answer.json["events"]) == (1, 4)
    assert gzip.decompress(packed.read_bytes()) == (here / "log.xes").read_bytes()


async def test_the_form_is_that_of_the_ending(here: Path, office: Office) -> None:
    await office.processing()
    begins = {"log.csv": b"case,", "log.json": b"{", "log.xml": b"<?xml", "log": b"<?xml"}
    for name, first in begins.items():
        answer = await hoso("log", "export", "--output", here / name)
        assert (answer.code, answer.err) == (0, ""), name
        assert (here / name).read_bytes().startswith(first), name
    answer = await hoso("log", "export", "--output", here / "log.csv.gz")
    assert gzip.decompress((here / "log.csv.gz").read_bytes()).startswith(b"case,")
    wrong = here / "wrong.csv"
    answer = await hoso("log", "export", "--format", "xes", "--output", wrong)
    assert "wrong.csv ends as csv does, and --format says xes" in answer.sentence
    assert not wrong.exists()


async def test_people_by_name_and_reason(here: Path, office: Office, fresh: AsyncEngine) -> None:
    await office.processing()
    file = here / "log.csv"
    asked = ("log", "export", "--format", "csv", "--output", file)
    answer = await hoso(*asked, "--with-people", "--reason", "Thanh tra")
    assert answer.code == 2
    assert "--by" in answer.err
    answer = await hoso(*asked, "--reason", "Thanh tra")
    assert answer.code == 2
    why = ("--with-people", "--reason", "Thanh tra", "--by")
    answer = await hoso(*asked, *why, "p-nobody")
    assert answer.code == 1
    assert "there is no person p-nobody" in answer.sentence
    assert not file.exists()
    answer = await hoso(*asked, *why, "p-labour-director")
    assert "No dossier was in hand" in answer.out
    answer = await hoso(*asked, *why, "p-control-01")
    assert NAME in file.read_text()
    async with fresh.connect() as db:
        (kept,) = (await db.execute(sa.select(look))).mappings().all()
    assert (kept["person"], kept["door"], kept["reason"]) == (
        "p-control-01", "hoso log export", "Thanh tra",
    )  # fmt: skip


async def test_what_cannot_be_asked_for(here: Path, office: Office) -> None:
    asked = ("log", "export", "--output", here / "log.xes")
    answer = await hoso(*asked, "--agency", "H99")
    assert answer.code == 1
    assert "there is no agency H99" in answer.sentence
    answer = await hoso(*asked, "--from", "2024-02-01", "--to", "2024-01-01")
    assert "ends before it begins" in answer.sentence
    answer = await hoso("log", "export", "--output", here / "nowhere" / "log.xes")
    assert answer.code == 1
    assert "cannot be written" in answer.sentence
    assert not (here / "log.xes").exists()


# And back again --------------------------------------------------------------------------------

AGAIN = """
kind: log
zone: Europe/Amsterdam
calendar: nl
code: concept:name
received: received
due: due
finished: finished
agency: agency
other_agencies: true
procedure: procedure
channel: {from: channel, words: {online: online, counter: counter, post: post}}
event:
  name: concept:name
  at: time:timestamp
  person: org:resource
  unit: org:group
"""


@pytest.fixture
def another(server: Any, worker_id: str) -> Iterator[str]:
    """The address of another database."""
    name = f"logs_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    yield server.address(name, "hoso_app")
    with alone(server.data):
        run_as_owner(server, f"DROP DATABASE {name} (FORCE)")


@pytest.fixture
async def second(another: str) -> AsyncIterator[AsyncEngine]:
    engine = db_engine(another, 4)
    yield engine
    await engine.dispose()


async def imported(engine: AsyncEngine, file: Path, names: Path) -> None:
    by = load(names)
    tally = await take(engine, catalogue.load(), read(file, by), file.name, by.calendar or "")
    assert (tally.taken, tally.activities, tally.refused) == (1_434, 8_577, [])


async def exported(engine: AsyncEngine, file: Path, form: logs.Form, *, people: bool) -> None:
    names = logs.as_they_are if people else logs.pseudonyms(b"k" * 32)
    source = logs.Source(engine, people=people)
    export = logs.Export(source, form, names, catalogue.load().zone)
    await logs.keep(file, logs.pieces(export))
    assert (export.dossiers, export.events) == (1_434, 8_577)


TRACE = """
SELECT d.code, a.name, a.at, a.person, a.unit FROM activity a JOIN dossier d ON d.id = a.dossier_id
ORDER BY d.code, a.n
"""
DATES = """
SELECT code, agency, procedure, channel, received_at, due_at, finished_at, verdict FROM dossier
ORDER BY code
"""


async def told_of(engine: AsyncEngine, sql: str) -> list[Any]:
    async with engine.connect() as db:
        return [tuple(row) for row in await db.execute(sa.text(sql))]


@real
async def test_the_real_log_goes_out_and_comes_back_the_same(
    fresh: AsyncEngine, second: AsyncEngine, tmp_path: Path
) -> None:
    await imported(fresh, RECEIPT, SAMPLE / "receipt-map.yaml")
    file, names = tmp_path / "again.xes.gz", tmp_path / "map.yaml"
    names.write_text(AGAIN)
    await exported(fresh, file, logs.Form.xes, people=True)
    await imported(second, file, names)
    was = await told_of(fresh, TRACE)
    assert await told_of(second, TRACE) == was
    assert await told_of(second, DATES) == await told_of(fresh, DATES)
    by_case: dict[str, list[str]] = {}
    for code, name, *_ in was:
        by_case.setdefault(code, []).append(name)
    assert len({tuple(each) for each in by_case.values()}) == 116


@real
async def test_with_pseudonyms_the_same_people_did_the_same(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    await imported(fresh, RECEIPT, SAMPLE / "receipt-map.yaml")
    both = []
    for people in (True, False):
        file = tmp_path / f"log-{people}.xes"
        await exported(fresh, file, logs.Form.xes, people=people)
        both.append(
            [
                event.get("org:resource")
                for each in traces(file.read_bytes()).values()
                for event in each
            ]
        )
    pairs = set(zip(*both, strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 40
    plain = file.read_text()
    assert not [name for name in both[0] if name and f'"{name}"' in plain]


# As others read it -----------------------------------------------------------------------------

READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pm4py
xes, ocel, table = sys.argv[1:]
log = pm4py.read_xes(xes)
objects = pm4py.read_ocel2_json(ocel)
import pandas
flat = pm4py.format_dataframe(
    pandas.read_csv(table), case_id="case", activity_key="activity", timestamp_key="timestamp"
)
print(json.dumps({
    "cases": log["case:concept:name"].nunique(),
    "events": len(log),
    "variants": len(pm4py.get_variants(log)),
    "table": len(pm4py.get_variants(flat)),
    "resources": log["org:resource"].nunique(),
    "ocel": len(objects.events),
    "types": sorted(pm4py.ocel_get_object_types(objects)),
}))
"""


@real
@pytest.mark.skipif(
    find_spec("pm4py") is None, reason="pm4py, the reader of another house, is not installed"
)
async def test_pm4py_reads_all_of_it(fresh: AsyncEngine, tmp_path: Path) -> None:
    await imported(fresh, RECEIPT, SAMPLE / "receipt-map.yaml")
    files = [tmp_path / f"log.{each}" for each in ("xes", "json", "csv")]
    for file, form in zip(files, (logs.Form.xes, logs.Form.ocel, logs.Form.csv), strict=True):
        await exported(fresh, file, form, people=False)
    asked = [sys.executable, "-c", READER, *map(str, files)]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True)  # noqa: ASYNC221
    found = json.loads(answer.stdout.splitlines()[-1])
    assert (found["cases"], found["events"], found["ocel"]) == (1_434, 8_577, 8_577)
    assert (found["variants"], found["table"]) == (116, 116)
