"""Figures frozen at the ends of periods: what a report said when it was due, kept and hashed.

Dossiers go on: one is reopened, extended, corrected, and the figures of a period long past are
others. A frozen report stays what it was; figures that differ become a restatement beside it, with
its reason. What explains the difference is found by reading each dossier's lines up to then.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

import states.figures.rows  # noqa: F401  so that the metadata is full
from states.catalogue import Catalogue
from states.catalogue.rights import may_decide
from states.db import transaction
from states.errors import BadInput, HosoError, NotYours, Unknown
from states.figures.bieu06 import bieu06
from states.figures.periods import Period, due_periods
from states.ledger.statements import d
from states.sentences import Sentence

log = structlog.get_logger()

frozen = SQLModel.metadata.tables["frozen"]
f = frozen.c
HASHED = [name for name in f.keys() if name not in {"id", "hash"}]  # noqa: SIM118  columns
NUMBERING = sa.func.hashtextextended("frozen", 0)
ITSELF = "system"  # who freezes what nobody asked for


class AlreadyFrozen(HosoError):
    """That report of that period is frozen already: what changed since is a restatement."""


class NothingDiffers(HosoError):
    """The figures are those that were frozen: there is nothing to restate."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A frozen report that does not hold, and how."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


FORM = "bieu06"
"""What is frozen by itself when its period is over, and compared cell by cell."""


async def _said(
    db: AsyncConnection, book: Catalogue, report: str, of: Period, at: datetime
) -> dict[str, Any]:
    """What a report says of a period, as it is kept. Raises `BadInput` for what is not."""
    if report != FORM:
        from states.figures import kept  # which reads of duties what was frozen
        from states.figures.reporting import Asked

        return await kept.figures(Asked(db, book, of, at), report)
    made = await bieu06(db, book, of.since, of.until)
    return {"rows": [asdict(row) for row in made.rows]}


def form_of(kept: Any) -> Any:
    """The rows of a frozen Biểu 06. Raises `BadInput` for another report."""
    if kept.report != FORM:
        raise BadInput(
            "number {id} is {report}, not Biểu 06: `hoso report frozen {id}` shows it, and there is"
            " no comparing it cell by cell",
            id=kept.id,
            report=kept.report,
        )
    return kept.data["rows"]


# Freeze -----------------------------------------------------------------------------------


def check_freezing(book: Catalogue, by: str, at: datetime, seen: Collection[str] | None) -> None:
    """Who keeps figures of all agencies: a leader or the control unit, of whoever sees them all.

    `seen`: the agencies whose figures they are told; None: all. Raises `NotHeld`, `NotYours`.
    """
    may_decide(book, by, at)
    if seen is not None:
        raise NotYours(
            "a report is frozen for all agencies at once: ask a leader or the control unit of the"
            " centre, who see them all"
        )


def may_freeze(book: Catalogue, by: str, at: datetime, seen: Collection[str] | None) -> bool:
    """Whether `check_freezing` raises nothing."""
    try:
        check_freezing(book, by, at, seen)
    except HosoError:
        return False
    return True


async def freeze(
    db: AsyncConnection, book: Catalogue, report: str, period: str, by: str, at: datetime
) -> Any:
    """Keep what a report says of a period that has ended; its row.

    Raises `BadInput`, or `AlreadyFrozen`: there is one first report of a period.
    """
    of = _ended(report, period, at)
    kept = await _keep(db, report, of, await _figures(db, book, report, of, at), by, at)
    if kept is None:
        raise AlreadyFrozen(
            "{report} {period} is frozen already: see what differs now (`hoso report compare"
            " {period}`), and restate it with a reason",
            report=report,
            period=period,
        )
    return kept


async def restate(
    db: AsyncConnection,
    book: Catalogue,
    report: str,
    period: str,
    by: str,
    at: datetime,
    reason: str,
) -> Any:
    """Keep what it says now beside what it said, with the reason; its row.

    Raises `Unknown` for what was never frozen, `NothingDiffers`, `BadInput`.
    """
    if not reason.strip():
        raise BadInput("say why the figures are restated: both stay, and people will ask")
    of = _ended(report, period, at)
    one = sa.func.hashtextextended(f"frozen/{report}/{period}", 0)
    await db.execute(sa.select(sa.func.pg_advisory_xact_lock(one)))  # one restatement at a time
    before = await latest(db, report, period)
    now = await _figures(db, book, report, of, at)
    if now[1] == before.data:
        raise NothingDiffers(
            "{report} {period} says what number {id} says: there is nothing to restate",
            report=report,
            period=period,
            id=before.id,
        )
    return await _keep(db, report, of, now, by, at, restates=before.id, reason=reason.strip())


def _ended(report: str, period: str, at: datetime) -> Period:
    """Raises `BadInput` for a report we do not have, or a period that is not over."""
    from states.figures import every  # which reads of duties what was frozen

    if report not in every.REPORTS:
        raise BadInput(
            "there is no report {report}: there is {reports}",
            report=report,
            reports=[*every.REPORTS],
        )
    of = Period.parse(period)
    if at < of.until:
        raise BadInput(
            "{period} ends on {until:%d/%m/%Y}: it can be frozen from then on",
            period=period,
            until=of.until,
        )
    return of


async def _figures(
    db: AsyncConnection, book: Catalogue, report: str, of: Period, at: datetime
) -> tuple[datetime, dict[str, Any]]:
    """What the report says, and the moment up to which the ledger was heard."""
    known = (await db.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return known, await _said(db, book, report, of, at)


async def _keep(
    db: AsyncConnection,
    report: str,
    of: Period,
    figures: tuple[datetime, dict[str, Any]],
    by: str,
    at: datetime,
    **more: Any,
) -> Any:
    """The row as it is kept; None where there is a first one already."""
    known, data = figures
    row: dict[str, Any] = {
        "report": report,
        "period": of.name,
        "since": of.since,
        "until": of.until,
    }
    row |= {"known_at": known, "data": data, "restates": None, "reason": None}
    row |= {"frozen_by": by, "frozen_at": at} | more
    row["hash"] = digest(row)
    # One at a time, and no number is used up by a try that kept nothing: a gap is a deletion.
    await db.execute(sa.select(sa.func.pg_advisory_xact_lock(NUMBERING)))
    row["id"] = sa.select(sa.func.coalesce(sa.func.max(f.id), 0) + 1).scalar_subquery()
    new = insert(frozen).values(row).on_conflict_do_nothing().returning(frozen)
    kept = (await db.execute(new)).one_or_none()
    if kept is not None:
        log.info("report.frozen", report=report, period=of.name, restates=kept.restates)
    return kept


def digest(row: Any) -> bytes:
    """SHA-256 over the canonical JSON of all that a row says but its number."""
    said = {name: _plain(row[name]) for name in HASHED}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


async def freeze_due(engine: AsyncEngine, book: Catalogue, at: datetime) -> list[str]:
    """Freeze Biểu 06 of every period that is due; their names. Killed and run again, the rest.

    A transaction a report.
    """
    done = []
    async with transaction(engine) as db:
        since = await db.scalar(sa.select(sa.func.min(d.received_at)))
        names = sa.select(f.period).where(f.report == FORM)
        there = set((await db.execute(names)).scalars())
    for period in due_periods(at, there, since) if since is not None else ():
        async with transaction(engine) as db:
            figures = await _figures(db, book, FORM, period, at)
            if await _keep(db, FORM, period, figures, ITSELF, at) is not None:
                done.append(f"{FORM} {period.name}")
    return done


# Read -------------------------------------------------------------------------------------


async def every(db: AsyncConnection) -> list[dict[str, Any]]:
    """All that was frozen, the newest first."""
    rows = (await db.execute(sa.select(frozen).order_by(f.id.desc()))).mappings()
    return [dict(row) for row in rows]


async def find(db: AsyncConnection, number: int) -> Any:
    """A frozen report. Raises `Unknown`."""
    return await _one(
        db, f.id == number, Sentence("there is no frozen report {number}", number=number)
    )


async def latest(db: AsyncConnection, report: str, period: str) -> Any:
    """The last word on a period: its newest restatement, or what was frozen. Raises `Unknown`."""
    Period.parse(period)
    missing = Sentence("{report} {period} is not frozen", report=report, period=period)
    return await _one(db, (f.report == report) & (f.period == period), missing)


async def _one(db: AsyncConnection, where: Any, missing: str) -> Any:
    asked = sa.select(frozen).where(where).order_by(f.id.desc()).limit(1)
    found = (await db.execute(asked)).one_or_none()
    if found is None:
        raise Unknown("{missing}: `hoso report frozen` names those there are", missing=missing)
    return found


async def check(db: AsyncConnection) -> list[Broken]:
    """The frozen reports that are not what was frozen."""
    rows = (await db.execute(sa.select(frozen).order_by(f.id))).mappings().all()
    firsts = {row["id"]: (row["report"], row["period"]) for row in rows}
    told = []
    for row in rows:
        name = f"frozen report {row['id']} ({row['report']} {row['period']})"
        if digest(row) != row["hash"]:
            told.append(Broken(name, "its hash is not that of what it says: it was altered"))
        elif row["restates"] is not None and firsts[row["restates"]] != firsts[row["id"]]:
            told.append(Broken(name, f"it restates number {row['restates']}, which is of another"))
    return told
