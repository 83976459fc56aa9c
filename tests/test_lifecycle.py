"""The lifecycle against the design's table, written down here a second time by hand."""

from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from states import lifecycle
from states.errors import NotOpen, NotYours
from states.lifecycle import LIFECYCLE, NEW, ROWS, Now
from states.words import NATIONAL, Clock, Event, Role, State

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACES = [NEW, *State]

# Event, from, to, who (r reception, p postal, c citizen, o officer, l leader, s system), and when.
# Of two lines for one event and place the first that holds is taken.
BY_HAND = """
register            new                  registered           rpc
receive             new                  received             rp
adopt               new                  processing           s
receive             registered           received             rp
decline             registered           declined             rl
request_supplement  registered           awaiting_supplement  rp    may_ask
supplement          awaiting_supplement  registered           rpc   unreceived
digitise            received             digitised            rps   complete
route               digitised            routed               rps
accept              routed               processing           ols   taken_in
advance             processing           processing           ol    own,before_last
send_back           processing           processing           ol    own,after_first
extend              received             received             l     extensible
extend              digitised            digitised            l     extensible
extend              routed               routed               l     extensible
extend              processing           processing           l     extensible
request_supplement  processing           awaiting_supplement  ol    may_ask
supplement          awaiting_supplement  processing           rpc   in_procedure
request_payment     processing           awaiting_payment     ol
pay                 awaiting_payment     processing           rpcs
lapse               awaiting_supplement  declined             s     expired,unreceived
lapse               awaiting_supplement  stopped              s     expired
lapse               awaiting_payment     stopped              s     expired
return_result       processing           result_returned      ol    own,last
reopen              result_returned      processing           l
deliver             result_returned      delivered            rp
withdraw            registered           withdrawn            rpc
withdraw            received             withdrawn            rpc
withdraw            digitised            withdrawn            rpc
withdraw            routed               withdrawn            rpc
withdraw            processing           withdrawn            rpc
withdraw            awaiting_supplement  withdrawn            rpc
withdraw            awaiting_payment     withdrawn            rpc
stop                received             stopped              l
stop                digitised            stopped              l
stop                routed               stopped              l
stop                processing           stopped              l
stop                awaiting_supplement  stopped              l
stop                awaiting_payment     stopped              l
recompute           received             received             k     in_procedure
recompute           digitised            digitised            k     in_procedure
recompute           routed               routed               k     in_procedure
recompute           processing           processing           k     in_procedure
recompute           awaiting_supplement  awaiting_supplement  k     in_procedure
recompute           awaiting_payment     awaiting_payment     k     in_procedure
migrate             received             received             kl    in_procedure
migrate             digitised            digitised            kl    in_procedure
migrate             routed               routed               kl    in_procedure
migrate             processing           processing           kl    in_procedure
migrate             awaiting_supplement  awaiting_supplement  kl    in_procedure
migrate             awaiting_payment     awaiting_payment     kl    in_procedure
restate             result_returned      result_returned      k
restate             delivered            delivered            k
"""
HANDS = {role.value[0]: role for role in Role if role not in {Role.citizen, Role.control}}
HANDS |= {"c": Role.citizen, "k": Role.control}
WHEN: dict[str, Any] = {
    "may_ask": lambda d, role: d.supplements_left > 0,
    "unreceived": lambda d, role: d.received_at is None,
    "in_procedure": lambda d, role: d.received_at is not None,
    "complete": lambda d, role: d.missing == 0,
    "taken_in": lambda d, role: d.takes_in or role is not Role.system,
    "own": lambda d, role: d.stage_role is role,
    "before_last": lambda d, role: d.leads,
    "after_first": lambda d, role: d.stage > 0,
    "last": lambda d, role: d.ends,
    "extensible": lambda d, role: d.extensions_left > 0,
    "expired": lambda d, role: d.lapse_at < NOON,
}


def parsed(line: str) -> tuple[Event, str, State, set[Role], list[Any]]:
    event, source, dest, who, *when = line.split()
    named = when[0].split(",") if when else []
    return Event(event), source, State(dest), {HANDS[c] for c in who}, [WHEN[n] for n in named]


LINES = [parsed(line) for line in BY_HAND.strip().splitlines()]


def papers(chance: Random, count: int, state: str) -> list[SimpleNamespace]:
    """Dossiers in one state whose other facts were drawn by lot."""
    return [
        SimpleNamespace(
            state=state,
            seq=chance.randint(1, 99),
            stage=chance.randrange(3),
            leads=chance.random() < 0.5,
            ends=chance.random() < 0.5,
            stage_role=chance.choice([Role.officer, Role.leader, None]),
            takes_in=chance.random() < 0.5,
            missing=chance.choice([0, 0, 1, 3]),
            received_at=chance.choice([None, NOON - HOUR]),
            lapse_at=NOON + chance.choice([-1, 0, 1]) * HOUR,
            supplements_left=chance.choice([0, 1, 2]),
            extensions_left=chance.choice([0, 1, 2]),
            supplement_restarts=chance.random() < 0.5,
        )
        for _ in range(count)
    ]


def expected(paper: SimpleNamespace, event: Event, role: Role) -> State | None:
    for named, source, dest, who, when in LINES:
        here = named is event and source == paper.state and role in who
        if here and all(holds(paper, role) for holds in when):
            return dest
    return None


@pytest.mark.parametrize("state", PLACES)
@pytest.mark.parametrize("role", Role)
def test_a_dossier_moves_where_the_table_says_and_a_refusal_leaves_no_trace(
    state: str, role: Role
) -> None:
    now = Now(NOON, role)
    for event in Event:
        for paper in papers(Random(f"{state} {event} {role}"), 20, state):
            before = dict(vars(paper))
            to = expected(paper, event, role)
            assert (lifecycle.why_not(paper, event, now) is None) is (to is not None)
            if to is not None:
                row = lifecycle.fire(paper, event, now)
                assert (row.source, paper.state) == (state, to)
                assert vars(paper) == before | {"state": to}
            else:
                with pytest.raises(NotOpen):
                    lifecycle.fire(paper, event, now)
                assert vars(paper) == before


def test_the_lots_fall_on_both_sides_of_every_line() -> None:
    """Else the test above would say little."""
    for event, source, dest, who, when in LINES:
        seen = set()
        for role in who:
            for paper in papers(Random(f"{source} {event} {role}"), 20, source):
                seen.add(expected(paper, event, role) == dest)
        assert seen == ({True, False} if when else {True}), (event, source)


def test_control_changes_no_state() -> None:
    for state in PLACES:
        for paper in papers(Random(state), 100, state):
            for event in lifecycle.open_to(paper, Now(NOON, Role.control)):
                assert lifecycle.fire(paper, event, Now(NOON, Role.control)).dest == state


# What follows from the table ----------------------------------------------------------------


def walked() -> tuple[dict[str, set[bool]], dict[str, set[Clock]]]:
    """All that can be reached by moves: the states, with and without a receipt, and what the
    clock did on the way into each.
    """
    reached: dict[str, set[bool]] = {NEW: {False}}
    clocks: dict[str, set[Clock]] = {}
    todo = [(NEW, False)]
    while todo:
        state, received = todo.pop()
        for paper in papers(Random(state), 60, state):
            paper.received_at = NOON - HOUR if received else None
            for event in Event:
                for role in Role:
                    moved = SimpleNamespace(**vars(paper))
                    if expected(moved, event, role) is None:
                        continue
                    row = lifecycle.fire(moved, event, Now(NOON, role))
                    clocks.setdefault(moved.state, set()).add(row.clock)
                    with_receipt = received or row.clock is Clock.starts
                    if with_receipt not in reached.setdefault(moved.state, set()):
                        reached[moved.state].add(with_receipt)
                        todo.append((moved.state, with_receipt))
    return reached, clocks


def test_the_derived_sets_are_what_a_walk_finds() -> None:
    reached, clocks = walked()
    assert set(reached) == set(PLACES)
    assert {s for s in State if reached[s] == {True}} == lifecycle.IN_PROCEDURE
    assert {s for s in State if Clock.holds in clocks[s]} == lifecycle.HELD
    assert {s for s in State if Clock.stops in clocks[s]} == lifecycle.STOPPED
    assert all(clocks[s] == {Clock.holds, Clock.reckons} for s in lifecycle.HELD)
    assert all(clocks[s] - {Clock.reckons} == {Clock.stops} for s in lifecycle.STOPPED)


def test_the_derived_sets_are_those_of_the_design() -> None:
    final = {State.declined, State.withdrawn, State.stopped, State.delivered}
    assert final == lifecycle.FINAL
    assert final | {State.result_returned} == lifecycle.FINISHED
    assert {State.awaiting_supplement, State.awaiting_payment} == lifecycle.HELD
    assert {State.result_returned, State.delivered} == lifecycle.WITH_RESULT


def test_every_state_is_left_unless_final() -> None:
    for state in State:
        left = any(
            expected(paper, event, role) not in {None, state}
            for paper in papers(Random(state), 100, state)
            for event in Event
            for role in Role
        )
        assert left is (state not in lifecycle.FINAL), state


def test_no_automatic_loop() -> None:
    """Whatever a dossier is like, flows come to rest."""
    system = Now(NOON, Role.system)
    longest = 0
    for state in State:
        for paper in papers(Random(state), 300, state):
            fired = 0
            while firing := set(lifecycle.open_to(paper, system)) & set(lifecycle.AUTOMATIC):
                lifecycle.fire(paper, firing.pop(), system)
                fired += 1
                assert fired < len(State)
            longest = max(longest, fired)
    assert longest == 3  # received, digitised, routed, processing


def test_the_automatic_events_are_listed() -> None:
    automatic = {e for e in Event if any(row.automatic for row in lifecycle.moves(e))}
    assert automatic == set(lifecycle.AUTOMATIC)
    assert all(Role.system in row.by for row in ROWS if row.automatic)


# The words ----------------------------------------------------------------------------------


def test_a_refusal_says_why_and_what_is_open_instead() -> None:
    [paper] = papers(Random(1), 1, State.processing)
    vars(paper).update(
        seq=7, stage=0, leads=True, ends=False, stage_role=Role.officer, supplements_left=0
    )
    with pytest.raises(NotOpen) as told:
        lifecycle.fire(paper, Event.request_supplement, Now(NOON, Role.officer))
    assert str(told.value) == (
        "request_supplement is not open: the procedure allows no further supplement (Decree"
        " 61/2018 Art. 11(2)(c): once). The dossier is processing (seq 7);"
        " open to officer now: advance, request_payment."
    )
    with pytest.raises(NotYours, match=r"it is for leader\. .* open to citizen now: withdraw\."):
        lifecycle.fire(paper, Event.stop, Now(NOON, Role.citizen))
    paper.state = State.delivered
    with pytest.raises(NotOpen, match=r"that is delivered has no such move.* now: nothing\."):
        lifecycle.fire(paper, Event.stop, Now(NOON, Role.leader))


def test_every_refusal_names_all_that_is_open() -> None:
    for state in State:
        for paper in papers(Random(state), 8, state):
            for role in Role:
                now = Now(NOON, role)
                words = [e for e in Event if expected(paper, e, role)]
                for event in set(Event) - set(words):
                    told = str(lifecycle.refusal(paper, event, now))
                    assert told.endswith(f"now: {', '.join(words) or 'nothing'}.")
                    assert "is not open: ." not in told


def test_every_guard_can_explain_itself() -> None:
    guards = {row.guard for row in ROWS if row.guard is not None}
    assert len(guards) >= 10
    assert all((guard.__doc__ or "").strip() for guard in guards)


def test_every_event_is_in_the_machine() -> None:
    assert set(LIFECYCLE.events) == set(Event)


def test_every_state_has_its_national_name_and_code() -> None:
    """Circular 22/2019/TT-BTTTT, Annex I: ten codes."""
    assert set(NATIONAL) == set(State)
    assert {code for _, code in NATIONAL.values()} == set(range(1, 11))
    assert len({name for name, _ in NATIONAL.values()}) == len(State)
    assert NATIONAL[State.registered][1] == 1
    assert NATIONAL[State.delivered][1] == 10
