"""The queue in bad weather: nothing lost, nothing held up, nothing twice while everybody lives."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from noticing import HANOI, MAIL, MORNING, TEMPLATES, M, Noting, messages, queue
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from states.errors import BadInput
from states.notices import keeping, queued, sending
from states.notices.quiet import pause
from states.notices.rows import Sending, Way
from states.notices.sending import Hours, Letter, NotSent, Outlet, Rest

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * HOUR
HOURS = Hours(TEMPLATES.quiet, HANOI)
REFUSED = NotSent("the gateway answered 503 to this one")
AWAY = NotSent("the gateway did not answer in 10 s", away=True)
NO_ADDRESS = NotSent("that is no address of a mailbox", final=True)


async def sent(engine: AsyncEngine, *outlets: Outlet, at: datetime = MORNING) -> dict[str, int]:
    return dict(await sending.send(engine, outlets, HOURS, at))


async def only(engine: AsyncEngine) -> Any:
    (row,) = await messages(engine)
    return row


async def until_sent(engine: AsyncEngine, count: int) -> None:
    async with asyncio.timeout(20), engine.connect() as db:
        there = sa.select(sa.func.count()).where(M.sending == Sending.sent)
        while await db.scalar(there) != count:
            await db.rollback()
            await asyncio.sleep(0.01)


async def test_a_message_is_sent_and_said_to_be(fresh: AsyncEngine) -> None:
    await queue(fresh)
    wire = Noting()
    assert await sent(fresh, wire.outlet()) == {"sent": 1}
    assert await sent(fresh, wire.outlet()) == {}
    (letter,) = wire.letters
    row = await only(fresh)
    assert (letter.recipient, letter.subject, letter.body) == (MAIL, row.subject, row.body)
    assert len(letter.key) == 32
    assert (row.sending, row.tries, row.error) == (Sending.sent, 1, None)
    assert MORNING <= row.sent_at < MORNING + MINUTE


async def test_a_way_that_is_not_set_up_waits(fresh: AsyncEngine) -> None:
    await queue(fresh, way="sms", recipient="0912345678")
    wire = Noting()
    assert await sent(fresh, wire.outlet(Way.email)) == {}
    assert await sent(fresh) == {}
    assert await sent(fresh, wire.outlet(Way.sms)) == {"sent": 1}


async def test_a_webhook_gets_only_its_own(fresh: AsyncEngine) -> None:
    for name in ("portal", "archive"):
        await queue(fresh, 2, way="webhook", audience="system", recipient=name, law=False)
    portal, archive = Noting(), Noting()
    outlets = (
        portal.outlet(Way.webhook, recipient="portal"),
        archive.outlet(Way.webhook, recipient="archive"),
    )
    assert await sent(fresh, *outlets) == {"sent": 4}
    assert {each.recipient for each in portal.letters} == {"portal"}
    assert len(archive.letters) == 2


# Refused ----------------------------------------------------------------------------------


async def test_an_address_that_is_none_is_dead_at_once_and_can_be_sent_again(
    fresh: AsyncEngine,
) -> None:
    (number,) = await queue(fresh)
    wire = Noting(NO_ADDRESS)
    assert await sent(fresh, wire.outlet()) == {"dead": 1}
    assert await sent(fresh, wire.outlet(), at=MORNING + 9 * HOUR) == {}
    async with fresh.begin() as db:
        (dead,) = await queued.listed(db, Sending.dead)
        assert dead["error"] == "that is no address of a mailbox"
        assert await queued.counts(db) == [
            {"way": Way.email, "sending": Sending.dead, "messages": 1}
        ]
        assert await queued.every_dead(db) == [number]
        assert await queued.resend(db, [number], MORNING + 9 * HOUR) == 1
    assert await sent(fresh, wire.outlet(), at=MORNING + 9 * HOUR) == {"sent": 1}
    first, again = wire.letters
    assert first.key == again.key


async def test_only_dead_letters_are_sent_again(fresh: AsyncEngine) -> None:
    alive, dead = await queue(fresh, 2)
    async with fresh.connect() as db:
        await queued.record(db, dead, Sending.dead, MORNING, "why")
    for ids, sentence in (
        ([dead, alive], f"message {alive} is queued: only dead letters are sent again"),
        ([dead, 999], "there is no message 999: see `hoso notices list --dead`"),
    ):
        with pytest.raises(BadInput) as refusal:
            async with fresh.begin() as db:
                await queued.resend(db, ids, MORNING)
        assert str(refusal.value) == sentence
    assert [each.sending for each in await messages(fresh)] == [Sending.queued, Sending.dead]


async def test_what_is_refused_is_tried_less_and_less_often_and_then_given_up(
    fresh: AsyncEngine,
) -> None:
    (number,) = await queue(fresh)
    wire, at = Noting(always=REFUSED), MORNING
    for tries in range(1, sending.MOST):
        assert await sent(fresh, wire.outlet(), at=at) == {"again": 1}
        row = await only(fresh)
        assert (row.tries, row.error) == (tries, str(REFUSED))
        wait = row.next_at - at
        assert pause(number, tries) <= wait < pause(number, tries) + MINUTE
        assert await sent(fresh, wire.outlet(), at=row.next_at - SECOND) == {}
        at = row.next_at
    assert await sent(fresh, wire.outlet(), at=at) == {"dead": 1}
    row = await only(fresh)
    assert (row.sending, row.tries, row.error) == (Sending.dead, sending.MOST, str(REFUSED))
    assert len(wire.letters) == sending.MOST


async def test_a_wire_with_a_fault_of_its_own_loses_nothing(fresh: AsyncEngine) -> None:
    await queue(fresh, 3)

    class Broken(Noting):
        async def __call__(self, letter: Letter) -> None:
            await super().__call__(letter)
            if len(self.letters) == 2:
                raise ZeroDivisionError

    assert await sent(fresh, Broken().outlet()) == {"sent": 2, "again": 1}
    errors = {each.error for each in await messages(fresh)}
    assert errors == {None, "hoso itself failed: ZeroDivisionError"}


# Away -------------------------------------------------------------------------------------


async def test_a_way_that_is_away_rests_and_is_tried_with_one(fresh: AsyncEngine) -> None:
    await queue(fresh, 50)
    down, rest = Noting(always=AWAY), Rest()
    outlet = down.outlet(rest=rest, at_once=1)
    assert await sent(fresh, outlet) == {"again": sending.AWAY}
    assert len(down.letters) == sending.AWAY
    untried = [each for each in await messages(fresh) if each.tries == 0]
    assert len(untried) == 50 - sending.AWAY  # what was claimed and not tried counts no try
    assert await sent(fresh, outlet, at=MORNING + 30 * SECOND) == {}

    assert await sent(fresh, outlet, at=MORNING + 2 * MINUTE) == {"again": 1}
    assert rest.until is not None
    assert rest.until >= MORNING + 4 * MINUTE  # longer each time

    up = Noting()
    back = up.outlet(rest=rest)
    assert await sent(fresh, back, at=MORNING + 9 * HOUR) == {"sent": 50}
    assert (rest.failures, rest.until) == (0, None)
    assert len({each.key for each in up.letters}) == 50


async def test_a_weekend_without_a_gateway_kills_no_message(fresh: AsyncEngine) -> None:
    await queue(fresh)
    down, rest, at = Noting(always=AWAY), Rest(), MORNING
    while at < MORNING + timedelta(days=2, hours=12):
        await sent(fresh, down.outlet(rest=rest), at=at)
        at += HOUR
    assert (await only(fresh)).sending is Sending.queued
    while at < MORNING + timedelta(days=6):
        await sent(fresh, down.outlet(rest=rest), at=at)
        at += HOUR
    row = await only(fresh)
    assert (row.sending, row.tries) == (Sending.dead, sending.MOST_AWAY)


async def test_a_way_that_hangs_holds_no_other_up(fresh: AsyncEngine) -> None:
    await queue(fresh, 30, way="sms", recipient="0912345678")
    await queue(fresh, 30)
    over = asyncio.Event()

    class Hanging(Noting):
        async def __call__(self, letter: Letter) -> None:
            await over.wait()
            raise AWAY

    mail = Noting()
    running = asyncio.create_task(sent(fresh, Hanging().outlet(Way.sms), mail.outlet()))
    await until_sent(fresh, 30)
    assert not running.done()
    over.set()
    done = await running
    assert done["sent"] == 30
    assert done["again"] == 4  # those under way; the others were given back
    assert len(await messages(fresh, M.tries == 0)) == 26


async def test_while_it_hangs_no_transaction_is_open(fresh: AsyncEngine) -> None:
    """An open one would hold up every reader of the ledger."""
    await queue(fresh)
    over, begun = asyncio.Event(), asyncio.Event()

    class Hanging(Noting):
        async def __call__(self, letter: Letter) -> None:
            begun.set()
            await over.wait()

    running = asyncio.create_task(sent(fresh, Hanging().outlet()))
    await begun.wait()
    async with fresh.connect() as db:
        others = sa.text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
        )
        assert await db.scalar(others) == 0
    over.set()
    assert await running == {"sent": 1}


async def test_a_run_ends_when_its_time_is_used(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new comes before what is left: the next run makes its messages first."""
    await queue(fresh, 100)

    class Hurrying(sending.Clock):
        calls = 0

        def __call__(self) -> datetime:
            self.calls += 1
            return MORNING + self.calls * SECOND

    monkeypatch.setattr(sending, "Clock", Hurrying)
    wire = Noting()
    assert await sent(fresh, wire.outlet()) == {"sent": sending.BATCH}
    assert await sent(fresh, wire.outlet()) == {"sent": sending.BATCH}


# At once ----------------------------------------------------------------------------------


async def test_ten_runs_at_once_send_each_once(fresh: AsyncEngine) -> None:
    await queue(fresh, 200)
    wire = Noting()
    done = await asyncio.gather(*(sent(fresh, wire.outlet()) for _ in range(10)))
    assert sum(each.get("sent", 0) for each in done) == 200
    assert len(wire.letters) == len({each.key for each in wire.letters}) == 200


async def test_a_clock_that_is_an_hour_wrong_sends_nothing_twice(fresh: AsyncEngine) -> None:
    """What one has under way is no other's, though its lease has long run out by that clock."""
    await queue(fresh, 5)
    over, begun = asyncio.Event(), asyncio.Event()

    class Slow(Noting):
        async def __call__(self, letter: Letter) -> None:
            await super().__call__(letter)
            begun.set()
            await over.wait()

    slow, ahead = Slow(), Noting()
    running = asyncio.create_task(sent(fresh, slow.outlet(), at=MORNING))
    await begun.wait()
    assert await sent(fresh, ahead.outlet(), at=MORNING + HOUR) == {}
    assert ahead.letters == []
    over.set()
    assert await running == {"sent": 5}
    assert await sent(fresh, ahead.outlet(), at=MORNING + HOUR) == {}
    assert len(slow.letters) == 5
    behind = await queue(fresh, 1)
    assert await sent(fresh, ahead.outlet(), at=MORNING - HOUR) == {}  # late, and not lost
    assert await sent(fresh, ahead.outlet(), at=MORNING) == {"sent": len(behind)}


KILLED = """
import asyncio, os, sys
from datetime import datetime
from zoneinfo import ZoneInfo
from states.db import engine
from states.notices.rows import Way
from states.notices.sending import Hours, Outlet, send

async def wire(letter):
    print(letter.key, flush=True)
    os._exit(9)  # taken by the receiver, and nobody is left to say so

async def run():
    at = datetime.fromisoformat(sys.argv[2])
    hours = Hours(None, ZoneInfo("Asia/Ho_Chi_Minh"))
    await send(engine(sys.argv[1], 2), [Outlet(Way.email, wire)], hours, at)

asyncio.run(run())
"""


async def test_killed_between_sending_and_saying_so_it_comes_again_with_its_key(
    fresh: AsyncEngine,
) -> None:
    await queue(fresh)
    address = fresh.url.render_as_string(hide_password=False)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, address, MORNING.isoformat()],
        cwd=Path(__file__).parents[1],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 9, ended.stderr
    row = await only(fresh)
    assert (row.sending, row.tries) == (Sending.queued, 1)
    wire = Noting()
    assert await sent(fresh, wire.outlet(), at=MORNING + queued.LEASE - SECOND) == {}
    async with asyncio.timeout(20):  # until the database has missed the dead one
        while not wire.letters:
            await sent(fresh, wire.outlet(), at=MORNING + queued.LEASE + MINUTE)
            await asyncio.sleep(0.01)
    assert [each.key for each in wire.letters] == [ended.stdout.strip()]


async def test_a_connection_that_dies_is_told_and_the_others_finish(
    fresh: AsyncEngine, owner: AsyncEngine
) -> None:
    await queue(fresh, 1, way="sms", recipient="0912345678")
    await queue(fresh, 40)

    class Deadly(Noting):
        async def __call__(self, letter: Letter) -> None:
            async with owner.connect() as db:
                await db.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                        " AND objid = (SELECT (hashtextextended('message/' || min(id), 0) &"
                        " 4294967295)::oid FROM message WHERE way = 'sms')"
                    )
                )
            await super().__call__(letter)

    deadly, mail = Deadly(), Noting()
    with pytest.raises(DBAPIError):
        await sent(fresh, deadly.outlet(Way.sms), mail.outlet())
    assert len(mail.letters) == 40
    assert len(await messages(fresh, M.sending == Sending.sent)) == 40
    assert await sent(fresh, deadly.outlet(Way.sms), at=MORNING + SECOND) == {}
    again = Noting()
    assert await sent(fresh, again.outlet(Way.sms), at=MORNING + HOUR) == {"sent": 1}
    assert again.letters[0].key == deadly.letters[0].key


async def test_once_the_database_is_lost_no_more_is_sent(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be recorded would come twice."""
    await queue(fresh, 20)

    async def lost(*_: Any) -> None:
        await asyncio.Event().wait()

    wire = Noting()
    with monkeypatch.context() as patch:
        patch.setattr(queued, "record", lost)
        patch.setattr(sending, "SILENCE", 0.2)
        with pytest.raises(TimeoutError):
            await sent(fresh, wire.outlet(at_once=1))
    assert len(wire.letters) == 1
    assert await sent(fresh, wire.outlet(), at=MORNING + HOUR) == {"sent": 20}
    assert len({each.key for each in wire.letters}) == 20


# At night ---------------------------------------------------------------------------------


async def test_at_night_only_what_the_law_prescribes_and_citizens_get(fresh: AsyncEngine) -> None:
    await queue(fresh, audience="staff", law=False, recipient="staff@example.vn")
    await queue(fresh, audience="staff", law=True, recipient="law@example.vn")
    await queue(fresh, audience="citizen", law=False, recipient="citizen@example.vn")
    night, wire = MORNING.replace(hour=23), Noting()
    assert await sent(fresh, wire.outlet(), at=night) == {"sent": 2}
    assert {each.recipient for each in wire.letters} == {"law@example.vn", "citizen@example.vn"}
    assert await sent(fresh, wire.outlet(), at=night + 8 * HOUR) == {"sent": 1}


async def test_what_is_to_be_tried_again_at_night_waits_for_the_morning(
    fresh: AsyncEngine,
) -> None:
    await queue(fresh, audience="staff", law=False)
    evening = MORNING.replace(hour=20, minute=59, second=50)
    assert await sent(fresh, Noting(REFUSED).outlet(), at=evening) == {"again": 1}
    row = await only(fresh)
    assert row.next_at == (MORNING + timedelta(days=1)).replace(hour=6, minute=30)


# Kept ---------------------------------------------------------------------------------------


async def test_what_was_sent_long_ago_goes_and_what_was_not_told_stays(fresh: AsyncEngine) -> None:
    then = MORNING - keeping.KEPT
    for n, (state, at) in enumerate(
        [
            (Sending.sent, then - MINUTE),
            (Sending.dead, then - MINUTE),
            (Sending.queued, then - MINUTE),
            (Sending.sent, then),
            (Sending.sent, then - HOUR),
            (Sending.sent, MORNING),
            (Sending.sent, MORNING),
        ]
    ):
        sent_at = at if state is Sending.sent else None
        await queue(fresh, sending=state, sent_at=sent_at, made_at=min(at, then), fact=f"f/{n}")
    told = await asyncio.gather(*(keeping.forget(fresh, MORNING, batch=2) for _ in range(3)))
    assert sum(told) == 2
    left = [(each.fact, each.sending) for each in await messages(fresh)]
    assert [fact for fact, _ in left] == ["f/1", "f/2", "f/3", "f/5", "f/6"]
    assert await keeping.forget(fresh, MORNING, batch=2) == 0
    assert await keeping.forget(fresh, MORNING + MINUTE, batch=2) == 1


async def test_what_is_young_is_not_looked_at(fresh: AsyncEngine) -> None:
    """However many there are: a night's work is what has become old."""
    young = dict(sending=Sending.sent, sent_at=MORNING - keeping.KEPT - DAY)
    await queue(fresh, 2, made_at=MORNING - keeping.KEPT - DAY, **young)
    await queue(fresh, 6, **young)  # which cannot be, and shows who was asked
    assert await keeping.forget(fresh, MORNING, batch=2) == 4
    assert len(await messages(fresh)) == 4
