"""`hoso verify`: re-derive everything and name the first line of each dossier that does not hold.

Three proofs a dossier: each line's hash from its fields and the line before; each line's source
from the line before; the projection from the lines, folded through the very rules that moved it.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import HosoError, Unknown
from states.ledger import chain
from states.ledger.acts import Act, Lodging
from states.ledger.pins import Book
from states.ledger.statements import a, activity, d, dossier, e, entry, v, visit
from states.ledger.turn import OPTIONAL, Taken, adopting, opening, turn
from states.tables import Dossier, Visit
from states.words import Event

Line = Mapping[str, Any]
BIGINTS = sa.ARRAY(sa.BigInteger)
BATCH = 500  # dossiers read at a time: memory stays flat however many there are
UNTOLD = {"id", "head"}  # columns that lines do not tell
PERSONAL = {"applicant", "email", "phone", "citizen"}  # for nobody's screen


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a dossier does not hold, and how. `seq` 0: the projection, not a line."""

    code: str
    seq: int
    what: str

    def __str__(self) -> str:
        where = f"line {self.seq}" if self.seq else "as it stands"
        return f"{self.code}, {where}: {self.what}"


@dataclass(slots=True)
class Report:
    """What was checked, and what does not hold."""

    dossiers: int = 0
    entries: int = 0
    unread: int = 0  # their calendar's version is not at hand: chained, but dates not re-read
    faults: list[Fault] = field(default_factory=list)


async def verify(
    db: AsyncConnection, book: Book, told: Callable[[int], None] = lambda n: None
) -> Report:
    """Check every dossier; `told` hears how many are done."""
    report = Report()
    async for row, lines, visits, told_there in _dossiers(db):
        report.dossiers += 1
        report.entries += len(lines)
        fault, read = check(book, row, lines, visits, told_there)
        report.unread += not read
        if fault is not None:
            report.faults.append(fault)
        told(report.dossiers)
    return report


def check(
    book: Book, row: Line, lines: list[Line], visits: list[Line], told_there: list[Line]
) -> tuple[Fault | None, bool]:
    """The first thing of a dossier that does not hold, and whether its dates could be read."""
    fault = check_lines(row, lines) or check_told(row, lines, told_there)
    return check_dates(book, row, lines, visits) if fault is None else (fault, True)


def check_dates(
    book: Book, row: Line, lines: list[Line], visits: list[Line]
) -> tuple[Fault | None, bool]:
    """The first thing that the rules do not make of lines that hold, and whether they were asked.

    They are not when the calendar that a line was reckoned on is not at hand in that version. That
    is asked of the lines, not of the projection: who forges it would choose what is checked.
    """
    code = row["code"]
    try:
        if not _readable(book, lines):
            return None, False
        paper, replayed = replay(book, lines)
    except FORGED as error:
        return Fault(code, 0, f"the rules do not lead along its lines: {error}"), True
    return _same(code, row, paper, visits, replayed), True


# What reading a payload raises that no move of ours wrote, though its hash was made to fit.
FORGED = (HosoError, AttributeError, KeyError, TypeError, ValueError)


def _readable(book: Book, lines: list[Line]) -> bool:
    told = {json.loads(line["payload"])["clock"].get("calendar") for line in lines}
    for name in told - {None}:
        base, _, version = name.partition("@")
        try:
            book.calendar(base, version)
        except Unknown:
            return False
    return True


def check_lines(row: Line, lines: list[Line]) -> Fault | None:
    """The first line that does not hold, or the last if the dossier does not end on it."""
    code = row["code"]
    if (fault := _chained(code, lines)) is not None:
        return fault
    if not lines:
        return Fault(code, 0, "it has no line at all")
    if (row["seq"], row["head"]) != (lines[-1]["seq"], lines[-1]["hash"]):
        return Fault(code, lines[-1]["seq"], "the last line is not the one the dossier ends on")
    return None


def check_told(row: Line, lines: list[Line], told_there: list[Line]) -> Fault | None:
    """Whether the history of another system is the one that came with the dossier."""
    try:
        came = json.loads(lines[0]["payload"]).get("activities")
    except FORGED as error:
        return Fault(row["code"], 0, f"its first payload cannot be read: {error!r}")
    if came == chain.digest(told_there):
        return None
    return Fault(row["code"], 0, "the imported history is not the one that was imported")


def _chained(code: str, lines: list[Line]) -> Fault | None:
    """The first line that does not follow from the one before."""
    before: Line = {"seq": 0, "dest": None, "hash": None}
    for line in lines:
        if line["seq"] != before["seq"] + 1:
            return Fault(code, before["seq"] + 1, "the line is missing")
        if line["prev"] != before["hash"]:
            return Fault(code, line["seq"], "it does not hold the hash of the line before")
        if line["source"] != before["dest"]:
            return Fault(code, line["seq"], "it does not begin where the line before ended")
        if line["hash"] != chain.derive(line):
            return Fault(code, line["seq"], "its hash is not that of its text: it was altered")
        before = line
    return None


def _same(
    code: str, row: Line, paper: Dossier, visits: list[Line], replayed: list[Visit]
) -> Fault | None:
    """The first column that differs from what the lines say."""
    for name in d.keys():  # noqa: SIM118  columns
        if name not in UNTOLD and row[name] != (should := getattr(paper, name)):
            if name in PERSONAL:
                return Fault(code, 0, f"{name} is not the one that its lines say")
            return Fault(code, 0, f"{name} is {row[name]}, and its lines say {should}")
    if len(visits) != len(replayed):
        return Fault(code, 0, f"it has {len(visits)} visits, and its lines say {len(replayed)}")
    for is_, said in zip(visits, replayed, strict=True):
        for name in (name for name in v.keys() if name != "dossier_id"):  # noqa: SIM118  columns
            if is_[name] != (should := getattr(said, name)):
                what = f"{name} of visit {is_['visit']} is {is_[name]}, and its lines say {should}"
                return Fault(code, 0, what)
    return None


def replay(book: Book, lines: list[Line]) -> tuple[Dossier, list[Visit]]:
    """A dossier and its visits, folded out of its lines by the rules alone."""
    paper, _ = _opened(book, lines[0])
    paper.id = lines[0]["dossier_id"]
    visits: list[Visit] = []
    for line in lines[1:]:
        present = visits[-1] if visits and visits[-1].closed_at is None else None
        told = json.loads(line["payload"])
        _, opened = turn(book, paper, present, act_of(line), told=told)
        if opened is not None:
            visits.append(opened)
    return paper, visits


def _opened(book: Book, line: Line) -> tuple[Dossier, dict[str, Any]]:
    told, act = json.loads(line["payload"]), act_of(line)
    if act.event is Event.adopt:
        return adopting(book, Taken.of(told["taken"]), act, told=told)
    lodged = told["lodging"]
    paper, payload = opening(
        book,
        Lodging(
            unit=lodged["unit"],
            procedure=lodged["procedure"],
            channel=lodged["channel"],
            applicant=lodged["applicant"],
            **{name: lodged.get(name) for name in OPTIONAL},
        ),
        act,
        told,
    )
    paper.code = lodged["code"]
    return paper, payload


def act_of(line: Line) -> Act:
    """The act that a line keeps."""
    return Act(
        event=Event(line["event"]),
        actor=line["actor"],
        role=line["role"],
        at=line["at"],
        payload=json.loads(line["payload"])["act"],
        on_behalf_of=line["on_behalf_of"],
        reason=line["reason"],
        ground=line["ground"],
        key=line["key"],
    )


Whole = tuple[Line, list[Line], list[Line], list[Line]]
"""A dossier with its lines, its visits and its imported history."""


async def _dossiers(db: AsyncConnection) -> AsyncIterator[Whole]:
    """Every dossier, in order of id, in batches."""
    last = 0
    while batch := await whole(db, sa.true(), last, BATCH):
        for each in batch:
            yield each
        last = batch[-1][0]["id"]


async def whole(db: AsyncConnection, where: Any, last: int, limit: int) -> list[Whole]:
    """The next dossiers after that id, each with all that is kept of it.

    Four statements: while others write, they agree only within one snapshot.
    """
    chosen = sa.select(dossier).where(d.id > last, where).order_by(d.id).limit(limit)
    rows = await _read(db, chosen)
    ids = [row["id"] for row in rows]
    lines, visits, told = [
        await _grouped(
            db, sa.select(table).where(of == sa.any_(sa.cast(ids, BIGINTS))).order_by(of, n)
        )
        for table, of, n in (
            (entry, e.dossier_id, e.seq),
            (visit, v.dossier_id, v.visit),
            (activity, a.dossier_id, a.n),
        )
    ]
    return [
        (row, lines.get(one, []), visits.get(one, []), told.get(one, []))
        for one, row in zip(ids, rows, strict=True)
    ]


async def _read(db: AsyncConnection, query: sa.Select[Any]) -> list[Line]:
    return [cast("Line", row) for row in (await db.execute(query)).mappings().all()]


async def _grouped(db: AsyncConnection, query: sa.Select[Any]) -> dict[int, list[Line]]:
    grouped: dict[int, list[Line]] = {}
    for row in await _read(db, query):
        grouped.setdefault(row["dossier_id"], []).append(row)
    return grouped
