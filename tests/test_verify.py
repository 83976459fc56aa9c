"""`hoso verify` on lines that were forged without skill: named, and never stumbled over."""

import sys

import pytest
import sqlalchemy as sa
from book import BOOK, NINE, TAKEN, act, at, move, process, receive
from sqlalchemy.ext.asyncio import AsyncConnection
from test_ledger_chain import rewrite

from states import ledger
from states.tables import Dossier, Entry
from states.words import Event, Role

NO_PAYLOADS = [
    "{}",
    '{"clock": {"calendar": "week@0"}}',
    '{"act": null, "clock": {}}',
    "[]",
    "null",
    "7",
    '"clock"',
    '{"clock": null}',
    '{"clock": []}',
    '{"clock": {"calendar": 7}}',
    '{"clock": {"calendar": "mars@1"}}',
]


async def faults(db: AsyncConnection) -> list[tuple[str, int]]:
    return [(each.code, each.seq) for each in (await ledger.verify(db, BOOK)).faults]


@pytest.mark.parametrize("payload", NO_PAYLOADS)
async def test_a_payload_that_is_none_is_named(owner_db: AsyncConnection, payload: str) -> None:
    paper, bystander = await process(owner_db), await receive(owner_db)
    assert await faults(owner_db) == []
    line = sa.update(Entry).where(Entry.dossier_id == paper.id)
    for seq in (1, 3):
        savepoint = await owner_db.begin_nested()
        await owner_db.execute(line.where(Entry.seq == seq).values(payload=payload))
        assert await faults(owner_db) == [(paper.code, seq)]
        await savepoint.rollback()
    assert bystander.seq == 1


@pytest.mark.parametrize("payload", ["{}", "[]", '{"act": {}, "clock": {}}'])
async def test_a_payload_that_is_none_and_holds_in_itself_is_named(
    owner_db: AsyncConnection, payload: str
) -> None:
    """Forged with skill: the chain was written anew."""
    paper = await process(owner_db)
    await rewrite(owner_db, paper, 1, payload=payload)
    assert await faults(owner_db) == [(paper.code, 0)]


async def test_what_was_taken_over_holds_and_is_watched_alike(owner_db: AsyncConnection) -> None:
    await ledger.adopt(owner_db, BOOK, TAKEN, act(Event.adopt, NINE))
    result = {"payload": {"outcome": "unstated"}}
    await move(owner_db, "case-1", Event.return_result, at(2), Role.officer, **result)
    assert await faults(owner_db) == []
    for changed in ({"due_at": at(4)}, {"applicant": "x"}, {"source": "another"}):
        savepoint = await owner_db.begin_nested()
        await owner_db.execute(sa.update(Dossier).values(changed))
        assert await faults(owner_db) == [("case-1", 0)]
        await savepoint.rollback()
    forged = sa.func.replace(Entry.payload, "2024-03-07", "2024-03-08")  # the date promised
    await owner_db.execute(sa.update(Entry).where(Entry.seq == 1).values(payload=forged))
    assert await faults(owner_db) == [("case-1", 1)]


async def test_every_fault_of_many_is_told_and_none_of_the_rest(
    owner_db: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More dossiers than are read at a time, and a forged one at each border."""
    monkeypatch.setattr(sys.modules["states.ledger.verify"], "BATCH", 4)
    papers = [await receive(owner_db) for _ in range(10)]
    forged = [papers[n] for n in (0, 3, 4, 9)]
    for paper in forged:
        one = sa.update(Entry).where(Entry.dossier_id == paper.id)
        await owner_db.execute(one.values(actor="somebody else"))
    told: list[int] = []
    report = await ledger.verify(owner_db, BOOK, told.append)
    assert [each.code for each in report.faults] == [paper.code for paper in forged]
    assert (report.dossiers, report.entries, told) == (10, 10, list(range(1, 11)))


async def test_an_empty_ledger_holds(db: AsyncConnection) -> None:
    report = await ledger.verify(db, BOOK)
    assert (report.dossiers, report.entries, report.faults) == (0, 0, [])
