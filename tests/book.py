"""A small catalogue for the tests of the ledger: four procedures, one calendar, no files.

`move` and the moments below keep the stories short. Monday 4 March 2024 is day 0 of all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger, lifecycle
from states.clock import Calendar, Policy, Term
from states.errors import BadInput, Unknown
from states.ledger import Act, Lodging, Taken
from states.ledger.routing import Case, Routed, choose
from states.lifecycle import Now
from states.tables import Dossier, Entry, Visit
from states.words import Channel, Event, Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = date(2024, 3, 4)
REACH = date(2024, 1, 1), date(2026, 12, 31)
HOURS = (time(7, 30), time(11, 30)), (time(13), time(17))
UNIT = "H42.14"
FILE = "0" * 64  # what a hash of a file looks like


def at(day: int, clock: str = "08:00") -> datetime:
    """A moment that many calendar days after Monday."""
    return datetime.combine(MONDAY + timedelta(days=day), time.fromisoformat(clock), HANOI)


NINE = at(0, "09:00")
MONTH = Term.parse("30cd")


def weekdays(first: date, last: date) -> Iterable[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return (day for day in days if day.weekday() < 5)


DAYS = dict.fromkeys(weekdays(*REACH), HOURS)
CALENDAR = Calendar("week", "1", HANOI.key, DAYS, *REACH, standard_day=480)
WEDNESDAY = MONDAY + timedelta(days=2)
CORRECTED = Calendar(  # the first Wednesday is a day off after all
    "week",
    "2",
    HANOI.key,
    {day: hours for day, hours in DAYS.items() if day != WEDNESDAY},
    *REACH,
    standard_day=480,
)


@dataclass(frozen=True, slots=True)
class Stage:
    code: str
    role: Role
    term: Term
    unit: str = "H42.05.01"
    produces: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    routes: tuple[Any, ...] = ()
    consults: tuple[Any, ...] = ()
    next: tuple[int, ...] | None = None  # -1: the result
    accept: str = "auto"


@dataclass(frozen=True, slots=True)
class Component:
    code: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Supplement:
    times: int = 1
    mode: str = "hold"
    lapse: Term = MONTH


@dataclass(frozen=True, slots=True)
class Extension:
    times: int = 1
    max: Term | None = None


@dataclass(frozen=True, slots=True)
class Channels:
    come: tuple[str, ...] = ("counter", "online", "post")


@dataclass(frozen=True, slots=True)
class Procedure:
    """What the ledger reads of a procedure version."""

    code: str
    term: Term
    stages: tuple[Stage, ...]
    version: int = 1
    agency: str = "H42.05"
    field: str = "lao-dong"
    regime: str | None = None
    policy: Policy = Policy.day
    fee: int = 0
    components: tuple[Component, ...] = ()
    supplement: Supplement = Supplement()
    extension: Extension = Extension()
    channels: Channels = Channels()
    calendar: str | None = None

    def term_for(self, channel: str, region: str | None) -> Term:
        return self.term

    def onward(self, at: int) -> tuple[tuple[int, ...], bool]:
        after = self.stages[at].next
        if after is None:
            last = at == len(self.stages) - 1
            return ((), True) if last else ((at + 1,), False)
        return tuple(each for each in after if each >= 0), -1 in after

    def back(self, at: int) -> tuple[int, ...]:
        return tuple(range(at))


# Three hands, papers and a fee; asks once and waits; taken in by itself.
PERMIT = Procedure(
    "1.000001",
    Term.parse("5wd"),
    (
        Stage("appraise", Role.officer, Term.parse("2wd"), produces=("appraisal",)),
        Stage("review", Role.leader, Term.parse("1wd")),
        Stage("sign", Role.leader, Term.parse("0.5wd"), unit="H42.05.09", produces=("permit",)),
    ),
    fee=600_000,
    components=(Component("form"), Component("photo"), Component("passport", required=False)),
    extension=Extension(1, Term.parse("3wd")),
)
# One hand, nothing to bring; asks twice and begins again; a person takes it in.
LICENCE = Procedure(
    "1.000002",
    Term.parse("10cd"),
    (Stage("decide", Role.officer, Term.parse("10cd"), accept="manual"),),
    supplement=Supplement(2, "restart", Term.parse("10cd")),
    extension=Extension(2),
)
# By the hour, and no waiting for anybody.
HOURLY = Procedure(
    "1.000003",
    Term.parse("8wh"),
    (Stage("decide", Role.officer, Term.parse("8wh")),),
    policy=Policy.instant,
    supplement=Supplement(0),
    extension=Extension(0),
)
# No term at all.
TERMLESS = Procedure(
    "1.000004", Term.parse("none"), (Stage("decide", Role.officer, Term.parse("none")),)
)


@dataclass(frozen=True)
class Shelf:
    """A `Book` of these procedures, the last version of each in force."""

    procedures: tuple[Procedure, ...] = (PERMIT, LICENCE, HOURLY, TERMLESS)
    calendars: tuple[Calendar, ...] = (CORRECTED, CALENDAR)  # the last is in force
    staff: tuple[str, ...] = ("one", "two", "three")
    edition: int | None = None

    def day(self, at: datetime) -> date:
        return at.astimezone(HANOI).date()

    def procedure(self, code: str, version: int | None = None, on: date | None = None) -> Procedure:
        for each in reversed(self.procedures):
            if each.code == code and version in {None, each.version}:
                return each
        raise Unknown(f"there is no procedure {code}")

    def calendar(self, name: str, version: str | None = None) -> Calendar:
        for each in reversed(self.calendars):
            if each.name == name and version in {None, each.version}:
                return each
        raise Unknown(f"there is no calendar {name} of version {version}")

    def calendar_of(self, agency: str) -> Calendar:
        return self.calendar("week")

    def regime_on(self, day: date) -> str:
        return "R2021"

    def region_of(self, place: str | None) -> str | None:
        return None

    def code_for(self, unit: str, day: date, n: int) -> str:
        return f"{unit}-{day:%y%m%d}-{n:04d}"

    def routed(self, procedure: Any, stage: Any, case: Case, loads: dict[str, int]) -> Routed:
        return choose(stage, case, loads, lambda _: self.staff, lambda person: person)

    def may_take(self, person: str, unit: str, role: Role, on: date) -> None:
        if person == "nobody":
            raise BadInput(f"{person} is no {role} at {unit}")

    def with_next(self, procedure: Procedure, **changed: Any) -> "Shelf":
        """As the catalogue stands after a new version was published."""
        new = replace(procedure, version=procedure.version + 1, **changed)
        return replace(self, procedures=(*self.procedures, new))


BOOK = Shelf()
COMPLETE = {"components": {"form": FILE, "photo": FILE}}

# In what capacity each event is made in the stories, unless they say otherwise.
USUAL = {
    Event.register: Role.citizen,
    Event.accept: Role.officer,
    Event.advance: Role.officer,
    Event.send_back: Role.leader,
    Event.extend: Role.leader,
    Event.request_supplement: Role.officer,
    Event.supplement: Role.citizen,
    Event.request_payment: Role.officer,
    Event.pay: Role.citizen,
    Event.lapse: Role.system,
    Event.return_result: Role.officer,
    Event.reopen: Role.leader,
    Event.withdraw: Role.citizen,
    Event.stop: Role.leader,
    Event.adopt: Role.system,
}
REASON = {"reason": "vì thế", "ground": "61/2018/NĐ-CP Điều 19"}


def act(event: Event, when: datetime, role: Role | None = None, **facts: Any) -> Act:
    """An act by whoever usually makes it; a reason and ground are there unless said."""
    role = role or USUAL.get(event, Role.reception)
    return Act(event=event, actor=f"a {role}", role=role, at=when, **{**REASON, **facts})


def lodging(procedure: Procedure = PERMIT, **facts: Any) -> Lodging:
    known = dict(unit=UNIT, channel=Channel.counter, applicant="Nguyễn Thị Ánh")
    return Lodging(procedure=procedure.code, **{**known, **facts})


async def receive(
    db: AsyncConnection, procedure: Procedure = PERMIT, when: datetime = NINE, **facts: Any
) -> Dossier:
    """A dossier received at the counter, complete unless its payload says otherwise."""
    brings = COMPLETE if procedure.components else {}
    facts = {"payload": brings, **facts}
    return await ledger.open_(db, BOOK, lodging(procedure), act(Event.receive, when, **facts))


async def move(
    db: AsyncConnection,
    code: str,
    event: Event,
    when: datetime,
    role: Role | None = None,
    book: ledger.Book = BOOK,
    **facts: Any,
) -> Dossier:
    return await ledger.move(db, book, code, act(event, when, role, **facts))


async def process(
    db: AsyncConnection, procedure: Procedure = PERMIT, when: datetime = NINE, **facts: Any
) -> Dossier:
    """A dossier in the first stage, everything before done in the moment of receipt."""
    paper = await receive(db, procedure, when, **facts)
    for event in (Event.digitise, Event.route, Event.accept):
        paper = await move(db, paper.code, event, when)
    return paper


APPRAISED = {"payload": {"produced": ["appraisal"]}}
APPROVED = {"payload": {"produced": ["permit"], "outcome": "approved"}}


async def to_signature(db: AsyncConnection) -> Dossier:
    """A permit in its last stage on the morning of day 1."""
    paper = await process(db)
    await move(db, paper.code, Event.advance, at(1), **APPRAISED)
    return await move(db, paper.code, Event.advance, at(1), Role.leader)


async def visits(db: AsyncConnection, paper: Dossier) -> list[Any]:
    ours = sa.select(Visit).where(Visit.dossier_id == paper.id).order_by(Visit.visit)
    return list((await db.execute(ours)).all())


async def lines(db: AsyncConnection, paper: Dossier) -> list[Any]:
    ours = sa.select(Entry).where(Entry.dossier_id == paper.id).order_by(Entry.seq)
    return list((await db.execute(ours)).all())


# Wandering: dossiers with a past nobody thought of ------------------------------------------

# They end the walk, or lead nowhere: seldom taken.
UNWELCOME = {Event.withdraw, Event.stop, Event.decline, Event.recompute, Event.restate}
NOT_HERE = {Event.migrate}  # there is one version of each procedure


async def wander(
    db: AsyncConnection, chance: Random, steps: int, procedure: Procedure | None = None
) -> Dossier:
    """A dossier after up to that many moves by lot: any open event, by whoever may, any time on."""
    procedure = procedure or chance.choice(BOOK.procedures)
    when = at(chance.randrange(5), f"{chance.randrange(24):02}:{chance.randrange(60):02}")
    event = chance.choice([Event.register, Event.receive])
    files = {"payload": brings(chance, event, procedure, None)}
    paper = await ledger.open_(db, BOOK, lodging(procedure), act(event, when, **files))
    return await wander_on(db, chance, paper, steps)


async def wander_on(db: AsyncConnection, chance: Random, paper: Dossier, steps: int) -> Dossier:
    """The same dossier after up to that many moves more."""
    when, procedure = paper.moved_at, BOOK.procedure(paper.procedure, paper.version)
    for _ in range(steps):
        when += timedelta(minutes=chance.choice([0, 1, 90, 1_440, 5_000, 50_000]))
        open_now = [
            (event, role)
            for role in Role
            for event in lifecycle.open_to(paper, Now(when, role))
            if event not in NOT_HERE and (event not in UNWELCOME or chance.random() < 0.1)
        ]
        if not open_now:
            break
        event, role = chance.choice(open_now)
        payload = brings(chance, event, procedure, paper)
        paper = await move(db, paper.code, event, when, role, payload=payload)
    return paper


def brings(
    chance: Random, event: Event, procedure: Procedure, paper: Dossier | None
) -> dict[str, Any]:
    """What an event brings, in one of the ways in which it may."""
    if event in {Event.register, Event.receive, Event.supplement}:
        some = [each.code for each in procedure.components if chance.random() < 0.7]
        return {"components": dict.fromkeys(some, FILE)}
    if event in {Event.pay, Event.request_payment}:
        owed = paper.facts.get("owed", 0) if paper is not None else 0
        return {"amount": owed + chance.randint(1, 900_000)}
    if event in {Event.recompute, Event.restate}:
        return {"calendar": chance.choice(["week@1", "week@2"])}
    if event is Event.extend:
        return {"term": "2wd" if procedure.extension.max else chance.choice(["3wd", "5cd"])}
    if event in {Event.advance, Event.send_back, Event.return_result}:
        assert paper is not None
        staged = {"produced": list(procedure.stages[paper.stage].produces)}
        person = {"person": "Lê Văn Tám"} if chance.random() < 0.3 else {}
        outcome = {"outcome": chance.choice(["approved", "refused"])}
        return staged | person | (outcome if event is Event.return_result else {})
    return {}


TAKEN = Taken(
    source="log",
    code="case-1",
    agency="NL-MUN",
    unit="counter",
    procedure="permit",
    channel=Channel.counter,
    applicant="",
    calendar="week",
    policy=Policy.day,
    received=NINE,
    promised=at(3, "12:00"),
)
