"""The sweep: what changed is taken in, what is due is told, and nothing else is looked at.

It reads the ledger as outbox for what changed, and an index for what is due, so the cost follows
these two and not what is open. Both go in batches, each a transaction: killed anywhere and run
again, the same end. Any number may run at once: what is due is claimed by whoever comes first, what
changed is read by one at a time.

Unlike other readers it does not wait for slow writers: lines past the oldest open transaction are
looked at too and read again later, as a look at what was looked at costs little and tells nothing.
So once a sweep has returned, all that was committed before it is judged.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import states.deadlines.rows  # noqa: F401  so that the metadata is full
from states.catalogue.rules import Rules
from states.db import fetch, fetch_all, transaction
from states.deadlines.looking import Book, look
from states.errors import Outdated
from states.ledger import outbox

log = structlog.get_logger()

NAME = "sweep"
BATCH = 2_000  # dossiers a transaction
PATIENCE = "60s"  # what a sweep that fell silent may keep from the others
RECKONING = 1  # of the code in `watched` and `moments`: one more when it tells other moments

LIMITED = f"SELECT set_config('idle_in_transaction_session_timeout', '{PATIENCE}', true)"
ALONE = f"SELECT xact, last FROM reader WHERE name = '{NAME}' FOR UPDATE"  # noqa: S608
BEGIN = f"""
INSERT INTO reader (name, xact, last) VALUES ('{NAME}', {outbox.HORIZON} - 1, {2**63 - 1})
ON CONFLICT DO NOTHING
"""  # noqa: S608
RULES = "SELECT rules, edition, last FROM survey"
SURVEY = """
INSERT INTO survey (one, rules, edition, last) VALUES (true, $1, $2, 0)
ON CONFLICT (one) DO UPDATE SET rules = excluded.rules, edition = excluded.edition, last = 0
"""
SURVEYED = "UPDATE survey SET last = $1"
OPEN = "SELECT id FROM dossier WHERE id > $1 AND finished_at IS NULL ORDER BY id LIMIT $2"
NEWEST = "SELECT xact, id FROM entry ORDER BY xact DESC, id DESC LIMIT 1"
CHANGED = f"""
SELECT xact, id, dossier_id, seq, xact < {outbox.HORIZON} AS settled FROM entry
WHERE (xact, id) > ($1, $2) AND (xact, id) <= ($3, $4) ORDER BY xact, id LIMIT $5
"""  # noqa: S608
READ = f"UPDATE reader SET xact = $1, last = $2 WHERE name = '{NAME}'"  # noqa: S608
HELD = """
SELECT dossier_id, seq FROM watch WHERE dossier_id = ANY($1) ORDER BY dossier_id FOR UPDATE
"""
DUE = """
SELECT dossier_id, seq FROM watch WHERE at <= $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def sweep(
    engine: AsyncEngine, book: Book, at: datetime, batch: int = BATCH
) -> dict[str, int]:
    """Tell what is due at a moment and was not told before; how many of each rule."""
    told = Counter(dict.fromkeys((rule.code for rule in book.rules.rules), 0))
    try:
        await _under(engine, book)
        for each in (_surveyed, _taken_in, _fired):
            async for found in each(engine, book, at, batch):
                told.update(found)
    except Outdated:  # who has read the rules since goes on
        log.info("deadlines.outdated", edition=book.edition)
    if any(told.values()):
        log.info("deadlines.swept", **{code: count for code, count in told.items() if count})
    return dict(told)


# Under which rules ------------------------------------------------------------------------


def digest(rules: Rules) -> str:
    """What the moments follow from; names, and whom they are told to, do not count."""
    said = [f"{each.code} {each.on} {each.when} {each.what}" for each in rules.rules]
    return hashlib.sha256("\n".join([str(RECKONING), *said]).encode()).hexdigest()


async def _under(engine: AsyncEngine, book: Book) -> None:
    """Where the rules are others than those the watches were reckoned by, begin to go through all
    open dossiers. The very first sweep begins so too, and reads the ledger from there on.

    Raises `Outdated` for rules that were followed by others.
    """
    async with transaction(engine) as db:
        if _same(await fetch(db, RULES), book):
            return
        await fetch(db, BEGIN)
        await fetch(db, ALONE)
        now = await fetch(db, RULES + " FOR UPDATE")
        if not _same(now, book):
            await fetch(db, SURVEY, digest(book.rules), book.edition)


def _same(row: Any, book: Book) -> bool:
    """Raises `Outdated`."""
    if row is None:
        return False
    known = None not in {row["edition"], book.edition}
    if row["rules"] == digest(book.rules):
        return True
    if known and row["edition"] > book.edition:
        raise Outdated
    return False


@asynccontextmanager
async def _batch(
    engine: AsyncEngine, book: Book, *, alone: bool = False
) -> AsyncIterator[AsyncConnection]:
    """A transaction in which the rules stay what they are. Raises `Outdated` if they are others.

    `alone`: one at a time, the others wait. In this order, so that none waits for the other.
    """
    async with transaction(engine) as db:
        await fetch(db, LIMITED)
        if alone:
            await fetch(db, ALONE)
        now = await fetch(db, RULES + " FOR SHARE")
        if now["rules"] != digest(book.rules):
            raise Outdated
        yield db


# What is looked at ------------------------------------------------------------------------


async def _surveyed(
    engine: AsyncEngine, book: Book, at: datetime, batch: int
) -> AsyncIterator[Counter[str]]:
    """All open dossiers, in order of id, once for every set of rules."""
    while True:
        async with _batch(engine, book, alone=True) as db:
            last = (await fetch(db, RULES))["last"]
            if last is None:
                return
            ids = [row["id"] for row in await fetch_all(db, OPEN, last, batch)]
            told = await look(db, book, ids, await _held(db, ids), at)
            await fetch(db, SURVEYED, ids[-1] if len(ids) == batch else None)
        yield told


async def _taken_in(
    engine: AsyncEngine, book: Book, at: datetime, batch: int
) -> AsyncIterator[Counter[str]]:
    """What changed, line after line, as far as it was written when this began."""
    async with transaction(engine) as db:
        newest = await fetch(db, NEWEST)
    here = (0, 0)
    while newest is not None:
        async with _batch(engine, book, alone=True) as db:
            here = max(here, tuple(await fetch(db, ALONE)))
            lines = await fetch_all(db, CHANGED, *here, *newest, batch)
            if not lines:
                return
            here = (lines[-1]["xact"], lines[-1]["id"])
            told = await _look_at_changed(db, book, lines, at)
        yield told


async def _look_at_changed(
    db: AsyncConnection, book: Book, lines: list[Any], at: datetime
) -> Counter[str]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, seq in ((line["dossier_id"], line["seq"]) for line in lines):
        first[number] = min(first.get(number, seq), seq - 1)
        last[number] = max(last.get(number, 0), seq)
    held = await _held(db, sorted(last))
    new = [each for each in sorted(last) if held.get(each, 0) < last[each]]
    told = await look(db, book, new, first | held, at)
    settled = [line for line in lines if line["settled"]]
    if settled:
        await fetch(db, READ, settled[-1]["xact"], settled[-1]["id"])
    return told


async def _fired(
    engine: AsyncEngine, book: Book, at: datetime, batch: int
) -> AsyncIterator[Counter[str]]:
    """What is due, earliest first, until nothing is."""
    while True:
        async with _batch(engine, book) as db:
            due = await fetch_all(db, DUE, at, batch)
            if not due:
                return
            since = {row["dossier_id"]: row["seq"] for row in due}
            told = await look(db, book, list(since), since, at)
        yield told


async def _held(db: AsyncConnection, ids: list[int]) -> dict[int, int]:
    """The watches of these dossiers, locked, with the line up to which each was looked at."""
    return {row["dossier_id"]: row["seq"] for row in await fetch_all(db, HELD, ids)}
