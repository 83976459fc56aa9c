"""Listeners: each hears what they may see, all of it, in order, and holds up nobody."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import NINE, PERMIT, at, move, process, receive, wander
from horizon import LIMIT, Settled, settled
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import visitors

from states import live
from states.db import transaction
from states.deadlines.rows import Alert
from states.errors import BadInput
from states.ledger.statements import d, v
from states.live import Cursor, End, Hub, Kind, Listener, Told, hub, loops, reading
from states.sight import Sight
from states.tables import Dossier
from states.words import Event

ALL = Sight("somebody", all=True)
NOBODY = Sight("nobody")
BEGINNING = Cursor(0, 0, 0)
AGENCY, UNIT = PERMIT.agency, "H42.05.01"


def said(told: Sequence[Told]) -> list[dict[str, Any]]:
    return [json.loads(each.data) for each in told]


def events(told: Sequence[Told]) -> list[tuple[str, int]]:
    return [(each["event"], each["seq"]) for each in said(told)]


async def taken(listener: Listener) -> list[Told]:
    """All that waits for them."""
    heard: list[Told] = []
    while some := await listener.heard(0):
        heard += some
    return heard


async def moved(engine: AsyncEngine, paper: Dossier, event: Event, **facts: Any) -> Dossier:
    async with transaction(engine) as db:
        return await move(db, paper.code, event, NINE, **facts)


async def received(engine: AsyncEngine) -> Dossier:
    async with transaction(engine) as db:
        return await receive(db)


async def alerted(db: AsyncConnection, paper: Dossier, rule: str = "term-near") -> None:
    row = {"dossier_id": paper.id, "rule": rule, "visit": 0, "deadline": 1, "watched": "term"}
    row |= {"what": "alert", "due_at": at(7), "at": at(4), "unit": UNIT, "concerns": []}
    await db.execute(sa.insert(Alert), row | {"person": "p-secret"})


# What is heard ----------------------------------------------------------------------------


async def test_a_move_is_heard_by_who_sees_the_dossier(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    async with ours.listening(ALL) as one, ours.listening(NOBODY) as other:
        paper = await received(fresh)
        paper = await moved(fresh, paper, Event.digitise)
        assert await ours.look() is False
        told = await taken(one)
        assert await taken(other) == []
    assert {each.kind for each in told} == {Kind.move}
    assert said(told)[1] == {
        "code": paper.code,
        "seq": 2,
        "event": "digitise",
        "state": "digitised",
        "agency": AGENCY,
        "unit": paper.unit,
        "due": paper.due_at.isoformat() if paper.due_at else None,
        "at": "2024-03-04T02:00:00+00:00",
    }


async def test_nothing_personal_is_told(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as db:
            paper = await process(db)
            await alerted(db, paper)
        await ours.look()
        await ours.look_at_alerts()
        told = b"".join(each.data for each in await taken(listener)).decode()
    assert paper.code in told
    for private in (paper.applicant, "a reception", "an officer", "p-secret", "vì thế"):
        assert private not in told


async def test_only_what_comes_after_is_heard(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    paper = await received(fresh)
    async with ours.listening(ALL) as first:
        await moved(fresh, paper, Event.digitise)
        await ours.look()
        async with ours.listening(ALL) as second:
            await moved(fresh, paper, Event.route)
            await ours.look()
            assert events(await taken(first)) == [("digitise", 2), ("route", 3)]
            assert events(await taken(second)) == [("route", 3)]


async def test_a_slow_writer_is_waited_for(fresh: AsyncEngine) -> None:
    """Who wrote first and commits last is told first, and nobody after it is told before."""
    ours = Settled(fresh)
    one, other = await received(fresh), await received(fresh)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as slow:
            await move(slow, one.code, Event.digitise, NINE)
            await moved(fresh, other, Event.digitise)
            await Hub.look(ours)
            assert await taken(listener) == []
        await ours.look()
        assert [each["code"] for each in said(await taken(listener))] == [one.code, other.code]


async def test_more_than_one_reading_is_read_to_the_end(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BATCH", 2)
    monkeypatch.setitem(reading.lines.__kwdefaults__, "limit", 2)
    ours = Settled(fresh)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as db:
            await process(db)
        assert await ours.look() is True
        assert len(await taken(listener)) == 2
        while await ours.look():
            pass
        assert [seq for _, seq in events(await taken(listener))] == [3, 4]


async def test_a_flood_is_one_reset(fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY", 3)
    monkeypatch.setattr(hub, "BATCH", 2)
    monkeypatch.setitem(reading.lines.__kwdefaults__, "limit", 2)
    ours = Settled(fresh)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as db:
            paper = await process(db)
        while await ours.look():
            pass
        assert [each.kind for each in await taken(listener)] == [Kind.reset]
        await moved(fresh, paper, Event.advance, payload={"produced": ["appraisal"]})
        await ours.look()
        assert events(await taken(listener)) == [("advance", 5)]


# Who hears it -----------------------------------------------------------------------------

PLACES = ("H42.05", "H42.05.01", "H42.05.09", "H42.14", "H42.09")
PEOPLE = ("one", "two", "Lê Văn Tám", "somebody")
FIELDS = ("lao-dong", "dat-dai")


def any_sight(chance: Random) -> Sight:
    def some(of: Sequence[Any]) -> frozenset[Any]:
        return frozenset(each for each in of if chance.random() < 0.25)

    return Sight(
        chance.choice(PEOPLE),
        all=chance.random() < 0.1,
        agencies=some(PLACES),
        units=some(PLACES),
        fields=some([(place, field) for place in PLACES for field in FIELDS]),
    )


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_heard_is_what_the_predicate_lets_see(fresh: AsyncEngine, seed: int) -> None:
    """In memory and in SQL, for dossiers of any past and any sight."""
    chance, found = Random(seed), 0
    async with transaction(fresh) as db:
        for _ in range(15):
            await wander(db, chance, 8)
    await settled(fresh)
    async with transaction(fresh) as db:
        rows = await reading.lines(db, BEGINNING)
        assert len({row.code for row in rows}) == 15
        for _ in range(40):
            sight = any_sight(chance)
            seen = set((await db.execute(sa.select(d.code).where(sight.where()))).scalars())
            assert {row.code for row in rows if sight.sees(row)} == seen
            assert {row.code for row in await reading.lines(db, BEGINNING, sight=sight)} == seen
            found += len(seen)
    assert 40 < found < 600


def test_the_predicate_asks_nothing_that_is_not_read_with_each_line() -> None:
    """Whoever adds to `Sight.where` adds to what a line brings along, and to `sees`."""
    sight = Sight("one", agencies=frozenset({"A"}), fields=frozenset({("A", "f")}))
    asked = replace(sight, units=frozenset({"U"})).where()
    columns = {each for each in visitors.iterate(asked) if isinstance(each, sa.Column)}
    brought = {d.id, d.agency, d.field, d.unit, v.dossier_id, v.person, v.unit}
    assert columns <= brought


async def test_what_is_theirs_by_name_is_heard_by_them_alone(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    async with transaction(fresh) as db:
        paper = await process(db)
        person = await db.scalar(sa.select(v.person).where(v.dossier_id == paper.id))
    assert person
    async with (
        ours.listening(Sight(person)) as theirs,
        ours.listening(Sight("another")) as others,
    ):
        await moved(fresh, paper, Event.advance, payload={"produced": ["appraisal"]})
        await ours.look()
        assert events(await taken(theirs)) == [("advance", 5)]
        assert await taken(others) == []


async def test_who_may_see_otherwise_hears_otherwise(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    paper = await received(fresh)
    async with ours.listening(NOBODY) as listener:
        ours.turn(listener, ALL, None)
        await moved(fresh, paper, Event.digitise)
        await ours.look()
        assert events(await taken(listener)) == [("digitise", 2)]
        ours.turn(listener, NOBODY, None)
        await moved(fresh, paper, Event.route)
        await ours.look()
        assert await taken(listener) == []
    assert len(ours) == 0


# Who comes again --------------------------------------------------------------------------


async def test_what_was_missed_is_told_from_the_last_id(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    paper = await received(fresh)
    async with ours.listening(ALL) as listener:
        for event in (Event.digitise, Event.route, Event.accept):
            await moved(fresh, paper, event)
        await ours.look()
        heard = await taken(listener)
    assert heard[0].place is not None
    since = Cursor.parse(str(heard[0].place))
    async with ours.listening(ALL) as again:
        assert events(await ours.missed(ALL, since, ours.place)) == [("route", 3), ("accept", 4)]
        assert await ours.missed(NOBODY, since, ours.place) == []
        await moved(fresh, paper, Event.advance, payload={"produced": ["appraisal"]})
        await ours.look()
        assert events(await taken(again)) == [("advance", 5)]


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_breaks_off_anywhere_misses_nothing(fresh: AsyncEngine, seed: int) -> None:
    """Two listen; one is cut off and comes again by lot. Both have heard the same in the end."""
    chance, ours = Random(seed), Settled(fresh)
    papers = [await received(fresh) for _ in range(3)]
    steady: list[Told] = []
    broken: list[Told] = []
    since: Cursor | None = None
    async with ours.listening(ALL) as listener:
        for event in (Event.digitise, Event.route, Event.accept):
            async with ours.listening(ALL) as other:
                if since is not None:
                    broken += await ours.missed(ALL, since, ours.place)
                for paper in papers:
                    async with transaction(fresh) as db:
                        await move(db, paper.code, event, NINE)
                        await alerted(db, paper, f"{event}-late")
                    if chance.random() < 0.5:
                        await ours.look()
                    if chance.random() < 0.5:
                        await ours.look_at_alerts()
                some = await taken(other)
                broken += some[: chance.randrange(len(some) + 1)]
                since = broken[-1].place if broken else since or ours.place
            steady += await taken(listener)
        await ours.look()
        await ours.look_at_alerts()
        steady += await taken(listener)
        assert since is not None
        broken += await ours.missed(ALL, since, ours.place)
    assert len(steady) == 18
    assert {each.data for each in steady} == {each.data for each in broken}
    lines = [each for each in said(broken) if "seq" in each]
    assert [each for n, each in enumerate(lines) if each not in lines[:n]] == [
        each for each in said(steady) if "seq" in each
    ]


async def test_who_missed_too_much_reads_anew(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Settled(fresh)
    async with ours.listening(ALL):
        since = ours.place
        async with transaction(fresh) as db:
            await process(db)
        await ours.look()
        assert len(await ours.missed(NOBODY, since, ours.place)) == 0
        monkeypatch.setattr(reading, "MANY", 3)
        told = await ours.missed(NOBODY, since, ours.place)
        assert [(each.kind, each.place) for each in told] == [(Kind.reset, ours.place)]


async def test_an_id_from_another_database_or_long_ago_is_a_reset(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    ours = Settled(fresh)
    await received(fresh)
    async with ours.listening(ALL):
        here = ours.place
        ahead = here._replace(xact=here.xact + 2_000_000)
        assert [each.kind for each in await ours.missed(ALL, ahead, here)] == [Kind.reset]
        assert await ours.missed(ALL, here, here) == []
        async with owner.begin() as db:
            yesterday = "UPDATE entry SET recorded_at = recorded_at - interval '2 days'"
            await db.execute(sa.text(yesterday))
        assert [each.kind for each in await ours.missed(ALL, here, here)] == [Kind.reset]


async def test_what_was_missed_since_there_was_nothing_is_told(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    """Alerts too, however long ago: they are looked for from the ledger's first line on."""
    ours = Settled(fresh)
    async with ours.listening(ALL):
        since = ours.place
    paper = await received(fresh)
    async with transaction(fresh) as db:
        await alerted(db, paper)
    earlier = "UPDATE {} SET recorded_at = recorded_at - interval '{}'"
    async with owner.begin() as db:
        for each in ("entry", "alert"):
            await db.execute(sa.text(earlier.format(each, "1 hour")))
    await ours.look()
    async with ours.listening(ALL):
        kinds = [each.kind for each in await ours.missed(ALL, since, ours.place)]
        assert kinds == [Kind.move, Kind.alert]
        async with owner.begin() as db:
            await db.execute(sa.text(earlier.format("entry", "2 days")))
        assert [each.kind for each in await ours.missed(ALL, since, ours.place)] == [Kind.reset]


@given(st.tuples(*[st.integers(0, 2**63 - 1)] * 3))
def test_a_cursor_is_read_as_it_was_written(numbers: tuple[int, int, int]) -> None:
    assert Cursor.parse(str(Cursor(*numbers))) == Cursor(*numbers)


@pytest.mark.parametrize(
    "text", ["", "1-2", "1-2-3-4", "a-b-c", "1-2-9999999999999999999", "-1-2-3", "1-2-3\n", "١-٢-٣"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Last-Event-ID is no id"):
        Cursor.parse(text)


# Alerts -----------------------------------------------------------------------------------


async def test_an_alert_is_told_once(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    paper = await received(fresh)
    async with transaction(fresh) as db:
        await alerted(db, paper, "before")
    async with ours.listening(ALL) as listener, ours.listening(NOBODY) as other:
        await ours.look_at_alerts()
        assert await taken(listener) == []
        async with transaction(fresh) as db:
            await alerted(db, paper)
        await ours.look_at_alerts()
        await ours.look_at_alerts()
        told = await taken(listener)
        assert await taken(other) == []
    assert said(told) == [
        {
            "code": paper.code,
            "rule": "term-near",
            "visit": 0,
            "deadline": 1,
            "what": "alert",
            "agency": AGENCY,
            "unit": UNIT,
            "due": "2024-03-11T01:00:00+00:00",
            "at": "2024-03-08T01:00:00+00:00",
        }
    ]


async def test_an_alert_of_a_slow_writer_is_not_stepped_over(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    one, other = await received(fresh), await received(fresh)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as slow:
            await alerted(slow, one, "slow")
            async with transaction(fresh) as quick:
                await alerted(quick, other, "quick")
            await Hub.look_at_alerts(ours)
            assert await taken(listener) == []
        await ours.look_at_alerts()
        assert [each["rule"] for each in said(await taken(listener))] == ["slow", "quick"]


async def test_alerts_in_part_heard_are_heard_again(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    papers = [await received(fresh) for _ in range(3)]
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as db:
            for paper in papers:
                await alerted(db, paper)
        await ours.look_at_alerts()
        heard = await taken(listener)
        assert len(heard) == 3
        assert heard[0].place is not None
        assert len(await ours.missed(ALL, heard[0].place, ours.place)) == 3
        assert await ours.missed(ALL, ours.place, ours.place) == []


async def test_many_alerts_are_one_reset(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Settled(fresh)
    papers = [await received(fresh) for _ in range(4)]
    monkeypatch.setattr(reading, "MANY", 3)
    monkeypatch.setattr(hub, "MANY", 3)
    async with ours.listening(ALL) as listener:
        async with transaction(fresh) as db:
            for paper in papers:
                await alerted(db, paper)
        await ours.look_at_alerts()
        assert [each.kind for each in await taken(listener)] == [Kind.reset]
        await ours.look_at_alerts()
        assert await taken(listener) == []


@pytest.mark.parametrize("round_", [0, 1, 7])
@pytest.mark.parametrize("back", [1, 100, 2**31 - 1])
async def test_the_upper_half_of_a_transaction_is_found_again(
    db: AsyncConnection, round_: int, back: int
) -> None:
    """However far behind the number lies, and however often the half that is kept went round."""
    until = round_ * 2**32 + 2**31 + 5
    number = until - back
    found = await db.scalar(
        sa.select(reading.whole(sa.literal(number % 2**32, sa.BigInteger), until))
    )
    assert found == number


# Who is slow, and who is gone -------------------------------------------------------------


def told(n: int) -> Told:
    return Told(Kind.move, b"%d" % n)


async def test_who_does_not_keep_up_is_let_go_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "MANY", 10)
    slow, quick = Listener(ALL), Listener(ALL)
    for n in range(20):
        for each in (slow, quick):
            each.tell([told(n)])
        assert [each.data for each in await quick.heard(1)] == [b"%d" % n]
    assert (slow.ended, quick.ended) == (End.slow, None)
    assert await slow.heard(0) == []


async def test_all_are_let_go_at_the_end(fresh: AsyncEngine) -> None:
    async with live.following(fresh) as ours:
        async with ours.listening(ALL) as listener:
            waiting = asyncio.create_task(listener.heard(60))
            await asyncio.sleep(0)
            ours.close()
            assert await waiting == []
            assert listener.ended is End.stopping
        async with ours.listening(ALL) as late:
            assert late.ended is End.stopping


async def test_nothing_is_read_for_nobody(fresh: AsyncEngine) -> None:
    ours = Settled(fresh)
    async with ours.listening(ALL):
        assert ours.somebody.is_set()
    await received(fresh)
    assert await ours.look() is False
    assert not ours.somebody.is_set()
    async with ours.listening(ALL) as listener:
        await ours.look()
        assert await taken(listener) == []  # it was before them


# Followed ---------------------------------------------------------------------------------


async def test_the_ledger_is_followed_by_itself(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What wakes nobody is found by the tick; alerts and counts come in their own time."""
    counts = {"in_tray": 1}

    async def counting(db: AsyncConnection, who: str) -> dict[str, int]:
        assert who == "me"
        return dict(counts)

    monkeypatch.setattr(loops, "COUNTS", 0.05)
    monkeypatch.setattr(loops, "ALERTS", 0.05)
    async with live.following(fresh, counting) as ours, ours.listening(ALL, "me") as listener:
        paper = await received(fresh)
        async with transaction(fresh) as db:
            await alerted(db, paper)
        kinds: set[Kind] = set()
        async with asyncio.timeout(LIMIT):
            while len(kinds) < 3:
                kinds |= {each.kind for each in await listener.heard(10)}
    assert kinds == {Kind.move, Kind.alert, Kind.queues}


async def test_it_wakes_when_the_ledger_calls(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "TICK", 600.0)
    async with live.following(fresh) as ours, ours.listening(ALL) as listener:
        async with asyncio.timeout(LIMIT):
            while not await heard_by_call(fresh, listener):
                pass


async def heard_by_call(engine: AsyncEngine, listener: Listener) -> list[Told]:
    """Of a receipt, which opens something automatic; until the ear is there, of the next."""
    await received(engine)
    return await listener.heard(0.3)


# Queues -----------------------------------------------------------------------------------


async def test_counts_are_told_when_they_change(fresh: AsyncEngine) -> None:
    asked: list[str] = []
    counts = {"in_tray": 1}

    async def counting(db: AsyncConnection, who: str) -> dict[str, int]:
        asked.append(who)
        return dict(counts)

    ours = Settled(fresh, counting)
    paper = await received(fresh)
    async with (
        ours.listening(ALL, "me") as mine,
        ours.listening(ALL, "me") as also_mine,
        ours.listening(ALL) as silent,
        ours.listening(NOBODY, "other") as other,
    ):
        await ours.count(everybody=False)
        assert sorted(asked) == ["me", "other"]
        for each in (mine, also_mine, other):
            assert said(await taken(each)) == [{"in_tray": 1}]
        assert await taken(silent) == []
        await ours.count(everybody=False)
        assert len(asked) == 2  # nothing moved
        await moved(fresh, paper, Event.digitise)
        await ours.look()
        counts["in_tray"] = 2
        await ours.count(everybody=False)
        assert asked[2:] == ["me"]  # the other saw no move
        assert [each.kind for each in await taken(mine)] == [Kind.move, Kind.queues]
        await ours.count(everybody=True)
        assert sorted(asked[3:]) == ["me", "other"]
        assert await taken(mine) == []  # told before
        assert said(await taken(other)) == [{"in_tray": 2}]
