"""Calendars corrected: proposed, seen, approved and applied; no date moves behind anybody's back.

Most stories are of Friday 24 November 2023, which becomes a day off.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from corrections import (
    CORRECTIONS,
    HEIR,
    VN,
    apply,
    approve,
    as_foreseen,
    as_recomputed,
    corrected,
    decided,
    everything,
    finished,
    foreseen,
    holds,
    lines_of,
    papers,
    propose,
    settled,
    small,
    text,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from town import (
    CALENDAR_DAYS,
    CLERK,
    CODES,
    CONTROL,
    FIVE,
    FRESH,
    FRIDAY,
    HALF,
    HANOI,
    HOURS,
    MONDAY,
    NO_TERM,
    NOW,
    SAID,
    SAME_DAY,
    SATURDAY,
    SECOND,
    at,
    move,
    processing,
    received,
    town,
    under,
    walked,
)

from states import ledger
from states.calendars.editing import with_exception
from states.catalogue import Catalogue, bundles
from states.catalogue.rights import NotAllowed
from states.catalogue.rows import Dates, Kind
from states.catalogue.rows import Status as Stage
from states.changes import applying, deciding
from states.changes.preview import Effect
from states.changes.proposing import texts_of
from states.changes.rows import Status
from states.embedded import Embedded
from states.errors import BadInput, Outdated, Unknown
from states.ledger import many
from states.ledger.statements import entry
from states.lifecycle import HELD
from states.words import Event, Role, State


@pytest.fixture
async def ours(server: Embedded) -> AsyncIterator[AsyncEngine]:
    async with town(server) as engine:
        yield engine


# Proposed -------------------------------------------------------------------------------------


async def untouched(db: AsyncConnection) -> None:
    """No change set, and no draft."""
    assert await deciding.every(db) == []
    rows = await bundles.versions(db, Kind.calendar)
    assert {(row.code, row.version, row.status) for row in rows} == {
        ("nl", 1, Stage.published),
        ("vn", 1, Stage.published),
    }


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        ({"by": SECOND}, NotAllowed, "is not of the control unit: ask one who is"),
        ({"by": CLERK}, NotAllowed, "is not of the control unit: ask one who is"),
        ({"by": "nobody"}, Unknown, "there is no person nobody"),
        ({"by": "\udcff"}, Unknown, "there is no person"),
        ({"reason": " "}, BadInput, "needs its reason and the document"),
        ({"ground": ""}, BadInput, "needs its reason and the document"),
        ({"reason": "x" * 2_001}, BadInput, "reason may have 2,000 characters at most"),
        ({"ground": "a\0b"}, BadInput, "ground may have .* without NUL"),
        ({"ground": "\udcff"}, BadInput, "ground may have .* half a character"),
    ],
)
async def test_who_may_not_and_what_is_not_said(
    db: AsyncConnection, said: dict[str, Any], kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        await propose(db, **said)
    await untouched(db)


SAME = "nothing of calendar vn would change: say which day works or is off"
SPAN = "[07:00-17:00]"
THREE = f"{{monday: {SPAN}, tuesday: {SPAN}, friday: {SPAN}}}"


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("vn", VN, SAME),
        ("vn", VN + b"# a comment\n", SAME),
        ("vn", VN.replace(b"verified: true", b"verified: false", 1), SAME),
        ("vn", VN.replace(b"name: vn", b"name: va"), "must be the file's name, vn"),
        ("vn", VN.replace(b"zone: Asia/Ho_Chi_Minh", b"zone: Mars"), "must be a time zone"),
        ("vn", VN.replace(b"name:", b"\xff\xfename:"), "is not UTF-8 text"),
        ("vn", VN.replace(b"from: 2019", b"from: 2020"), "overrides.0.date: must lie between"),
        ("vn", b"", "vn.yaml"),
        ("vn", b"name: vn\n\tx", "holds a tab"),
        ("vn", b"[" * 9_000, "vn.yaml"),
        ("vn", small("vn", inherits="mars"), "there is no calendar 'mars': known are nl, vn"),
        ("vn", small("vn", inherits="vn"), "leads in a circle, vn → vn"),
        ("Vn ", small("Vn "), "Vn"),
        ("x", small("x", inherits="vn", reach="{from: 2022, to: 2023}"), "less than a year after"),
        ("x", small("x", inherits="vn", reach="{from: 2022, to: 2028}"), "outside the reach of vn"),
        ("x", small("x", inherits="vn", weekly=THREE), r"x would have \d+ .*at least 190 in any"),
    ],
)
async def test_a_text_that_may_not_follow(
    db: AsyncConnection, name: str, raw: bytes, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        await propose(db, raw, name=name)
    await untouched(db)


async def test_a_day_that_is_off_already_changes_nothing(db: AsyncConnection) -> None:
    raw = await text(db, off=[SATURDAY])
    with pytest.raises(BadInput, match=SAME):
        await propose(db, raw)
    await untouched(db)


async def test_a_proposal_binds_nobody(db: AsyncConnection) -> None:
    number = await propose(db)
    row = await deciding.find(db, number)
    assert (row.status, row.subject, row.proposed_by) == (Status.proposed, "vn", CONTROL)
    assert (row.says["first"], row.says["last"]) == ("2023-11-24", "2023-11-24")
    book = await bundles.read(db)
    assert book.calendar("vn").works(FRIDAY.toordinal())
    [day] = await deciding.days(db, row)
    assert (day.day, len(day.was), day.now) == (FRIDAY, 2, ())
    assert SAID["ground"] in day.note
    assert not (await deciding.as_proposed(db, book, row)).calendar("vn").works(FRIDAY.toordinal())


async def test_one_proposal_at_a_time_for_a_calendar_and_its_line(db: AsyncConnection) -> None:
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    await db.execute(sa.update(applying.change).values(status=Status.applied))
    other = await text(db, off=[MONDAY])
    number = await propose(db)
    with pytest.raises(NotAllowed, match=f"change {number} is about .*: approve, reject or apply"):
        await propose(db, other)
    with pytest.raises(NotAllowed, match=f"change {number} is about calendar ha-nam too"):
        await propose(db, HEIR + b"standard_day: 420\n", name="ha-nam")
    await deciding.reject(db, await bundles.read(db), number, CONTROL, NOW)
    heir = await propose(db, HEIR + b"standard_day: 420\n", name="ha-nam")
    with pytest.raises(NotAllowed, match=f"change {heir} is about calendar ha-nam too"):
        await propose(db, other)
    assert [row["status"] for row in await deciding.every(db)] == [
        Status.proposed, Status.rejected, Status.applied,
    ]  # fmt: skip


async def test_of_two_proposals_at_once_one_is_refused_with_a_sentence(ours: AsyncEngine) -> None:
    async def one(day: date) -> int:
        async with ours.begin() as db:
            return await propose(db, await text(db, off=[day]))

    told = await asyncio.gather(*map(one, (FRIDAY, MONDAY)), return_exceptions=True)
    assert sorted(isinstance(each, NotAllowed) for each in told) == [False, True]
    async with ours.connect() as db:
        assert len(await deciding.every(db)) == 1


# Decided --------------------------------------------------------------------------------------


async def test_nobody_approves_what_they_proposed(db: AsyncConnection) -> None:
    number = await propose(db)
    with pytest.raises(NotAllowed, match=f"{CONTROL} proposed change {number}: a second person"):
        await approve(db, number, CONTROL)
    said = {"status": "approved", "decided_by": CONTROL, "decided_at": NOW}
    with pytest.raises(IntegrityError, match="change_second"):
        async with db.begin_nested():
            await db.execute(sa.update(applying.change).values(said))
    assert (await deciding.find(db, number)).status is Status.proposed


async def test_who_decides_and_once_only(db: AsyncConnection) -> None:
    number = await propose(db)
    book = await bundles.read(db)
    for by, kind, why in (
        (CLERK, NotAllowed, "neither a leader nor of the control unit: ask one who is"),
        ("nobody", Unknown, "there is no person nobody"),
    ):
        with pytest.raises(kind, match=why):
            await approve(db, number, by)
        with pytest.raises(kind, match=why):
            await deciding.reject(db, book, number, by, NOW)
    row = await approve(db, number)
    assert (row.status, row.decided_by, row.decided_at) == (Status.approved, SECOND, NOW)
    assert not (await bundles.read(db)).calendar("vn").works(FRIDAY.toordinal())
    with pytest.raises(NotAllowed, match=f"change {number} is approved already"):
        await approve(db, number)
    with pytest.raises(NotAllowed, match=f"change {number} is approved already"):
        await deciding.reject(db, book, number, SECOND, NOW)
    with pytest.raises(NotAllowed, match="propose the day as it was, with its document"):
        await deciding.undo(db, book, number, CONTROL, NOW)
    for unknown in (0, number + 1, -1):
        with pytest.raises(Unknown, match=f"there is no change {unknown}: `hoso changes list`"):
            await approve(db, unknown)


async def test_what_is_published_says_who_and_by_what(db: AsyncConnection) -> None:
    await approve(db, await propose(db, dates=Dates.later))
    row = (await bundles.versions(db, Kind.calendar, "vn"))[-1]
    assert (row.version, row.status, row.dates) == (2, Stage.published, Dates.later)
    assert (row.drafted_by, row.published_by, row.document) == (CONTROL, SECOND, SAID["ground"])


async def test_a_rejected_proposal_leaves_its_row_and_nothing_else(db: AsyncConnection) -> None:
    number = await propose(db)
    await deciding.reject(db, await bundles.read(db), number, SECOND, NOW)
    row = await deciding.find(db, number)
    assert (row.status, row.decided_by) == (Status.rejected, SECOND)
    assert len(await bundles.versions(db, Kind.calendar, "vn")) == 1
    with pytest.raises(NotAllowed, match=f"change {number} is rejected already"):
        await approve(db, number)
    assert await deciding.days(db, row) == []
    again = await propose(db)
    await approve(db, again)
    assert (await deciding.find(db, again)).status is Status.approved


async def test_what_was_derived_from_another_text_is_not_approved(db: AsyncConnection) -> None:
    """A calendar was proposed as heir of one that was corrected before it was approved."""
    heir = await propose(db, HEIR, name="ha-nam")
    await approve(db, await propose(db))
    with pytest.raises(NotAllowed, match=f"reject change {heir} and propose it again"):
        await approve(db, heir)
    await deciding.reject(db, await bundles.read(db), heir, CONTROL, NOW)
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    assert not (await bundles.read(db)).calendar("ha-nam").works(FRIDAY.toordinal())


async def test_an_heir_of_the_meantime_is_not_forgotten(db: AsyncConnection) -> None:
    number = await propose(db)
    await approve(db, await propose(db, HEIR, name="ha-nam"))
    with pytest.raises(NotAllowed, match=f"reject change {number} and propose it again"):
        await approve(db, number)


async def test_the_days_of_a_change_are_told_also_after_later_ones(ours: AsyncEngine) -> None:
    story = [((FRIDAY,), ()), ((MONDAY,), ()), ((), (FRIDAY,)), ((), (MONDAY,))]
    for minute, (off, gone) in enumerate(story):
        async with ours.connect() as db:
            raw = await text(db, off=off, gone=gone)
        await corrected(ours, raw, when=NOW + timedelta(minutes=minute))
    async with ours.connect() as db:
        told = [
            [(each.day, bool(each.now)) for each in await deciding.days(db, row)]
            for row in [await deciding.find(db, number) for number in (1, 2, 3, 4)]
        ]
    assert told == [[(FRIDAY, False)], [(MONDAY, False)], [(FRIDAY, True)], [(MONDAY, True)]]


# Foreseen and done ----------------------------------------------------------------------------


async def waiting_for_papers(db: AsyncConnection, book: Catalogue, day: int, since: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.request_supplement, at(since))).code


async def waiting_for_money(db: AsyncConnection, book: Catalogue, day: int, since: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.request_payment, at(since))).code


async def extended(db: AsyncConnection, book: Catalogue, day: int) -> str:
    code = (await processing(db, book, FIVE, at(day))).code
    return (await move(db, book, code, Event.extend, at(day + 1))).code


async def begun_again(db: AsyncConnection, book: Catalogue, day: int) -> str:
    code = await waiting_for_papers(db, book, day - 9, day - 7)
    return (await move(db, book, code, Event.supplement, at(day))).code


async def street(engine: AsyncEngine) -> dict[str, str]:
    """Dossiers that the first days of that week will reach, by what they are told for."""
    async with engine.begin() as db:
        book = await bundles.read(db)
        return {
            "five days": (await received(db, book, FIVE, at(-3))).code,
            "due today": (await received(db, book, FIVE, at(-7))).code,
            "overdue": (await received(db, book, FIVE, at(-13))).code,
            "by the hour": (await received(db, book, HOURS, NOW)).code,
            "the same day": (await received(db, book, SAME_DAY, at(0, "15:30"))).code,
            "half a day": (await received(db, book, HALF, at(0, "14:00"))).code,
            "fifteen calendar days": (await received(db, book, CALENDAR_DAYS, at(-14))).code,
            "without a term": (await received(db, book, NO_TERM, at(-3))).code,
            "extended": await extended(db, book, -3),
            "begun again": await begun_again(db, book, -3),
            "waits for papers": await waiting_for_papers(db, book, -7, -1),
            "waits for money": await waiting_for_money(db, book, -3, -1),
        }


EVENING = at(0, "16:00")
AS_IT_WAS = {
    "five days": at(4, "17:00"),
    "due today": at(0, "17:00"),
    "overdue": at(-6, "17:00"),
    "by the hour": at(1, "10:00"),
    "the same day": at(1, "17:00"),
    "half a day": at(1, "08:30"),
    "fifteen calendar days": at(1, "17:00"),
    "without a term": None,
    "extended": at(7, "17:00"),
    "begun again": at(4, "17:00"),
    "waits for papers": None,
    "waits for money": None,
}
FRIDAY_OFF = {
    "five days": at(5, "17:00"),
    "by the hour": at(4, "10:00"),
    "the same day": at(4, "17:00"),
    "half a day": at(4, "08:30"),
    "fifteen calendar days": at(4, "17:00"),
    "extended": at(8, "17:00"),
    "begun again": at(5, "17:00"),
}
SATURDAY_WORKED = {
    "five days": at(2, "17:00"),
    "extended": at(6, "17:00"),
    "begun again": at(2, "17:00"),
}
WAIT = {"waits for papers", "waits for money"}
NEARER = {*SATURDAY_WORKED, *WAIT}  # those that wait would be, if they went on now
SHORT_FRIDAYS = b"""seasons:
  - from: 2023-11-24
    to: 2023-12-31
    weekly: {monday: [08:00-12:00, 13:00-17:00], tuesday: [08:00-12:00, 13:00-17:00],
      wednesday: [08:00-12:00, 13:00-17:00], thursday: [08:00-12:00, 13:00-17:00],
      friday: [08:00-12:00]}
overrides:
"""


@pytest.mark.parametrize(
    ("days", "dates", "moved", "kept"),
    [
        ({"off": [FRIDAY]}, Dates.move, FRIDAY_OFF, set()),
        ({"off": [FRIDAY]}, Dates.later, FRIDAY_OFF, set()),
        ({"off": [FRIDAY]}, Dates.keep, {}, None),
        ({"work": [SATURDAY]}, Dates.move, SATURDAY_WORKED, set()),
        ({"work": [SATURDAY]}, Dates.later, {}, NEARER),
        ({"work": [SATURDAY]}, Dates.keep, {}, None),
        (  # Friday's hours are Saturday's: what ends by Friday is later, the rest is as it was
            {"off": [FRIDAY], "work": [SATURDAY]},
            Dates.later,
            {
                "by the hour": at(2, "10:00"),
                "the same day": at(2, "17:00"),
                "half a day": at(2, "08:30"),
                "fifteen calendar days": at(2, "17:00"),
            },
            set(),
        ),
        (
            {"hours": SHORT_FRIDAYS},
            Dates.move,
            {
                "by the hour": at(1, "10:30"),
                "the same day": at(1, "12:00"),
                "half a day": at(1, "09:00"),
                "fifteen calendar days": at(1, "12:00"),
            },
            set(),
        ),
    ],
)
async def test_each_date_as_counted_by_hand(
    ours: AsyncEngine,
    days: dict[str, Any],
    dates: Dates,
    moved: dict[str, datetime],
    kept: set[str] | None,
) -> None:
    """`kept`: those that stay on their calendar; None: all of them."""
    codes = await street(ours)
    async with ours.begin() as db:
        assert {name: (await papers(db))[code].due_at for name, code in codes.items()} == AS_IT_WAS
        raw = VN.replace(b"overrides:\n", days["hours"], 1) if "hours" in days else None
        number = await propose(db, raw or await text(db, **days), dates=dates, when=EVENING)
        seen = await foreseen(db, number, EVENING)
        await approve(db, number)
    await apply(ours, number, EVENING)
    async with ours.connect() as db:
        book, there = await bundles.read(db), await papers(db)
    after = {name: there[code].due_at for name, code in codes.items()}
    assert after == AS_IT_WAS | moved
    new = book.calendar("vn").version
    stay = {name for name, code in codes.items() if there[code].calendar_version != new}
    assert stay == (set(codes) if kept is None else kept)
    for name, code in codes.items():
        assert (code in seen) == (kept is not None)
        if kept is not None:
            assert seen[code].due_after == after[name]
            assert (seen[code].effect is Effect.kept) == (name in kept)
    await holds(ours)


async def test_a_preview_writes_nothing(ours: AsyncEngine) -> None:
    before = await everything(ours)
    for dates in Dates:
        async with ours.begin() as db:
            number = await propose(db, dates=dates, restates=True)
            assert await foreseen(db, number)
            await deciding.reject(db, await bundles.read(db), number, CONTROL, NOW)
    assert await everything(ours) == before
    async with ours.connect() as db:
        assert len(await bundles.versions(db, Kind.calendar)) == 2


@pytest.mark.parametrize("dates", Dates)
async def test_a_whole_town_moves_as_foreseen(ours: AsyncEngine, dates: Dates) -> None:
    async with ours.begin() as db:
        raw = await text(db, **CORRECTIONS[-1])
        number = await propose(db, raw, dates=dates, restates=True)
        seen, before = await foreseen(db, number), await papers(db)
        await approve(db, number)
        assert await foreseen(db, number) == seen
    row = await apply(ours, number)
    async with ours.connect() as db:
        as_foreseen(seen, before, await papers(db))
        await as_recomputed(db)
        assert await foreseen(db, number) == {
            code: item for code, item in seen.items() if item.effect is Effect.kept
        }
    effects = Counter(item.effect for item in seen.values())
    assert (row.status, row.applied_at, row.refused) == (Status.applied, NOW, 0)
    assert row.stayed == effects[Effect.kept]
    assert row.moved == len(seen) - effects[Effect.kept]
    assert effects[Effect.restated]
    told = {Effect.restated, Effect.kept} | (set() if dates is Dates.keep else {Effect.same})
    assert set(effects) >= told - ({Effect.kept} if dates is not Dates.later else set())
    assert (effects[Effect.nearer] > 0) == (dates is Dates.move)
    await holds(ours)
    again = await apply(ours, number, at(1))
    assert again == row


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    story=st.lists(
        st.tuples(st.sampled_from(CORRECTIONS), st.sampled_from(Dates), st.booleans()),
        min_size=1,
        max_size=3,
    ),
)
async def test_whatever_happened_each_correction_does_what_was_foreseen(
    db: AsyncConnection, seed: int, story: list[Any]
) -> None:
    """One after another, a later one also with what an earlier one left on its old calendar."""
    async with db.begin_nested() as undone:
        chance, now = Random(seed), NOW
        for days, dates, restates in story:
            book = await bundles.read(db)
            for _ in range(12):
                await walked(db, book, chance, chance.choice(CODES), now)
            raw = (await texts_of(db))["vn"].encode()
            for name in ("off", "work"):
                for day in days.get(name, ()):
                    raw = with_exception(raw, day, decided(works=name == "work"), overrule=True)
            if raw == (await texts_of(db))["vn"].encode():  # the same once more
                continue
            number = await propose(db, raw, dates=dates, restates=restates, when=now)
            before, promised = await papers(db), await if_gone_on(db, book, now)
            seen = await foreseen(db, number, now)
            await approve(db, number, when=now)
            book, row = await bundles.read(db), await deciding.find(db, number)
            plan = applying.planned(row, book, now)
            told = await many.move_many(db, book, plan.where, plan.act_for)
            assert all(each.refused is None for each in told)
            as_foreseen(seen, before, await papers(db))
            await as_recomputed(db)
            if dates is Dates.later:
                then = await if_gone_on(db, book, now)
                assert all(then[code] >= due for code, due in promised.items())
            await finished(db, number)
            now += timedelta(days=1, hours=3)
        report = await ledger.verify(db, await bundles.read(db))
        assert (report.faults, report.unread) == ([], 0)
        await undone.rollback()


async def if_gone_on(db: AsyncConnection, book: Catalogue, now: datetime) -> dict[str, datetime]:
    """The date of every open dossier, had those that wait gone on now."""
    async with db.begin_nested() as undone:
        for code, row in (await papers(db)).items():
            if row.state in HELD and row.received_at is not None:
                papers_came = row.state is State.awaiting_supplement
                await move(db, book, code, Event.supplement if papers_came else Event.pay, now)
        dates = {
            code: row.due_at
            for code, row in (await papers(db)).items()
            if row.due_at is not None and row.finished_at is None
        }
        await undone.rollback()
    return dates


# Entries and notices --------------------------------------------------------------------------


async def test_an_entry_a_dossier_says_why_and_what_it_was(ours: AsyncEngine) -> None:
    async with ours.connect() as db:
        before = await papers(db)
    row = await corrected(ours)
    async with ours.connect() as db:
        after, moved = await papers(db), 0
        for code, now in after.items():
            was = before[code]
            lines = await lines_of(db, code)
            assert now.seq - was.seq == (now.calendar_version != was.calendar_version)
            if now.seq == was.seq:
                continue
            moved += 1
            line, [clocked] = lines[-1], [lines[-1]["payload"]["clock"]]
            assert (line["event"], line["role"]) == (Event.recompute, Role.control)
            assert (line["actor"], line["at"]) == (CONTROL, max(NOW, was.moved_at))
            assert (line["reason"], line["ground"]) == (SAID["reason"], SAID["ground"])
            assert line["payload"]["act"] == {
                "calendar": f"vn@{now.calendar_version}",
                "change": row.id,
            }
            assert clocked["calendar"] == f"vn@{now.calendar_version}"
            if was.state in HELD:
                assert datetime.fromisoformat(clocked["lapse"]) == now.lapse_at
                assert now.lapse_at >= was.lapse_at
                assert "was" not in clocked
                continue
            told = [clocked["due"], clocked.get("was", {}).get("due", clocked["due"])]
            dates = [each and datetime.fromisoformat(each) for each in told]
            assert dates == [now.due_at, was.due_at]
            assert ("was" in clocked) == (now.due_at != was.due_at)
            if now.due_at != was.due_at:
                assert now.deadline == now.seq  # so that a sweep warns of it anew
            assert now.due_original == was.due_original  # the first promise is history
        assert moved == row.moved > 100
    await holds(ours)


async def test_each_is_handed_to_readers_once_so_that_a_notice_is_queued(
    ours: AsyncEngine,
) -> None:
    async def read_on() -> list[Any]:
        async with ours.begin() as db:
            if new := await ledger.unread(db, "notices", 5_000):
                await ledger.read(db, "notices", new[-1])
            return list(new)

    async with asyncio.timeout(60):  # a reader waits for whoever writes in the cluster
        before = len(await read_on())
        async with ours.connect() as db:
            lines = await db.scalar(sa.select(sa.func.count()).select_from(entry))
        while before < (lines or 0):
            before += len(await read_on())
        row, told = await corrected(ours, restates=True), []
        while len(told) < row.moved:
            told += await read_on()
    assert len(told) == row.moved
    assert {each.event for each in told} == {Event.recompute, Event.restate}
    async with ours.connect() as db:
        codes = {code for code, each in (await papers(db)).items() if each.seq > 1}
    assert {each.code for each in told} <= codes
    assert len({each.code for each in told}) == row.moved
    dates = [json.loads(each.payload)["clock"] for each in told]
    assert sum("was" in each for each in dates) > 30
    assert await read_on() == []


async def test_an_heir_follows_and_what_it_decides_itself_stays(ours: AsyncEngine) -> None:
    """Three generations: the agency works on the Saturday that the nation works, but not Friday."""
    own = HEIR + b"weekly: {monday: [07:00-12:00, 13:00-16:00], tuesday: [07:00-12:00], wednesday:"
    own += b" [07:00-12:00], thursday: [07:00-12:00], friday: [07:00-12:00]}\n"
    unit = small("so-ldtbxh", inherits="ha-nam")
    async with ours.begin() as db:
        for number, (raw, name) in enumerate([(own, "ha-nam"), (unit, "so-ldtbxh")], 1):
            assert await propose(db, raw, name=name) == number
            await approve(db, number)
            await finished(db, number)
        book = await under(db, FRESH, "so-ldtbxh")
        code = (await received(db, book, FRESH, at(-2))).code
        assert (await papers(db))[code].due_at == at(5, "12:00")
        number = await propose(db)
        row = await deciding.find(db, number)
        assert set(row.says["calendars"]) == {"vn", "ha-nam", "so-ldtbxh"}
        assert (await foreseen(db, number))[code].due_after == at(6, "12:00")
        await approve(db, number)
    await apply(ours, number)
    async with ours.begin() as db:
        book, row = await bundles.read(db), (await papers(db))[code]
        assert row.calendar_version == book.calendar("so-ldtbxh").version
        assert row.due_at == at(6, "12:00")
        # The province decides the Friday itself, in the unit's favour or not: the nation's is over.
        raw = await text(db, name="ha-nam", work=[FRIDAY])
        await approve(db, number := await propose(db, raw, name="ha-nam"))
    moved = await apply(ours, number)
    async with ours.connect() as db:
        assert (await papers(db))[code].due_at == at(5, "12:00")
        assert moved.moved == 1
    await holds(ours)


async def test_a_reach_alone_is_corrected_too(ours: AsyncEngine) -> None:
    async with ours.connect() as db:
        before = await papers(db)
    row = await corrected(ours, VN.replace(b"to: 2027", b"to: 2028"), restates=True)
    assert row.moved > 100
    async with ours.connect() as db:
        after, lengthened = await papers(db), (await bundles.read(db)).calendar("vn")
    assert lengthened.last == date(2028, 12, 31)
    assert {code: (r.due_at, r.verdict) for code, r in after.items()} == {
        code: (r.due_at, r.verdict) for code, r in before.items()
    }
    assert all((r.finished_at is None) or r == before[code] for code, r in after.items())
    await holds(ours)


@pytest.mark.parametrize("dates", [Dates.move, Dates.later])
async def test_what_a_calendar_cannot_read_is_refused_and_the_rest_goes_on(
    ours: AsyncEngine, dates: Dates
) -> None:
    """It begins in 2024 now; one dossier came in 2023, and one was due in 2024 besides."""
    winter = datetime(2024, 1, 15, 10, tzinfo=HANOI)
    async with ours.begin() as db:
        await approve(db, number := await propose(db, HEIR, name="ha-nam"))
        await finished(db, number)
        book = await under(db, FRESH, "ha-nam")
        old, done = [(await processing(db, book, FRESH, at(n))).code for n in (8, 34)]
        for event in (Event.advance, Event.advance, Event.return_result):
            await move(db, book, done, event, at(35))
        new = (await received(db, book, FRESH, winter)).code
        before = await papers(db)
        raw = HEIR + b"reach: {from: 2024, to: 2027}\nstandard_day: 420\n"
        number = await propose(
            db, raw, name="ha-nam", dates=dates, restates=True, when=winter, reason="x"
        )
        seen = await foreseen(db, number, winter)
        assert {code: item.effect for code, item in seen.items()} == {
            old: Effect.refused,
            done: Effect.refused,
            new: Effect.same,
        }
        assert "lies outside calendar ha-nam" in (seen[old].why or "")
        assert seen[old].due_after == seen[old].due == before[old].due_at
        await approve(db, number)
    row = await apply(ours, number, winter)
    assert (row.status, row.moved, row.stayed, row.refused) == (Status.applied, 1, 0, 2)
    async with ours.connect() as db:
        after = await papers(db)
    assert [code for code in after if after[code] != before[code]] == [new]
    await holds(ours)


# One after another ----------------------------------------------------------------------------


async def test_a_second_correction_and_both_undone_by_others(ours: AsyncEngine) -> None:
    """A date goes there and back; what was promised first is never rewritten."""
    codes = await street(ours)
    five = codes["five days"]
    story = [
        ({"off": [FRIDAY]}, Dates.later, at(5, "17:00")),
        ({"off": [MONDAY]}, Dates.later, at(6, "17:00")),
        ({"gone": [FRIDAY]}, Dates.later, at(6, "17:00")),  # none comes nearer
        ({"gone": [MONDAY]}, Dates.move, at(4, "17:00")),
    ]
    async with ours.connect() as db:
        first = await papers(db)
    for minute, (days, dates, due) in enumerate(story):
        async with ours.connect() as db:
            raw = await text(db, **days)
        when = EVENING + timedelta(minutes=minute)
        row = await corrected(ours, raw, dates=dates, when=when)
        assert row.status is Status.applied
        async with ours.connect() as db:
            assert (await papers(db))[five].due_at == due, days
            await as_recomputed(db)
    async with ours.connect() as db:
        last, book = await papers(db), await bundles.read(db)
    assert len(book.calendars["vn"]) == 5
    assert book.calendars["vn"][-1][0] == book.calendars["vn"][0][0]  # its days are those it had
    assert {code: (row.due_at, row.due_original) for code, row in last.items()} == {
        code: (row.due_at, row.due_original) for code, row in first.items()
    }
    async with ours.connect() as db:
        lines = [line for line in await lines_of(db, five) if line["event"] == Event.recompute]
    told = [(line["payload"]["clock"]["due"], line["payload"]["act"]["change"]) for line in lines]
    dates = [datetime.fromisoformat(due) for due, _ in told]
    assert dates == [at(5, "17:00"), at(6, "17:00"), at(4, "17:00")]
    assert [number for _, number in told] == [1, 2, 4]
    await holds(ours)


async def test_who_is_received_after_the_approval_has_the_new_calendar(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        old = await bundles.read(db)
        before = (await received(db, old, FIVE, at(-3))).code
        lodged = (await received(db, old, FIVE, at(-3), Event.register)).code
    number = await settled(ours)
    async with ours.begin() as db:
        with pytest.raises(Outdated):  # by a process that remembers the old catalogue
            await received(db, old, FIVE, at(-3))
    async with ours.begin() as db:
        with pytest.raises(Outdated):
            await move(db, old, lodged, Event.receive, NOW)
    async with ours.begin() as db:
        book = await bundles.read(db)
        after = (await received(db, book, FIVE, at(-3))).code
        assert (await move(db, book, lodged, Event.receive, NOW)).due_at == at(8, "17:00")
        there = await papers(db)
        assert (there[before].due_at, there[after].due_at) == (at(4, "17:00"), at(5, "17:00"))
        seen = await foreseen(db, number)
        assert before in seen
        assert not {after, lodged} & seen.keys()
    await apply(ours, number)
    async with ours.connect() as db:
        there = await papers(db)
    assert there[before].due_at == there[after].due_at == at(5, "17:00")
    assert (there[before].seq, there[after].seq) == (2, 1)
    await holds(ours)
