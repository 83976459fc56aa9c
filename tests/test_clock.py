"""The clock against a clerk with a pencil (`states.checker`), and by rule. By hand: see beside."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states.checker.pencil import DAY, MINUTE, NEVER, OffTheWall, Wall
from states.checker.sheet import answer
from states.clock import Calendar, Facts, Policy, Reading, Term, read
from states.errors import BadInput

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
TO_UTC = timedelta(hours=7, seconds=-37)
FIRST = date(2025, 3, 3)  # a Monday; every wall below is nine weeks long


def wall(*weeks: list[str], off: range = range(0), standard_day: int = 480) -> Wall:
    """The weeks in turn, each written from Monday on; `off` are days counted from FIRST."""
    days = {}
    for n in range(63):
        week = weeks[n // 7 % len(weeks)]
        if n % 7 < len(week) and week[n % 7] and n not in off:
            clocks = [time.fromisoformat(clock) for clock in week[n % 7].split()]
            days[FIRST + n * DAY] = list(zip(clocks[::2], clocks[1::2], strict=True))
    return Wall(days, FIRST, FIRST + 62 * DAY, standard_day)


# Small offices that open for minutes keep ten thousand minute-by-minute walks quick: a rule does
# not know how long a session is.
OFFICE = "07:30 11:30 13:00 17:00"
FULL = wall([OFFICE] * 5, [OFFICE] * 6, [OFFICE] * 5, off=range(17, 19))
SMALL = [
    wall(["08:00 08:20 13:00 13:07"] * 5 + ["08:00 08:11"], standard_day=30),
    wall(["07:00 07:12 14:00 14:30"] * 5, ["07:30 07:50 13:30 13:52"] * 5, standard_day=44),
    wall(["00:00 00:05 09:00 09:01 11:11 11:31 23:40 23:59"] * 7, standard_day=10),
    wall(["", "10:00 10:01", "", "09:00 09:25 10:00 10:10", "", "", "20:00 20:15"], standard_day=6),
    wall(["08:00 08:15 15:00 15:15"] * 2 + ["14:00 14:40"] * 3, off=range(15, 29), standard_day=20),
]
WALLS = [FULL, *SMALL, *SMALL, *SMALL, *SMALL]
ONE_KIND = {
    "days": ["1wd", "2wd", "5wd", "8wd"],
    "calendar": ["1cd", "3cd", "10cd"],
    "minutes": ["0.25wh", "1wh", "8wh", "0.5wd", "2.5wd"],
}
SAME_DAY = ["sameday", "sameday@09:30", "sameday@14:10", "sameday@23:59"]
TERMS = [text for texts in ONE_KIND.values() for text in texts] + SAME_DAY


def as_calendar(on: Wall) -> Calendar:
    days = {day: tuple(hours) for day, hours in on.days.items()}
    return Calendar("test", "1", "Asia/Ho_Chi_Minh", days, on.first, on.last, on.standard_day)


CALENDARS = {id(on): as_calendar(on) for on in WALLS}


def told(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(HANOI).replace(tzinfo=None)


def foreign(moment: datetime | None) -> datetime | None:
    """The same minute as the clock must take it from anyone: in another zone, with odd seconds."""
    return moment and (moment - TO_UTC).replace(tzinfo=UTC)


def ask(on: Wall, question: dict) -> Reading:
    facts = Facts(
        foreign(question["received"]),
        tuple((foreign(begins), foreign(ends)) for begins, ends in question["holds"]),
        foreign(question["restart"]),
        tuple(Term.parse(text) for text in question["extend"]),
        foreign(question["finished"]),
    )
    calendar = CALENDARS.get(id(on)) or as_calendar(on)
    term, policy = Term.parse(question["term"]), Policy(question["policy"])
    return read(term, calendar, facts, policy, foreign(question["at"]))


# Questions: one generator serves the seeded ten thousand and, drawn by hypothesis, the properties.


def on_wall(on: Wall, moment: datetime) -> datetime:
    start = datetime.combine(on.first, time.min)
    return min(max(moment, start), datetime.combine(on.last, time(23, 59)))


def some_moment(rng: Random, on: Wall, low: int, high: int) -> datetime:
    """Any minute of a day low..high days after the first, often at the edge of a session."""
    day = on.first + rng.randint(low, high) * DAY
    edges = [datetime.combine(day, edge) for hours in on.days.get(day, ()) for edge in hours]
    if edges and rng.random() < 0.6:
        return on_wall(on, rng.choice(edges) + rng.choice((-1, 0, 0, 1)) * MINUTE)
    return on_wall(on, datetime.combine(day, time.min) + rng.randrange(1440) * MINUTE)


def some_holds(rng: Random, on: Wall, near: datetime | None, day: int) -> list:
    holds: list = []
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        begins = some_moment(rng, on, day - 1, day + 10)
        if holds and holds[-1][1] and rng.random() < 0.3:
            begins = holds[-1][1]
        elif near and rng.random() < 0.5:
            begins = on_wall(on, near + rng.choice((-1, 0, 1)) * MINUTE)
        length = rng.choice((0, rng.randrange(90), rng.randrange(6000), rng.randrange(9000)))
        ends = on_wall(on, begins + length * MINUTE) if rng.random() < 0.9 else None
        holds.append((begins, ends))
    return holds


def some_question(rng: Random, terms: list[str] = TERMS) -> tuple[Wall, dict]:
    """A wall and a question with a receipt, holds and `at`; nothing else has happened yet."""
    on, day = rng.choice(WALLS), rng.randint(0, 20)
    question = {"term": rng.choice(terms), "received": some_moment(rng, on, day, day)}
    question |= {"holds": [], "restart": None, "extend": [], "finished": None}
    question |= {"policy": rng.choice(list(Policy)), "at": some_moment(rng, on, day, day + 15)}
    near = None
    if rng.random() < 0.3:
        with suppress(OffTheWall):
            near = answer(on, question)["due"]
    return on, question | {"holds": some_holds(rng, on, near, day), "at": near or question["at"]}


def eventful(rng: Random, on: Wall, question: dict) -> dict:
    """The same with a restart, extensions and a finish, each perhaps."""
    start, day = question["received"], (question["received"].date() - on.first).days
    if rng.random() < 0.2:
        start = max(start, some_moment(rng, on, day, day + 6))
        question |= {"restart": start}
    if rng.random() < 0.3:
        question |= {"extend": [rng.choice(TERMS) for _ in range(rng.randint(1, 3))]}
    if rng.random() < 0.6:
        finished = rng.choice((question["at"], some_moment(rng, on, day, day + 20)))
        question |= {"finished": max(start, finished + rng.choice((-1, 0, 1)) * MINUTE)}
    return question


def agree(on: Wall, question: dict) -> None:
    try:
        expected = answer(on, question)
    except OffTheWall:
        with pytest.raises(BadInput):
            ask(on, question)
        return
    reading = ask(on, question)
    trace = reading.trace
    assert expected == {
        "due": told(reading.due),
        "due_original": told(reading.due_original),
        "verdict": reading.verdict,
        "used": reading.used,
        "remaining": reading.remaining,
        "elapsed": sum(line.minutes for line in trace),
    }, str(question)
    assert sum(line.minutes for line in trace if line.counts) == reading.used, str(question)
    assert all(line.rule for line in trace)


@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_questions_are_answered_as_by_the_clerk(seed) -> None:
    rng = Random(seed)
    for _ in range(1000):
        on, question = some_question(rng, [*TERMS, "none"])
        agree(on, eventful(rng, on, question))


few = settings(max_examples=50, deadline=None)
rngs = st.randoms(use_true_random=False)


@few
@given(rngs)
def test_hypothesis_finds_no_smaller_disagreement(rng) -> None:
    on, question = some_question(rng)
    agree(on, eventful(rng, on, question))


def due_of(on: Wall, question: dict) -> datetime:
    """The due moment; NEVER while held or beyond the calendar, which is later than any."""
    try:
        return told(ask(on, question).due) or NEVER
    except BadInput as bad:
        if "2025-05-04" not in str(bad):  # any complaint but the reach
            raise
        return NEVER


@pytest.mark.parametrize("kind", ONE_KIND)
@few
@given(rngs)
def test_a_later_receipt_is_never_due_earlier(kind, rng) -> None:
    on, question = some_question(rng, ONE_KIND[kind])
    later = max(question["received"], some_moment(rng, on, 0, 30))
    assert due_of(on, question) <= due_of(on, question | {"received": later})


@few
@given(rngs)
def test_nor_when_units_are_mixed_and_nothing_was_held(rng) -> None:
    """Sameday too. With holds it is not so: received on a day off within a hold, the next working
    day is owed besides the days held; received on that working day, only the days held.
    """
    on, question = some_question(rng)
    question |= {"holds": [], "extend": [rng.choice(TERMS)]}
    later = max(question["received"], some_moment(rng, on, 0, 30))
    assert due_of(on, question) <= due_of(on, question | {"received": later})


@few
@given(rngs)
def test_a_new_day_off_never_makes_a_deadline_earlier(rng) -> None:
    """Outside the holds. A hold begun on the due day moves it by the working days held, and a day
    off among those moves it less.
    """
    on, question = some_question(rng)
    held = [(begins.date(), (ends or NEVER).date()) for begins, ends in question["holds"]]
    free = [day for day in on.days if not any(a <= day <= b for a, b in held)]
    off = rng.choice(free or [FIRST])
    days = {day: hours for day, hours in on.days.items() if day != off}
    less = Wall(days, on.first, on.last, on.standard_day)
    assert due_of(on, question) <= due_of(less, question)


@few
@given(rngs)
def test_a_split_hold_and_an_empty_one_change_nothing(rng) -> None:
    on, question = some_question(rng)
    cut = some_moment(rng, on, 0, 40)
    pieces = [(cut, cut)]
    for begins, ends in question["holds"]:
        inside = begins < cut < (ends or NEVER)
        pieces += [(cut, ends), (begins, cut)] if inside else [(begins, ends)]
    if due_of(on, question) != NEVER:
        split, whole = ask(on, question | {"holds": pieces}), ask(on, question)
        assert (split, split.trace) == (whole, whole.trace)


@few
@given(rngs)
def test_an_extension_never_makes_a_deadline_earlier(rng) -> None:
    on, question = some_question(rng)
    assert due_of(on, question) <= due_of(on, question | {"extend": [rng.choice(TERMS)]})


@pytest.mark.parametrize("on", [FULL, *SMALL])
def test_position_and_moment_are_inverse(on) -> None:
    calendar = CALENDARS[id(on)]
    minutes = [minute for day in sorted(on.days) for minute in on.minutes[day]][:2000]
    for position, minute in enumerate(minutes):
        assert calendar.position(foreign(minute)) == position
        assert told(calendar.moment(position + 1)) == minute + MINUTE
    for earlier, later in pairwise(sorted(on.days)):
        assert calendar.ordinal(later) == calendar.ordinal(earlier) + 1
        assert calendar.ordinal(later - DAY) == calendar.ordinal(earlier)
