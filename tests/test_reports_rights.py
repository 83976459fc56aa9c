"""Reports that look at people, over HTTP: who is told them, by which key, and at what moment."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from office import Office, told
from sqlalchemy.ext.asyncio import AsyncEngine
from test_api_reports import (  # noqa: F401  fixtures
    CLERK,
    CONTROL,
    HANOI,
    MARCH,
    NAMED,
    SCIENCE,
    by,
    codes,
    office,
    withdraw,
)

from api import reporting
from states.accounts import keys
from states.accounts.history import COMMAND
from states.accounts.scopes import Scope
from states.catalogue import bundles
from states.figures import freezing, knowing

RECEPTION = by("p-reception-01")
POST = by(CLERK, **{"Hoso-For": "H42.03"})
PEOPLE = [("option", "people=yes")]
EXPLAINED = [("option", "as_known=2024-04-02"), ("option", "explain=yes")]
LOOKED = sa.text("SELECT person, door, request, reason, dossiers FROM look")


async def ask(office: Office, name: str, how: Any, *more: Any) -> httpx.Response:  # noqa: F811
    params = [*MARCH.items(), *more]
    return await office.client.get(f"/v1/reports/{name}", params=params, headers=how)


async def key(office: Office, *scopes: Scope) -> dict[str, str]:  # noqa: F811
    """Of the control unit."""
    await office.client.auth.token(CONTROL)
    async with office.app.state.house.engine.begin() as db:
        now = await db.scalar(sa.select(sa.func.now()))
        _, made = await keys.make(db, "test", CONTROL, set(scopes), COMMAND, now)
    return {"Authorization": f"Bearer {made}"}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("suspicions", []),
        ("breach-causes", []),
        ("apologies", []),
        ("load", []),
        ("holders", PEOPLE),
        ("register", NAMED),
    ],
)
async def test_what_looks_at_people_is_for_leaders_and_control(office, codes, name, more):  # noqa: F811
    for who in (RECEPTION, POST):
        problem = told(await ask(office, name, who, *more), 403, "not-yours")
        assert f"{name} " in problem["detail"]
        assert "ask a leader or the control unit" in problem["detail"]
    for who in (CONTROL, SCIENCE):
        assert (await ask(office, name, by(who), *more)).status_code == 200


async def test_all_else_is_told_as_before(office, codes):  # noqa: F811
    for who in (RECEPTION, POST):
        for name in ("bieu06", "channels", "holders", "register"):
            assert (await ask(office, name, who)).status_code == 200
        sheets = (await ask(office, "indices", who)).json()["sheets"]
        assert [each["key"] for each in sheets] == ["bodies"]
    sheets = (await ask(office, "indices", by(SCIENCE))).json()["sheets"]
    assert [each["key"] for each in sheets] == ["bodies", "officers"]


async def test_a_key_is_made_for_what_a_report_tells(office, codes):  # noqa: F811
    reports = await key(office, Scope.reports_read)
    wants = dict.fromkeys(("suspicions", "breach-causes", "apologies"), Scope.breaches_read)
    for name, scope in wants.items():
        assert scope in told(await ask(office, name, reports), 403, "out-of-scope")["detail"]
    both = await key(office, Scope.reports_read, Scope.breaches_read)
    for name in wants:
        assert (await ask(office, name, both)).status_code == 200
    problem = told(await ask(office, "register", reports, *NAMED), 403, "out-of-scope")
    assert Scope.dossiers_read in problem["detail"]
    assert (await ask(office, "register", reports)).status_code == 200


async def test_who_was_named_leads_to_the_request(office, codes, fresh):  # noqa: F811
    may = await key(office, Scope.reports_read, Scope.dossiers_read)
    answer = await ask(office, "register", may, *NAMED)
    assert "Ánh" in answer.text
    async with fresh.connect() as db:
        [look] = (await db.execute(LOOKED)).all()
    assert (look.person, look.door) == (CONTROL, "GET /v1/reports/register")
    assert look.request == answer.headers["X-Request-Id"]
    assert (look.reason, len(look.dossiers)) == ("Kiểm tra sổ quý I", 5)


async def test_pseudonyms_are_not_undone_by_what_explains(office, codes, fresh):  # noqa: F811
    """Neither the report nor a comparison tells who it was, but to who may know, which is kept."""
    kept = await frozen(fresh, office.at, codes[3])
    reports = await key(office, Scope.reports_read)
    for how in (reports, RECEPTION, POST | by(CLERK)):
        for lines in (await explained(office, how), await compared(office, how, kept)):
            assert all(by.startswith("p-") and reason is None for by, reason in lines), lines
            assert "p-reception-01" not in dict(lines)
    async with fresh.connect() as db:
        assert (await db.execute(LOOKED)).all() == []
    for how in (by(CONTROL), await key(office, Scope.reports_read, Scope.dossiers_read)):
        assert ("p-reception-01", "Công dân xin rút") in await explained(office, how)
        assert await compared(office, how, kept) == [("p-reception-01", "Công dân xin rút")]
    async with fresh.connect() as db:
        doors = [(each.door, len(each.dossiers)) for each in (await db.execute(LOOKED)).all()]
    assert doors == [
        ("GET /v1/reports/bieu06", 5), ("GET /v1/reports/frozen/{number}/compare", 1),
    ] * 2  # fmt: skip


async def frozen(engine: AsyncEngine, at: datetime, code: str) -> int:
    """The number of a report, of which a dossier was withdrawn since."""
    async with engine.begin() as db:
        book = await bundles.read(db)
        kept = await freezing.freeze(db, book, "bieu06", "2024-03", CONTROL, at)
    async with engine.begin() as db:
        await withdraw(db, book, code, datetime(2024, 3, 5, 8, tzinfo=HANOI))
    return int(kept.id)


async def explained(office: Office, how: Any) -> list[tuple[str, str | None]]:  # noqa: F811
    answer = await ask(office, "bieu06", how, *EXPLAINED)
    assert answer.status_code == 200, answer.text
    return [(each["by"], each["reason"]) for each in answer.json()["sheets"][2]["rows"]]


async def compared(office: Office, how: Any, number: int) -> list[tuple[str, str | None]]:  # noqa: F811
    answer = await office.client.get(f"/v1/reports/frozen/{number}/compare", headers=how)
    assert answer.status_code == 200, answer.text
    lines = [line for each in answer.json()["shifts"] for line in each["between"]]
    return [(line["by"], line["reason"]) for line in lines]


async def test_what_is_committed_between_two_statements_is_not_counted(
    office, codes, fresh, monkeypatch  # noqa: F811
):  # fmt: skip
    counted = knowing.bieu06

    async def meanwhile(*asked: Any, **more: Any) -> Any:
        found = await counted(*asked, **more)
        async with fresh.begin() as other:
            book = await bundles.read(other)
            await withdraw(other, book, codes[1], datetime(2024, 3, 4, 8, tzinfo=HANOI))
        return found

    async with fresh.connect() as db:
        now = await db.scalar(sa.text("SELECT clock_timestamp()"))
    known = ("option", f"as_known={now.isoformat()}")
    before = (await ask(office, "bieu06", by(CONTROL), known)).json()["sheets"]
    monkeypatch.setattr(knowing, "bieu06", meanwhile)
    raced = (await ask(office, "bieu06", by(CONTROL), known)).json()["sheets"]
    assert [each["rows"] for each in raced] == [each["rows"] for each in before]
    assert raced[1]["rows"] == []
    monkeypatch.undo()
    after = (await ask(office, "bieu06", by(CONTROL), known)).json()["sheets"]
    assert after[0]["rows"] == before[0]["rows"]
    assert after[1]["rows"] != [], "it was withdrawn, as the next one who asks is told"


async def test_the_head_alone_leaves_no_file_open(office, codes, monkeypatch):  # noqa: F811
    files = []
    sent = reporting._sent

    def noted(file: Any, *more: Any) -> Any:
        files.append(file)
        return sent(file, *more)

    monkeypatch.setattr(reporting, "_sent", noted)
    monkeypatch.setattr(reporting, "_pieces", lambda file: iter(()))  # as a server that stops early
    path = "/v1/reports/register"
    answer = await office.client.head(path, params={"format": "xlsx"}, headers=by(CONTROL))
    assert (answer.status_code, answer.content) == (200, b"")
    assert [file.closed for file in files] == [True]


async def test_papers_are_drawn_one_after_the_other(office, codes, monkeypatch):  # noqa: F811
    drawn, at_once, go = 0, 0, asyncio.Event()
    written = reporting.papers.written

    async def slowly(*asked: Any) -> None:
        nonlocal drawn, at_once
        drawn += 1
        at_once = max(at_once, drawn)
        await go.wait()
        await written(*asked)
        drawn -= 1

    monkeypatch.setattr(reporting.papers, "written", slowly)
    wanted = [
        asyncio.create_task(ask(office, "bieu06", by(CONTROL), ("format", "pdf")))
        for _ in range(reporting.WAIT + 2)
    ]
    done, _ = await asyncio.wait(wanted, return_when=asyncio.FIRST_COMPLETED)
    [refused] = [each.result() for each in done]
    assert "being drawn as PDF" in told(refused, 503, "away")["detail"]
    go.set()
    answers = [await each for each in wanted]
    assert sorted(each.status_code for each in answers) == [200] * (reporting.WAIT + 1) + [503]
    assert at_once == 1
