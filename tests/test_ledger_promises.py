"""What the ledger promises whoever calls it, and what is tried to break it.

One of two wins; the same key is the same answer; bad input changes nothing; history stays.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    BOOK,
    COMPLETE,
    LICENCE,
    NINE,
    UNIT,
    act,
    at,
    lines,
    lodging,
    move,
    process,
    receive,
    to_signature,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.errors import BadInput, HosoError, KeyReused, NotOpen, NotYours, Stale, Unknown
from states.tables import CodeSequence, Dossier, Entry
from states.words import Event, Role, State

LODGED = act(Event.receive, NINE, payload=COMPLETE, key="k")


async def count(db: AsyncConnection, table: type) -> int:
    return (await db.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()


# Two clerks, one wins -----------------------------------------------------------------------


async def test_of_ten_at_once_one_wins_and_nine_are_told_where_it_stands(
    fresh: AsyncEngine,
) -> None:
    async with fresh.begin() as db:
        paper = await receive(db)

    async def clerk() -> str:
        try:
            async with fresh.begin() as db:
                await move(db, paper.code, Event.digitise, NINE)
        except (Stale, NotOpen) as refused:
            return str(refused)
        return "won"

    told = await asyncio.gather(*(clerk() for _ in range(10)))
    assert told.count("won") == 1
    assert all("is digitised" in each and "seq 2" in each for each in told if each != "won")
    async with fresh.begin() as db:
        assert [line.event for line in await lines(db, paper)] == ["receive", "digitise"]


async def test_a_move_that_waited_behind_another_is_stale(fresh: AsyncEngine) -> None:
    """Both have read the same dossier before either writes."""
    async with fresh.begin() as db:
        paper = await receive(db)
    async with fresh.connect() as first, fresh.connect() as second:
        await move(first, paper.code, Event.digitise, NINE)
        waiting = asyncio.create_task(move(second, paper.code, Event.withdraw, NINE))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.3)
        await first.commit()
        with pytest.raises(Stale, match=r"it is digitised now \(seq 2\)"):
            await waiting
        await second.commit()  # nothing was written, though the door commits
    async with fresh.begin() as db:
        assert (await ledger.find(db, paper.code))[0].state is State.digitised
        assert await count(db, Entry) == 2


async def test_who_saw_an_older_dossier_is_told(db: AsyncConnection) -> None:
    paper = await receive(db)
    await move(db, paper.code, Event.digitise, NINE, seq=1)
    for seen in (0, 1, 3):
        with pytest.raises(Stale, match=r"it is digitised now \(seq 2\)"):
            await move(db, paper.code, Event.route, NINE, seq=seen)
    assert (await move(db, paper.code, Event.route, NINE, seq=2)).seq == 3


# Same key, same answer ----------------------------------------------------------------------


async def test_the_same_key_gives_the_same_answer_and_writes_once(db: AsyncConnection) -> None:
    papers = [await ledger.open_(db, BOOK, lodging(), LODGED) for _ in range(3)]
    assert len({paper.code for paper in papers}) == 1
    assert await count(db, Dossier) == await count(db, Entry) == 1

    for _ in range(3):
        again = await move(db, papers[0].code, Event.digitise, NINE, key="d", seq=1)
        assert (again.state, again.seq) == (State.digitised, 2)
    assert await count(db, Entry) == 2


async def test_the_answer_stays_the_first_one_whatever_came_later(db: AsyncConnection) -> None:
    first = await ledger.open_(db, BOOK, lodging(), LODGED)
    second = await move(db, first.code, Event.digitise, NINE, key="d")
    await move(db, first.code, Event.route, at(1))
    await move(db, first.code, Event.extend, at(2), payload={"term": "1wd"})
    assert vars(await ledger.open_(db, BOOK, lodging(), LODGED)) == vars(first)
    assert vars(await move(db, first.code, Event.digitise, at(3), key="d")) == vars(second)
    assert await count(db, Entry) == 4


async def test_the_same_key_at_once_writes_once(fresh: AsyncEngine) -> None:
    async def open_one() -> str:
        async with fresh.begin() as db:
            return (await ledger.open_(db, BOOK, lodging(), LODGED)).code

    codes = await asyncio.gather(*(open_one() for _ in range(10)))
    assert len(set(codes)) == 1

    async def digitise() -> int:
        async with fresh.begin() as db:
            return (await move(db, codes[0], Event.digitise, NINE, key="d")).seq

    assert set(await asyncio.gather(*(digitise() for _ in range(10)))) == {2}
    async with fresh.begin() as db:
        assert (await count(db, Dossier), await count(db, Entry)) == (1, 2)


async def test_a_key_is_its_actors_own(db: AsyncConnection) -> None:
    mine = await ledger.open_(db, BOOK, lodging(), LODGED)
    other = await ledger.open_(db, BOOK, lodging(), replace(LODGED, actor="somebody else"))
    assert mine.code != other.code


async def test_a_key_used_for_something_else_is_refused(db: AsyncConnection) -> None:
    paper = await ledger.open_(db, BOOK, lodging(), LODGED)
    other = await receive(db)
    digitise = act(Event.digitise, NINE, key="k")
    for changed in (
        digitise,
        replace(digitise, payload=COMPLETE),
        replace(LODGED, event=Event.withdraw, payload={}),
    ):
        with pytest.raises(KeyReused, match=f"key k was used for receive on {paper.code}"):
            await ledger.move(db, BOOK, paper.code, changed)
    used = replace(digitise, key="d")
    await ledger.move(db, BOOK, paper.code, used)
    for code, changed in (
        (other.code, used),
        (paper.code, replace(used, payload=COMPLETE)),
        (paper.code, replace(used, reason="another")),
        (paper.code, replace(used, on_behalf_of="H42.07")),
    ):
        with pytest.raises(KeyReused, match="key d was used for digitise"):
            await ledger.move(db, BOOK, code, changed)
    assert await count(db, Entry) == 3


@pytest.mark.parametrize(
    "changed",
    [
        lodging(applicant="Somebody Else"),
        lodging(LICENCE),
        lodging(unit="H42.15"),
        lodging(channel="post"),
    ],
)
async def test_a_key_never_swallows_another_lodging(
    db: AsyncConnection, changed: ledger.Lodging
) -> None:
    await ledger.open_(db, BOOK, lodging(), replace(LODGED, payload={}))
    with pytest.raises(KeyReused):
        await ledger.open_(db, BOOK, changed, replace(LODGED, payload={}))


# Bad input changes nothing ------------------------------------------------------------------

BAD: list[tuple[Event, dict[str, Any], str]] = [
    (Event.advance, {"payload": {"produced": ["appraisal"], "colour": "red"}}, "colour"),
    (Event.advance, {"payload": {"produced": "appraisal"}}, "produced"),
    (Event.advance, {"payload": {"produced": ["appraisal"], "person": ""}}, "person"),
    (Event.advance, {"payload": {"produced": ["appraisal"], "person": "x" * 201}}, "person"),
    (Event.advance, {"payload": {"produced": ["appraisal"], "person": "a\0b"}}, ""),
    (Event.advance, {"payload": {"produced": ["appraisal"], "person": "\ud800"}}, ""),
    (Event.advance, {"payload": {"produced": ["appraisal", "a\0b"]}}, ""),
    (Event.advance, {"payload": []}, "payload"),
    (Event.send_back, {"payload": {"stage": -1}}, "stage"),
    (Event.withdraw, {"payload": {"why": "x"}}, "why"),
    (Event.request_payment, {}, "amount"),
    (Event.request_payment, {"payload": {"amount": 0}}, "amount"),
    (Event.request_payment, {"payload": {"amount": 10**13}}, "amount"),
    (Event.request_payment, {"payload": {"amount": "NaN"}}, "amount"),
    (Event.request_supplement, {"reason": None}, "needs a reason"),
    (Event.request_supplement, {"reason": " \n "}, "needs a reason"),
    (Event.request_supplement, {"reason": "a\0b"}, "NUL"),
    (Event.request_supplement, {"reason": "\udfff"}, ""),
    (Event.request_supplement, {"reason": "x" * 2001}, "2,000"),
    (Event.stop, {"ground": None}, "legal ground"),
    (Event.extend, {"ground": "", "payload": {"term": "1wd"}}, "legal ground"),
    (Event.withdraw, {"key": "a\0b"}, "NUL"),
    (Event.withdraw, {"actor": "\0"}, "NUL"),
    (Event.withdraw, {"actor": "ệ" * 201}, "actor may have 200"),
    (Event.withdraw, {"key": "ệ" * 201}, "key may have 200"),
    (Event.withdraw, {"on_behalf_of": "\0"}, "NUL"),
    (Event.withdraw, {"at": datetime(2024, 3, 5, 8)}, "offset"),
    (Event.withdraw, {"at": at(-1)}, "moves follow one another"),
    (Event.extend, {"at": at(-1), "payload": {"term": "1wd"}}, "moves follow one another"),
    (Event.request_supplement, {"at": at(3000)}, "outside calendar week"),
    (Event.request_supplement, {"at": at(1025)}, "outside calendar week"),
]


@pytest.mark.parametrize(("event", "facts", "why"), BAD)
async def test_bad_input_gets_a_sentence_and_changes_nothing(
    db: AsyncConnection, event: Event, facts: dict[str, Any], why: str
) -> None:
    paper = await process(db)
    before = (await ledger.find(db, paper.code), await lines(db, paper))
    asked = replace(act(event, at(1)), **facts)
    with pytest.raises(BadInput) as told:
        async with db.begin_nested():
            await ledger.move(db, BOOK, paper.code, asked)
    assert why in str(told.value)
    assert len(str(told.value)) < 500
    assert (await ledger.find(db, paper.code), await lines(db, paper)) == before


@pytest.mark.parametrize(
    "facts",
    [
        {"applicant": ""},
        {"applicant": "  "},
        {"applicant": "a\0b"},
        {"applicant": "\ud800"},
        {"applicant": "x" * 2001},
        {"unit": "a\0b"},
        {"unit": ""},
        {"unit": "x" * 201},
    ],
)
async def test_a_bad_lodging_opens_nothing(db: AsyncConnection, facts: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        async with db.begin_nested():
            await ledger.open_(db, BOOK, lodging(**facts), act(Event.receive, NINE))
    assert await count(db, Dossier) == await count(db, CodeSequence) == 0


@pytest.mark.parametrize("code", ["", "a\0b", "\ud800", "'; DROP TABLE entry; --", "x" * 10_000])
async def test_a_bad_code_is_unknown(db: AsyncConnection, code: str) -> None:
    with pytest.raises(Unknown) as told:
        async with db.begin_nested():
            await move(db, code, Event.withdraw, NINE)
    assert len(str(told.value)) < 200


async def test_an_unknown_procedure_opens_nothing(db: AsyncConnection) -> None:
    unknown = replace(lodging(), procedure="9.999999")
    with pytest.raises(Unknown):
        await ledger.open_(db, BOOK, unknown, act(Event.receive, NINE))
    assert await count(db, Dossier) == 0


async def test_another_role_is_told_whose_it_is(db: AsyncConnection) -> None:
    paper = await receive(db)
    with pytest.raises(NotYours, match="it is for postal, reception, system"):
        await move(db, paper.code, Event.digitise, NINE, Role.citizen)
    with pytest.raises(NotYours):
        await ledger.open_(db, BOOK, lodging(), act(Event.register, NINE, Role.control))
    assert await count(db, Entry) == 1


async def test_clocks_of_two_machines_may_differ_a_little(db: AsyncConnection) -> None:
    paper = await receive(db, when=at(0, "09:05"))
    paper = await move(db, paper.code, Event.digitise, NINE)
    assert paper.moved_at == at(0, "09:05")
    assert [line.at for line in await lines(db, paper)] == [at(0, "09:05")] * 2
    with pytest.raises(BadInput, match="before the last one"):
        await move(db, paper.code, Event.route, NINE - timedelta(microseconds=1))


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Thị Ánh Nguyệt",
        "Nguye\u0302\u0303n",  # decomposed: kept as it was sent
        "👩‍👩‍👧 𠮷 \u202e",
        "a'b\"c\\d\n\t\x01\x7f{}[]%s:x",
        "x" * 200,
        "ệ" * 200,
    ],
)
async def test_names_are_kept_to_the_letter(db: AsyncConnection, text: str) -> None:
    opened = lodging(applicant=text)
    paper = await ledger.open_(db, BOOK, opened, replace(LODGED, reason=text, actor=text, key=text))
    again = await ledger.open_(db, BOOK, opened, replace(LODGED, reason=text, actor=text, key=text))
    assert again.code == paper.code
    found, _ = await ledger.find(db, paper.code)
    [line] = await lines(db, paper)
    assert (found.applicant, line.reason, line.actor, line.key) == (text,) * 4
    assert (await ledger.verify(db, BOOK)).faults == []


# Codes --------------------------------------------------------------------------------------


async def test_200_at_once_are_numbered_without_gaps(fresh: AsyncEngine) -> None:
    """A number is held until its transaction ends, so one that is rolled back is given again."""

    async def open_one(n: int) -> str | None:
        async with fresh.connect() as db:
            code = (await receive(db)).code
            if n % 10 == 7:
                await db.rollback()
                return None
            await db.commit()
        return code

    codes = await asyncio.gather(*(open_one(n) for n in range(220)))
    kept = sorted(code for code in codes if code)
    assert kept == [f"{UNIT}-240304-{n:04}" for n in range(1, 199)]


async def test_each_unit_and_day_counts_for_itself_and_10000_is_no_end(
    db: AsyncConnection,
) -> None:
    """The day is the office's: late in the evening in Hà Nội it is still that day in UTC."""
    await db.execute(sa.insert(CodeSequence).values(unit=UNIT, day=at(0).date(), last=9_998))
    for unit, when, code in [
        (UNIT, at(0, "00:10"), "H42.14-240304-9999"),
        (UNIT, at(0, "23:50"), "H42.14-240304-10000"),
        (UNIT, at(1, "00:10"), "H42.14-240305-0001"),
        ("H42.15", at(0), "H42.15-240304-0001"),
    ]:
        paper = await ledger.open_(
            db, BOOK, lodging(unit=unit), act(Event.receive, when, payload=COMPLETE)
        )
        assert paper.code == code
        assert (await ledger.find(db, code))[0].id == paper.id


# Rights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET reason = 'x'",
        "UPDATE entry SET payload = '{}' WHERE false",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "TRUNCATE dossier CASCADE",
        "DELETE FROM dossier",
        "DELETE FROM visit",
        "UPDATE activity SET name = 'x'",
        "DELETE FROM activity",
        "UPDATE alert SET rule = 'x'",
        "DELETE FROM alert",
        "UPDATE anchor SET heads = ''",
        "DELETE FROM anchor",
        "DELETE FROM code_sequence",
        "DROP TABLE entry",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "ALTER TABLE entry OWNER TO hoso_app",
        "CREATE TABLE mine (n int)",
        "CREATE INDEX ON entry (at)",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = 'x'",
        """INSERT INTO entry SELECT * FROM entry
        ON CONFLICT (dossier_id, seq) DO UPDATE SET reason = 'x'""",
    ],
)
async def test_the_application_cannot_change_history(db: AsyncConnection, statement: str) -> None:
    paper = await receive(db)
    before = await lines(db, paper)
    with pytest.raises(DBAPIError) as told:
        async with db.begin_nested():
            await db.execute(sa.text(statement))
    assert told.value.orig is not None
    assert told.value.orig.sqlstate == "42501", told.value  # insufficient_privilege
    assert await lines(db, paper) == before


async def test_the_application_has_these_rights_and_no_others(owner_db: AsyncConnection) -> None:
    asked = sa.text(
        "SELECT c.relname, array_agg(p) FILTER (WHERE has_table_privilege('hoso_app', c.oid, p))"
        " FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
    )
    rights = {table: set(each or ()) for table, each in (await owner_db.execute(asked)).all()}
    for table in ("entry", "activity", "alert", "anchor"):
        assert rights[table] == {"INSERT"}, table
    for table in ("dossier", "visit", "code_sequence", "reader"):
        assert rights[table] == {"INSERT", "UPDATE"}, table
    assert rights["alembic_version"] == set()


# What the machine promises, the database holds ----------------------------------------------

IMPOSSIBLE = [
    ("processing", "dossier SET state = 'lost'", "dossier_state_word"),
    ("processing", "dossier SET channel = 'fax'", "dossier_channel_word"),
    ("processing", "dossier SET policy = 'year'", "dossier_policy_word"),
    ("processing", "dossier SET stage_role = 'king'", "dossier_stage_role_word"),
    ("processing", "dossier SET outcome = 'approved'", "dossier_decided"),
    ("processing", "dossier SET finished_at = now()", "dossier_finished"),
    ("processing", "dossier SET verdict = 'late'", "dossier_classed"),
    ("processing", "dossier SET delivered_at = now()", "dossier_delivered"),
    ("processing", "dossier SET lapse_at = now()", "dossier_waiting"),
    ("processing", "dossier SET state = 'awaiting_payment'", "dossier_waiting"),
    (
        "processing",
        "dossier SET received_at = NULL, due_at = NULL, late_at = NULL",
        "dossier_received",
    ),
    ("processing", "dossier SET late_at = NULL", "dossier_deadline"),
    ("processing", "dossier SET stage = stages", "dossier_stage"),
    ("processing", "dossier SET stage = -2", "dossier_stage"),
    ("processing", "dossier SET missing = -1", "dossier_counts"),
    ("processing", "dossier SET supplements_left = -1", "dossier_counts"),
    ("processing", "dossier SET seq = 0, deadline = 0", "dossier_seq"),
    ("processing", "dossier SET deadline = seq + 1", "dossier_seq"),
    ("registered", "dossier SET due_at = now(), late_at = now()", "dossier_due"),
    ("returned", "dossier SET verdict = 'overdue'", "dossier_verdict_word"),
    ("returned", "dossier SET verdict = NULL", "dossier_classed"),
    ("returned", "dossier SET outcome = 'maybe'", "dossier_outcome_word"),
    ("returned", "dossier SET state = 'processing'", "dossier_"),
    ("processing", "entry SET event = 'burn'", "entry_event_word"),
    ("processing", "entry SET source = 'new' WHERE seq = 2", "entry_source_word"),
    ("processing", "entry SET dest = 'new' WHERE seq = 1", "entry_dest_word"),
    ("processing", "entry SET role = 'king' WHERE seq = 1", "entry_role_word"),
    ("processing", "entry SET source = 'registered' WHERE seq = 1", "entry_first"),
    ("processing", "entry SET source = NULL WHERE seq = 2", "entry_first"),
    ("processing", "entry SET payload = '{' WHERE seq = 1", "invalid input syntax"),
    ("processing", "entry SET seq = 2 WHERE seq = 3", "entry_pkey"),
    ("processing", "entry SET actor = 'a', key = 'k' WHERE seq < 3", "entry_key_key"),
    ("processing", "entry SET dossier_id = 0 WHERE seq = 1", "entry_dossier_id_fkey"),
    ("processing", "visit SET closed_at = now(), verdict = 'late'", "visit_closed"),
    ("processing", "visit SET closed_at = now(), closed_seq = 9", "visit_classed"),
    ("processing", "visit SET role = 'king'", "visit_role_word"),
    ("returned", "visit SET verdict = 'overdue'", "visit_verdict_word"),
]


@pytest.mark.parametrize(("stands", "impossible", "constraint"), IMPOSSIBLE)
async def test_impossible_rows_are_refused_even_to_the_owner(
    owner_db: AsyncConnection, stands: str, impossible: str, constraint: str
) -> None:
    if stands == "registered":
        await ledger.open_(owner_db, BOOK, lodging(), act(Event.register, NINE))
    elif stands == "processing":
        await process(owner_db)
    else:
        paper = await to_signature(owner_db)
        result = {"payload": {"produced": ["permit"], "outcome": "approved"}}
        await move(owner_db, paper.code, Event.return_result, at(2), Role.leader, **result)
    with pytest.raises(DBAPIError, match=constraint):
        async with owner_db.begin_nested():
            await owner_db.execute(sa.text(f"UPDATE {impossible}"))


async def test_errors_of_the_ledger_are_ours() -> None:
    assert all(issubclass(kind, HosoError) for kind in (Stale, NotOpen, KeyReused, BadInput))
