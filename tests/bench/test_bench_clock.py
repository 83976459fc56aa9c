"""Due dates beside the least that a due date in working days can be: a bisect and a datetime."""

import time
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from measures import ROUNDS, Figure, Figures

from states import catalogue, clock
from states.clock import Calendar, Facts, Policy, Term

pytestmark = pytest.mark.bench

READS = 20_000  # a round
MARGIN = timedelta(days=250)  # between any receipt and the ends of the calendar

Question = tuple[Term, Facts, datetime]


def test_due_dates(figures: Figures) -> None:
    chance, book = Random(1), catalogue.load()
    calendar = book.calendar(book.keeps)
    terms = [procedure.term for procedure in book.procedures.values()]
    rounds = []
    for _ in range(ROUNDS):
        questions = [_question(chance, calendar, terms) for _ in range(READS)]
        rounds.append((_read(calendar, questions), _bare(calendar, questions)))
    figures.add(
        Figure(
            row=6,
            what="One due date",
            unit="µs",
            beside="bisect and datetime",
            rounds=rounds,
            target="≤ 10 µs",
            reached=lambda figure: figure.measured <= 10,
        )
    )


def _question(chance: Random, calendar: Calendar, terms: Sequence[Term]) -> Question:
    """A dossier as the desk meets it: one in five held once, one in twenty extended."""
    first = datetime.combine(calendar.first, datetime.min.time(), UTC) + MARGIN
    days = (calendar.last - calendar.first - 2 * MARGIN).days
    received = first + timedelta(days=chance.randrange(days), minutes=chance.randrange(30, 600))
    holds: tuple[tuple[datetime, datetime], ...] = ()
    if chance.random() < 0.2:
        begin = received + timedelta(hours=chance.randrange(1, 100))
        holds = ((begin, begin + timedelta(hours=chance.randrange(1, 400))),)
    extend = (Term.parse("2wd"),) if chance.random() < 0.05 else ()
    facts = Facts(received, holds=holds, extend=extend)
    return chance.choice(terms), facts, received + timedelta(hours=chance.randrange(600))


def _read(calendar: Calendar, questions: Sequence[Question]) -> float:
    """Microseconds each."""
    begin = time.perf_counter()
    dues = [clock.read(term, calendar, facts, Policy.day, at).due for term, facts, at in questions]
    took = time.perf_counter() - begin
    assert sum(due is not None for due in dues) > READS * 0.9
    return took / READS * 1e6


def _bare(calendar: Calendar, questions: Sequence[Question]) -> float:
    """Five working days after the receipt, whatever was asked."""
    span = range(calendar.first.toordinal(), calendar.last.toordinal() + 1)
    days = [day for day in span if calendar.works(day)]
    zone = calendar.zone
    begin = time.perf_counter()
    for _, facts, _ in questions:
        day = days[bisect_right(days, facts.received.toordinal()) + 4]
        datetime.fromordinal(day).replace(hour=17, tzinfo=zone)
    return (time.perf_counter() - begin) / READS * 1e6
