"""Many moves in one statement: the rows of the lifecycle compiled into SQL.

Only automatic events go in sets: they bring nothing, and what differs between dossiers is known per
procedure version. Any number of workers may run this at once: each claims rows nobody holds.
"""

from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from states import clock, lifecycle
from states.clock import Facts, Policy, Term
from states.errors import BadInput
from states.ledger import chain
from states.ledger.acts import Act
from states.ledger.many import move_many
from states.ledger.pins import Book
from states.ledger.statements import d, dossier, e, entry, v, visit
from states.lifecycle import Now
from states.words import Clock, Event, Role, Tally, Visit

log = structlog.get_logger()

ACTOR = "system"
PAYLOAD = orjson.dumps({"act": {}, "clock": {}}).decode()


async def move_all(
    db: AsyncConnection, book: Book, event: Event, at: datetime, limit: int = 10_000
) -> int:
    """Fire an automatic event on up to `limit` dossiers it is open to; returns how many moved.

    A dossier whose last move is dated after `at` waits until that moment has come.
    """
    now = Now(at, Role.system)
    rows = [row for row in lifecycle.moves(event) if row.automatic]
    if not rows:
        raise BadInput("{event} is made by people: flows do not fire it", event=event)
    shape = {(row.clock, row.visit) for row in rows}
    assert len(shape) == 1, f"the rows of {event} differ in what they do"
    holds = [(d.state == row.source) & row.holds(d, now) for row in rows]
    open_here = sa.or_(*holds) & (d.moved_at <= at)
    first, ruled = await _first_stages(db, book, event, open_here, at)
    moved = 0
    if ruled:  # each goes where the rules of its stage send it
        with_rules = sa.tuple_(d.procedure, d.version).in_(ruled)
        act = Act(event=event, actor=ACTOR, role=Role.system, at=at)
        each_told = await move_many(db, book, open_here & with_rules, lambda *_: act, limit)
        moved += sum(each.refused is None for each in each_told)
        open_here &= ~with_rules
    if first is None or first:
        each = zip(holds, rows, strict=True)
        dest = sa.case(*((holds_here, sa.literal(row.dest)) for holds_here, row in each))
        statement = _statement(now, event, open_here, dest, rows[0], first, limit)
        moved += (await db.execute(statement)).rowcount
    if moved:
        log.info("dossiers.moved", move=event, count=moved)
    return moved


def _statement(
    now: Now,
    event: Event,
    open_here: Any,
    dest: Any,
    row: lifecycle.Move,
    first: list[tuple[Any, ...]] | None,
    limit: int,
) -> sa.Insert:
    """Claim, hash, move, step and enter, in that order, in one statement.

    No ORDER BY: rows are claimed by SKIP LOCKED, so no two workers wait for each other, and the
    small partial indexes can be read in their own order.
    """
    picked = (
        sa.select(*(d.id, d.state.label("source"), dest.label("dest"), d.head.label("prev")))
        .add_columns((d.seq + 1).label("seq"), d.visit, d.procedure, d.version, d.calendar)
        .add_columns(d.calendar_version, d.unit.label("place"), ASSIGNED)
        .where(open_here)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)  # an alert's foreign key is no hindrance
        .cte("picked")
    )
    given = _given(now, event)
    line = _line(picked, given, first)
    moved = (
        sa.update(dossier)
        .where(d.id == line.c.id)
        .values(state=line.c.dest, seq=line.c.seq, head=line.c.hash, moved_at=now.at)
        .values(_changes(now, event, row, line))
        .returning(d.id)
        .cte("moved")
    )
    steps = [moved, *_steps(now, row, line)]
    fields = [name for name in chain.FIELDS if name != "dossier_id"]
    return (
        sa.insert(entry)
        .from_select(
            ["dossier_id", *fields, "hash"],
            sa.select(line.c.id, *(line.c[name] for name in fields), line.c.hash),
        )
        .add_cte(*steps)
    )


def _given(now: Now, event: Event) -> dict[str, Any]:
    """What every line of the set shares."""
    return {
        "event": sa.literal(event, sa.Text),
        "role": sa.literal(now.role, sa.Text),
        "actor": sa.literal(ACTOR, sa.Text),
        "on_behalf_of": sa.cast(sa.null(), sa.Text),
        "at": sa.literal(now.at, e.at.type),
        "recorded_at": sa.func.now(),
        "payload": sa.literal(PAYLOAD, sa.Text),
        "reason": sa.cast(sa.null(), sa.Text),
        "ground": sa.cast(sa.null(), sa.Text),
        "key": sa.cast(sa.null(), sa.Text),
    }


ASSIGNED = d.facts.op("->>")("assigned").label("person")  # to whom the routing sent it
FIRST: dict[str, Any] = {
    "procedure": sa.Text,
    "version": sa.Integer,
    "calendar": sa.Text,
    "calendar_version": sa.Text,
    "code": sa.Text,
    "unit": sa.Text,
    "stage_role": sa.Text,
    "term": sa.Text,
    "due_at": e.at.type,
    "leads": sa.Boolean,
    "ends": sa.Boolean,
}
KIND = ("procedure", "version", "calendar", "calendar_version")


def _line(picked: Any, given: dict[str, Any], first: list[tuple[Any, ...]] | None) -> Any:
    """The picked dossiers with their new line and, if a stage is at stake, their first stage."""
    planned = sa.select(picked, *(value.label(name) for name, value in given.items()))
    if first is not None:
        columns = (sa.column(name, kind) for name, kind in FIRST.items())
        stages = sa.values(*columns, name="first").data(first)
        same = [picked.c[name] == stages.c[name] for name in KIND]
        # A stage without a term has no due moment: the cast tells an all-null column its type.
        due = sa.cast(stages.c.due_at, e.at.type).label("due_at")
        more = (stages.c[name] for name in FIRST if name not in {*KIND, "due_at"})
        planned = planned.add_columns(*more, due).join_from(picked, stages, sa.and_(*same))
    plan = planned.cte("plan")
    values = {name: f"plan.{name}" for name in chain.FIELDS} | {"dossier_id": "plan.id"}
    digest: Any = sa.literal_column(chain.sql(values), BYTEA)
    return sa.select(plan, digest.label("hash")).cte("line").prefix_with("MATERIALIZED")


def _changes(now: Now, event: Event, row: lifecycle.Move, line: Any) -> dict[str, Any]:
    """The other columns of the dossier, as `effects` changes them."""
    # Any move ends the way back from a migration, as `migration.forget` does for one.
    forgotten = sa.cast(sa.cast(d.facts, JSONB).op("-")("migrated"), sa.JSON)
    here = d.facts.op("->")("migrated").is_not(None)
    changes: dict[str, Any] = {"facts": sa.case((here, forgotten), else_=d.facts)}
    if row.clock is Clock.stops:
        changes |= {"finished_at": now.at, "verdict": Tally.not_counted, "lapse_at": None}
    if row.visit is Visit.leaves:
        changes |= {"stage_role": None}
    if event is Event.route:
        changes |= {"unit": line.c.unit}
    if row.visit is Visit.enters:
        changes |= {"stage": 0, "visit": line.c.visit + 1}
        changes |= {name: line.c[name] for name in ("stage_role", "leads", "ends")}
    return changes


def _steps(now: Now, row: lifecycle.Move, line: Any) -> list[sa.CTE]:
    """The visits that close and those that open."""
    if row.visit is Visit.leaves:
        closing = (
            sa.update(visit)
            .where(v.dossier_id == line.c.id, v.visit == line.c.visit, v.closed_at.is_(None))
            .values(closed_at=now.at, closed_seq=line.c.seq, verdict=Tally.not_counted)
            .returning(v.dossier_id)
        )
        return [closing.cte("closed")]
    if row.visit is Visit.enters:
        opened = {
            "dossier_id": line.c.id,
            "visit": line.c.visit + 1,
            "stage": sa.literal(0),
            "code": line.c.code,
            "unit": line.c.place,
            "role": line.c.stage_role,
            "person": line.c.person,
            "term": line.c.term,
            "opened_at": sa.literal(now.at, e.at.type),
            "opened_seq": line.c.seq,
            "due_at": line.c.due_at,
        }
        rows = sa.select(*opened.values())
        return [sa.insert(visit).from_select(list(opened), rows).returning(v.visit).cte("opened")]
    return []


async def _first_stages(
    db: AsyncConnection, book: Book, event: Event, open_here: Any, at: datetime
) -> tuple[list[tuple[Any, ...]] | None, list[tuple[str, int]]]:
    """The first stage of each procedure version at stake, with its due moment if begun at `at`.

    None for events that touch no stage. The clock reckons each stage once, not each dossier. Second
    come the versions whose rules of routing look at each dossier.
    """
    if event not in {Event.route, Event.accept}:
        return None, []
    kinds = sa.select(*(d[name] for name in KIND)).where(open_here).distinct()
    first, ruled = [], set()
    for code, version, name, pinned in (await db.execute(kinds)).all():
        procedure, calendar = book.procedure(code, version), book.calendar(name, pinned)
        stage = procedure.stages[0]
        if event is Event.route and (stage.routes or not stage.unit):
            ruled.add((code, version))
            continue
        due = clock.read(Term.parse(str(stage.term)), calendar, Facts(at), Policy.day, at).due
        onward, ends = procedure.onward(0)
        place = (stage.code, stage.unit or "", stage.role.value, str(stage.term), due)
        first.append((code, version, name, pinned, *place, bool(onward), ends))
    return first, sorted(ruled)
