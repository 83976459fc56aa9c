"""Calendars corrected: proposed, seen, approved and applied; nobody's date moves behind their back.

The town has dossiers in every state on the morning of Thursday 23 November 2023. Most stories are
of the next day, which becomes a day off. What the other tests of change sets share is here too.
"""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from importlib import resources
from itertools import count
from os import getpid
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from databases import alone, run_as_owner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import clock, ledger, lifecycle, pilot
from states import db as connecting
from states.calendars import Override
from states.calendars.editing import with_exception, without_exception
from states.catalogue import Catalogue, Procedure, bundles, publishing
from states.catalogue.publishing import NotAllowed
from states.catalogue.rows import Dates, Kind
from states.catalogue.rows import Status as Stage
from states.changes import applying, deciding, preview
from states.changes.preview import Effect, Item
from states.changes.proposing import propose_calendar, texts_of
from states.changes.rows import Status
from states.clock import Policy, Term
from states.embedded import Embedded
from states.errors import BadInput, Outdated, Stale, Unknown
from states.figures import Bieu06, bieu06
from states.ledger import Act, Lodging, Taken, driving, many
from states.ledger.effects import facts_of
from states.ledger.statements import d, dossier, e, entry, visit
from states.lifecycle import HELD, Now
from states.tables import Dossier
from states.words import Channel, Event, Role, State, Tally

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
FRIDAY = date(2023, 11, 24)
SATURDAY, MONDAY, TUESDAY = (FRIDAY + timedelta(days=n) for n in (1, 3, 4))
FILE = "0" * 64
UNIT = "H42.14.01"
CONTROL, SECOND, CLERK = "p-control-01", "p-labour-director", "p-post-01"
SAID = {"reason": "Nghỉ tránh bão số 5", "ground": "Công điện 1/CĐ-UBND"}


def at(day: date | int, hour: str = "10:00") -> datetime:
    """A moment of a day, or of so many days after Thursday 23 November."""
    day = date(2023, 11, 23) + timedelta(days=day) if isinstance(day, int) else day
    return datetime.combine(day, time.fromisoformat(hour), HANOI)


NOW = at(0)

# A town ---------------------------------------------------------------------------------------

FIVE, SAME_DAY, HALF, HOURS, ROUTED = "1.000459", "2.000033", "2.000134", "1.005435", "9.000301"
CALENDAR_DAYS, NO_TERM, FIFTEEN = "1.003868", "3.000181", "2.001823"
FRESH = "2.001064"  # as FIVE; nobody in town has asked for it
CODES = (FIVE, SAME_DAY, HALF, HOURS, ROUTED, CALENDAR_DAYS, NO_TERM, FIFTEEN)
SELDOM = {Event.withdraw, Event.stop, Event.decline}
NEVER = {Event.migrate, Event.recompute, Event.restate}


def act(event: Event, when: datetime, role: Role, **facts: Any) -> Act:
    known = {"actor": f"a {role}", "reason": "vì thế", "ground": "NĐ 61/2018/NĐ-CP"}
    return Act(event=event, at=when, role=role, **{**known, **facts})


async def received(
    db: AsyncConnection,
    book: Catalogue,
    code: str,
    when: datetime,
    event: Event = Event.receive,
    **brought: Any,
) -> Dossier:
    """A dossier, complete unless it is said what it brings."""
    files = {each.code: FILE for each in book.procedure(code, on=book.day(when)).components}
    online = event is Event.register
    lodging = Lodging(
        unit=UNIT,
        procedure=code,
        channel=Channel.online if online else Channel.counter,
        applicant="Nguyễn Thị Ánh",
    )
    role = Role.citizen if online else Role.reception
    opened = act(event, when, role, payload={"components": brought.get("components", files)})
    return await ledger.open_(db, book, lodging, opened)


async def move(
    db: AsyncConnection, book: Catalogue, code: str, event: Event, when: datetime, **facts: Any
) -> Dossier:
    """By the first role to whom it is open, with what it must bring."""
    paper, _ = await ledger.find(db, code)
    role = next(r for r in Role if event in lifecycle.open_to(paper, Now(when, r)))
    procedure = book.procedure(paper.procedure, paper.version)
    payload = brings(Random(code), event, procedure, paper) | facts
    return await ledger.move(db, book, code, act(event, when, role, payload=payload))


async def processing(db: AsyncConnection, book: Catalogue, code: str, when: datetime) -> Dossier:
    """A dossier in its first stage, everything before done in the moment of receipt."""
    paper = await received(db, book, code, when)
    for event in (Event.digitise, Event.route, Event.accept):
        paper = await move(db, book, paper.code, event, when)
    return paper


async def walked(
    db: AsyncConnection, book: Catalogue, chance: Random, code: str, until: datetime = NOW
) -> str:
    """A dossier of the last weeks after moves by lot, each by whoever may."""
    procedure = book.procedure(code)
    when = until - timedelta(minutes=chance.randrange(30_000))
    event = chance.choice([Event.receive, Event.receive, Event.register])
    paper = await received(db, book, code, when, event, **some(chance, procedure))
    while chance.random() < 0.95:
        when += timedelta(minutes=chance.choice([0, 0, 5, 60, 300, 1_440, 3_000]))
        open_now = [
            (event, role)
            for role in Role
            for event in lifecycle.open_to(paper, Now(when, role))
            if event not in NEVER and (event not in SELDOM or chance.random() < 0.02)
        ]
        if not open_now or when > until:
            break
        event, role = chance.choice(open_now)
        payload = brings(chance, event, procedure, paper)
        paper = await ledger.move(db, book, paper.code, act(event, when, role, payload=payload))
    return paper.code


def some(chance: Random, procedure: Procedure) -> dict[str, Any]:
    """Seldom too little: such a dossier stays at the counter."""
    files = [each.code for each in procedure.components if chance.random() < 0.95]
    return {"components": dict.fromkeys(files, FILE)}


def brings(chance: Random, event: Event, procedure: Procedure, paper: Dossier) -> dict[str, Any]:
    """What an event brings, in one of the ways in which it may."""
    if event in {Event.advance, Event.send_back, Event.return_result}:
        return leaving(chance, event, procedure, paper.stage)
    files = {"components": {each.code: FILE for each in procedure.components}}
    known: dict[Event, dict[str, Any]] = {
        Event.receive: files,
        Event.supplement: files,
        Event.request_payment: {"amount": 50_000},
        Event.pay: {"amount": paper.facts.get("owed")},
        Event.extend: {"term": str(procedure.extension.max)},
    }
    return known.get(event, {})


def leaving(chance: Random, event: Event, procedure: Procedure, stage: int) -> dict[str, Any]:
    said: dict[str, Any] = {"produced": list(procedure.stages[stage].produces)}
    if event is Event.return_result:
        return said | {"outcome": chance.choice(["approved", "refused"])}
    onward = event is Event.advance
    ways = procedure.onward(stage)[0] if onward else procedure.back(stage)
    return said | {"stage": chance.choice(ways)}


TAKEN = Taken(
    source="log",
    code="case-0",
    agency="H42.05",
    unit="H42.05",
    procedure="permit",
    channel=Channel.counter,
    applicant="",
    calendar="vn",
    policy=Policy.day,
    received=at(-3),
    promised=at(4, "12:00"),
)


async def imported(db: AsyncConnection, book: Catalogue, **facts: Any) -> str:
    taken = replace(TAKEN, **facts)
    adopt = act(Event.adopt, taken.received, Role.system)
    return (await ledger.adopt(db, book, taken, adopt)).code


async def peopled(address: str, many: int = 320) -> None:
    """Dossiers in all states, imported ones among them; some of a calendar of another country."""
    chance, engine = Random(5), connecting.engine(address, 1)
    async with connecting.transaction(engine) as db:
        book = await bundles.read(db)
        for n in range(many):
            await walked(db, book, chance, CODES[n % len(CODES)])
        for n in range(3):
            code = await imported(db, book, code=f"case-{n}")
            if n == 1:
                end = act(Event.return_result, at(-1), Role.officer)
                await ledger.move(db, book, code, replace(end, payload={"outcome": "unstated"}))
            if n == 2:
                ask = act(Event.request_payment, at(-1), Role.officer, payload={"amount": 1})
                await ledger.move(db, book, code, ask)
        abroad = {"received": datetime(2012, 5, 2, 9, tzinfo=HANOI), "promised": None}
        await imported(db, book, code="case-3", calendar="nl", **abroad)
    await engine.dispose()


NUMBER = count(1)


@asynccontextmanager
async def town(server: Embedded, of: str = "town") -> AsyncIterator[AsyncEngine]:
    """A copy of the town of one's own; all copies are alike."""
    name = f"town_{getpid()}_{next(NUMBER)}"
    await asyncio.to_thread(_built, server, name, of)
    engine = connecting.engine(server.address(name, "hoso_app"), 20)
    try:
        yield engine
    finally:
        await engine.dispose()
        await asyncio.to_thread(run_as_owner, server, f"DROP DATABASE {name} WITH (FORCE)")


def _built(server: Embedded, name: str, of: str) -> None:
    with alone(server.data):
        if not (server.data / "town").exists():
            run_as_owner(server, "CREATE DATABASE town TEMPLATE hoso")
            asyncio.run(peopled(server.address("town", "hoso_app")))
            (server.data / "town").touch()
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE {of}")


@pytest.fixture
async def ours(server: Embedded) -> AsyncIterator[AsyncEngine]:
    async with town(server) as engine:
        yield engine


async def read(engine: AsyncEngine) -> Catalogue:
    async with engine.connect() as db:
        return await bundles.read(db)


# Change sets, shortly -------------------------------------------------------------------------


def decided(*, works: bool, **facts: Any) -> Override:
    known = {"vi": SAID["reason"], "en": "Storm no. 5", "source": SAID["ground"]}
    return Override(works=works, **{**known, **facts})


async def text(
    db: AsyncConnection,
    *,
    name: str = "vn",
    off: Sequence[date] = (),
    work: Sequence[date] = (),
    gone: Sequence[date] = (),
) -> bytes:
    """The text in force with days decided otherwise."""
    raw = (await texts_of(db))[name].encode()
    for day in gone:
        raw = without_exception(raw, day)
    for day in (*off, *work):
        raw = with_exception(raw, day, decided(works=day in work))
    return raw


async def propose(
    db: AsyncConnection,
    raw: bytes | None = None,
    *,
    name: str = "vn",
    dates: Dates = Dates.move,
    restates: bool = False,
    by: str = CONTROL,
    when: datetime = NOW,
    reason: str = SAID["reason"],
    ground: str = SAID["ground"],
) -> int:
    """Unless another text is given: Friday is off."""
    if raw is None:
        raw = await text(db, name=name, off=[FRIDAY])
    said = {"dates": dates, "restates": restates, "reason": reason, "ground": ground}
    book = await bundles.read(db)
    return await propose_calendar(db, book, name, raw, by=by, at=when, **said)


async def approve(db: AsyncConnection, number: int, by: str = SECOND, when: datetime = NOW) -> Any:
    return await deciding.approve(db, await bundles.read(db), number, by, when)


async def settled(engine: AsyncEngine, raw: bytes | None = None, **said: Any) -> int:
    """Proposed and approved."""
    async with engine.begin() as db:
        number = await propose(db, raw, **said)
        await approve(db, number, when=said.get("when", NOW))
    return number


async def apply(engine: AsyncEngine, number: int, when: datetime = NOW, batch: int = 40) -> Any:
    return await applying.apply(engine, await read(engine), number, when, batch)


async def corrected(engine: AsyncEngine, raw: bytes | None = None, **said: Any) -> Any:
    """Proposed, approved and applied."""
    return await apply(engine, await settled(engine, raw, **said), said.get("when", NOW))


async def foreseen(db: AsyncConnection, number: int, when: datetime = NOW) -> dict[str, Item]:
    """What a change set would do, by the code of the dossier."""
    row = await deciding.find(db, number)
    book = await deciding.as_proposed(db, await bundles.read(db), row)
    plan = applying.planned(row, book, when)
    return {each.code: each async for each in preview.preview(db, book, plan, 50)}


# What there is --------------------------------------------------------------------------------

Rows = dict[str, Any]


async def papers(db: AsyncConnection) -> Rows:
    """Every dossier as it stands, by its code."""
    return {row.code: row for row in await db.execute(sa.select(dossier).order_by(d.id))}


async def lines_of(db: AsyncConnection, code: str) -> list[Any]:
    """Its lines with their payloads read."""
    asked = sa.select(entry).join(dossier, d.id == e.dossier_id).where(d.code == code)
    found = (await db.execute(asked.order_by(e.seq))).mappings()
    return [{**line, "payload": json.loads(line["payload"])} for line in found]


UNLIKE = {"id", "xact", "hash", "prev", "head", "recorded_at"}  # of two databases with one history


async def everything(engine: AsyncEngine) -> list[Any]:
    """All rows of dossiers, lines and visits, as far as like histories make them alike."""
    told = []
    async with engine.connect() as db:
        for table in (dossier, entry, visit):
            own = [each for each in table.c if table is dossier or each.name not in UNLIKE]
            own = [each for each in own if each.name != "head"]
            query = sa.select(*(sa.cast(each, sa.Text) for each in own))
            told.append((await db.execute(query.order_by(*table.primary_key))).all())
    return told


async def holds(engine: AsyncEngine) -> None:
    """Every line, every date and every class can be derived again."""
    async with engine.connect() as db:
        report = await ledger.verify(db, await bundles.read(db))
    assert (report.faults, report.unread) == ([], 0)


def due_by_clock(book: Catalogue, row: Any) -> datetime | None:
    calendar = book.calendar(row.calendar, row.calendar_version)
    facts = facts_of(row, row.finished_at)
    return clock.read(Term.parse(row.term), calendar, facts, row.policy, row.moved_at).due


# Proposed -------------------------------------------------------------------------------------


def small(name: str, **said: str) -> bytes:
    lines = [f"name: {name}", "title: {vi: Lịch, en: Calendar}"]
    return "\n".join([*lines, *(f"{key}: {value}" for key, value in said.items()), ""]).encode()


HEIR = small("ha-nam", inherits="vn")


async def untouched(db: AsyncConnection) -> None:
    """No change set, and no draft."""
    assert await deciding.every(db) == []
    rows = await bundles.versions(db, Kind.calendar)
    assert {(row.code, row.version, row.status) for row in rows} == {
        ("nl", 1, Stage.published),
        ("vn", 1, Stage.published),
    }


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        ({"by": SECOND}, NotAllowed, "is not of the control unit: ask one who is"),
        ({"by": CLERK}, NotAllowed, "is not of the control unit: ask one who is"),
        ({"by": "nobody"}, Unknown, "there is no person nobody"),
        ({"by": "\udcff"}, Unknown, "there is no person"),
        ({"reason": " "}, BadInput, "needs its reason and the document"),
        ({"ground": ""}, BadInput, "needs its reason and the document"),
        ({"reason": "x" * 2_001}, BadInput, "reason may have 2,000 characters at most"),
        ({"ground": "a\0b"}, BadInput, "ground may have .* without NUL"),
        ({"ground": "\udcff"}, BadInput, "ground may have .* half a character"),
    ],
)
async def test_who_may_not_and_what_is_not_said(
    db: AsyncConnection, said: dict[str, Any], kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        await propose(db, **said)
    await untouched(db)


VN = (resources.files("config") / "sample" / "calendars" / "vn.yaml").read_bytes()
SAME = "nothing of calendar vn would change: say which day works or is off"
SPAN = "[07:00-17:00]"
THREE = f"{{monday: {SPAN}, tuesday: {SPAN}, friday: {SPAN}}}"


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("vn", VN, SAME),
        ("vn", VN + b"# a comment\n", SAME),
        ("vn", VN.replace(b"verified: true", b"verified: false", 1), SAME),
        ("vn", VN.replace(b"name: vn", b"name: va"), "must be the file's name, vn"),
        ("vn", VN.replace(b"zone: Asia/Ho_Chi_Minh", b"zone: Mars"), "must be a time zone"),
        ("vn", VN.replace(b"name:", b"\xff\xfename:"), "is not UTF-8 text"),
        ("vn", VN.replace(b"from: 2019", b"from: 2020"), "overrides.0.date: must lie between"),
        ("vn", b"", "vn.yaml"),
        ("vn", b"name: vn\n\tx", "holds a tab"),
        ("vn", b"[" * 9_000, "vn.yaml"),
        ("vn", small("vn", inherits="mars"), "there is no calendar 'mars': known are nl, vn"),
        ("vn", small("vn", inherits="vn"), "leads in a circle, vn → vn"),
        ("Vn ", small("Vn "), "Vn"),
        ("x", small("x", inherits="vn", reach="{from: 2022, to: 2023}"), "less than a year after"),
        ("x", small("x", inherits="vn", reach="{from: 2022, to: 2028}"), "outside the reach of vn"),
        ("x", small("x", inherits="vn", weekly=THREE), r"x would have \d+ .*at least 190 in any"),
    ],
)
async def test_a_text_that_may_not_follow(
    db: AsyncConnection, name: str, raw: bytes, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        await propose(db, raw, name=name)
    await untouched(db)


async def test_a_day_that_is_off_already_changes_nothing(db: AsyncConnection) -> None:
    raw = await text(db, off=[SATURDAY])
    with pytest.raises(BadInput, match=SAME):
        await propose(db, raw)
    await untouched(db)


async def test_a_proposal_binds_nobody(db: AsyncConnection) -> None:
    number = await propose(db)
    row = await deciding.find(db, number)
    assert (row.status, row.subject, row.proposed_by) == (Status.proposed, "vn", CONTROL)
    assert (row.says["first"], row.says["last"]) == ("2023-11-24", "2023-11-24")
    book = await bundles.read(db)
    assert book.calendar("vn").works(FRIDAY.toordinal())
    [day] = await deciding.days(db, row)
    assert (day.day, len(day.was), day.now) == (FRIDAY, 2, ())
    assert SAID["ground"] in day.note
    assert not (await deciding.as_proposed(db, book, row)).calendar("vn").works(FRIDAY.toordinal())


async def test_one_proposal_at_a_time_for_a_calendar_and_its_line(db: AsyncConnection) -> None:
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    await db.execute(sa.update(applying.change).values(status=Status.applied))
    other = await text(db, off=[MONDAY])
    number = await propose(db)
    with pytest.raises(NotAllowed, match=f"change {number} is about .*: approve, reject or apply"):
        await propose(db, other)
    with pytest.raises(NotAllowed, match=f"change {number} is about calendar ha-nam too"):
        await propose(db, HEIR + b"standard_day: 420\n", name="ha-nam")
    await deciding.reject(db, await bundles.read(db), number, CONTROL, NOW)
    heir = await propose(db, HEIR + b"standard_day: 420\n", name="ha-nam")
    with pytest.raises(NotAllowed, match=f"change {heir} is about calendar ha-nam too"):
        await propose(db, other)
    assert [row["status"] for row in await deciding.every(db)] == [
        Status.proposed, Status.rejected, Status.applied,
    ]  # fmt: skip


async def test_of_two_proposals_at_once_one_is_refused_with_a_sentence(ours: AsyncEngine) -> None:
    async def one(day: date) -> int:
        async with ours.begin() as db:
            return await propose(db, await text(db, off=[day]))

    told = await asyncio.gather(*map(one, (FRIDAY, MONDAY)), return_exceptions=True)
    assert sorted(isinstance(each, NotAllowed) for each in told) == [False, True]
    async with ours.connect() as db:
        assert len(await deciding.every(db)) == 1


# Decided --------------------------------------------------------------------------------------


async def test_nobody_approves_what_they_proposed(db: AsyncConnection) -> None:
    number = await propose(db)
    with pytest.raises(NotAllowed, match=f"{CONTROL} proposed change {number}: a second person"):
        await approve(db, number, CONTROL)
    said = {"status": "approved", "decided_by": CONTROL, "decided_at": NOW}
    with pytest.raises(IntegrityError, match="change_second"):
        async with db.begin_nested():
            await db.execute(sa.update(applying.change).values(said))
    assert (await deciding.find(db, number)).status is Status.proposed


async def test_who_decides_and_once_only(db: AsyncConnection) -> None:
    number = await propose(db)
    book = await bundles.read(db)
    for by, kind, why in (
        (CLERK, NotAllowed, "neither a leader nor of the control unit: ask one who is"),
        ("nobody", Unknown, "there is no person nobody"),
    ):
        with pytest.raises(kind, match=why):
            await approve(db, number, by)
        with pytest.raises(kind, match=why):
            await deciding.reject(db, book, number, by, NOW)
    row = await approve(db, number)
    assert (row.status, row.decided_by, row.decided_at) == (Status.approved, SECOND, NOW)
    assert not (await bundles.read(db)).calendar("vn").works(FRIDAY.toordinal())
    with pytest.raises(NotAllowed, match=f"change {number} is approved already"):
        await approve(db, number)
    with pytest.raises(NotAllowed, match=f"change {number} is approved already"):
        await deciding.reject(db, book, number, SECOND, NOW)
    with pytest.raises(NotAllowed, match="propose the day as it was, with its document"):
        await deciding.undo(db, book, number, CONTROL, NOW)
    for unknown in (0, number + 1, -1):
        with pytest.raises(Unknown, match=f"there is no change {unknown}: `hoso changes list`"):
            await approve(db, unknown)


async def test_what_is_published_says_who_and_by_what(db: AsyncConnection) -> None:
    await approve(db, await propose(db, dates=Dates.later))
    row = (await bundles.versions(db, Kind.calendar, "vn"))[-1]
    assert (row.version, row.status, row.dates) == (2, Stage.published, Dates.later)
    assert (row.drafted_by, row.published_by, row.document) == (CONTROL, SECOND, SAID["ground"])


async def test_a_rejected_proposal_leaves_its_row_and_nothing_else(db: AsyncConnection) -> None:
    number = await propose(db)
    await deciding.reject(db, await bundles.read(db), number, SECOND, NOW)
    row = await deciding.find(db, number)
    assert (row.status, row.decided_by) == (Status.rejected, SECOND)
    assert len(await bundles.versions(db, Kind.calendar, "vn")) == 1
    with pytest.raises(NotAllowed, match=f"change {number} is rejected already"):
        await approve(db, number)
    assert await deciding.days(db, row) == []
    again = await propose(db)
    await approve(db, again)
    assert (await deciding.find(db, again)).status is Status.approved


async def test_what_was_derived_from_another_text_is_not_approved(db: AsyncConnection) -> None:
    """A calendar was proposed as heir of one that was corrected before it was approved."""
    heir = await propose(db, HEIR, name="ha-nam")
    await approve(db, await propose(db))
    with pytest.raises(NotAllowed, match=f"reject change {heir} and propose it again"):
        await approve(db, heir)
    await deciding.reject(db, await bundles.read(db), heir, CONTROL, NOW)
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    assert not (await bundles.read(db)).calendar("ha-nam").works(FRIDAY.toordinal())


async def test_an_heir_of_the_meantime_is_not_forgotten(db: AsyncConnection) -> None:
    number = await propose(db)
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    with pytest.raises(NotAllowed, match=f"reject change {number} and propose it again"):
        await approve(db, number)


async def test_the_days_of_a_change_are_told_also_after_later_ones(ours: AsyncEngine) -> None:
    story = [((FRIDAY,), ()), ((MONDAY,), ()), ((), (FRIDAY,)), ((), (MONDAY,))]
    for minute, (off, gone) in enumerate(story):
        async with ours.connect() as db:
            raw = await text(db, off=off, gone=gone)
        await corrected(ours, raw, when=NOW + timedelta(minutes=minute))
    async with ours.connect() as db:
        told = [
            [(each.day, bool(each.now)) for each in await deciding.days(db, row)]
            for row in [await deciding.find(db, number) for number in (1, 2, 3, 4)]
        ]
    assert told == [[(FRIDAY, False)], [(MONDAY, False)], [(FRIDAY, True)], [(MONDAY, True)]]


# Foreseen and done ----------------------------------------------------------------------------


async def waiting_for_papers(db: AsyncConnection, book: Catalogue, day: int, since: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.request_supplement, at(since))).code


async def waiting_for_money(db: AsyncConnection, book: Catalogue, day: int, since: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.request_payment, at(since))).code


async def extended(db: AsyncConnection, book: Catalogue, day: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.extend, at(day + 1))).code


async def begun_again(db: AsyncConnection, book: Catalogue, day: int) -> str:
    code = await waiting_for_papers(db, book, day - 9, day - 7)
    return (await move(db, book, code, Event.supplement, at(day))).code


async def street(engine: AsyncEngine) -> dict[str, str]:
    """Dossiers that the first days of that week will reach, by what they are told for."""
    async with engine.begin() as db:
        book = await bundles.read(db)
        return {
            "five days": (await received(db, book, FIVE, at(-3))).code,
            "due today": (await received(db, book, FIVE, at(-7))).code,
            "overdue": (await received(db, book, FIVE, at(-13))).code,
            "by the hour": (await received(db, book, HOURS, NOW)).code,
            "the same day": (await received(db, book, SAME_DAY, at(0, "15:30"))).code,
            "half a day": (await received(db, book, HALF, at(0, "14:00"))).code,
            "fifteen calendar days": (await received(db, book, CALENDAR_DAYS, at(-14))).code,
            "without a term": (await received(db, book, NO_TERM, at(-3))).code,
            "extended": await extended(db, book, -3),
            "begun again": await begun_again(db, book, -3),
            "waits for papers": await waiting_for_papers(db, book, -7, -1),
            "waits for money": await waiting_for_money(db, book, -3, -1),
        }


EVENING = at(0, "16:00")
AS_IT_WAS = {
    "five days": at(4, "17:00"),
    "due today": at(0, "17:00"),
    "overdue": at(-6, "17:00"),
    "by the hour": at(1, "10:00"),
    "the same day": at(1, "17:00"),
    "half a day": at(1, "08:30"),
    "fifteen calendar days": at(1, "17:00"),
    "without a term": None,
    "extended": at(7, "17:00"),
    "begun again": at(4, "17:00"),
    "waits for papers": None,
    "waits for money": None,
}
FRIDAY_OFF = {
    "five days": at(5, "17:00"),
    "by the hour": at(4, "10:00"),
    "the same day": at(4, "17:00"),
    "half a day": at(4, "08:30"),
    "fifteen calendar days": at(4, "17:00"),
    "extended": at(8, "17:00"),
    "begun again": at(5, "17:00"),
}
SATURDAY_WORKED = {
    "five days": at(2, "17:00"),
    "extended": at(6, "17:00"),
    "begun again": at(2, "17:00"),
}
WAIT = {"waits for papers", "waits for money"}
NEARER = {*SATURDAY_WORKED, *WAIT}  # those that wait would be, if they went on now
SHORT_FRIDAYS = b"""seasons:
  - from: 2023-11-24
    to: 2023-12-31
    weekly: {monday: [08:00-12:00, 13:00-17:00], tuesday: [08:00-12:00, 13:00-17:00],
      wednesday: [08:00-12:00, 13:00-17:00], thursday: [08:00-12:00, 13:00-17:00],
      friday: [08:00-12:00]}
overrides:
"""


@pytest.mark.parametrize(
    ("days", "dates", "moved", "kept"),
    [
        ({"off": [FRIDAY]}, Dates.move, FRIDAY_OFF, set()),
        ({"off": [FRIDAY]}, Dates.later, FRIDAY_OFF, set()),
        ({"off": [FRIDAY]}, Dates.keep, {}, None),
        ({"work": [SATURDAY]}, Dates.move, SATURDAY_WORKED, set()),
        ({"work": [SATURDAY]}, Dates.later, {}, NEARER),
        ({"work": [SATURDAY]}, Dates.keep, {}, None),
        (  # Friday's hours are Saturday's: what ends by Friday is later, the rest is as it was
            {"off": [FRIDAY], "work": [SATURDAY]},
            Dates.later,
            {
                "by the hour": at(2, "10:00"),
                "the same day": at(2, "17:00"),
                "half a day": at(2, "08:30"),
                "fifteen calendar days": at(2, "17:00"),
            },
            set(),
        ),
        (
            {"hours": SHORT_FRIDAYS},
            Dates.move,
            {
                "by the hour": at(1, "10:30"),
                "the same day": at(1, "12:00"),
                "half a day": at(1, "09:00"),
                "fifteen calendar days": at(1, "12:00"),
            },
            set(),
        ),
    ],
)
async def test_each_date_as_counted_by_hand(
    ours: AsyncEngine,
    days: dict[str, Any],
    dates: Dates,
    moved: dict[str, datetime],
    kept: set[str] | None,
) -> None:
    """`kept`: those that stay on their calendar; None: all of them."""
    codes = await street(ours)
    async with ours.begin() as db:
        assert {name: (await papers(db))[code].due_at for name, code in codes.items()} == AS_IT_WAS
        raw = VN.replace(b"overrides:\n", days["hours"], 1) if "hours" in days else None
        number = await propose(db, raw or await text(db, **days), dates=dates, when=EVENING)
        seen = await foreseen(db, number, EVENING)
        await approve(db, number)
    await apply(ours, number, EVENING)
    async with ours.connect() as db:
        book, there = await bundles.read(db), await papers(db)
    after = {name: there[code].due_at for name, code in codes.items()}
    assert after == AS_IT_WAS | moved
    new = book.calendar("vn").version
    stay = {name for name, code in codes.items() if there[code].calendar_version != new}
    assert stay == (set(codes) if kept is None else kept)
    for name, code in codes.items():
        assert (code in seen) == (kept is not None)
        if kept is not None:
            assert seen[code].due_after == after[name]
            assert (seen[code].effect is Effect.kept) == (name in kept)
    await holds(ours)


async def test_a_preview_writes_nothing(ours: AsyncEngine) -> None:
    before = await everything(ours)
    for dates in Dates:
        async with ours.begin() as db:
            number = await propose(db, dates=dates, restates=True)
            assert await foreseen(db, number)
            await deciding.reject(db, await bundles.read(db), number, CONTROL, NOW)
    assert await everything(ours) == before
    async with ours.connect() as db:
        assert len(await bundles.versions(db, Kind.calendar)) == 2


def expected(effect: Effect, was: Any, now: Any) -> Effect:
    """The effect as its words have it, from the rows before and after."""
    if now.calendar_version == was.calendar_version:
        return Effect.kept
    if was.finished_at is not None:
        return Effect.restated
    if was.state in HELD:
        return Effect.held
    if was.due_at == now.due_at:
        return Effect.held if was.due_at is None else Effect.same
    return Effect.breaks if now.due_at > was.due_at else Effect.nearer


def as_foreseen(seen: dict[str, Item], before: Rows, after: Rows) -> None:
    """Each dossier is where the preview had it, and what it did not speak of is untouched."""
    assert before.keys() == after.keys()
    for code, was in before.items():
        now, item = after[code], seen.get(code)
        if item is None or item.effect is Effect.kept:
            assert tuple(now) == tuple(was), code
            if item is None:
                continue
        assert item.effect is expected(item.effect, was, now), code
        assert (item.state, item.unit, item.agency) == (was.state, was.unit, was.agency)
        assert (item.due, item.verdict, item.version) == (was.due_at, was.verdict, was.version)
        assert (item.due_after, item.verdict_after) == (now.due_at, now.verdict), code
        assert now.seq == was.seq + (item.effect is not Effect.kept)


async def as_recomputed(db: AsyncConnection) -> None:
    """Every date is that which the clock reads now; what waits has none."""
    book = await bundles.read(db)
    for code, row in (await papers(db)).items():
        if row.received_at is None or row.verdict is Tally.not_counted:
            continue
        assert row.due_at == (None if row.state in HELD else due_by_clock(book, row)), code


CORRECTIONS: list[dict[str, Any]] = [
    {"off": [FRIDAY]},
    {"work": [SATURDAY]},
    {"off": [MONDAY, TUESDAY]},
    {"off": [FRIDAY], "work": [SATURDAY]},
    {"off": [date(2023, 11, 16)]},
    {"work": [date(2023, 11, 18), date(2023, 11, 19)], "off": [MONDAY]},
]


@pytest.mark.parametrize("dates", Dates)
async def test_a_whole_town_moves_as_foreseen(ours: AsyncEngine, dates: Dates) -> None:
    async with ours.begin() as db:
        raw = await text(db, **CORRECTIONS[-1])
        number = await propose(db, raw, dates=dates, restates=True)
        seen, before = await foreseen(db, number), await papers(db)
        await approve(db, number)
        assert await foreseen(db, number) == seen
    row = await apply(ours, number)
    async with ours.connect() as db:
        as_foreseen(seen, before, await papers(db))
        await as_recomputed(db)
        assert await foreseen(db, number) == {
            code: item for code, item in seen.items() if item.effect is Effect.kept
        }
    effects = Counter(item.effect for item in seen.values())
    assert (row.status, row.applied_at, row.refused) == (Status.applied, NOW, 0)
    assert row.stayed == effects[Effect.kept]
    assert row.moved == len(seen) - effects[Effect.kept]
    assert effects[Effect.restated]
    told = {Effect.restated, Effect.kept} | (set() if dates is Dates.keep else {Effect.same})
    assert set(effects) >= told - ({Effect.kept} if dates is not Dates.later else set())
    assert (effects[Effect.nearer] > 0) == (dates is Dates.move)
    await holds(ours)
    again = await apply(ours, number, at(1))
    assert again == row


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    story=st.lists(
        st.tuples(st.sampled_from(CORRECTIONS), st.sampled_from(Dates), st.booleans()),
        min_size=1,
        max_size=3,
    ),
)
async def test_whatever_happened_each_correction_does_what_was_foreseen(
    db: AsyncConnection, seed: int, story: list[Any]
) -> None:
    """One after another, a later one also with what an earlier one left on its old calendar."""
    async with db.begin_nested() as undone:
        chance, now = Random(seed), NOW
        for days, dates, restates in story:
            book = await bundles.read(db)
            for _ in range(12):
                await walked(db, book, chance, chance.choice(CODES), now)
            raw = (await texts_of(db))["vn"].encode()
            for name in ("off", "work"):
                for day in days.get(name, ()):
                    raw = with_exception(raw, day, decided(works=name == "work"), overrule=True)
            if raw == (await texts_of(db))["vn"].encode():  # the same once more
                continue
            number = await propose(db, raw, dates=dates, restates=restates, when=now)
            before, promised = await papers(db), await if_gone_on(db, book, now)
            seen = await foreseen(db, number, now)
            await approve(db, number, when=now)
            book, row = await bundles.read(db), await deciding.find(db, number)
            plan = applying.planned(row, book, now)
            told = await many.move_many(db, book, plan.where, plan.act_for)
            assert all(each.refused is None for each in told)
            as_foreseen(seen, before, await papers(db))
            await as_recomputed(db)
            if dates is Dates.later:
                then = await if_gone_on(db, book, now)
                assert all(then[code] >= due for code, due in promised.items())
            await finished(db, number)
            now += timedelta(days=1, hours=3)
        report = await ledger.verify(db, await bundles.read(db))
        assert (report.faults, report.unread) == ([], 0)
        await undone.rollback()


async def if_gone_on(db: AsyncConnection, book: Catalogue, now: datetime) -> dict[str, datetime]:
    """The date of every open dossier, had those that wait gone on now."""
    async with db.begin_nested() as undone:
        for code, row in (await papers(db)).items():
            if row.state in HELD and row.received_at is not None:
                papers_came = row.state is State.awaiting_supplement
                await move(db, book, code, Event.supplement if papers_came else Event.pay, now)
        dates = {
            code: row.due_at
            for code, row in (await papers(db)).items()
            if row.due_at is not None and row.finished_at is None
        }
        await undone.rollback()
    return dates


async def finished(db: AsyncConnection, number: int) -> None:
    """As if a run had come to its end."""
    done = sa.update(applying.change).where(applying.c.id == number)
    await db.execute(done.values(status=Status.applied))


# Entries and notices --------------------------------------------------------------------------


async def test_an_entry_a_dossier_says_why_and_what_it_was(ours: AsyncEngine) -> None:
    async with ours.connect() as db:
        before = await papers(db)
    row = await corrected(ours)
    async with ours.connect() as db:
        after, moved = await papers(db), 0
        for code, now in after.items():
            was = before[code]
            lines = await lines_of(db, code)
            assert now.seq - was.seq == (now.calendar_version != was.calendar_version)
            if now.seq == was.seq:
                continue
            moved += 1
            line, [clocked] = lines[-1], [lines[-1]["payload"]["clock"]]
            assert (line["event"], line["role"]) == (Event.recompute, Role.control)
            assert (line["actor"], line["at"]) == (CONTROL, max(NOW, was.moved_at))
            assert (line["reason"], line["ground"]) == (SAID["reason"], SAID["ground"])
            assert line["payload"]["act"] == {
                "calendar": f"vn@{now.calendar_version}",
                "change": row.id,
            }
            assert clocked["calendar"] == f"vn@{now.calendar_version}"
            if was.state in HELD:
                assert datetime.fromisoformat(clocked["lapse"]) == now.lapse_at
                assert now.lapse_at >= was.lapse_at
                assert "was" not in clocked
                continue
            told = [clocked["due"], clocked.get("was", {}).get("due", clocked["due"])]
            dates = [each and datetime.fromisoformat(each) for each in told]
            assert dates == [now.due_at, was.due_at]
            assert ("was" in clocked) == (now.due_at != was.due_at)
            if now.due_at != was.due_at:
                assert now.deadline == now.seq  # so that a sweep warns of it anew
            assert now.due_original == was.due_original  # the first promise is history
        assert moved == row.moved > 100
    await holds(ours)


async def test_each_is_handed_to_readers_once_so_that_a_notice_is_queued(
    ours: AsyncEngine,
) -> None:
    async def read_on() -> list[Any]:
        async with ours.begin() as db:
            if new := await ledger.unread(db, "notices", 5_000):
                await ledger.read(db, "notices", new[-1])
            return list(new)

    async with asyncio.timeout(60):  # a reader waits for whoever writes in the cluster
        before = len(await read_on())
        async with ours.connect() as db:
            lines = await db.scalar(sa.select(sa.func.count()).select_from(entry))
        while before < (lines or 0):
            before += len(await read_on())
        row, told = await corrected(ours, restates=True), []
        while len(told) < row.moved:
            told += await read_on()
    assert len(told) == row.moved
    assert {each.event for each in told} == {Event.recompute, Event.restate}
    async with ours.connect() as db:
        codes = {code for code, each in (await papers(db)).items() if each.seq > 1}
    assert {each.code for each in told} <= codes
    assert len({each.code for each in told}) == row.moved
    dates = [json.loads(each.payload)["clock"] for each in told]
    assert sum("was" in each for each in dates) > 30
    assert await read_on() == []


async def test_an_heir_follows_and_what_it_decides_itself_stays(ours: AsyncEngine) -> None:
    """Three generations: the agency works on the Saturday that the nation works, but not Friday."""
    own = HEIR + b"weekly: {monday: [07:00-12:00, 13:00-16:00], tuesday: [07:00-12:00], wednesday:"
    own += b" [07:00-12:00], thursday: [07:00-12:00], friday: [07:00-12:00]}\n"
    unit = small("so-ldtbxh", inherits="ha-nam")
    async with ours.begin() as db:
        for number, (raw, name) in enumerate([(own, "ha-nam"), (unit, "so-ldtbxh")], 1):
            assert await propose(db, raw, name=name) == number
            await approve(db, number)
            await finished(db, number)
        book = await under(db, FRESH, "so-ldtbxh")
        code = (await received(db, book, FRESH, at(-2))).code
        assert (await papers(db))[code].due_at == at(5, "12:00")
        number = await propose(db)
        row = await deciding.find(db, number)
        assert set(row.says["calendars"]) == {"vn", "ha-nam", "so-ldtbxh"}
        assert (await foreseen(db, number))[code].due_after == at(6, "12:00")
        await approve(db, number)
    await apply(ours, number)
    async with ours.begin() as db:
        book, row = await bundles.read(db), (await papers(db))[code]
        assert row.calendar_version == book.calendar("so-ldtbxh").version
        assert row.due_at == at(6, "12:00")
        # The province decides the Friday itself, in the unit's favour or not: the nation's is over.
        raw = await text(db, name="ha-nam", work=[FRIDAY])
        await approve(db, number := await propose(db, raw, name="ha-nam"))
    moved = await apply(ours, number)
    async with ours.connect() as db:
        assert (await papers(db))[code].due_at == at(5, "12:00")
        assert moved.moved == 1
    await holds(ours)


async def under(db: AsyncConnection, code: str, calendar: str, since: str = "2023-11-01") -> Any:
    """The catalogue with a next version of a procedure, which keeps that calendar."""
    row = await bundles.find(db, Kind.procedure, code)
    raw = row.text.replace(f"version: {row.version}", f"version: {row.version + 1}", 1)
    raw = raw.replace("valid_from: 2023-01-01", f"valid_from: {since}")
    raw = raw.replace("\nfee:", f"\ncalendar: {calendar}\nfee:")
    return await published(db, raw)


async def published(db: AsyncConnection, raw: str) -> Catalogue:
    """Drafted, checked and published."""
    book = await bundles.read(db)
    drafting = publishing.draft(db, book, Kind.procedure, "draft.yaml", raw.encode(), CONTROL, NOW)
    code, version = await drafting
    row = await bundles.find(db, Kind.procedure, code, version)
    assert not (await publishing.check(db, book, row, CONTROL, NOW)).errors
    row = await bundles.find(db, Kind.procedure, code, version)
    await publishing.publish(db, book, row, SECOND, "QĐ 1/QĐ-UBND", NOW)
    return await bundles.read(db)


async def test_a_reach_alone_is_corrected_too(ours: AsyncEngine) -> None:
    async with ours.connect() as db:
        before = await papers(db)
    row = await corrected(ours, VN.replace(b"to: 2027", b"to: 2028"), restates=True)
    assert row.moved > 100
    async with ours.connect() as db:
        after, lengthened = await papers(db), (await bundles.read(db)).calendar("vn")
    assert lengthened.last == date(2028, 12, 31)
    assert {code: (r.due_at, r.verdict) for code, r in after.items()} == {
        code: (r.due_at, r.verdict) for code, r in before.items()
    }
    assert all((r.finished_at is None) or r == before[code] for code, r in after.items())
    await holds(ours)


@pytest.mark.parametrize("dates", [Dates.move, Dates.later])
async def test_what_a_calendar_cannot_read_is_refused_and_the_rest_goes_on(
    ours: AsyncEngine, dates: Dates
) -> None:
    """It begins in 2024 now; one dossier came in 2023, and one was due in 2024 besides."""
    winter = datetime(2024, 1, 15, 10, tzinfo=HANOI)
    async with ours.begin() as db:
        await approve(db, number := await propose(db, HEIR, name="ha-nam"))
        await finished(db, number)
        book = await under(db, FRESH, "ha-nam")
        old, done = [(await processing(db, book, FRESH, at(n))).code for n in (8, 34)]
        for event in (Event.advance, Event.advance, Event.return_result):
            await move(db, book, done, event, at(35))
        new = (await received(db, book, FRESH, winter)).code
        before = await papers(db)
        raw = HEIR + b"reach: {from: 2024, to: 2027}\nstandard_day: 420\n"
        number = await propose(
            db, raw, name="ha-nam", dates=dates, restates=True, when=winter, reason="x"
        )
        seen = await foreseen(db, number, winter)
        assert {code: item.effect for code, item in seen.items()} == {
            old: Effect.refused,
            done: Effect.refused,
            new: Effect.same,
        }
        assert "lies outside calendar ha-nam" in (seen[old].why or "")
        assert seen[old].due_after == seen[old].due == before[old].due_at
        await approve(db, number)
    row = await apply(ours, number, winter)
    assert (row.status, row.moved, row.stayed, row.refused) == (Status.applied, 1, 0, 2)
    async with ours.connect() as db:
        after = await papers(db)
    assert [code for code in after if after[code] != before[code]] == [new]
    await holds(ours)


# One after another ----------------------------------------------------------------------------


async def test_a_second_correction_and_both_undone_by_others(ours: AsyncEngine) -> None:
    """A date goes there and back; what was promised first is never rewritten."""
    codes = await street(ours)
    five = codes["five days"]
    story = [
        ({"off": [FRIDAY]}, Dates.later, at(5, "17:00")),
        ({"off": [MONDAY]}, Dates.later, at(6, "17:00")),
        ({"gone": [FRIDAY]}, Dates.later, at(6, "17:00")),  # none comes nearer
        ({"gone": [MONDAY]}, Dates.move, at(4, "17:00")),
    ]
    async with ours.connect() as db:
        first = await papers(db)
    for minute, (days, dates, due) in enumerate(story):
        async with ours.connect() as db:
            raw = await text(db, **days)
        when = EVENING + timedelta(minutes=minute)
        row = await corrected(ours, raw, dates=dates, when=when)
        assert row.status is Status.applied
        async with ours.connect() as db:
            assert (await papers(db))[five].due_at == due, days
            await as_recomputed(db)
    async with ours.connect() as db:
        last, book = await papers(db), await bundles.read(db)
    assert len(book.calendars["vn"]) == 5
    assert book.calendars["vn"][-1][0] == book.calendars["vn"][0][0]  # its days are those it had
    assert {code: (row.due_at, row.due_original) for code, row in last.items()} == {
        code: (row.due_at, row.due_original) for code, row in first.items()
    }
    async with ours.connect() as db:
        lines = [line for line in await lines_of(db, five) if line["event"] == Event.recompute]
    told = [(line["payload"]["clock"]["due"], line["payload"]["act"]["change"]) for line in lines]
    dates = [datetime.fromisoformat(due) for due, _ in told]
    assert dates == [at(5, "17:00"), at(6, "17:00"), at(4, "17:00")]
    assert [number for _, number in told] == [1, 2, 4]
    await holds(ours)


async def test_who_is_received_after_the_approval_has_the_new_calendar(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        old = await bundles.read(db)
        before = (await received(db, old, FIVE, at(-3))).code
        lodged = (await received(db, old, FIVE, at(-3), Event.register)).code
    number = await settled(ours)
    async with ours.begin() as db:
        with pytest.raises(Outdated):  # by a process that remembers the old catalogue
            await received(db, old, FIVE, at(-3))
    async with ours.begin() as db:
        with pytest.raises(Outdated):
            await move(db, old, lodged, Event.receive, NOW)
    async with ours.begin() as db:
        book = await bundles.read(db)
        after = (await received(db, book, FIVE, at(-3))).code
        assert (await move(db, book, lodged, Event.receive, NOW)).due_at == at(8, "17:00")
        there = await papers(db)
        assert (there[before].due_at, there[after].due_at) == (at(4, "17:00"), at(5, "17:00"))
        seen = await foreseen(db, number)
        assert before in seen
        assert not {after, lodged} & seen.keys()
    await apply(ours, number)
    async with ours.connect() as db:
        there = await papers(db)
    assert there[before].due_at == there[after].due_at == at(5, "17:00")
    assert (there[before].seq, there[after].seq) == (2, 1)
    await holds(ours)


# Killed and crowded ---------------------------------------------------------------------------


async def chosen(engine: AsyncEngine, number: int) -> list[int]:
    """The ids of the dossiers a change set will move, in order."""
    async with engine.connect() as db:
        seen, there = await foreseen(db, number), await papers(db)
    moving = (code for code, item in seen.items() if item.effect is not Effect.kept)
    return sorted(there[code].id for code in moving)


async def status(engine: AsyncEngine, number: int) -> Any:
    async with engine.connect() as db:
        return await deciding.find(db, number)


async def told_lines(engine: AsyncEngine) -> int:
    async with engine.connect() as db:
        asked = sa.select(sa.func.count()).where(e.event.in_([Event.recompute, Event.restate]))
        return int(await db.scalar(asked) or 0)


async def ends_alike(engine: AsyncEngine, number: int, twin: AsyncEngine) -> None:
    """What was broken off goes on, and ends as what nobody disturbed."""
    row, other = await apply(engine, number, batch=7), await apply(twin, number)
    assert deciding.told(row) == deciding.told(other)
    assert (row.status, await told_lines(engine)) == (Status.applied, row.moved)
    assert await everything(engine) == await everything(twin)
    await holds(engine)


MANY = {"dates": Dates.later, "restates": True}
BOOM = """
CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.dossier_id = {id} THEN RAISE EXCEPTION 'boom'; END IF; RETURN NEW; END $$;
CREATE TRIGGER boom BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION boom()
"""


async def as_owner(server: Embedded, engine: AsyncEngine, *statements: str) -> None:
    owner = connecting.engine(server.address(engine.url.database or "", "postgres"), 1)
    async with owner.begin() as db:
        for each in statements:
            await db.execute(sa.text(each))
    await owner.dispose()


async def test_what_fails_in_a_batch_is_undone_with_it_and_goes_on_later(
    server: Embedded, ours: AsyncEngine
) -> None:
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        assert await settled(twin, raw, **MANY) == number
        ids = await chosen(ours, number)
        function, trigger = BOOM.format(id=ids[len(ids) // 2]).split(";\nC")
        await as_owner(server, ours, function, f"C{trigger}")
        for _ in range(2):
            with pytest.raises(DBAPIError, match="boom"):
                await apply(ours, number, batch=7)
            await asyncio.sleep(0.2)  # until the other lane has ended too
            row = await status(ours, number)
            assert row.status is Status.approved
            assert 0 < row.moved == await told_lines(ours) < len(ids)
            await holds(ours)
        await as_owner(server, ours, "DROP TRIGGER boom ON entry")
        await ends_alike(ours, number, twin)


async def correction_of_town(engine: AsyncEngine) -> bytes:
    async with engine.connect() as db:
        return await text(db, **CORRECTIONS[-1])


APPLYING = """
import asyncio, sys
sys.path.insert(0, "tests")
from datetime import datetime
from config import log
from states import db
from states.catalogue import bundles
from states.changes import applying
log.configure("json")

async def run():
    engine = db.engine(sys.argv[1], 8)
    async with db.transaction(engine) as connection:
        book = await bundles.read(connection)
    moment = datetime.fromisoformat(sys.argv[3])
    await applying.apply(engine, book, int(sys.argv[2]), moment, batch=7)

asyncio.run(run())
"""


async def test_a_run_killed_amid_its_batches_goes_on_and_ends_as_its_twin(
    server: Embedded, ours: AsyncEngine
) -> None:
    """A clerk has a dossier open in each batch it comes to last: there it is when it is killed."""
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        await settled(twin, raw, **MANY)
        ids = await chosen(ours, number)
        async with ours.connect() as clerk:
            later = d.id.in_(ids[len(ids) // 2 :: 7])
            await clerk.execute(sa.select(d.id).where(later).with_for_update())
            address = server.address(ours.url.database or "", "hoso_app")
            words = (address, str(number), NOW.isoformat())
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", APPLYING, *words, cwd=Path(__file__).parents[1]
            )
            await until_it_waits(ours, number)
            process.kill()
            assert await process.wait() == -signal.SIGKILL
            await clerk.rollback()
        row = await status(ours, number)
        assert row.status is Status.approved
        assert 0 < row.moved < len(ids)
        await until_free(ours)
        assert row.moved == await told_lines(ours)
        await holds(ours)
        await ends_alike(ours, number, twin)


OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def until_it_waits(engine: AsyncEngine, number: int) -> None:
    """Until all lanes of a run stand before a locked dossier."""
    asked = sa.text(f"SELECT count(*) {OTHERS} AND wait_event_type = 'Lock'")
    async with asyncio.timeout(60):
        while True:
            async with engine.connect() as db:
                waiting = await db.scalar(asked)
            if waiting == applying.LANES:
                return
            assert (await status(engine, number)).status is Status.approved
            await asyncio.sleep(0.01)


async def until_free(engine: AsyncEngine) -> None:
    """Until the database has noticed that a process is gone."""
    asked = sa.text(f"SELECT count(*) {OTHERS} AND state <> 'idle'")
    async with asyncio.timeout(60), engine.connect() as db:
        while await db.scalar(asked):
            await db.commit()
            await asyncio.sleep(0.01)


async def test_of_ten_runs_at_once_one_does_it(server: Embedded, ours: AsyncEngine) -> None:
    async with town(server) as twin:
        raw = await correction_of_town(ours)
        number = await settled(ours, raw, **MANY)
        await settled(twin, raw, **MANY)
        rows = await asyncio.gather(*(apply(ours, number, batch=7) for _ in range(10)))
        assert sum(row.status is Status.applied for row in rows) >= 1
        assert {row.status for row in rows} <= {Status.applied, Status.approved}
        await ends_alike(ours, number, twin)


async def test_clerks_go_on_working_and_nobody_loses_a_move(ours: AsyncEngine) -> None:
    """Each clerk moves a dossier as often as the lifecycle lets them, while its date is moved."""
    number = await settled(ours, dates=Dates.move)
    book = await read(ours)
    async with ours.connect() as db:
        before = await papers(db)
    open_ = [code for code, row in before.items() if row.finished_at is None and not row.source]
    made: Counter[str] = Counter()
    begin = asyncio.Event()

    async def clerk(code: str, chance: Random) -> None:
        await begin.wait()
        for _ in range(3):
            async with asyncio.timeout(30), ours.begin() as db:
                made[code] += await one_move(db, book, chance, code)

    async def counter() -> list[str]:
        await begin.wait()
        new = []
        for _ in range(20):
            async with ours.begin() as db:
                new.append((await received(db, book, FIVE, NOW)).code)
        return new

    clerks = [clerk(code, Random(code)) for code in open_]
    working = asyncio.gather(*(asyncio.create_task(each) for each in [*clerks, counter()]))
    begin.set()
    row = await apply(ours, number, batch=3)
    *_, new = await working
    assert (row.status, row.refused) == (Status.applied, 0)
    assert sum(made.values()) > len(open_)
    async with ours.connect() as db:
        after, version = await papers(db), (await bundles.read(db)).calendar("vn").version
        for code in open_:
            lines = await lines_of(db, code)
            ours_ = [line for line in lines if line["event"] == Event.recompute]
            assert len(lines) == before[code].seq + made[code] + len(ours_)
            assert len(ours_) <= 1
            if after[code].finished_at is None and after[code].received_at is not None:
                assert after[code].calendar_version == version, code
        assert {after[code].calendar_version for code in new} == {version}
        await as_recomputed(db)
    await holds(ours)


async def one_move(db: AsyncConnection, book: Catalogue, chance: Random, code: str) -> int:
    """What a clerk does who is told that somebody else was first: look again, and do it."""
    for _ in range(5):
        paper, _ = await ledger.find(db, code)
        open_now = [
            (event, role)
            for role in Role
            for event in lifecycle.open_to(paper, Now(NOW, role))
            if event not in NEVER | SELDOM
        ]
        if not open_now:
            return 0
        event, role = chance.choice(open_now)
        procedure = book.procedure(paper.procedure, paper.version)
        payload = brings(chance, event, procedure, paper)
        try:
            await ledger.move(db, book, code, act(event, NOW, role, payload=payload))
        except Stale:
            continue
        return 1
    raise AssertionError(code)


# Closed ones ----------------------------------------------------------------------------------


async def closed(db: AsyncConnection, book: Catalogue, came: int, ended: datetime) -> str:
    code = (await processing(db, book, FIVE, at(came))).code
    for event in (Event.advance, Event.advance, Event.return_result):
        await move(db, book, code, event, ended)
    return code


NOVEMBER = datetime(2023, 11, 1, tzinfo=HANOI), datetime(2023, 12, 1, tzinfo=HANOI)
DECEMBER = datetime(2023, 12, 4, 10, tzinfo=HANOI)


async def ended(engine: AsyncEngine) -> dict[str, str]:
    """Closed, and due on Monday the 27th unless they are told for another reason."""
    async with engine.begin() as db:
        book = await bundles.read(db)
        codes = {
            "late": await closed(db, book, -3, at(5)),
            "on time": await closed(db, book, -3, at(4)),
            "early": await closed(db, book, -3, at(-1)),
            "late all the same": await closed(db, book, -3, at(6)),
            "due before": await closed(db, book, -7, at(0)),
            "received after": await closed(db, book, 4, at(5)),
            "delivered": await closed(db, book, -3, at(5)),
            "withdrawn": (await processing(db, book, FIVE, at(-3))).code,
            "without a term": (await processing(db, book, NO_TERM, at(-3))).code,
        }
        await move(db, book, codes["delivered"], Event.deliver, at(5))
        await move(db, book, codes["withdrawn"], Event.withdraw, at(4))
        for event in (Event.advance, Event.advance, Event.return_result):
            await move(db, book, codes["without a term"], event, at(5))
    return codes


RESTATED = {
    "late": (Tally.late, Tally.on_time),
    "on time": (Tally.on_time, Tally.early),
    "early": (Tally.early, Tally.early),
    "late all the same": (Tally.late, Tally.late),
    "delivered": (Tally.late, Tally.on_time),
}


async def figures(engine: AsyncEngine) -> Bieu06:
    async with engine.connect() as db:
        return await bieu06(db, await bundles.read(db), *NOVEMBER)


@pytest.mark.parametrize("dates", [Dates.keep, Dates.move])
async def test_closed_ones_are_read_again_on_the_record_only(
    ours: AsyncEngine, dates: Dates
) -> None:
    codes, before = await ended(ours), await figures(ours)
    async with ours.connect() as db:
        was = await papers(db)
        raw = await text(db, off=[FRIDAY])
    assert not any(was[codes[name]].due_at != at(4, "17:00") for name in RESTATED)
    await corrected(ours, raw, dates=dates, when=DECEMBER)
    async with ours.connect() as db:
        there = await papers(db)
        assert {c for c, row in there.items() if row.finished_at and row != was[c]} == set()
        back, again = VN, await text(db)
    await corrected(ours, back, dates=Dates.keep, when=DECEMBER)
    assert (await figures(ours)).total.resolved == before.total.resolved

    number = await settled(ours, again, dates=dates, restates=True, when=DECEMBER)
    async with ours.connect() as db:
        was, seen = await papers(db), await foreseen(db, number, DECEMBER)
    await apply(ours, number, DECEMBER)
    async with ours.connect() as db:
        there = await papers(db)
        for name, code in codes.items():
            assert (there[code] != was[code]) == (name in RESTATED), name
            assert (code in seen and seen[code].effect is Effect.restated) == (name in RESTATED)
        for name, (verdict, anew) in RESTATED.items():
            now, line = there[codes[name]], (await lines_of(db, codes[name]))[-1]
            assert (now.verdict, now.due_at) == (anew, at(5, "17:00")), name
            assert (line["event"], line["role"]) == (Event.restate, Role.control)
            told = line["payload"]["clock"]
            assert (told["verdict"], told["was"]["verdict"]) == (anew, verdict)
            assert datetime.fromisoformat(told["was"]["due"]) == at(4, "17:00")
            assert line["payload"]["act"]["change"] == number
            assert now.finished_at == was[codes[name]].finished_at
    await differs_by(seen, before, await figures(ours))
    await holds(ours)


async def differs_by(seen: dict[str, Item], before: Bieu06, after: Bieu06) -> None:
    """The form differs by what was restated, each agency by its own, and by nothing else."""
    change: Counter[tuple[str, str]] = Counter()
    for item in seen.values():
        if item.effect is Effect.restated and item.verdict is not item.verdict_after:
            change[item.agency, str(item.verdict)] -= 1
            change[item.agency, str(item.verdict_after)] += 1
    for was, now in zip(before.rows, after.rows, strict=True):
        assert now.balances
        assert now.in_process == was.in_process  # some of it is overdue no more
        told = asdict(was) | {"in_time": now.in_time, "overdue": now.overdue}
        for name in ("early", "on_time", "late"):
            told[name] += change[was.agency, name]
        assert asdict(now) == told


# The pilot year -------------------------------------------------------------------------------


async def test_the_pilot_with_24_november_off(server: Embedded) -> None:
    """Two dossiers of each pace of every procedure in the last months of 2023, lived through."""
    async with town(server, "hoso") as engine:
        book = await read(engine)
        await lived_through(engine, book)
        silvester = datetime(2023, 12, 31, 9, tzinfo=HANOI)
        async with engine.connect() as db:
            was = await papers(db)
        before = await year_s_figures(engine)
        assert len(was) > 200
        async with engine.begin() as db:
            said = {"dates": Dates.later, "restates": True, "when": silvester}
            number = await propose(db, **said)
        async with engine.begin() as db:
            seen = await foreseen(db, number, silvester)
            await approve(db, number, when=silvester)
        assert await year_s_figures(engine) == before
        row = await apply(engine, number, silvester)
        async with engine.connect() as db:
            there = await papers(db)
            as_foreseen(seen, was, there)
            await as_recomputed(db)
        effects = Counter(item.effect for item in seen.values())
        assert effects[Effect.restated] > 20
        assert row.moved == sum(effects.values()) - effects[Effect.kept]
        after = await year_s_figures(engine)
        await differs_by(seen, before, after)
        gained = after.total.early - before.total.early
        assert gained == before.total.on_time + before.total.late - (
            after.total.on_time + after.total.late
        )
        assert gained > 0
        for code, item in seen.items():
            if item.effect is Effect.restated:  # the friend of the citizen: no one is later by it
                assert there[code].due_at > was[code].due_at
                assert was[code].received_at.date() <= FRIDAY
        await holds(engine)


async def year_s_figures(engine: AsyncEngine) -> Bieu06:
    year = (datetime(year, 1, 1, tzinfo=HANOI) for year in (2023, 2024))
    async with engine.connect() as db:
        return await bieu06(db, await bundles.read(db), *year)


async def lived_through(engine: AsyncEngine, book: Catalogue) -> None:
    from flows.pilot import Moment, live

    plan = pilot.load(book)
    none = dict.fromkeys(("asked_to_pay", "sent_back", "refused", "unfinished"), 0)
    few = [
        course.model_copy(
            update=none
            | {
                "come": {Channel.online: 2 * len(course.pace)},
                "pace": dict.fromkeys(course.pace, 2),
                "months": (11, 12),
                "held": min(course.held, 1),
                "extended": min(course.extended, 1),
            }
        )
        for course in plan.procedures
    ]
    plan = plan.model_copy(update={"name": "november", "procedures": tuple(few)})

    async def evening(when: datetime, moment: Moment) -> None:
        async with moment:
            await driving.drive(engine, book, when)

    async def weekend(when: datetime, moment: Moment) -> None:
        async with moment:
            pass

    days = [day for day in pilot.story(book, plan) if day.chains]
    await live(engine, book, plan.name, days, lambda *_: None, evening=evening, weekend=weekend)
