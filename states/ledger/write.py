"""Where moves become rows. Nothing here commits: whoever opened the transaction closes it.

A move is two round trips: one reads the dossier with its present stage, one writes the line, the
dossier and the stage together, if and only if nobody moved the dossier in between. Two clerks, one
wins; the database decides by `seq`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states import lifecycle
from states.consultations.hearing import check_heard
from states.db import fetch
from states.errors import BadInput, HosoError, KeyReused, Outdated, Stale, Unknown
from states.ledger import chain, statements
from states.ledger.acts import Act, Lodging, keepable
from states.ledger.loads import balances, in_hand
from states.ledger.pins import Book
from states.ledger.turn import Taken, adopting, opening, said, turn
from states.ledger.verify import Line, replay
from states.lifecycle import Now
from states.tables import Dossier, Visit
from states.words import Event, Role, State

log = structlog.get_logger()

SKEW = timedelta(minutes=5)  # how far two machines' clocks may disagree


async def open_(db: AsyncConnection, book: Book, lodging: Lodging, act: Act) -> Dossier:
    """Open a dossier with its first entry (`register` or `receive`) and return it."""
    lodging.check()
    about = asdict(lodging) | {"procedure": book.procedure(lodging.procedure).code}
    await _in_turn(db, act)
    if (again := await _answered(db, book, act, about=about)) is not None:
        return again
    paper, payload = opening(book, lodging, act)
    day = book.day(act.at)
    paper.code = book.code_for(lodging.unit, day, await _number(db, book, lodging.unit, day))
    payload["lodging"]["code"] = paper.code
    await insert(db, paper, act, payload)
    log.info("dossier.opened", code=paper.code, move=act.event, role=act.role)
    return paper


async def adopt(
    db: AsyncConnection,
    book: Book,
    taken: Taken,
    act: Act,
    activities: Sequence[Mapping[str, Any]] = (),
) -> Dossier:
    """Take a dossier over from another system, under the code it has there, and return it.

    `activities` is the history told there: n, name, at, person, unit, data, in order of n.
    """
    await _in_turn(db, act)
    if (again := await _answered(db, book, act, taken.code)) is not None:
        return again
    paper, payload = adopting(book, taken, act, chain.digest(activities))
    await insert(db, paper, act, payload)
    if activities:
        rows = [{"dossier_id": paper.id, **each} for each in activities]
        await db.execute(sa.insert(statements.activity), rows)
    return paper


async def move(
    db: AsyncConnection,
    book: Book,
    code: str,
    act: Act,
    found: tuple[Dossier, Visit | None] | None = None,
) -> Dossier:
    """Move one dossier and return it as it stands then. `found`: as `find` gave it just now.

    Raises `Unknown`, `BadInput`, `NotOpen`/`NotYours` (with what is open), `Stale` (with the
    present state) or `KeyReused`; then nothing was written.
    """
    act.brings()  # what cannot be understood is refused before anything is looked up
    paper, present = found or await find(db, code)
    before, source = paper.seq, paper.state
    try:
        if act.seq is not None and act.seq != before:
            raise stale(paper)
        act = in_time(paper, act)
        await check_heard(db, book, paper, act.event, act.at)
        if act.event is Event.receive:
            _check_edition(book, await db.scalar(statements.EDITION))
        loads = await in_hand(db) if balances(book, paper, act) else {}
        payload, opened = turn(book, paper, present, act, loads)
        if not await _write(db, paper, before, source, act, payload, present, opened):
            raise stale((await find(db, code))[0])
    except HosoError:
        # A repeated key is the rare case: it is looked for when the move cannot be made, and the
        # write itself does nothing for a key that was used.
        if (again := await _answered(db, book, act, code)) is not None:
            return again
        raise
    log.info("dossier.moved", code=code, move=act.event, source=source, dest=paper.state)
    return paper


async def find(db: AsyncConnection, code: str) -> tuple[Dossier, Visit | None]:
    """A dossier and the visit it is in. Raises `Unknown`."""
    found = await fetch(db, statements.FIND, code) if keepable(code) else None
    if found is None:
        raise Unknown("there is no dossier {code}: check the code on the slip", code=code[:60])
    width = len(statements.d)
    paper = statements.row(statements.dossier, found[:width])
    present = statements.row(statements.visit, found[width:])
    return cast("Dossier", paper), cast("Visit", present) if present.visit is not None else None


def stale(paper: Dossier) -> Stale:
    return Stale(
        "dossier {code} was moved by somebody else: it is {state} now (seq {seq}). Read it again"
        " and decide anew",
        code=paper.code,
        state=paper.state,
        seq=paper.seq,
    )


# Codes ------------------------------------------------------------------------------------


async def _number(db: AsyncConnection, book: Book, unit: str, day: date) -> int:
    """The unit's next number of that day, held under a row lock until the transaction ends.

    Raises `Outdated` when the catalogue has changed since `book` was read.
    """
    found = (await db.execute(statements.NUMBER, {"unit": unit, "day": day})).one()
    _check_edition(book, found.edition)
    return int(found.last)


def _check_edition(book: Book, edition: int | None) -> None:
    """A dossier is received under what is published, not under what this process remembers."""
    if book.edition is not None and book.edition != edition:
        raise Outdated


# Same key, same answer --------------------------------------------------------------------


async def _answered(
    db: AsyncConnection,
    book: Book,
    act: Act,
    code: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> Dossier | None:
    """The dossier as a repeated key left it; None when the key is new or absent.

    It must have been used for the same act: on this dossier, or for the lodging told in `about`.
    """
    brought = said(act.brings())  # what cannot be understood has no answer
    if act.key is None:
        return None
    found = await fetch(db, statements.BY_KEY, act.actor, act.key)
    if found is None:
        return None
    told = json.loads(found["payload"])
    same = (
        all(found[name] == getattr(act, name) for name in statements.SAID)
        and (told["act"] if code is None else _as_asked(act, told["act"])) == brought
        and (code is None or code == found["code"])
        and (about is None or about == {n: told.get("lodging", {}).get(n) for n in about})
    )
    if not same:
        raise KeyReused(
            "key {key} was used for {event} on {code}: use a new key for a new act",
            key=act.key,
            event=found["event"],
            code=found["code"],
        )
    paper, _ = await find(db, found["code"])
    return paper if paper.seq == found["seq"] else await _as_of(db, book, paper, found["seq"])


def _as_asked(act: Act, told: dict[str, Any]) -> dict[str, Any]:
    """What a line keeps, without the files that were taken along because none were named."""
    return {n: v for n, v in told.items() if n != "components" or n in act.payload}


async def _in_turn(db: AsyncConnection, act: Act) -> None:
    """Two openings with one key at once: the second waits here and then finds the first's line.

    Moves need no such wait: of two the database lets one win, and the other looks again.
    """
    if act.key is not None:
        one = sa.func.hashtextextended(f"{act.actor}\n{act.key}", 0)
        await db.execute(sa.select(sa.func.pg_advisory_xact_lock(one)))


async def _as_of(db: AsyncConnection, book: Book, paper: Dossier, seq: int) -> Dossier:
    """The dossier as it stood after that line, folded out of its lines."""
    e = statements.e
    first = sa.select(statements.entry).where(e.dossier_id == paper.id, e.seq <= seq)
    lines = (await db.execute(first.order_by(e.seq))).mappings().all()
    then, _ = replay(book, [cast("Line", line) for line in lines])
    then.head = lines[-1]["hash"]
    return then


def in_time(paper: Dossier, act: Act) -> Act:
    """Moves follow one another. Clocks of two machines may differ a little; more is refused."""
    if act.at >= paper.moved_at:
        return act
    if act.at < paper.moved_at - SKEW:
        raise BadInput(
            "the move is dated {at}, before the last one of {moved_at}: a dossier's moves follow"
            " one another",
            at=act.at,
            moved_at=paper.moved_at,
        )
    return replace(act, at=paper.moved_at)


# The writing ------------------------------------------------------------------------------


async def insert(db: AsyncConnection, paper: Dossier, act: Act, payload: Mapping[str, Any]) -> None:
    """Write a new dossier and its first line; gives the paper its id and head."""
    paper.id, paper.head, _ = await statements.first(wakes=wakes(paper, act)).one(
        db, d=paper, facts=json.dumps(paper.facts), e=line(paper, None, act, payload)
    )


async def _write(
    db: AsyncConnection,
    paper: Dossier,
    before: int,
    source: State,
    act: Act,
    payload: Mapping[str, Any],
    present: Visit | None,
    opened: Visit | None,
) -> bool:
    """Write a move; False when somebody else moved the dossier first, or the key was used."""
    statement = statements.turn(
        closes=present is not None,
        opens=opened is not None,
        wakes=wakes(paper, act),
        keyed=act.key is not None,
        restages=act.event is Event.migrate,
    )
    won = await statement.one(
        db,
        d=paper,
        facts=json.dumps(paper.facts),
        before=before,
        e=line(paper, source, act, payload),
        v=present,
        o=opened,
    )
    if won is not None:
        paper.head = won["hash"]
    return won is not None


def line(
    paper: Dossier, source: State | None, act: Act, payload: Mapping[str, Any]
) -> SimpleNamespace:
    return SimpleNamespace(
        dossier_id=paper.id,
        seq=paper.seq,
        event=act.event,
        source=source,
        dest=paper.state,
        role=act.role,
        actor=act.actor,
        on_behalf_of=act.on_behalf_of,
        at=act.at,
        payload=orjson.dumps(payload).decode(),
        reason=act.reason,
        ground=act.ground,
        key=act.key,
        prev=paper.head,
    )


def wakes(paper: Dossier, act: Act) -> bool:
    now = Now(act.at, Role.system)
    return any(bool(row.holds(paper, now)) for row in lifecycle.automatic(paper.state))
