"""The hash chain: one canonical form in two languages, and every kind of tampering is found."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, NINE, PERMIT, Shelf, act, at, lodging, move, process, receive, wander
from horizon import settled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.clock import Policy
from states.ledger import anchor, chain
from states.tables import Dossier, Entry, Visit
from states.words import Channel, Event, Role

TODAY = date(2024, 3, 4)
OURS, THEIRS = b"a key that nobody else has", b"one of another machine, or forged"

# What Postgres keeps and people send: all of Unicode but NUL and halves of pairs.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=40
) | st.sampled_from(
    [
        "",
        '"',
        "\\",
        "\\u0000",
        "\x01\x1f\x7f\x80\x9f",
        "\u2028\u2029\ufeff",
        "👩‍👩‍👧𠮷",
        "</script>",
        "null",
    ]
)
MOMENTS = st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)
) | st.sampled_from(
    [
        datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
        datetime(2024, 3, 4, 9, 0, 0, 1, UTC),
        NINE,
    ]
)
KINDS = {
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "text": st.none() | TEXTS,
    "timestamptz": MOMENTS,
    "bytea": st.none() | st.binary(max_size=40),
}
LINES = st.fixed_dictionaries({name: KINDS[kind] for name, kind in chain.FIELDS.items()})
HASH = sa.text(f"SELECT {chain.sql({name: f':{name}' for name in chain.FIELDS})}")


@given(st.lists(LINES, min_size=5, max_size=5))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_python_and_sql_write_the_same_form(
    db: AsyncConnection, written: list[dict[str, Any]]
) -> None:
    for line in written:
        assert (await db.execute(HASH, line)).scalar_one() == chain.derive(line)


@given(LINES, st.sampled_from(sorted(chain.FIELDS)), st.data())
@settings(max_examples=300)
def test_every_field_is_in_the_hash(line: dict[str, Any], name: str, data: st.DataObject) -> None:
    other = data.draw(KINDS[chain.FIELDS[name]])
    same = chain.derive(line) == chain.derive(line | {name: other})
    assert same is (line[name] == other)


def test_nothing_can_be_moved_from_one_field_to_the_next() -> None:
    line = dict.fromkeys(chain.FIELDS, None) | {"at": NINE, "recorded_at": NINE}
    forms = [
        line,
        line | {"actor": "ab", "on_behalf_of": "c"},
        line | {"actor": "a", "on_behalf_of": "bc"},
        line | {"actor": 'a", "b', "on_behalf_of": "c"},
        line | {"reason": "x"},
        line | {"ground": "x"},
        line | {"reason": ""},
        line | {"reason": "null"},
        line | {"at": NINE + timedelta(microseconds=1)},
    ]
    assert len({chain.derive(each) for each in forms}) == len(forms)


# Whole -------------------------------------------------------------------------------------


async def test_whatever_happens_to_dossiers_their_lines_hold(db: AsyncConnection) -> None:
    """And each column of each, with every deadline, is what a replay of its lines gives."""
    chance = Random(6)
    for n in range(150):
        await wander(db, chance, steps=n % 24)
    told: list[int] = []
    report = await ledger.verify(db, BOOK, told.append)
    assert report.faults == []
    assert report.dossiers == 150
    assert told == list(range(1, 151))
    assert report.entries == (await db.execute(sa.select(sa.func.count(Entry.id)))).scalar_one()
    events = set((await db.execute(sa.select(Entry.event))).scalars())
    assert events >= set(Event) - {Event.adopt, Event.lapse, Event.migrate}


# Tampered with -----------------------------------------------------------------------------

OTHER: dict[str, Any] = {"source": "received", "dest": "received", "role": "citizen"}
OTHER |= {"event": "withdraw", "payload": "{}", "at": at(300)}


async def long_lived(db: AsyncConnection) -> Dossier:
    paper = await process(db)
    await move(db, paper.code, Event.request_supplement, at(1), reason="thiếu ảnh")
    return await move(db, paper.code, Event.supplement, at(2), key=paper.code)


async def faults(db: AsyncConnection) -> list[ledger.Fault]:
    return (await ledger.verify(db, BOOK)).faults


def forged(name: str, value: Any) -> Any:
    """Another value of the same kind."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}."


FORGEABLE = sorted({*chain.FIELDS, "hash"} - {"dossier_id", "seq"})


@pytest.mark.parametrize("name", FORGEABLE)
async def test_a_forged_field_of_any_line_is_found(owner_db: AsyncConnection, name: str) -> None:
    paper, bystander = await long_lived(owner_db), await receive(owner_db)
    assert await faults(owner_db) == []
    for seq in range(1, paper.seq + 1):
        savepoint = await owner_db.begin_nested()
        line = sa.and_(Entry.dossier_id == paper.id, Entry.seq == seq)
        old = (await owner_db.execute(sa.select(Entry.__table__.c[name]).where(line))).scalar_one()
        new = forged(name, old)
        if name in {"source", "prev"} and seq == 1:  # only a null can stand there
            await savepoint.rollback()
            continue
        if new == old:
            new = {"received": "processing", "citizen": "leader"}[new]
        await owner_db.execute(sa.update(Entry).where(line).values({name: new}))
        [fault] = await faults(owner_db)
        assert (fault.code, fault.seq) == (paper.code, seq)
        assert bystander.code not in str(fault)
        await savepoint.rollback()


# :mine and :other are two dossiers with six lines each; the first line found not to hold.
MISSING = [
    ("DELETE FROM entry WHERE dossier_id = :mine AND seq = 6", 5),
    ("DELETE FROM entry WHERE dossier_id = :mine AND seq = 3", 3),
    ("DELETE FROM entry WHERE dossier_id = :mine", 0),
    ("UPDATE entry SET seq = 7 WHERE dossier_id = :mine AND seq = 2", 2),
    ("UPDATE entry SET seq = 7, dossier_id = :mine WHERE dossier_id = :other AND seq = 6", 7),
    ("UPDATE dossier SET head = (SELECT head FROM dossier WHERE id = :other) WHERE id = :mine", 6),
]


@pytest.mark.parametrize(("statement", "seq"), MISSING)
async def test_a_line_that_is_gone_or_strange_is_found(
    owner_db: AsyncConnection, statement: str, seq: int
) -> None:
    mine, other = await long_lived(owner_db), await long_lived(owner_db)
    asked = {"mine": mine.id, "other": other.id}
    known = {name: of for name, of in asked.items() if f":{name}" in statement}
    await owner_db.execute(sa.text(statement), known)
    found = {fault.code: fault.seq for fault in await faults(owner_db)}
    assert found[mine.code] == seq


async def test_a_dossier_put_back_by_a_line_is_not_what_its_lines_say(
    owner_db: AsyncConnection,
) -> None:
    paper = await long_lived(owner_db)
    for statement in (
        "DELETE FROM entry WHERE seq = 6",
        "UPDATE dossier SET seq = 5, deadline = 1, head = (SELECT hash FROM entry WHERE seq = 5)",
    ):
        await owner_db.execute(sa.text(statement))
    [fault] = await faults(owner_db)
    assert (fault.code, fault.seq) == (paper.code, 0)
    assert str(fault).startswith(f"{paper.code}, as it stands: state is processing")


NOT_A_FACT = {"id"}  # of the database's own making


@pytest.mark.parametrize("name", [c.name for c in Dossier.__table__.c if c.name not in NOT_A_FACT])
async def test_a_forged_projection_is_found(owner_db: AsyncConnection, name: str) -> None:
    await long_lived(owner_db)
    column = Dossier.__table__.c[name]
    old = (await owner_db.execute(sa.select(column))).scalar_one()
    new: Any = {
        "state": "routed", "channel": "post", "policy": "instant", "stage_role": "leader",
        "source": "x", "outcome": "refused", "delivered_by": "post", "verdict": "late",
        "facts": {"holds": []}, "stage": 1,
        "place": "x",
        "email": "x",
        "phone": "x",
        "citizen": "x",
    }.get(name)  # fmt: skip
    if old is None and new is None:
        new = NINE if isinstance(column.type, sa.DateTime) else 1
    new = forged(name, old) if new is None else new
    # The CHECKs would refuse some of these; who can forge a row can drop them.
    checks = sa.text(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'dossier'::regclass AND contype = 'c'"
    )
    for check in (await owner_db.execute(checks)).scalars().all():
        await owner_db.execute(sa.text(f'ALTER TABLE dossier DROP CONSTRAINT "{check}"'))
    await owner_db.execute(sa.update(Dossier).values({name: new}))
    assert len(await faults(owner_db)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE visit SET person = 'x'",
        "UPDATE visit SET due_at = due_at + interval '1 minute'",
        "UPDATE visit SET opened_at = opened_at - interval '1 day'",
        "UPDATE visit SET unit = 'H42.07'",
        "DELETE FROM visit",
        "UPDATE visit SET visit = 2",
    ],
)
async def test_a_forged_visit_is_found(owner_db: AsyncConnection, statement: str) -> None:
    await long_lived(owner_db)
    await owner_db.execute(sa.text(statement))
    assert len(await faults(owner_db)) == 1


async def test_a_move_the_rules_do_not_have_is_found(owner_db: AsyncConnection) -> None:
    """A forger with the owner's rights and our code writes a line that holds in itself."""
    paper = await receive(owner_db)
    await rewrite(owner_db, paper, 1, role=Role.citizen)
    [fault] = await faults(owner_db)
    assert "the rules do not lead along its lines" in str(fault)


async def rewrite(db: AsyncConnection, paper: Dossier, seq: int, **changed: Any) -> None:
    """Change a line and write all later ones anew, so that the chain holds."""
    ours = sa.select(Entry.__table__).where(Entry.dossier_id == paper.id, Entry.seq >= seq)
    prev = None
    for row in (await db.execute(ours.order_by(Entry.seq))).mappings().all():
        line = dict(row) | (changed if row["seq"] == seq else {})
        line["prev"] = row["prev"] if row["seq"] == seq else prev
        prev = line["hash"] = chain.derive(line)
        await db.execute(
            sa.update(Entry)
            .where(Entry.dossier_id == paper.id, Entry.seq == row["seq"])
            .values(line)
        )
    await db.execute(sa.update(Dossier).where(Dossier.id == paper.id).values(head=prev))


# Anchored ----------------------------------------------------------------------------------


async def test_a_history_written_anew_is_found_by_its_anchor(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    async with fresh.begin() as db:
        paper = await long_lived(db)
    await settled(fresh)
    async with owner.connect() as db:
        await _written_anew(db, paper, tmp_path)


async def _written_anew(owner_db: AsyncConnection, paper: Dossier, folder: Path) -> None:
    assert await anchor.sign(owner_db, OURS, folder, TODAY) == 1
    assert await anchor.sign(owner_db, OURS, folder, TODAY) == 0
    await move(owner_db, paper.code, Event.withdraw, at(3))  # what came later is not its business
    await receive(owner_db)
    assert await anchor.check(owner_db, OURS, folder) == []

    savepoint = await owner_db.begin_nested()
    await rewrite(owner_db, paper, 5, reason="thiếu mọi thứ")
    assert await faults(owner_db) == []  # the chain alone cannot tell
    [told] = await anchor.check(owner_db, OURS, folder)
    assert told == f"anchor of H42.05, {TODAY}: the history signed then is not the history told now"
    await savepoint.rollback()

    for statement in (
        "UPDATE anchor SET dossiers = dossiers + 1",
        "UPDATE anchor SET heads = sha256('x')",
        "UPDATE anchor SET signature = sha256('x')",
    ):
        savepoint = await owner_db.begin_nested()
        await owner_db.execute(sa.text(statement))
        assert await anchor.check(owner_db, OURS, folder)
        await savepoint.rollback()
    savepoint = await owner_db.begin_nested()
    await owner_db.execute(sa.text("DELETE FROM anchor"))
    [told] = await anchor.check(owner_db, OURS, folder)
    assert told.startswith("the anchors are not those that were signed")
    await savepoint.rollback()

    [told] = await anchor.check(owner_db, THEIRS, folder)
    assert told == f"anchor of H42.05, {TODAY}: its signature is not ours"


async def test_nobody_signs_with_another_key(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path
) -> None:
    """A second machine without the first one's would make honest anchors look forged."""
    async with fresh.begin() as db:
        await receive(db)
    await settled(fresh)
    async with fresh.begin() as db:
        assert await anchor.sign(db, OURS, tmp_path, TODAY) == 1
        with pytest.raises(anchor.OtherKey, match=f"the last anchor of H42.05, of {TODAY}"):
            await anchor.sign(db, THEIRS, tmp_path, TODAY + timedelta(1))
        assert await anchor.sign(db, OURS, tmp_path, TODAY + timedelta(2)) == 1
        assert await anchor.check(db, OURS, tmp_path) == []


def test_the_key_is_made_of_the_secret_and_can_be_kept(tmp_path: Path) -> None:
    made = anchor.key_in(tmp_path, b"made")
    assert made == anchor.key_in(tmp_path, b"made") != anchor.key_in(tmp_path, b"anew")
    kept = tmp_path / anchor.KEY
    kept.write_text("too short to be one")
    with pytest.raises(anchor.NoKey, match="holds no key"):
        anchor.key_in(tmp_path, b"anew")
    kept.write_bytes(anchor.key_in(tmp_path / "none", bytes(32)) + b"\n")
    assert anchor.key_in(tmp_path, b"anew") == anchor.key_in(tmp_path / "none", bytes(32))


async def test_every_agency_has_its_anchor(fresh: AsyncEngine, tmp_path: Path) -> None:
    book = Shelf((PERMIT,)).with_next(PERMIT, agency="H42.07")
    async with fresh.begin() as db:
        await receive(db)
        await ledger.open_(db, book, lodging(), act(Event.receive, NINE))
    await settled(fresh)
    async with fresh.begin() as db:
        assert await anchor.sign(db, OURS, tmp_path, TODAY) == 2
        assert await anchor.check(db, OURS, tmp_path) == []


async def test_a_slow_writer_is_no_forger(fresh: AsyncEngine, tmp_path: Path) -> None:
    async with fresh.begin() as db:
        await receive(db)
    async with fresh.connect() as slow:
        await receive(slow)
        async with fresh.begin() as db:
            await anchor.sign(db, OURS, tmp_path, TODAY)
        await slow.commit()
    async with fresh.begin() as db:
        assert await anchor.check(db, OURS, tmp_path) == []


def test_the_payload_is_kept_as_it_was_hashed() -> None:
    """Two writings of one JSON are two texts: `entry.payload` must stay text."""
    assert isinstance(Entry.__table__.c.payload.type, sa.Text)
    assert json.loads('{"a": 1}') == json.loads('{"a":1}')


def test_the_fields_are_all_an_entry_has_to_say() -> None:
    said: Iterable[str] = (column.name for column in Entry.__table__.c)
    assert set(said) - set(chain.FIELDS) == {"id", "hash", "xact"}
    assert set(Visit.__table__.c.keys()) >= {"due_at", "verdict"}


async def test_an_imported_history_is_under_the_chain(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    told = {"n": 1, "name": "T02", "at": NINE, "person": "R1", "unit": None, "data": {"b": "1"}}
    taken = ledger.Taken(
        source="log", code="case-1", agency="NL", unit="NL", procedure="p", applicant="",
        channel=Channel.counter, calendar="week", policy=Policy.day, received=NINE, promised=None,
    )  # fmt: skip
    adopt = act(Event.adopt, NINE, Role.system)
    async with fresh.begin() as db:
        await ledger.adopt(db, BOOK, taken, adopt, [told])
        await receive(db)
        assert (await ledger.verify(db, BOOK)).faults == []
    for statement in (
        "UPDATE activity SET at = at - interval '1 day'",
        "DELETE FROM activity",
        "INSERT INTO activity SELECT dossier_id, 2, 'paid', at, person, unit, data FROM activity",
        """INSERT INTO activity SELECT id, 1, 'paid', now(), '', '', '{}' FROM dossier
        WHERE source IS NULL""",
    ):
        async with owner.connect() as db:
            await db.execute(sa.text(statement))
            assert len((await ledger.verify(db, BOOK)).faults) == 1
