"""What must hold at the end: of one database by itself, and of two that lived the same season."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from counters import Given
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.secret import key as key_of
from config.secret import secret
from config.settings import Settings
from states import ledger
from states.catalogue import Catalogue
from states.figures import freezing
from states.figures.bieu06 import bieu06
from states.ledger import anchor
from states.notices.sending import BATCH, key

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")

# By itself ----------------------------------------------------------------------------------------


async def verified(db: AsyncConnection, book: Catalogue, folder: Path) -> int:
    """Every hash, date and class by recomputation; every signature and frozen figure. The lines."""
    report = await ledger.verify(db, book)
    assert report.faults == []
    assert report.unread == 0
    ours = anchor.key_in(folder, key_of(secret(Settings(data=folder)), "anchor"))
    assert await anchor.check(db, ours, folder) == []
    assert await freezing.check(db) == []
    return report.entries


async def kept(db: AsyncConnection, answers: Mapping[str, Given]) -> None:
    """What was answered is there once, as it was answered; and nothing else that anybody asked."""
    asked = "SELECT e.key, d.code, e.seq FROM entry e JOIN dossier d ON d.id = e.dossier_id"
    rows = (await db.execute(sa.text(f"{asked} WHERE e.key IS NOT NULL"))).all()
    there = {key: Given(code, seq) for key, code, seq in rows}
    assert len(there) == len(rows), "a key is there twice"
    assert there == answers


async def balanced(db: AsyncConnection, book: Catalogue, since: datetime, until: datetime) -> int:
    """Biểu 06 of every agency and month; how many rows there were.

    What was in process at the end of a month is carried over, but for what then ended unclassed.
    """
    in_process: Counter[str] = Counter()
    rows = 0
    month = since.astimezone(HANOI).replace(day=1, hour=0, minute=0)
    while month <= until:
        following = (month + timedelta(days=32)).replace(day=1)
        form = await bieu06(db, book, month, following)
        for row in form.rows:
            assert row.balances, row
            assert 0 <= in_process[row.agency] - row.carried <= row.unclassed, row
            in_process[row.agency] = row.in_process
            rows += 1
        month = following
    return rows


async def watched(db: AsyncConnection, at: datetime) -> Counter[str]:
    """Each alert and breach once, and what is or was late at its end has its breach."""
    for table in ("alert", "breach"):
        once = "GROUP BY dossier_id, rule, visit, deadline HAVING count(*) > 1"
        await _none(db, f"SELECT dossier_id, rule, visit, deadline FROM {table} {once}")
    unrecorded = """
        SELECT d.id, d.code, d.verdict, d.due_at FROM dossier d
        WHERE (d.verdict = 'late' OR (d.finished_at IS NULL AND d.late_at <= :at))
          AND NOT EXISTS (
            SELECT FROM breach b WHERE b.dossier_id = d.id AND b.rule = 'term-late'
              AND (b.due_at = d.due_at OR EXISTS (  -- what was missed then stays on the record
                SELECT FROM entry e WHERE e.dossier_id = d.id AND e.event = 'restate'
              ))
          )
    """
    await _none(db, unrecorded, at=at)
    unalike = """
        SELECT dossier_id, rule
        FROM alert a FULL JOIN breach b USING (dossier_id, rule, visit, deadline)
        WHERE (a.what = 'breach') <> (b.standing IS NOT NULL) OR a.what IS NULL
    """
    await _none(db, unalike)
    sums = """
        SELECT dossier_id, rule, minutes, attribution FROM breach
        WHERE ended_at IS NOT NULL AND rule = 'term-late'
          AND minutes <> (SELECT sum((each ->> 'late_minutes')::int)
            FROM json_array_elements(attribution) AS each)
    """
    await _none(db, sums)
    told = await _rows(db, "SELECT what, count(*) FROM alert GROUP BY 1")
    return Counter({f"deadlines told of, each once: {what}": many for what, many in told})


async def told(db: AsyncConnection, arrived: Counter[str], disturbed: int) -> Counter[str]:
    """Each fact once to each; all was sent, and what was sent arrived.

    `disturbed`: how many runs may have sent what they could not note, a batch each.
    """
    rows = await _rows(db, "SELECT sending, count(*) FROM message GROUP BY 1")
    assert dict(rows).keys() <= {"sent"}, rows
    asked = "SELECT fact, audience, way, recipient FROM message"
    sent = [key(*row) for row in await _rows(db, asked)]
    assert len(set(sent)) == len(sent)
    assert set(sent) == set(arrived)
    twice = sum(arrived.values()) - len(arrived)
    assert twice <= BATCH * disturbed, twice
    return Counter({"messages, each once": len(sent), "of them arrived again": twice})


async def _none(db: AsyncConnection, asked: str, **given: Any) -> None:
    """Nothing is found; of the first that is, its lines and what was told of it are shown."""
    rows = await _rows(db, asked, **given)
    of = {"id": rows[0][0]} if rows else {}
    told = [str(row) for each in STORY for row in (await _rows(db, each, **of) if rows else ())]
    assert not rows, f"{len(rows)} of them, such as {rows[0]}:\n" + "\n".join(told)


STORY = (
    """SELECT seq, event, dest, role, at::text, payload::json -> 'clock' ->> 'due',
      payload::json -> 'clock' ->> 'verdict' FROM entry WHERE dossier_id = :id ORDER BY seq""",
    """SELECT rule, visit, deadline, due_at::text, at::text FROM alert WHERE dossier_id = :id""",
    """SELECT rule, visit, deadline, due_at::text, ended_at::text, minutes FROM breach
      WHERE dossier_id = :id""",
)


async def _rows(db: AsyncConnection, asked: str, **given: Any) -> list[Any]:
    return [tuple(row) for row in await db.execute(sa.text(asked), given)]


# Two alike ----------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What a season left, by the number of the dossier in it."""

    ends: dict[int, Any]
    lines: dict[int, Any]
    events: dict[int, Any]
    breaches: dict[int, Any]
    messages: dict[int, Any]


NUMBER = "(SELECT split_part(key, '/', 2)::int FROM entry WHERE dossier_id = d.id AND seq = 1)"
ENDS = f"""
SELECT {NUMBER}, d.state, d.stage, d.version, d.due_original, d.due_at, d.verdict, d.outcome,
  d.received_at, d.fee_paid, d.term
FROM dossier d
"""
LINES = f"""
SELECT {NUMBER}, e.seq, e.event, e.source, e.dest, e.role, e.actor, e.at, e.reason, e.ground
FROM entry e JOIN dossier d ON d.id = e.dossier_id ORDER BY e.dossier_id, e.seq
"""
# Who had it is read off the visit, which knows nobody until somebody acts in it: left out here.
# A stage's or transfer's deadline has as its version the last line that may have moved it: a sweep
# before one that moved nothing keeps the number of the one before.
BREACHES = f"""
SELECT {NUMBER}, a.rule, a.visit,
  CASE WHEN a.watched NOT IN ('stage', 'transfer') THEN a.deadline END,
  a.watched, a.what, a.due_at, a.at, a.unit, b.ended_at, b.minutes, b.attribution::text,
  b.apology_seq
FROM alert a LEFT JOIN breach b USING (dossier_id, rule, visit, deadline)
JOIN dossier d ON d.id = a.dossier_id WHERE a.what <> 'alert'
"""
# So does the person that a message names.
MESSAGES = rf"""
SELECT {NUMBER}, replace(m.fact, '/' || d.id || '/', '/'), m.template, m.audience, m.way,
  m.recipient, m.law, replace(m.subject, d.code, ''),
  regexp_replace(replace(m.body, d.code, ''), 'giải quyết: [^\n]*', '', 'g')
FROM message m JOIN dossier d ON d.id = m.dossier_id WHERE m.fact LIKE 'entry/%'
"""


async def left(engine: AsyncEngine, one_in: int = 1) -> Told:
    """Of one dossier in so many."""
    async with engine.connect() as db:
        told = [await _by_number(db, each, one_in) for each in (ENDS, LINES, BREACHES, MESSAGES)]
    ends, lines, breaches, messages = told
    events = {n: sorted((line[1], line[4]) for line in of) for n, of in lines.items()}
    return Told(ends, lines, events, _sorted(breaches), _sorted(messages))


async def _by_number(db: AsyncConnection, asked: str, one_in: int) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for number, *rest in await db.execute(sa.text(asked)):
        if number % one_in == 0:
            found[number].append(tuple(rest))
    return dict(found)


def _sorted(of: dict[int, list[Any]]) -> dict[int, list[Any]]:
    return {number: sorted(rows, key=repr) for number, rows in of.items()}


def alike(soaked: Told, twin: Told) -> Counter[str]:
    """The same ends by the same moves; where these were made in the same order and at the same
    moments, the same breaches and messages. How many there were of each.
    """
    assert soaked.ends.keys() == twin.ends.keys()
    for of, its in ((soaked.ends, twin.ends), (soaked.events, twin.events)):
        differ = [n for n in its if of[n] != its[n]]
        assert not differ, _apart(len(differ), of[differ[0]], its[differ[0]])
    same = [n for n in twin.lines if soaked.lines[n] == twin.lines[n]]
    for of, its in ((soaked.breaches, twin.breaches), (soaked.messages, twin.messages)):
        differ = [n for n in same if of.get(n) != its.get(n)]
        assert not differ, _apart(len(differ), *(each.get(differ[0], []) for each in (of, its)))
    return Counter(
        {
            "dossiers that ended alike": len(twin.ends),
            "with every line alike": len(same),
            "breaches alike": sum(len(twin.breaches.get(n, ())) for n in same),
            "messages alike": sum(len(twin.messages.get(n, ())) for n in same),
        }
    )


def _apart(many: int, soaked: list[Any], twin: list[Any]) -> str:
    """What one of them has and the other has not."""
    only = [f"soaked {row}" for row in soaked if row not in twin]
    only += [f"twin   {row}" for row in twin if row not in soaked]
    return "\n".join([f"{many} dossiers differ, one of them by", *only])
