"""`hoso classify`, `proof`, `archive`, and the frozen reports of `hoso report`."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from book import at
from cli import turned
from office import address
from sqlalchemy.ext.asyncio import AsyncEngine
from test_commands import BOOK, receive
from typer.testing import CliRunner, Result

from api.cli import frozen, proving
from config.settings import settings
from flows.classify import classify
from flows.opening import close
from flows.report import report
from states import ledger
from states.ledger import Act
from states.words import Event, Role

app = typer.Typer()
proving.add_to(app)
reports = typer.Typer()
frozen.add_to_report(reports)
app.add_typer(reports, name="report")

LEADER, CLERK = "p-centre-lead", "p-reception-01"

KEPT = dict.fromkeys(("forgotten", "swept", "sessions", "answers", "drafts"), 0)


@pytest.fixture
async def here(
    fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncEngine]:
    """Commands and flows find the test's database; it has a dossier of March 2024."""
    monkeypatch.setenv("HOSO_DATABASE", address(fresh))
    monkeypatch.setenv("HOSO_DATA", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    settings.cache_clear()
    await receive(fresh)
    yield fresh
    await close()
    settings.cache_clear()


def run(*words: str) -> Result:
    """In a thread: commands run loops of their own."""
    with turned(*words):
        return CliRunner().invoke(app, words)


async def hoso(*words: object) -> Any:
    """What it answers: JSON, or the refusal's sentence."""
    asked = [*map(str, words), "--json"]
    done = await asyncio.to_thread(run, *asked)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return str(done.exception)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def shown(*words: object) -> str:
    """What people see."""
    done = await asyncio.to_thread(run, *map(str, words))
    return str(done.output)


async def tamper(owner: AsyncEngine, statement: str) -> None:
    async with owner.begin() as db:
        await db.execute(sa.text(statement))


async def moved(engine: AsyncEngine, event: Event, role: Role) -> None:
    async with engine.begin() as db:
        code = await db.scalar(sa.text("SELECT code FROM dossier"))
        act = Act(event=event, actor="a", role=role, at=at(1), reason="x", ground="y")
        await ledger.move(db, BOOK, code, act)


async def test_a_proof_that_holds_and_one_that_does_not(
    here: AsyncEngine, owner: AsyncEngine
) -> None:
    told = await hoso("classify", "--at", "2024-05-02")
    assert (told["dossiers"], told["running"], told["found"]) == (1, 1, [])
    assert "Proved 1 dossiers (1 of them running)" in await shown("classify", "--at", "2024-05-02")
    assert await hoso("proof", "list") == []
    await tamper(owner, "UPDATE dossier SET fee_paid = 7")
    told = await hoso("classify", "--at", "2024-05-02", "--share", 1)
    assert told.startswith(
        "1 do not hold; the first: H42.14-240304-0001: as it stands: fee_paid is 7"
    )
    [row] = await hoso("proof", "list")
    assert (row["day"], row["code"]) == ("2024-05-02", "H42.14-240304-0001")
    assert "fee_paid" in await shown("proof", "list")
    assert "nobody" in await hoso("proof", "seen", row["id"], "--by", "nobody")
    assert await hoso("proof", "seen", row["id"], "--by", CLERK) == {"seen": 1}
    assert await hoso("proof", "list") == []
    assert [each["seen_by"] for each in await hoso("proof", "list", "--seen")] == [CLERK]
    assert "no discrepancy 99" in await hoso("proof", "seen", 99, "--by", CLERK)
    assert "share must be 1" in await hoso("classify", "--share", 0)


async def test_a_report_frozen_compared_and_restated(here: AsyncEngine) -> None:
    refused = await hoso("report", "freeze", "2024-03", "--by", CLERK)
    assert refused == f"{CLERK} is neither a leader nor of the control unit: ask one who is"
    first = await hoso("report", "freeze", "2024-03", "--by", LEADER)
    assert (first["period"], first["frozen_by"], len(first["hash"])) == ("2024-03", LEADER, 64)
    assert "is frozen already" in await hoso("report", "freeze", "2024-03", "--by", LEADER)
    assert await hoso("report", "frozen", first["id"]) == first | {"corrects": []}
    assert await hoso("report", "frozen") == [first]
    assert "2024-03" in await shown("report", "frozen", first["id"])
    assert "is what the figures say today" in await shown("report", "compare", "2024-03")

    await moved(here, Event.withdraw, Role.citizen)
    told = await hoso("report", "compare", "2024-03")
    assert {each["column"]: (each["was"], each["now"]) for each in told["cells"]} == {
        "direct": (1, 0), "overdue": (1, 0), "unclassed": (0, 1),
    }  # fmt: skip
    assert [each["event"] for each in told["dossiers"]] == ["withdraw"]
    assert "1 dossiers are counted elsewhere" in await shown("report", "compare", "2024-03")
    again = ("report", "freeze", "2024-03", "--by", LEADER, "--restate", "nhập muộn")
    second = await hoso(*again)
    assert (second["restates"], second["reason"]) == (first["id"], "nhập muộn")
    both = await hoso("report", "frozen", second["id"])
    assert {each["column"]: (each["was"], each["now"]) for each in both["corrects"]} == {
        "direct": (1, 0), "overdue": (1, 0), "unclassed": (0, 1),
    }  # fmt: skip
    assert "Đính chính / Restated" in await shown("report", "frozen", second["id"])
    assert "nothing to restate" in await hoso(*again)
    told = await hoso("report", "compare", "2024-03")
    assert (told["frozen"], told["cells"]) == (second["id"], [])
    told = await hoso("report", "compare", "2024-03", "--number", first["id"])
    assert len(told["cells"]) == 3
    for words in (("compare", "2024-04"), ("frozen", 99)):
        assert "`hoso report frozen` names those there are" in await hoso("report", *words)
    assert "is no period" in await hoso("report", "compare", "March")


async def test_what_is_put_away(here: AsyncEngine) -> None:
    await moved(here, Event.withdraw, Role.citizen)
    told = await hoso("archive", "--at", "2034-03-05")
    assert (told["dossiers"], told["closed_before"]) == (0, "2024-03-05T00:00:00+07:00")
    told = await hoso("archive", "--at", "2034-03-06")
    assert (told["dossiers"], told["entries"]) == (1, 2)
    assert "Put away 0 entries" in await shown("archive", "--at", "2034-03-06")
    assert "at least 5 years" in await hoso("archive", "--years", 4)
    assert (await hoso("classify", "--at", "2024-05-02", "--share", 1))["found"] == []


async def test_the_flows_do_the_same(here: AsyncEngine, owner: AsyncEngine) -> None:
    told = await classify.fn(at(30))
    assert (told["day"], told["dossiers"], told["found"]) == ("2024-04-03", 1, [])
    assert await report.fn(at(32)) == {
        "frozen": ["bieu06 2024-03", "bieu06 2024-Q1"], "archived": 0, **KEPT,
    }  # fmt: skip
    assert await report.fn(at(32), archive_after=5) == {"frozen": [], "archived": 0, **KEPT}
    await moved(here, Event.withdraw, Role.citizen)
    assert (await report.fn(at(365 * 6), archive_after=5))["archived"] == 1
    await tamper(owner, "UPDATE entry_cold SET actor = 'x' WHERE seq = 1")
    [found] = (await classify.fn(at(365 * 6), share=1))["found"]
    assert found["what"] == "line 1: its hash is not that of its text: it was altered"
