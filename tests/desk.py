"""Dossiers that live in memory: any past by lot, with its chain of lines, and no database."""

from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
from book import Component, Extension, Procedure, Shelf, Stage, Supplement, act, brings, lodging
from test_clock import SMALL, TERMS, Wall

from states import lifecycle
from states.clock import Calendar, Policy, Term
from states.errors import BadInput, HosoError
from states.ledger import Taken, chain
from states.ledger.history import History
from states.ledger.turn import adopting, opening, turn
from states.lifecycle import Now
from states.words import Channel, Event, Role

SOON = Term.parse("4cd")
SELDOM = {Event.withdraw, Event.stop, Event.decline, Event.lapse}
NOTES = ("Nghỉ bù / Day off in lieu (QĐ 12/QĐ-UBND)", "Làm bù / Make-up day", "Bão")


@dataclass
class Desk:
    """A dossier, its open visit and its lines."""

    book: Shelf
    paper: Any
    lines: list[dict[str, Any]] = field(default_factory=list)
    present: Any = None

    def write(self, source: str | None, made: Any, payload: dict[str, Any]) -> None:
        line = {name: getattr(made, name) for name in ("event", "role", "actor", "on_behalf_of")}
        line |= {name: getattr(made, name) for name in ("reason", "ground", "key")}
        line = {name: value and str(value) for name, value in line.items()}
        line |= {"dossier_id": 7, "seq": self.paper.seq, "source": source and str(source)}
        line |= {"dest": str(self.paper.state), "at": made.at.astimezone(UTC)}
        line |= {"recorded_at": made.at.astimezone(UTC), "payload": orjson.dumps(payload).decode()}
        line |= {"prev": self.lines[-1]["hash"] if self.lines else None}
        self.lines.append(line | {"hash": chain.derive(line)})

    def move(self, made: Any) -> bool:
        """False where it is refused; then nothing has happened."""
        paper, present, source = copy(self.paper), copy(self.present), self.paper.state
        try:
            payload, opened = turn(self.book, paper, present, made)
        except HosoError:
            return False
        self.paper, self.present = paper, opened or present
        if self.present is not None and self.present.closed_at is not None:
            self.present = None
        self.write(source, made, payload)
        return True

    @property
    def kept(self) -> History:
        return History(self.paper, self.lines, [], [])


def calendars(on: Wall, chance: Random) -> tuple[Calendar, Calendar]:
    """The wall's, and one with another day off; each with notes on some days."""
    made, off = [], chance.choice(sorted(on.days)[12:24])
    for version in ("1", "2"):
        days = {day: tuple(hours) for day, hours in on.days.items()}
        if version == "2":
            del days[off]
        every = [on.first + timedelta(days=n) for n in range(63)]
        notes = {day: chance.choice(NOTES) for day in chance.sample(every, 6)}
        facts = ("Asia/Ho_Chi_Minh", days, on.first, on.last, on.standard_day, notes)
        made.append(Calendar("week", version, *facts))
    return made[1], made[0]


def procedures(chance: Random, term: str | None, policy: Policy | None) -> tuple[Procedure, ...]:
    one = Procedure(
        "1.000009",
        Term.parse(term or chance.choice([*TERMS, "none"])),
        (Stage("decide", Role.officer, Term.parse("1wd")),),
        policy=policy or chance.choice(list(Policy)),
        components=(Component("form", required=False),),
        supplement=Supplement(3, chance.choice(["hold", "restart"]), SOON),
        extension=Extension(2),
    )
    other = Term.parse(chance.choice([*TERMS, "none"]))
    return replace(one, version=2, term=other, policy=chance.choice(list(Policy))), one


def desk(chance: Random, steps: int, term: str | None = None, policy: Policy | None = None) -> Desk:
    """A dossier after up to that many moves by lot, received at the least."""
    on = chance.choice(SMALL)
    book = Shelf(procedures(chance, term, policy), calendars(on, chance))
    when = datetime.combine(on.first, datetime.min.time(), book.calendar("week").zone)
    when += timedelta(days=chance.randrange(12), minutes=chance.randrange(1440), seconds=7)
    begin = _adopted if term is None and chance.random() < 0.15 else _opened
    try:
        made = begin(book, chance, when)
    except BadInput:  # its term lies beyond the calendar
        return desk(chance, steps, term, policy)
    for n in range(steps):
        when += timedelta(minutes=chance.choice([0, 1, 30, 500, 1440, 3000, 6000]))
        if not _step(made, chance, when) and n > 20:
            break
    return made


def _opened(book: Shelf, chance: Random, when: datetime) -> Desk:
    procedure = book.procedures[-1]
    made = act(Event.receive, when)
    paper, payload = opening(book, lodging(procedure), made)
    paper.id, paper.code = 7, "H42.14-250303-0001"
    payload["lodging"]["code"] = paper.code
    at = Desk(book, paper)
    at.write(None, made, payload)
    for event in (Event.digitise, Event.route, Event.accept):
        assert at.move(act(event, when))
    return at


def _adopted(book: Shelf, chance: Random, when: datetime) -> Desk:
    promised = when + timedelta(minutes=chance.randrange(20_000))
    taken = Taken(
        source="log", code="case-1", agency="NL", unit="counter", procedure="permit",
        channel=Channel.counter, applicant="", calendar="week", policy=chance.choice(list(Policy)),
        received=when, promised=chance.choice([None, promised]),
    )  # fmt: skip
    made = act(Event.adopt, when)
    paper, payload = adopting(book, taken, made)
    paper.id = 7
    at = Desk(book, paper)
    at.write(None, made, payload)
    return at


def _step(at: Desk, chance: Random, when: datetime) -> bool:
    every = [
        (event, role)
        for role in Role
        for event in lifecycle.open_to(at.paper, Now(when, role))
        if event not in SELDOM or chance.random() < 0.1
    ]
    if not every:
        return False
    event, role = chance.choice(every)
    facts = {"payload": brings(chance, event, at.book.procedures[-1], at.paper)}
    if at.paper.source is not None:
        facts["payload"] = {"outcome": "unstated"} if event is Event.return_result else {}
    if event is Event.request_payment:
        facts["payload"] = {"amount": 1}
    elif event is Event.pay:
        facts["payload"] = {"amount": at.paper.facts["owed"]}
    elif event is Event.migrate:
        facts["payload"] = {"version": 3 - at.paper.version, "second": "b"}
    elif event is Event.extend:
        facts["payload"] = {"term": chance.choice(TERMS)}
    return at.move(act(event, when, role, **facts))
