"""When a rule speaks, of which times and to whom, beside a clerk who counts with a pencil. Pure."""

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from book import CALENDAR, HANOI, at
from hypothesis import given, settings
from hypothesis import strategies as st
from watching import RULES, Extension, Supplement, rules

from states import catalogue
from states.catalogue.organisation import Absence, Organisation
from states.catalogue.rules import On, Rules, When, Whom, when
from states.checker.pencil import MINUTE, OffTheWall, Wall
from states.clock import Calendar, Term
from states.deadlines.concerned import Place, concerned
from states.deadlines.moments import Deadline, moment, transfer_due
from states.deadlines.watched import Life, Line, Told, deadlines
from states.words import Channel, Event, Role, State

DAY = timedelta(days=1)

# Moments beside the pencil --------------------------------------------------------------------

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 31)
HOURS = (
    [(time(7, 30), time(11, 30)), (time(13), time(17))],
    [(time(8), time(12))],
    [(time(7), time(9)), (time(10), time(11)), (time(13, 30), time(16, 45))],
    [],
)


def office(lot: int) -> tuple[Calendar, Wall]:
    """The same working days, for the clock and for the clerk."""
    chance, every = Random(lot), range((LAST - FIRST).days + 1)
    days = {FIRST + n * DAY: chance.choices(HOURS, (3, 1, 1, 2))[0] for n in every}
    days = {day: sessions for day, sessions in days.items() if sessions}
    days |= {FIRST: HOURS[1], LAST: HOURS[1]}
    sessions = {day: tuple(parts) for day, parts in days.items()}
    calendar = Calendar("random", "1", HANOI.key, sessions, FIRST, LAST, standard_day=480)
    return calendar, Wall(days, FIRST, LAST)


offices = st.integers(0, 2**32).map(office)

moments = st.datetimes(datetime(2024, 1, 20), datetime(2024, 2, 28)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
WHENS = st.one_of(
    st.integers(1, 100).map(lambda n: f"{n}%"),
    st.builds(
        lambda n, unit, side: f"{n}{unit} {side}",
        st.integers(1, 9),
        st.sampled_from(["wd", "cd", "wh"]),
        st.sampled_from(["before", "after"]),
    ),
    st.sampled_from(["0.5wd before", "2.5wd after", "late"]),
)


def stepped(wall: Wall, said: str, start: datetime, due: datetime, late: datetime) -> datetime:
    """As a clerk finds it: minute by minute, day by day."""
    if said == "late":
        return late
    if said.endswith("%"):
        worked = wall.between(start, due)
        passed = len(worked) * int(said[:-1]) // 100
        return worked[passed - 1] + MINUTE if passed else start
    length, side = said.split()
    size, unit = float(length[:-2]), length[-2:]
    found = due
    if unit == "cd":
        found += size * DAY * (1 if side == "after" else -1)
    elif unit == "wd" and size == int(size):
        day, owed = due.date(), size
        while owed:
            if not FIRST <= (day := day + (DAY if side == "after" else -DAY)) <= LAST:
                raise OffTheWall
            owed -= wall.works(day)
        found = wall.closing(day)
    else:
        found = stepped_minutes(wall, due, int(size * (60 if unit == "wh" else 480)), side)
    return max(found, late) if side == "after" else found


def stepped_minutes(wall: Wall, due: datetime, size: int, side: str) -> datetime:
    every = [minute for day in sorted(wall.minutes) for minute in wall.minutes[day]]
    passed = bisect_right(every, due - MINUTE)
    there = passed + (size if side == "after" else -size)
    if not 1 <= there <= len(every):
        raise OffTheWall
    return every[there - 1] + MINUTE


@settings(max_examples=60)
@given(offices, moments, st.integers(1, 12_000), st.integers(1, 900), WHENS)
def test_moments_are_those_a_clerk_counts(
    known: tuple[Calendar, Wall], start: datetime, term: int, grace: int, said: str
) -> None:
    calendar, wall = known
    due = min(start + term * MINUTE, datetime(2024, 3, 20))
    late = due + grace * MINUTE
    times = (each.replace(tzinfo=HANOI) for each in (start, due, late, start))
    found = moment(when(said), Deadline(On.term, 0, 1, *times), calendar)
    try:
        expected: datetime | None = stepped(wall, said, start, due, late)
    except OffTheWall:
        expected = None
    if expected is not None and said.endswith("before") and expected < start:
        expected = None  # before it began
    assert found == (expected and expected.replace(tzinfo=HANOI))


@settings(max_examples=60)
@given(offices, moments, st.integers(0, 1439))
def test_a_transfer_is_due_the_same_day_or_the_next_morning(
    known: tuple[Calendar, Wall], received: datetime, cut_off: int
) -> None:
    calendar, wall = known
    by = time(*divmod(cut_off, 60))
    day = received.date()
    due = wall.closing(day) if wall.works(day) else None
    if due is None or received.time() >= by or received >= due:
        day += DAY
        while not wall.works(day):
            day += DAY
        due = datetime.combine(day, wall.days[day][0][1])
    assert transfer_due(calendar, received.replace(tzinfo=HANOI), by) == due.replace(tzinfo=HANOI)


# Which times are watched ----------------------------------------------------------------------

MON_9, DUE = at(0, "09:00"), at(7, "17:00")
PROCEDURE = SimpleNamespace(
    transfer_by=None, supplement=Supplement(), extension=Extension(1, Term.parse("3wd"))
)


def line(
    seq: int, event: Event, source: State | None, dest: State, when: datetime, *due: Any
) -> Line:
    return Line(seq, event, source, dest, when, *(due or (None,)), bool(due))


S, E = State, Event
RECEIVED = line(1, E.receive, None, S.received, MON_9, DUE)
ROUTED = line(2, E.route, S.digitised, S.routed, MON_9)
ACCEPTED = line(3, E.accept, S.routed, S.processing, MON_9)
IN = (RECEIVED, ROUTED, ACCEPTED)


def life(*lines: Line, visits: Any = (), **facts: Any) -> Life:
    known = dict(policy="day", channel=Channel.counter, received_at=MON_9, restart=None)
    return Life(SimpleNamespace(**{**known, **facts}), lines, visits)


def of(on: On, case: Life, procedure: Any = PROCEDURE, before: Any = None) -> list[Deadline]:
    return [e for e in deadlines(case, procedure, CALENDAR, before or {}) if e.on is on]


def extended(when: datetime, due: datetime) -> Line:
    return line(4, E.extend, S.processing, S.processing, when, due)


def test_each_due_moment_that_was_told_is_a_version() -> None:
    asked = line(4, E.request_supplement, S.processing, S.awaiting_supplement, at(1))
    back = line(5, E.supplement, S.awaiting_supplement, S.processing, at(2), at(8, "17:00"))
    done = line(6, E.return_result, S.processing, S.result_returned, at(3), at(8, "17:00"))
    again = line(7, E.reopen, S.result_returned, S.processing, at(4), at(8, "17:00"))
    found = of(On.term, life(*IN, asked, back, done, again))
    assert [(e.version, e.due, e.late, e.since, e.until, e.ended) for e in found] == [
        (1, DUE, at(8, "00:00"), MON_9, at(1), 4),
        (5, at(8, "17:00"), at(9, "00:00"), at(2), at(3), 6),
        (5, at(8, "17:00"), at(9, "00:00"), at(4), None, None),
    ]


def test_a_line_that_moves_nothing_is_no_version() -> None:
    same = line(4, E.recompute, S.processing, S.processing, at(1), DUE)
    [found] = of(On.term, life(*IN, same))
    assert (found.version, found.ended) == (1, None)
    assert of(On.term, life(line(1, E.receive, None, S.received, MON_9, None))) == []


def visit(number: int, opened: int, closed: int | None, due: datetime | None) -> SimpleNamespace:
    opened_at, closed_at = at(opened), None if closed is None else at(closed)
    return SimpleNamespace(
        visit=number, opened_at=opened_at, opened_seq=opened, closed_at=closed_at,
        closed_seq=closed, due_at=due, unit="H42.05.01", role="officer", person=None,
    )  # fmt: skip


def test_each_visit_to_a_stage_is_watched_by_itself() -> None:
    back = line(5, E.supplement, S.awaiting_supplement, S.processing, at(5), DUE)
    case = life(*IN, back, visits=(visit(1, 3, 4, at(4)), visit(2, 4, None, at(6))))
    first, second = of(On.stage, case)
    assert (first.visit, first.version, first.ended, first.until) == (1, 3, 4, at(4))
    assert (second.visit, second.version, second.ended) == (2, 5, None)
    told = {(On.stage, 2): Told(4, at(6))}
    assert of(On.stage, case, before=told)[1].version == 4  # the supplement moved nothing
    told = {(On.stage, 2): Told(4, at(5))}
    assert of(On.stage, case, before=told)[1].version == 5
    assert of(On.stage, life(*IN, visits=(visit(1, 3, None, None),))) == []  # held


@pytest.mark.parametrize(
    ("given", "late", "ended"),
    [
        (None, at(8, "00:00"), None),  # seen when the dossier is late
        (at(4, "23:59"), None, None),
        (at(5, "00:00"), at(5, "00:00"), 4),  # on Saturday: a working day before is Friday
        (at(7, "10:00"), at(7, "10:00"), 4),
        (at(8, "10:00"), at(8, "00:00"), 4),
    ],
)
def test_an_apology_is_owed_by_what_gets_late(
    given: datetime | None, late: datetime | None, ended: int | None
) -> None:
    lines = IN if given is None else (*IN, extended(given, at(9, "17:00")))
    found = [(e.version, e.due, e.late, e.ended) for e in of(On.apology, life(*lines))]
    assert found == ([(1, at(4, "17:00"), late, ended)] if late else [])


@pytest.mark.parametrize(
    ("extension", "due"),
    [
        (Extension(1, before=Term.parse("1cd")), at(6, "17:00")),  # Monday's exposes the policy
        (Extension(1, before=Term.parse("2wd")), at(3, "17:00")),
        (Extension(0), None),  # none can be given
        (Extension(1, before=Term.parse("6wd")), None),  # nor before it began
    ],
)
def test_how_long_before_is_the_procedures_to_say(extension: Any, due: datetime | None) -> None:
    procedure = SimpleNamespace(**{**vars(PROCEDURE), "extension": extension})
    assert [each.due for each in of(On.apology, life(*IN), procedure)] == ([due] if due else [])


def test_what_was_extended_once_owes_no_second_apology() -> None:
    again = line(5, E.recompute, S.processing, S.processing, at(5), at(10, "17:00"))
    assert of(On.apology, life(*IN, extended(at(4), at(9, "17:00")), again)) == []


@pytest.mark.parametrize(
    ("notice", "asked", "late"),
    [
        (None, at(3, "17:00"), False),
        (None, at(4, "08:00"), True),
        ("1wd", at(2, "08:00"), True),
        ("5wd", at(7, "08:00"), False),
    ],
)
def test_a_supplement_asked_for_too_late_is_known_at_once(
    notice: str | None, asked: datetime, late: bool
) -> None:
    supplement = Supplement(notice=notice and Term.parse(notice))
    procedure = SimpleNamespace(**{**vars(PROCEDURE), "supplement": supplement})
    ask = line(4, E.request_supplement, S.processing, S.awaiting_supplement, asked)
    found = of(On.supplement_notice, life(*IN, ask), procedure)
    assert [(each.version, each.late) for each in found] == ([(4, asked)] if late else [])


def test_the_time_to_ask_runs_from_when_papers_were_handed_in_last() -> None:
    ask = line(4, E.request_supplement, S.processing, S.awaiting_supplement, at(1))
    back = line(5, E.supplement, S.awaiting_supplement, S.processing, at(14), DUE)
    again = line(6, E.request_supplement, S.processing, S.awaiting_supplement, at(16))
    assert of(On.supplement_notice, life(*IN, ask, back, again)) == []


def test_what_was_taken_over_has_no_duties_of_ours() -> None:
    case = life(line(1, E.adopt, None, S.processing, MON_9, DUE))
    assert {each.on for each in deadlines(case, None, CALENDAR, {})} == {On.term}


# Whom it concerns -----------------------------------------------------------------------------

STAFF = catalogue.load().organisation
UNIT, TODAY = "H42.05.01", date(2024, 3, 4)
OFFICERS = [each.id for each in STAFF.holders(UNIT, Role.officer, TODAY)]
HELD = Place("H42.05", UNIT, Role.officer, OFFICERS[0])


def away(person: str, substitute: str | None = None) -> Absence:
    return Absence(person=person, since=TODAY, until=TODAY, substitute=substitute)


def people(*tell: Whom, place: Place = HELD, absent: tuple[Absence, ...] = ()) -> list[Any]:
    staff = STAFF.model_copy(update={"absences": absent})
    found = concerned(staff, tell, place, TODAY)
    assert found  # never nobody
    assert len({each["person"] for each in found}) == len(found)
    assert all(each["why"] for each in found)
    return [each["person"] for each in found]


def test_who_has_it_is_told_first() -> None:
    first, second = OFFICERS[:2]
    assert people(Whom.holder) == [first]
    assert people(Whom.unit) == OFFICERS
    assert people(Whom.holder, place=HELD._replace(person=None)) == OFFICERS
    assert people(Whom.leader) == ["p-labour-lead-01"]
    assert people(Whom.agency) == ["p-labour-director"]
    assert people(Whom.control) == ["p-control-01"]
    assert people(*Whom) == [first, second, "p-labour-lead-01", "p-labour-director", "p-control-01"]


def test_who_stands_in_is_told_instead_and_both_are_named() -> None:
    first, second = OFFICERS[:2]
    assert people(Whom.holder, absent=(away(first, second),)) == [second]
    [told] = concerned(
        STAFF.model_copy(update={"absences": (away(first, second),)}), [Whom.holder], HELD, TODAY
    )
    assert STAFF.person(first).name in told["why"]
    assert STAFF.person(second).name in told["why"]
    assert people(Whom.holder, absent=(away(first),)) == [second]  # nobody stands in: the others
    assert people(Whom.holder, absent=(away(first), away(second))) == [None]
    assert people(Whom.leader, absent=(away("p-labour-lead-01"),)) == ["p-labour-director"]


def test_where_nobody_is_found_the_unit_is_named() -> None:
    nobody = {"people": (), "absences": (), "delegations": ()}
    said = {name: getattr(STAFF, name) for name in Organisation.model_fields}
    staff = Organisation(**{**said, **nobody})
    for whom in Whom:
        [told] = concerned(staff, [whom], HELD._replace(person=None), TODAY)
        assert (told["person"], told["unit"][:3]) == (None, "H42")
    unknown = Place("NL-MUN", "counter", Role.officer, "Jan")
    assert people(Whom.holder, place=unknown) == ["Jan"]
    assert people(Whom.leader, place=unknown) == [None]


def test_a_counter_and_a_queue_are_all_who_sit_there() -> None:
    counter = Place("H42.05", "H42.14", Role.reception)
    assert people(Whom.unit, place=counter) == ["p-reception-01", "p-reception-02", "p-centre-lead"]
    queue = people(Whom.holder, place=Place("H42.05", "H42.05", Role.officer))
    assert set(OFFICERS) < set(queue)
    assert people(Whom.agency, place=counter) == ["p-centre-lead"]  # no unit of leaders only


# Rules as data --------------------------------------------------------------------------------


def test_the_sample_says_each_time_and_holds_together() -> None:
    assert list(RULES.faults()) == []
    assert {each.on for each in RULES.rules} == set(On)
    assert [each.code for each in RULES.of(On.apology)] == ["apology-due", "apology-late"]


@pytest.mark.parametrize(
    ("on", "said", "what", "why"),
    [
        ("term", "75%", "breach", "must be alert for what comes before"),
        ("term", "late", "alert", "else not"),
        ("supplement_notice", "75%", "alert", "nobody knows that it will be"),
        ("supplement_notice", "1wd before", "alert", "must be late"),
        ("supplement_notice", "1wd after", "escalation", "must be late"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(
    on: str, said: str, what: str, why: str
) -> None:
    [(_, told)] = rules(a=(on, said, what)).faults()
    assert why in told


def test_a_code_is_there_once() -> None:
    twice = RULES.rules[:1] * 2
    assert [why for _, why in Rules(rules=twice).faults()] == ["term-near is there twice"]


@pytest.mark.parametrize("said", ["0%", "101%", "soon", "1wd", "none before", "sameday after", ""])
def test_moments_nobody_understands_are_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"must be (as|a length)|is not a term"):
        when(said)


def test_moments_are_read_as_they_are_written() -> None:
    for said in ("75%", "1wd before", "late", "2wd after", "0.5wd before"):
        assert str(when(said)) == said
        assert when(when(said)) == when(said)
    assert when("late") == When()
