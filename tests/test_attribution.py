"""Who had a dossier: every working minute is somebody's, once; and when lateness ended."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from book import (
    APPRAISED,
    APPROVED,
    BOOK,
    CALENDAR,
    COMPLETE,
    HOURLY,
    LICENCE,
    NINE,
    PERMIT,
    TAKEN,
    Procedure,
    act,
    at,
    brings,
    lodging,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from states import lifecycle
from states.breaches.attribution import Kind, Life, attributed, spans
from states.breaches.ending import LASTS, Missed, apology, ended, versions
from states.catalogue.rules import On
from states.figures.holding import reckoned
from states.ledger.turn import adopting, opening, turn
from states.lifecycle import FINISHED, HELD, Now
from states.words import Channel, Event, Role, State, Tally

CENTRE, OWN, SIGNS = "H42.14", "H42.05", "H42.05.09"


@dataclass
class Town:
    """Two agencies: where permits are signed is another's, if it is said to be."""

    elsewhere: str | None = SIGNS

    def seat(self, person: str, role: Role, at: datetime) -> str | None:
        return {Role.postal: "H42.14.03", Role.reception: "H42.14.01"}.get(role)

    def agency_of(self, place: str, at: datetime) -> str | None:
        if not place.startswith("H42"):
            return None
        return "H42.09" if place == self.elsewhere else place[:6]


@dataclass
class Told:
    """A life made by the rules of the ledger, without a database."""

    procedure: Procedure
    paper: Any
    lines: list[dict[str, Any]] = field(default_factory=list)
    visits: list[Any] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    places: list[tuple[State, str]] = field(default_factory=list)

    def move(self, event: Event, when: datetime, role: Role | None = None, **facts: Any) -> "Told":
        present = self.visits[-1] if self.visits and self.visits[-1].closed_at is None else None
        acted, source = act(event, when, role, **facts), self.paper.state
        payload, opened = turn(BOOK, self.paper, present, acted)
        if opened is not None:
            self.visits.append(opened)
        return self.write(acted, source, payload)

    def write(self, acted: Any, source: str | None, payload: dict[str, Any]) -> "Told":
        names = ("event", "role", "actor", "on_behalf_of", "at", "reason")
        line = {name: getattr(acted, name) for name in names}
        line |= {"seq": self.paper.seq, "source": source, "dest": State(self.paper.state)}
        self.lines.append(line | {"payload": json.dumps(payload)})
        self.versions.append(self.paper.deadline)
        self.places.append((self.paper.state, self.paper.unit))
        return self

    def life(self, *activities: dict[str, Any]) -> Life:
        return Life(self.paper, self.lines, [vars(each) for each in self.visits], activities)

    def by(self, end: datetime, due: datetime | None = None, *activities: Any) -> list[Any]:
        """Kind, unit, person, minutes and those past due, of each holder."""
        start, due = self.paper.received_at or self.lines[0]["at"], due or self.paper.due_at
        found = attributed(self.life(*activities), Town(), CALENDAR, start, end, due)
        return [tuple(v for k, v in each.items() if k != "agency") for each in found]


def received(procedure: Procedure = PERMIT, when: datetime = NINE, **facts: Any) -> Told:
    known = {"payload": COMPLETE if procedure.components else {}, "role": Role.reception}
    return lodged(Event.receive, procedure, when, **{**known, **facts})


def lodged(
    event: Event, procedure: Procedure, when: datetime, channel: str = "counter", **facts: Any
) -> Told:
    acted = act(event, when, **facts)
    paper, payload = opening(BOOK, lodging(procedure, channel=Channel(channel)), acted)
    paper.id = 1
    return Told(procedure, paper).write(acted, None, payload)


def processed(procedure: Procedure = PERMIT) -> Told:
    """Received at nine, digitised at ten, sent at eleven, taken in at two."""
    told = received(procedure)
    told.move(Event.digitise, at(0, "10:00"))
    told.move(Event.route, at(0, "11:00"))
    return told.move(Event.accept, at(0, "14:00"))


def signed(when: datetime) -> Told:
    """A permit that is with the unit that signs from Tuesday at nine on, until then."""
    told = processed().move(Event.advance, at(1, "08:00"), **APPRAISED)
    told.move(Event.advance, at(1, "09:00"), Role.leader)
    return told.move(Event.return_result, when, Role.leader, **APPROVED)


def wandered(seed: int, procedure: Procedure, longest: int = 12) -> Told:
    """A life by lot, as in the tests of the ledger."""
    chance = Random(seed)
    event = chance.choice([Event.register, Event.receive])
    when = at(chance.randrange(5), f"{chance.randrange(24):02}:{chance.randrange(60):02}")
    files = brings(chance, event, procedure, None)
    channel = chance.choice(["counter", "online", "post"])
    told = lodged(event, procedure, when, channel, payload=files)
    for _ in range(chance.randrange(longest)):
        when += timedelta(minutes=chance.choice([0, 1, 90, 1_440, 5_000]))
        paper = told.paper
        free = [
            (event, role)
            for role in Role
            for event in lifecycle.open_to(paper, Now(when, role))
            if event is not Event.migrate
            and (event not in {Event.withdraw, Event.stop, Event.decline} or chance.random() < 0.1)
        ]
        if not free:
            break
        event, role = chance.choice(free)
        payload = brings(chance, event, procedure, paper)
        told.move(event, when, role, payload=payload)
    return told


lives = st.builds(wandered, st.integers(0, 1 << 32), st.sampled_from([PERMIT, LICENCE, HOURLY]))
later = st.integers(0, 20_000).map(lambda n: timedelta(minutes=n))


def worked(start: datetime, end: datetime) -> Iterator[datetime]:
    """The working minutes of a stretch, found by walking along it."""
    start, end = (each.replace(second=0, microsecond=0) for each in (start, end))
    while start < end:
        morning, noon = 450 <= (now := start.hour * 60 + start.minute) < 690, 780 <= now < 1020
        if start.weekday() < 5 and (morning or noon):
            yield start
        start += timedelta(minutes=1)


# All minutes, once --------------------------------------------------------------------------


@given(lives, later, later)
@settings(max_examples=100, deadline=None)
def test_the_minutes_of_all_are_those_that_passed(
    told: Told, more: timedelta, due_after: timedelta
) -> None:
    start = told.paper.received_at or told.lines[0]["at"]
    end, due = told.lines[-1]["at"] + more, start + due_after
    shares = attributed(told.life(), Town(), CALENDAR, start, end, due)
    passed = CALENDAR.position(end) - CALENDAR.position(start)
    late = max(0, CALENDAR.position(end) - CALENDAR.position(due))
    assert sum(each["minutes"] for each in shares) == passed
    assert sum(each["late_minutes"] for each in shares) == late
    assert all(0 <= each["late_minutes"] <= each["minutes"] > 0 for each in shares)
    holders = [tuple(each[n] for n in ("kind", "unit", "person", "agency")) for each in shares]
    assert len(set(holders)) == len(holders)


@given(lives, later, later, st.sampled_from([*Tally]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_dossiers_time_is_reckoned_whole(
    told: Told, more: timedelta, due_after: timedelta, verdict: Tally, finished: bool
) -> None:
    """And past its due moment only where it is late, by its class or still."""
    start = told.paper.received_at or told.lines[0]["at"]
    end, due = told.lines[-1]["at"] + more, start + due_after
    row = SimpleNamespace(
        received_at=start, finished_at=end if finished else None, due_at=due, verdict=verdict
    )
    of = reckoned(row, told.life(), Town(), CALENDAR, end)
    assert of.holds
    assert of.passed == CALENDAR.position(end) - CALENDAR.position(start)
    late = max(0, CALENDAR.position(end) - CALENDAR.position(due))
    assert of.late == (late if verdict is Tally.late or not finished else 0)
    row.due_at, row.finished_at = None, None
    assert reckoned(row, told.life(), Town(), CALENDAR, end).late == 0
    if of.passed:
        assert not of._replace(passed=of.passed + 1).holds


@given(lives, later)
@settings(max_examples=100, deadline=None)
def test_one_has_it_after_another_without_a_gap(told: Told, more: timedelta) -> None:
    start, end = told.lines[0]["at"], told.lines[-1]["at"] + more
    cut = list(spans(told.life(), Town(), start, end))
    assert all(each.start < each.end for each in cut)
    assert all(one.end == next_.start for one, next_ in pairwise(cut))
    if start < end:
        assert (cut[0].start, cut[-1].end) == (start, end)


@given(st.integers(0, 1 << 32), st.sampled_from([PERMIT, LICENCE]))
@settings(max_examples=12, deadline=None)
def test_a_walk_along_the_minutes_finds_the_same(seed: int, procedure: Procedure) -> None:
    """What is said of each minute is read off the state and place the rules left it in."""
    told = wandered(seed, procedure, 7)
    start = told.paper.received_at or told.lines[0]["at"]
    end = told.lines[-1]["at"] + timedelta(minutes=700)
    counted: Counter[tuple[Kind, str | None]] = Counter()
    for minute in worked(start, end):
        since = max(n for n, line in enumerate(told.lines) if line["at"] <= minute)
        counted[kind_of(told, *told.places[since])] += 1
    shares: Counter[tuple[Kind, str | None]] = Counter()
    for each in attributed(told.life(), Town(), CALENDAR, start, end, end):
        unit = each["unit"] if each["kind"] in {Kind.unit, Kind.other_agency} else None
        shares[each["kind"], unit] += each["minutes"]
    assert shares == counted


def kind_of(told: Told, state: State, unit: str) -> tuple[Kind, str | None]:
    if state in FINISHED:
        return Kind.nobody, None
    if state in HELD:
        return Kind.citizen, None
    if state is State.registered and told.paper.channel is Channel.post:
        return Kind.post, None
    if state in {State.registered, State.received, State.digitised}:
        return Kind.reception, None
    return (Kind.other_agency if unit == SIGNS else Kind.unit), unit


# By whom ------------------------------------------------------------------------------------


def test_from_the_counter_through_the_units_to_another_agency() -> None:
    told = signed(at(1, "14:00"))
    assert told.by(at(1, "14:00"), at(1, "10:00")) == [
        ("reception", "H42.14.01", "a reception", 120, 0),
        ("unit", "H42.05.01", None, 90, 0),  # waiting to be taken in, over the noon
        ("unit", "H42.05.01", "a officer", 210, 0),
        ("unit", "H42.05.01", "a leader", 60, 0),
        ("other_agency", SIGNS, "a leader", 210, 150),
    ]


def test_another_agency_is_named() -> None:
    told = signed(at(1, "14:00"))
    shares = attributed(told.life(), Town(), CALENDAR, NINE, at(1, "14:00"), at(9))
    assert [each["agency"] for each in shares] == [CENTRE, *[OWN] * 3, "H42.09"]
    own = attributed(told.life(), Town(None), CALENDAR, NINE, at(1, "14:00"), at(9))
    assert own[-1] == {
        "kind": "unit", "unit": SIGNS, "person": "a leader", "agency": OWN,
        "minutes": 210, "late_minutes": 0,
    }  # fmt: skip


def test_a_postal_clerk_stands_at_the_counter_for_the_agency() -> None:
    told = received(role=Role.postal, on_behalf_of=OWN)
    told.move(Event.digitise, at(0, "10:00"), Role.system)
    [share] = attributed(told.life(), Town(), CALENDAR, NINE, at(0, "11:00"), at(9))
    assert share == {
        "kind": "reception", "unit": "H42.14.03", "person": "a postal", "agency": OWN,
        "minutes": 120, "late_minutes": 0,
    }  # fmt: skip
    told.move(Event.route, at(0, "11:00"), Role.reception)
    assert [each[:2] for each in told.by(at(0, "14:00"))][1:] == [("unit", "H42.05.01")]


def test_before_the_receipt_it_is_the_posts_or_the_counters() -> None:
    for channel, kind in (("post", Kind.post), ("online", Kind.reception)):
        told = lodged(Event.register, PERMIT, NINE, channel, payload=COMPLETE)
        told.move(Event.receive, at(0, "10:00"))
        [first, last] = spans(told.life(), Town(), NINE, at(0, "11:00"))
        assert (first.holder.kind, last.holder.kind) == (kind, Kind.reception)
        assert first.holder.unit == (None if channel == "post" else "H42.14")


def test_the_citizens_time_is_the_citizens_late_or_not() -> None:
    told = processed().move(Event.request_supplement, at(0, "15:00"))
    told.move(Event.supplement, at(2, "08:00"))
    assert told.by(at(2, "09:00"), at(1, "16:30"))[2:] == [
        ("unit", "H42.05.01", "a officer", 120, 60),
        ("citizen", None, None, 630, 60),
    ]


def test_a_term_that_begins_again_forgets_no_minute() -> None:
    told = received(LICENCE).move(Event.digitise, NINE).move(Event.route, NINE)
    told.move(Event.accept, at(0, "10:00")).move(Event.request_supplement, at(1, "09:00"))
    told.move(Event.supplement, at(2, "09:00"))
    assert sum(each[3] for each in told.by(at(3, "09:00"))) == 3 * 480


def test_what_was_finished_is_nobodys_until_it_is_taken_back() -> None:
    told = signed(at(1, "14:00")).move(Event.reopen, at(1, "16:00"))
    shares = told.by(at(1, "17:00"), at(1, "15:00"))
    assert shares[-3:] == [
        ("other_agency", SIGNS, "a leader", 210, 0),
        ("nobody", None, None, 120, 60),
        ("other_agency", SIGNS, None, 60, 60),  # nobody has taken it up again
    ]
    assert sum(each[3] for each in shares) == 120 + 240 + 510


def test_what_another_system_told_is_theirs_who_did_it() -> None:
    acted = act(Event.adopt, NINE)
    paper, payload = adopting(BOOK, TAKEN, acted)
    told = Told(PERMIT, paper).write(acted, None, payload)
    done = [
        {"n": 1, "at": at(0, "08:00"), "person": "early", "unit": None},
        {"n": 2, "at": at(0, "11:00"), "person": "ana", "unit": "desk"},
        {"n": 3, "at": at(0, "10:00"), "person": "bea", "unit": None},  # told out of order
        {"n": 4, "at": at(9), "person": "cleo", "unit": None},
    ]
    assert told.by(at(0, "14:00"), at(9), *done[:3]) == [
        ("unit", "counter", "bea", 60, 0),
        ("unit", "desk", "ana", 60, 0),
        ("unit", "counter", None, 90, 0),
    ]
    assert told.by(at(0, "14:00"), at(9), *done)[-1] == ("unit", "counter", "cleo", 90, 0)


# When it ended ------------------------------------------------------------------------------


@given(lives)
@settings(max_examples=100, deadline=None)
def test_lines_tell_the_version_of_the_deadline(told: Told) -> None:
    assert list(versions(told.lines)) == told.versions


@given(lives, st.sampled_from(list(On)), st.integers(0, 12), later)
@settings(max_examples=100, deadline=None)
def test_lateness_ends_at_a_line_or_as_it_begins(
    told: Told, watched: On, deadline: int, after: timedelta
) -> None:
    begun = told.lines[0]["at"] + after
    missed = Missed(watched, 1, deadline, begun, begun)
    end = ended(missed, told.life())
    if end is not None:
        assert end == begun or (end > begun and end in {line["at"] for line in told.lines})
    elif watched is not On.stage:
        assert told.paper.state not in FINISHED


def test_every_watch_has_an_end() -> None:
    assert set(LASTS) == set(On)


def term(told: Told, moment: datetime, deadline: int = 1) -> datetime | None:
    missed = Missed(On.term, 0, deadline, told.paper.due_original, moment)
    return ended(missed, told.life())


def test_a_term_is_late_until_there_is_a_result_or_another_date() -> None:
    assert term(processed(), at(8, "00:00")) is None
    assert term(signed(at(9)), at(8, "00:00")) == at(9)
    later = processed().move(Event.extend, at(9), payload={"term": "3wd"})
    assert term(later, at(8, "00:00")) == at(9)
    assert term(later, at(12), deadline=5) is None


def test_who_waits_for_the_citizen_after_it_was_due_is_late_still() -> None:
    told = processed().move(Event.request_supplement, at(8, "09:00"))
    told.move(Event.supplement, at(10))
    assert told.paper.deadline == 1
    assert term(told, at(8, "00:00")) is None


def test_a_result_taken_back_and_missed_again_ends_with_its_last() -> None:
    told = signed(at(2)).move(Event.reopen, at(3))
    assert term(told, at(8, "00:00")) is None
    told.move(Event.return_result, at(9), Role.leader, **APPROVED)
    assert term(told, at(8, "00:00")) == at(9)
    assert term(told.move(Event.reopen, at(10)), at(8, "00:00")) == at(9)  # once is for all


def test_what_is_late_only_since_it_was_taken_back_ends_with_the_next_result() -> None:
    told = signed(at(2)).move(Event.reopen, at(20))
    assert term(told, at(8, "00:00")) is None
    told.move(Event.return_result, at(21), Role.leader, **APPROVED)
    assert term(told, at(8, "00:00")) == at(21)


def test_a_notice_that_came_too_late_was_late_until_it_came() -> None:
    told = processed().move(Event.request_supplement, at(8))
    missed = Missed(On.supplement_notice, 0, 5, at(3, "17:00"), at(8))  # as the asking tells it
    assert ended(missed, told.life()) == at(8)


def test_a_stage_is_late_until_it_is_left() -> None:
    told = processed()
    missed = Missed(On.stage, 1, 4, told.visits[0].due_at, at(3))
    assert ended(missed, told.life()) is None
    told.move(Event.advance, at(4), **APPRAISED)
    assert ended(missed, told.life()) == at(4)
    assert ended(missed._replace(visit=7), told.life()) == at(3)


def test_a_stage_that_begins_again_is_late_no_longer() -> None:
    told = received(LICENCE).move(Event.digitise, NINE).move(Event.route, NINE)
    told.move(Event.accept, NINE)
    missed = Missed(On.stage, 1, 4, told.visits[0].due_at, at(15))
    told.move(Event.request_supplement, at(16))
    assert ended(missed, told.life()) is None
    told.move(Event.supplement, at(17))
    assert ended(missed, told.life()) == at(17)


@pytest.mark.parametrize(
    ("watched", "event", "others"),
    [
        (On.transfer, Event.route, ()),
        (On.supplement_notice, Event.request_supplement, (Event.route, Event.accept)),
        (On.apology, Event.extend, (Event.route, Event.accept)),
    ],
)
def test_a_duty_is_late_until_it_is_done(
    watched: On, event: Event, others: tuple[Event, ...]
) -> None:
    told = received().move(Event.digitise, at(1))
    missed = Missed(watched, 0, 1, at(0, "17:00"), at(0, "17:01"))
    for each in others:
        told.move(each, at(2))
        assert ended(missed, told.life()) is None
    told.move(event, at(3), payload={"term": "2wd"} if event is Event.extend else {})
    assert ended(missed, told.life()) == at(3)


def test_an_online_lodging_is_unanswered_until_it_is_answered() -> None:
    told = lodged(Event.register, PERMIT, NINE, "online", payload=COMPLETE)
    missed = Missed(On.online_answer, 0, 0, at(1, "09:00"), at(1, "09:01"))
    assert ended(missed, told.life()) is None
    told.move(Event.decline, at(3), Role.reception)
    assert ended(missed, told.life()) == at(3)
    shares = attributed(told.life(), Town(), CALENDAR, NINE, at(3), at(1, "09:00"))
    assert [(each["kind"], each["late_minutes"]) for each in shares] == [("reception", 900)]


# Apologies ----------------------------------------------------------------------------------

MORE = {"payload": {"term": "2wd"}}


@pytest.mark.parametrize(
    ("instrument", "reason", "sorry"),
    [("Mẫu số 04", "vì thế", True), (None, "Cơ quan XIN LỖI ông", True), (None, "vì thế", False)],
)
def test_an_extension_apologises_by_its_paper_or_its_words(
    instrument: str | None, reason: str, sorry: bool
) -> None:
    told = processed().move(Event.extend, at(9), reason=reason, **MORE)
    found = apology(told.lines, lambda version: instrument, None)
    assert found == (5 if sorry else None)
    assert apology(told.lines, lambda version: instrument, at(8)) is None


def test_the_paper_is_that_of_the_version_it_was_under() -> None:
    told = processed().move(Event.extend, at(3), **MORE)
    assert apology(told.lines, {2: "Mẫu số 04"}.get, None) is None
    assert apology(told.lines, {1: "Mẫu số 04"}.get, None) == 5
