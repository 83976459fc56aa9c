"""A town with dossiers in every state, for the tests of change sets; each test has its own copy.

Its people came in the weeks before the morning of Thursday 23 November 2023.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import count
from os import getpid
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from databases import alone, run_as_owner
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import db as connecting
from states import ledger, lifecycle, people
from states.catalogue import Catalogue, Procedure, bundles, publishing
from states.catalogue.rows import Kind
from states.clock import Policy
from states.consultations import asking, ending, hearing
from states.consultations.asking import Question
from states.consultations.rows import Opinion
from states.embedded import Embedded
from states.ledger import Act, Lodging, Taken
from states.lifecycle import Now
from states.tables import Dossier
from states.words import Channel, Event, Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
FRIDAY = date(2023, 11, 24)
SATURDAY, MONDAY, TUESDAY = (FRIDAY + timedelta(days=n) for n in (1, 3, 4))
FILE = "0" * 64
UNIT = "H42.14.01"
CONTROL, SECOND, CLERK = "p-control-01", "p-centre-lead", "p-post-01"
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
    await consult(db, book, paper, event, when)
    return await ledger.move(db, book, code, act(event, when, role, payload=payload))


async def consult(
    db: AsyncConnection, book: Catalogue, paper: Dossier, event: Event, when: datetime
) -> None:
    """What the stage's version asks of others before it is left forwards: they agree at once."""
    day = book.day(when)
    for rule in hearing.named(book, paper) if event in hearing.LEAVING else ():
        asks, answers = (
            people.caller(
                book, book.organisation.holders(unit, Role.officer, day)[0].id, None, None, day
            )
            for unit in (paper.unit, rule.unit)
        )
        question = Question(to=rule.unit, about="Ý kiến")
        n = await asking.ask(db, book, paper.code, asks, question, when)
        agrees = ending.Answer(opinion=Opinion.agrees)
        await ending.answer(db, book, paper.code, n, answers, agrees, when)


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
        await consult(db, book, paper, event, when)
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


async def read(engine: AsyncEngine) -> Catalogue:
    async with engine.connect() as db:
        return await bundles.read(db)


# The catalogue goes on -----------------------------------------------------------------------


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


# What fails in the midst of a batch -------------------------------------------------------------

BOOM = """
CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.dossier_id = {id} THEN RAISE EXCEPTION 'boom'; END IF; RETURN NEW; END $$
"""
TRIGGER = "CREATE TRIGGER boom BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION boom()"
UNTRIGGER = "DROP TRIGGER boom ON entry"


async def as_owner(server: Embedded, engine: AsyncEngine, *statements: str) -> None:
    owner = connecting.engine(server.address(engine.url.database or "", "postgres"), 1)
    async with owner.begin() as db:
        for each in statements:
            await db.execute(sa.text(each))
    await owner.dispose()
