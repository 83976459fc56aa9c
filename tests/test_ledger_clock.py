"""What moves do to the clock, and how it ends; every date reckoned by hand.

Day 0 is a Monday. PERMIT takes five working days: received on day 0 it is due on day 7 at 17:00.
"""

import json
from typing import Any

import pytest
from book import (
    APPROVED,
    FILE,
    HOURLY,
    LICENCE,
    TERMLESS,
    at,
    lines,
    move,
    process,
    receive,
    to_signature,
    visits,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import BadInput, NotOpen, NotYours
from states.words import Event, Outcome, Role, State, Tally

# Waiting ------------------------------------------------------------------------------------


async def test_waiting_holds_the_clock(db: AsyncConnection) -> None:
    paper = await process(db)
    paper = await move(db, paper.code, Event.request_supplement, at(1, "10:00"))
    assert (paper.due_at, paper.late_at) == (None, None)
    assert (paper.lapse_at, paper.supplements_left) == (at(31, "17:00"), 0)
    assert [visit.due_at for visit in await visits(db, paper)] == [None]
    photo = {"payload": {"components": {"passport": FILE}}}
    paper = await move(db, paper.code, Event.supplement, at(3, "10:00"), **photo)
    assert (paper.state, paper.due_at, paper.lapse_at) == (State.processing, at(9, "17:00"), None)
    assert (paper.due_original, paper.deadline) == (at(7, "17:00"), 6)
    assert [visit.due_at for visit in await visits(db, paper)] == [at(4, "17:00")]
    with pytest.raises(NotOpen, match=r"no further supplement .*: once"):
        await move(db, paper.code, Event.request_supplement, at(4))


async def test_the_term_begins_again_where_the_procedure_says_so(db: AsyncConnection) -> None:
    paper = await process(db, LICENCE)
    assert paper.due_at == at(10, "17:00")
    await move(db, paper.code, Event.request_supplement, at(2))
    paper = await move(db, paper.code, Event.supplement, at(9))
    assert paper.due_at == at(21, "17:00")  # day 19 is a Saturday
    assert paper.due_original == at(10, "17:00")
    await move(db, paper.code, Event.request_supplement, at(10))
    paper = await move(db, paper.code, Event.supplement, at(11))
    assert paper.due_at == at(21, "17:00")
    assert [visit.due_at for visit in await visits(db, paper)] == [at(21, "17:00")]
    with pytest.raises(NotOpen, match="no further supplement"):
        await move(db, paper.code, Event.request_supplement, at(12))


async def test_what_never_comes_lapses(db: AsyncConnection) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.request_payment, at(1), payload={"amount": 1})
    with pytest.raises(NotYours, match="it is for system"):
        await move(db, paper.code, Event.lapse, at(40), Role.leader)
    with pytest.raises(NotOpen, match="the time to answer has not run out"):
        await move(db, paper.code, Event.lapse, at(31, "17:00"))
    paper = await move(db, paper.code, Event.lapse, at(31, "17:01"))
    assert (paper.state, paper.verdict, paper.lapse_at) == (State.stopped, "not_counted", None)
    [visit] = await visits(db, paper)
    assert (visit.verdict, visit.used, visit.closed_seq) == ("not_counted", None, 6)


async def test_money_is_asked_and_paid_while_the_clock_is_held(db: AsyncConnection) -> None:
    paper = await process(db)
    paper = await move(db, paper.code, Event.request_payment, at(1), payload={"amount": 50_000})
    assert (paper.state, paper.due_at, paper.fee_asked) == (State.awaiting_payment, None, 650_000)
    paper = await move(db, paper.code, Event.pay, at(2), payload={"amount": 650_000})
    assert (paper.fee_paid, paper.due_at) == (650_000, at(8, "17:00"))
    paper = await move(db, paper.code, Event.request_payment, at(3), payload={"amount": 1})
    assert paper.fee_asked == 650_001


async def test_an_extension_is_a_new_promise_and_the_first_one_stays(db: AsyncConnection) -> None:
    paper = await receive(db)
    for term, why in [
        ("4wd", "at most 3wd"),
        ("1cd", "at most 3wd"),
        ("none", "must have a length"),
        ("soon", "'soon' is not a term"),
        ("", "extend: term"),
    ]:
        with pytest.raises(BadInput, match=why):
            await move(db, paper.code, Event.extend, at(1), payload={"term": term})
    paper = await move(db, paper.code, Event.extend, at(1), payload={"term": "3wd"})
    assert (paper.state, paper.due_at) == (State.received, at(10, "17:00"))
    assert (paper.due_original, paper.deadline) == (at(7, "17:00"), 2)
    assert paper.late_at == at(11, "00:00")
    with pytest.raises(NotOpen, match="no further extension"):
        await move(db, paper.code, Event.extend, at(2), payload={"term": "1wd"})


async def test_extensions_of_another_kind_follow_the_term(db: AsyncConnection) -> None:
    paper = await receive(db, LICENCE)
    await move(db, paper.code, Event.extend, at(1), payload={"term": "2wd"})
    paper = await move(db, paper.code, Event.extend, at(1), payload={"term": "3cd"})
    assert paper.due_at == at(16, "17:00")  # 10 + 3 days end on a Sunday: 14; then two working days


# Going out ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        (at(6, "23:59"), "early"),
        (at(7, "07:00"), "on_time"),
        (at(7, "23:59"), "on_time"),
        (at(8, "00:00"), "late"),
    ],
)
async def test_the_result_freezes_the_verdict(db: AsyncConnection, when: Any, verdict: str) -> None:
    paper = await to_signature(db)
    with pytest.raises(BadInput, match="stage sign must produce permit"):
        await move(
            db, paper.code, Event.return_result, when, Role.leader, payload={"outcome": "refused"}
        )
    paper = await move(db, paper.code, Event.return_result, when, Role.leader, **APPROVED)
    assert (paper.state, paper.finished_at) == (State.result_returned, when)
    assert (paper.verdict, paper.outcome) == (verdict, Outcome.approved)
    assert (paper.due_at, paper.stage_role) == (at(7, "17:00"), None)
    assert all(visit.closed_at is not None for visit in await visits(db, paper))
    told = json.loads((await lines(db, paper))[-1].payload)["clock"]
    assert (told["verdict"], told["used"], told["policy"]) == (verdict, paper.used, "day")
    assert sum(minutes for _, _, _, minutes, counts, _ in told["trace"] if counts) == paper.used

    paper = await move(db, paper.code, Event.deliver, at(9), Role.postal, on_behalf_of="H42.05")
    assert (paper.state, paper.delivered_at) == (State.delivered, at(9))
    assert (paper.finished_at, paper.verdict) == (when, verdict)
    assert (await lines(db, paper))[-1].on_behalf_of == "H42.05"


async def test_only_the_last_stage_returns_a_result(db: AsyncConnection) -> None:
    paper = await process(db)
    outcome = {"produced": ["appraisal"], "outcome": "approved"}
    with pytest.raises(NotOpen, match="the result does not follow this stage"):
        await move(db, paper.code, Event.return_result, at(1), payload=outcome)


async def test_by_the_hour_a_minute_counts(db: AsyncConnection) -> None:
    for when, verdict in ((at(1), "early"), (at(1, "09:00"), "on_time"), (at(1, "09:01"), "late")):
        paper = await process(db, HOURLY)
        assert (paper.due_at, paper.late_at) == (at(1, "09:00"), at(1, "09:01"))
        paper = await move(
            db, paper.code, Event.return_result, when, payload={"outcome": "refused"}
        )
        assert (paper.verdict, paper.outcome) == (verdict, Outcome.refused)


async def test_without_a_term_there_is_no_verdict_to_miss(db: AsyncConnection) -> None:
    paper = await process(db, TERMLESS)
    assert (paper.due_at, paper.due_original) == (None, None)
    paper = await move(
        db, paper.code, Event.return_result, at(300), payload={"outcome": "approved"}
    )
    assert (paper.verdict, paper.due_at) == (Tally.no_term, None)


async def test_a_mistake_in_the_result_reopens_under_the_old_promise(db: AsyncConnection) -> None:
    paper = await to_signature(db)
    await move(db, paper.code, Event.return_result, at(3), Role.leader, **APPROVED)
    paper = await move(db, paper.code, Event.reopen, at(8))
    assert (paper.state, paper.stage, paper.visit) == (State.processing, 2, 4)
    assert (paper.finished_at, paper.verdict, paper.outcome, paper.used) == (None,) * 4
    assert (paper.due_at, paper.deadline) == (at(7, "17:00"), 1)
    paper = await move(db, paper.code, Event.return_result, at(8), Role.leader, **APPROVED)
    assert (paper.verdict, len(await visits(db, paper))) == (Tally.late, 4)


@pytest.mark.parametrize("event", [Event.withdraw, Event.stop])
@pytest.mark.parametrize("waiting", [False, True])
async def test_without_a_result_nothing_is_counted(
    db: AsyncConnection, event: Event, waiting: bool
) -> None:
    paper = await process(db)
    if waiting:
        await move(db, paper.code, Event.request_supplement, at(1))
    paper = await move(db, paper.code, event, at(2))
    assert paper.state == {Event.withdraw: State.withdrawn, Event.stop: State.stopped}[event]
    assert (paper.finished_at, paper.verdict, paper.outcome) == (at(2), "not_counted", None)
    [visit] = await visits(db, paper)
    assert (visit.closed_at, visit.verdict) == (at(2), Tally.not_counted)
