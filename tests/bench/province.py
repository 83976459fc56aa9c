"""A province's dossiers of three years, quickly: a million, of which some fifty thousand are open.

Made by SQL and not lived: they are there to be looked for, and only that.
"""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from crowd import _copied
from sqlalchemy.ext.asyncio import AsyncConnection

from states.db import engine, transaction
from states.ledger.statements import d, v

AT = datetime(2026, 11, 25, 9, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))  # a Wednesday
PROCEDURE = "2.000205"
BODIES = 40  # agencies, the first of which has a sixth of all; each has five units with six people
OPEN = 50_000

# As often as people are called so: four of ten are Nguyễn.
FAMILY = ["Nguyễn"] * 38 + ["Trần"] * 12 + ["Lê"] * 10 + ["Phạm"] * 7 + ["Hoàng"] * 5 + ["Vũ"] * 4
FAMILY += ["Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Mai", "Tạ", "Kiều", "Ông"] * 2
MIDDLE = ["Thị"] * 9 + ["Văn"] * 9 + ["Đức", "Minh", "Ngọc", "Thu", "Quốc", "Thanh", "Xuân", "Bảo"]
MIDDLE += ["Kim", "Hải", "Thị Ngọc", "Thị Thu", "Đình", "Hữu", "Công", "Thị Minh", "Gia", "Khánh"]
GIVEN = ["Anh", "Ánh", "An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hạnh", "Hòa", "Hương", "Khánh"]
GIVEN += ["Lan", "Liên", "Long", "Mai", "Nam", "Nga", "Phúc", "Quân", "Sơn", "Tâm", "Thảo", "Thủy"]
GIVEN += [
    "Trang",
    "Tuấn",
    "Vân",
    "Yến",
    "Đạt",
    "Đông",
    "Hiếu",
    "Hùng",
    "Huy",
    "Linh",
    "Loan",
    "Lộc",
]

DRAWN = """
CREATE TEMP TABLE drawn AS
SELECT n, random() AS r, 1 + floor(:bodies * random() ^ 2)::int AS body, 1 + n % 5 AS room,
    CAST(:at AS timestamptz) - (:many - n) * interval '3 years' / :many AS came,
    (ARRAY[:family])[1 + floor(random() * :familys)::int] || ' '
    || (ARRAY[:middle])[1 + floor(random() * :middles)::int] || ' '
    || (ARRAY[:given])[1 + floor(random() * :givens)::int] AS name,
    n > :many - :open OR random() < 0.005 AS open, 1 + floor(random() * 30)::int AS days
FROM generate_series(1, :many) AS n
"""
STATED = """
CREATE TEMP TABLE stated AS
SELECT *, CASE
    WHEN open AND r < 0.05 THEN 'registered' WHEN open AND r < 0.08 THEN 'received'
    WHEN open AND r < 0.09 THEN 'digitised' WHEN open AND r < 0.17 THEN 'routed'
    WHEN open AND r < 0.65 THEN 'processing' WHEN open AND r < 0.75 THEN 'awaiting_supplement'
    WHEN open THEN 'result_returned' WHEN r < 0.94 THEN 'delivered'
    WHEN r < 0.98 THEN 'withdrawn' ELSE 'stopped' END AS state,
    'H42.' || lpad(body::text, 2, '0') AS agency
FROM drawn
"""
HAD = "state NOT IN ('registered')"
ENDED = "state IN ('delivered', 'withdrawn', 'stopped', 'result_returned')"
GIVEN_OUT = "state IN ('delivered', 'result_returned')"
DUE = f"CASE WHEN {HAD} AND state <> 'awaiting_supplement' THEN came + days * interval '1 day' END"
TALLY = "CASE WHEN n % 31 > 0 THEN 'early' ELSE 'late' END"
HELD_BY = "CASE n % 3 WHEN 0 THEN 'leader' ELSE 'officer' END"
EIGHT = "(n::bigint * 7919 % 100000000)"
COUNTER = "state IN ('registered', 'received', 'digitised')"
ROOM = f"CASE WHEN {COUNTER} THEN 'H42.14' ELSE agency || '.0' || room END"
SET = {
    "code": "'H42.14-' || to_char(came, 'YYMMDD') || '-' || n",
    "state": "state",
    "agency": "agency",
    "unit": ROOM,
    "field": "'field-' || body",
    "procedure": "'2.' || lpad((n % 300)::text, 6, '0')",
    "applicant": "name",
    "phone": f"CASE WHEN n % 3 > 0 THEN '09' || lpad({EIGHT}::text, 8, '0') END",
    "citizen": "CASE WHEN n % 2 > 0 THEN encode(sha256(n::text::bytea), 'hex') END",
    "registered_at": "came",
    "moved_at": f"CASE WHEN {ENDED} THEN came + days * interval '20 hours' ELSE came END",
    "received_at": f"CASE WHEN {HAD} THEN came END",
    "due_original": DUE,
    "due_at": DUE,
    "late_at": f"{DUE} + interval '7 hours'",
    "lapse_at": "CASE WHEN state = 'awaiting_supplement' THEN came + interval '30 days' END",
    "finished_at": f"CASE WHEN {ENDED} THEN came + days * interval '20 hours' END",
    "verdict": f"CASE WHEN {GIVEN_OUT} THEN {TALLY} WHEN {ENDED} THEN 'not_counted' END",
    "outcome": f"CASE WHEN {GIVEN_OUT} THEN 'approved' END",
    "delivered_at": "CASE WHEN state = 'delivered' THEN came + days * interval '1 day' END",
    "stage": f"CASE WHEN {COUNTER} OR state = 'routed' THEN -1 ELSE 0 END",
    "stage_role": f"CASE WHEN state = 'processing' THEN {HELD_BY} END",
    "visit": f"CASE WHEN {COUNTER} OR state = 'routed' THEN 0 ELSE 1 END",
}
VISITED = "NOT (state IN ('registered', 'received', 'digitised', 'routed'))"
LEFT = "s.state IN ('delivered', 'withdrawn', 'stopped', 'result_returned')"
SEEN = {
    "dossier_id": "s.n",
    "visit": "1",
    "unit": "s.agency || '.0' || s.room",
    "role": HELD_BY,
    "person": "CASE WHEN s.n % 10 > 0 THEN 'p-' || s.body || '-' || s.room || '-' || s.n % 6 END",
    "opened_at": "s.came",
    "due_at": "s.came + s.days * interval '12 hours'",
    "closed_at": f"CASE WHEN {LEFT} THEN s.came + s.days * interval '20 hours' END",
    "closed_seq": f"CASE WHEN {LEFT} THEN 5 END",
    "verdict": f"CASE WHEN {LEFT} THEN 'early' END",
}


def settled(owner: str, many: int) -> None:
    """That many, and nothing else; the database has tidied up after them."""

    async def all_of_it() -> None:
        connections = engine(owner, 1)
        async with transaction(connections) as db:
            await _copied(db, 1, PROCEDURE, ())
            await _made(db, many)
        async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            await db.execute(sa.text("VACUUM ANALYZE"))
            await db.execute(sa.text("CHECKPOINT"))
        await connections.dispose()

    asyncio.run(all_of_it())


def told_ten_times(owner: str) -> None:
    """The dossiers nine times more, each time three years earlier: only to be counted."""
    copied = {c.name: f"d.{c.name}" for c in d if c.name != "id"}
    copied["code"] = "d.code || '-' || k"
    for name in copied:
        if name.endswith("_at"):
            copied[name] = f"d.{name} - k * interval '3 years'"
    statement = (
        f"INSERT INTO dossier (id, {', '.join(copied)}) OVERRIDING SYSTEM VALUE"
        f" SELECT d.id + k * (SELECT max(id) FROM dossier), {', '.join(copied.values())}"
        " FROM dossier AS d, generate_series(1, 9) AS k"
    )

    async def all_of_it() -> None:
        connections = engine(owner, 1)
        async with transaction(connections) as db:
            await db.execute(sa.text(statement))
        async with connections.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            await db.execute(sa.text("VACUUM ANALYZE dossier"))
        await connections.dispose()

    asyncio.run(all_of_it())


async def _made(db: AsyncConnection, many: int) -> None:
    """The dossier that is there lends what is nowhere asked for, and goes."""
    await db.execute(sa.text("SELECT setseed(0.5)"))
    asked = {"bodies": BODIES, "at": AT, "many": many, "open": OPEN * 9 // 10}
    await db.execute(sa.text(_named(DRAWN)), asked)
    await db.execute(sa.text(STATED))
    await db.execute(sa.text("CREATE TEMP TABLE lent AS SELECT * FROM dossier"))
    for table in ("entry", "sought", "dossier"):
        await db.execute(sa.text(f"DELETE FROM {table}"))
    lent = {c.name: f"lent.{c.name}" for c in d} | {name: f"s.{name}" for name in SET}
    lent["id"] = "s.n"
    own = ", ".join(f"({value}) AS {name}" for name, value in SET.items())
    await db.execute(
        sa.text(
            f"INSERT INTO dossier ({', '.join(lent)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(lent.values())} FROM (SELECT n, {own} FROM stated) AS s, lent"
        )
    )
    staged = {"stage": "0", "code": "'a'", "term": "'5wd'", "opened_seq": "4", "used": "NULL"}
    visits = staged | SEEN
    assert set(visits) == set(v.keys())
    await db.execute(
        sa.text(
            f"INSERT INTO visit ({', '.join(visits)}) SELECT {', '.join(visits.values())}"
            f" FROM stated AS s WHERE {VISITED}"
        )
    )
    await db.execute(
        sa.text(
            "INSERT INTO sought (kind, term, dossier_id) SELECT t.kind, t.term, d.id"
            " FROM dossier d, hoso_terms(d.code, d.procedure, d.applicant, d.phone, d.citizen) t"
        )
    )
    counted = "pg_get_serial_sequence('dossier', 'id')"  # the next one comes after them
    await db.execute(sa.text(f"SELECT setval({counted}, max(id)) FROM dossier"))


def _named(drawn: str) -> str:
    """With the names that people have."""
    for which, words in (("family", FAMILY), ("middle", MIDDLE), ("given", GIVEN)):
        drawn = drawn.replace(f":{which}]", ", ".join(f"'{word}'" for word in words) + "]")
        drawn = drawn.replace(f":{which}s", str(len(words)))
    return drawn
