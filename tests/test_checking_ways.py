"""The checker's graphs and walks, against searches that know no better than to try everything."""

from datetime import date, datetime
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_clock import FIRST, SMALL, wall

from states.catalogue import load
from states.catalogue.checking import Severity, fit, papers, ways
from states.catalogue.checking.draft import Draft
from states.catalogue.procedures import END, Procedure, Stage
from states.checker.pencil import OffTheWall, Wall, one_term
from states.checker.sheet import amount_of, kind_of, verdict_of
from states.clock import Calendar, Kind, Policy, Term
from states.words import Role

BOOK = load()
LIKE = BOOK.procedure("9.000301")
NAME = LIKE.name
E_, W = Severity.error, Severity.warning


def stage(n: int, **says) -> Stage:
    said = {"unit": "H42.03.01", "role": Role.officer, "term": Term.parse("1wd"), "accept": "auto"}
    return Stage(code=f"s{n}", name=NAME, **(said | says))


def procedure(*stages: Stage, **says) -> Procedure:
    return LIKE.model_copy(update={"stages": stages, "terms": (), **says})


# Ways ---------------------------------------------------------------------------------------


@st.composite
def graphs(draw) -> Procedure:
    n = draw(st.integers(1, 6))
    codes = [f"s{at}" for at in range(n)]
    some = st.lists(st.sampled_from(codes), max_size=2, unique=True).map(tuple)
    next_ = st.lists(st.sampled_from([*codes, END]), min_size=1, max_size=2, unique=True).map(tuple)
    papers_ = st.lists(st.sampled_from("ab"), max_size=2, unique=True).map(tuple)
    stages = (
        stage(
            at,
            next=draw(st.none() | next_),
            returns=draw(st.none() | some),
            needs=draw(papers_),
            produces=draw(papers_),
            term=Term.parse(draw(st.sampled_from(["1wd", "none"]))),
        )
        for at in range(n)
    )
    total = Term.parse(draw(st.sampled_from(["20wd", "none"])))
    return procedure(*stages, term=total, components=())


def steps(of: Procedure) -> tuple[list[set[int]], list[bool], list[set[int]], list[set[int]]]:
    """Onward, whether to the result, back as it is said, and back as it may be."""
    onward, ends, said, back = [], [], [], []
    for at, each in enumerate(of.stages):
        below = (f"s{at + 1}",) if at + 1 < len(of.stages) else (END,)
        to = each.next if each.next is not None else below
        onward.append({int(code[1:]) for code in to if code != END})
        ends.append(END in to)
        said.append({int(code[1:]) for code in each.returns or ()})
        back.append(set(range(at)) if each.returns is None else said[-1] if at else set())
    return onward, ends, said, back


def come(onward: list[set[int]]) -> list[set[int]]:
    """What may come after each: after one step, after two, and so on."""
    after = []
    for first in onward:
        now, seen = set(first), set(first)
        for _ in onward:
            now = set().union(*(onward[each] for each in now))
            seen |= now
        after.append(seen)
    return after


def groups(after: list[set[int]]) -> set[frozenset[int]]:
    """Those that come round to each other."""
    found = {
        frozenset(b for b in range(len(after)) if b in after[a] and a in after[b])
        for a in range(len(after))
    }
    return found - {frozenset()}


def arrivals(of: Procedure, onward: list[set[int]], at: int) -> list[frozenset[str]]:
    """What may have been produced when a dossier comes to a stage for the first time."""
    ahead, seen = [(0, frozenset())], set()
    while ahead:
        state = here, there = ahead.pop()
        if state not in seen:
            seen.add(state)
            if here != at:
                more = there | {*of.stages[here].produces}
                ahead += [(to, more) for to in onward[here]]
    return [there for here, there in seen if here == at]


def told(flaws, *key) -> list[Severity]:
    """How bad what was found at these places is; `...` for any."""
    pattern = lambda of: all(p in {..., k} for p, k in zip(key, of, strict=True))  # noqa: E731
    return [each.severity for each in flaws if len(each.key) == len(key) and pattern(each.key)]


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_stages_that_are_come_to_and_come_to_an_end(of):
    flaws = list(ways.flaws(Draft(of, BOOK)))
    onward, ends, said, _ = steps(of)
    after, both = come(onward), come([a | b for a, b in zip(onward, said, strict=True)])
    for at in range(len(of.stages)):
        forward, ever = at in {0, *after[0]}, at in {0, *both[0]}
        assert told(flaws, "stages", at) == ([] if forward else [W] if ever else [E_])
    rounds = groups(after)
    trapped = [each for each in rounds if not any(ends[b] for a in each for b in after[a])]
    found = told(flaws, "stages", ..., "next", ...)
    assert (found.count(E_), found.count(W)) == (len(trapped), len(rounds) - len(trapped))


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_a_loop_without_a_clock(of):
    flaws = list(ways.flaws(Draft(of, BOOK)))
    onward, _, _, back = steps(of)
    free = {n for n, each in enumerate(of.stages) if each.term.kind is Kind.none}
    still = [(onward[n] | back[n]) & free if n in free else set() for n in range(len(of.stages))]
    rounds = groups(come(still)) if of.term.kind is Kind.none else set()
    assert told(flaws, "stages", ..., "term") == [E_] * len(rounds)


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_papers_that_are_there_when_they_are_needed(of):
    flaws = list(papers.flaws(Draft(of, BOOK)))
    onward, *_ = steps(of)
    after = come(onward)
    for at, each in enumerate(of.stages):
        come_to = arrivals(of, onward, at)
        for n, name in enumerate(each.needs):
            there = {name in papers_ for papers_ in come_to}
            gone = not any(name in other.produces for other in of.stages)
            bad = [E_] if gone or there == {False} else [W] if there == {True, False} else []
            assert told(flaws, "stages", at, "needs", n) == bad
        for n, name in enumerate(each.produces):
            makers = (m for m, other in enumerate(of.stages) if m != at and name in other.produces)
            twice = any(at in after[m] for m in makers)
            assert told(flaws, "stages", at, "produces", n) == [W] * twice


# The walk -----------------------------------------------------------------------------------


class Shelf:
    """The least that a draft asks of a catalogue: one calendar."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def calendar_of(self, agency: str) -> Calendar:
        return self._calendar


SHORT = "08:00 08:20 13:00 13:10"
WALLS = [  # every working day alike, with a Tet; and one whose weeks differ
    wall([SHORT] * 5, off=range(22, 31), standard_day=30),
    wall([SHORT] * 5 + ["08:00 08:20"], standard_day=30),
    SMALL[1],
]


@cache
def shelf(at: int) -> Shelf:
    on = WALLS[at]
    off = (FIRST.fromordinal(FIRST.toordinal() + n) for n in range(63))
    notes = {day: "off" for day in off if day.weekday() < 5 and not on.works(day)}
    days = {day: tuple(hours) for day, hours in on.days.items()}
    zone = "Asia/Ho_Chi_Minh"
    return Shelf(Calendar("t", "1", zone, days, on.first, on.last, on.standard_day, notes))


WORKING = ["1wd", "2wd", "0.5wd", "0.1wh", "0.25wh", "sameday", "sameday@08:10"]
TOTALS = {
    "1wd": WORKING, "4wd": WORKING, "6wd": WORKING, "1wh": WORKING, "2.5wd": WORKING,
    "sameday@13:05": WORKING, "5cd": [*WORKING, "1cd", "3cd"], "10cd": [*WORKING, "3cd", "4cd"],
    "16cd": ["5cd", "2wd", "4cd"],
}  # fmt: skip


@st.composite
def shared_out(draw) -> tuple[int, Procedure]:
    """A calendar, and a term with stages that only lead down the list."""
    total = draw(st.sampled_from(sorted(TOTALS)))
    n = draw(st.integers(1, 5))
    stages = []
    for at in range(n):
        below = [*(f"s{to}" for to in range(at + 1, n)), END]
        several = st.lists(st.sampled_from(below), min_size=min(2, len(below)), unique=True)
        next_ = draw(st.none() | several)
        term = Term.parse(draw(st.sampled_from(TOTALS[total])))
        stages.append(stage(at, next=None if next_ is None else tuple(next_), term=term))
    policy = draw(st.sampled_from(Policy))
    says = {"term": Term.parse(total), "policy": policy, "valid_from": FIRST, "calendar": None}
    return draw(st.integers(0, len(WALLS) - 1)), procedure(*stages, **says)


def routes(of: Procedure) -> list[list[str]]:
    """The terms along each way from the first stage to the result."""
    onward, ends, *_ = steps(of)
    found, ahead = [], [[0]]
    while ahead:
        way = ahead.pop()
        if ends[way[-1]]:
            found.append([str(of.stages[each].term) for each in way])
        ahead += [[*way, to] for to in onward[way[-1]]]
    return found


def step(on: Wall, text: str, start: datetime) -> datetime:
    kind = kind_of(text)
    amount = (
        text.partition("@")[2] or "15:00" if kind == "same" else amount_of(text, on.standard_day)
    )
    return one_term(on, kind, amount, start, [])


def done(on: Wall, ways_: list[list[str]], start: datetime) -> datetime:
    """The end of the way that takes longest; neighbours in calendar days are added up."""
    ends = []
    for way in ways_:
        joined: list[str] = []
        for text in way:
            if joined and text.endswith("cd") and joined[-1].endswith("cd"):
                joined[-1] = f"{int(joined[-1][:-2]) + int(text[:-2])}cd"
            else:
                joined.append(text)
        end = start
        for text in joined:
            end = step(on, text, end)
        ends.append(end)
    return max(ends)


def tried(on: Wall, of: Procedure, chance: Random) -> list[tuple[datetime, datetime, datetime]]:
    """Dossiers received at any minute of some days: received, due, done at the latest."""
    runs, ways_ = [], routes(of)
    for day in chance.sample(sorted(on.days), 14):
        opens, closes = on.days[day][0][0], on.days[day][-1][1]
        first, last = opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute
        for minute in {first, last, chance.randint(first, last)}:
            start = datetime.combine(day, datetime.min.time()).replace(
                hour=minute // 60, minute=minute % 60
            )
            try:
                runs.append((start, step(on, str(of.term), start), done(on, ways_, start)))
            except OffTheWall:
                continue
    return runs


def special(on: Wall, first: date, last: date) -> bool:
    days = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    return any(day.weekday() < 5 and not on.works(day) for day in days)


@pytest.mark.parametrize(
    "terms", ["1wd 2wd", "2wd 1wd", "1wd 3cd", "3cd 1wd", "3cd 1cd", "1cd 3cd"]
)
def test_of_two_ways_the_longer_counts(terms):
    one, other = terms.split()
    of = procedure(
        stage(0, term=Term.parse("1wd"), next=("s1", "s2")),
        stage(1, term=Term.parse(one), next=("s3",)),
        stage(2, term=Term.parse(other), next=("s3",)),
        stage(3, term=Term.parse("1cd" if "cd" in terms else "1wd")),
        term=Term.parse("3cd" if "cd" in terms else "3wd"),
        valid_from=FIRST,
    )
    [flaw] = fit.flaws(Draft(of, shelf(1)))
    longer = 1 if one in {"2wd", "3cd"} else 2
    assert flaw.severity is E_
    assert flaw.why.endswith(f"by way of s0, s{longer}, s3")


@settings(max_examples=100, deadline=None)
@given(shared_out(), st.integers(0, 1 << 30))
def test_the_walk_finds_what_a_clerk_with_a_pencil_finds(asked, seed):
    at, of = asked
    on, draft = WALLS[at], Draft(of, shelf(at))
    plan = fit.planned(of, draft.ways)
    found = fit.worst(draft, plan, of.term, cache(lambda start: fit._done(draft, plan, start)))
    runs = tried(on, of, Random(seed))
    late = [r for r in runs if verdict_of(on, r[1], r[2], of.policy) == "late"]
    hourly = of.term.kind is Kind.minutes and at == 2  # not every minute of such days is walked
    if found is None:
        assert not late or hourly
        return
    run, severity = found
    received, due = run.received.replace(tzinfo=None), run.due.replace(tzinfo=None)
    assert step(on, str(of.term), received) == due
    if run.done is not None:
        end = run.done.replace(tzinfo=None)
        assert done(on, routes(of), received) == end
        assert verdict_of(on, due, end, of.policy) == "late"
    if severity is W and not hourly and run.done is not None:
        assert special(on, received.date(), end.date())
        assert all(special(on, r[0].date(), r[2].date()) for r in late)
        worst = len(on.between(due, end))
        assert all(len(on.between(r[1], r[2])) <= worst for r in late)
