"""Lists, queues and search among a million dossiers, beside the look-up of one by its code.

What is told is the 95th percentile of a round of many different questions, each by the caller's
whole predicate; every question is another's than the one before, so nothing is answered twice. None
may read a table from end to end: each finds its rows by an index.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from functools import partial
from random import Random
from statistics import quantiles

import pytest
import sqlalchemy as sa
from measures import ROUNDS, Figure, Figures, Pair
from province import AT, BODIES, FAMILY, GIVEN, MIDDLE, settled
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.catalogue import Catalogue, bundles
from states.catalogue.organisation import Person, Position
from states.clock.words import Lang
from states.db import engine, transaction
from states.embedded import Embedded
from states.finding import listing, work
from states.finding.listing import Asked, By
from states.finding.only import Only, Span
from states.finding.searching import Terms
from states.ledger.statements import d, dossier
from states.people import Caller
from states.sight import Sight, sight
from states.words import Role, State

pytestmark = pytest.mark.bench

MANY = 1_000_000
ASKED = 100  # a round
KEY = b"k" * 32
DAY = timedelta(days=1)
SCANNED = sa.text(  # in this transaction
    "SELECT relname, seq_scan FROM pg_stat_xact_user_tables"
    " WHERE relname IN ('dossier', 'visit', 'sought') AND seq_scan > 0"
)
Ask = Callable[[], Awaitable[object]]


def caller(role: Role, unit: str, id_: str) -> Caller:
    person = Person(id=id_, name="x", positions=(Position(unit=unit, role=role),))
    return Caller(person, role, date(2026, 11, 25))


CALLERS = [
    caller(Role.reception, "H42.14", "p-reception"),
    *(caller(Role.officer, f"H42.0{n}.02", f"p-{n}-2-2") for n in range(2, 8)),
    *(caller(Role.leader, f"H42.0{n}.01", f"p-{n}-1-0") for n in range(2, 8)),
    caller(Role.control, "H42.14", "p-control"),
]
POSTAL = [Sight("p-post", agencies=frozenset({f"H42.0{n}"})) for n in range(2, 8)]
FIELDS = [Sight("p-post", fields=frozenset({(f"H42.0{n}", f"field-{n}")})) for n in range(2, 8)]


class Questions:
    """What people ask, drawn by lot: the same in each run."""

    def __init__(self, db: AsyncConnection, book: Catalogue, codes: Sequence[str]) -> None:
        self.db, self.book, self.codes, self.chance = db, book, codes, Random(7)
        self.sights = [*(sight(book, who) for who in CALLERS), *POSTAL, *FIELDS]

    def listed(self) -> Ask:
        """A page of a list, filtered as people do."""
        chance, then = self.chance, AT - DAY * self.chance.randrange(1000)
        body = f"H42.{chance.randrange(1, BODIES + 1):02}"
        only = chance.choice(
            [
                Only(),
                Only(state=(chance.choice(list(State)),)),
                Only(state=(State.processing, State.routed)),
                Only(agency=(body,)),
                Only(unit=(f"{body}.0{chance.randrange(1, 6)}",)),
                Only(procedure=(f"2.{chance.randrange(300):06}",)),
                Only(overdue=True),
                Only(due_before=AT + 2 * DAY),
                Only(person=f"p-{chance.randrange(1, BODIES)}-1-3"),
                Only(received=Span(then, then + DAY)),
                Only(finished=Span(then, then + DAY)),
                Only(due=Span(then, then + DAY)),
            ]
        )
        by = chance.choice([By.came, By.came, By.due]) if only == Only() else By.came
        return partial(
            listing.find, self.db, self.book, chance.choice(self.sights), Asked(only, by=by), AT
        )

    def queued(self) -> Ask:
        """A page of a queue."""
        who = self.chance.choice(CALLERS)
        name = self.chance.choice(work.queues_of(who)).name
        seen = sight(self.book, who)
        return partial(work.queue, self.db, self.book, who, seen, name, AT, Lang.vi)

    def counted(self) -> Ask:
        """All queues of somebody, counted."""
        who = self.chance.choice(CALLERS)
        return partial(work.waiting, self.db, self.book, who, sight(self.book, who), AT)

    def searched(self) -> Ask:
        """A code, a name or part of one, a number."""
        chance = self.chance
        n = chance.randrange(1, MANY)
        words = [chance.choice(FAMILY), chance.choice(MIDDLE), chance.choice(GIVEN)]
        text = chance.choice(
            [
                f"H42.14-{AT - DAY * (n % 1000):%y%m%d}",
                " ".join(words),
                " ".join(words).lower(),
                " ".join(words[1:]),
                words[2],
                " ".join(words[:2]),
                f"09{n * 7919 % 100_000_000:08}",
                f"{n:012}",
            ]
        )
        only = chance.choice(
            [Only(), Only(), Only(agency=("H42.05",)), Only(received=Span(AT - 90 * DAY))]
        )
        asked = Asked(only, Terms(text=text))
        return partial(
            listing.find, self.db, self.book, chance.choice(self.sights), asked, AT, key=KEY
        )

    def looked_up(self) -> Ask:
        """One dossier by its code, by an index."""
        code = self.chance.choice(self.codes)
        return partial(self.db.execute, sa.select(dossier).where(d.code == code))


async def percentile(ask: Callable[[], Ask]) -> float:
    """Of the milliseconds of a round, the 95th percentile."""
    took = []
    for _ in range(ASKED):
        question = ask()
        begin = time.perf_counter()
        await question()
        took.append(1000 * (time.perf_counter() - begin))
    return quantiles(took, n=20)[-1]


async def measured(address: str) -> dict[str, Sequence[Pair]]:
    connections: AsyncEngine = engine(address, 1)
    async with transaction(connections) as db:
        some = sa.select(d.code).where(d.id % 499 == 0)
        codes = (await db.execute(some)).scalars().all()
        asks = Questions(db, await bundles.read(db), codes)
        kinds = {
            "List": asks.listed,
            "Queue": asks.queued,
            "Counts of all queues": asks.counted,
            "Search": asks.searched,
        }
        rounds: dict[str, list[Pair]] = {name: [] for name in kinds}
        for ask in (asks.looked_up, *kinds.values()):
            await percentile(ask)  # what is asked for often is in memory
        for _ in range(ROUNDS):
            plain = await percentile(asks.looked_up)
            for name, ask in kinds.items():
                rounds[name].append((await percentile(ask), plain))
        assert (await db.execute(SCANNED)).all() == []
    await connections.dispose()
    return dict(rounds)


def test_a_million_dossiers_looked_through(durable: Embedded, figures: Figures) -> None:
    settled(durable.owner, MANY)
    for name, rounds in asyncio.run(measured(durable.application)).items():
        most = 100 if name == "Search" else 50
        figures.add(
            Figure(
                row=11,
                what=f"{name}, p95 among {MANY:,} dossiers",
                unit="ms",
                beside="p95 of one looked up by its code",
                rounds=rounds,
                target=f"< {most} ms",
                reached=lambda figure, most=most: figure.measured < most,  # type: ignore[misc]
            )
        )
