"""Deadlines: each told once per dossier, rule, visit and version, however often one looks."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    APPRAISED,
    APPROVED,
    BOOK,
    COMPLETE,
    HOURLY,
    LICENCE,
    NINE,
    PERMIT,
    TAKEN,
    TERMLESS,
    Procedure,
    act,
    at,
    lodging,
    move,
    process,
    receive,
    to_signature,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from watching import RULES, TERM, Desk, only, told

from states import ledger
from states.catalogue.rules import On, Rules, What, Whom
from states.deadlines import sweep, sweeping
from states.deadlines.rows import Alert, Survey, Watch
from states.tables import Dossier
from states.words import Channel, Event, Role

MINUTE = timedelta(minutes=1)
NONE_TOLD = {"term-near": 0, "term-late": 0}
MORE = {"payload": {"term": "2wd"}}

# A permit received on Monday at nine has five working days: due on the next Monday at 17:00.
DUE = at(7, "17:00")
MIDNIGHT = at(8, "00:00")


async def lived(engine: AsyncEngine, procedure: Procedure = PERMIT, **facts: Any) -> Dossier:
    async with engine.begin() as db:
        return await process(db, procedure, **facts)


async def moved(engine: AsyncEngine, paper: Dossier, *args: Any, **facts: Any) -> Dossier:
    async with engine.begin() as db:
        return await move(db, paper.code, *args, **facts)


async def counted(engine: AsyncEngine, when: datetime, desk: Desk = TERM) -> dict[str, int]:
    return await sweep(engine, desk, when)


async def found(engine: AsyncEngine, when: datetime, desk: Desk) -> dict[str, int]:
    """Of a sweep, the rules of which anything was told."""
    return {code: count for code, count in (await sweep(engine, desk, when)).items() if count}


# The dossier's own term -----------------------------------------------------------------------


async def test_each_rule_fires_at_its_moment_and_once(fresh: AsyncEngine) -> None:
    paper = await lived(fresh)
    assert (paper.due_at, paper.late_at) == (DUE, MIDNIGHT)
    warned_at = at(4, "13:22")  # of 6.5 hours on the first day and five days of eight
    assert await counted(fresh, warned_at - MINUTE) == NONE_TOLD
    assert await counted(fresh, warned_at) == {"term-near": 1, "term-late": 0}
    assert await counted(fresh, warned_at) == NONE_TOLD
    assert await counted(fresh, DUE) == NONE_TOLD
    assert await counted(fresh, MIDNIGHT - MINUTE) == NONE_TOLD  # due today is not breached today
    assert await counted(fresh, MIDNIGHT) == {"term-near": 0, "term-late": 1}
    assert await counted(fresh, MIDNIGHT + timedelta(days=300)) == NONE_TOLD
    assert await told(fresh) == [("term-near", 0, 1, warned_at), ("term-late", 0, 1, MIDNIGHT)]
    async with fresh.connect() as db:
        alert = (await db.execute(sa.select(Alert).where(Alert.rule == "term-late"))).one()
    assert (alert.dossier_id, alert.due_at, alert.watched, alert.what) == (
        paper.id, DUE, On.term, What.breach,
    )  # fmt: skip
    assert (alert.unit, alert.person) == ("H42.05.01", "a officer")


async def test_two_days_late_tells_all_with_their_own_moments(fresh: AsyncEngine) -> None:
    await lived(fresh)
    desk = Desk()
    assert await found(fresh, at(3), desk) == {"stage-near": 1, "stage-late": 1}
    late = {"term-near", "term-tomorrow", "term-late", "apology-due", "apology-late"}
    assert await found(fresh, at(9, "16:59"), desk) == dict.fromkeys(late, 1)
    assert await found(fresh, at(9, "17:00"), desk) == {"term-late-long": 1}
    assert await found(fresh, at(90), desk) == {}
    moments = {code: when for code, _, _, when in await told(fresh)}
    assert moments["term-tomorrow"] == at(4, "17:00")  # told long after: when it was is kept
    assert moments["apology-due"] == at(4, "11:30")  # on Friday, as Monday is the last day
    assert moments["apology-late"] == moments["term-late"] == MIDNIGHT


async def test_a_new_version_of_the_deadline_is_told_anew(fresh: AsyncEngine) -> None:
    paper = await lived(fresh)
    await counted(fresh, MIDNIGHT)
    paper = await moved(fresh, paper, Event.extend, at(8), **MORE)
    assert (paper.due_at, paper.deadline) == (at(9, "17:00"), 5)
    assert await counted(fresh, at(8)) == {"term-near": 1, "term-late": 0}
    assert await counted(fresh, at(9, "23:59")) == NONE_TOLD
    assert await counted(fresh, at(10, "00:00")) == {"term-near": 0, "term-late": 1}
    assert [each[:3] for each in await told(fresh)] == [
        ("term-near", 0, 1), ("term-late", 0, 1), ("term-near", 0, 5), ("term-late", 0, 5),
    ]  # fmt: skip


async def test_an_extension_in_time_takes_the_breach_away(fresh: AsyncEngine) -> None:
    paper = await lived(fresh)
    await moved(fresh, paper, Event.extend, at(7), **MORE)
    assert (await counted(fresh, MIDNIGHT))["term-late"] == 0
    assert (await counted(fresh, at(10, "00:00")))["term-late"] == 1


async def test_what_is_held_has_no_deadline_to_miss(fresh: AsyncEngine) -> None:
    paper = await lived(fresh)
    await moved(fresh, paper, Event.request_supplement, at(1))
    assert await counted(fresh, at(25)) == NONE_TOLD
    paper = await moved(fresh, paper, Event.supplement, at(28))
    assert paper.due_at == at(32, "17:00")  # moved by the nineteen working days between
    assert await counted(fresh, at(33, "00:00")) == {"term-near": 1, "term-late": 1}
    assert {version for _, _, version, _ in await told(fresh)} == {paper.deadline} == {6}


async def test_a_hold_that_moves_nothing_tells_nothing_twice(fresh: AsyncEngine) -> None:
    """Asked and answered after the breach: the deadlines are those that were missed."""
    desk = Desk(rules=only("term-near", "term-late", "stage-near", "stage-late"))
    paper = await lived(fresh)
    assert len(await found(fresh, MIDNIGHT, desk)) == 4
    await moved(fresh, paper, Event.request_supplement, at(8, "09:00"))
    assert await found(fresh, at(9), desk) == {}
    paper = await moved(fresh, paper, Event.supplement, at(9, "10:00"))
    assert paper.due_at == DUE
    assert await found(fresh, at(10), desk) == {}


async def test_what_is_finished_is_not_late_and_watched_no_more(fresh: AsyncEngine) -> None:
    """Its stages were what they were."""
    assert await found(fresh, at(0), Desk()) == {}  # from here on it reads what is written
    async with fresh.begin() as db:
        result = await to_signature(db)
        await move(db, result.code, Event.return_result, at(2), Role.leader, **APPROVED)
        for event in (Event.withdraw, Event.stop):
            await move(db, (await process(db)).code, event, at(2))
    assert await found(fresh, at(100), Desk()) == {"stage-late": 1}
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(Watch))).all() == []


async def test_what_is_taken_back_is_watched_again(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await to_signature(db)
        await move(db, paper.code, Event.return_result, at(2), Role.leader, **APPROVED)
    await counted(fresh, at(2))
    paper = await moved(fresh, paper, Event.reopen, at(3))
    assert paper.due_at == DUE
    assert await counted(fresh, MIDNIGHT) == {"term-near": 1, "term-late": 1}


async def test_without_a_term_there_is_nothing_to_miss(fresh: AsyncEngine) -> None:
    await lived(fresh, TERMLESS)
    assert await found(fresh, at(900), Desk()) == {}


@pytest.mark.parametrize(
    ("procedure", "last", "first_late"),
    [
        (LICENCE, at(10, "23:59"), at(11, "00:00")),  # by the day
        (HOURLY, at(1, "09:00"), at(1, "09:01")),  # by the minute
    ],
)
async def test_a_breach_is_what_its_own_policy_calls_late(
    fresh: AsyncEngine, procedure: Procedure, last: datetime, first_late: datetime
) -> None:
    await lived(fresh, procedure)
    assert (await counted(fresh, last))["term-late"] == 0
    assert (await counted(fresh, first_late))["term-late"] == 1


async def test_what_was_taken_over_is_watched_like_all_else(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await ledger.adopt(db, BOOK, TAKEN, act(Event.adopt, NINE))
    assert await counted(fresh, at(3, "23:59")) == {"term-near": 1, "term-late": 0}
    assert await counted(fresh, at(4, "00:00")) == {"term-near": 0, "term-late": 1}


# What happened while nobody swept -------------------------------------------------------------


async def test_what_was_finished_late_before_anybody_looked_is_a_breach_all_the_same(
    fresh: AsyncEngine,
) -> None:
    await counted(fresh, NINE)  # the last sweep before the machine went down
    async with fresh.begin() as db:
        paper = await to_signature(db)
    paper = await moved(fresh, paper, Event.return_result, at(9), Role.leader, **APPROVED)
    assert paper.verdict == "late"
    desk = Desk()
    assert await found(fresh, at(10), replace(desk, rules=TERM.rules)) == {"term-late": 1}
    assert await told(fresh) == [("term-late", 0, 1, MIDNIGHT)]  # nobody is warned any more


async def test_a_date_moved_too_late_is_a_breach_and_the_new_one_is_watched(
    fresh: AsyncEngine,
) -> None:
    desk = Desk(rules=only("term-late", "apology-late"))
    paper = await lived(fresh)
    await found(fresh, NINE, desk)
    await moved(fresh, paper, Event.extend, at(8), **MORE)
    assert await found(fresh, at(12), desk) == {"term-late": 2, "apology-late": 1}
    assert await told(fresh) == [
        ("apology-late", 0, 1, MIDNIGHT),
        ("term-late", 0, 1, MIDNIGHT),
        ("term-late", 0, 5, at(10, "00:00")),
    ]


async def test_a_stage_left_late_is_a_breach_of_whoever_had_it(fresh: AsyncEngine) -> None:
    desk = Desk(rules=only("stage-near", "stage-late"))
    paper = await lived(fresh)
    await found(fresh, NINE, desk)
    await moved(fresh, paper, Event.advance, at(3), **APPRAISED)  # due on Wednesday
    assert await found(fresh, at(3), desk) == {"stage-late": 1}
    await moved(fresh, paper, Event.advance, at(3), Role.leader)  # in time
    assert await found(fresh, at(7), desk) == {"stage-near": 1, "stage-late": 1}
    assert await told(fresh) == [
        ("stage-late", 1, 4, at(3, "00:00")),
        ("stage-near", 3, 6, at(3, "11:00")),
        ("stage-late", 3, 6, at(4, "00:00")),
    ]


async def test_what_another_system_finished_late_is_its_own(fresh: AsyncEngine) -> None:
    await counted(fresh, NINE)
    result = {"payload": {"outcome": "unstated"}}
    async with fresh.begin() as db:
        paper = await ledger.adopt(db, BOOK, TAKEN, act(Event.adopt, NINE))
        await move(db, paper.code, Event.return_result, at(9), **result)
    assert await found(fresh, at(10), Desk()) == {}


# The duties of the law ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "first_late"),
    [
        (at(0, "09:00"), at(0, "17:01")),
        (at(0, "15:00"), at(1, "11:31")),  # past the cut-off: the next morning
        (at(4, "16:00"), at(7, "11:31")),
    ],
)
async def test_a_dossier_is_sent_on_the_same_day(
    fresh: AsyncEngine, received: datetime, first_late: datetime
) -> None:
    desk = Desk(rules=only("transfer-late"))
    async with fresh.begin() as db:
        lies = await receive(db, PERMIT, received)
        sent = await process(db, PERMIT, received)
    assert await found(fresh, first_late - MINUTE, desk) == {}
    assert await found(fresh, first_late, desk) == {"transfer-late": 1}
    await moved(fresh, lies, Event.digitise, first_late)
    await moved(fresh, lies, Event.route, first_late)
    assert await found(fresh, at(30), desk) == {}
    async with fresh.connect() as db:
        alert = (await db.execute(sa.select(Alert))).one()
    assert (alert.dossier_id, alert.unit, alert.person) == (lies.id, "H42.14", None)
    assert {each["person"] for each in alert.concerns} == {
        "p-reception-01", "p-reception-02", "p-centre-lead",
    }  # fmt: skip
    assert sent.id != lies.id


@pytest.mark.parametrize(("asked", "count"), [(at(3, "23:59"), 0), (at(4, "07:30"), 1)])
async def test_a_supplement_is_asked_for_within_three_days(
    fresh: AsyncEngine, asked: datetime, count: int
) -> None:
    desk = Desk(rules=only("notice-late"))
    paper = await lived(fresh)
    await moved(fresh, paper, Event.request_supplement, asked)
    assert await sweep(fresh, desk, asked) == {"notice-late": count}
    assert await sweep(fresh, desk, at(20)) == {"notice-late": 0}
    assert await told(fresh) == [("notice-late", 0, 5, asked)] * count


async def test_the_apology_comes_a_day_before_or_is_too_late(fresh: AsyncEngine) -> None:
    desk = Desk(rules=only("apology-due", "apology-late"))
    in_time, on_the_day, done = [await lived(fresh) for _ in range(3)]
    await moved(fresh, in_time, Event.extend, at(4, "16:00"), **MORE)
    assert await found(fresh, at(7, "07:30"), desk) == {"apology-due": 2}
    await moved(fresh, on_the_day, Event.extend, at(7, "08:00"), **MORE)
    await moved(fresh, done, Event.withdraw, at(7, "09:00"))
    assert await found(fresh, at(20), desk) == {"apology-late": 1}
    assert await told(fresh) == [
        ("apology-due", 0, 1, at(4, "11:30")),
        ("apology-late", 0, 1, at(7, "08:00")),
        ("apology-due", 0, 1, at(4, "11:30")),
    ]


async def test_an_online_lodging_is_answered_in_eight_hours(fresh: AsyncEngine) -> None:
    desk = Desk(rules=only("online-near", "online-late"))
    lodged = lodging(channel=Channel.online)
    night = at(4, "22:00")
    async with fresh.begin() as db:
        silent, asked = [
            await ledger.open_(db, BOOK, lodged, act(Event.register, night)) for _ in range(2)
        ]
        await ledger.open_(db, BOOK, lodging(channel=Channel.post), act(Event.register, night))
        await move(db, asked.code, Event.request_supplement, at(7), Role.reception)
    assert await found(fresh, at(7, "14:59"), desk) == {}
    assert await found(fresh, at(7, "15:00"), desk) == {"online-near": 1}
    assert await found(fresh, at(7, "17:00"), desk) == {}
    assert await found(fresh, at(7, "17:01"), desk) == {"online-late": 1}
    await moved(fresh, silent, Event.receive, at(8))
    await moved(fresh, asked, Event.supplement, at(8, "09:00"))
    assert await found(fresh, at(9, "09:01"), desk) == {"online-near": 1, "online-late": 1}
    assert [each[:3] for each in await told(fresh)] == [
        ("online-near", 0, 1), ("online-late", 0, 1), ("online-near", 0, 3), ("online-late", 0, 3),
    ]  # fmt: skip


# Many, at once, killed ------------------------------------------------------------------------


async def many(engine: AsyncEngine) -> list[Dossier]:
    """Twelve permits, of which nine are late at `MIDNIGHT`."""
    async with engine.begin() as db:
        return [await process(db, PERMIT, at(day, "09:00")) for day in (0, 0, 0, 1) * 3]


async def test_many_are_told_and_none_that_is_not_due(fresh: AsyncEngine) -> None:
    papers = await many(fresh)
    assert await sweep(fresh, TERM, MIDNIGHT, batch=5) == {"term-near": 12, "term-late": 9}
    assert await sweep(fresh, TERM, at(9, "00:00"), batch=5) == {"term-near": 0, "term-late": 3}
    late = {paper.id: paper.late_at for paper in papers}
    async with fresh.connect() as db:
        rows = await db.execute(
            sa.select(Alert.dossier_id, Alert.at).where(Alert.rule == "term-late")
        )
    assert dict(rows.all()) == late


async def test_ten_sweeps_at_once_tell_it_once(fresh: AsyncEngine) -> None:
    await many(fresh)
    counts: Counter[str] = Counter()
    for when in (NINE, MIDNIGHT, at(9, "00:00")):
        sweeps = (sweep(fresh, TERM, when, batch=2) for _ in range(10))
        for each in await asyncio.gather(*sweeps):
            counts.update(each)
    assert counts == {"term-near": 12, "term-late": 12}
    assert len(await told(fresh)) == 24


class Killed(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 4, 8])
@pytest.mark.parametrize("written", [True, False])
async def test_a_killed_sweep_is_gone_on_with(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch, after: int, *, written: bool
) -> None:
    """Killed before what a batch wrote is committed, or having written nothing of it."""
    await many(fresh)
    looks = 0

    async def dying(*args: Any) -> Counter[str]:
        nonlocal looks
        looks += 1
        if looks > after and not written:
            raise Killed
        told = await looking(*args)
        if looks > after:
            raise Killed
        return told

    looking = sweeping.look
    monkeypatch.setattr(sweeping, "look", dying)
    for when in (NINE, MIDNIGHT):
        with suppress(Killed):
            await sweep(fresh, TERM, when, batch=2)
    monkeypatch.undo()
    await sweep(fresh, TERM, MIDNIGHT, batch=2)
    assert Counter(each[0] for each in await told(fresh)) == {"term-near": 12, "term-late": 9}


async def test_a_sweep_that_fell_silent_keeps_nobody_waiting(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection died, and the server has not heard of it: it ends the transaction itself."""
    await lived(fresh)
    await counted(fresh, NINE)
    monkeypatch.setattr(sweeping, "LIMITED", sweeping.LIMITED.replace("60s", "100ms"))

    async def silent() -> None:
        async with sweeping._batch(fresh, TERM, alone=True) as db:
            assert len(await sweeping.fetch_all(db, sweeping.DUE, MIDNIGHT, 10)) == 1
            async with asyncio.timeout(30):
                await counted(fresh, NINE)  # waits until the server has had enough of `db`
            assert await counted(fresh, MIDNIGHT) == {"term-near": 1, "term-late": 1}
            await db.execute(sa.text("SELECT 1"))

    with pytest.raises(sa.exc.DBAPIError, match=r"terminat|closed"):
        await silent()


async def test_a_slow_writers_line_is_not_lost(fresh: AsyncEngine) -> None:
    await counted(fresh, NINE)
    async with fresh.connect() as slow:
        elsewhere = lodging(unit="H42.05.01")
        await ledger.open_(slow, BOOK, elsewhere, act(Event.receive, NINE, payload=COMPLETE))
        await lived(fresh, PERMIT)  # committed before, and numbered after
        assert await counted(fresh, MIDNIGHT) == {"term-near": 1, "term-late": 1}
        await slow.commit()
    assert await counted(fresh, MIDNIGHT) == {"term-near": 1, "term-late": 1}
    assert await counted(fresh, MIDNIGHT) == NONE_TOLD


async def test_one_that_cannot_be_read_keeps_no_other_from_being_told(fresh: AsyncEngine) -> None:
    lost, paper = await lived(fresh, HOURLY), await lived(fresh)
    others = tuple(each for each in TERM.procedures if each.code != lost.procedure)
    without = replace(TERM, procedures=others)
    assert await counted(fresh, MIDNIGHT, without) == {"term-near": 1, "term-late": 1}
    assert await counted(fresh, MIDNIGHT, without) == NONE_TOLD
    await moved(fresh, lost, Event.request_payment, at(8), payload={"amount": 1})
    await moved(fresh, lost, Event.pay, at(8), payload={"amount": 1})
    assert await counted(fresh, at(8)) == {"term-near": 1, "term-late": 1}
    assert paper.id != lost.id


# Rules that change ----------------------------------------------------------------------------


async def test_new_rules_are_held_against_everything_that_is_open(fresh: AsyncEngine) -> None:
    papers = await many(fresh)
    await moved(fresh, papers[0], Event.advance, at(3), **APPRAISED)  # its stage was late
    first = replace(TERM, edition=1)
    assert await sweep(fresh, first, MIDNIGHT, batch=5) == {"term-near": 12, "term-late": 9}
    stages = only("term-near", "term-late", "stage-late")
    second = replace(first, rules=stages, edition=2)
    counts = await sweep(fresh, second, MIDNIGHT, batch=5)
    assert counts == {"term-near": 0, "term-late": 0, "stage-late": 12}  # only where they are now
    assert ("stage-late", 2) in {each[:2] for each in await told(fresh)}
    assert await found(fresh, MIDNIGHT, second) == {}


async def test_who_read_older_rules_stops(fresh: AsyncEngine) -> None:
    await lived(fresh)
    new = replace(TERM, rules=only("term-late"), edition=8)
    await sweep(fresh, new, NINE)
    assert await counted(fresh, MIDNIGHT, replace(TERM, edition=7)) == NONE_TOLD
    assert await told(fresh) == []
    assert await counted(fresh, MIDNIGHT, new) == {"term-late": 1}
    back = replace(TERM, edition=9)  # published again as they were
    assert await counted(fresh, MIDNIGHT, back) == {"term-near": 1, "term-late": 0}


async def test_other_names_of_rules_move_nothing(fresh: AsyncEngine) -> None:
    await lived(fresh)
    await counted(fresh, NINE)
    tells = {"tell": (Whom.control,)}
    other = Rules(rules=tuple(each.model_copy(update=tells) for each in TERM.rules.rules))
    await counted(fresh, NINE, replace(TERM, rules=other))
    async with fresh.connect() as db:
        assert (await db.execute(sa.select(Survey.last))).scalar_one() is None
    assert sweeping.digest(TERM.rules) != sweeping.digest(RULES)
