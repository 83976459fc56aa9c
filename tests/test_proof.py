"""The nightly proof: nothing is found on honest data, and everything that was tampered with is."""

import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from book import (
    APPROVED,
    BOOK,
    LICENCE,
    NINE,
    PERMIT,
    TAKEN,
    TERMLESS,
    Shelf,
    act,
    at,
    move,
    process,
    receive,
    to_signature,
    wander,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_ledger_chain import forged

from states import ledger
from states.errors import BadInput, Outdated, Unknown
from states.figures import bieu06, freezing
from states.figures.periods import Period
from states.ledger.archive import archive
from states.ledger.statements import PG
from states.proof import Proof, every, prove, see
from states.proof.balances import NUMBERS, draw
from states.tables import Dossier, Visit
from states.words import Event, Role

LATER = at(30)


async def closed(db: AsyncConnection, day: int = 2) -> Dossier:
    paper = await to_signature(db)
    return await move(db, paper.code, Event.return_result, at(day), Role.leader, **APPROVED)


async def found(engine: AsyncEngine, when: datetime = LATER, **how: Any) -> list[str]:
    return [each.code for each in (await prove(engine, BOOK, when, **{"share": 1} | how)).found]


@pytest.fixture
async def tamper(owner: AsyncEngine) -> AsyncIterator[Any]:
    """Statements as the owner, who may do anything; the CHECKs are gone, and come back."""
    asked = sa.text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND conrelid IN ('dossier'::regclass, 'visit'::regclass)"
    )
    async with owner.begin() as db:
        checks = (await db.execute(asked)).all()
        for table, name, _ in checks:
            await db.execute(sa.text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))

    async def do(statement: str, **values: Any) -> None:
        async with owner.begin() as db:
            await db.execute(sa.text("SET LOCAL session_replication_role = replica"))  # no triggers
            assert (await db.execute(sa.text(statement), values)).rowcount

    yield do
    async with owner.begin() as db:
        await db.execute(sa.text("TRUNCATE dossier CASCADE"))
        for table, name, rule in checks:
            again = f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {rule}'
            await db.execute(sa.text(again.replace(":", "\\:")))


# Honest -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happened_nothing_is_found(fresh: AsyncEngine, seed: int) -> None:
    chance = Random(seed)
    async with fresh.begin() as db:
        papers = [await wander(db, chance, steps=n % 24) for n in range(40)]
        taken = await ledger.adopt(db, BOOK, TAKEN, act(Event.adopt, NINE))
        if seed:
            unstated = {"payload": {"outcome": "unstated"}}
            await move(db, taken.code, Event.return_result, at(5), Role.officer, **unstated)
    end = max(paper.moved_at for paper in papers) + timedelta(days=40)
    proof = await prove(fresh, BOOK, end, share=1, batch=7)
    assert proof.found == []
    assert proof.holds
    assert (proof.dossiers, proof.unread, proof.new) == (41, 0, 0)
    assert proof.balances > 4
    if seed == 2:
        await archive(fresh, at(365 * 40), 5)
        assert (await prove(fresh, BOOK, end, share=1)).found == []


@pytest.mark.parametrize("seed", range(4))
async def test_balances_are_those_of_the_form(db: AsyncConnection, seed: int) -> None:
    """Of every month: drawn from the lines, from the dossiers, and by the report, the same."""
    chance, months = Random(f"form {seed}"), dict[str, list[int]]()
    for n in range(40):
        await wander(db, chance, steps=n % 24)
    last = await db.scalar(sa.select(sa.func.max(Dossier.moved_at)))
    for row in await draw(db, BOOK, last, "SELECT month, told FROM lines"):
        before = months.setdefault(f"{row.month:%Y-%m}", [0] * len(NUMBERS))
        months[f"{row.month:%Y-%m}"] = [a + b for a, b in zip(before, row.told, strict=True)]
    assert len(months) > 1
    for name, numbers in months.items():
        period, of = Period.parse(name), dict(zip(NUMBERS, numbers, strict=True))
        form = (await bieu06(db, BOOK, period.since, period.until)).total
        assert (of["early"], of["on_time"], of["late"]) == (form.early, form.on_time, form.late)
        assert of["open"] == form.in_process
        assert of["carried"] + of["received"] == form.received + of["not_counted"]
        assert sum(numbers[:2]) == sum(numbers[2:])


async def test_an_empty_database_holds(fresh: AsyncEngine) -> None:
    proof = await prove(fresh, BOOK, LATER)
    assert (proof.dossiers, proof.balances, proof.found) == (0, 0, [])


# Tampered with ----------------------------------------------------------------------------

ANOTHER = {
    "state": "routed", "channel": "post", "policy": "instant", "stage_role": "leader",
    "outcome": "refused", "delivered_by": "post", "verdict": "late",
    "facts": '{"holds": []}', "stage": 1,
    "role": "officer",
}  # fmt: skip
COLUMNS = [c for c in Dossier.__table__.c if c.name != "id"]
UNSAID = {"seq", "head"}  # found by the lines, before any column is compared


def other(column: Any, old: Any) -> tuple[Any, str]:
    """Another value for a column, and the parameter that takes it."""
    cast = column.type.compile(dialect=PG)
    text = cast in {"VARCHAR", "JSON"}
    new = ANOTHER.get(column.name)
    if new is None:
        missing = "x" if text else NINE if isinstance(column.type, sa.DateTime) else 1
        new = missing if old is None else forged(column.name, old)
    return new, f"CAST(CAST(:new AS {'text' if text else cast}) AS {cast})"


async def test_each_column_of_a_dossier(fresh: AsyncEngine, tamper: Any) -> None:
    """One forged of each, and each is named, with its column."""
    async with fresh.begin() as db:
        papers = {column.name: await closed(db) for column in COLUMNS}
        honest = (await closed(db)).code
    for column in COLUMNS:
        paper = papers[column.name]
        async with fresh.connect() as db:
            old = await db.scalar(sa.select(column).where(Dossier.id == paper.id))
        new, given = other(column, old)
        await tamper(
            f"UPDATE dossier SET {column.name} = {given} WHERE id = :id", new=new, id=paper.id
        )
    told = {each.code: each.what for each in (await prove(fresh, BOOK, LATER, share=1)).found}
    assert honest not in told
    for name, paper in papers.items():
        assert name in told[f"{paper.code}." if name == "code" else paper.code] or name in UNSAID


async def test_each_column_of_a_visit(fresh: AsyncEngine, tamper: Any) -> None:
    columns = [c for c in Visit.__table__.c if c.name not in {"dossier_id", "closed_seq"}]
    async with fresh.begin() as db:
        papers = [await closed(db) for _ in columns]
    for column, paper in zip(columns, papers, strict=True):
        async with fresh.connect() as db:
            of = (Visit.dossier_id == paper.id) & (Visit.visit == 3)
            old = await db.scalar(sa.select(column).where(of))
        new, given = other(column, old)
        await tamper(
            f"UPDATE visit SET {column.name} = {given} WHERE dossier_id = :id AND visit = 3",
            new="early" if column.name == "verdict" else new,
            id=paper.id,
        )
    assert await found(fresh) == [paper.code for paper in papers]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET payload = '{}' WHERE seq = 2",
        "UPDATE entry SET at = at + interval '1 day' WHERE seq = 8",
        "DELETE FROM entry WHERE seq = 3",
        "DELETE FROM visit WHERE visit = 2",
    ],
)
async def test_a_line_or_a_visit(fresh: AsyncEngine, tamper: Any, statement: str) -> None:
    async with fresh.begin() as db:
        paper = await closed(db)
        await move(db, paper.code, Event.deliver, at(3))
    await tamper(statement)
    assert paper.code in await found(fresh)


async def test_a_moment_that_is_none(fresh: AsyncEngine, tamper: Any) -> None:
    """It cannot be reckoned with at all: told, and the rest is proved."""
    async with fresh.begin() as db:
        await ledger.adopt(db, BOOK, TAKEN, act(Event.adopt, NINE))
    await tamper("UPDATE entry SET payload = replace(payload, '2024-03-04T', '2024-99-99T')")
    assert await found(fresh) == ["case-1", "balances"]


async def test_a_dossier_nobody_proves_tonight_unbalances_its_month(
    fresh: AsyncEngine, tamper: Any
) -> None:
    """It is closed, and another night's turn: the balances tell all the same."""
    async with fresh.begin() as db:
        paper = await closed(db)
    assert paper.id is not None
    tonight = at(7 - (paper.id + at(0).toordinal()) % 7 + 1)
    name = "balance H42.05/lao-dong/1.000001"
    for changed, numbers in (
        ("verdict = 'late'", "2024-03: early 0, by its lines 1; late 1, by its lines 0"),
        (
            "received_at = received_at - interval '1 month'",
            "2024-02 (and 1 later months): received 1, by its lines 0; open 1, by its lines 0",
        ),
        (
            "finished_at = finished_at + interval '1 month'",
            "2024-03: early 0, by its lines 1; open 1, by its lines 0",
        ),
    ):
        was = changed.partition(" ")[0]
        old = "early" if was == "verdict" else getattr(paper, was)
        await tamper(f"UPDATE dossier SET {changed}")
        proof = await prove(fresh, BOOK, tonight)
        assert (proof.dossiers, [tuple(each) for each in proof.found]) == (0, [(name, numbers)])
        await tamper(f"UPDATE dossier SET {was} = :old", old=old)
    await tamper("DELETE FROM visit")
    await tamper("DELETE FROM entry")
    await tamper("DELETE FROM dossier")
    assert await found(fresh, tonight) == []  # nothing is left that could tell: the anchors do


async def test_another_agency_is_two_balances(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        await process(db)
    await tamper("UPDATE dossier SET agency = 'H42.99'")
    codes = await found(fresh)
    assert codes[1:] == [f"balance {each}/lao-dong/1.000001" for each in ("H42.05", "H42.99")]


async def test_a_frozen_figure(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        await closed(db)
        await freezing.freeze(db, BOOK, "bieu06", "2024-03", "x", at(40))
    assert await found(fresh, at(40)) == []
    await tamper(
        "UPDATE frozen SET data = replace(data::text, '\"early\": 1', '\"early\": 2')::json"
    )
    assert await found(fresh, at(40)) == ["frozen report 1 (bieu06 2024-03)"]


ALERTED = (
    "INSERT INTO alert (dossier_id, rule, visit, deadline, watched, what, due_at, at, unit,"
    " concerns) SELECT id, 'term-late', 0, deadline, 'term', 'breach', due_at, due_at, unit, '[]'"
    " FROM dossier"
)
BREACHED = (
    "INSERT INTO breach (dossier_id, rule, visit, deadline, agency, unit, due_at, standing)"
    " SELECT id, 'term-late', 0, deadline, agency, unit, due_at, 'open' FROM dossier"
)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE alert SET due_at = due_at + interval '1 day'", "another due moment"),
        ("UPDATE breach SET due_at = due_at + interval '1 day'", "another due moment"),
        ("UPDATE breach SET ended_at = due_at - interval '1 day', minutes = 1", "before it began"),
        ("UPDATE breach SET apology_seq = 1", "extends nothing"),
        ("INSERT INTO watch (dossier_id, seq) SELECT id, 9 FROM dossier", "after line 9, and it"),
    ],
)
async def test_what_was_recorded_of_deadlines(
    fresh: AsyncEngine, tamper: Any, statement: str, told: str
) -> None:
    async with fresh.begin() as db:
        paper = await process(db)
    await tamper(ALERTED)
    await tamper(BREACHED)
    assert await found(fresh) == []
    await tamper(statement)
    kinds = (await prove(fresh, BOOK, LATER)).found
    assert {each.code for each in kinds} == {paper.code}
    assert any(told in each.what for each in kinds)


async def test_a_breach_that_outlives_its_dossier(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        paper = await process(db)
    await tamper(ALERTED)
    await tamper(BREACHED)
    async with fresh.begin() as db:
        await move(db, paper.code, Event.withdraw, at(20))
    assert await found(fresh, at(21)) == []  # the sweep has two days to note it
    assert await found(fresh, at(23)) == [paper.code]


# Nights -----------------------------------------------------------------------------------


async def test_in_a_week_everything_has_had_its_night(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        for _ in range(9):
            await closed(db)
        await process(db)
    nights = [await prove(fresh, BOOK, at(30 + n)) for n in range(7)]
    assert [each.running for each in nights] == [1] * 7
    assert sum(each.dossiers - each.running for each in nights) == 9
    assert max(each.dossiers for each in nights) <= 3


async def test_an_open_dossier_is_proved_every_night(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        paper = await process(db, LICENCE)
    await tamper("UPDATE dossier SET due_at = due_at + interval '1 day'")
    for n in range(7):
        assert paper.code in await found(fresh, at(n), share=7)


async def test_each_is_told_once_a_day_and_never_mended(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        paper = await process(db)
    await tamper("UPDATE dossier SET due_at = NULL, late_at = NULL")
    with structlog.testing.capture_logs() as logs:
        first = await prove(fresh, BOOK, at(8, "01:00"))
    alarms = [each for each in logs if each["event"] == "proof.discrepancy"]
    assert [(each["log_level"], each["code"]) for each in alarms] == [("error", paper.code)]
    again = await prove(fresh, BOOK, at(8, "02:00"))
    tomorrow = await prove(fresh, BOOK, at(9, "01:00"))
    assert [each.new for each in (first, again, tomorrow)] == [1, 0, 1]
    assert first.found == again.found == tomorrow.found
    async with fresh.connect() as db:
        rows = await every(db)
        assert [(row["day"], row["code"]) for row in rows] == [
            (at(8).date(), paper.code),
            (at(9).date(), paper.code),
        ]
        assert rows[0]["what"].startswith("as it stands: due_at is None, and its lines say 2024")
        assert await db.scalar(sa.select(Dossier.due_at)) is None


async def test_who_saw_it_is_kept(fresh: AsyncEngine, tamper: Any) -> None:
    async with fresh.begin() as db:
        await process(db)
        await receive(db, TERMLESS)
    await tamper("UPDATE dossier SET facts = '{\"x\": 1}'")
    await prove(fresh, BOOK, LATER)
    async with fresh.begin() as db:
        one, two = [row["id"] for row in await every(db)]
        for numbers, kind in (([], BadInput), ([one, 99], Unknown)):
            with pytest.raises(kind):
                await see(db, numbers, "p", LATER)
        assert await see(db, [one], "p-control-01", LATER) == 1
        assert await see(db, [one, one], "another", at(31)) == 0
        assert [row["id"] for row in await every(db)] == [two]
        row = (await every(db, seen=True))[0]
        assert (row["seen_by"], row["seen_at"]) == ("p-control-01", LATER)


async def test_what_is_moved_meanwhile_is_no_discrepancy(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clerk commits between two of the proof's statements."""
    async with fresh.begin() as db:
        codes = [(await receive(db, LICENCE)).code for _ in range(4)]
    verify = sys.modules["states.ledger.verify"]
    grouped = verify._grouped

    async def slow(db: AsyncConnection, query: Any) -> Any:
        if codes:
            async with fresh.begin() as clerk:
                await move(clerk, codes.pop(), Event.digitise, at(1))
        return await grouped(db, query)

    monkeypatch.setattr(verify, "_grouped", slow)
    assert await found(fresh) == []
    assert len(codes) < 4


async def test_a_catalogue_that_changed_is_read_again(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await process(db)
    with pytest.raises(Outdated):
        await prove(fresh, Shelf(edition=-1), LATER)
    assert await found(fresh) == []


async def test_a_run_that_was_killed_begins_again(
    fresh: AsyncEngine, tamper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh.begin() as db:
        for _ in range(6):
            await process(db, PERMIT)
    await tamper("UPDATE dossier SET fee_paid = 7")
    from states.proof import proving

    check, calls = proving.check, iter(range(100))

    def killed(*args: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return check(*args)

    with monkeypatch.context() as patched:
        patched.setattr(proving, "check", killed)
        with pytest.raises(KeyboardInterrupt):
            await prove(fresh, BOOK, LATER, batch=2)
    async with fresh.connect() as db:
        assert len(await every(db)) == 2
    proof = await prove(fresh, BOOK, LATER, batch=2)
    assert (len(proof.found), proof.new) == (6, 4)


async def test_a_share_of_none_is_refused(fresh: AsyncEngine) -> None:
    with pytest.raises(BadInput, match="share"):
        await prove(fresh, BOOK, LATER, share=0)


def test_a_proof_tells_what_it_did() -> None:
    told = Proof(at(0).date(), dossiers=3, seconds=0.123).told()
    assert (told["dossiers"], told["seconds"], told["found"]) == (3, 0.1, [])
